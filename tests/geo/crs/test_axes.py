"""Swapped columns: found where the numbers show it, and said to be undetectable where they do not."""

import numpy as np
import pytest

from geo.crs import SHANGHAI, SHENGZHOU, AxisVerdict, Coordinates, System, convert, detect_axes, suggest_plane


def in_city(city=SHANGHAI, system=System.CGCS2000, count=400, seed=7):
    rng = np.random.default_rng(seed)
    box = city.bbox
    lon, lat = rng.uniform(box.west, box.east, count), rng.uniform(box.south, box.north, count)
    return convert(Coordinates(lon, lat, System.CGCS2000), system)


def turned(points):
    return Coordinates(points.y, points.x, points.system)


def near(east, north, reach, count=400):
    """Points of 上海2000 around a spot, in metres."""
    rng = np.random.default_rng(8)
    return Coordinates(
        east + rng.uniform(-reach, reach, count), north + rng.uniform(-reach, reach, count), System.SH2000
    )


@pytest.mark.parametrize(
    "system", [System.CGCS2000, System.GCJ02, System.BD09, System.GK3_CM120E, System.GK3_ZONE41, System.WEB_MERCATOR]
)
def test_degrees_and_zoned_metres_show_a_swap(system):
    points = in_city(system=system)
    assert detect_axes(points, SHANGHAI.bbox).verdict is AxisVerdict.AS_DECLARED
    finding = detect_axes(turned(points), SHANGHAI.bbox)
    assert finding.verdict is AxisVerdict.SWAPPED
    assert "写反" in finding.sentence


def test_near_the_origin_of_shanghai_2000_a_swap_cannot_be_detected_and_this_is_said():
    for points in (near(0, 0, 20_000), turned(near(0, 0, 20_000))):
        finding = detect_axes(points, SHANGHAI.bbox)
        assert finding.verdict is AxisVerdict.UNDECIDED
        assert finding.both == 400
        assert "原点附近无法检出对调" in finding.sentence


def test_a_few_strays_do_not_decide_for_many():
    centre = near(0, 0, 20_000)
    east, north = centre.x.copy(), centre.y.copy()
    # one point north of the land as declared, inside when turned
    east[0], north[0] = 1_000.0, 74_000.0
    finding = detect_axes(Coordinates(east, north, System.SH2000), SHANGHAI.bbox)
    assert finding.swapped == 1
    assert finding.verdict is AxisVerdict.UNDECIDED


def test_places_in_the_far_east_show_a_swap_on_shanghai_2000():
    points = near(73_000, 5_000, 1_500)
    assert detect_axes(points, SHANGHAI.bbox).verdict is AxisVerdict.AS_DECLARED
    assert detect_axes(turned(points), SHANGHAI.bbox).verdict is AxisVerdict.SWAPPED


def test_known_places_decide_where_the_numbers_cannot():
    points = near(8_000, -3_000, 2_000, count=30)
    references = convert(points, System.CGCS2000)
    assert detect_axes(points, SHANGHAI.bbox, references).verdict is AxisVerdict.AS_DECLARED
    assert detect_axes(turned(points), SHANGHAI.bbox, references).verdict is AxisVerdict.SWAPPED


def test_known_places_on_the_diagonal_decide_nothing():
    rng = np.random.default_rng(9)
    along = rng.uniform(-8_000, 8_000, 40)
    points = Coordinates(along, along + rng.normal(0, 20, 40), System.SH2000)
    references = convert(points, System.CGCS2000)
    assert detect_axes(points, SHANGHAI.bbox, references).verdict is AxisVerdict.UNDECIDED


@pytest.mark.parametrize("system", [System.CGCS2000, System.SH2000])
def test_points_of_nowhere_are_elsewhere(system):
    finding = detect_axes(Coordinates(np.array([1e6, np.nan, 0.0]), np.array([1e6, 0.0, 3e6]), system), SHANGHAI.bbox)
    assert finding.verdict is AxisVerdict.ELSEWHERE
    assert finding.neither == 3


def test_no_points_decide_nothing():
    assert detect_axes(Coordinates(np.array([]), np.array([]), System.SH2000), SHANGHAI.bbox).verdict is (
        AxisVerdict.UNDECIDED
    )


@pytest.mark.parametrize("city", [SHANGHAI, SHENGZHOU], ids=lambda city: city.key)
def test_a_forgotten_or_added_zone_number_is_suggested(city):
    degrees = in_city(city)
    with_zone = convert(degrees, System.GK3_ZONE40)
    told_without = Coordinates(with_zone.x, with_zone.y, System.GK3_CM120E)
    assert detect_axes(told_without, city.bbox).verdict is AxisVerdict.ELSEWHERE
    assert System.GK3_ZONE40 in suggest_plane(told_without, city.bbox)
    assert System.GK3_CM120E not in suggest_plane(told_without, city.bbox)
    own = convert(degrees, city.plane.system)
    assert city.plane.system in suggest_plane(own, city.bbox)


def test_nothing_is_suggested_for_nothing():
    assert suggest_plane(Coordinates(np.array([]), np.array([]), System.SH2000), SHANGHAI.bbox) == ()
