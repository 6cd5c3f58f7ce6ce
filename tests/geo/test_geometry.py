"""Geometry from outside: limits before GEOS, bombs, repair with a report, subdivision, measures, GeoJSON."""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.crs import SHANGHAI, SHENGZHOU, Coordinate, OutOfRange, System, convert
from geo.errors import BadInput
from geo.geometry import (
    BadGeometry,
    GeometryTooLarge,
    Limits,
    area_m2,
    fault_of,
    feature,
    from_plane,
    from_stored,
    geodesic_area_m2,
    geodesic_distance_m,
    geodesic_length_m,
    geojson,
    geometry_from_object,
    length_m,
    lengths_m,
    parse_bbox,
    parse_geojson,
    parse_wkb,
    polygons_of,
    repair,
    require_valid,
    rounded,
    subdivide,
    to_plane,
)

SQUARE = shapely.box(121.4, 31.2, 121.5, 31.3)
SHAPES = [
    shapely.Point(121.4, 31.2),
    shapely.MultiPoint([(121.4, 31.2), (121.5, 31.3)]),
    shapely.LineString([(121.4, 31.2), (121.5, 31.3), (121.6, 31.2)]),
    shapely.MultiLineString([[(121.4, 31.2), (121.5, 31.3)], [(121.6, 31.2), (121.7, 31.2)]]),
    SQUARE,
    shapely.Polygon(SQUARE.exterior.coords, [shapely.box(121.44, 31.24, 121.46, 31.26).exterior.coords]),
    shapely.MultiPolygon([SQUARE, shapely.box(121.6, 31.2, 121.7, 31.3)]),
    shapely.GeometryCollection([SQUARE, shapely.GeometryCollection([shapely.Point(121.4, 31.2)])]),
]


# Reading


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.geom_type)
def test_what_is_written_is_read_again(shape: shapely.Geometry) -> None:
    assert shapely.equals_exact(parse_geojson(shapely.to_geojson(shape)), shape)
    assert shapely.equals_exact(parse_wkb(shapely.to_wkb(shape)), shape)
    assert shapely.equals_exact(parse_wkb(shapely.to_wkb(shape, byte_order=0)), shape)
    raised = shapely.force_3d(shape, 12.0)
    assert shapely.equals_exact(parse_wkb(shapely.to_wkb(raised)), shape)
    assert shapely.equals_exact(parse_wkb(shapely.to_wkb(raised, flavor="iso")), shape)
    assert shapely.equals_exact(parse_wkb(shapely.to_wkb(shapely.set_srid(shape, 4326), include_srid=True)), shape)
    assert not parse_geojson(shapely.to_geojson(raised)).has_z


def test_a_feature_is_its_geometry() -> None:
    text = json.dumps({"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(SQUARE))})
    assert parse_geojson(text).equals(SQUARE)


def test_positions_are_taken_in_the_declared_system() -> None:
    there = convert(Coordinate(121.4737, 31.2304, System.CGCS2000), System.GCJ02)
    point = parse_geojson(json.dumps({"type": "Point", "coordinates": [there.x, there.y]}), System.GCJ02)
    assert (point.x, point.y) == pytest.approx((121.4737, 31.2304), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "geometry_json"),
        ('{"type":"Point","coordinates":[121.4,', "geometry_json"),
        ("[]", "geometry_type"),
        ("null", "geometry_type"),
        ('"Point"', "geometry_type"),
        ('{"type":"Circle"}', "geometry_type"),
        ('{"type":["Point"]}', "geometry_type"),
        ('{"type":"Feature","geometry":null}', "geometry_type"),
        ('{"type":"Point"}', "geometry_coordinates"),
        ('{"type":"Point","coordinates":"121,31"}', "geometry_coordinates"),
        ('{"type":"Point","coordinates":[121.4]}', "geometry_coordinates"),
        ('{"type":"Point","coordinates":["121.4","31.2"]}', "geometry_coordinates"),
        ('{"type":"Point","coordinates":[true,false]}', "geometry_coordinates"),
        ('{"type":"Point","coordinates":[NaN,31.2]}', "geometry_json"),
        ('{"type":"Point","coordinates":[1e999,31.2]}', "geometry_json"),
        ('{"type":"LineString","coordinates":[[121.4,31.2]]}', "geometry_coordinates"),
        ('{"type":"LineString","coordinates":[[121.4,31.2],[121.5]]}', "geometry_coordinates"),
        ('{"type":"LineString","coordinates":[[121.4,31.2],null]}', "geometry_coordinates"),
        ('{"type":"Polygon","coordinates":[[[121.4,31.2],[121.5,31.2]]]}', "geometry_coordinates"),
        ('{"type":"Polygon","coordinates":[121.4,31.2]}', "geometry_coordinates"),
        ('{"type":"MultiPolygon","coordinates":[[[121.4,31.2]]]}', "geometry_coordinates"),
        ('{"type":"GeometryCollection"}', "geometry_form"),
        ('{"type":"GeometryCollection","geometries":[3]}', "geometry_type"),
    ],
)
def test_what_is_no_geometry_is_told_in_chinese(text: str, code: str) -> None:
    with pytest.raises(BadGeometry) as refused:
        parse_geojson(text)
    assert refused.value.code == code
    assert any("一" <= sign <= "鿿" for sign in refused.value.message)


