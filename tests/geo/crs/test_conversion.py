"""Conversion: the facts of the datums, agreement with PROJ and with the published formulas, round trips, bad input."""

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import (
    PLANES,
    SHANGHAI,
    Coordinate,
    Coordinates,
    NotFinite,
    OutOfRange,
    ShapeFault,
    System,
    convert,
    inside,
    notes,
)
from geo.crs.codes import ZONES
from tests.geo.crs import published

IN_SHANGHAI = [s for s in System if s not in ZONES] + [
    System.GK3_CM120E,
    System.GK3_CM123E,
    System.GK3_ZONE40,
    System.GK3_ZONE41,
    System.GK6_CM123E,
    System.GK6_ZONE21,
    System.GK6_CM117E,
]
EARTH = pyproj.Geod(ellps="GRS80")


def shanghai(count=20_000, seed=1):
    rng = np.random.default_rng(seed)
    box = SHANGHAI.bbox
    return Coordinates(
        rng.uniform(box.west, box.east, count), rng.uniform(box.south, box.north, count), System.CGCS2000
    )


def metres(one, other):
    """Distances between two sets in degrees, on the ellipsoid."""
    return EARTH.inv(one.x, one.y, other.x, other.y)[2]


def moved(source, to):
    points = shanghai()
    here = Coordinates(points.x, points.y, source)
    there = convert(here, to)
    return metres(here, there)


@pytest.mark.parametrize(
    ("source", "to", "least", "most"),
    [
        (System.WGS84, System.GCJ02, 457, 498),
        (System.WGS84, System.BD09, 1075, 1174),
        (System.GCJ02, System.BD09, 884, 935),
    ],
)
def test_shifts_over_the_city_have_their_known_size(source, to, least, most):
    shift = moved(source, to)
    # the extremes sit in the corners, so they depend on the box: a few metres for ours
    assert shift.min() == pytest.approx(least, abs=6)
    assert shift.max() == pytest.approx(most, abs=6)


def test_the_mean_shift_is_476_metres_for_gcj_and_1124_for_baidu():
    assert moved(System.WGS84, System.GCJ02).mean() == pytest.approx(476, abs=2)
    assert moved(System.WGS84, System.BD09).mean() == pytest.approx(1124, abs=2)


def test_golden_values_of_baidu_and_gcj():
    baidu = convert(Coordinate(116.403988, 39.914266, System.WGS84), System.BD09)
    assert (baidu.x, baidu.y) == pytest.approx((116.41661560068297, 39.92196580126834), abs=1e-12)
    wgs = convert(Coordinate(123, 45, System.GCJ02), System.WGS84)
    assert (wgs.x, wgs.y) == pytest.approx((122.99395581008, 44.99804061844), abs=1e-10)
    image = convert(wgs, System.GCJ02)
    assert (image.x, image.y) == pytest.approx((123, 45), abs=1e-12)


def test_forward_datums_equal_the_published_formulas_over_the_whole_country():
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(72.1, 137.8, 200_000), rng.uniform(0.9, 55.8, 200_000)
    gcj = convert(Coordinates(lon, lat, System.WGS84), System.GCJ02)
    expected = published.gcj_from_wgs(lon, lat)
    assert np.abs(gcj.x - expected[0]).max() < 1e-12
    assert np.abs(gcj.y - expected[1]).max() < 1e-12
    baidu = convert(gcj, System.BD09)
    expected = published.baidu_from_gcj(gcj.x, gcj.y)
    assert np.abs(baidu.x - expected[0]).max() < 1e-12
    assert np.abs(baidu.y - expected[1]).max() < 1e-12


def test_one_shot_inverses_err_as_known_and_ours_does_not():
    points = shanghai(200_000)
    gcj, baidu = convert(points, System.GCJ02), convert(points, System.BD09)
    once = Coordinates(*published.wgs_from_gcj_once(gcj.x, gcj.y), System.WGS84)
    assert 2.0 < metres(points, once).max() < 2.3
    once = Coordinates(*published.gcj_from_baidu_once(baidu.x, baidu.y), System.GCJ02)
    assert 0.12 < metres(gcj, once).max() < 0.14
    assert metres(points, convert(gcj, System.WGS84)).max() < 1e-6
    assert metres(gcj, convert(baidu, System.GCJ02)).max() < 1e-6
    assert metres(points, convert(baidu, System.WGS84)).max() < 1e-6


def test_inverse_holds_at_the_corner_of_the_formula():
    """The published sum takes the root of |lon - 105|, whose slope is infinite there."""
    lon = 105.0 + np.concatenate([[0.0], 10.0 ** -np.arange(1.0, 16.0), -(10.0 ** -np.arange(1.0, 16.0))])
    points = Coordinates(lon, np.full(lon.size, 35.0), System.WGS84)
    back = convert(convert(points, System.GCJ02), System.WGS84)
    assert metres(points, back).max() < 1e-6


