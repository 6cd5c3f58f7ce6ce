"""Shadows on the map in three dimensions: the ground they darken is that from which a ray towards the sun meets a block."""

from __future__ import annotations

import math
import random
import re
from typing import Any

import numpy as np
import pytest
import shapely
from playwright.sync_api import expect
from pyproj import Transformer

from geo.basemap.models import BasemapFeature
from tests.e2e.test_scene import BLOCKS, HOME, MORNING, SETTLED, changed, look, open_scene, set_time, told
from web.doors.scenes.page import STOREY_M

LON, LAT = 121.4737, 31.2304
MOST_M = 1000.0
PLACES = """([pixels]) => {
  const map = document.getElementById('scene-map').quantu;
  return pixels.map((pixel) => map.unproject(pixel).toArray());
}"""
DRAWN = """async ([blocks, sun]) => {
  const {ShadeLayer, sidesOf} = await import('/static/js/scene-shade.js');
  const {mercatorOf} = await import('/static/js/scene-sight.js');
  const map = document.getElementById('scene-map').quantu;
  if (map.getLayer('shade')) map.removeLayer('shade');
  const layer = new ShadeLayer();
  const origin = mercatorOf(map.getCenter().toArray());
  const upright = blocks.map(({rings, top}) => ({rings: rings.map((ring) => ring.map(mercatorOf)), top}));
  layer.take({numbers: new Float32Array(sidesOf(upright, origin)), origin, tallest: Math.max(...blocks.map(({top}) => top))});
  layer.shine(sun);
  map.addLayer(layer);
  await new Promise((resolve) => { map.once('idle', resolve); map.triggerRepaint(); });
  return layer.cut();
}"""
GROUND = """async ([pixels]) => {
  const {seenAt} = await import('/static/js/scene-measure.js');
  const map = document.getElementById('scene-map').quantu;
  return pixels.map(([x, y]) => seenAt(map, null, {x, y}).on === 'ground');
}"""


def metres_about(lon: float, lat: float) -> Transformer:
    return Transformer.from_crs("EPSG:4490", f"+proj=aeqd +lon_0={lon} +lat_0={lat} +ellps=GRS80", always_xy=True)


def footprint(rng: random.Random) -> shapely.Polygon:
    """Return a building somewhere in sight: a star with bays, a comb, or a block about a yard."""
    x, y, turn = rng.uniform(-130, 130), rng.uniform(-80, 80), rng.uniform(0, 2 * math.pi)
    kind = rng.choice(["star", "comb", "yard"])
    if kind == "star":
        angles = sorted(rng.uniform(0, 2 * math.pi) for _ in range(9))
        shape = shapely.Polygon(
            [(r * math.cos(a), r * math.sin(a)) for a in angles for r in [rng.uniform(5, 26)]]
        ).buffer(0)
        return shape_at(max(shapely.get_parts(shape), key=shapely.area), x, y, 0.0)
    if kind == "comb":
        comb = [
            (0, 0),
            (40, 0),
            (40, 18),
            (32, 18),
            (32, 6),
            (24, 6),
            (24, 18),
            (16, 18),
            (16, 6),
            (8, 6),
            (8, 18),
            (0, 18),
        ]
        return shape_at(shapely.Polygon(comb), x, y, turn)
    return shape_at(shapely.box(0, 0, 38, 30).difference(shapely.box(7, 7, 31, 23)), x, y, turn)


def shape_at(shape: Any, x: float, y: float, turn: float) -> Any:
    c, s = math.cos(turn), math.sin(turn)
    return shapely.transform(shape, lambda at: at @ np.array([[c, s], [-s, c]]) + [x, y])


