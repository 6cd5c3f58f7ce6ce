"""养老一张图 as one page: on the city's 一张图 people find themselves, scatter, circle, measure, go, and see supply against demand."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import numpy as np
import pytest
import shapely
from django.utils import timezone
from PIL import Image
from pyproj import Geod
from shapely.geometry import Polygon

from geo.crs import SHANGHAI
from services.integrations.basemaps.simulator import Simulator
from tests.e2e.conftest import Spot, answer_of, faults_of, wait_for_map, wait_until_drawn
from tests.e2e.test_basemaps import KEY, connect, ground_of, imagery, is_field
from tests.e2e.test_desk import sign_in
from tests.e2e.test_map import drawn, look_at
from tests.e2e.test_measure import ELLIPSOID, projected
from tests.e2e.test_way import line_of
from tests.services.gaps.measured import held, measure
from tests.services.gaps.test_supply import elders as elders_of
from tests.services.gaps.test_supply import half_in, only_here, require_rates, sql, told

__all__ = ["imagery"]
INSIDE = """SELECT kind_id, count(*), sum(places) FROM facilities_facility WHERE status = 'open' AND retired_at IS NULL
    AND ST_Intersects(geom, ST_SetSRID(ST_GeomFromText(%s), 4490)) GROUP BY 1"""


@pytest.fixture
def measured(live_city: str) -> None:
    """Let the walks to the kinds for elders be measured, in a city of one district."""
    from services.facilities.kinds.current import look_again
    from services.facilities.models import FacilityKind

    only_here()
    others = FacilityKind.objects.exclude(group="eldercare").filter(retired_at=None)
    keys = list(others.values_list("key", flat=True))
    others.update(retired_at=timezone.now())
    look_again()
    measure()
    FacilityKind.objects.filter(key__in=keys).update(retired_at=None)
    look_again()


def click_at(page: Any, spots: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """Click on the map at pixels of it and return the points (degrees) that lie there."""
    box = page.locator("#map").bounding_box()
    points = []
    for x, y in spots:
        points.append(
            tuple(page.evaluate("(p) => document.getElementById('map').quantu.unproject(p).toArray()", [x, y]))
        )
        page.mouse.click(box["x"] + x, box["y"] + y)
    return points


def on_onemap(page: Any, live_city: str, imagery: Simulator) -> None:
    """Let a manager connect the city's 一张图 over WMTS and have the map of elders begin on it."""
    sign_in(page, live_city, "shi", "/desk/basemaps")
    connect(
        page, live_city, title="一张图", key="onemap", view="电子地图", kind="WMTS", address=f"{imagery.url}/img_w/wmts", layer="img",
        secret=KEY, attribution="© 上海市大数据中心“一张图”", approval="沪S（2026）1号",
    )  # fmt: skip
    page.get_by_role("checkbox", name="养老一张图先用它").check()
    page.get_by_role("button", name="保存").click()
    page.get_by_text("已保存，马上生效").wait_for()


