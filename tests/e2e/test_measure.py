"""测距: what the map measures equals the geodesic and the city's plane, by mouse and by keyboard, on every map that offers it."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from pyproj import Geod, Transformer
from shapely.geometry import Polygon

from geo.crs import CITIES, System
from geo.crs.planes import PLANES, LocalGrid
from tests.e2e.conftest import Spot, faults_of, wait_for_map
from tests.e2e.test_desk import sign_in

ELLIPSOID = Geod(ellps="GRS80")  # that of CGCS2000, to the last digit that counts
MODULE = "async (points) => { const m = await import('/static/js/measure.js'); return [m.lengthOf(points), m.areaOf(points)]; }"
LINES = {
    "a lane": [(121.4737, 31.2304), (121.4741, 31.2309)],
    "the same point twice": [(121.4737, 31.2304), (121.4737, 31.2304), (121.4741, 31.2309)],
    "a block": [(121.47, 31.23), (121.48, 31.23), (121.48, 31.24), (121.47, 31.24)],
    "a district": [(121.2, 31.0), (121.8, 31.05), (121.9, 31.5), (121.4, 31.7), (121.15, 31.3)],
    "turned the other way": [(121.47, 31.24), (121.48, 31.24), (121.48, 31.23)],
}


@pytest.mark.parametrize("line", LINES)
def test_lengths_and_areas_are_those_of_the_ellipsoid(page: Any, live_city: str, line: str) -> None:
    page.goto(f"{live_city}/help")
    points = LINES[line]
    length, area = page.evaluate(MODULE, [list(point) for point in points])
    lons, lats = zip(*points, strict=True)
    assert length == pytest.approx(ELLIPSOID.line_length(lons, lats), rel=1e-9, abs=1e-4)
    assert area == pytest.approx(abs(ELLIPSOID.polygon_area_perimeter(lons, lats)[0]), rel=2e-6, abs=0.01)


ON_PLANE = """async ([plane, points]) => {
  const m = await import('/static/js/plane.js');
  return points.map((point) => m.onPlane(plane, point));
}"""
FLAT = """async ([plane, points]) => {
  const m = await import('/static/js/plane.js');
  return [m.planeLengthOf(plane, points), m.planeAreaOf(plane, points)];
}"""


def projected(plane: LocalGrid) -> Transformer:
    """Return what PROJ makes of the plane's parameters; those of a national zone it knows by their number."""
    if plane.srid < 5000:
        return Transformer.from_crs(4490, plane.srid, always_xy=True)
    return Transformer.from_crs(4490, plane.spatial_reference().proj4text, always_xy=True)


@pytest.mark.parametrize("city", ["shanghai", "shengzhou"])
def test_the_plane_of_a_city_is_that_of_proj_everywhere_in_it(page: Any, live_city: str, city: str) -> None:
    plane, box = CITIES[city].plane, CITIES[city].bbox
    rng = np.random.default_rng(7)
    points = rng.uniform((box.west, box.south), (box.east, box.north), (300, 2))
    page.goto(f"{live_city}/help")
    found = np.array(page.evaluate(ON_PLANE, [plane.forward_terms, points.tolist()]))
    np.testing.assert_allclose(
        found, np.stack(projected(plane).transform(*points.T), axis=1), atol=1e-6
    )  # a micrometre


def test_lengths_and_areas_of_the_plane_are_straight_and_told_nowhere_else(page: Any, live_city: str) -> None:
    plane = PLANES[System.SH2000]
    page.goto(f"{live_city}/help")
    for points in LINES.values():
        east, north = projected(plane).transform(*zip(*points, strict=True))
        length, area = page.evaluate(FLAT, [plane.forward_terms, [list(point) for point in points]])
        assert length == pytest.approx(float(np.hypot(np.diff(east), np.diff(north)).sum()), abs=1e-5)
        flat = Polygon(zip(east, north, strict=True)).area if len(points) > 2 else 0
        assert area == pytest.approx(flat, rel=1e-9, abs=1e-3)
    assert page.evaluate(FLAT, [plane.forward_terms, [[121.47, 31.23], [119.9, 31.2]]]) == [None, None]


SAID = """async ([points, terms]) => {
  const m = await import('/static/js/measure.js');
  return [m.measuredWords(points, terms), m.measuredWords(points), m.measuredWords(points.slice(0, 2), terms)];
}"""


def test_where_shapes_are_drawn_one_sentence_says_both(page: Any, live_city: str) -> None:
    plane, points = PLANES[System.SH2000], LINES["a block"]
    east, north = projected(plane).transform(*zip(*points, strict=True))
    length = float(np.hypot(np.diff(east), np.diff(north)).sum())
    page.goto(f"{live_city}/help")
    both, alone, line = page.evaluate(SAID, [[list(one) for one in points], json.dumps(plane.forward_terms)])
    flat = Polygon(zip(east, north, strict=True)).area
    assert both == f"{alone}。上海2000平面 {length:,.2f} 米，{flat:,.2f} 平方米"
    assert re.fullmatch(r"一共 [\d.]+ 公里，围起来 [\d.]+ 平方公里", alone)
    assert (
        line
        == f"一共 {round(ELLIPSOID.line_length(*zip(*points[:2], strict=True)))} 米。上海2000平面 {np.hypot(east[1] - east[0], north[1] - north[0]):,.2f} 米"
    )


