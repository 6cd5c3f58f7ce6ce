"""测距: what the map measures equals the geodesic, by mouse and by keyboard, on both pages of the map."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pyproj import Geod

from tests.e2e.conftest import Spot, faults_of, wait_for_map

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