@pytest.mark.covers("ELD-RES-03", via="services.gaps.supply:supply_in")
def test_supply_and_demand_are_matched_on_one_map(
    open_page: Any, live_city: str, elders: Spot, imagery: Simulator, measured: None
) -> None:
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility

    desk = open_page(1440, 900)
    on_onemap(desk, live_city, imagery)
    page = open_page(
        1440, 900, permissions=["geolocation"], geolocation={"longitude": elders.lon, "latitude": elders.lat},
        reduced_motion="reduce",
    )  # fmt: skip

    # The base is 一张图, drawn from its own tiles, and says so.
    page.goto(f"{live_city}/elder")
    wait_until_drawn(page)
    assert any(each.endswith("GetTile") for each in imagery.asked)
    assert is_field(ground_of(page, "#map"))
    assert page.locator(".attribution").inner_text() == "© 上海市大数据中心“一张图” · 审图号：沪S（2026）1号"

    # 撒点 and 聚合: every open service for elders is on the map once, alone or counted.
    look_at(page, elders.lon, elders.lat, 10.2)
    everywhere = Facility.objects.filter(kind__in=kinds_named("eldercare"), status="open", retired_at=None)
    counted = {tuple(round(x, 5) for x in one["at"]): one["properties"]["count"] for one in drawn(page, "clusters")}
    alone = {one["properties"]["id"] for one in drawn(page, "points")}
    assert max(counted.values()) > 1
    assert sum(counted.values()) + len(alone) == everywhere.count()

    # 定位: by the permission of who asks; the list and the pins are the topic's own places (专题库).
    page.locator("#locate").click()
    page.wait_for_url("**lon=**")
    page.locator(".pin").first.wait_for()
    found = answer_of(page)
    assert abs(found["origin"]["lon"] - elders.lon) < 1e-5
    assert abs(found["origin"]["lat"] - elders.lat) < 1e-5
    assert found["places"]
    assert everywhere.filter(pk__in=[one["id"] for one in found["places"]]).count() == len(found["places"])
    assert page.locator(".pin").count() == len(found["places"])
    assert faults_of(page) == []

    # 测距: on the ellipsoid and on the plane of the city, as PROJ has them.
    look_at(page, elders.lon, elders.lat, 14)
    page.get_by_role("button", name="测距：量距离和面积").click()
    lons, lats = zip(*click_at(page, [(300, 400), (500, 420), (480, 620)]), strict=True)
    east, north = projected(SHANGHAI.plane).transform(lons, lats)
    said = {
        one: float(page.locator(f'[data-figure="{one}"]').inner_text().replace(",", ""))
        for one in ("length", "plane-length", "area", "plane-area")
    }
    assert said["length"] == pytest.approx(ELLIPSOID.line_length(lons, lats), abs=0.006)
    assert said["plane-length"] == pytest.approx(float(np.hypot(np.diff(east), np.diff(north)).sum()), abs=0.006)
    assert said["area"] == pytest.approx(abs(Geod(ellps="GRS80").polygon_area_perimeter(lons, lats)[0]), rel=2e-6)
    assert said["plane-area"] == pytest.approx(Polygon(zip(east, north, strict=True)).area, rel=1e-7)
    assert "投影变形" in page.locator("#measure-why").inner_text()

    # 圈选: another tool ends this one; what lies in the ground is counted as the database counts it.
    page.get_by_role("button", name="圈选：看一个地方的服务供需").click()
    assert page.locator("#measure").is_hidden()
    look_at(page, elders.lon, elders.lat, 13)
    page.get_by_role("radio", name="多边形").check()
    corners = click_at(page, [(200, 330), (620, 320), (640, 680), (220, 640)])
    page.locator("#circling").get_by_role("button", name="看供需").click()
    card = page.locator("#card .supply")
    card.wait_for()
    ground = shapely.Polygon([(round(lon, 6), round(lat, 6)) for lon, lat in corners])
    inside = sql(INSIDE, ground.wkt)
    supply = told(card.inner_html())
    total = 0
    for kind in kinds_named("eldercare"):
        count, places = inside.get(kind, (0, None))
        total += count
        assert supply[kind]["count"] == f"{count:,}"
        assert supply[kind]["places"] == (f"{places:,}" if places is not None else "")
    assert card.locator(".card-name").inner_text() == f"{total:,} 家养老服务"
    assert (
        page.evaluate(
            "() => document.getElementById('map').quantu.getSource('circled-places').serialize().data.features.length"
        )
        == total
    )
    assert faults_of(page) == []

    # 供给与需求: elders of whole committees, rates against the city, and how many of them walk there.
    own = half_in(ground)
    assert own
    assert f"{elders_of(own):,} 人" in card.inner_text()
    assert f"{elders_of(own, 80):,} 人" in card.inner_text()
    require_rates(supply, own)
    rows, walks = held("canteen")
    persons = {each: elders_of({each}) for each in own}
    at = [place for place, unit in enumerate(rows.units.tolist()) if unit in persons]
    weights = np.array([persons[rows.units[place]] for place in at])
    share = float((weights * walks.within[at, 2]).sum() / weights.sum())
    assert supply["canteen"]["percent"] == str(round(100 * share))

    # 匹配: for what is missing or short the nearest place outside is named, and led to (导航) step by step.
    wanting = [kind for kind, one in supply.items() if one["count"] == "0" or one["verdict"] == "short"]
    assert wanting
    near = card.locator(".supply-near a").first
    kind = card.locator("li[data-kind]", has=page.locator(".supply-near")).first.get_attribute("data-kind")
    assert kind in wanting
    place = everywhere.get(pk=int(re.search(r"place=(\d+)", near.get_attribute("href"))[1]))
    assert place.kind_id == kind
    assert not ground.contains(shapely.Point(place.geom.x, place.geom.y))
    page.locator("#card [data-close]").click()
    first = found["places"][-1]
    page.locator(f'.row[data-id="{first["id"]}"] .row-name').click()
    line = line_of(page, first["id"])
    assert abs(line[-1][0] - first["lon"]) < 1e-5
    page.locator("#card summary", has_text="怎么走").click()
    steps = page.locator("#card .card-steps li").all_inner_texts()
    route = page.request.get(
        f"{live_city}/api/v1/route",
        params={
            "lon": f"{elders.lon:.6f}",
            "lat": f"{elders.lat:.6f}",
            "place": first["id"],
            "mode": "elder",
            "crs": "cgcs2000",
        },
    ).json()
    assert len(steps) == len(route["steps"]) + 1
    for words, step in zip(steps, route["steps"], strict=False):
        assert words.startswith(step["said"])
    assert steps[-1] == f"到{first['name']}"
    assert abs(sum(step["metres"] for step in route["steps"]) - route["metres"]) < 120  # but for both doors
    assert page.locator("#card [data-navigate]").get_attribute("href").startswith("http")
    assert faults_of(page) == []

    # 监管人员: the same page leads on to the gaps and the figures of the region.
    desk.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(desk)
    desk.get_by_role("button", name="圈选：看一个地方的服务供需").click()
    desk.get_by_role("radio", name="街镇").check()
    box = desk.locator("#map").bounding_box()
    at_spot = desk.evaluate(
        "([lon, lat]) => { const p = document.getElementById('map').quantu.project([lon, lat]); return [p.x, p.y]; }",
        [elders.lon, elders.lat],
    )
    desk.mouse.click(box["x"] + at_spot[0], box["y"] + at_spot[1])
    links = desk.locator("#card .supply-staff a")
    links.first.wait_for()
    addresses = [link.get_attribute("href") for link in links.all()]
    assert [re.sub(r"\?.*", "", each) for each in addresses] == ["/plan/gaps", "/watch/areas/elder_places"]
    for address in addresses:
        assert desk.request.get(f"{live_city}{address}").status == 200
    assert page.locator("#card .supply-staff").count() == 0


