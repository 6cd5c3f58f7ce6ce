"""Whether a geometry is valid, its repair with a report, and the cutting of big areas into small ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geo.geometry.faults import BadGeometry
from geo.geometry.measures import geodesic_area_m2, polygons_of


@dataclass(frozen=True, slots=True)
class Repair:
    """A geometry made valid: what was wrong, in Chinese, and how much area the repair added or took, in square metres."""

    geometry: BaseGeometry
    faults: tuple[str, ...]
    area_change_m2: float

    @property
    def changed(self) -> bool:
        """Say whether anything had to be repaired."""
        return bool(self.faults)


_FAULTS: Final = (
    ("Self-intersection", "边界自相交"),
    ("Ring Self-intersection", "边界自相交"),
    ("Hole lies outside shell", "洞在外边界之外"),
    ("Holes are nested", "洞互相嵌套"),
    ("Nested shells", "面互相嵌套"),
    ("Interior is disconnected", "内部不连通"),
    ("Duplicate Rings", "环重复"),
    ("Too few points in geometry component", "点数不足"),
    ("Ring is not closed", "环没有闭合"),
    ("Invalid Coordinate", "坐标无效"),
)


def fault_of(geometry: BaseGeometry) -> str:
    """Say in Chinese what makes a geometry invalid, and where; empty when it is valid."""
    reason: str = shapely.is_valid_reason(geometry)
    if reason == "Valid Geometry":
        return ""
    words, _, place = reason.partition("[")
    plain = next((zh for known, zh in _FAULTS if known == words.strip()), "图形无效")
    where = place.rstrip("]").split()
    return f"{plain}（{float(where[0]):.6f}, {float(where[1]):.6f}）" if len(where) >= 2 else plain


def require_valid(geometry: BaseGeometry) -> BaseGeometry:
    """Return the geometry; raise ``BadGeometry`` saying what is wrong and where when it is empty or not valid."""
    if geometry.is_empty:
        raise BadGeometry("geometry_empty", "图形是空的，请重新绘制或检查数据。")
    fault = fault_of(geometry)
    if fault:
        raise BadGeometry("geometry_invalid", f"图形无效：{fault}。请修正后重新提交。", reason=fault)
    return geometry


def repair(geometry: BaseGeometry) -> Repair:
    """Return a polygonal geometry made valid, as a MultiPolygon, with a report. Slivers collapsed to lines are dropped.

    Raises ``BadGeometry`` when nothing with an area is left.
    """
    fault = fault_of(geometry)
    whole = shapely.make_valid(geometry, method="structure", keep_collapsed=False) if fault else geometry
    pieces = polygons_of(whole)
    if not pieces:
        raise BadGeometry("geometry_no_area", "图形没有面积，请检查是否把线或点当成了面。")
    faults = [fault] if fault else []
    if not fault and sum(1 for _ in shapely.get_parts(whole)) != len(pieces):
        faults.append("混有不是面的部分")
    result = shapely.multipolygons(pieces)
    if not result.is_valid:
        # parts that overlap or share an edge: several areas of a collection, or what the repair itself left side by side
        result = shapely.multipolygons(polygons_of(shapely.union_all(pieces)))
        faults = faults or ["各部分互相重叠"]
    change = geodesic_area_m2(result) - geodesic_area_m2(geometry) if fault else 0.0
    return Repair(result, tuple(faults), change)


def subdivide(geometry: BaseGeometry, max_vertices: int = 64) -> list[BaseGeometry]:
    """Cut a polygonal geometry into polygons of at most ``max_vertices`` vertices each, which tile it."""
    done: list[BaseGeometry] = []
    waiting = [(polygon, 0) for polygon in polygons_of(geometry)]
    while waiting:
        polygon, depth = waiting.pop()
        # A cut halves the box; 48 cuts are below the last bit of a degree, so the loop ends whatever the input.
        if shapely.get_num_coordinates(polygon) <= max_vertices or depth >= 48:
            done.append(polygon)
            continue
        for half in _halves(polygon):
            waiting.extend((piece, depth + 1) for piece in polygons_of(shapely.intersection(polygon, half)))
    return done


def _halves(polygon: BaseGeometry) -> tuple[BaseGeometry, BaseGeometry]:
    west, south, east, north = polygon.bounds
    if east - west >= north - south:
        middle = (west + east) / 2
        return shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)
    middle = (south + north) / 2
    return shapely.box(west, south, east, middle), shapely.box(west, middle, east, north)
