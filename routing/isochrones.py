"""Isochrones: the ground a traveller reaches within some minutes, as polygons in the city's plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon

from routing.contours import emit, nest, simplify, trace
from routing.mending import mended
from routing.places import PlaceIndex
from routing.rings import Rings, are_simple
from routing.search import BadSearch, Reach, SearchTooLarge, workspace
from routing.shores import Limits, cut, sifted
from routing.surface import Surface, surface

MAX_VERTICES: Final = 1500
MIN_HOLE_M2: Final = 2000.0
MIN_ISLAND_M2: Final = 150.0
SPARE_HOLE_M2: Final = 50.0
SPARE_VERTICES: Final = 240
"""Room left for mending the line around places, and again as much for shores where there is water."""
TOLERANCE_M: Final = 1.0
"""How far the drawn line may leave the traced one on the finest grid; wider grids allow more in proportion."""


class Unprojector(Protocol):
    """The half of a city's plane that turns metres back into degrees."""

    def inverse(
        self, east: NDArray[np.float64], north: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (lon, lat) in degrees."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Isochrone:
    """The ground reached within ``minutes``: a multipolygon in plane metres, empty when nothing is reached."""

    minutes: float
    polygon: MultiPolygon

    @property
    def vertices(self) -> int:
        """Return the number of points of the drawn line, closing points not counted twice."""
        rings = sum(1 + len(part.interiors) for part in self.polygon.geoms)
        return int(shapely.get_num_coordinates(self.polygon)) - rings

    def degrees(self, plane: Unprojector) -> MultiPolygon:
        """Return the polygon in (lon, lat) degrees, rounded to 7 decimals."""

        def unproject(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            lon, lat = plane.inverse(np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1]))
            return np.stack((lon, lat), axis=1).round(7)

        return shapely.transform(self.polygon, unproject)


def isochrone(found: Reach, minutes: Sequence[float], places: PlaceIndex | None = None) -> list[Isochrone]:
    """Return the isochrone of ``found`` for each of ``minutes``, from one surface; of two, the shorter lies within the longer.

    With ``places`` the line is mended where it would have one of them on the wrong side, so that map and list agree.
    Raises ``BadSearch`` for minutes the search did not ask for, ``SearchTooLarge`` for minutes its budget did not let it reach.
    """
    limits = [float(value) * 60_000 for value in minutes]
    if not limits or not all(0 < limit <= found.limit_ms + 0.5 for limit in limits):
        raise BadSearch("routing.minutes", "分钟数超出了本次计算的范围。", minutes=list(minutes))
    if max(limits) > found.complete_ms:
        raise SearchTooLarge("routing.budget", "范围太大，计算未能完成，请缩短时间后再试。", cut=str(found.cut))
    times = surface(found, max(limits))
    if times is None:
        return [Isochrone(float(value), MultiPolygon()) for value in minutes]
    drawn: dict[float, MultiPolygon] = {}
    around: MultiPolygon | None = None
    for limit in sorted(set(limits), reverse=True):
        polygon = _draw(found, times, limit, places)
        if around is not None:
            # Simplifying moves two lines that nearly touch by different amounts: cut the inner one to the outer one.
            polygon = _polygons(polygon.intersection(around))
        drawn[limit] = around = polygon
    return [Isochrone(float(value), drawn[limit]) for value, limit in zip(minutes, limits, strict=True)]


def _polygons(shape: Any) -> MultiPolygon:
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return MultiPolygon([polygon for part in parts for polygon in shapely.get_parts(part)])


