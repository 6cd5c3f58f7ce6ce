"""The questions that geocoding puts to the database, each for many addresses at once.

Rows come and are added up in the order of their ids, never in that of a plan: an address has the same place to the last bit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db import connection
from django.utils import timezone

from geo.addresses.gazetteer import Names, Published
from geo.addresses.parsing import read
from geo.imports.models import Family
from geo.names import plain, query_grams
from geo.regions.models import EditionState, Level, RegionVersion
from geo.roads.actions import Sighting
from geo.roads.models import RoadName

EARTH_M: Final = 6371008.8
LEAST_LANE_M: Final = 40.0
LEAST_COMMUNITY_M: Final = 80.0
SAME_NAME_M: Final = 5000.0
"""A door within this distance that bears the name of an alias is what the name means."""
UNMAPPED_M: Final = 1200.0
"""How far a road of which one address is known may run from there."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A point in CGCS2000 degrees with its region and source."""

    lon: float
    lat: float
    region_id: int | None
    source_id: int


@dataclass(frozen=True, slots=True)
class Door(Placed):
    """One address on record."""

    id: int
    road: str
    lane: str
    sub_lane: str
    number: str
    suffix: str
    building: str
    unit: str
    floor: str
    room: str
    label: str
    uncertainty_m: float


@dataclass(frozen=True, slots=True)
class Around(Placed):
    """Something with an extent: a lane or a community, and the radius that holds nine tenths of it."""

    name: str
    radius_m: float


@dataclass(frozen=True, slots=True)
class Numbered(Placed):
    """A house number or a lane number of a road, and the radius its points state."""

    number: int
    uncertainty_m: float
    lane: bool


@dataclass(frozen=True, slots=True)
class Road(Placed):
    """A named road in one district."""

    length_m: float
    mapped: bool


@dataclass(frozen=True, slots=True)
class Label:
    """Where a region is written on the map."""

    region_id: int
    lon: float
    lat: float
    area_m2: float
    source: str


Row = TypeVar("Row", bound=Placed)