@pytest.mark.parametrize("system", [System.SH2000, *ZONES])
def test_planes_agree_with_proj_to_a_micrometre_over_their_whole_area(system):
    plane = PLANES[system]
    rng = np.random.default_rng(3)
    area = plane.valid_area
    lon, lat = rng.uniform(area.west, area.east, 4_000), rng.uniform(area.south, area.north, 4_000)
    crs = plane.spatial_reference().proj4text if system is System.SH2000 else str(system)
    east, north = pyproj.Transformer.from_crs("EPSG:4490", crs, always_xy=True).transform(lon, lat)
    ours = convert(Coordinates(lon, lat, System.CGCS2000), system)
    assert np.abs(ours.x - east).max() < 1e-6
    assert np.abs(ours.y - north).max() < 1e-6
    back = convert(Coordinates(east, north, system), System.CGCS2000)
    assert metres(back, Coordinates(lon, lat, System.CGCS2000)).max() < 1e-6


def test_web_mercator_agrees_with_proj_and_4490_with_4326():
    rng = np.random.default_rng(4)
    lon, lat = rng.uniform(-180, 180, 50_000), rng.uniform(-85, 85, 50_000)
    east, north = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
    ours = convert(Coordinates(lon, lat, System.WGS84), System.WEB_MERCATOR)
    assert np.abs(ours.x - east).max() < 1e-6
    assert np.abs(ours.y - north).max() < 1e-6
    same = convert(Coordinates(lon, lat, System.CGCS2000), System.WEB_MERCATOR)
    assert np.array_equal(ours.x, same.x)
    assert np.array_equal(ours.y, same.y)
    back = convert(ours, System.WGS84)
    assert np.abs(back.x - lon).max() < 1e-12
    assert np.abs(back.y - lat).max() < 1e-12


def test_wgs84_and_cgcs2000_are_one_for_display_and_the_difference_is_said():
    points = shanghai(100)
    there = convert(points, System.WGS84)
    assert np.array_equal(there.x, points.x)
    assert there.x is not points.x
    assert any("板块运动" in note for note in notes(System.WGS84, System.CGCS2000))


@pytest.mark.parametrize("source", IN_SHANGHAI)
@pytest.mark.parametrize("to", IN_SHANGHAI)
def test_every_pair_is_undone_within_a_millimetre(source, to):
    points = convert(shanghai(2_000), source)
    image = convert(points, to)
    back = convert(image, source)
    again = convert(back, to)
    assert metres(convert(points, System.CGCS2000), convert(back, System.CGCS2000)).max() < 1e-3
    assert metres(convert(image, System.CGCS2000), convert(again, System.CGCS2000)).max() < 1e-3


@settings(max_examples=300, deadline=None)
@given(
    lon=st.floats(120.83, 122.25),
    lat=st.floats(30.65, 31.9),
    source=st.sampled_from(IN_SHANGHAI),
    to=st.sampled_from(IN_SHANGHAI),
)
def test_a_single_point_goes_and_comes_back(lon, lat, source, to):
    point = convert(Coordinate(lon, lat, System.CGCS2000), source)
    there = convert(point, to)
    assert there.system is to
    home = convert(convert(there, source), System.CGCS2000)
    assert EARTH.inv(lon, lat, home.x, home.y)[2] < 1e-3


@settings(max_examples=200, deadline=None)
@given(lon=st.floats(73.5, 135.0), lat=st.floats(3.5, 53.5), system=st.sampled_from([System.GCJ02, System.BD09]))
def test_shifted_datums_come_back_anywhere_in_the_country(lon, lat, system):
    home = convert(convert(Coordinate(lon, lat, System.WGS84), system), System.WGS84)
    assert EARTH.inv(lon, lat, home.x, home.y)[2] < 1e-5


@settings(max_examples=200, deadline=None)
@given(
    system=st.sampled_from([System.SH2000, *ZONES]),
    across=st.floats(0, 1),
    up=st.floats(0, 1),
)
def test_every_plane_comes_back_even_from_the_very_edge_of_its_area(system, across, up):
    area = PLANES[system].valid_area
    lon, lat = area.west + across * (area.east - area.west), area.south + up * (area.north - area.south)
    home = convert(convert(Coordinate(lon, lat, System.CGCS2000), system), System.CGCS2000)
    assert EARTH.inv(lon, lat, home.x, home.y)[2] < 1e-6


@pytest.mark.parametrize("edge", ["west", "east", "south", "north"])
def test_shifted_datums_come_back_from_the_edge_of_their_area(edge):
    from geo.crs.datums import MAINLAND

    along = np.linspace(0, 1, 500)
    lon = MAINLAND.west + along * (MAINLAND.east - MAINLAND.west)
    lat = MAINLAND.south + along * (MAINLAND.north - MAINLAND.south)
    if edge in ("west", "east"):
        lon = np.full(500, getattr(MAINLAND, edge))
    else:
        lat = np.full(500, getattr(MAINLAND, edge))
    points = Coordinates(lon, lat, System.WGS84)
    assert metres(points, convert(convert(points, System.BD09), System.WGS84)).max() < 1e-5


