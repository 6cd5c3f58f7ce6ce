"""Whether a set of regions can be published: codes, parents, and whether children tile their parent. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import City
from geo.geometry import BadGeometry, from_plane, polygons_of, repair, to_plane
from geo.regions.records import LEVEL_NAMES, LEVELS, Finding, Record, path_of

TOLERANCE_M2: Final = 1000.0
"""Overlaps, gaps and overhangs below this are the grain of drawing, not faults."""


def check_regions(records: Sequence[Record], city: City, tolerance_m2: float = TOLERANCE_M2) -> list[Finding]:
    """Return what is wrong with a set of regions, errors first, then by area from large to small.

    Areas are square metres on the city's plane. Shapes are only compared where codes, levels and parents are in order.
    """
    found = [*_structure(records)]
    shaped, outside = _inside_city(records, city)
    found += outside
    sound, broken = _repaired(shaped, city)
    found += broken
    by_code = {record.code: (record, plane) for record, plane in sound}
    found += _overlaps(by_code, city, tolerance_m2)
    found += _tiling(by_code, city, tolerance_m2)
    return sorted(found, key=lambda each: (each.severity != "error", each.code, -(each.area_m2 or 0.0), each.regions))


def _structure(records: Sequence[Record]) -> Iterable[Finding]:
    for code, times in Counter(record.code for record in records).items():
        if times > 1:
            yield Finding("region_code_twice", "error", f"代码 {code} 出现 {times} 次，应当唯一。", (code,))
    levels = {record.code: record.level for record in records}
    parents = {record.code: record.parent_code for record in records}
    for record in records:
        who = f"{record.name}（{record.code}）"
        if not record.code or not record.name:
            yield Finding("region_nameless", "error", f"{who}缺少代码或名称。", (record.code,))
        if record.level not in LEVELS:
            yield Finding("region_level", "error", f"{who}的级别“{record.level}”不认识。", (record.code,))
        elif record.level != "city" and not record.parent_code:
            yield Finding("region_parent_missing", "error", f"{who}没有写上级区划。", (record.code,))
        elif record.parent_code and record.parent_code not in levels:
            message = f"{who}的上级 {record.parent_code} 不在本批数据中。"
            yield Finding("region_parent_missing", "error", message, (record.code, record.parent_code))
        elif record.parent_code and not _coarser(levels[record.parent_code], record.level):
            message = f"{who}是{LEVEL_NAMES[record.level]}级，上级 {record.parent_code} 却不比它高。"
            yield Finding("region_parent_level", "error", message, (record.code, record.parent_code))
        elif path_of(record.code, parents) is None:
            yield Finding("region_parent_missing", "error", f"{who}的上级链条不完整。", (record.code,))


def _coarser(parent: str, child: str) -> bool:
    return parent in LEVELS and LEVELS.index(parent) < LEVELS.index(child)


def _inside_city(records: Sequence[Record], city: City) -> tuple[list[Record], list[Finding]]:
    """Keep the regions within reach of the city's plane; anything else is a wrong datum, swapped axes or another city."""
    area = city.plane.valid_area
    kept, found = [], []
    for record in records:
        points = shapely.get_coordinates(record.polygon)
        if len(points) and area.holds_all(points[:, 0], points[:, 1]):
            kept.append(record)
        else:
            message = f"{record.name}（{record.code}）不在{city.name}一带，请检查坐标系和经纬度顺序。"
            found.append(Finding("region_outside_city", "error", message, (record.code,)))
    return kept, found


def _repaired(records: Sequence[Record], city: City) -> tuple[list[tuple[Record, BaseGeometry]], list[Finding]]:
    sound: list[tuple[Record, BaseGeometry]] = []
    found: list[Finding] = []
    for record in records:
        who = f"{record.name}（{record.code}）"
        try:
            mended = repair(record.polygon)
        except BadGeometry as fault:
            found.append(Finding("region_shape", "error", f"{who}：{fault.message}", (record.code,)))
            continue
        if mended.changed:
            message = f"{who}的边界有误，已修复：{'、'.join(mended.faults)}。"
            found.append(Finding("region_repaired", "warning", message, (record.code,), abs(mended.area_change_m2)))
        label = getattr(record, "label", None)
        if label is not None and not shapely.intersects_xy(mended.geometry, *label):
            message = f"{who}的名称点不在边界内，已改用面内的点。"
            found.append(Finding("region_label_outside", "warning", message, (record.code,), at=label))
        sound.append((record, mended.geometry))
    planes = to_plane(np.array([shape for _, shape in sound], dtype=object), city)
    return [(record, plane) for (record, _), plane in zip(sound, planes, strict=True)], found


def _overlaps(by_code: dict[str, tuple[Record, BaseGeometry]], city: City, tolerance_m2: float) -> Iterable[Finding]:
    for level in LEVELS:
        peers = [(record, plane) for record, plane in by_code.values() if record.level == level]
        planes = np.array([plane for _, plane in peers], dtype=object)
        if len(peers) < 2:
            continue
        ones, others = shapely.STRtree(planes).query(planes, predicate="intersects")
        pairs = ones < others
        ones, others = ones[pairs], others[pairs]
        shared = shapely.intersection(planes[ones], planes[others])
        for one, other, common in zip(ones, others, shared, strict=True):
            area = float(common.area)
            if area > tolerance_m2:
                a, b = peers[one][0], peers[other][0]
                message = f"{a.name}（{a.code}）与{b.name}（{b.code}）重叠 {area:,.0f} 平方米。"
                yield Finding("region_overlap", "warning", message, (a.code, b.code), area, _worst(common, city))


def _tiling(by_code: dict[str, tuple[Record, BaseGeometry]], city: City, tolerance_m2: float) -> Iterable[Finding]:
    children: dict[str, list[tuple[Record, BaseGeometry]]] = defaultdict(list)
    for record, plane in by_code.values():
        if record.parent_code in by_code:
            children[record.parent_code].append((record, plane))
    for code, offspring in children.items():
        parent, whole = by_code[code]
        gap = shapely.difference(whole, shapely.union_all([plane for _, plane in offspring]))
        if gap.area > tolerance_m2:
            message = (
                f"{parent.name}（{code}）有 {gap.area:,.0f} 平方米不属于任何下级，占 {gap.area / whole.area:.2%}，"
                f"共 {len(polygons_of(gap))} 块。"
            )
            yield Finding("region_gap", "warning", message, (code,), float(gap.area), _worst(gap, city))
        for child, plane in offspring:
            beyond = shapely.difference(plane, whole)
            if beyond.area > tolerance_m2:
                message = f"{child.name}（{child.code}）有 {beyond.area:,.0f} 平方米在上级{parent.name}之外。"
                yield Finding(
                    "region_beyond_parent",
                    "warning",
                    message,
                    (child.code, code),
                    float(beyond.area),
                    _worst(beyond, city),
                )


def _worst(shape: BaseGeometry, city: City) -> tuple[float, float]:
    """Return (longitude, latitude) of a point in the largest piece, so that someone can look at it on the map."""
    largest = max(polygons_of(shape), key=lambda piece: piece.area)
    point = from_plane(shapely.point_on_surface(largest), city)
    return round(point.x, 6), round(point.y, 6)
