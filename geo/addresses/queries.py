"""Reads of addresses: suggestions while somebody types, and what is at a point."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from django.contrib.gis.geos import Point, Polygon
from django.db.models import Q, QuerySet

from geo.addresses.distances import SPHERE_SLACK, ellipsoid_metres, sphere_metres
from geo.addresses.gazetteer import NamedRegion, Names, Published, names_of, published_now
from geo.addresses.geocode import Candidate
from geo.addresses.lookups import metres_between
from geo.addresses.models import Address, Community
from geo.addresses.parsing import normal_form, parse
from geo.crs.codes import CGCS2000
from geo.errors import BadInput
from geo.imports.models import CURRENT, Family
from geo.names import plain, query_grams
from geo.regions.models import Level
from geo.regions.queries import regions_at
from geo.roads.models import RoadName, RoadSegment
from geo.scope import Scope

What = Literal["community", "road", "address"]
LONGEST_QUERY: Final = 200
LOOKED_AT: Final = 60
"""Rows of each sort that are ranked; a name that many share is then told apart by nearness among these."""
DOOR_WITHIN_M: Final = 150.0
COMMUNITY_WITHIN_M: Final = 500.0
ROAD_WITHIN_M: Final = 300.0
ROADS_LOOKED_AT: Final = 12
SAME_M: Final = 300.0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something a text may mean: ``label`` is what it is called, ``where`` the district and street it lies in.

    ``fit`` says how well the name matches: 0 equal, 1 begins with it, 2 holds it, 3 holds its pieces or sounds like it.
    """

    what: str
    id: int
    label: str
    where: str
    lon: float
    lat: float
    uncertainty_m: float
    fit: int
    weight: int = 0
    metres: float | None = None

    @property
    def rank(self) -> tuple[int, int, int, float, int, str, int]:
        """Return the order of suggestions: fit, importance, nearness in doublings, then the shorter name."""
        nearness = 0 if self.metres is None else int(math.log2(max(self.metres, 250.0) / 250.0))
        return self.fit, self.weight, nearness, self.metres or 0.0, len(self.label), self.label, self.id


def suggest(q: str, *, scope: Scope, near: tuple[float, float] | None = None, limit: int = 10) -> list[Suggestion]:
    """Return the communities, roads and addresses a text may mean, best first; ``near`` (lon, lat) prefers what is close.

    Characters, whole pinyin and initials all find a name. Addresses are public: every scope gets the same answer. Raises
    ``BadInput`` beyond 200 characters; a text with nothing to search for gives nothing.
    """
    if len(q) > LONGEST_QUERY:
        raise BadInput(
            "query_too_long", f"搜索内容最多 {LONGEST_QUERY} 个字，请只写名称或地址。", parameter="q", length=len(q)
        )
    published = published_now()
    names = names_of(published)
    asked = asked_in(q, names)
    pieces = query_grams(asked.words)
    if not pieces:
        return []
    found = [
        *_communities(asked, pieces, published, names),
        *_roads(asked, pieces, names),
        *_addresses(q, published, names),
    ]
    if not found and asked.regions is not None:
        # The region may be the wrong one; each answer says where it lies.
        return suggest(asked.words, scope=scope, near=near, limit=limit)
    return best(found, near, limit)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, apart from the city, district and street it began with: 杨浦区国权路 asks for 国权路 there."""

    words: str
    regions: tuple[int, ...] | None = None
    """The ids of the region that was named and of all above and below it; ``None`` for no region."""

    def among(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that lie where it was asked for."""
        return rows if self.regions is None else rows.filter(region__in=self.regions)


def asked_in(q: str, names: Names) -> Asked:
    """Return what was typed apart from the regions it begins with; the name of a region alone stays what is looked for."""
    words, path = plain(q), ""
    for city in ("上海市", "上海"):
        words = words.removeprefix(city) or words
    for level in (Level.DISTRICT, Level.STREET):
        begun = [
            region
            for region in names.regions.values()
            if region.level == level and words.startswith(region.name) and region.path.startswith(path)
        ]
        longest = max(begun, key=lambda region: len(region.name), default=None)
        if longest is not None and len(words) > len(longest.name):
            words, path = words[len(longest.name) :], longest.path
    if not path:
        return Asked(q)
    related = (region for region in names.regions.values() if region.level != Level.CITY)
    return Asked(
        words, tuple(region.id for region in related if region.path.startswith(path) or path.startswith(region.path))
    )