def test_degrees_beyond_the_earth_are_refused() -> None:
    with pytest.raises(OutOfRange):
        parse_geojson('{"type":"Point","coordinates":[40500000,3450000]}')


def nested(depth: int, inner: dict[str, Any] | None = None) -> str:
    body = json.dumps(inner or {"type": "Point", "coordinates": [121.4, 31.2]})
    return '{"type":"GeometryCollection","geometries":[' * depth + body + "]}" * depth


def nested_wkb(depth: int) -> bytes:
    return (b"\x01" + struct.pack("<II", 7, 1)) * depth + shapely.to_wkb(shapely.Point(121.4, 31.2))


def test_four_collections_deep_is_the_limit() -> None:
    assert parse_geojson(nested(4)).geom_type == "GeometryCollection"
    assert parse_wkb(nested_wkb(4)).geom_type == "GeometryCollection"
    for bomb in (lambda: parse_geojson(nested(5)), lambda: parse_wkb(nested_wkb(5))):
        with pytest.raises(GeometryTooLarge) as refused:
            bomb()
        assert refused.value.code == "geometry_collection_depth"


@pytest.mark.parametrize("depth", [40, 1000, 20_000])
def test_deep_json_is_refused_before_it_is_parsed(depth: int) -> None:
    with pytest.raises(GeometryTooLarge) as refused:
        parse_geojson(nested(depth))
    assert refused.value.code == "geometry_json_depth"


def test_brackets_in_strings_are_no_depth() -> None:
    text = json.dumps({"type": "Point", "coordinates": [121.4, 31.2], "note": '["' * 200 + '\\"[' * 50})
    assert parse_geojson(text).geom_type == "Point"


