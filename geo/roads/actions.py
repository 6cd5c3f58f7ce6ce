"""Writes of roads: names for the search, closures, and what must follow when roads change."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.jobs.actions import start_job
from geo.jobs.registry import kinds
from geo.names import grams
from geo.regions.queries import published_edition, region_index
from geo.roads.models import Closure, RoadName, RoadPoint, RoadSegment
from geo.scope import Scope

log = logging.getLogger(__name__)
REBUILD_NAMES = "roads.rebuild_names"
REBUILD_GRAPH = "routing.rebuild_graph"
CLOSE = "roads.close"


NameRow = tuple[str, int | None, str, list[str], float, str, bool]
"""Name, district, provenance, grams, metres, point, mapped: the columns of ``_NAMES``."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A road that addresses name: the middle of those in one district (CGCS2000 degrees), and the radius that holds them."""

    name: str
    region_id: int | None
    provenance: str
    lon: float
    lat: float
    radius_m: float


def ask_for_graph() -> None:
    """Ask for a new road graph, where the package that builds it is installed."""
    if REBUILD_GRAPH in kinds():
        start_job(kind=REBUILD_GRAPH)


@transaction.atomic
def rebuild_names() -> int:
    """Make the names of mapped roads anew, one per name and district, and return how many there are.

    A name stands in the district where its segments have their middles; its point is the middle of the segment nearest to the
    middle of all of them, so it lies on the road.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NAMED)
        rows = cursor.fetchall()
    RoadName.objects.filter(mapped=True).delete()
    if not rows:
        return 0
    names, provenances, lengths, wkb = zip(*rows, strict=True)
    middles = shapely.line_interpolate_point(shapely.from_wkb([bytes(each) for each in wkb]), 0.5, normalized=True)
    lon, lat = shapely.get_x(middles), shapely.get_y(middles)
    made = _grouped(np.array(names), np.array(provenances), _districts(lon, lat), np.array(lengths), lon, lat)
    _write_names(made)
    _forget_now_mapped()
    log.info("road names rebuilt", extra={"names": len(made)})
    return len(made)


@transaction.atomic
def name_unmapped_roads(sightings: Sequence[Sighting]) -> int:
    """Put the roads that addresses name, and no segment of the district bears, in place of those known so far.

    Returns how many there are.
    """
    RoadName.objects.filter(mapped=False).delete()
    _write_names(
        [
            (
                each.name,
                each.region_id,
                each.provenance,
                grams(each.name),
                2 * each.radius_m,
                _hex(shapely.Point(each.lon, each.lat)),
                False,
            )
            for each in sightings
        ]
    )
    _forget_now_mapped()
    return RoadName.objects.filter(mapped=False).count()


@transaction.atomic
def replace_road_points(*, source_id: int, points: Collection[tuple[str, float, float]]) -> int:
    """Put these points of named roads (name, lon, lat in CGCS2000 degrees) in place of those a source told; return how many."""
    RoadPoint.objects.filter(source=source_id).delete()
    with connection.cursor() as cursor, cursor.copy(_POINTS) as copy:
        for name, lon, lat in points:
            copy.write_row((source_id, name, _hex(shapely.Point(lon, lat))))
    return len(points)


def _write_names(rows: Iterable[NameRow]) -> None:
    with connection.cursor() as cursor, cursor.copy(_NAMES) as copy:
        for row in rows:
            copy.write_row(row)


def _forget_now_mapped() -> None:
    """Drop the names known only by addresses where the road of that district has segments by now."""
    drawn = RoadName.objects.filter(mapped=True, name=OuterRef("name"), region=OuterRef("region"))
    RoadName.objects.filter(Exists(drawn), mapped=False).delete()


@transaction.atomic
def close_segment(
    *,
    scope: Scope,
    segment_id: int,
    from_time: datetime.datetime,
    to_time: datetime.datetime | None,
    reason: str,
) -> Closure:
    """Close a segment from one moment to another (open-ended without one); needs the duty ``roads.close``."""
    _check_duty(scope)
    if not reason.strip():
        raise BadInput("closure_reason", "请写明封闭的原因。")
    if to_time is not None and to_time <= from_time:
        raise BadInput("closure_times", "封闭的结束时间应晚于开始时间。")
    segment = RoadSegment.objects.filter(pk=segment_id, retired_at=None).first()
    if segment is None:
        raise NotFound("segment_unknown", "没有找到这段道路，可能已在新的导入中更换。")
    closure = Closure.objects.create(
        segment=segment, from_time=from_time, to_time=to_time, reason=reason.strip()[:200], actor=scope.actor
    )
    ask_for_graph()
    return closure


@transaction.atomic
def end_closure(*, scope: Scope, closure_id: int, at: datetime.datetime) -> Closure:
    """End a closure at a moment; needs the duty ``roads.close``. One that has ended cannot end again."""
    _check_duty(scope)
    closure = Closure.objects.select_for_update().filter(pk=closure_id).first()
    if closure is None:
        raise NotFound("closure_unknown", "没有找到这条封路记录。")
    if closure.to_time is not None and closure.to_time <= at:
        raise Conflict("closure_ended", "这条封路记录已经结束。")
    closure.to_time = max(at, closure.from_time)
    closure.save(update_fields=["to_time"])
    ask_for_graph()
    return closure


def _check_duty(scope: Scope) -> None:
    if not scope.holds(CLOSE):
        raise Forbidden("duty_missing", "您的账号没有封路的权限。需要的话可向上级管理员申请。", duty=CLOSE)


def _districts(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    edition = published_edition()
    if edition is None:
        return np.zeros(len(lon), dtype=np.int64)
    return region_index(edition, "district").at(lon, lat)


def _grouped(
    names: npt.NDArray[Any],
    provenances: npt.NDArray[Any],
    districts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.float64],
    lon: npt.NDArray[np.float64],
    lat: npt.NDArray[np.float64],
) -> list[NameRow]:
    """Return the rows of names, in the columns of ``_NAMES``."""
    order = np.lexsort((districts, provenances, names))
    names, provenances, districts = names[order], provenances[order], districts[order]
    lengths, lon, lat = lengths[order], lon[order], lat[order]
    differs = (names[1:] != names[:-1]) | (provenances[1:] != provenances[:-1]) | (districts[1:] != districts[:-1])
    first = np.concatenate(([0], np.flatnonzero(differs) + 1))
    group = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(names))))
    weight = np.maximum(lengths, 1e-6)
    whole = np.add.reduceat(weight, first)
    x, y = (np.add.reduceat(weight * at, first) / whole for at in (lon, lat))
    # degrees are narrower east to west by the cosine of the latitude
    off = ((lon - x[group]) * np.cos(np.radians(y[group]))) ** 2 + (lat - y[group]) ** 2
    middle = np.lexsort((off, group))[first]
    points = _hex(shapely.points(lon[middle], lat[middle]))
    return [
        (
            str(names[at]),
            int(districts[at]) or None,
            str(provenances[at]),
            grams(str(names[at])),
            float(length),
            point,
            True,
        )
        for at, length, point in zip(middle, np.add.reduceat(lengths, first), points, strict=True)
    ]


def _hex(points: Any) -> Any:
    return shapely.to_wkb(shapely.set_srid(points, CGCS2000), hex=True, include_srid=True)


_POINTS = f"COPY {RoadPoint._meta.db_table} (source_id, name, geom) FROM STDIN"
_NAMES = f"COPY {RoadName._meta.db_table} (name, region_id, provenance, grams, length_m, geom, mapped) FROM STDIN"

_NAMED = """
    SELECT s.name, o.provenance, s.length_m, ST_AsBinary(s.geom)
    FROM roads_roadsegment s
    JOIN imports_source o ON o.id = s.source_id AND o.published_at IS NOT NULL AND o.retired_at IS NULL
    WHERE s.retired_at IS NULL AND s.name <> ''
    ORDER BY s.id"""