def test_on_a_phone_in_the_dark_the_tools_and_the_card_fit(open_page: Any, live_city: str, elders: Spot) -> None:
    page = open_page(390, 844, has_touch=True, color_scheme="dark", reduced_motion="reduce")
    page.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(page)
    page.get_by_role("button", name="圈选：看一个地方的服务供需").click()
    page.locator("#circling").wait_for()
    assert faults_of(page) == []
    page.get_by_role("radio", name="几分钟能走到").check(force=True)
    # By keyboard alone: the middle of the map.
    page.locator(".maplibregl-canvas").focus()
    page.keyboard.press("Enter")
    page.locator("#card .supply").wait_for()
    assert page.locator("#circling").is_hidden()
    assert "老人 15 分钟" in page.locator("#card .supply").inner_text().replace("老人步行", "老人")
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wait_until_drawn(page)
    page.wait_for_timeout(600)
    above = Image.open(io.BytesIO(page.screenshot())).convert("RGB").crop((20, 150, 370, 330))
    assert len(above.getcolors(above.width * above.height)) > 1500, "above the card the map is still seen"
    page.locator("#card [data-close]").click()
    page.wait_for_function(
        "() => !document.getElementById('map').quantu.getSource('circled').serialize().data.geometry"
    )
    address = page.evaluate("() => document.getElementById('circling').getAttribute('action')")
    assert address == "/elder/supply"


@pytest.mark.parametrize("look", ["light", "dark", "elder"])
def test_without_a_map_the_page_of_supply_says_the_same(
    open_page: Any, live_city: str, elders: Spot, look: str
) -> None:
    page = open_page(390, 844, color_scheme="dark" if look == "dark" else "light", java_script_enabled=look != "light")
    if look == "elder":
        page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    page.goto(f"{live_city}/elder/supply")
    page.get_by_label("从哪里算").fill(elders.name)
    page.get_by_role("button", name="看供需").click()
    page.locator(".supply-answer .supply").wait_for()
    plain = told(page.locator(".supply-answer").inner_html())
    card = page.request.get(
        f"{live_city}/elder/supply?how=reach&minutes=15&mode=elder&{elders.query()}", headers={"HX-Request": "true"}
    ).text()
    assert plain == told(card)
    assert json.loads(re.search(r'id="ground" type="application/json">(.+?)</script>', card)[1])["places"]
    if look != "light":
        assert faults_of(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
