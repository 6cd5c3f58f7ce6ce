"""Half-typed addresses: the lanes and doors of a road that can complete them, in the order of their numbers.

A number that is still growing is only ever continued, never corrected: 国权路10 may become 100弄, and never 11号.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.db import connection
from django.utils import timezone

from geo.addresses.gazetteer import Names, Published
from geo.addresses.models import AliasKind
from geo.addresses.parsing import Parts, parse
from geo.addresses.suggesting.ranking import ADDRESS_STEPS, Fit, Suggestion
from geo.imports.models import Family
from geo.names import plain
from geo.regions.models import Level

MOST: Final = 60
LEAST_LANE_M: Final = 40.0
_GROWS: Final = re.compile(r"\d$")
_AT_ITS_NUMBER: Final = re.compile(r"(\D*?)(\d.*)")
_DEGREE_M: Final = 111_000.0


class Group(NamedTuple):
    """Addresses of one committee that share a door or a lane: as they were asked for, what they are now, and their middle."""

    lane: str
    sub_lane: str
    number: str
    suffix: str
    building: str
    now_road: str
    now_lane: str
    now_sub_lane: str
    now_number: str
    now_suffix: str
    now_building: str
    alias: str
    region_id: int | None
    id: int
    lon: float
    lat: float
    uncertainty_m: float
    reach_deg: float
    doors: int

    @property
    def label(self) -> str:
        """Return how the address is written now."""
        return door_label(
            self.now_road, self.now_lane, self.now_sub_lane, self.now_number, self.now_suffix, self.now_building
        )


@dataclass(frozen=True, slots=True)
class Beginning:
    """A half-typed address: all it says, which figure was typed last, and whether that may still grow."""

    parts: Parts
    last: str
    grows: bool


def door_label(road: str, lane: str, sub_lane: str, number: str, suffix: str, building: str = "") -> str:
    """Return how a door or a lane is written; a building is named only where it has no number."""
    said = [f"{lane}弄" if lane else "", f"{sub_lane}支弄" if sub_lane else "", f"{number}号{suffix}" if number else ""]
    if building and not number:
        said.append(f"{building}幢")
    return f"{road}{''.join(said)}"


def split_at_number(text: str) -> tuple[str, str]:
    """Return what stands before the first digit and the rest: (国权路, 10弄); nothing before it, or no digit: two empty texts."""
    found = _AT_ITS_NUMBER.fullmatch(plain(text))
    return (found[1], found[2]) if found and found[1] else ("", "")


def complete(
    text: str,
    *,
    published: Published,
    names: Names,
    among: Collection[int] | None = None,
    near: tuple[float, float] | None = None,
) -> list[Suggestion]:
    """Return the doors and lanes that a half-typed address may become; nothing without a road and a number.

    What was asked for in full comes first, then the lane's own doors or whatever continues the last figure, by number. A road
    that runs through several districts is completed in the nearest to ``near`` (longitude, latitude) first. ``among`` are the
    ids of the regions it may lie in.
    """
    begun = _beginning(text, names)
    if begun is None:
        return []
    groups = _groups(begun, published, among)
    merged = _merged(groups, names)
    if not merged:
        return []
    whole = [_the_lane(begun, groups, names)] if begun.last in ("lane", "sub_lane") else []
    districts = _districts_in_order([group for group, _ in merged], names, near)
    ordered = sorted(merged, key=lambda pair: (districts.index(_district(pair[0], names)), *_by_number(pair[0])))
    found = [_line(group, where, begun) for group, where in ordered]
    return [
        Suggestion(
            what="address",
            id=group.id,
            label=label,
            where=where,
            lon=group.lon,
            lat=group.lat,
            uncertainty_m=radius,
            fit=fit,
            steps=ADDRESS_STEPS,
            said=said,
            order=order,
        )
        for order, (group, label, where, radius, fit, said) in enumerate([*filter(None, whole), *found][:MOST], 1)
    ]


def _beginning(text: str, names: Names) -> Beginning | None:
    parts = parse(text, names.gazetteer)
    if not parts.base:
        return None
    grows = bool(_GROWS.search(plain(text)))
    if parts.number:
        inside = parts.building or parts.unit or parts.floor or parts.room
        return Beginning(parts, "number", grows and not inside)
    if parts.building:
        return Beginning(parts, "building", grows and not (parts.unit or parts.floor or parts.room))
    if parts.sub_lane:
        return Beginning(parts, "sub_lane", False)
    return Beginning(parts, "lane", False) if parts.lane else None


_Line = tuple[Group, str, str, float, Fit, str]


def _line(group: Group, where: str, begun: Beginning) -> _Line:
    asked = door_label(
        begun.parts.base, group.lane, group.sub_lane, group.number, group.suffix, "" if group.number else group.building
    )
    label = group.label
    whole = not begun.grows and begun.last in ("number", "building")
    said = ""
    if label != asked:
        said = f"原{asked}" if group.alias != AliasKind.SPELLING else f"又写作{asked}"
    return group, label, where, _radius(group), Fit.WHOLE if whole else Fit.BEGINS, said


def _the_lane(begun: Beginning, groups: Sequence[Group], names: Names) -> _Line | None:
    """Return the lane itself, in the middle of all its doors."""
    own = [group for group in groups if not group.alias]
    if not own:
        return None
    middle = _joined(own)._replace(now_number="", now_suffix="", now_building="", number="", suffix="", building="")
    if begun.last == "lane":
        middle = middle._replace(now_sub_lane="", sub_lane="")
    return middle, middle.label, _where(middle, names), _radius(middle), Fit.WHOLE, ""


def _merged(groups: Iterable[Group], names: Names) -> list[tuple[Group, str]]:
    """Return each door and lane once for every street it lies in, with that street: committees are too fine to tell."""
    by_place: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in groups:
        by_place[group.label, _where(group, names)].append(group)
    return [(_joined(same), where) for (_, where), same in by_place.items()]


def _joined(groups: Sequence[Group]) -> Group:
    total = sum(group.doors for group in groups)
    lon = sum(group.lon * group.doors for group in groups) / total
    lat = sum(group.lat * group.doors for group in groups) / total
    first = min(groups, key=lambda group: group.id)
    reach = max(group.reach_deg / 2 + max(abs(group.lon - lon), abs(group.lat - lat)) for group in groups) * 2
    return first._replace(
        lon=lon,
        lat=lat,
        doors=total,
        reach_deg=reach if total > 1 else 0.0,
        uncertainty_m=max(group.uncertainty_m for group in groups),
    )


def _radius(group: Group) -> float:
    if group.number or group.building:
        return group.uncertainty_m
    return max(LEAST_LANE_M, group.uncertainty_m, 0.5 * group.reach_deg * _DEGREE_M)


def _districts_in_order(groups: Iterable[Group], names: Names, near: tuple[float, float] | None) -> list[str]:
    """Return the districts that groups lie in: the nearest first, or without a point the one with most addresses."""
    by_district: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        by_district[_district(group, names)].append(group)

    def place(district: str) -> float:
        own = by_district[district]
        if near is None:
            return -sum(group.doors for group in own)
        return min(math.hypot(group.lon - near[0], group.lat - near[1]) for group in own)

    return sorted(by_district, key=lambda district: (place(district), district))


def _district(group: Group, names: Names) -> str:
    region = names.region(group.region_id)
    district = names.above(region, Level.DISTRICT) if region else None
    return district.name if district else ""


def _where(group: Group, names: Names) -> str:
    region = names.region(group.region_id)
    if region is None:
        return ""
    street = names.above(region, Level.STREET)
    return (street or region).full_name


def _by_number(group: Group) -> tuple[int | str, ...]:
    """Return the order of doors and lanes: by figure and not by sign, 2号 before 10号, and 10号 before 10弄."""
    order: list[int | str] = []
    for figure, sign in ((group.lane, 1), (group.sub_lane, 1), (group.number or group.building, 0)):
        digits = re.match(r"\d*", figure)
        order += [int(digits[0]) if digits and digits[0] else 10**9 if figure else -1, sign if figure else 0, figure]
    if not group.lane:
        # A door of the road itself takes the place its number has among the lanes.
        order = [*order[6:9], *order[0:6]]
    return (*order, group.suffix, group.id)


def _groups(begun: Beginning, published: Published, among: Collection[int] | None) -> list[Group]:
    parts = begun.parts
    conditions, values = ["road = %(road)s"], {"road": parts.base}
    deepest = _shown_depth(begun)
    for figure in ("lane", "sub_lane"):
        if getattr(parts, figure):
            conditions.append(f"{figure} = %({figure})s")
            values[figure] = getattr(parts, figure)
    if begun.last in ("number", "building"):
        values["figure"] = getattr(parts, begun.last)
        conditions.append(_figure_condition(begun))
    if parts.suffix and begun.last == "number":
        conditions.append("starts_with(suffix, %(suffix)s)")
        values["suffix"] = parts.suffix
    if among is not None:
        conditions.append("region_id = ANY(%(among)s)")
    shown = {name: deepest.get(name, name) for name in ("lane", "sub_lane", "number", "suffix", "building")}
    sql = _GROUPS.format(
        where=" AND ".join(conditions),
        asked=", ".join(f"{shown[name]} AS {name}" for name in shown),
        now=", ".join(f"{_now(shown[name])} AS now_{name}" for name in shown),
    )
    parameters: dict[str, Any] = {
        **values,
        "sources": list(published.ids(Family.ADDRESSES)),
        "today": timezone.localdate(),
        "among": list(among or ()),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Group(*row) for row in cursor.fetchall()]


def _figure_condition(begun: Beginning) -> str:
    if not begun.grows:
        beside = " AND lane = ''" if not begun.parts.lane else " AND sub_lane = ''" if not begun.parts.sub_lane else ""
        return f"{begun.last} = %(figure)s{beside}"
    own = "starts_with({0}, %(figure)s)"
    if begun.last == "building":
        return own.format("building")
    door = f"({own.format('number')} OR number = '' AND {own.format('building')})"
    if not begun.parts.lane:
        return f"({own.format('lane')} OR lane = '' AND {door})"
    if not begun.parts.sub_lane:
        return f"({own.format('sub_lane')} OR sub_lane = '' AND {door})"
    return door


def _shown_depth(begun: Beginning) -> dict[str, str]:
    """Return what is shown instead of deeper figures: a lane is offered as one, not as its hundred doors."""
    within = {"building": "CASE WHEN number = '' THEN building ELSE '' END"}
    outer = "lane" if not begun.parts.lane else "sub_lane" if not begun.parts.sub_lane else ""
    if not outer:
        return within
    hidden = {
        name: f"CASE WHEN {outer} = '' THEN {within.get(name, name)} ELSE '' END"
        for name in ("number", "suffix", "building")
    }
    return hidden | ({"sub_lane": "''"} if outer == "lane" else {})


def _now(expression: str) -> str:
    """Return the same expression over what the address is now instead of what it was asked for."""
    return re.sub(r"\b(lane|sub_lane|number|suffix|building)\b", r"now_\1", expression)


_GROUPS: Final = """
    WITH doors AS (
        SELECT a.id, a.road, a.lane, a.sub_lane, a.number, a.suffix, a.building, a.road AS now_road, a.lane AS now_lane,
            a.sub_lane AS now_sub_lane, a.number AS now_number, a.suffix AS now_suffix, a.building AS now_building,
            '' AS alias, a.region_id, ST_X(a.geom) AS lon, ST_Y(a.geom) AS lat, a.uncertainty_m
        FROM addresses_address a
        WHERE a.road = %(road)s AND a.retired_at IS NULL AND a.source_id = ANY(%(sources)s)
        UNION ALL
        SELECT a.id, l.road, l.lane, l.sub_lane, l.number, l.suffix, l.building, a.road, a.lane, a.sub_lane, a.number,
            a.suffix, a.building, l.kind, a.region_id, ST_X(a.geom), ST_Y(a.geom), a.uncertainty_m
        FROM addresses_addressalias l JOIN addresses_address a ON a.id = l.address_id
        WHERE l.road = %(road)s AND a.retired_at IS NULL AND a.source_id = ANY(%(sources)s)
            AND (l.from_day IS NULL OR l.from_day <= %(today)s)
    ), shown AS (
        SELECT id, {asked}, now_road, {now}, alias, region_id, lon, lat, uncertainty_m FROM doors WHERE {where}
    )
    SELECT lane, sub_lane, number, suffix, building, now_road, now_lane, now_sub_lane, now_number, now_suffix, now_building,
        alias, region_id, min(id), avg(lon), avg(lat), max(uncertainty_m),
        greatest(max(lon) - min(lon), max(lat) - min(lat)), count(*)
    FROM shown
    GROUP BY lane, sub_lane, number, suffix, building, now_road, now_lane, now_sub_lane, now_number, now_suffix, now_building,
        alias, region_id"""
