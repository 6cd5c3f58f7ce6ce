"""How what a region set of matters returns to what it was: an earlier flow is taken up again, settings are set again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from geo.errors import Conflict, NotFound
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.kernel.workflow.configuring import publish_flow, set_matter, set_step, unset_step
from services.kernel.workflow.models import Case, FlowVersion, MatterSetting, StepSetting, VersionState

STEP: Final = ("days", "remind", "dispatch", "mode", "post", "notices", "screens", "sections", "fills")
MATTER: Final = ("route", "category", "promise", "sources")


@transaction.atomic
def restore_flow(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str) -> None:
    """Let new cases take the version that was replaced by a published one. Running ones keep theirs."""
    publish_flow(version_id=_earlier(_flow(pk)).pk, scope=scope)


def flow_findings(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what should be known before. Raises ``Conflict`` where the version does not hold, or nothing was before it."""
    row = _flow(pk)
    earlier, running = _earlier(row), Case.objects.filter(flow=row, closed_at=None).count()
    found = [f"将重新启用第 {earlier.number} 版，新办件用它。"]
    return [f"有 {running} 个在办办件用第 {row.number} 版，它们不变。", *found] if running else found


@transaction.atomic
def restore_matter(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str) -> None:
    """Set again what a region had set of a matter. Raises ``Conflict`` where it had set nothing."""
    row = MatterSetting.objects.filter(pk=pk).first()
    if row is None or before.get("route", row.route) is None:
        raise Conflict("setting_first", "这是第一次设置，之前没有可以回退到的内容。请到“事项设置”里修改。")
    said = {name: before.get(name, getattr(row, name)) for name in MATTER}
    set_matter(matter=row.matter, region=_code(row.region_id), scope=scope, **said)


@transaction.atomic
def restore_step(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str) -> None:
    """Set again what a region had set of a step; where it had set nothing, the region above decides again."""
    row = StepSetting.objects.filter(pk=pk).first()
    if row is None:
        raise Conflict("setting_gone", "这个环节的设置已经撤销，请到“事项设置”里重新设置。")
    place: dict[str, Any] = {
        "matter": row.matter,
        "region": _code(row.region_id),
        "step": row.step,
        "scope": scope,
    }
    if "mode" in before and before["mode"] is None:
        unset_step(**place)
    else:
        set_step(**place, **{name: before.get(name, getattr(row, name)) for name in STEP})


def _flow(pk: str) -> FlowVersion:
    row = FlowVersion.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound("flow_unknown", "没有找到这个流程版本，草稿可能已经删除。")
    if row.state != VersionState.PUBLISHED:
        raise Conflict("flow_not_in_use", "这一版没有在用，不用回退。请从正在使用的一版开始回退。")
    return row


def _earlier(row: FlowVersion) -> FlowVersion:
    """Return the version a published one replaced: of those that once held the last one published."""
    rows = FlowVersion.objects.filter(matter=row.matter, region=row.region_id, state=VersionState.RETIRED)
    found = rows.order_by("-published_at", "-number").first()
    if found is None:
        raise Conflict("flow_first", "之前没有启用过别的版本，不能回退。")
    return found


def _code(region_id: int) -> str:
    codes = RegionVersion.objects.filter(edition__state="published", region=region_id).values_list("code", flat=True)
    return str(codes.first() or "")