@pytest.mark.parametrize("kind", ["wkb", "geojson", "object"])
def test_a_bomb_does_not_kill_the_process(kind: str) -> None:
    """Run the bombs that crash GEOS in a process of their own: it must end by saying why."""
    program = f"""
import json, struct, sys
from geo.errors import TooLarge
from geo.geometry import geometry_from_object, parse_geojson, parse_wkb
point = {{"type": "Point", "coordinates": [121.4, 31.2]}}
wkb = (b"\\x01" + struct.pack("<II", 7, 1)) * 19_000
text = '{{"type":"GeometryCollection","geometries":[' * 20_000 + json.dumps(point) + "]}}" * 20_000
node = point
for _ in range(50_000):
    node = {{"type": "GeometryCollection", "geometries": [node]}}
bombs = {{"wkb": lambda: parse_wkb(wkb), "geojson": lambda: parse_geojson(text), "object": lambda: geometry_from_object(node)}}
try:
    bombs["{kind}"]()
except TooLarge as refused:
    print(refused.code)
    sys.stdout.flush()
import os
os._exit(0)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr[-300:]
    assert ended.stdout.strip() in {"geometry_collection_depth", "geometry_json_depth"}


def test_the_body_the_vertices_and_the_rings_are_counted() -> None:
    ring = [[121 + at / 1e6, 31] for at in range(120)]
    line = json.dumps({"type": "LineString", "coordinates": ring})
    cases = [
        (lambda: parse_geojson(line + " " * 1_000_000), "geometry_body"),
        (lambda: parse_geojson(line, limits=Limits(vertices=100)), "geometry_vertices"),
        (lambda: parse_wkb(shapely.to_wkb(shapely.LineString(ring)), limits=Limits(vertices=100)), "geometry_vertices"),
        (lambda: parse_wkb(b"\x00" * 1_000_001), "geometry_body"),
    ]
    many = shapely.MultiPolygon([shapely.box(x, 0, x + 0.5, 1) for x in range(11)])
    cases += [
        (lambda: parse_geojson(shapely.to_geojson(many), limits=Limits(rings=10)), "geometry_rings"),
        (lambda: parse_wkb(shapely.to_wkb(many), limits=Limits(rings=10)), "geometry_rings"),
    ]
    for attempt, code in cases:
        with pytest.raises(GeometryTooLarge) as refused:
            attempt()
        assert refused.value.code == code


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x02\x01\x00\x00\x00" + b"\x00" * 16,
        b"\x01\x01\x00\x00\x00" + b"\x00" * 15,
        b"\x01\x01\x00\x00\x00" + b"\x00" * 17,
        b"\x01\x02\x00\x00\x00\xff\xff\xff\xff",
        b"\x01\x03\x00\x00\x00\xff\xff\xff\xff",
        b"\x01\x07\x00\x00\x00\xff\xff\xff\xff",
        b"\x01\x63\x00\x00\x00\x00\x00\x00\x00",
        b"\x01\x08\x00\x00\x00\x00\x00\x00\x00",
        b"\x01\x01\x00\x00\x00" + struct.pack("<dd", float("nan"), 31.0)[:16],
        b"\x01" + struct.pack("<II", 4, 1) + shapely.to_wkb(SQUARE),
    ],
)
def test_broken_wkb_is_refused(data: bytes) -> None:
    with pytest.raises(BadGeometry):
        parse_wkb(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 255))
def test_any_bytes_are_read_or_refused_by_name(noise: bytes, at: int, value: int) -> None:
    spoiled = bytearray(shapely.to_wkb(SHAPES[-1]))
    spoiled[at % len(spoiled)] = value
    for data in (noise, bytes(spoiled)):
        with contextlib.suppress(BadInput, GeometryTooLarge):  # anything else fails the test
            parse_wkb(data)


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-200, 200)
        | st.text(max_size=5)
        | st.sampled_from(["Point", "Polygon"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.fixed_dictionaries(
                {
                    "type": st.sampled_from(["Point", "Polygon", "GeometryCollection"]),
                    "coordinates": inner,
                    "geometries": inner,
                }
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused_by_name(node: Any) -> None:
    with contextlib.suppress(BadInput, GeometryTooLarge):
        geometry_from_object(node)


# Boxes


def test_a_box_is_read_and_follows_curved_edges() -> None:
    box = parse_bbox("121.4,31.2,121.5,31.3")
    assert (box.west, box.south, box.east, box.north) == (121.4, 31.2, 121.5, 31.3)
    plane = parse_bbox("-10000,-10000,10000,10000", System.SH2000)
    random = np.random.default_rng(1)
    east, north = random.uniform(-10000, 10000, 500), random.uniform(-10000, 10000, 500)
    lon, lat = SHANGHAI.plane.inverse(east, north)
    assert plane.holds(lon, lat).mean() > 0.999


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bbox_form"),
        ("1,2,3", "bbox_form"),
        ("1,2,3,4,5", "bbox_form"),
        ("a,b,c,d", "bbox_form"),
        ("121,31,nan,32", "bbox_form"),
        ("1e400,1,2,3", "bbox_form"),
        ("121" + "0" * 300 + ",31,122,32", "bbox_form"),
        ("122,31,121,32", "bbox_order"),
        ("121,32,122,31", "bbox_order"),
    ],
)
def test_what_is_no_box_is_told(text: str, code: str) -> None:
    with pytest.raises(BadGeometry) as refused:
        parse_bbox(text)
    assert refused.value.code == code


def test_a_box_with_its_axes_swapped_lies_beyond_the_earth() -> None:
    with pytest.raises(BadInput):
        parse_bbox("31.2,121.4,31.3,121.5")


# Validity

BOW = shapely.Polygon([(121.4, 31.2), (121.5, 31.3), (121.5, 31.2), (121.4, 31.3)])


def test_a_fault_is_named_with_its_place() -> None:
    assert fault_of(SQUARE) == ""
    assert fault_of(BOW) == "边界自相交（121.450000, 31.250000）"
    with pytest.raises(BadGeometry, match="自相交"):
        require_valid(BOW)
    with pytest.raises(BadGeometry, match="空"):
        require_valid(shapely.Polygon())
    assert require_valid(SQUARE) is SQUARE


def test_a_repair_says_what_it_did() -> None:
    mended = repair(BOW)
    assert mended.changed
    assert mended.faults == ("边界自相交（121.450000, 31.250000）",)
    assert mended.geometry.is_valid
    assert mended.geometry.area == pytest.approx(0.005, rel=1e-9)
    untouched = repair(SQUARE)
    assert (untouched.changed, untouched.area_change_m2) == (False, 0.0)
    assert untouched.geometry.geom_type == "MultiPolygon"
    mixed = repair(shapely.GeometryCollection([SQUARE, shapely.Point(0, 0)]))
    assert mixed.faults == ("混有不是面的部分",)


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(1, 1),
        shapely.LineString([(0, 0), (1, 1)]),
        shapely.Polygon([(0, 0), (1, 1), (0, 0)]),
        shapely.Polygon(),
    ],
)
def test_what_has_no_area_cannot_be_repaired(shape: shapely.Geometry) -> None:
    with pytest.raises(BadGeometry):
        repair(shape)


def test_areas_that_overlap_in_a_collection_become_one() -> None:
    mended = repair(shapely.GeometryCollection([SQUARE, shapely.box(121.45, 31.2, 121.6, 31.3)]))
    assert mended.faults == ("各部分互相重叠",)
    assert mended.geometry.is_valid
    assert mended.geometry.area == pytest.approx(0.02)


@settings(max_examples=300, deadline=None)
@example([(0, 0), (1, 1), (1, 0), (0, 0), (1, 1), (0, 1)])
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=12))
def test_any_ring_is_repaired_to_a_valid_area_or_refused(corners: list[tuple[int, int]]) -> None:
    ring = shapely.Polygon([(121 + x / 100, 31 + y / 100) for x, y in corners])
    try:
        mended = repair(ring)
    except BadGeometry:
        return
    assert mended.geometry.is_valid
    assert mended.geometry.area > 0
    assert mended.changed == (not ring.is_valid)


def test_polygons_are_found_in_nested_collections() -> None:
    inner = shapely.GeometryCollection([SQUARE, shapely.Point(0, 0), shapely.MultiPolygon([SQUARE])])
    assert len(polygons_of(shapely.GeometryCollection([inner, SQUARE]))) == 3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(16, 80))
def test_pieces_tile_the_whole_and_are_small(seed: int, most: int) -> None:
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, 700))
    radius = random.uniform(0.02, 0.1, 700)
    star = repair(
        shapely.Polygon(np.column_stack([121.4 + radius * np.cos(angles), 31.2 + radius * np.sin(angles)]))
    ).geometry
    pieces = subdivide(star, most)
    assert max(shapely.get_num_coordinates(pieces)) <= most
    assert sum(piece.area for piece in pieces) == pytest.approx(star.area, rel=1e-9)
    points = shapely.points(random.uniform(121.3, 121.5, 300), random.uniform(31.1, 31.3, 300))
    inside = shapely.covers(star, points)
    assert (np.any(shapely.covers(np.array(pieces)[:, None], points[None, :]), axis=0) == inside).all()


def test_a_small_area_is_not_cut() -> None:
    assert subdivide(SQUARE) == [SQUARE]


# Measures


def test_plane_and_ellipsoid_agree_in_the_middle_of_the_city() -> None:
    line = shapely.LineString([(121.46, 31.22), (121.48, 31.24)])
    assert length_m(line, SHANGHAI) == pytest.approx(geodesic_length_m(line), rel=5e-6)
    assert area_m2(SQUARE, SHANGHAI) == pytest.approx(geodesic_area_m2(SQUARE), rel=2e-5)
    assert geodesic_distance_m(121.46, 31.22, 121.48, 31.24) == pytest.approx(geodesic_length_m(line))
    assert lengths_m(np.array([line, line]), SHANGHAI).tolist() == [length_m(line, SHANGHAI)] * 2


def test_each_city_is_measured_on_its_own_plane_and_refuses_the_other() -> None:
    there = shapely.box(120.8, 29.5, 120.9, 29.6)
    assert area_m2(there, SHENGZHOU) == pytest.approx(geodesic_area_m2(there), rel=5e-4)
    with pytest.raises(OutOfRange):
        area_m2(there, SHANGHAI)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.geom_type)
@pytest.mark.parametrize("system", [System.GCJ02, System.BD09, System.SH2000, System.WEB_MERCATOR])
def test_there_and_back_is_the_same_place(shape: shapely.Geometry, system: System) -> None:
    back = parse_wkb(shapely.to_wkb(from_stored(shape, system)), system)
    assert np.abs(shapely.get_coordinates(back) - shapely.get_coordinates(shape)).max() < 1e-9
    plane = from_plane(to_plane(shape, SHANGHAI), SHANGHAI)
    assert np.abs(shapely.get_coordinates(plane) - shapely.get_coordinates(shape)).max() < 1e-9


def test_a_ring_either_way_round_has_the_same_area() -> None:
    assert geodesic_area_m2(shapely.reverse(SQUARE)) == pytest.approx(geodesic_area_m2(SQUARE))
    assert geodesic_area_m2(shapely.Polygon()) == 0.0


# GeoJSON


def test_answers_have_seven_decimals_of_degrees_or_millimetres() -> None:
    point = shapely.Point(121.47371234567, 31.23041234567)
    assert geojson(point) == {"type": "Point", "coordinates": [121.4737123, 31.2304123]}
    assert rounded(point).x == 121.4737123
    metres = geojson(point, System.SH2000)["coordinates"]
    assert all(round(number, 3) == number for number in metres)
    made = feature(point, {"name": "点"}, key=7)
    assert (made["id"], made["properties"]["name"], made["type"]) == (7, "点", "Feature")
