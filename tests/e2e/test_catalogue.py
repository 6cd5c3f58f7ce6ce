"""The catalogue: every layer and function, by class and by words, with what is known of it, a preview that works, and ways to have it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Spot, faults_of
from tests.e2e.test_desk import sign_in
from tests.reading import wait_for_maps

DRAWN = "() => document.getElementById('layer-map').quantu.queryRenderedFeatures().filter((each) => each.source === 'shown').length"


def titles(page: Any) -> list[str]:
    return [each.strip() for each in page.locator("#catalogue h3").all_inner_texts()]


def total(page: Any) -> int:
    return int("".join(sign for sign in page.locator("#found").inner_text().split("项")[0] if sign.isdigit()))


@pytest.mark.covers("ELD-MAP-03", via="layers.catalogue:find")
def test_all_data_and_function_services_are_listed_classed_found_told_of_and_previewed(
    open_page: Any, live_city: str, families: Spot
) -> None:
    from geo.scope import Scope
    from layers.catalogue import entries

    page = open_page(1440, 900)

    # The list holds every data service and every function service there is for the public.
    page.goto(f"{live_city}/layers")
    expect(page).to_have_title("空间资源目录 · 圈图")
    every = entries(scope=Scope.public())
    assert {each.kind for each in every} == {"data", "function"}
    assert total(page) == len(every) > 20
    listed = titles(page)
    while page.get_by_role("link", name="下一页").count():
        page.get_by_role("link", name="下一页").click()
        page.wait_for_load_state()
        listed += titles(page)
    assert sorted(listed) == sorted(each.title for each in every)

    # By class: the number beside a class is what it then lists.
    page.goto(f"{live_city}/layers")
    classes = page.get_by_role("navigation", name="分类")
    choice = classes.get_by_role("link", name="规划与围栏")
    promised = int(choice.locator(".count").inner_text())
    choice.click()
    page.wait_for_url("**category=plans*")
    assert total(page) == promised == len([each for each in every if each.category == "plans"])
    assert "对口片区" in titles(page)
    assert classes.get_by_role("link", name="规划与围栏").get_attribute("aria-current") == "true"
    page.goto(f"{live_city}/layers?kind=function")
    assert total(page) == len([each for each in every if each.kind == "function"])

    # Quickly: by a name, an attribute, how it sounds, and by the key /.
    for words, title in (
        ("公开围栏", "公开围栏"),
        ("对口幼儿园", "对口片区"),
        ("xingzhengquhua", "行政区划"),
        ("xzqh", "行政区划"),
        ("坐标转换", "坐标转换"),
    ):
        page.goto(f"{live_city}/layers")
        page.keyboard.press("/")
        page.keyboard.type(words)
        page.keyboard.press("Enter")
        page.wait_for_url("**q=*")
        assert title in titles(page), words
    page.keyboard.press("Escape")
    page.goto(f"{live_city}/layers?q=没有这样的东西")
    assert "没有找到" in page.locator("main").inner_text()

    # Information about one, and a preview of its data: the map draws it, and says what is under a click.
    page.goto(f"{live_city}/layers?q=行政区划&kind=data")
    page.get_by_role("link", name="行政区划", exact=True).click()
    page.wait_for_url("**/layers/regions")
    facts = dict(
        zip(
            page.locator("#facts + dl dt").all_inner_texts(),
            page.locator("#facts + dl dd").all_inner_texts(),
            strict=True,
        )
    )
    assert {"类别", "要素", "范围", "坐标系", "来源", "版权", "更新", "版本", "谁能看", "截至"} <= set(facts)
    assert facts["谁能看"] == "所有人，不用登录"
    known = page.request.get(f"{live_city}/api/v1/layers/regions").json()
    assert facts["要素"] == f"{known['features']:,} 个"
    assert facts["版本"] == known["edition"]
    assert known["as_of"]
    assert [each["name"] for each in known["attributes"]] == page.locator("#attributes + div code").all_inner_texts()
    assert page.locator("#rows + div tbody tr").count() == 5
    page.locator('#layer-map[data-ready="true"]').wait_for(state="attached", timeout=60_000)
    page.wait_for_function("() => document.getElementById('layer-map').quantu.getSource('shown')")
    wait_for_maps(page)
    assert page.evaluate(DRAWN)
    expect(page.locator(".legend-card")).to_be_visible()
    at = page.evaluate(f"() => document.getElementById('layer-map').quantu.project([{families.lon}, {families.lat}])")
    page.locator("#layer-map canvas").click(position={"x": at["x"], "y": at["y"]})
    expect(page.locator("#layer-said dl")).to_contain_text("名称")
    assert faults_of(page) == []

    # Of a layer that is drawn from near only the preview begins where there is some of it.
    page.goto(f"{live_city}/layers/buildings")
    page.wait_for_function("() => document.getElementById('layer-map').quantu?.getSource('shown')")
    wait_for_maps(page)
    assert page.evaluate(DRAWN)
    page.go_back()

    # What it says of how to have it holds.
    called = [each.input_value() for each in page.locator(".catalogue-call textarea").all()]
    assert page.request.get(next(one for one in called if one.endswith(".json"))).json()["tilejson"] == "3.0.0"
    items = next(one for one in called if one.startswith("curl")).split('"')[1]
    assert page.request.get(items).json()["features"]

    # A preview of a function: its example has a real answer, and another question another one.
    page.goto(f"{live_city}/layers?q=地址找位置")
    page.get_by_role("link", name="地址找位置").click()
    expect(page.locator("#tried-said")).to_contain_text("答复（200）")
    first = json.loads(page.locator("#tried").inner_text())
    assert "candidates" in first
    assert page.locator("#parameters + div").get_by_text("坐标系").count()
    page.get_by_label("q", exact=True).fill(families.name)
    page.get_by_role("button", name="试一下").click()
    expect(page.locator("#tried")).to_contain_text(families.name)
    assert faults_of(page) == []


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("look", ["light", "dark", "elder"])
def test_the_catalogue_is_for_everybody(open_page: Any, live_city: str, width: int, look: str) -> None:
    page = open_page(width, 900, color_scheme="dark" if look == "dark" else "light")
    if look == "elder":
        page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    for path in ("/layers", "/layers/places", "/functions/geocode", "/functions/convert", "/help/catalogue"):
        page.goto(live_city + path)
        assert faults_of(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_every_function_answers_its_example(open_page: Any, live_city: str) -> None:
    from layers.catalogue import services

    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", "/account")
    for key, spec in services().items():
        page.goto(f"{live_city}/functions/{key}")
        if spec.acts:
            expect(page.locator("#tried-said")).to_be_empty()
            page.get_by_role("button", name="试一下").click()
        expect(page.locator("#tried-said")).to_contain_text(re.compile(r"答复（20\d）"), timeout=15_000)


def test_staff_find_more_than_the_public(open_page: Any, live_city: str) -> None:
    public = open_page(390, 844)
    public.goto(f"{live_city}/layers?q=工作围栏")
    assert "没有找到" in public.locator("main").inner_text()
    assert public.goto(f"{live_city}/layers/staff_fences").status == 404
    assert public.goto(f"{live_city}/functions/select").status == 404
    staff = open_page(1440, 900)
    sign_in(staff, live_city, "shi", "/account")
    staff.goto(f"{live_city}/layers?audience=staff")
    assert {"工作围栏", "门牌", "圈选"} <= set(titles(staff))
    staff.get_by_role("link", name="门牌", exact=True).click()
    staff.wait_for_url("**/layers/doors")
    assert "市级管理员" in staff.locator("main").inner_text()
    assert "X-API-Key" in staff.locator(".catalogue-call textarea").nth(3).input_value()
