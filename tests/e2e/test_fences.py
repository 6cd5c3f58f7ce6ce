"""Fences drawn in a browser: told of an overlap, mended with one click, published from Monday; circles; without script."""

from __future__ import annotations

import datetime as dt
import math
import re
import uuid
from typing import Any, NamedTuple

import pytest
import shapely
from django.utils import timezone

from geo.addresses.land import land_of
from geo.fences.areas import Act
from geo.fences.models import Fence, FenceEdition
from geo.fences.topology import measure
from services.fencing.actions import FENCES
from services.fencing.queries import edition_at
from tests.e2e.conftest import faults_of
from tests.e2e.drawing_table import Middle, click_at, drawn, look_at, metres, saved
from tests.e2e.test_desk import sign_in
from tests.services.fencing.sets import STAFF, draft


class Ground(NamedTuple):
    """A draft with one fence, and where on the plane its middle lies."""

    edition: FenceEdition
    neighbour: Fence
    middle: Middle


@pytest.fixture
def ground(live_city: str) -> Ground:
    """Return a draft of waste fences, one drawn where doors are dense."""
    FenceEdition.objects.exclude(state="published").delete()
    edition = draft("waste")
    middle = Middle.among(land_of(edition.district_id).metres)
    edition.areas.all().delete()
    FENCES.add(
        Act(edition.pk, edition.revision, uuid.uuid4(), STAFF),
        name="文庙片",
        about={},
        shape=middle.box(0, -150, 300, 300),
    )
    return Ground(edition, edition.areas.get(name="文庙片"), middle)


@pytest.mark.timeout(900)
def test_a_planner_draws_a_fence_mends_its_overlap_and_publishes_it_from_monday(
    ground: Ground, open_page: Any, live_city: str
) -> None:
    page = open_page(1440, 900, reduced_motion="reduce")
    page.set_default_timeout(60_000)
    sign_in(page, live_city, "qu", f"/plan/fences/{ground.edition.pk}/map")
    drawn(page)
    look_at(page, ground.middle)
    page.keyboard.press("s")
    page.keyboard.press("p")
    for corner in ((-300, -150), (4, -150), (4, 130), (-300, 130), (-300, -150)):
        click_at(page, ground.middle, *corner)
    page.locator("#plan-new-name").fill("蓬莱片")
    page.locator("#plan-new-owner").fill("蓬莱环卫所")
    page.get_by_role("button", name="保存围栏").click()
    saved(page, "画了围栏“蓬莱片”")
    own = ground.edition.areas.get(name="蓬莱片")
    assert own.owner == "蓬莱环卫所"
    before, common = metres(own), shapely.intersection(metres(own), metres(ground.neighbour))
    assert common.area > 300
    told = page.locator("#plan-checks .check.level-error")
    told.get_by_text(f"与“文庙片”重叠 {measure(common.area)}").wait_for()
    assert page.get_by_text("修复 1 个错误后可发布").is_visible()
    assert faults_of(page) == []

    page.get_by_role("button", name="一键修复：划归相邻片区").click()
    saved(page, "划归相邻片区")
    assert told.count() == 0
    assert shapely.intersection(metres(own), metres(ground.neighbour)).area < 0.1
    assert metres(own).area == pytest.approx(before.area - common.area, abs=0.5)

    # a circle by two clicks: its form is filled, its name is typed, its radius changed afterwards
    page.keyboard.press("o")
    click_at(page, ground.middle, -150, -300)
    click_at(page, ground.middle, -150, -240)
    form = page.locator("#make-circle")
    assert abs(float(form.locator("[name=radius_m]").input_value()) - 60) <= 2
    form.get_by_label("名称").fill("分拣点")
    form.get_by_role("button", name="画这个圆").click()
    saved(page, "画了围栏“分拣点”")
    round_one = ground.edition.areas.get(name="分拣点")
    assert round_one.kind == "circle"
    page.get_by_label("半径").last.fill("40")
    page.get_by_role("button", name="重画").click()
    saved(page, "改了围栏“分拣点”的画法")
    assert metres(round_one).area == pytest.approx(math.pi * 40**2, rel=0.01)
    page.get_by_text("每周的生效时段").click()
    page.get_by_label("周一").fill("22:00-06:00")
    page.locator(".plan-about").get_by_role("button", name="保存").click()
    saved(page, "改了生效时间")
    round_one.refresh_from_db()
    assert round_one.hours == {"mon": [["22:00", "06:00"]]}
    assert faults_of(page) == []

    # published from next Monday, after another person approved
    page.get_by_role("link", name="去检查和发布").click()
    page.get_by_role("button", name="检查").click()
    page.get_by_text("检查没有错误，可以送审了。").wait_for()
    # beside the page, and in the menu of a phone: 对口规划, whose address begins the same way, is not the present one
    assert page.locator("nav [aria-current=page]").all_inner_texts() == ["围栏"] * 2
    assert faults_of(page) == []
    accept = page.get_by_role("checkbox", name=re.compile("我已核对"))
    if accept.count():
        accept.check()
    page.get_by_role("button", name=re.compile("送审第")).click()
    page.get_by_text("最后修改的是您自己").wait_for()
    other = open_page(1440, 900, reduced_motion="reduce")
    sign_in(other, live_city, "shi", f"/plan/fences/{ground.edition.pk}")
    other.get_by_role("radio", name="同意").check()
    other.get_by_role("button", name="提交").click()
    monday = timezone.localdate() + dt.timedelta(days=7 - timezone.localdate().weekday())
    assert other.get_by_label("从什么时候起生效").input_value() == f"{monday:%Y-%m-%d}T00:00"  # offered as it is
    other.get_by_role("button", name=re.compile("发布第")).click()
    other.get_by_text(f"自 {monday:%Y-%m-%d} 00:00 起使用").first.wait_for()
    current = edition_at(purpose="waste", district_id=ground.edition.district_id)
    assert current is None or current.pk != ground.edition.pk
    begun = timezone.make_aware(dt.datetime.combine(monday, dt.time(0, 1)))
    found = edition_at(purpose="waste", district_id=ground.edition.district_id, at=begun)
    assert found is not None
    assert found.pk == ground.edition.pk
    other.goto(f"{live_city}/plan/fences")
    other.get_by_text("待生效").first.wait_for()
    assert faults_of(other) == []


