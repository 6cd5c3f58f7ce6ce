"""Who may change which address: the duty ``addresses.edit`` over the region that the address, or its new place, lies in."""

from __future__ import annotations

from typing import Final

from django.db.models import Q

from geo.errors import Forbidden
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import current_city, within
from geo.scope import Scope

EDIT: Final = "addresses.edit"


def check_edit(scope: Scope) -> None:
    """Raise ``Forbidden`` when a scope may not keep any addresses."""
    if not scope.holds(EDIT):
        raise Forbidden("duty_missing", "您的账号没有维护地址的权限。需要的话可向上级管理员申请。", duty=EDIT)


def kept_by(scope: Scope) -> Q:
    """Return the condition that a row with a region is kept by a scope; the city keeps those in no region too."""
    return Q() if _citywide(scope) else within(scope)


def _citywide(scope: Scope) -> bool:
    return scope.covers_path(f"{current_city().code}.")


def may_edit(scope: Scope, region_id: int | None) -> bool:
    """Say whether a scope keeps the addresses of a region; what lies in no region is kept by the city."""
    if not scope.holds(EDIT):
        return False
    if _citywide(scope):
        return True
    paths = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region=region_id)
    return region_id is not None and any(scope.covers_path(path) for path in paths.values_list("path", flat=True))


def check_region(scope: Scope, region_id: int | None, *, moved: bool = False) -> None:
    """Raise ``Forbidden`` when a scope does not keep the addresses of a region; ``moved`` says that a point is put there."""
    check_edit(scope)
    if may_edit(scope, region_id):
        return
    if moved:
        raise Forbidden(
            "position_outside_scope", "新的位置不在您的管辖范围内，不能移到那里。请核对位置，或请上级管理员来改。"
        )
    raise Forbidden("address_outside_scope", "这个地址不在您的管辖范围内。需要的话可向上级管理员申请。")
