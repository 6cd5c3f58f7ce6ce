"""A clerk brings a messy sheet in a real browser: upload, progress, rows mended in place, writing; and the same without script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.services.kernel.ledger.importing.sheets import good_rows, saved, xlsx

UPLOAD = "/desk/ledgers/facilities/import"


def messy_file(folder: Path, called: str) -> Path:
    """Return a sheet of 120 good rows and 3 that are to be mended: rows 38, 40 and 42."""
    rows = good_rows(120, "310000.310101.", called)
    rows.insert(36, {**rows[0], "名称*": f"{called}错一", "床位数": "二十"})
    rows.insert(38, {**rows[1], "名称*": f"{called}错二", "类型*": "养鸡场", "余位": 99})
    rows.insert(40, {**rows[2], "名称*": f"{called}错三", "地址*": "没有这条路99999号"})
    return saved(folder, xlsx(rows), f"{called}.xlsx")


def fits(page: Any, width: int) -> bool:
    return int(page.evaluate("document.documentElement.scrollWidth")) <= width


@pytest.mark.usefixtures("worker")
def test_a_messy_sheet_is_mended_in_place_and_written_once(open_page: Any, live_city: str, tmp_path: Path) -> None:
    from services.facilities.models import Facility

    page = open_page(1440, 900)
    before = Facility.objects.count()
    sign_in(page, live_city, "qu", "/desk/ledgers/facilities")
    page.get_by_role("link", name="导入", exact=True).last.click()
    page.wait_for_url(f"**{UPLOAD}")
    assert faults_of(page) == []
    page.get_by_label("表格文件").set_input_files(messy_file(tmp_path, "浏览器站"))
    page.get_by_role("button", name="上传并核对").click()
    page.get_by_text("123 行已读").wait_for(timeout=60_000)
    assert "120 行通过，3 行要改" in page.locator("#import-tally").inner_text()
    assert Facility.objects.count() == before
    assert faults_of(page) == []
    assert fits(page, 1440)
    one = page.locator("#row-38")
    assert "这一栏应当是数字。（二十）" in one.inner_text()
    assert one.locator("[aria-invalid=true]").count() == 1
    one.get_by_label("床位数").fill("贰拾")
    one.get_by_role("button", name="保存第 38 行").click()
    page.locator("#row-38 .form-error", has_text="（贰拾）").wait_for()
    page.locator("#row-38").get_by_label("床位数").fill("20")
    page.locator("#row-38").get_by_role("button", name="保存第 38 行").click()
    page.locator("#row-38", has_text="改好了").wait_for()
    assert page.locator("#write-count").inner_text() == "121"
    two = page.locator("#row-40")
    two.get_by_label("类型").select_option("日间照护中心")
    two.get_by_label("余位").fill("3")
    two.get_by_label("余位").press("Enter")
    page.locator("#row-40", has_text="改好了").wait_for()
    page.locator("#row-42").get_by_role("button", name="不导入这一行").click()
    page.locator("#row-42", has_text="留下不导入").wait_for()
    assert faults_of(page) == []
    page.locator("#write").dblclick()
    page.get_by_text("122 行已写入").wait_for(timeout=60_000)
    assert Facility.objects.count() == before + 122
    assert Facility.objects.get(name="浏览器站错一").attributes["beds"] == 20
    assert faults_of(page) == []
    page.get_by_role("link", name="在台账里看这 50 行").click()
    page.get_by_text("找到 50 家", exact=True).wait_for()
    page.goto(f"{live_city}/desk/imports")
    assert "已完成" in page.locator("tbody tr").first.inner_text()
    assert faults_of(page) == []


@pytest.mark.usefixtures("worker")
def test_on_a_phone_without_script(open_page: Any, live_city: str, tmp_path: Path) -> None:
    from services.facilities.models import Facility

    page = open_page(390, 844, java_script_enabled=False)
    before = Facility.objects.count()
    sign_in(page, live_city, "qu", UPLOAD)
    assert fits_without_script(page)
    page.get_by_label("表格文件").set_input_files(messy_file(tmp_path, "手机站"))
    page.get_by_role("button", name="上传并核对").click()
    until(page, "123 行已读")
    row = page.locator("#row-38")
    row.get_by_label("床位数").fill("二")
    row.get_by_role("button", name="保存第 38 行").click()
    assert "还有要改的地方" in page.locator("#row-38").inner_text()
    page.locator("#row-38").get_by_label("床位数").fill("2")
    page.get_by_role("button", name="保存第 38 行").click()
    assert "第 38 行改好了" in page.locator("main").inner_text()
    assert page.locator("#row-38").count() == 0
    page.get_by_role("button", name="写入").click()
    until(page, "121 行已写入")
    assert Facility.objects.count() == before + 121


def fits_without_script(page: Any) -> bool:
    box = page.locator("main").bounding_box()
    return bool(box["width"] <= 390)


def until(page: Any, said: str) -> None:
    """Load the page again, as somebody without script does, until it says something."""
    for _ in range(60):
        if said in page.locator("main").inner_text():
            return
        page.wait_for_timeout(500)
        page.goto(page.url.split("?")[0])
    raise AssertionError(f"the page never said {said}: {page.locator('main').inner_text()[:500]}")


@pytest.mark.parametrize("width", [390, 1440])
def test_what_explains_is_open_to_everybody(open_page: Any, live_city: str, width: int) -> None:
    page = open_page(width, 900)
    sign_in(page, live_city, "qu", UPLOAD)
    page.locator("details.import-help summary").click()
    page.get_by_text("不能多于名额").wait_for()
    assert faults_of(page) == []
    assert fits(page, width)
    for path in ("/desk/imports", "/help/imports"):
        page.goto(f"{live_city}{path}")
        assert faults_of(page) == []
        assert fits(page, width)
