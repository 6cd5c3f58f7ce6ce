"""养老一张图: the map of the finder with what elders look for, its menu, the caller's own services and messages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Spot, answer_of, faults_of, wait_for_map

PAGES = ("/elder", "/elder/mine")


def test_the_map_of_elders_is_the_same_engine_with_their_kinds_and_pace(
    open_page: Any, live_city: str, elders: Spot
) -> None:
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility

    page = open_page(1440, 900)
    page.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(page)
    found = answer_of(page)
    assert (found["kinds"], found["minutes"], found["traveller"]) == ("eldercare", 15, "老人步行")
    kinds = set(Facility.objects.filter(pk__in=[one["id"] for one in found["places"]]).values_list("kind", flat=True))
    assert kinds <= set(kinds_named("eldercare"))
    assert page.get_by_role("navigation", name="养老一张图", exact=True).get_by_role("link").count() >= 4
    # Another kind, a card and the page of a place keep the theme.
    page.get_by_role("radio", name="长者食堂").check(force=True)
    page.wait_for_url("**/elder?**kinds=canteen**")
    page.locator("#rows [data-place]").first.click()
    page.wait_for_url("**/elder?**place=**")
    page.locator("#card .card-name a").click()
    page.wait_for_url("**/places/*theme=elder**")
    page.locator(".back a").click()
    page.wait_for_url("**/elder?**")
    assert answer_of(page)["kinds"] == "canteen"


def test_kept_places_stand_in_a_list_and_as_pins(open_page: Any, live_city: str, elders: Spot) -> None:
    page = open_page(390, 844)
    page.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(page)
    first = answer_of(page)["places"][0]
    page.goto(f"{live_city}/places/{first['id']}?theme=elder")
    page.locator("[data-save]").first.click()
    page.locator('[data-save][aria-pressed="true"]').first.wait_for()
    page.goto(f"{live_city}/elder/mine")
    wait_for_map(page)
    assert page.locator(f'.care-mine [data-place="{first["id"]}"]').inner_text() == first["name"]
    assert [one["name"] for one in answer_of(page)["places"]] == [first["name"]]
    page.locator(f'.pin[data-id="{first["id"]}"]').click()
    page.locator(f'#card [data-id="{first["id"]}"]').wait_for()


@pytest.mark.parametrize("look", ["light", "dark", "elder"])
def test_everybody_can_use_every_page_of_it(open_page: Any, live_city: str, elders: Spot, look: str) -> None:
    page = open_page(390, 844, color_scheme="dark" if look == "dark" else "light")
    if look == "elder":
        page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    faults = {}
    for path in (*PAGES, f"/elder?{elders.query()}"):
        page.goto(f"{live_city}{path}")
        if found := faults_of(page):
            faults[path] = found
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    assert faults == {}
