"""What a place says at a moment: kept before and after every act, compared for people, and put back when an act is undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from django.contrib.gis.geos import Point
from django.utils import timezone

from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.models import PointSource
from geo.crs.codes import CGCS2000
from geo.grids import cell_at
from geo.regions.queries import assign_regions
from services.facilities.hours import week_lines
from services.facilities.kinds import known_kind
from services.facilities.models import Facility, FacilityStatus
from services.facilities.naming import facility_grams

MERGED: Final = "merged"
RETIRED: Final = "retired"
"""Corrections that take a place out of its source, whatever the source goes on saying."""
PLAIN: Final = ("kind_id", "name", "address_text", "phone", "status", "hours")
FIGURES: Final = ("places", "vacancies", "vacancies_source")
NAMES: Final[Mapping[str, str]] = {
    "kind_id": "类型",
    "name": "名称",
    "address_text": "地址",
    "position": "位置",
    "region": "所在区划",
    "point_source": "位置来源",
    "phone": "电话",
    "hours": "开放时间",
    "status": "状态",
    "places": "名额",
    "vacancies": "余位",
    "retired": "是否在用",
}
"""What people call each entry, in the order they are shown; attributes have the names of their kind."""
_FOLLOWS: Final = frozenset({"region", "region_id", "version", *FIGURES, "vacancies_as_of"})
"""What follows from the rest, or is reported from elsewhere: no act is undone over it or held up by it."""
Said = dict[str, Any]


class Difference(NamedTuple):
    """One entry that is another than before, in words."""

    field: str
    name: str
    before: str
    after: str


def said(facility: Facility) -> Said:
    """Return what a place says, as plain data."""
    region = names_of(published_now()).region(facility.region_id)
    as_of = facility.vacancies_as_of
    return {
        **{name: str(getattr(facility, name)) if name != "hours" else facility.hours for name in PLAIN},
        "attributes": dict(facility.attributes),
        "position": [facility.geom.x, facility.geom.y],
        "point_source": str(facility.point_source),
        "uncertainty_m": facility.uncertainty_m,
        "region_id": facility.region_id,
        "region": region.full_name if region else "",
        **{name: getattr(facility, name) for name in FIGURES},
        "vacancies_as_of": as_of.isoformat() if as_of else None,
        "hours_as_of": facility.hours_as_of.isoformat() if facility.hours_as_of else None,
        "organisation_id": facility.organisation_id,
        "retired": facility.retired_at is not None,
    }


def place(facility: Facility, lon: float, lat: float) -> None:
    """Put a place at a point (CGCS2000 degrees) with the region and the cell that follow."""
    facility.geom = Point(lon, lat, srid=CGCS2000)
    facility.region_id = int(assign_regions([lon], [lat])[0]) or None
    facility.cell = cell_at(lon, lat)


def put_back(facility: Facility, before: Said | None) -> None:
    """Write what a place said into its row, without saving it; ``None`` means that it was not there. Figures stay as reported."""
    if before is None:
        facility.retired_at = timezone.now()
        return
    for name in (*PLAIN, "attributes", "point_source", "uncertainty_m", "organisation_id"):
        setattr(facility, name, before[name])
    day = before["hours_as_of"]
    facility.hours_as_of = dt.date.fromisoformat(day) if day else None
    if [facility.geom.x, facility.geom.y] != before["position"]:
        place(facility, *before["position"])
    facility.retired_at = (facility.retired_at or timezone.now()) if before["retired"] else None
    facility.grams = facility_grams(facility.name, facility.address_text)


def same(one: Said | None, other: Said | None) -> bool:
    """Say whether two states of a place are the same in everything that people write."""
    if one is None or other is None:
        return (one is None or one["retired"]) and (other is None or other["retired"])
    return {k: v for k, v in one.items() if k not in _FOLLOWS} == {k: v for k, v in other.items() if k not in _FOLLOWS}


def differences(before: Said | None, after: Said | None) -> list[Difference]:
    """Return what differs between two states of one place, in words for people."""
    if before is None or after is None:
        return [Difference("retired", "机构", *("在用" if one else "还没有" for one in (before, after)))]
    found = [
        Difference(key, label, shown(key, before.get(key)), shown(key, after.get(key)))
        for key, label in NAMES.items()
        if before.get(key) != after.get(key)
    ]
    kind = known_kind(after["kind_id"])
    old, new = before["attributes"], after["attributes"]
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            attribute = kind.attribute(key) if kind else None
            words = [
                "（空）" if value in (None, "") else attribute.choice_label(value) if attribute else str(value)
                for value in (old.get(key), new.get(key))
            ]
            found.append(Difference(f"attributes.{key}", attribute.label if attribute else key, *words))
    return found


def shown(key: str, value: Any) -> str:
    """Return the words for an entry."""
    if value is None or value in ("", {}):
        return "（空）"
    match key:
        case "kind_id":
            kind = known_kind(value)
            return kind.name if kind else str(value)
        case "status":
            return str(FacilityStatus(value).label)
        case "position":
            return f"{value[0]:.6f}，{value[1]:.6f}"
        case "point_source":
            return str(PointSource(value).label)
        case "hours":
            return "，".join(f"{days} {hours}" for days, hours in week_lines(value))
        case "retired":
            return "已下线" if value else "在用"
    return str(value)
