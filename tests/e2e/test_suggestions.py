"""The search box of the first door typed into by hand: pinyin, initials, mistakes, half addresses, picked by the keyboard."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pypinyin import Style, lazy_pinyin

from geo.roads.models import RoadName
from tests.e2e.conftest import faults_of, wait_for_map

SHOTS = os.environ.get("QUANTU_SHOTS", "")
"""A folder for pictures of the box, for people to look at."""


def type_slowly(page: Any, text: str) -> Any:
    """Type key by key, wait for what is offered for all of it, and return the options."""
    box = page.get_by_role("combobox")
    box.fill("")
    page.wait_for_function("() => document.getElementById('suggestions').hidden")
    box.press_sequentially(text, delay=20)
    page.wait_for_function("text => document.getElementById('suggestions').dataset.answers === text", arg=text)
    return page.locator("#suggestions [role=option]")


def shoot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


@pytest.fixture
def road(live_city: str) -> RoadName:
    """Return a long road with a name of its own, of four characters, each read in one way."""
    every = list(RoadName.objects.filter(mapped=True, name__regex=r"^[^东西南北中一二三]{3}路$").order_by("-length_m"))
    names = [row.name for row in every]
    return next(row for row in every if names.count(row.name) == 1)


@pytest.mark.parametrize("width", [390, 1440])
def test_letters_initials_and_a_mistake_lead_to_the_road(
    open_page: Any, live_city: str, road: RoadName, width: int
) -> None:
    page = open_page(width, 844 if width < 1000 else 900)
    page.goto(live_city)
    letters = "".join(lazy_pinyin(road.name))
    initials = "".join(lazy_pinyin(road.name, style=Style.FIRST_LETTER))
    for text in (letters[:-1], initials, f"{road.name[0]}{''.join(lazy_pinyin(road.name[1:]))}"):
        options = type_slowly(page, text)
        labels = options.locator("b").all_inner_texts()
        assert road.name in labels, text
        assert options.first.get_attribute("data-corrected") is None
    assert faults_of(page) == []
    shoot(page, f"initials-{width}")

    mistyped = f"{road.name[1]}{road.name[0]}{road.name[2:]}"
    options = type_slowly(page, mistyped)
    page.get_by_text(f"没有“{mistyped}”。您是不是要找：").wait_for()
    group = page.get_by_role("group", name="您是不是要找")
    assert road.name in group.locator("b").all_inner_texts()
    assert options.count() == page.locator("#suggestions [data-corrected]").count()
    page.wait_for_function("() => document.getElementById('announce').textContent.includes('您是不是要找')")
    assert faults_of(page) == []
    shoot(page, f"mistyped-{width}")

    at = group.locator("b").all_inner_texts().index(road.name)
    for _ in range(at + 1):
        page.keyboard.press("ArrowDown")
    shoot(page, f"picked-{width}")
    page.keyboard.press("Enter")
    page.wait_for_url("**lon=**")
    assert parse_qs(urlsplit(page.url).query)["at"] == [road.name]


def test_a_half_typed_number_is_continued_by_number(page: Any, live_city: str) -> None:
    from geo.addresses.models import Address

    numbers: dict[str, set[int]] = {}
    for name, number in Address.objects.filter(retired_at=None, lane="", suffix="").values_list("road", "number"):
        if number.isdecimal():
            numbers.setdefault(name, set()).add(int(number))
    name, known = next(
        (name, some) for name, some in sorted(numbers.items()) if sum(str(one)[0] == "1" for one in some) > 3
    )
    page.goto(live_city)
    labels = type_slowly(page, f"{name}1").locator("b").all_inner_texts()
    offered = [
        int("".join(sign for sign in label.removeprefix(name).partition("号")[0] if sign.isdecimal()))
        for label in labels
    ]
    doors = [one for label, one in zip(labels, offered, strict=True) if label.startswith(name) and "弄" not in label]
    assert doors == sorted(doors)
    assert set(doors) <= known
    shoot(page, "number")


def test_what_is_near_the_middle_of_the_map_comes_first(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    page.goto(live_city)
    wait_for_map(page)
    rows = list(RoadName.objects.filter(mapped=True).order_by("-length_m")[:40])
    west, east = min(rows, key=lambda row: row.geom.x), max(rows, key=lambda row: row.geom.x)
    offered = []
    for row in (west, east):
        page.evaluate(
            "([lon, lat]) => document.getElementById('map').quantu.jumpTo({center: [lon, lat], zoom: 14})",
            [row.geom.x, row.geom.y],
        )
        offered.append(type_slowly(page, "路").locator("b").all_inner_texts())
    assert offered[0] != offered[1]


def test_without_script_the_page_asks_what_was_meant(open_page: Any, live_city: str, road: RoadName) -> None:
    page = open_page(390, 844, java_script_enabled=False)
    mistyped = f"{road.name[1]}{road.name[0]}{road.name[2:]}"
    page.goto(live_city)
    page.get_by_role("combobox").fill(mistyped)
    page.get_by_role("button", name="查找").click()
    assert page.locator("h1").inner_text() == f"没有“{mistyped}”，您是不是要找"
    page.get_by_role("link", name=road.name, exact=True).first.click()
    assert parse_qs(urlsplit(page.url).query)["at"] == [road.name]
