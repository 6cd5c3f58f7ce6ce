"""How facilities and the settings of the city return to what they were: by the same actions that change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from geo.errors import BadInput, Conflict
from geo.imports.models import CURRENT
from geo.scope import Scope
from services.facilities.actions import EDITABLE, change_status, choose_navigation_app, update_facility
from services.facilities.kinds.actions import restore_former
from services.facilities.models import Facility

COUNTED: Final = frozenset({"places", "vacancies"})


@transaction.atomic
def restore_facility(
    *, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str
) -> None:
    """Let a facility say again what it said before a change; needs ``facilities.edit`` over it.

    Attributes return one by one, so that others changed meanwhile stay. Raises what the actions raise, ``BadInput`` where only
    figures were reported, which the next report replaces.
    """
    if not before.keys() - COUNTED:
        raise BadInput("figures_reported", "位数和余位是上报的数字，请按现在的情况重新上报，不能回退。")
    changes = {field: before[field] for field in EDITABLE if field in before and field != "attributes"}
    if "attributes" in before:
        changes["attributes"] = _attributes(before["attributes"] or {}, after.get("attributes") or {})
    if changes:
        update_facility(facility_id=int(pk), changes=changes, scope=scope, reason=reason)
    if "status" in before:
        change_status(facility_id=int(pk), status=before["status"], scope=scope, reason=reason)


def facility_findings(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what should be known before a facility is returned to what it was. Raises ``Conflict`` for one that is gone."""
    facility = Facility.objects.filter(CURRENT, pk=int(pk)).first()
    if facility is None:
        raise Conflict("facility_gone", "这家机构已经撤销，不能回退。需要的话请在数据来源里恢复它。")
    found = []
    if COUNTED & before.keys():
        found.append("位数和余位是上报的数字，不会回退。")
    if before.get("status") == "open" and facility.status != "open":
        found.append("回退后这家机构会重新显示为“开放”，居民能在地图上找到。")
    if advisers := facility.advisers.count() if hasattr(facility, "advisers") else 0:
        found.append(f"有 {advisers} 条指导员记录引用这家机构，它们会显示回退后的名称和地址。")
    return found


def restore_kind(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str) -> None:
    """Let a kind be again what it was before a change; needs ``facilities.kinds`` over it. Its order is put right on its page."""
    if before.keys() == {"order"}:
        raise BadInput("kind_order", "次序请在类别列表里用上移、下移来改。")
    restore_former(pk=pk, before=dict(before), scope=scope)


def restore_settings(
    *, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str
) -> None:
    """Set again what the city had set before; needs ``settings.write`` over the city."""
    choose_navigation_app(app=before["navigation_app"], scope=scope)


def _attributes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be said of attributes to undo a change of them: ``None`` takes one away that was not there."""
    return {key: before.get(key) for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)}
