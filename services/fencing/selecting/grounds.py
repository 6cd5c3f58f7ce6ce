"""The ground that is marked: whole regions, fences, shapes, circles, what is reached in some minutes; everything together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
import shapely
from django.contrib.gis.geos import GEOSGeometry
from shapely.geometry.base import BaseGeometry

from geo.addresses.gazetteer import Names, names_of, published_now
from geo.crs import Coordinate
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, NotFound, TooLarge
from geo.fences.files.reading import judge_shape, read_drawn
from geo.fences.shapes import circle
from geo.geometry import from_plane, repair, to_plane
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from geo.scope import Scope
from services.fencing.isochrones import reached, told
from services.fencing.live import live_fences

MOST_REGIONS: Final = 300
MOST_FENCES: Final = 200
MOST_SHAPES: Final = 200
LEAST_RADIUS_M, MOST_RADIUS_M = 10.0, 20_000.0
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Round:
    """Everything within some metres of a position."""

    centre: Coordinate
    radius_m: float


@dataclass(frozen=True, slots=True)
class Reached:
    """What is reached from a position or a named place within some minutes by a way of travel."""

    mode: str
    minutes: int
    centre: Coordinate | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """What is marked: codes of regions, fences by identity, shapes in CGCS2000 degrees, circles, ground in reach."""

    regions: Sequence[str] = ()
    fences: Sequence[UUID] = ()
    shapes: Sequence[BaseGeometry] = ()
    circles: Sequence[Round] = ()
    reaches: Sequence[Reached] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Marked ground: whole regions, which hold what is assigned to them, and besides an area in metres of the city's plane.

    ``region_ids`` are the marked regions and all below them; ``shape`` is empty where only regions are marked.
    """

    parts: tuple[str, ...]
    region_ids: frozenset[int]
    codes: tuple[str, ...]
    shape: BaseGeometry

    @property
    def degrees(self) -> BaseGeometry:
        """Return the area besides the regions in CGCS2000 degrees."""
        return from_plane(self.shape, current_city())

    def whole(self) -> BaseGeometry:
        """Return all of it in metres, the boundaries of the regions included."""
        rows = RegionVersion.objects.filter(edition__state="published", code__in=self.codes).values_list(
            "geom", flat=True
        )
        boundaries = np.array([shapely.from_wkb(bytes(geom.wkb)) for geom in rows], dtype=object)
        return shapely.union_all([self.shape, *(to_plane(boundaries, current_city()) if len(boundaries) else ())])

    def holds(self, region_ids: Sequence[int | None], lon: npt.ArrayLike, lat: npt.ArrayLike) -> Booleans:
        """Say of each thing, by its region and its position (CGCS2000 degrees), whether it lies here, borders included."""
        inside = np.array([region in self.region_ids for region in region_ids], dtype=bool)
        if not self.shape.is_empty and len(inside):
            east, north = current_city().plane.project(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
            shapely.prepare(self.shape)
            inside |= shapely.intersects_xy(self.shape, east, north)
        return inside


def ground_of(marked: Marked, *, scope: Scope) -> Ground:
    """Return what is marked as one ground. Raises ``BadInput`` where nothing is, ``NotFound`` and ``TooLarge``."""
    readers: tuple[Callable[[], list[tuple[str, BaseGeometry]]], ...] = (
        lambda: _fences(marked.fences, scope),
        lambda: [("自定义图形", to_plane(repair(shape).geometry, current_city())) for shape in marked.shapes],
        lambda: [_circle(each) for each in marked.circles],
        lambda: [_reach(each, scope) for each in marked.reaches],
    )
    names = names_of(published_now())
    regions = _regions(marked.regions, names)
    shapes = [found for reader in readers for found in reader()]
    if not regions and not shapes:
        said = "请至少选一种范围：行政区划、围栏、自定义图形，或几分钟能到的范围。"
        raise BadInput("nothing_marked", said)
    called = [names.by_code[code].full_name or names.by_code[code].name for code in regions]
    return Ground(
        parts=(*called, *(name for name, _ in shapes)),
        region_ids=_ids_under([names.by_code[code].path for code in regions], names),
        codes=tuple(regions),
        shape=shapely.union_all([shape for _, shape in shapes]) if shapes else shapely.MultiPolygon(),
    )


def code_of(text: str, names: Names) -> str:
    """Return the code of a region by code or name; 黄浦区/外滩街道 says which. Raises ``BadInput`` for none and for several."""
    if text in names.by_code:
        return text
    *above, own = text.replace("，", "/").replace(" ", "/").split("/")
    found = [
        region
        for region in names.regions.values()
        if region.name == own and all(each in region.full_name or each == region.name for each in above if each)
    ]
    if len(found) == 1:
        return found[0].code
    if not found:
        raise BadInput(
            "region_unknown", f"没有叫“{text[:30]}”的区、街镇或居委，请核对名称或代码。", parameter="regions"
        )
    others = "、".join(region.full_name for region in found[:4])
    raise BadInput("region_doubtful", f"“{text[:30]}”不止一个：{others}。请写成“区/街镇/居委”。", parameter="regions")


def fences_named(words: Sequence[str], *, scope: Scope) -> list[UUID]:
    """Return the fences that the scope may ask of some names. Raises ``BadInput`` for a name of none, and of several."""
    live = live_fences()
    may = live.rows_for(scope=scope)
    found = []
    for word in words:
        same = [fence.same for row, fence in enumerate(live.fences) if may[row] and fence.name == word]
        if len(same) != 1:
            said = f"叫“{word[:30]}”的围栏{'不止一个' if same else '现在没有'}，请到围栏页核对名称。"
            raise BadInput("fence_unnamed", said, parameter="fences")
        found += same
    return found


def shape_of_file(source: Path, *, name: str, datum: str) -> BaseGeometry:
    """Return all areas of a file as one shape (CGCS2000 degrees). Raises ``BadInput`` for what is no area, by its row."""
    file = read_drawn(source, name=name, datum=datum, most=MOST_SHAPES, noun="图形")
    judged = [judge_shape(file, at, noun="图形") for at in range(len(file.reading.records))]
    for row, one in enumerate(judged, start=1):
        if one.whole is None:
            raise BadInput("shape_unread", f"文件的第 {row} 个图形用不了：{one.fault}", row=row)
    return shapely.union_all([one.whole for one in judged])


def stored(shape: BaseGeometry) -> GEOSGeometry:
    """Return a shape (CGCS2000 degrees) as questions to the database take it."""
    return GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=CGCS2000)


