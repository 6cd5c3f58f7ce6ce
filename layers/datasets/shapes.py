"""Which shapes a dataset keeps: of its kind, valid, of this city and of a size that can be drawn. Pure but for the city."""

from __future__ import annotations

from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import BadInput, CityError
from geo.geometry import Limits, area_m2, fault_of, length_m, polygons_of, repair
from geo.regions.queries import current_city
from layers.datasets.models import GeometryKind

SHAPE_LIMITS: Final = Limits(vertices=20_000)
GRAIN_M: Final = 0.01
_WORDS: Final = {"Point": "点", "LineString": "线", "Polygon": "面"}


def sound(shape: BaseGeometry, kind: str, *, mend: bool = False) -> BaseGeometry:
    """Return a shape (CGCS2000 degrees) as a dataset of a kind keeps it: a point, a multi-line or a multi-polygon.

    Raises ``BadInput``; of an area that crosses itself the detail says ``mendable``, and with ``mend`` it is mended.
    """
    if shape.is_empty:
        raise BadInput("shape_empty", "还没有图形。请在地图上画，或填经纬度。")
    if shapely.get_num_coordinates(shape) > SHAPE_LIMITS.vertices:
        raise BadInput("shape_vertices", f"一个图形最多 {SHAPE_LIMITS.vertices:,} 个顶点，请先减少顶点。")
    parts = [part for part in shapely.get_parts(shape) if not part.is_empty]
    kinds = {part.geom_type for part in parts}
    wanted = {"point": "Point", "line": "LineString", "polygon": "Polygon"}[kind]
    if kinds != {wanted}:
        drawn = "、".join(sorted(_WORDS.get(each, "混合图形") for each in kinds))
        raise BadInput("shape_kind", f"这个图层画的是{_WORDS[wanted]}，图形是{drawn}。")
    _check_inside(shape)
    return {"point": _point, "line": _line, "polygon": _polygon}[kind](parts, mend)


def _check_inside(shape: BaseGeometry) -> None:
    box = current_city().bbox
    if not shapely.box(box.west, box.south, box.east, box.north).contains(shapely.box(*shape.bounds)):
        raise BadInput("shape_outside", "图形有一部分不在本市范围内。请核对坐标系，或经度纬度是不是写反了。")


def _point(parts: list[BaseGeometry], mend: bool) -> BaseGeometry:
    if len(parts) != 1:
        raise BadInput("shape_points", f"一个要素是一个点，这里有 {len(parts)} 个，请分成几个要素。")
    return shapely.force_2d(parts[0])


def _line(parts: list[BaseGeometry], mend: bool) -> BaseGeometry:
    whole = shapely.force_2d(shapely.multilinestrings(parts))
    if length_m(whole, current_city()) < GRAIN_M:
        raise BadInput("shape_length", "线没有长度，请至少画两个不同的点。")
    return whole


def _polygon(parts: list[BaseGeometry], mend: bool) -> BaseGeometry:
    whole = shapely.force_2d(shapely.multipolygons(parts))
    fault = fault_of(whole)
    if fault and not mend:
        raise BadInput("shape_invalid", f"图形无效：{fault}。可以按系统修好的图形保存，也可以自己改。", mendable=True)
    if fault:
        try:
            whole = repair(whole).geometry
        except CityError as refused:
            raise BadInput("shape_area", "图形没有面积，请重新画。") from refused
    if area_m2(whole, current_city()) < GRAIN_M:
        raise BadInput("shape_area", "图形没有面积，请重新画。")
    return shapely.multipolygons(polygons_of(whole))


def noun_of(kind: str) -> str:
    """Return what a feature of a kind is called."""
    return GeometryKind(kind).label