@pytest.mark.parametrize("source", IN_SHANGHAI)
def test_an_empty_set_gives_an_empty_set(source):
    empty = convert(Coordinates(np.array([]), np.array([]), source), System.SH2000)
    assert len(empty) == 0
    assert empty.system is System.SH2000


@pytest.mark.parametrize("to", [System.CGCS2000, System.GCJ02, System.SH2000, System.WEB_MERCATOR, System.BD09])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused_with_their_rows(to, bad):
    points = Coordinates(np.array([121.4, bad, 121.5]), np.array([31.2, 31.2, bad]), System.CGCS2000)
    with pytest.raises(NotFinite) as refusal:
        convert(points, to)
    assert refusal.value.detail == {"rows": [1, 2], "count": 2}
    assert "第 2 行" in refusal.value.message


@pytest.mark.parametrize(
    ("point", "to"),
    [
        (Coordinate(31.23, 121.47, System.WGS84), System.CGCS2000),
        (Coordinate(2.35, 48.86, System.WGS84), System.GCJ02),
        (Coordinate(2.35, 48.86, System.GCJ02), System.WGS84),
        (Coordinate(114.06, 22.54, System.WGS84), System.SH2000),
        (Coordinate(40_500_000.0, 3_456_000.0, System.GK3_CM120E), System.WGS84),
        (Coordinate(500_000.0, 3_456_000.0, System.GK3_ZONE40), System.WGS84),
        (Coordinate(121.47, 86.0, System.WGS84), System.WEB_MERCATOR),
        (Coordinate(3e7, 0.0, System.WEB_MERCATOR), System.WGS84),
        (Coordinate(1e6, 0.0, System.SH2000), System.SH2000),
        (Coordinate(1e300, 1e300, System.SH2000), System.WGS84),
    ],
)
def test_points_outside_a_system_are_refused_in_chinese(point, to):
    with pytest.raises(OutOfRange) as refusal:
        convert(point, to)
    assert refusal.value.code == "outside_system"
    assert "适用范围" in refusal.value.message
    assert refusal.value.detail["rows"] == [0]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e7, 5e7), st.floats(-1e7, 5e7)), max_size=8),
    st.sampled_from(IN_SHANGHAI),
    st.sampled_from(IN_SHANGHAI),
)
def test_inside_says_exactly_which_rows_convert_accepts(rows, source, to):
    rows = [
        *rows,
        (121.4, 31.2),
        (1000.0, 2000.0),
        (480_000.0, 3_450_000.0),
        (np.nan, 1.0),
        (13_520_000.0, 3_660_000.0),
    ]
    points = Coordinates(np.array([x for x, _ in rows]), np.array([y for _, y in rows]), source)
    for held, (x, y) in zip(inside(points, to), rows, strict=True):
        if held:
            convert(Coordinate(x, y, source), to)
        else:
            with pytest.raises((OutOfRange, NotFinite)):
                convert(Coordinate(x, y, source), to)


def test_many_bad_rows_are_counted_and_only_the_first_are_named():
    with pytest.raises(OutOfRange) as refusal:
        convert(Coordinates(np.zeros(1000), np.zeros(1000), System.CGCS2000), System.SH2000)
    assert refusal.value.detail["count"] == 1000
    assert len(refusal.value.detail["rows"]) == 20


def test_arrays_of_different_length_are_refused():
    with pytest.raises(ShapeFault):
        Coordinates(np.zeros(3), np.zeros(2), System.WGS84)


def test_shape_and_stride_do_not_matter():
    grid_lon, grid_lat = np.meshgrid(np.linspace(121, 122, 5), np.linspace(31, 31.5, 4))
    both = np.stack([grid_lon, grid_lat], axis=-1)
    flat = convert(Coordinates(grid_lon.ravel(), grid_lat.ravel(), System.WGS84), System.BD09)
    strided = convert(Coordinates(both[..., 0], both[..., 1], System.WGS84), System.BD09)
    assert strided.x.shape == (4, 5)
    assert np.array_equal(strided.x.ravel(), flat.x)
    assert strided[7] == flat[7]


def test_results_carry_the_warnings_they_need():
    assert any("未经控制点验证，±1 米" in note for note in notes(System.WGS84, System.SH2000))
    assert any("未经控制点验证" in note for note in notes(System.SH2000, System.GCJ02))
    assert any("导航" in note for note in notes(System.CGCS2000, System.GCJ02))
    assert notes(System.CGCS2000, System.GK3_CM120E) == ()