def best(found: Iterable[Suggestion], near: tuple[float, float] | None, limit: int) -> list[Suggestion]:
    """Return the first ``limit`` suggestions by rank, with their metres from ``near`` filled in.

    What reads the same and stands within ``SAME_M``, like the stops on both sides of a street, is offered once.
    """
    if near is not None:
        found = [replace(item, metres=metres_between(*near, item.lon, item.lat)) for item in found]
    chosen: list[Suggestion] = []
    alike: dict[tuple[str, str, str], list[Suggestion]] = defaultdict(list)
    for item in sorted(found, key=lambda suggestion: suggestion.rank):
        offered = alike[item.what, item.label, item.where]
        if any(metres_between(item.lon, item.lat, other.lon, other.lat) < SAME_M for other in offered):
            continue
        offered.append(item)
        chosen.append(item)
        if len(chosen) == limit:
            break
    return chosen


def fit_of(name: str, typed: str) -> int:
    """Return how well a name fits what was typed: 0 equal, 1 begins with it, 2 holds it, 3 otherwise."""
    if name == typed:
        return 0
    if name.startswith(typed):
        return 1
    return 2 if typed in name else 3


def where_of(region: NamedRegion | None, names: Names) -> str:
    """Return the district and street a region lies in, as people write them."""
    if region is None:
        return ""
    street = names.above(region, Level.STREET)
    return (street or region).full_name


def _communities(asked: Asked, pieces: Sequence[str], published: Published, names: Names) -> list[Suggestion]:
    rows = Community.objects.filter(CURRENT, grams__contains=pieces, source__in=published.ids(Family.COMMUNITIES))
    typed = plain(asked.words)
    found = []
    for row in (
        asked.among(rows)
        .order_by("name", "id")
        .values("id", "name", "aliases", "geom", "uncertainty_m", "region_id")[:LOOKED_AT]
    ):
        fit = min(fit_of(plain(name), typed) for name in (row["name"], *row["aliases"]))
        where = where_of(names.region(row["region_id"]), names)
        found.append(
            Suggestion(
                "community", row["id"], row["name"], where, row["geom"].x, row["geom"].y, row["uncertainty_m"], fit
            )
        )
    return found


def _roads(asked: Asked, pieces: Sequence[str], names: Names) -> list[Suggestion]:
    rows = RoadName.objects.filter(grams__contains=pieces).order_by("-length_m", "id")
    typed = plain(asked.words)
    found = []
    columns = ("id", "name", "geom", "length_m", "region_id")
    for road_id, name, geom, length_m, region_id in asked.among(rows).values_list(*columns)[:LOOKED_AT]:
        where = where_of(names.region(region_id), names)
        fit = fit_of(plain(name), typed)
        found.append(Suggestion("road", road_id, name, where, geom.x, geom.y, max(100.0, length_m / 2), fit))
    return found


def _addresses(q: str, published: Published, names: Names) -> list[Suggestion]:
    """Return the doors and lanes that begin with the written road and number; one for each door, not one for each room."""
    parts = parse(q, names.gazetteer)
    if not parts.base or not (parts.lane or parts.number):
        return []
    beginning = normal_form(parts)
    # The last figure may still be growing: 国权路10 is the beginning of 国权路100弄.
    if not plain(q).endswith(("号", "弄", "室", "幢", "层", "单元")):
        beginning = beginning.removesuffix("号").removesuffix("室")
    rows = Address.objects.filter(CURRENT, normal__startswith=beginning, source__in=published.ids(Family.ADDRESSES))
    columns = ("id", "road", "lane", "sub_lane", "number", "suffix", "normal", "geom", "uncertainty_m", "region_id")
    found: dict[tuple[Any, ...], Suggestion] = {}
    for row in rows.order_by("normal", "id").values(*columns)[: LOOKED_AT * 5]:
        region = names.region(row["region_id"])
        where = where_of(region, names)
        if parts.district and region is not None and not region.full_name.startswith(parts.district):
            continue
        lane_only = bool(row["lane"]) and not parts.number and not beginning.endswith("弄")
        label = f"{row['road']}{row['lane']}弄" if lane_only else _door_label(row)
        fit = 0 if row["normal"] == beginning or label == beginning else 1
        geom = row["geom"]
        suggestion = Suggestion("address", row["id"], label, where, geom.x, geom.y, row["uncertainty_m"], fit)
        found.setdefault((label, where), suggestion)
    return list(found.values())[:LOOKED_AT]


