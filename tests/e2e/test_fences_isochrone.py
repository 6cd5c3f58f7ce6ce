"""Isochrones on the table of fences: by a tap at a desk, by an address on a phone and without script; looked at, kept, made anew."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from geo.addresses.land import land_of
from geo.fences.areas import shape_of
from geo.fences.models import Fence, FenceEdition
from geo.geometry import to_plane
from geo.regions.queries import current_city
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.services.fencing.sets import draft

pytestmark = [pytest.mark.usefixtures("live_city"), pytest.mark.timeout(900)]


class Ground(NamedTuple):
    """An empty draft, and a door where doors are dense: as it is called, and in degrees."""

    edition: FenceEdition
    label: str
    lon: float
    lat: float


@pytest.fixture
def ground(live_city: str) -> Ground:
    """Return an empty draft of service areas."""
    FenceEdition.objects.exclude(state="published").delete()
    edition = draft("service")
    edition.areas.all().delete()
    land = land_of(edition.district_id)
    at = int(np.argmin(np.hypot(*(land.metres - np.median(land.metres, axis=0)).T)))
    return Ground(edition, land.labels[at], float(land.degrees[at][0]), float(land.degrees[at][1]))


def kept(ground: Ground, name: str) -> Fence:
    return ground.edition.areas.get(name=name)


def size(fence: Fence) -> float:
    fence.refresh_from_db()
    return float(to_plane(shape_of(fence), current_city()).area)


def opened(page: Any, ground: Ground, live_city: str, *, script: bool = True) -> None:
    page.set_default_timeout(60_000)
    sign_in(page, live_city, "qu", f"/plan/fences/{ground.edition.pk}/map")
    if script:
        page.wait_for_selector('#plan-map[data-drawn="true"]', timeout=120_000, state="attached")


def saved(page: Any, words: str) -> None:
    page.wait_for_function("words => document.getElementById('announce').textContent.includes(words)", arg=words)


def hinted(page: Any, words: str) -> None:
    page.wait_for_function(
        "words => new RegExp(words).test(document.getElementById('plan-hint').textContent)", arg=words
    )


def test_at_a_desk_a_spot_is_tapped_looked_at_kept_and_made_anew(
    ground: Ground, open_page: Any, live_city: str
) -> None:
    page = open_page(1440, 900)
    opened(page, ground, live_city)
    page.evaluate(
        "([lon, lat]) => document.getElementById('plan-map').quantu.jumpTo({center: [lon, lat], zoom: 15.2})",
        [ground.lon, ground.lat],
    )
    page.keyboard.press("t")
    page.get_by_text("点一下出发的地方").wait_for()
    spot = page.evaluate(
        "([lon, lat]) => { const map = document.getElementById('plan-map'); const at = map.quantu.project([lon, lat]);"
        " const box = map.getBoundingClientRect(); return [box.left + at.x, box.top + at.y]; }",
        [ground.lon, ground.lat],
    )
    page.mouse.click(*spot)
    form = page.locator("#make-isochrone")
    assert form.get_by_label("出发的地点").input_value() == "地图上选的点"
    assert float(form.locator("[name=lon]").input_value()) == pytest.approx(ground.lon, abs=2e-4)
    form.get_by_label("名称").fill("上门圈")
    form.get_by_label("怎么走").select_option("elder")
    form.get_by_label("多少分钟以内").fill("6")
    form.get_by_role("button", name="先看效果").click()
    hinted(page, r"老人步行 6 分钟.+(公顷|m²)，[\d,]+ 个门牌.+还没有保存")
    assert not ground.edition.areas.exists()
    form.get_by_role("button", name="画这个等时圈").click()
    saved(page, "画了围栏“上门圈”")
    fence = kept(ground, "上门圈")
    before = size(fence)
    assert (fence.kind, fence.definition["mode"], fence.definition["minutes"]) == ("isochrone", "elder", 6)

    about = page.locator(".plan-about")
    about.get_by_text("老人步行 6 分钟").wait_for()
    about.get_by_label("多少分钟以内").fill("12")
    about.get_by_role("button", name="重画").click()
    saved(page, "改了围栏“上门圈”的画法")
    assert size(fence) > before * 1.5

    # the roads became newer: told, and made anew by the same button
    Fence.objects.filter(pk=fence.pk).update(definition={**fence.definition, "roads": "older"})
    page.reload()
    page.wait_for_selector('#plan-map[data-drawn="true"]', timeout=120_000, state="attached")
    page.get_by_role("heading", name="路网更新后可重画").wait_for()
    about.get_by_role("button", name="重画").click()
    saved(page, "改了围栏“上门圈”的画法")
    page.get_by_role("heading", name="路网更新后可重画").wait_for(state="detached")
    assert faults_of(page) == []


def test_on_a_phone_an_address_is_typed_and_what_cannot_be_is_told(
    ground: Ground, open_page: Any, live_city: str
) -> None:
    page = open_page(390, 844)
    opened(page, ground, live_city)
    page.get_by_text("按数据画").click()
    page.locator("summary", has_text="等时圈").click()
    form = page.locator("#make-isochrone")
    form.get_by_label("名称").fill("助餐圈")
    form.get_by_label("出发的地点").fill("没有这个地方啊")
    form.get_by_role("button", name="先看效果").click()
    page.get_by_text("没有找到“没有这个地方啊”").wait_for()
    form.get_by_label("出发的地点").fill(ground.label)
    form.get_by_role("button", name="先看效果").click()
    hinted(page, "步行 15 分钟")
    form.get_by_role("button", name="画这个等时圈").click()
    saved(page, "画了围栏“助餐圈”")
    assert kept(ground, "助餐圈").definition["place"].endswith(ground.label)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults_of(page) == []


def test_without_script_a_form_makes_it(ground: Ground, open_page: Any, live_city: str) -> None:
    page = open_page(390, 844, java_script_enabled=False)
    opened(page, ground, live_city, script=False)
    page.get_by_text("按数据画").click()
    page.locator("summary", has_text="等时圈").click()
    form = page.locator("#make-isochrone")
    assert form.get_by_role("button", name="在地图上点").is_hidden()
    form.get_by_label("名称").fill("巡查圈")
    form.get_by_label("出发的地点").fill(ground.label)
    form.get_by_label("怎么走").select_option("bicycle")
    form.get_by_label("多少分钟以内").fill("5")
    form.get_by_role("button", name="画这个等时圈").click()
    page.get_by_text("已保存：画了围栏“巡查圈”").wait_for()
    assert kept(ground, "巡查圈").definition["mode"] == "bicycle"
    page.locator(".plan-about").get_by_label("多少分钟以内").fill("90")
    page.get_by_role("button", name="重画").click()
    page.get_by_text("自行车可查 1 到 60 分钟").wait_for()
