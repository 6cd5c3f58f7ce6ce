"""The sums behind the map in three dimensions: where the sun stands, and what a line of sight meets."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import shapely
from pyproj import Geod

SHANGHAI = (121.4737, 31.2304)
CITY = ZoneInfo("Asia/Shanghai")
SUN = "async ([moments, lon, lat]) => { const m = await import('/static/js/scene-sun.js'); return moments.map((at) => m.sunAt(at, lon, lat)); }"


def milliseconds(moment: dt.datetime) -> float:
    return moment.timestamp() * 1000


def almanac(moment: dt.datetime, lon: float, lat: float) -> tuple[float, float]:
    """Return azimuth and altitude by the low-precision formula of the Astronomical Almanac (page C5), another one than ours."""
    days = moment.timestamp() / 86_400 - 10_957.5
    g = math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(280.460 + 0.9856474 * days + 1.915 * math.sin(g) + 0.020 * math.sin(2 * g))
    tilt = math.radians(23.439 - 0.0000004 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    sidereal = math.radians((18.697374558 + 24.06570982441908 * days) * 15 + lon)
    hour, phi = sidereal - ascension, math.radians(lat)
    east = -math.cos(declination) * math.sin(hour)
    north = math.cos(phi) * math.sin(declination) - math.sin(phi) * math.cos(declination) * math.cos(hour)
    up = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(hour)
    return math.degrees(math.atan2(east, north)) % 360, math.degrees(math.asin(up))


def test_the_sun_stands_where_the_almanac_says(page: Any, live_city: str) -> None:
    page.goto(f"{live_city}/help")
    rng = random.Random(7)
    moments = [
        dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=rng.randrange(6 * 365 * 1440)) for _ in range(400)
    ]
    found = page.evaluate(SUN, [[milliseconds(one) for one in moments], *SHANGHAI])
    for moment, sun in zip(moments, found, strict=True):
        azimuth, altitude = almanac(moment, *SHANGHAI)
        assert sun["altitude"] == pytest.approx(altitude, abs=0.03), moment
        turned = (sun["azimuth"] - azimuth + 180) % 360 - 180
        assert turned * math.cos(math.radians(altitude)) == pytest.approx(0, abs=0.03), moment


def test_noon_of_the_solstices_and_sunrise_are_those_that_are_published(page: Any, live_city: str) -> None:
    """Noon is as high as latitude and tilt say; at the published sunrise and sunset of Shanghai the disc touches the horizon."""
    page.goto(f"{live_city}/help")

    def suns(day: dt.date, clocks: Sequence[str]) -> list[dict[str, float]]:
        moments = [dt.datetime.combine(day, dt.time.fromisoformat(clock), CITY) for clock in clocks]
        return list(page.evaluate(SUN, [[milliseconds(one) for one in moments], *SHANGHAI]))

    minutes = [f"{11 + at // 60:02}:{at % 60:02}" for at in range(30, 110)]
    # the sun crosses the equator on 20 March 2026 at 22:46 of the city, eleven hours after noon, by 0.395° a day
    for day, tilt in ((dt.date(2026, 6, 21), 23.437), (dt.date(2026, 12, 22), -23.437), (dt.date(2026, 3, 20), -0.18)):
        highest = max(suns(day, minutes), key=lambda sun: sun["altitude"])
        assert highest["altitude"] == pytest.approx(90 - SHANGHAI[1] + tilt, abs=0.03)
        assert highest["azimuth"] == pytest.approx(180, abs=2)
    rise, down = suns(dt.date(2026, 6, 21), ("04:51", "19:01"))  # 上海 2026年夏至日出日落
    assert rise["altitude"] == pytest.approx(-0.83, abs=0.25)
    assert down["altitude"] == pytest.approx(-0.83, abs=0.25)
    assert 55 < rise["azimuth"] < 68
    assert 292 < down["azimuth"] < 305


SIGHT = """async ({bearing, pitch, zoom, pixels}) => {
  const sight = await import('/static/js/scene-sight.js');
  const map = document.getElementById('scene-map').quantu;
  map.jumpTo({center: [121.4737, 31.2304], bearing, pitch, zoom});
  return pixels.map((pixel) => {
    const ray = sight.rayThrough(map, pixel);
    const t = sight.groundAlong(ray);
    const there = t === null ? null : sight.pointAlong(ray, t);
    const own = map.unproject([pixel.x, pixel.y]);
    return {ground: there && sight.lonLatOf(there), own: [own.lng, own.lat], back: there && sight.pixelOf(map, there)};
  });
}"""


def test_a_line_of_sight_meets_the_ground_where_the_map_says(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    page.goto(f"{live_city}/scene")
    page.locator('#scene-map[data-ready="true"]').wait_for(state="attached", timeout=60_000)
    rng = random.Random(3)
    for bearing, pitch, zoom in ((0, 0, 15), (37, 45, 16.4), (-110, 60, 17.2), (180, 70, 18)):
        pixels = [{"x": rng.uniform(0, 900), "y": rng.uniform(420, 700)} for _ in range(20)]
        said = page.evaluate(SIGHT, {"bearing": bearing, "pitch": pitch, "zoom": zoom, "pixels": pixels})
        for pixel, one in zip(pixels, said, strict=True):
            metres = Geod(ellps="GRS80").inv(*one["ground"], *one["own"])[2]
            assert metres < 0.01, (bearing, pitch, pixel)
            assert math.hypot(one["back"]["x"] - pixel["x"], one["back"]["y"] - pixel["y"]) < 0.01


def first_met(at: Sequence[float], along: Sequence[float], polygon: shapely.Polygon, top: float) -> float | None:
    """Return where a ray first lies in a block, by walking along it in small steps."""
    step = 0.0005
    for number in range(1, int(3 / step)):
        x, y, z = (a + d * number * step for a, d in zip(at, along, strict=True))
        if 0 <= z <= top and shapely.contains_xy(polygon, x, y):
            return number * step
    return None


def test_a_line_of_sight_meets_a_block_where_a_walk_along_it_does(page: Any, live_city: str) -> None:
    page.goto(f"{live_city}/help")
    rng = random.Random(11)
    court = shapely.Polygon([(0, 0), (4, 0), (4, 3), (0, 3)], [[(1, 1), (1, 2), (3, 2), (3, 1)]])
    bent = shapely.Polygon([(0, 0), (5, 0), (5, 1), (1, 1), (1, 4), (0, 4)])
    met = 0
    for polygon in (court, bent):
        rings = [list(map(list, ring.coords)) for ring in (polygon.exterior, *polygon.interiors)]
        for _ in range(60):
            at = [rng.uniform(-6, 8), rng.uniform(-6, 8), rng.uniform(2.5, 8)]
            goal = [rng.uniform(0, 5), rng.uniform(0, 4), rng.uniform(0, 2)]
            along = [b - a for a, b in zip(at, goal, strict=True)]
            script = (
                "async ([ray, rings, top]) => (await import('/static/js/scene-sight.js')).blockAlong(ray, rings, top)"
            )
            said = page.evaluate(script, [{"at": at, "along": along}, rings, 2.0])
            walked = first_met(at, along, polygon, 2.0)
            if walked is None:
                assert said is None or said > 2.9 or grazes(at, along, said, polygon)
                continue
            met += 1
            assert said == pytest.approx(walked, abs=0.002)
    assert met > 60


def grazes(at: Sequence[float], along: Sequence[float], t: float, polygon: shapely.Polygon) -> bool:
    """Say whether a point met lies on an edge so shortly that a walk steps over it."""
    x, y, _ = (a + d * (t + 0.0006) for a, d in zip(at, along, strict=True))
    return not shapely.contains_xy(polygon, x, y)
