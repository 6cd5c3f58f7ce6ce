"""What staff see of kinds: each with how many places it has, who keeps it and whether the caller may change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet

from geo.errors import Forbidden, NotFound
from geo.imports.models import CURRENT
from geo.regions.models import EditionState, Level, Region, RegionVersion
from geo.scope import Scope
from services.access.queries import check_duty, holds_citywide
from services.facilities.kinds.book import attributes_of, is_declared
from services.facilities.kinds.declared import GROUPS, Attribute
from services.facilities.models import Facility, FacilityKind

DUTY: Final = "facilities.kinds"


@dataclass(frozen=True, slots=True)
class KeptKind:
    """A kind as its page shows it; ``keeper`` is the name of the district that keeps it, '' for the city."""

    row: FacilityKind
    places: int
    keeper: str
    mine: bool

    @property
    def declared(self) -> bool:
        """Say whether code declares it: only words, icon and order are for staff, and it is never deleted."""
        return is_declared(self.row.key)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """Return what its places may say of themselves."""
        return attributes_of(self.row.attributes)


@dataclass(frozen=True, slots=True)
class KindGroup:
    """The kinds of a group in their order. ``order`` names them, so that a page can say which order it saw."""

    key: str
    name: str
    kinds: tuple[KeptKind, ...]

    @property
    def order(self) -> str:
        """Return the keys in their order."""
        return ",".join(kind.row.key for kind in self.kinds)


def kept_kinds(*, scope: Scope) -> list[KindGroup]:
    """Return all kinds by group, retired ones too. Needs ``facilities.kinds``."""
    check_duty(scope, DUTY)
    counts = Count("facilities", filter=Q(facilities__retired_at=None))
    rows = list(FacilityKind.objects.annotate(held=counts).order_by("order", "key"))
    keepers = {row.region_id for row in rows if row.region_id}
    districts = dict(_districts().filter(region__in=keepers).values_list("region", "name"))
    kinds = [
        KeptKind(row, row.held, districts.get(row.region_id or 0, ""), may_keep(row.region_id, scope)) for row in rows
    ]
    return [
        KindGroup(group, name, tuple(kind for kind in kinds if kind.row.group == group))
        for group, name in GROUPS.items()
    ]


def kept_kind(key: str, *, scope: Scope) -> KeptKind:
    """Return one kind. Raises ``NotFound``, ``Forbidden``."""
    for group in kept_kinds(scope=scope):
        for kind in group.kinds:
            if kind.row.key == key:
                return kind
    raise NotFound("kind_unknown", "没有这个类别，它可能刚被删除。请回到类别列表看看。")


def keeping_districts(*, scope: Scope) -> list[RegionVersion]:
    """Return the districts for which the caller may add kinds of their own; none for those who keep the city's."""
    check_duty(scope, DUTY)
    if holds_citywide(scope, DUTY):
        return []
    return [district for district in _districts().order_by("code") if scope.covers_path(district.path)]


def may_keep(region_id: int | None, scope: Scope) -> bool:
    """Say whether a kind is the caller's to change: the city's by those of the city, a district's by its own and the city."""
    if holds_citywide(scope, DUTY):
        return True
    if region_id is None or not scope.holds(DUTY):
        return False
    return any(scope.covers_path(path) for path in _districts().filter(region=region_id).values_list("path", flat=True))


def check_keeps(region_id: int | None, scope: Scope) -> None:
    """Raise ``Forbidden`` when a kind is not the caller's to change."""
    check_duty(scope, DUTY)
    if not may_keep(region_id, scope):
        raise Forbidden(
            "kind_not_yours", "这个类别不由您维护。全市的类别由市级管理员设置，各区的由该区设置。", duty=DUTY
        )


def district_named(code: str, *, scope: Scope) -> Region:
    """Return the district a new kind is kept by. Raises ``Forbidden`` for one that is not the caller's."""
    for district in keeping_districts(scope=scope):
        if district.code == code:
            return Region.objects.get(pk=district.region_id)
    raise Forbidden("region_outside_scope", "只能为自己的区新增类别，请重新选区。", region=code[:20])


def places_of(key: str) -> list[Facility]:
    """Return the places of a kind that there are now, locked, in the order of their ids."""
    return list(Facility.objects.select_for_update(of=("self",)).filter(CURRENT, kind=key).order_by("pk"))


def _districts() -> QuerySet[RegionVersion]:
    return RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, level=Level.DISTRICT)
