"""Geometry of a request, read under limits.

Limits are checked before GEOS sees the input: a small nested collection is enough to crash it, and the process with it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import Bbox, Coordinates, System, convert
from geo.geometry.faults import BadGeometry, GeometryTooLarge
from geo.geometry.measures import FloatArray, to_stored


@dataclass(frozen=True, slots=True)
class Limits:
    """What a geometry from outside may be at most."""

    body_bytes: int = 1_000_000
    json_depth: int = 32
    collection_depth: int = 4
    vertices: int = 100_000
    rings: int = 1_000


LIMITS: Final = Limits()


@dataclass(slots=True)
class _Tally:
    """Counts what has been read, and refuses the first thing beyond the limits."""

    limits: Limits
    vertices: int = field(default=0)
    rings: int = field(default=0)

    def add_vertices(self, count: int) -> None:
        self.vertices += count
        if self.vertices > self.limits.vertices:
            raise GeometryTooLarge(
                "geometry_vertices",
                f"图形的顶点超过 {self.limits.vertices} 个，请先简化或分成几块再提交。",
                limit=self.limits.vertices,
            )

    def add_rings(self, count: int) -> None:
        self.rings += count
        if self.rings > self.limits.rings:
            raise GeometryTooLarge(
                "geometry_rings",
                f"图形的环超过 {self.limits.rings} 个，请先合并或分成几块再提交。",
                limit=self.limits.rings,
            )

    def check_depth(self, depth: int) -> None:
        if depth > self.limits.collection_depth:
            raise GeometryTooLarge(
                "geometry_collection_depth",
                f"几何集合嵌套超过 {self.limits.collection_depth} 层，请展开后再提交。",
                limit=self.limits.collection_depth,
            )

    def check_body(self, size: int) -> None:
        if size > self.limits.body_bytes:
            raise GeometryTooLarge(
                "geometry_body",
                f"图形数据超过 {self.limits.body_bytes // 1000} KB，请先简化，或改用文件导入。",
                limit=self.limits.body_bytes,
            )


def parse_geojson(body: bytes | str, system: System = System.CGCS2000, limits: Limits = LIMITS) -> BaseGeometry:
    """Return the geometry of a GeoJSON text (a geometry, or a Feature) given in ``system``, as CGCS2000 degrees.

    Heights are dropped. Raises ``GeometryTooLarge`` beyond the limits, ``BadGeometry`` for what is no geometry, and the
    errors of ``geo.crs.convert`` for positions outside the system. The result may still be invalid: see ``require_valid``.
    """
    raw = body.encode() if isinstance(body, str) else body
    _Tally(limits).check_body(len(raw))
    if json_depth(raw) > limits.json_depth:
        raise GeometryTooLarge(
            "geometry_json_depth", f"JSON 嵌套超过 {limits.json_depth} 层，请检查图形数据。", limit=limits.json_depth
        )
    try:
        node = orjson.loads(raw)
    except orjson.JSONDecodeError as fault:
        raise BadGeometry("geometry_json", "图形数据不是有效的 JSON，可能没有传完，请检查后重新提交。") from fault
    return geometry_from_object(node, system, limits)


def geometry_from_object(node: Any, system: System = System.CGCS2000, limits: Limits = LIMITS) -> BaseGeometry:
    """Return the geometry of GeoJSON that is already parsed into dicts and lists; raises as ``parse_geojson``."""
    if isinstance(node, dict) and node.get("type") == "Feature":
        node = node.get("geometry")
    return to_stored(_build(node, 1, _Tally(limits)), system)


def parse_wkb(data: bytes, system: System = System.CGCS2000, limits: Limits = LIMITS) -> BaseGeometry:
    """Return the geometry of (E)WKB bytes given in ``system``, as CGCS2000 degrees; raises as ``parse_geojson``.

    A number of a coordinate system inside the bytes is not believed: ``system`` alone says what the numbers mean.
    """
    _scan_wkb(data, _Tally(limits))
    try:
        geometry = shapely.from_wkb(data)
    except shapely.errors.ShapelyError as fault:
        raise BadGeometry("geometry_wkb", "图形数据不是有效的 WKB，请检查后重新提交。") from fault
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        raise _not_numbers()
    return to_stored(shapely.set_srid(shapely.force_2d(geometry), 0), system)


def parse_wkt(text: str, system: System = System.CGCS2000, limits: Limits = LIMITS) -> BaseGeometry:
    """Return the geometry of (E)WKT given in ``system``, as CGCS2000 degrees; raises as ``parse_geojson``.

    As with WKB, a number of a coordinate system before it is not believed.
    """
    tally = _Tally(limits)
    tally.check_body(len(text))
    plain = _EWKT.sub("", text.strip())
    if not plain or not set(map(str.upper, _WORD.findall(plain))) <= _WKT_WORDS:
        raise BadGeometry("geometry_type", "不认识的图形类型，请使用点、线、面。", type=plain[:40])
    tally.check_depth(plain.upper().count("GEOMETRYCOLLECTION"))
    tally.add_vertices(plain.count(",") + 1)
    tally.add_rings(len(_RING.findall(plain)))
    try:
        geometry = shapely.from_wkt(plain)
    except (shapely.errors.ShapelyError, ValueError) as fault:
        raise BadGeometry("geometry_wkt", "图形不是有效的 WKT，可能没有复制完整，请检查。") from fault
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        raise _not_numbers()
    return to_stored(shapely.set_srid(shapely.force_2d(geometry), 0), system)


def parse_bbox(text: str, system: System = System.WGS84) -> Bbox:
    """Return the CGCS2000 box around ``west,south,east,north`` given in ``system``.

    Edges that are curves in degrees are followed, so the box holds every point of the one that was asked for. Raises
    ``BadGeometry``.
    """
    number = r"\s*([+-]?\d{1,9}(?:\.\d{1,17})?)\s*"
    match = re.fullmatch(",".join([number] * 4), text) if len(text) <= 200 else None
    if match is None:
        raise BadGeometry("bbox_form", "范围应写成“西,南,东,北”四个数，用英文逗号分开。", bbox=text[:80])
    west, south, east, north = (float(part) for part in match.groups())
    if west >= east or south >= north:
        raise BadGeometry("bbox_order", "范围的西应小于东、南应小于北，请检查顺序是否为“西,南,东,北”。", bbox=text[:80])
    step = np.linspace(0.0, 1.0, 9)
    x, y = west + (east - west) * step, south + (north - south) * step
    edges = Coordinates(
        np.concatenate([x, x, np.full(9, west), np.full(9, east)]),
        np.concatenate([np.full(9, south), np.full(9, north), y, y]),
        system,
    )
    stored = convert(edges, System.CGCS2000)
    return Bbox(float(stored.x.min()), float(stored.y.min()), float(stored.x.max()), float(stored.y.max()))


_JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_EWKT: Final = re.compile(r"(?i)^srid=\d{1,7};\s*")
_WORD: Final = re.compile(r"[A-Za-z]{2,}")
_RING: Final = re.compile(r"\(\s*[^(\s]")
_KINDS = frozenset({"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})
_WKT_WORDS: Final = frozenset({*map(str.upper, _KINDS), "GEOMETRYCOLLECTION", "EMPTY", "ZM"})


def json_depth(raw: bytes) -> int:
    """Return how deep brackets nest, strings skipped, without building anything."""
    depth = deepest = 0
    for token in _JSON_TOKEN.finditer(raw):
        sign = raw[token.start()]
        if sign in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in b"]}":
            depth -= 1
    return deepest


def _build(node: Any, depth: int, tally: _Tally) -> BaseGeometry:
    kind = node.get("type") if isinstance(node, dict) else None
    if kind == "GeometryCollection":
        tally.check_depth(depth)
        children = node.get("geometries")
        if not isinstance(children, list):
            raise BadGeometry("geometry_form", "GeometryCollection 缺少 geometries，请检查图形数据。")
        return shapely.geometrycollections([_build(child, depth + 1, tally) for child in children])
    if not isinstance(kind, str) or kind not in _KINDS:
        raise BadGeometry("geometry_type", "不认识的图形类型，请使用 GeoJSON 的点、线、面。", type=str(kind)[:40])
    try:
        return _simple(kind, node.get("coordinates"), tally)
    except (ValueError, TypeError, shapely.errors.ShapelyError) as fault:
        raise BadGeometry("geometry_coordinates", f"{kind} 的坐标读不懂，请检查层级、点数和数字。") from fault


def _simple(kind: str, coordinates: Any, tally: _Tally) -> BaseGeometry:
    if not isinstance(coordinates, list):
        raise TypeError("coordinates are a list")
    if kind == "Point":
        return shapely.points(_points([coordinates], tally)[0])
    if kind == "MultiPoint":
        return shapely.multipoints(_points(coordinates, tally))
    if kind == "LineString":
        return shapely.linestrings(_points(coordinates, tally))
    if kind == "MultiLineString":
        tally.add_rings(len(coordinates))
        return shapely.multilinestrings([shapely.linestrings(_points(line, tally)) for line in coordinates])
    if kind == "Polygon":
        return _polygon(coordinates, tally)
    return shapely.multipolygons([_polygon(rings, tally) for rings in coordinates])


def _polygon(rings: Any, tally: _Tally) -> BaseGeometry:
    tally.add_rings(len(rings))
    made = [shapely.linearrings(_points(ring, tally)) for ring in rings]
    return shapely.polygons(made[0], made[1:] or None) if made else shapely.Polygon()


def _points(positions: Any, tally: _Tally) -> FloatArray:
    tally.add_vertices(len(positions))
    array = np.array(positions)
    if array.ndim != 2 or array.dtype.kind not in "iuf" or not 2 <= array.shape[1] <= 4:
        raise ValueError("positions are lists of two or three numbers")
    if not np.isfinite(array).all():
        raise _not_numbers()
    return array[:, :2].astype(np.float64)


def _not_numbers() -> BadGeometry:
    return BadGeometry("geometry_coordinates", "坐标中有无效数字，请检查图形数据。")


def _scan_wkb(data: bytes, tally: _Tally) -> None:
    """Walk the bytes without GEOS: kinds, counts, depth and length must be right before anything is built."""
    tally.check_body(len(data))
    at = 0
    # one entry per open container: [geometries still to come, its kind]
    containers: list[list[int]] = [[1, 7]]
    while containers:
        left, parent = containers[-1]
        if not left:
            containers.pop()
            continue
        containers[-1][0] -= 1
        kind, width, order, at = _wkb_head(data, at)
        if parent != 7 and kind != parent - 3:
            raise _bad_wkb()
        if kind >= 4:
            count, at = _wkb_count(data, at, order, 5)
            if kind == 7:
                tally.check_depth(sum(1 for _, each in containers if each == 7))
            containers.append([count, kind])
        else:
            at = _wkb_simple(data, at, order, kind, width, tally)
    if at != len(data):
        raise _bad_wkb()


def _wkb_simple(data: bytes, at: int, order: str, kind: int, width: int, tally: _Tally) -> int:
    if kind == 1:
        tally.add_vertices(1)
        end = at + width
    elif kind == 2:
        count, end = _wkb_count(data, at, order, width)
        tally.add_vertices(count)
        end += count * width
    else:
        rings, end = _wkb_count(data, at, order, 4)
        tally.add_rings(rings)
        for _ in range(rings):
            count, end = _wkb_count(data, end, order, width)
            tally.add_vertices(count)
            end += count * width
    if end > len(data):
        raise _bad_wkb()
    return end


def _wkb_head(data: bytes, at: int) -> tuple[int, int, str, int]:
    """Return (kind 1–7, bytes of a position, byte order, where the body begins)."""
    if at + 5 > len(data) or data[at] not in (0, 1):
        raise _bad_wkb()
    order = "<" if data[at] else ">"
    code = struct.unpack_from(order + "I", data, at + 1)[0]
    at += 5 + (4 if code & 0x2000_0000 else 0)
    flags = bool(code & 0x8000_0000) + bool(code & 0x4000_0000)
    thousands, kind = divmod(code & 0x0FFF_FFFF, 1000)
    if not 1 <= kind <= 7 or thousands > 3:
        raise BadGeometry("geometry_type", "不认识的图形类型，请使用点、线、面。", type=kind)
    extra = flags or (0, 1, 1, 2)[thousands]
    return kind, 8 * (2 + extra), order, at


def _wkb_count(data: bytes, at: int, order: str, at_least: int) -> tuple[int, int]:
    if at + 4 > len(data):
        raise _bad_wkb()
    count: int = struct.unpack_from(order + "I", data, at)[0]
    if at + 4 + count * at_least > len(data):
        raise _bad_wkb()
    return count, at + 4


def _bad_wkb() -> BadGeometry:
    return BadGeometry("geometry_wkb", "图形数据不是有效的 WKB，可能没有传完，请检查后重新提交。")
