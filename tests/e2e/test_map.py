"""The map: what is under a click, points strewn on it, counted together from afar, and the circle of elders' services."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Spot, answer_of, jump, wait_until_drawn


def pixel_of(page: Any, lon: float, lat: float) -> tuple[float, float]:
    """Return where a point lies on the screen."""
    box = page.locator("#map").bounding_box()
    at = page.evaluate(
        "([lon, lat]) => { const p = document.getElementById('map').quantu.project([lon, lat]); return [p.x, p.y]; }",
        [lon, lat],
    )
    return box["x"] + at[0], box["y"] + at[1]


def look_at(page: Any, lon: float, lat: float, zoom: float) -> None:
    """Move the map without animation and wait for its tiles."""
    jump(page, "#map", (lon, lat), zoom)


def drawn(page: Any, layer: str) -> list[dict[str, Any]]:
    """Return the features of a layer that are on the screen."""
    return page.evaluate(
        "(layer) => document.getElementById('map').quantu.queryRenderedFeatures({layers: [layer]})"
        ".map((f) => ({properties: f.properties, at: f.geometry.coordinates}))",
        layer,
    )


@pytest.mark.covers("ELD-MAP-01a", via="web.doors.finder.cards:make_card")
def test_a_click_on_the_map_tells_the_attributes_of_what_is_there(open_page: Any, live_city: str, elders: Spot) -> None:
    from geo.scope import Scope
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility
    from services.facilities.queries import facility_detail

    page = open_page(1440, 900, device_scale_factor=1, reduced_motion="reduce")
    page.goto(f"{live_city}/?kinds=eldercare")
    wait_until_drawn(page)
    facility = Facility.objects.filter(kind__in=kinds_named("eldercare"), status="open").order_by("id").first()
    detail = facility_detail(facility.pk, scope=Scope.public())
    lon, lat = facility.geom.x, facility.geom.y

    # On its point: its card.
    look_at(page, lon, lat, 17.5)
    page.mouse.click(*pixel_of(page, lon, lat))
    card = page.locator("#card")
    card.locator(f"text={facility.name}").first.wait_for()
    said = card.inner_text()
    for words in (
        facility.address_text,
        detail.place.kind_name,
        *(words for label, words in detail.said if label not in {"每月收费起", "每月收费止"}),
    ):
        assert words in said
    page.locator("#card [data-close]").click()

    # Beside it: what is there, the same attributes, and where this is. Clicked where no point is drawn, as on a bare base map.
    page.locator(".map-layers summary").click()
    page.get_by_role("checkbox", name="交通").check()
    page.keyboard.press("Escape")
    page.mouse.click(*pixel_of(page, lon + 0.00025, lat))
    card.locator(".here-card").wait_for()
    said = card.inner_text()
    assert facility.name in said
    for label, words in detail.said:
        if label not in {"性质", "每月收费起", "每月收费止"}:
            assert words in said
    page.get_by_role("link", name="从这里出发").click()
    page.wait_for_url("**lon=**")
    assert abs(answer_of(page)["origin"]["lon"] - lon - 0.00025) < 0.0001


@pytest.mark.covers("ELD-MAP-04a", via="layers.tiling:layer_tile")
def test_points_are_strewn_on_the_map_and_a_place_is_found_on_it(open_page: Any, live_city: str, elders: Spot) -> None:
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility

    page = open_page(1440, 900, reduced_motion="reduce")
    page.goto(live_city)
    wait_until_drawn(page)
    page.locator(".map-layers summary").click()
    page.get_by_role("checkbox", name="养老").check()
    look_at(page, elders.lon, elders.lat, 16.6)
    shown = {feature["properties"]["id"] for feature in drawn(page, "points")}
    west, south, east, north = page.evaluate("() => document.getElementById('map').quantu.getBounds().toArray().flat()")
    there = {
        facility.pk
        for facility in Facility.objects.filter(kind__in=kinds_named("eldercare"), status="open")
        if west < facility.geom.x < east and south < facility.geom.y < north
    }
    assert there
    assert there <= shown
    kinds = set(Facility.objects.filter(pk__in=shown).values_list("kind", flat=True))
    assert kinds <= set(kinds_named("eldercare"))

    # From a place's page to the place on the map: it is in sight, numbered and selected.
    place = Facility.objects.get(pk=min(there))
    page.goto(f"{live_city}/places/{place.pk}")
    page.get_by_role("link", name="在地图上看").click()
    wait_until_drawn(page)
    pin = page.locator(f'.pin[data-id="{place.pk}"]')
    assert "selected" in pin.get_attribute("class")
    box, tip = page.locator("#map").bounding_box(), pin.bounding_box()
    assert box["x"] < tip["x"] < box["x"] + box["width"]
    assert box["y"] < tip["y"] < box["y"] + box["height"]
    x, y = pixel_of(page, place.geom.x, place.geom.y)
    assert abs(tip["x"] + tip["width"] / 2 - x) < 2
    assert abs(tip["y"] + tip["height"] - y) < 3

    # And oneself on it.
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": elders.lon, "latitude": elders.lat})
    page.locator("#locate").click()
    page.wait_for_url("**%E6%88%91%E7%9A%84%E4%BD%8D%E7%BD%AE**")
    wait_until_drawn(page)
    page.wait_for_function(
        """([lon, lat]) => {
            const map = document.getElementById('map').quantu, dot = document.querySelector('.origin');
            if (!dot || map.isMoving()) return false;
            const at = map.project([lon, lat]), box = map.getContainer().getBoundingClientRect();
            const drawn = dot.getBoundingClientRect();
            return Math.hypot(drawn.x + drawn.width / 2 - box.x - at.x, drawn.y + drawn.height / 2 - box.y - at.y) < 3;
        }""",
        arg=[elders.lon, elders.lat],
    )
    x, y = pixel_of(page, elders.lon, elders.lat)
    dot = page.locator(".origin").bounding_box()
    assert abs(dot["x"] + dot["width"] / 2 - x) < 3
    assert abs(dot["y"] + dot["height"] / 2 - y) < 3


@pytest.mark.covers("ELD-MAP-05", via="tiles.mvt:draw_tile")
def test_points_are_counted_together_by_scale_and_come_apart(open_page: Any, live_city: str, elders: Spot) -> None:
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility

    page = open_page(1440, 900, reduced_motion="reduce")
    page.goto(f"{live_city}/?kinds=eldercare")
    wait_until_drawn(page)
    places = Facility.objects.filter(kind__in=kinds_named("eldercare"), status="open")
    levels = []
    for zoom in (10.2, 12.2, 14.2):
        look_at(page, elders.lon, elders.lat, zoom)
        clusters = {
            tuple(round(x, 5) for x in one["at"]): one["properties"]["count"] for one in drawn(page, "clusters")
        }
        singles = {one["properties"].get("id") for one in drawn(page, "points")}
        levels.append((len(clusters) + len(singles), sum(clusters.values()) + len(singles)))
    assert levels[0][0] < levels[1][0]
    assert levels[0][1] == places.count()  # from afar the whole tiny city is in sight: every place is counted once
    assert drawn(page, "cluster-count") or not drawn(page, "clusters")

    # A number on the map is a number of places there, and a click on it comes nearer until they stand alone.
    look_at(page, elders.lon, elders.lat, 10.2)
    biggest = max(drawn(page, "clusters"), key=lambda one: one["properties"]["count"])
    before = page.evaluate("() => document.getElementById('map').quantu.getZoom()")
    page.mouse.click(*pixel_of(page, *biggest["at"]))
    page.wait_for_function(f"() => document.getElementById('map').quantu.getZoom() > {before} + 1.5")
    look_at(page, elders.lon, elders.lat, 16.6)
    assert drawn(page, "clusters") == []


@pytest.mark.covers("ELD-RES-01a", "ELD-RES-01c", "ELD-RES-01k", via="web.doors.finder.find:answer")
def test_the_map_of_services_for_elders_circle_details_and_a_search_for_oneself(
    open_page: Any, live_city: str, elders: Spot
) -> None:
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility

    page = open_page(1440, 900, reduced_motion="reduce")
    page.goto(live_city)
    # One's own question: where I live, what I need, how I walk.
    page.get_by_role("combobox").fill(elders.name)
    page.get_by_role("option", name=elders.name).first.click()
    page.wait_for_url("**lon=**")
    page.locator("#menu-kinds summary").click()
    page.locator("#menu-kinds").get_by_role("radio", name="全部养老").click()
    page.wait_for_url("**kinds=eldercare**")
    page.get_by_role("radio", name="老人").click()
    page.wait_for_url("**mode=elder**")
    page.wait_for_function("() => JSON.parse(document.getElementById('answer').textContent).traveller === '老人步行'")
    wait_until_drawn(page)

    # The fifteen-minute circle is on the map, and the services in it are in the list with the same numbers.
    answer = answer_of(page)
    assert answer["minutes"] == 15
    assert [band["minutes"] for band in answer["bands"]] == [5, 10, 15]
    outer = page.evaluate(
        "() => document.getElementById('map').quantu.queryRenderedFeatures({layers: ['outer']}).length"
    )
    assert outer > 0
    assert "老人步行 15 分钟可到" in page.locator("#map-title").inner_text()
    assert "15 分钟" in page.locator("#legend").inner_text()
    ids = [place["id"] for place in answer["places"]]
    assert ids
    assert page.locator(".pin").count() == page.locator("#rows .row").count() == len(ids)
    assert set(Facility.objects.filter(pk__in=ids).values_list("kind", flat=True)) <= set(kinds_named("eldercare"))

    # From the map to the details and from the details back to the map.
    page.locator(f'.pin[data-id="{ids[0]}"]').click()
    page.locator(f'#card [data-id="{ids[0]}"]').wait_for()
    facility = Facility.objects.get(pk=ids[0])
    assert facility.address_text in page.locator("#card").inner_text()
    page.locator("#card .card-name a").click()
    page.wait_for_url(f"**/places/{ids[0]}**")
    assert facility.phone in page.locator("main").inner_text()
    page.get_by_role("link", name="在地图上看").click()
    wait_until_drawn(page)
    assert "selected" in page.locator(f'.pin[data-id="{ids[0]}"]').get_attribute("class")


def test_map_carries_legend_scale_attribution_and_approval_number(
    open_page: Any, live_city: str, families: Spot
) -> None:
    for width, height in ((390, 844), (1440, 900)):
        page = open_page(width, height, reduced_motion="reduce")
        page.goto(f"{live_city}/?{families.query(mode='pram')}")
        wait_until_drawn(page)
        assert "审图号" in page.locator(".attribution").inner_text()
        assert page.locator("#scale-text").inner_text().endswith(("米", "公里"))
        assert page.locator(".demo-badge:visible").count() == 1
        if width > 640:
            assert page.locator("#legend").inner_text().count("分钟") == 3


def test_without_webgl_the_list_stands_alone(open_page: Any, live_city: str, families: Spot) -> None:
    page = open_page(390, 844, reduced_motion="reduce")
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    assert not page.locator("#map").is_visible()
    assert page.locator("#rows .row").count() == len(answer_of(page)["places"])
    page.get_by_role("radio", name="30 分钟").click()
    page.wait_for_url("**minutes=30**")
    page.locator("#rows .row-name").first.click()
    page.wait_for_url("**/places/*")
