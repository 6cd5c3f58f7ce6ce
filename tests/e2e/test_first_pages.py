"""What families open first is light, and is read before the map comes."""

from __future__ import annotations

from typing import Any

import pytest

from services.facilities.models import Facility
from tests.e2e.conftest import Spot, wait_for_map
from tests.e2e.slow_phone import first_paint_ms, is_for_map, largest_paint_ms, slow_down

MOST_BYTES = 300_000


def paths(home: Spot) -> dict[str, str]:
    place = Facility.objects.filter(kind="nursery", retired_at=None, status="open").order_by("pk").first()
    assert place is not None
    return {
        "start": "/",
        "circle": f"/?{home.query(kinds='childcare')}",
        "list": "/places",
        "place": f"/places/{place.pk}",
    }


@pytest.mark.parametrize("name", ["start", "circle", "list", "place"])
def test_a_first_page_is_small_and_read_before_the_map(
    open_page: Any, live_city: str, families: Spot, name: str
) -> None:
    page = open_page(390, 844, has_touch=True)
    cost = slow_down(page)
    page.goto(live_city + paths(families)[name], timeout=60_000)
    page.locator("h1").first.wait_for(state="attached")
    if page.locator("#map").count():
        wait_for_map(page)
    before = cost.before_the_map()
    assert len(before) > 5, "a page has styles and scripts: they were not counted"
    # this server packs nothing; nginx sends the same files in a third of the bytes
    assert sum(before.values()) <= MOST_BYTES, before
    blocking = page.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.renderBlockingStatus === 'blocking').map(e => e.name)"
    )
    assert blocking, "styles come before the first paint: they were not seen"
    assert [url for url in blocking if is_for_map(url)] == []
    assert 0 < first_paint_ms(page) <= largest_paint_ms(page)
