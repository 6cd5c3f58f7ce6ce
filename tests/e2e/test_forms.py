"""A district publishes its form; a parent meets it on a phone and at a desk, where it asks, keeps and checks as it is filled in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from services.crypto.keystore import make_keystore
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in

SHOTS = os.environ.get("QUANTU_SHOTS", "")


@pytest.fixture(autouse=True)
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "media")
    monkeypatch.setattr(settings, "KEYSTORE", tmp_path / "keystore")
    make_keystore(settings.KEYSTORE)


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def columns(page: Any) -> int:
    """Return in how many columns the questions of the first section stand."""
    return len(
        {round(box["x"]) for box in (one.bounding_box() for one in page.locator("#s1 .form-grid > .ask").all()) if box}
    )


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.covers("PRE-ENR-03b", via="services.kernel.forms.versions.queries:living_form")
def test_what_a_district_publishes_is_what_a_parent_fills_in_at_both_sizes(open_page: Any, live_city: str) -> None:
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "qu", "/desk/forms")
    shot(desk, "forms-overview")
    assert faults_of(desk) == []
    desk.get_by_role("link", name="转园").click()
    desk.get_by_role("button", name="新建草稿").click()
    desk.get_by_role("link", name="设置补充说明").click()
    desk.get_by_label("名称（不填用全市的", exact=False).fill("想对园长说的话")
    shot(desk, "forms-item")
    assert faults_of(desk) == []
    desk.get_by_role("button", name="保存到草稿").click()
    first = desk.locator("#sec-0 [data-drag]").first.get_attribute("data-drag")
    desk.locator(f"#i-{first}").drag_to(desk.locator("#sec-0 [data-drag]").nth(2), target_position={"x": 20, "y": 38})
    moved = "(key) => (document.querySelector('#sec-0 [data-drag]') || {dataset: {drag: key}}).dataset.drag !== key"
    desk.wait_for_function(moved, arg=first)
    shot(desk, "forms-draft")
    assert faults_of(desk) == []
    desk.get_by_role("link", name="手机预览").click()
    desk.wait_for_url("**/desk/forms/versions/*/preview**")
    shot(desk, "forms-preview")
    assert faults_of(desk) == []
    desk.go_back()
    desk.get_by_role("button", name="发布", exact=True).click()
    desk.get_by_text("已发布").first.wait_for()
    desk.context.close()

    phone = open_page(390, 844, has_touch=True)
    sign_in(phone, live_city, "jumin", "/forms/enrolment")
    phone.get_by_role("radio", name="转园").check()
    phone.get_by_label("向哪个区报名").select_option("310101")
    shot(phone, "form-start-390")
    phone.get_by_role("button", name="开始填写").click()
    phone.get_by_label("想对园长说的话", exact=False).wait_for()
    assert columns(phone) == 1
    assert fits(phone)
    assert phone.locator("#f-child_identity").count() == 0
    phone.get_by_role("radio", name="居民身份证").check()  # linkage answers at once, without a new page
    phone.locator("#f-child_identity").fill("310101202209150011")
    phone.locator("#f-child_name").fill("王小明")
    phone.locator("#f-child_name").blur()
    phone.get_by_text("已自动存草稿").wait_for()
    phone.locator("form[data-form]:not([data-waiting])").wait_for()
    assert phone.locator("#f-child_identity").input_value() == "310101202209150011"
    shot(phone, "form-fill-390")
    assert faults_of(phone) == []
    phone.reload()  # what was kept is there again
    assert phone.locator("#f-child_name").input_value() == "王小明"
    url = phone.url
    phone.get_by_role("button", name="预览并提交").click()
    phone.get_by_role("heading", name="处要改", exact=False).wait_for()
    shot(phone, "form-review-390")
    assert faults_of(phone) == []
    phone.get_by_role("link", name="身份证号不对", exact=False).click()
    phone.wait_for_url("**?check=1#f-child_identity")
    assert phone.locator("#f-child_identity").get_attribute("aria-invalid") == "true"
    phone.context.close()

    wide = open_page(1440, 900)
    sign_in(wide, live_city, "jumin", url.removeprefix(live_city))
    assert columns(wide) == 2
    assert fits(wide)
    assert wide.get_by_label("想对园长说的话", exact=False).count() == 1
    shot(wide, "form-fill-1440")
    assert faults_of(wide) == []
    wide.context.close()