def _regions(words: Sequence[str], names: Names) -> dict[str, None]:
    if len(words) > MOST_REGIONS:
        raise TooLarge("regions_too_many", f"一次最多选 {MOST_REGIONS} 个区划，请改选上一级。", most=MOST_REGIONS)
    return dict.fromkeys(code_of(word.strip(), names) for word in words if word.strip())


def _ids_under(paths: Sequence[str], names: Names) -> frozenset[int]:
    return frozenset(region.id for region in names.regions.values() if region.path.startswith(tuple(paths)))


def _fences(wanted: Collection[UUID], scope: Scope) -> list[tuple[str, BaseGeometry]]:
    if len(wanted) > MOST_FENCES:
        raise TooLarge("fences_too_many", f"一次最多选 {MOST_FENCES} 个围栏。", most=MOST_FENCES)
    live = live_fences()
    may = live.rows_for(scope=scope)
    rows = {fence.same: row for row, fence in enumerate(live.fences) if may[row]} if wanted else {}
    for same in wanted:
        if same not in rows:
            raise NotFound("fence_unknown", "选的围栏现在没有，或者它不对您开放。请重新选。", fence=str(same))
    return [(f"围栏“{live.fences[rows[same]].name}”", live.index.shapes[rows[same]]) for same in dict.fromkeys(wanted)]


def _circle(wanted: Round) -> tuple[str, BaseGeometry]:
    if not LEAST_RADIUS_M <= wanted.radius_m <= MOST_RADIUS_M:
        said = f"半径请填 {LEAST_RADIUS_M:g} 到 {MOST_RADIUS_M:g} 米。"
        raise BadInput("radius_invalid", said, parameter="radius_m")
    shape = to_plane(circle(wanted.centre.x, wanted.centre.y, wanted.radius_m), current_city())
    return f"{wanted.radius_m:g} 米的圆", shape


def _reach(wanted: Reached, scope: Scope) -> tuple[str, BaseGeometry]:
    definition: dict[str, Any] = {"mode": wanted.mode, "minutes": wanted.minutes, "place": wanted.place}
    if wanted.centre is not None:
        definition |= {"lon": wanted.centre.x, "lat": wanted.centre.y}
    shape, kept = reached(definition, district_id=0, scope=scope)
    return told(kept), to_plane(shape, current_city())
