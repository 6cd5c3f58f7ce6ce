"""The JSON answer to a circle, to the nearest and to the way there, in the coordinate system that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon

from geo.addresses.positions import written
from geo.crs import Coordinate, Coordinates, System, convert
from services.facilities.circle import Circle, Emptiness, Nearest
from services.facilities.journeys import Assumptions, Reached
from services.facilities.shapes import places_shape, stated, whole_metres
from services.facilities.way import Way

OUTLINE_DECIMALS: Final = 6
"""A tenth of a metre: finer than the outline is drawn."""


def circle_shape(circle: Circle, to: System, *, bands: bool) -> dict[str, Any]:
    """Return a circle as JSON; with ``bands`` also the outlines of the shorter times."""
    shape = {
        "origin": origin_shape(circle.origin, circle.snap_m, to),
        "isochrone": outline_shape(circle.outline, circle.minutes, circle.mode, to),
        "places": reached_shape(circle.places, to),
        "total": circle.total,
        "empty": empty_shape(circle.empty),
        "assumptions": assumptions_shape(circle.assumptions),
        **stated(circle.assumptions.published, to),
    }
    if bands:
        outlines = [outline_shape(outline, minutes, circle.mode, to) for minutes, outline in circle.bands]
        shape["bands"] = {"type": "FeatureCollection", "features": outlines}
    return shape


def nearest_shape(nearest: Nearest, to: System) -> dict[str, Any]:
    """Return the nearest by road as JSON."""
    return {
        "origin": origin_shape(nearest.origin, nearest.snap_m, to),
        "places": reached_shape(nearest.places, to),
        "next": None,
        "empty": empty_shape(nearest.empty),
        "assumptions": assumptions_shape(nearest.assumptions),
        **stated(nearest.assumptions.published, to),
    }


def way_shape(way: Way, to: System) -> dict[str, Any]:
    """Return the way to a place as JSON."""
    reached = way.reached
    (place,) = places_shape([reached.place], to)
    figures = _figures(reached)
    line = {"type": "LineString", "coordinates": _points(way.line, to)}
    return {
        "origin": origin_shape(way.origin, way.snap_m, to),
        "route": _feature(line, {"mode": way.assumptions.traveller.key, **figures}, to),
        **figures,
        "steps": [{"said": step.said, "road": step.road, "metres": whole_metres(step.metres)} for step in way.steps],
        "place": place,
        "assumptions": assumptions_shape(way.assumptions),
        **stated(way.assumptions.published, to),
    }


def origin_shape(origin: Coordinate, snap_m: float | None, to: System) -> dict[str, Any]:
    """Return where a search began, and how far it is from there to the road."""
    ((x, y),) = written([origin.x], [origin.y], to)
    return {"lon": x, "lat": y, "snap_m": None if snap_m is None else round(snap_m, 1)}


def reached_shape(places: tuple[Reached, ...], to: System) -> list[dict[str, Any]]:
    """Return places with their minutes and metres over the road, nearest first."""
    return places_shape([reached.place for reached in places], to, [_figures(reached) for reached in places])


def _figures(reached: Reached) -> dict[str, int]:
    return {
        "minutes": reached.minutes,
        "seconds": round(reached.seconds),
        "metres": whole_metres(reached.metres),
        "straight_m": whole_metres(reached.straight_m),
    }


def outline_shape(outline: MultiPolygon, minutes: int, mode: str, to: System) -> dict[str, Any]:
    """Return an outline as a GeoJSON Feature."""
    geometry = {"type": "MultiPolygon", "coordinates": _rings(outline, to)}
    return _feature(geometry, {"minutes": minutes, "mode": mode}, to)


def assumptions_shape(assumptions: Assumptions) -> dict[str, Any]:
    """Return what an answer rests on."""
    traveller = assumptions.traveller
    return {
        "mode": traveller.key,
        "traveller": traveller.name,
        "speed_mps": round(traveller.speed_mps, 3),
        "access_mps": traveller.access_mps,
        "graph": assumptions.graph,
        "as_of": assumptions.roads_as_of,
        "roads": assumptions.roads_source,
        "facilities_as_of": assumptions.facilities_as_of or None,
        "at": assumptions.at.isoformat(timespec="minutes"),
        "demo": assumptions.published.demo,
        "said": "按道路走法计算，含从门口走到路边的一段；未计等红灯的时间。分钟进一，余位以机构最近一次填报为准。",
    }


def empty_shape(empty: Emptiness | None) -> dict[str, Any] | None:
    """Return why nothing was found and the ways on."""
    if empty is None:
        return None
    steps = [{"text": step.text, "changes": _plain(step.changes), "count": step.count} for step in empty.steps]
    return {"code": empty.code, "message": empty.message, "steps": steps}


def _plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    return dict(changes)


def _feature(geometry: dict[str, Any], properties: dict[str, Any], to: System) -> dict[str, Any]:
    """Return a GeoJSON Feature. Plain GeoJSON is WGS 84 by definition: any other system is named in ``crs``."""
    feature: dict[str, Any] = {"type": "Feature", "geometry": geometry, "properties": {**properties, "crs": str(to)}}
    if to not in (System.WGS84, System.CGCS2000):
        feature["crs"] = {"type": "name", "properties": {"name": str(to)}}
    return feature


def _rings(outline: MultiPolygon, to: System) -> list[list[list[list[float]]]]:
    if outline.is_empty:
        return []
    _, xy, (ring_ends, part_ends, _) = shapely.to_ragged_array([outline])
    points = _points(xy, to)
    rings = [points[begin:end] for begin, end in zip(ring_ends, ring_ends[1:], strict=False)]
    return [rings[begin:end] for begin, end in zip(part_ends, part_ends[1:], strict=False)]


def _points(xy: NDArray[np.float64], to: System) -> list[list[float]]:
    """Return (n, 2) CGCS2000 degrees as the points of another system."""
    if to not in (System.WGS84, System.CGCS2000):
        moved = convert(Coordinates(xy[:, 0].copy(), xy[:, 1].copy(), System.CGCS2000), to)
        xy = np.stack((moved.x, moved.y), axis=1)
    points: list[list[float]] = xy.round(OUTLINE_DECIMALS if to.is_geographic else 2).tolist()
    return points