def _draw(found: Reach, times: Surface, limit_ms: float, places: PlaceIndex | None) -> MultiPolygon:
    """Return the simplified contour of a surface at a limit, always a valid multipolygon of at most ``MAX_VERTICES`` points."""
    scratch = workspace(found.graph).scratch
    rings, points = _trace(times, limit_ms, scratch)
    if rings == 0:
        return MultiPolygon()
    point, ring, keep = scratch["point"], scratch["ring"], scratch["keep"]
    area, shell = np.empty(rings), np.empty(rings, dtype=np.int32)
    min_island = MIN_ISLAND_M2 * times.stride**2
    tolerance = TOLERANCE_M * times.stride
    halved = 0
    most = MAX_VERTICES - SPARE_VERTICES * (1 if found.graph.water is None else 2)
    while True:
        kept = simplify(
            *(
                point,
                ring,
                rings,
                tolerance,
                MIN_HOLE_M2 + SPARE_HOLE_M2,
                min_island,
                keep[:points],
                scratch["stack"],
                area,
            ),
        )
        if kept > most:
            tolerance *= 1.4
            min_island *= 1.4
            continue
        nest(point, ring, rings, area, shell)
        drawn, polygons = _assemble(found, point, ring, keep, area, shell, kept)
        polygon = _multipolygon(drawn, polygons)
        limits = Limits(min_island, MIN_HOLE_M2, MAX_VERTICES - SPARE_VERTICES // 2, tolerance)
        # Rings that nowhere meet can still swallow each other, but only where much was simplified.
        careful = tolerance > TOLERANCE_M * times.stride
        if are_simple(drawn, scratch) and (not careful or polygon.is_valid):
            dry = cut(found, polygon, limit_ms, limits)
            if dry is not None:
                drawn, polygons = dry
                polygon = _multipolygon(drawn, polygons)
            if places is None or polygon.is_empty:
                return polygon
            room = min(SPARE_VERTICES, MAX_VERTICES - len(drawn.coordinates))
            bent, notches = mended(found, times, limit_ms, drawn, places, room // 4, everywhere=dry is not None)
            return _multipolygon(bent, polygons) if notches else polygon
        if halved == 3 or kept == points:
            valid = _polygons(shapely.make_valid(polygon))
            return _multipolygon(*(cut(found, valid, limit_ms, limits) or sifted(found, valid, limit_ms, limits)))
        halved += 1
        tolerance /= 2


def _trace(times: Surface, limit_ms: float, scratch: dict[str, NDArray[Any]]) -> tuple[int, int]:
    """Trace into the thread's buffers, making them larger as needed; return the number of rings and points."""
    cells = times.ms.size
    if len(scratch.get("visited", ())) < cells:
        scratch["visited"] = np.zeros(cells, dtype=np.uint8)
    capacity = len(scratch.get("keep", ()))
    while True:
        if capacity:
            rings, points = trace(times, limit_ms, scratch["visited"], scratch["point"], scratch["ring"])
            if rings >= 0:
                return rings, points
        capacity = max(16_384, capacity * 2)
        scratch["point"] = np.empty((capacity, 2))
        scratch["ring"] = np.empty(capacity // 3, dtype=np.int32)
        scratch["keep"] = np.empty(capacity, dtype=np.uint8)
        scratch["stack"] = np.empty((capacity + 2, 2), dtype=np.int32)


def _assemble(
    found: Reach,
    point: NDArray[np.float64],
    ring: NDArray[np.int32],
    keep: NDArray[np.uint8],
    area: NDArray[np.float64],
    shell: NDArray[np.int32],
    kept: int,
) -> tuple[Rings, NDArray[np.int64]]:
    """Return the kept rings in plane metres, largest polygon first, and where among them each polygon begins."""
    # Largest polygon first; within each, the shell before its holes. Few rings: plain Python sorts them faster than NumPy.
    areas, shells = area.tolist(), shell.tolist()
    chosen = [i for i in range(len(shells)) if shells[i] >= 0]
    chosen.sort(key=lambda i: (-areas[shells[i]], shells[i], areas[i] < 0))
    order = np.array(chosen, dtype=np.int64)
    coordinates = np.empty((kept + len(order), 2))
    ends = np.empty(len(order) + 1, dtype=np.int64)
    emit(point, ring, keep, order, *found.graph.meta.origin, coordinates, ends)
    polygons = np.array([at for at, i in enumerate(chosen) if areas[i] > 0] + [len(chosen)], dtype=np.int64)
    return Rings(coordinates[: ends[-1]], ends), polygons


def _multipolygon(rings: Rings, polygons: NDArray[np.int64]) -> MultiPolygon:
    offsets = (rings.ends, polygons, np.array([0, len(polygons) - 1]))
    polygon: MultiPolygon = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, rings.coordinates, offsets)[0]
    return polygon