def shaded(points: np.ndarray[Any, Any], blocks: list[tuple[Any, float]], azimuth: float, altitude: float) -> Any:
    """Say of each point (metres) whether a ray towards the sun meets a block before it is above all roofs."""
    towards = np.array([math.sin(math.radians(azimuth)), math.cos(math.radians(azimuth))])
    found = np.zeros(len(points), dtype=bool)
    for shape, top in blocks:
        reach = min(top / math.tan(math.radians(altitude)), MOST_M)
        rays = shapely.linestrings(np.stack([points, points + towards * reach], axis=1))
        found |= shapely.intersects(rays, shape)
    return found


def blurred(points: np.ndarray[Any, Any], blocks: list[tuple[Any, float]], sun: tuple[float, float], by: float) -> Any:
    """Say of each point whether another one so many metres away is in another light: edges of pixels prove nothing."""
    here = shaded(points, blocks, *sun)
    steps = [(by, 0), (-by, 0), (0, by), (0, -by), (by, by), (-by, -by), (by, -by), (-by, by)]
    return np.any([shaded(points + np.array(step), blocks, *sun) != here for step in steps], axis=0)


def test_the_card_darkens_the_ground_that_a_ray_towards_the_sun_says(open_page: Any, live_city: str) -> None:
    """Random footprints with bays and yards, four suns, thousands of points; where shadows overlap it is no darker."""
    page = open_page(1440, 900, device_scale_factor=1)
    page.goto(f"{live_city}/scene#v=17.5/{LAT}/{LON}/0/0&t={MORNING}&off=white,names,oblique,single,{BLOCKS},{HOME}")
    page.locator('#scene-map[data-ready="true"]').wait_for(state="attached", timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.evaluate(SETTLED, "scene-map")
    bright = look(page)
    rng = random.Random(5)
    box = page.locator("#scene-map").bounding_box()
    pixels = [
        (x, y)
        for x, y in (
            (rng.randrange(10, int(box["width"]) - 80), rng.randrange(10, int(box["height"]) - 40)) for _ in range(2500)
        )
    ]
    plane = metres_about(LON, LAT)
    # A screenshot's point is seen through its middle.
    middles = [[x + 0.5, y + 0.5] for x, y in pixels]
    points = np.column_stack(plane.transform(*np.array(page.evaluate(PLACES, [middles])).T))
    dark = lit = 0
    for azimuth, altitude in ((110.0, 22.0), (180.0, 58.0), (251.0, 9.0), (300.0, 1.2)):
        blocks = [(footprint(rng), rng.uniform(3, 70)) for _ in range(12)]
        far = [math.sin(math.radians(azimuth)) * MOST_M, math.cos(math.radians(azimuth)) * MOST_M]
        blocks.append(
            (shape_at(shapely.box(-20, -20, 20, 20), *far, 0.0), 70.0)
        )  # by a low sun its shadow ends in sight
        rings = [
            [
                np.column_stack(plane.transform(*np.array(ring.coords).T, direction="INVERSE")).tolist()
                for ring in (shape.exterior, *shape.interiors)
            ]
            for shape, _ in blocks
        ]
        sent = [{"rings": each, "top": top} for each, (_, top) in zip(rings, blocks, strict=True)]
        cut = page.evaluate(DRAWN, [sent, {"azimuth": azimuth, "altitude": altitude}])
        assert cut == (max(top for _, top in blocks) / math.tan(math.radians(altitude)) > MOST_M)
        picture = look(page)
        expected = shaded(points, blocks, azimuth, altitude)
        inside = np.any([shapely.contains_xy(shape, points) for shape, _ in blocks], axis=0)
        sure = ~inside & ~blurred(points, blocks, (azimuth, altitude), 0.8)
        share = np.array([picture[y, x].mean() / max(1.0, bright[y, x].mean()) for x, y in pixels])
        assert (share[sure & ~expected] > 0.99).all(), (azimuth, altitude)
        depth = share[sure & expected]
        assert depth.max() < 0.9, (azimuth, altitude)
        assert depth.max() - depth.min() < 0.02, (azimuth, altitude)
        dark += int((sure & expected).sum())
        lit += int((sure & ~expected).sum())
    assert min(dark, lit) > 1000
    page.evaluate(DRAWN, [sent, {"azimuth": 330.0, "altitude": -4.0}])
    assert changed(look(page), bright) == 0


def test_white_models_cast_their_shadows_when_asked_and_say_how_long(open_page: Any, live_city: str) -> None:
    """Over the real map, seen from above: what turns dark is the ground that the registered buildings keep the sun from."""
    page = open_page(1440, 900, device_scale_factor=1)
    home = told(page, live_city, HOME)
    open_scene(page, live_city, home, f"&off=names,oblique,single,{BLOCKS},{HOME}", zoom=16.8, turn="0/0")
    bright = look(page)
    page.get_by_role("checkbox", name="画地面上的影子").check()
    expect(page.locator("#scene-shade")).to_contain_text("朝西")
    page.wait_for_timeout(800)
    page.evaluate(SETTLED, "scene-map")
    dim = look(page)
    assert "shade=1" in page.url
    sun = re.search(r"方位 (\d+)°），高 ([\d.]+)°", page.locator("#scene-sun").inner_text())
    azimuth, altitude = float(sun[1]), float(sun[2])
    told_m = float(re.search(r"10 米高的影子长 ([\d.]+) 米", page.locator("#scene-shade").inner_text())[1])
    assert told_m == pytest.approx(10 / math.tan(math.radians(altitude)), abs=0.2)

    plane = metres_about(home.lon, home.lat)
    rows = BasemapFeature.objects.filter(kind="building", retired_at=None)
    near = [row for row in rows if math.dist((row.geom.centroid.x, row.geom.centroid.y), (home.lon, home.lat)) < 0.01]
    blocks = [
        (
            shapely.transform(
                shapely.from_wkb(bytes(row.geom.wkb)), lambda at: np.column_stack(plane.transform(*at.T))
            ),
            row.height_m or STOREY_M,
        )
        for row in near
    ]
    rng = random.Random(8)
    box = page.locator("#scene-map").bounding_box()
    # Away from the edges: whose shadows come from out of sight is not known there.
    inner = [
        (rng.randrange(200, int(box["width"]) - 300), rng.randrange(120, int(box["height"]) - 120)) for _ in range(1500)
    ]
    ground = page.evaluate(GROUND, [[[x + 0.5, y + 0.5] for x, y in inner]])
    pixels = [pixel for pixel, free in zip(inner, ground, strict=True) if free]
    points = np.column_stack(
        plane.transform(*np.array(page.evaluate(PLACES, [[[x + 0.5, y + 0.5] for x, y in pixels]])).T)
    )
    expected = shaded(points, blocks, azimuth, altitude)
    sure = ~blurred(points, blocks, (azimuth, altitude), 3.0)  # the sun is told to a degree
    share = np.array([dim[y, x].mean() / max(1.0, bright[y, x].mean()) for x, y in pixels])
    assert min((sure & expected).sum(), (sure & ~expected).sum()) > 100
    assert float((share[sure & expected] < 0.9).mean()) > 0.99
    assert float((share[sure & ~expected] > 0.97).mean()) > 0.99

    # None by night; by a low sun they end somewhere, and the page says where; gone when switched off.
    set_time(page, "2026-03-20T23:50")
    expect(page.locator("#scene-shade")).to_have_text("没有影子。")
    set_time(page, "2026-03-20T17:50")
    expect(page.locator("#scene-shade")).to_contain_text("最长只画到 1000 米")
    set_time(page, MORNING)
    page.get_by_role("checkbox", name="画地面上的影子").uncheck()
    page.evaluate(SETTLED, "scene-map")
    assert changed(look(page), bright) < 0.001
    assert "shade" not in page.url

    # The address brings them back.
    page.goto("about:blank")
    open_scene(page, live_city, home, "&shade=1&off=white", zoom=16.8, turn="0/0")
    assert page.get_by_role("checkbox", name="画地面上的影子").is_checked()
    expect(page.locator("#scene-shade")).to_have_text("白模关着，没有影子。")
