"""Writes of the templates of matters, by the city, and of the catalogue, by the city and each district for itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from geo.errors import BadInput, Conflict, NotFound
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.kernel.workflow.configuring import region_to_configure
from services.kernel.workflow.models import Audience, CatalogueEntry, MatterKind, MatterTemplate
from services.kernel.workflow.registry import matters
from services.kernel.workflow.spec import MOST_DAYS

DUTY: Final = "cases.configure"
CODE: Final = re.compile(r"[0-9A-Z][0-9A-Z-]{3,39}")
LONGEST: Final = {"name": 60, "authority": 60, "basis": 300, "conditions": 500, "fee": 100, "phone": 60, "note": 200}
_NEEDED: Final = {"name": "事项名称", "authority": "实施主体"}


@transaction.atomic
def save_template(*, code: str, seen: int, values: Mapping[str, Any], scope: Scope) -> MatterTemplate:
    """Write a template of a matter, or its next wording; ``seen`` is the version that was seen, 0 for a new one.

    Needs ``cases.configure`` over the whole city. Raises ``BadInput`` for what is missing or odd, ``Conflict`` where somebody was
    faster or the code is taken.
    """
    check_city_duty(scope, DUTY)
    if CODE.fullmatch(code) is None:
        raise BadInput("code_odd", "事项编码由 4 到 40 个数字、大写字母和短横组成，例如 310119-FW-001。")
    row = MatterTemplate.objects.select_for_update().filter(code=code).first()
    if seen == 0 and row is not None:
        raise Conflict("code_taken", f"编码 {code} 已经用在“{row.name}”上，请换一个。")
    if seen and (row is None or row.version != seen):
        raise Conflict("template_changed", "别人刚改过这个模板，请刷新页面，看过再改。")
    row = row or MatterTemplate(code=code, version=0)
    for name, value in _read(values).items():
        setattr(row, name, value)
    row.version, row.changed_by = row.version + 1, scope.actor
    row.save()
    return row


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, longest in LONGEST.items():
        text = str(values.get(name, "")).strip()
        if len(text) > longest:
            raise BadInput("text_long", f"“{text[:10]}…”太长，最多 {longest} 个字。")
        if not text and name in _NEEDED:
            raise BadInput("text_missing", f"请写{_NEEDED[name]}。")
        found[name] = text
    found["fee"] = found["fee"] or "不收费"
    for name, known in (("kind", MatterKind.values), ("audience", Audience.values)):
        if values.get(name) not in known:
            raise BadInput("choice_unknown", "请选择事项类型和服务对象。")
        found[name] = values[name]
    if values.get("matter", "") not in {"", *matters()}:
        raise BadInput("matter_unknown", "请从列出的办理事项里选。")
    found["matter"] = values.get("matter", "")
    for name in ("legal_days", "promise_days"):
        found[name] = values.get(name)
        if found[name] is not None and not 1 <= int(found[name]) <= MOST_DAYS:
            raise BadInput("days_odd", f"时限要写 1 到 {MOST_DAYS} 个工作日。")
    if found["legal_days"] and found["promise_days"] and found["promise_days"] > found["legal_days"]:
        raise BadInput("promise_long", "承诺时限不能长于法定时限。")
    found["active"] = bool(values.get("active", True))
    return found


@transaction.atomic
def set_entry(*, code: str, region: str, heading: str, position: int, offered: bool, scope: Scope) -> CatalogueEntry:
    """Let a template stand in a region's catalogue under a heading, offered or not. Raises ``BadInput``, ``NotFound``."""
    place = region_to_configure(region, scope=scope)
    template = MatterTemplate.objects.filter(code=code).first()
    if template is None:
        raise NotFound("template_unknown", "没有这个事项模板。")
    if not heading.strip() or len(heading.strip()) > 40:
        raise BadInput("heading_missing", "请写目录里的分类，40 个字以内。")
    if not 0 <= position <= 999:
        raise BadInput("position_odd", "顺序要写 0 到 999。")
    row = CatalogueEntry.objects.select_for_update().filter(template=template, region=place.region_id).first()
    row = row or CatalogueEntry(template=template, region_id=place.region_id, version=0)
    row.heading, row.position, row.offered = heading.strip(), position, offered
    row.version, row.changed_by = row.version + 1, scope.actor
    row.save()
    return row


@transaction.atomic
def drop_entry(*, code: str, region: str, scope: Scope) -> None:
    """Take a line out of a region's catalogue: what the region above says holds again."""
    place = region_to_configure(region, scope=scope)
    CatalogueEntry.objects.filter(template__code=code, region=place.region_id).delete()