@pytest.mark.timeout(600)
def test_without_script_on_a_phone_a_street_becomes_a_fence_and_an_overlap_is_mended(
    ground: Ground, open_page: Any, live_city: str
) -> None:
    FENCES.add(
        Act(ground.edition.pk, FenceEdition.objects.get(pk=ground.edition.pk).revision, uuid.uuid4(), STAFF),
        name="蓬莱片", about={}, shape=ground.middle.box(-300, -150, 304, 280),
    )  # fmt: skip
    page = open_page(390, 844, java_script_enabled=False)
    page.set_default_timeout(60_000)
    sign_in(page, live_city, "qu", f"/plan/fences/{ground.edition.pk}/map")
    page.get_by_role("link", name=re.compile("蓬莱片")).first.click()
    page.get_by_role("button", name="一键修复：划归相邻片区").click()
    page.get_by_text("已保存：与“文庙片”重叠").wait_for()
    own = ground.edition.areas.get(name="蓬莱片")
    assert shapely.intersection(metres(own), metres(ground.neighbour)).area < 0.1
    page.get_by_text("按数据画").click()
    page.get_by_text("整个街镇", exact=True).click()
    form = page.locator("form", has=page.get_by_role("button", name="画这个街镇"))
    form.get_by_label("名称").fill("外滩片")
    form.get_by_role("button", name="画这个街镇").click()
    page.get_by_text("已保存：画了围栏“外滩片”").wait_for()
    assert ground.edition.areas.get(name="外滩片").kind == "regions"


@pytest.mark.timeout(600)
def test_a_hole_and_a_part_apart_are_drawn_and_a_part_that_misses_is_told(
    ground: Ground, open_page: Any, live_city: str
) -> None:
    page = open_page(1440, 900, reduced_motion="reduce")
    page.set_default_timeout(60_000)
    own = ground.neighbour
    sign_in(page, live_city, "qu", f"/plan/fences/{ground.edition.pk}/map?area={own.same}")
    drawn(page)
    look_at(page, ground.middle)
    page.keyboard.press("s")
    page.keyboard.press("h")
    for corner in ((100, -50), (200, -50), (200, 50), (100, 50), (100, -50)):
        click_at(page, ground.middle, *corner)
    saved(page, "围栏“文庙片”挖去了一块")
    page.keyboard.press("a")
    for corner in ((-200, -50), (-100, -50), (-100, 50), (-200, 50), (-200, -50)):
        click_at(page, ground.middle, *corner)
    saved(page, "围栏“文庙片”加了一块")
    shape = metres(own)
    assert sorted(len(part.interiors) for part in shape.geoms) == [0, 1]
    assert shape.area == pytest.approx(300 * 300, rel=0.02)  # as much given as taken
    page.keyboard.press("h")
    for corner in ((-300, 150), (-250, 150), (-250, 200), (-300, 150)):
        click_at(page, ground.middle, *corner)
    page.get_by_role("alert").filter(has_text="挖的地方不在里面").wait_for()
    assert metres(own).equals(shape)
    assert faults_of(page) == []