class Lookups:
    """Reads of one edition of the published data. Nothing is kept beyond one use."""

    def __init__(self, published: Published, roads: Collection[str] = ()) -> None:
        """Read what is ``published``; ``roads`` are those whose districts may be asked for, all in one question."""
        self._published = published
        self._roads = frozenset(roads)
        self._districts: dict[str, frozenset[int]] = {}

    def doors(self, wanted: Collection[tuple[str, str, str]]) -> dict[tuple[str, str, str], list[Door]]:
        """Return the addresses with these (road, lane, number), and those that answer to them as an alias.

        An alias has the parts that were asked for and the label of the address it leads to; a door near by that really bears
        the name comes before it.
        """
        found: dict[tuple[str, str, str], list[Door]] = defaultdict(list)
        columns, sources = _columns(wanted, 3), list(self._published.ids(Family.ADDRESSES))
        alias = [*columns, sources, timezone.localdate(), sources, SAME_NAME_M]
        rows = self._rows(_DOORS, [*columns, sources, *alias])
        for row in rows:
            door = Door(*row)
            found[door.road, door.lane, door.number].append(door)
        return found

    def lanes(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Around]]:
        """Return where these lanes (road, lane) lie, by their doors: one for each district that has such a lane."""
        found: dict[tuple[str, str], list[Around]] = defaultdict(list)
        rows = self._rows(
            """SELECT w.road, w.lane, avg(ST_X(a.geom) ORDER BY a.id), avg(ST_Y(a.geom) ORDER BY a.id),
                      min(a.region_id), min(a.source_id), max(a.uncertainty_m),
                      ST_Length(ST_BoundingDiagonal(ST_Extent(a.geom)::geometry)::geography)
               FROM unnest(%s::text[], %s::text[]) AS w(road, lane)
               JOIN addresses_address a ON a.road = w.road AND a.lane = w.lane
               LEFT JOIN regions_regionversion v ON v.region_id = a.region_id
                    AND v.edition_id = (SELECT id FROM regions_edition WHERE state = 'published')
               WHERE a.retired_at IS NULL AND a.source_id = ANY(%s)
               GROUP BY w.road, w.lane, split_part(v.path, '.', 2) ORDER BY min(a.id)""",
            [*_columns(wanted, 2), list(self._published.ids(Family.ADDRESSES))],
        )
        for road, lane, lon, lat, region_id, source_id, uncertainty_m, diagonal_m in rows:
            radius = max(LEAST_LANE_M, uncertainty_m, 0.5 * float(diagonal_m or 0.0))
            found[road, lane].append(Around(lon, lat, region_id, source_id, f"{road}{lane}弄", radius))
        return found

    def communities_of_lanes(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Around]]:
        """Return the communities whose written address holds these lanes (road, lane)."""
        found: dict[tuple[str, str], list[Around]] = defaultdict(list)
        if not wanted:
            return found
        rows = self._rows(
            f"""SELECT {_COMMUNITY}, c.address_text
                FROM unnest(%s::text[]) AS w(pattern) CROSS JOIN LATERAL (
                    SELECT * FROM addresses_community WHERE address_text LIKE w.pattern AND retired_at IS NULL
                ) c WHERE c.source_id = ANY(%s) ORDER BY c.id""",
            [
                [f"%{_like(road)}{_like(lane)}弄%" for road, lane in sorted(wanted)],
                list(self._published.ids(Family.COMMUNITIES)),
            ],
        )
        for *columns, text in rows:
            site = _around(columns)
            for reading in read(text).addresses:
                base, own = reading.parts.base, reading.parts.lane
                for road, lane in wanted:
                    if own == lane and (base == road or base.endswith(road)):
                        found[road, lane].append(site)
        return {key: list(dict.fromkeys(sites)) for key, sites in found.items()}

    def numbers_of_lanes(self, wanted: Collection[tuple[str, str, str]]) -> dict[tuple[str, str, str], list[Numbered]]:
        """Return the numbers known in these lanes (road, lane, sub-lane), each once for every district, with their mean point."""
        found: dict[tuple[str, str, str], list[Numbered]] = defaultdict(list)
        rows = self._rows(
            """SELECT w.road, w.lane, w.sub_lane, avg(ST_X(a.geom) ORDER BY a.id), avg(ST_Y(a.geom) ORDER BY a.id),
                      min(a.region_id), min(a.source_id),
                      a.number::int, max(a.uncertainty_m), false
               FROM unnest(%s::text[], %s::text[], %s::text[]) AS w(road, lane, sub_lane)
               JOIN addresses_address a ON a.road = w.road AND a.lane = w.lane AND a.sub_lane = w.sub_lane
               LEFT JOIN regions_regionversion v ON v.region_id = a.region_id
                    AND v.edition_id = (SELECT id FROM regions_edition WHERE state = 'published')
               WHERE a.number ~ '^[0-9]{1,6}$' AND a.retired_at IS NULL AND a.source_id = ANY(%s)
               GROUP BY w.road, w.lane, w.sub_lane, split_part(v.path, '.', 2), 8 ORDER BY 8, min(a.id)""",
            [*_columns(wanted, 3), list(self._published.ids(Family.ADDRESSES))],
        )
        for road, lane, sub_lane, *columns in rows:
            found[road, lane, sub_lane].append(Numbered(*columns))
        return found

    def numbers_of_roads(self, roads: Collection[str]) -> dict[str, list[Numbered]]:
        """Return the house and lane numbers known of these roads, each once for every district, with their mean point."""
        found: dict[str, list[Numbered]] = defaultdict(list)
        rows = self._rows(
            """SELECT a.road, avg(ST_X(a.geom) ORDER BY a.id), avg(ST_Y(a.geom) ORDER BY a.id),
                      min(a.region_id), min(a.source_id),
                      (CASE WHEN a.lane <> '' THEN a.lane ELSE a.number END)::int, max(a.uncertainty_m), bool_or(a.lane <> '')
               FROM addresses_address a
               LEFT JOIN regions_regionversion v ON v.region_id = a.region_id
                    AND v.edition_id = (SELECT id FROM regions_edition WHERE state = 'published')
               WHERE a.road = ANY(%s) AND a.retired_at IS NULL AND a.source_id = ANY(%s)
                    AND (CASE WHEN a.lane <> '' THEN a.lane ELSE a.number END) ~ '^[0-9]{1,6}$'
               GROUP BY a.road, split_part(v.path, '.', 2), 6 ORDER BY 6, min(a.id)""",
            [list(roads), list(self._published.ids(Family.ADDRESSES))],
        )
        for road, *columns in rows:
            found[road].append(Numbered(*columns))
        return found

    def runs_of_roads(self, roads: Collection[str]) -> dict[str, list[Placed]]:
        """Return the points at which roads of these names are known to run."""
        found: dict[str, list[Placed]] = defaultdict(list)
        rows = self._rows(
            """SELECT name, ST_X(geom), ST_Y(geom), NULL, source_id FROM roads_roadpoint
               WHERE name = ANY(%s) AND source_id = ANY(%s) ORDER BY source_id, id""",
            [list(roads), list(self._published.ids(Family.FACILITIES))],
        )
        for road, *columns in rows:
            found[road].append(Placed(*columns))
        return found

    def communities(self, names: Collection[str]) -> dict[str, list[Around]]:
        """Return the communities with these names or aliases; for a name nobody has, the few that hold all its characters."""
        exact = self._rows(
            f"SELECT {_COMMUNITY}, w.name FROM unnest(%s::text[]) AS w(name)"
            " JOIN addresses_community c ON c.name = w.name OR c.aliases @> ARRAY[w.name]::varchar(120)[]"
            " WHERE c.retired_at IS NULL AND c.source_id = ANY(%s) ORDER BY c.id",
            [list(names), list(self._published.ids(Family.COMMUNITIES))],
        )
        found: dict[str, list[Around]] = defaultdict(list)
        for *columns, name in exact:
            found[name].append(_around(columns))
        self._add_like_named([name for name in names if name not in found], found)
        return found

    def _add_like_named(self, names: Collection[str], found: dict[str, list[Around]]) -> None:
        """Add the communities whose name begins or ends with a written one: for each the five with the shortest names."""
        long_enough = [name for name in names if len(plain(name)) >= 3]
        rows = self._rows(
            f"""SELECT {_COMMUNITY}, w.name
                FROM unnest(%s::text[], %s::text[]) AS w(name, pieces) CROSS JOIN LATERAL (
                    SELECT * FROM addresses_community
                    WHERE grams @> string_to_array(w.pieces, ' ')::varchar(24)[] AND retired_at IS NULL
                    ORDER BY length(name), name, id LIMIT 40
                ) c WHERE c.source_id = ANY(%s) ORDER BY length(c.name), c.name, c.id""",
            [
                long_enough,
                [" ".join(query_grams(name)) for name in long_enough],
                list(self._published.ids(Family.COMMUNITIES)),
            ],
        )
        for *columns, name in rows:
            site, written = _around(columns), plain(name)
            known = plain(site.name)
            if (known.startswith(written) or known.endswith(written)) and len(found[name]) < 5:
                found[name].append(site)

    def roads(self, names: Collection[str]) -> dict[str, list[Road]]:
        """Return the roads with these names, one for each district they run through."""
        found: dict[str, list[Road]] = defaultdict(list)
        sources = self._published.ids(Family.ROADS)
        rows = RoadName.objects.filter(name__in=names).order_by("-length_m", "id")
        source = sources[0] if sources else 0
        for name, geom, region_id, length_m, mapped in rows.values_list(*_ROAD):
            found[name].append(Road(geom.x, geom.y, region_id, source, length_m, mapped))
        return found

    def districts_of_road(self, road: str, names: Names) -> frozenset[int]:
        """Return the ids of the districts a road runs through, as far as is known."""
        if road not in self._districts:
            wanted = {road, *self._roads} - self._districts.keys()
            found = self.roads(wanted)
            for name in wanted:
                regions = [names.region(row.region_id) for row in found.get(name, [])]
                above = [names.above(region, Level.DISTRICT) for region in regions if region]
                self._districts[name] = frozenset(district.id for district in above if district)
        return self._districts[road]

    def labels(self, region_ids: Iterable[int]) -> list[Label]:
        """Return where these regions are written, in the published edition."""
        rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region_id__in=list(region_ids))
        return [
            Label(region_id, label.x, label.y, area, source)
            for region_id, label, area, source in rows.order_by("code").values_list(
                "region_id", "label", "area_m2", "edition__source__title"
            )
        ]

    def _rows(self, sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def roads_of_addresses() -> list[Sighting]:
    """Return the roads that current addresses name, district by district.

    The point is the address nearest to the middle of them all. Few addresses say little about how far the road runs on.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ROADS_OF_ADDRESSES)
        return [
            Sighting(name, region_id, provenance, lon, lat, max(UNMAPPED_M / min(doors, 4), spread_m))
            for name, region_id, provenance, lon, lat, spread_m, doors in cursor.fetchall()
        ]


# NOT IN is looked up by hashing whatever the planner believes of tables that were filled a moment ago; an anti-join is not.
_ROADS_OF_ADDRESSES: Final = """
    WITH doors AS MATERIALIZED (
        SELECT a.id, a.road, d.region_id, s.provenance, a.geom
        FROM addresses_address a
        JOIN imports_source s ON s.id = a.source_id AND s.published_at IS NOT NULL AND s.retired_at IS NULL
        JOIN regions_edition e ON e.state = 'published'
        JOIN regions_regionversion v ON v.edition_id = e.id AND v.region_id = a.region_id
        JOIN regions_regionversion d ON d.edition_id = e.id AND d.level = 'district' AND d.code = split_part(v.path, '.', 2)
        WHERE a.retired_at IS NULL AND a.road ~ '[路街道]$'
          AND (a.road, d.region_id) NOT IN
              (SELECT name, region_id FROM roads_roadname WHERE mapped AND region_id IS NOT NULL)
    ), middles AS (
        SELECT *, avg(ST_X(geom)) OVER road_here AS lon, avg(ST_Y(geom)) OVER road_here AS lat
        FROM doors WINDOW road_here AS (PARTITION BY road, region_id, provenance ORDER BY id
                                        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ), apart AS (
        SELECT *, ST_Distance(geom::geography, ST_SetSRID(ST_Point(lon, lat), ST_SRID(geom))::geography) AS metres
        FROM middles
    )
    SELECT road, region_id, provenance, (array_agg(ST_X(geom) ORDER BY metres, id))[1],
           (array_agg(ST_Y(geom) ORDER BY metres, id))[1], max(metres), count(*)::int
    FROM apart GROUP BY road, region_id, provenance ORDER BY road, region_id, provenance"""

_DOORS: Final = """
    SELECT ST_X(a.geom), ST_Y(a.geom), a.region_id, a.source_id, a.id, a.road, a.lane, a.sub_lane, a.number,
           a.suffix, a.building, a.unit, a.floor, a.room, a.normal, a.uncertainty_m
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS w(road, lane, number)
    JOIN addresses_address a ON a.road = w.road AND a.lane = w.lane AND a.number = w.number
    WHERE a.retired_at IS NULL AND a.source_id = ANY(%s)
    UNION ALL
    SELECT ST_X(a.geom), ST_Y(a.geom), a.region_id, a.source_id, a.id, l.road, l.lane, l.sub_lane, l.number,
           l.suffix, l.building, l.unit, l.floor, l.room, a.normal, a.uncertainty_m
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS w(road, lane, number)
    JOIN addresses_addressalias l ON l.road = w.road AND l.lane = w.lane AND l.number = w.number
    JOIN addresses_address a ON a.id = l.address_id
    WHERE a.retired_at IS NULL AND a.source_id = ANY(%s) AND (l.from_day IS NULL OR l.from_day <= %s)
      AND NOT EXISTS (SELECT 1 FROM addresses_address b
                      WHERE b.normal = l.normal AND b.retired_at IS NULL AND b.source_id = ANY(%s)
                        AND ST_DistanceSphere(b.geom, a.geom) < %s)
    ORDER BY 5"""
_ROAD: Final = ("name", "geom", "region_id", "length_m", "mapped")
_COMMUNITY: Final = (
    "ST_X(c.geom), ST_Y(c.geom), c.region_id, c.source_id, c.name, c.uncertainty_m,"
    " coalesce(ST_Length(ST_BoundingDiagonal(c.boundary)::geography), 0)"
)


def _around(columns: list[Any]) -> Around:
    lon, lat, region_id, source_id, name, uncertainty_m, diagonal_m = columns
    return Around(lon, lat, region_id, source_id, name, max(LEAST_COMMUNITY_M, uncertainty_m, 0.5 * float(diagonal_m)))


def metres_between(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Return the metres between two points within a city, on the sphere: good to half a per cent."""
    across = math.radians(other_lon - lon) * math.cos(math.radians((lat + other_lat) / 2))
    return EARTH_M * math.hypot(across, math.radians(other_lat - lat))


def _columns(wanted: Collection[tuple[str, ...]], width: int) -> list[list[str]]:
    rows = sorted(wanted)
    return [[row[column] for row in rows] for column in range(width)]


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
