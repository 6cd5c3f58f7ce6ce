"""The form behind a link for self-report, as an institution meets it: on a phone, at a desk, in the dark, and without script."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from services.access.demo import make_demo_accounts
from services.facilities.models import Facility
from services.modules.selfreport.models import ReportState, SelfReport
from tests.e2e.conftest import faults_of, without_script
from tests.services.kernel.documents.files import picture
from tests.services.modules.selfreport.conftest import PHONE, sent_texts, staff
from tests.services.modules.selfreport.test_self_report import link_in, send, street_of

Opener = Callable[..., Any]
LOOKS = [(390, True, "light"), (1440, True, "dark"), (390, False, "dark")]
IDS = ["phone", "desk-dark", "plain-dark"]


def fits(page: Any, width: int) -> None:
    assert faults_of(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


@pytest.fixture
def place(live_city: str, tmp_path: Path, settings: Any) -> Facility:
    """Return a nursery of 黄浦 without an open report, with files kept apart."""
    settings.MEDIA_ROOT = tmp_path / "media"
    make_demo_accounts()
    SelfReport.objects.all().delete()
    rows = Facility.objects.filter(
        kind="nursery", status="open", retired_at=None, region__versions__path__startswith="310000.310101."
    )
    found = rows.order_by("pk").first()
    assert found is not None
    Facility.objects.filter(pk=found.pk).update(places=60, vacancies=3, phone="021-55500001")
    return found


def enter(page: Any, address: str, digits: str = PHONE[-4:]) -> None:
    page.goto(address)
    page.get_by_label("收到短信的手机号后四位").fill(digits)
    page.get_by_role("button", name="打开", exact=True).click()


@pytest.mark.parametrize(("width", "script", "scheme"), LOOKS, ids=IDS)
def test_an_institution_fills_in_its_form_looks_at_it_and_hands_it_in(
    open_page: Opener, live_city: str, place: Facility, tmp_path: Path, width: int, script: bool, scheme: str
) -> None:
    assert "发出 1 条" in send(staff("qu"), id=place.pk, **{f"phone-{place.pk}": PHONE})
    link = f"{live_city}{link_in(sent_texts(PHONE)[-1])}"
    page, other = (open_page(width, 900, color_scheme=scheme) for _ in range(2))
    if not script:
        without_script(page)
    enter(page, link, "0000")
    assert "还可以试" in page.get_by_role("alert").inner_text()
    fits(page, width)
    enter(page, link)
    assert page.get_by_label("机构名称").input_value() == place.name
    fits(page, width)

    # A draft with a photo; what is no photo is refused in words, and nothing typed is lost.
    page.get_by_label("联系电话").fill("021-63210001")
    page.locator("#vacancies").fill("2")
    wrong, right = tmp_path / "说明.jpg", tmp_path / "门面.jpg"
    wrong.write_bytes(b"no picture")
    right.write_bytes(picture("JPEG"))
    page.get_by_label("加照片").set_input_files(str(wrong))
    page.get_by_role("button", name="保存草稿").click()
    assert "JPG" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("联系电话").input_value() == "021-63210001"
    page.get_by_label("加照片").set_input_files(str(right))
    page.get_by_role("button", name="保存草稿").click()
    page.get_by_text("已保存，加了 1 张照片。").wait_for()
    assert page.locator("#vacancies").input_value() == "2"
    assert page.locator(".fill-photos img").count() == 1
    fits(page, width)

    # The bar of acts lies in sight and covers no field that has the focus.
    bar = page.locator(".fill-bar").bounding_box()
    assert bar["x"] >= 0
    assert bar["x"] + bar["width"] <= width

    # The preview is what everybody would see; nobody sees it yet. Handed in once, however often it is pressed.
    page.get_by_role("button", name="保存并预览").click()
    page.get_by_text("现在还没有公布").wait_for()
    assert "021-63210001" in page.locator("main").inner_text()
    assert "没有查到" not in page.locator("main").inner_text()
    fits(page, width)
    other.goto(f"{live_city}/places/{place.pk}")
    assert "021-63210001" not in other.content()
    page.get_by_role("button", name="提交审核").click()
    page.get_by_text("等管理部门审核").wait_for()
    fits(page, width)
    assert SelfReport.objects.get().state == ReportState.SUBMITTED

    # Opened a second time, elsewhere: it can be read and no more.
    enter(other, link)
    other.get_by_text("等管理部门审核").wait_for()
    assert "021-63210001" in other.locator("main").inner_text()
    assert other.get_by_role("button", name="保存草稿").count() == 0
    fits(other, width)


@pytest.mark.parametrize("width", [390, 1440])
def test_the_mark_is_moved_by_keys_and_by_a_tap_and_is_kept(
    open_page: Opener, live_city: str, place: Facility, width: int
) -> None:
    assert "发出 1 条" in send(staff("qu"), id=place.pk, **{f"phone-{place.pk}": PHONE})
    page = open_page(width, 900, reduced_motion="reduce")
    enter(page, f"{live_city}{link_in(sent_texts(PHONE)[-1])}")
    holder, mark = page.locator(".fill-map .map"), page.locator("#position")
    page.locator(".fill-map .map[data-ready]").wait_for(state="attached", timeout=60_000)
    assert not mark.is_visible(), "the pin stands for the numbers"

    def held() -> list[float]:
        return [float(each) for each in mark.input_value().split(",")]

    assert held() == [round(place.geom.x, 6), round(place.geom.y, 6)]
    page.get_by_role("button", name="位置标记").focus()
    for _ in range(2):
        page.keyboard.press("Shift+ArrowUp")
    assert (held()[1] - place.geom.y) * 111_320 == pytest.approx(20, abs=0.3)
    page.get_by_role("button", name="保存草稿").click()
    page.get_by_text("已保存。").wait_for()
    assert (held()[1] - place.geom.y) * 111_320 == pytest.approx(20, abs=0.3)

    page.locator(".fill-map .map[data-ready]").wait_for(state="attached", timeout=60_000)
    holder.scroll_into_view_if_needed()
    box = holder.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2)
    assert held()[0] > place.geom.x
    fits(page, width)


def test_a_link_that_ran_out_says_what_to_do_and_loses_nothing(
    open_page: Opener, live_city: str, place: Facility
) -> None:
    send(staff("qu"), id=place.pk, **{f"phone-{place.pk}": PHONE})
    link = f"{live_city}{link_in(sent_texts(PHONE)[-1])}"
    page = open_page(390, 844)
    enter(page, link)
    page.get_by_label("联系电话").fill("021-63210002")
    page.get_by_role("button", name="保存草稿").click()
    page.get_by_text("已保存。").wait_for()
    SelfReport.objects.update(expires_at=timezone.now() - dt.timedelta(minutes=1))
    answer = page.goto(link)
    assert answer.status == 409
    assert "已经过期，填过的内容还在" in page.locator("main").inner_text()
    fits(page, 390)
    report = SelfReport.objects.get()
    staff("qu").post(f"/desk/self-reports/{report.pk}/resend", {"seen": report.issue})
    enter(page, f"{live_city}{link_in(sent_texts(PHONE)[-1])}")
    assert page.get_by_label("联系电话").input_value() == "021-63210002"


def test_the_preview_of_an_unknown_door_says_where_the_place_will_stand(
    open_page: Opener, live_city: str, place: Facility
) -> None:
    new = {"new-name-0": "新芽托育园", "new-phone-0": PHONE, "new-kind-0": "nursery", "new-region-0": street_of(place)}
    assert "发出 1 条" in send(staff("qu"), **new)
    page = open_page(390, 844)
    enter(page, f"{live_city}{link_in(sent_texts(PHONE)[-1])}")
    page.get_by_label("联系电话").fill("021-63210003")
    page.get_by_label("机构地址").fill("没有这条路9999号")
    page.locator("#places").fill("30")
    page.locator("#vacancies").fill("30")
    page.get_by_role("button", name="保存并预览").click()
    page.wait_for_load_state()
    assert page.get_by_role("alert").all_inner_texts() == []
    page.get_by_text("没有查到“没有这条路9999号”这个门牌").wait_for()
    fits(page, 390)
    page.get_by_role("link", name="回去", exact=True).click()
    page.get_by_label("机构地址").fill(place.address_text)
    page.get_by_role("button", name="保存并预览").click()
    page.get_by_text("现在还没有公布").wait_for()
    assert "没有查到" not in page.locator("main").inner_text()