def _door_label(row: dict[str, Any]) -> str:
    lane = f"{row['lane']}弄" if row["lane"] else ""
    sub_lane = f"{row['sub_lane']}支弄" if row["sub_lane"] else ""
    number = f"{row['number']}号{row['suffix']}" if row["number"] else ""
    return f"{row['road']}{lane}{sub_lane}{number}"


def reverse(lon: float, lat: float, *, scope: Scope) -> list[Candidate]:
    """Return what is at a point (CGCS2000 degrees), nearest sort first: a door, a community, a road, the region.

    Each candidate says in ``metres`` how far it is from the point. Empty where nothing is known, as at sea.
    """
    published = published_now()
    names = names_of(published)
    found = [
        *_nearest_door(lon, lat, published, names),
        *_community_at(lon, lat, published, names),
        *_road_at(lon, lat, published, names),
    ]
    versions = regions_at(lon, lat, scope=scope)
    region = names.region(versions[-1].region_id) if versions else None
    if region is not None and versions:
        last = versions[-1]
        source = last.edition.source_id
        radius = round(0.95 * math.sqrt(last.area_m2 / math.pi))
        label = published.sources.get(source, "")
        found.append(
            Candidate(region.full_name, region.level, last.label.x, last.label.y, radius, region, label, metres=0.0)
        )
    return found


def _nearest_door(lon: float, lat: float, published: Published, names: Names) -> list[Candidate]:
    rows = Address.objects.filter(CURRENT, source__in=published.ids(Family.ADDRESSES))
    row = _nearest(rows, lon, lat, ("id", "road", "lane", "sub_lane", "number", "suffix"))
    if row is None or row["metres"] > DOOR_WITHIN_M:
        return []
    return [_found("door", _door_label(row), row, published, names)]


def _community_at(lon: float, lat: float, published: Published, names: Names) -> list[Candidate]:
    """Return the community whose boundary holds the point, else the nearest one."""
    rows = Community.objects.filter(CURRENT, source__in=published.ids(Family.COMMUNITIES))
    point = Point(lon, lat, srid=CGCS2000)
    row = _nearest(rows.filter(boundary__covers=point), lon, lat, ("id", "name"))
    if row is not None:
        return [_found("community", row["name"], row | {"metres": 0.0}, published, names)]
    row = _nearest(rows, lon, lat, ("id", "name"))
    if row is None or row["metres"] > COMMUNITY_WITHIN_M:
        return []
    return [_found("community", row["name"], row, published, names)]


def _road_at(lon: float, lat: float, published: Published, names: Names) -> list[Candidate]:
    reach = ROAD_WITHIN_M / 111_000 / math.cos(math.radians(lat)) * SPHERE_SLACK
    box = Polygon.from_bbox((lon - reach, lat - reach, lon + reach, lat + reach))
    box.srid = CGCS2000
    sources = published.ids(Family.ROADS)
    rows = RoadSegment.objects.filter(CURRENT, ~Q(name=""), geom__bboverlaps=box, source__in=sources)
    rows = rows.annotate(metres=ellipsoid_metres(lon, lat)).order_by("metres", "id")
    row = rows.values("name", "metres", "source_id").first()
    if row is None or row["metres"] > ROAD_WITHIN_M:
        return []
    title = published.sources.get(row["source_id"], "")
    metres = round(row["metres"], 1)
    # The nearest point of the road is within its distance of the point asked about, which stands for it.
    return [Candidate(row["name"], "road", lon, lat, max(30.0, metres), None, title, metres=metres)]


def _nearest(rows: Any, lon: float, lat: float, columns: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the row nearest by metres. The index orders by the sphere, so the first few are measured exactly."""
    rows = rows.annotate(sphere=sphere_metres(lon, lat), metres=ellipsoid_metres(lon, lat)).order_by("sphere")
    few = list(rows.values(*columns, "geom", "uncertainty_m", "region_id", "source_id", "metres")[:8])
    return min(few, key=lambda row: (row["metres"], row["id"]), default=None)


def _found(level: str, label: str, row: dict[str, Any], published: Published, names: Names) -> Candidate:
    region = names.region(row["region_id"])
    district = names.above(region, Level.DISTRICT) if region else None
    full = f"{district.name}{label}" if district else label
    geom = row["geom"]
    source = published.sources.get(row["source_id"], "")
    return Candidate(full, level, geom.x, geom.y, row["uncertainty_m"], region, source, metres=round(row["metres"], 1))
