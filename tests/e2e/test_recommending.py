"""Recommending in a browser: agreed to, noted by what a family sees and clicks, and marked alike by list and map."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from tests.e2e.conftest import Spot, answer_of, faults_of, wait_for_map


@pytest.fixture
def recommending(live_city: str) -> Iterator[str]:
    """Return the address of a city that recommends; the other journeys of the module find it off again."""
    from services.modules.finder.recommending.models import RecommendingSwitch

    row = RecommendingSwitch.objects.create(city="shanghai", on=True, changed_by="shi", changed_at=timezone.now())
    yield live_city
    row.delete()


def traced() -> list[str]:
    from services.modules.finder.recommending.models import Trace

    return list(Trace.objects.order_by("pk").values_list("act", flat=True))


def test_filters_are_noted_when_they_come_into_sight_and_a_place_when_it_is_opened(
    open_page: Any, recommending: str
) -> None:
    page = open_page(390, 844)
    page.goto(f"{recommending}/my/recommending")
    page.get_by_role("button", name="同意并开启").click()
    page.goto(f"{recommending}/places?kinds=childcare")
    assert "filters" not in traced()  # folded away on a telephone
    with page.expect_response("**/places/used"):
        page.locator(".show-filters").click()
    assert traced().count("filters") == 1
    first = page.locator("#rows .row-name").first
    first.click()
    page.wait_for_url("**/places/*")
    # the beacon is on its way while the page changes: a browser tells of its answer to nobody
    end = time.monotonic() + 20
    while "click" not in traced():
        assert time.monotonic() < end, traced()
        page.wait_for_timeout(100)
    page.goto(f"{recommending}/my/recommending")
    page.get_by_role("button", name="关闭并删除全部").click()
    page.get_by_text("为推荐保存的内容都删除了").wait_for()
    assert traced() == []


def test_list_and_map_mark_the_same_places_and_the_pages_are_sound(
    open_page: Any, recommending: str, elders: Spot
) -> None:
    page = open_page(1440, 900)
    page.goto(f"{recommending}/elder?{elders.query(sort='recommended')}")
    wait_for_map(page)
    marked = [str(place["id"]) for place in answer_of(page)["places"] if place["recommended"]]
    assert 1 <= len(marked) <= 3
    rows = page.locator("#rows .row:has(.tag.good:has-text('推荐'))")
    assert rows.evaluate_all("rows => rows.map((row) => row.dataset.id)") == marked
    pins = page.locator(".pin.recommended").evaluate_all("pins => pins.map((pin) => pin.dataset.id)")
    assert sorted(pins) == sorted(marked)
    assert "推荐" in page.locator(f'.pin[data-id="{marked[0]}"]').get_attribute("aria-label")
    assert "推荐" in page.locator("#legend").inner_text()
    assert faults_of(page) == []
    page.goto(f"{recommending}/my/recommending")
    page.get_by_role("button", name="同意并开启").click()
    assert faults_of(page) == []
    page.goto(f"{recommending}/places?kinds=eldercare")
    assert faults_of(page) == []
    page.get_by_role("link", name="为什么推荐").first.click()
    page.get_by_role("heading", name="为什么推荐").wait_for()
    assert faults_of(page) == []