@pytest.mark.parametrize("path", ["/", "/elder"])
def test_a_distance_is_measured_undone_and_ended_by_mouse_and_keyboard(
    open_page: Any, live_city: str, elders: Spot, path: str
) -> None:
    page = open_page(1440, 900)
    page.goto(f"{live_city}{path}?{elders.query()}")
    wait_for_map(page)
    page.get_by_role("button", name="测距：量距离和面积").click()
    said = page.locator("#measure-said")
    assert "第一个点" in said.inner_text()
    at = page.locator("#map").bounding_box()
    spots = [(at["x"] + 500, at["y"] + 500), (at["x"] + 600, at["y"] + 500), (at["x"] + 600, at["y"] + 600)]
    points = []
    for x, y in spots:
        page.mouse.click(x, y)
        here = [x - at["x"], y - at["y"]]
        points.append(page.evaluate("(p) => document.getElementById('map').quantu.unproject(p).toArray()", here))
    lons, lats = zip(*points, strict=True)
    metres = float(re.search(r"一共 (\d+) 米", said.inner_text())[1])
    assert metres == pytest.approx(ELLIPSOID.line_length(lons, lats), abs=2)
    assert "围起来" in said.inner_text()
    # Both figures to the centimetre, what lies between them, and why.
    east, north = projected(PLANES[System.SH2000]).transform(lons, lats)
    told = {
        one: page.locator(f'[data-figure="{one}"]').inner_text()
        for one in ("length", "plane-length", "area", "plane-area")
    }
    figures = {one: float(words.replace(",", "")) for one, words in told.items()}
    assert figures["length"] == pytest.approx(ELLIPSOID.line_length(lons, lats), abs=0.006)
    assert figures["plane-length"] == pytest.approx(float(np.hypot(np.diff(east), np.diff(north)).sum()), abs=0.006)
    assert figures["area"] == pytest.approx(abs(ELLIPSOID.polygon_area_perimeter(lons, lats)[0]), rel=2e-6)
    assert figures["plane-area"] == pytest.approx(Polygon(zip(east, north, strict=True)).area, rel=1e-7, abs=0.006)
    assert "百万分之" in page.locator('[data-figure="area-part"]').inner_text()
    assert "投影变形" in page.locator("#measure-why").inner_text()
    assert PLANES[System.SH2000].label in page.locator("#measure-why").inner_text()
    assert page.locator("#card").is_hidden()  # a click adds a point instead of asking what is here
    page.keyboard.press("Backspace")
    assert "围起来" not in said.inner_text()
    page.get_by_role("button", name="撤销一点").click()
    page.get_by_role("button", name="撤销一点").click()
    assert page.get_by_role("button", name="撤销一点").is_disabled()
    # By keyboard alone: the point in the middle, the map moved, the next one.
    page.locator(".maplibregl-canvas").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => !document.getElementById('map').quantu.isMoving()")
    page.keyboard.press("Enter")
    assert re.search(r"一共 \d", said.inner_text())
    assert faults_of(page) == []
    page.keyboard.press("Escape")
    assert page.locator("#measure").is_hidden()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("path", ["/watch/elder", "/watch/heat/elder_places?by=district"])
def test_supervisors_measure_on_their_maps_and_nothing_else_opens(
    open_page: Any, live_city: str, path: str, width: int, height: int
) -> None:
    page = open_page(width, height)
    sign_in(page, live_city, "shi", path)
    page.locator(".map[data-ready]").wait_for()
    page.locator(".map[data-drawn]").wait_for()
    page.get_by_role("button", name="测距：量距离和面积").click()
    assert page.locator("#measure").is_visible()
    page.locator(".map").scroll_into_view_if_needed()
    at = page.locator(".map").bounding_box()
    said, address = page.locator(".heat-said, #side h2").first.inner_text(), page.url
    points = []
    for across, down in ((0.3, 0.75), (0.45, 0.8)):  # over a district, which a click opens or tells of
        here = [across * at["width"], down * at["height"]]
        points.append(page.evaluate("(p) => document.querySelector('.map').quantu.unproject(p).toArray()", here))
        page.mouse.click(at["x"] + here[0], at["y"] + here[1])
    length = float(page.locator('[data-figure="length"]').inner_text().replace(",", ""))
    assert length == pytest.approx(ELLIPSOID.line_length(*zip(*points, strict=True)), rel=0.01)  # a pixel is 100 m
    assert page.url == address
    assert page.locator(".heat-said, #side h2").first.inner_text() == said
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("Escape")
    assert page.locator("#measure").is_hidden()
