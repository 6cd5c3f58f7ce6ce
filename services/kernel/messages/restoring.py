"""How texts and settings of messages return to what they were: as a new version, or by the action that sets them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from geo.errors import Conflict, NotFound
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.kernel.messages.configuring import choose_event, save_template, set_sending_rule, withdraw_template
from services.kernel.messages.models import EventChoice, SendingRule, TemplateVersion


@transaction.atomic
def restore_template(
    *, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str
) -> None:
    """Keep the version before the one that was written as the newest; where there was none, the region above decides again."""
    row = _written(pk)
    earlier = _place(row).filter(number__lt=row.number).order_by("-number").first()
    where: dict[str, Any] = {
        "event": row.event,
        "channel": row.channel,
        "region": _code(row.region_id),
        "entry": row.entry,
        "seen": _newest(row),
        "scope": scope,
    }
    if earlier is None or not earlier.active:
        withdraw_template(**where)
    else:
        save_template(title=earlier.title, body=earlier.body, **where)


def template_findings(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what should be known before a text returns. Raises ``Conflict`` where a newer version was written since."""
    row = _written(pk)
    if (newest := _newest(row)) != row.number:
        raise Conflict("template_changed", f"之后又有人保存了第 {newest} 版，请从最新的一版开始回退。")
    earlier = _place(row).filter(number__lt=row.number).order_by("-number").first()
    if earlier is None or not earlier.active:
        return ["之前没有单独的模板，回退后沿用上级的内容。"]
    return [f"将把第 {earlier.number} 版的内容另存为第 {row.number + 1} 版，从下一条消息起使用。"]


def restore_choice(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str) -> None:
    """Choose again what a region had chosen of an event. Raises ``Conflict`` where it had chosen nothing."""
    row = EventChoice.objects.filter(pk=pk).first()
    if row is None or "channels" in before and before["channels"] is None:
        raise Conflict("choice_first", "这是第一次设置，之前没有可以回退到的内容。请到“消息设置”里修改。")
    choose_event(
        event=row.event,
        region=_code(row.region_id),
        channels=before.get("channels", row.channels),
        triggers=before.get("triggers", row.triggers),
        scope=scope,
    )


def restore_rule(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str) -> None:
    """Set again the quiet hours and the limit of a region. Raises ``Conflict`` where nothing was set before."""
    row = SendingRule.objects.filter(pk=pk).first()
    if row is None or "daily_cap" in before and before["daily_cap"] is None:
        raise Conflict("rule_first", "这是第一次设置，之前没有可以回退到的内容。请到“消息设置”里修改。")
    clock = {
        name: dt.time.fromisoformat(before[name]) if name in before else getattr(row, name)
        for name in ("quiet_from", "quiet_to")
    }
    set_sending_rule(
        region=_code(row.region_id), daily_cap=before.get("daily_cap", row.daily_cap), scope=scope, **clock
    )


def _written(pk: str) -> TemplateVersion:
    row = TemplateVersion.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound("template_unknown", "没有找到这一版模板。")
    return row


def _place(row: TemplateVersion) -> Any:
    return TemplateVersion.objects.filter(event=row.event, channel=row.channel, region=row.region_id, entry=row.entry)


def _newest(row: TemplateVersion) -> int:
    return int(_place(row).order_by("-number").values_list("number", flat=True)[0])


def _code(region_id: int) -> str:
    code = RegionVersion.objects.filter(edition__state="published", region=region_id).values_list("code", flat=True)
    return str(code.first() or "")
