"""The clerk's journey: a messy list pasted or uploaded, read row by row, looked through, taken along; a large one in the background."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.e2e.conftest import faults_of
from tests.geo.addresses.standardising.conftest import messy_lines

SHOTS = os.environ.get("QUANTU_SHOTS")


def shot(page: Any, name: str) -> None:
    """Keep a picture of the page where somebody wants to look at it."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-{page.viewport_size['width']}.png", full_page=True)


def doors(count: int) -> list[Any]:
    from geo.addresses.models import Address
    from geo.imports.models import CURRENT

    rows = Address.objects.filter(CURRENT, suffix="", room="", building="").exclude(lane="").exclude(number="")
    return list(rows.order_by("id")[:: max(1, rows.count() // count)][:count])


def rows_of(page: Any) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in page.locator(".list-rows tbody tr").all()]


def sign_in(page: Any, live_city: str, account: str = "jiezhen") -> None:
    from services.access.demo import DEMO_PASSWORD, make_demo_accounts

    make_demo_accounts()
    page.goto(f"{live_city}/sign-in?next=/tools/standardise/batches")
    page.get_by_role("textbox", name="账号").fill(account)
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/tools/standardise/batches")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_pasted_table_is_standardised_row_by_row(open_page: Any, live_city: str, width: int) -> None:
    page = open_page(width, 900)
    page.goto(f"{live_city}/tools/standardise")
    shot(page, "standardise-empty")
    assert faults_of(page) == []
    first, second = doors(2)
    lines = [
        "序号\t姓名\t户籍地址",
        f"1\t张杉\t{first.text}",
        f"2\t李望\t{first.road}{first.lane}弄{first.number}号 联系电话 13800138000",
        f"3\t王苑\t{first.text}；{second.text}",
        "4\t赵坊\t无此名路5号",
        "5\t钱里\t",
        "6\t孙村\t=1+1",
    ]
    page.get_by_label("地址，每行一个").fill("\n".join(lines))
    page.get_by_role("button", name="规范", exact=True).click()
    page.locator("#standardised").wait_for()
    shot(page, "standardise-rows")
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_by_label("地址在").input_value() == "2"
    rows = rows_of(page)
    assert [row[0] for row in rows] == ["2", "3", "4", "5", "6", "7"]
    assert [row[2].strip() for row in rows] == [
        "已到门牌",
        "已到门牌",
        "要核对",
        "没有落点",
        "读不懂",
        rows[5][2].strip(),
    ]
    head = page.locator("#standardised-counts").inner_text()
    assert head.startswith("6 行已读")
    assert "电话号码" in rows[1][4]
    assert "13800138000" not in rows[1][4]

    page.get_by_role("button", name="要核对 1").click()
    page.locator("#standardised").wait_for()
    assert [row[0] for row in rows_of(page)] == ["4"]
    assert page.get_by_label("地址在").input_value() == "2"
    page.get_by_text("可能是（2）").click()
    choices = page.locator(".list-rows details[open]").first
    assert "门牌" in choices.inner_text()
    assert choices.locator("a.on-map").count() == 2
    assert faults_of(page) == []
    shot(page, "standardise-several")

    with page.expect_download() as saved:
        page.get_by_role("button", name="下载 CSV").click()
    table = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig"))))
    assert [row["姓名"] for row in table] == ["张杉", "李望", "王苑", "赵坊", "钱里", "孙村"]
    assert table[0]["规范地址"] == table[1]["规范地址"]
    assert table[5]["户籍地址"] == "'=1+1"
    assert float(table[0]["经度"]) == pytest.approx(first.geom.x, abs=1e-6)
    with page.expect_download() as saved:
        page.get_by_role("button", name="下载 Excel").click()
    sheet = CalamineWorkbook.from_path(saved.value.path()).get_sheet_by_index(0).to_python()
    assert [row[1] for row in sheet[1:]] == [row["姓名"] for row in table]

    page.get_by_role("button", name="全部 6").click()
    page.locator("#standardised").wait_for()
    page.locator("a.on-map").first.click()
    page.wait_for_url("**/?lon=*")


def test_the_columns_are_chosen_again_and_pages_turned_without_script(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900, java_script_enabled=False)
    page.goto(f"{live_city}/tools/standardise")
    door = doors(1)[0]
    lines = [f"{number}\t无此名路{number}号\t{door.text}" for number in range(1, 121)]
    page.get_by_label("地址，每行一个").fill("\n".join(lines))
    page.get_by_role("button", name="规范", exact=True).click()
    page.get_by_label("地址在").select_option("1")
    page.get_by_role("button", name="重新规范").click()
    assert {row[2].strip() for row in rows_of(page)} == {"没有落点"}
    page.get_by_label("地址在").select_option("2")
    page.get_by_role("button", name="重新规范").click()
    assert {row[2].strip() for row in rows_of(page)} == {"已到门牌"}
    seen = [row[0] for row in rows_of(page)]
    for _ in range(2):
        page.get_by_role("button", name="下一页").click()
        seen += [row[0] for row in rows_of(page)]
    assert seen == [str(number) for number in range(1, 121)]
    assert "第 3 页，共 3 页" in page.locator(".pager").inner_text()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"PK\x03\x04rest", "没有传完或已损坏"),
        ("a.csv", b"\x00\x01\x02\x03", "不是文本文件"),
        ("a.csv", b"1" * 1_200_000, "5,000 行、1 MB"),
        ("a.txt", "云杉路5号\n".encode() * 5_001, "5,000 行"),
        ("a.txt", b"\n\n", "没有内容"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(
    page: Any, live_city: str, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    page.goto(f"{live_city}/tools/standardise")
    page.get_by_label("或者上传文件").set_input_files(str(file))
    page.get_by_role("button", name="规范", exact=True).click()
    assert said in page.locator("[role=alert]").first.inner_text()


def test_an_uploaded_workbook_with_the_address_in_pieces(page: Any, live_city: str, tmp_path: Path) -> None:
    import xlsxwriter

    door = doors(1)[0]
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["姓名", "路名", "弄", "号", "备注"])
        sheet.write_row(1, 0, ["张杉", door.road, int(door.lane), door.number, "甲"])
    page.goto(f"{live_city}/tools/standardise")
    page.get_by_label("或者上传文件").set_input_files(str(tmp_path / "a.xlsx"))
    page.get_by_role("button", name="规范", exact=True).click()
    page.locator("#standardised").wait_for()
    assert page.get_by_label("地址在").input_value() == "parts"
    assert [row[2].strip() for row in rows_of(page)] == ["已到门牌"]


@pytest.mark.parametrize("width", [390, 1440])
def test_a_large_list_in_the_background(
    open_page: Any, live_city: str, worker: None, tmp_path: Path, width: int
) -> None:
    page = open_page(width, 900)
    sign_in(page, live_city)
    shot(page, "batches-empty")
    assert faults_of(page) == []
    name = f"名单{width}.csv"
    source = tmp_path / name
    source.write_text("\n".join(messy_lines(700)), encoding="utf-8")
    page.get_by_label("名单文件").set_input_files(str(source))
    page.get_by_role("button", name="上传").click()
    page.get_by_role("heading", name="核对地址在哪一列").wait_for()
    assert page.get_by_label("地址在").input_value() == "1"
    shot(page, "batch-columns")
    assert faults_of(page) == []
    page.get_by_role("button", name="开始规范").click()
    # The script asks for the progress and loads the page anew when the work has ended.
    page.locator("#batch-report").wait_for(timeout=60_000)
    page.locator("#batch-progress[data-state=done]").wait_for(timeout=60_000)
    shot(page, "batch-done")
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "已做 700 行，共 700 行" in page.locator("#batch-progress").inner_text()
    with page.expect_download() as saved:
        page.get_by_role("button", name="下载 CSV").click()
    table = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig"))))
    assert [row["序号"] for row in table] == [str(number) for number in range(1, 701)]
    page.get_by_role("navigation", name="只看一种结果").get_by_role("link", name="要核对").click()
    page.wait_for_url("**status=ambiguous*")
    assert {row[2].strip() for row in rows_of(page)} == {"要核对"}
    page.goto(f"{live_city}/tools/standardise/batches")
    shot(page, "batches")
    assert faults_of(page) == []
    page.get_by_role("link", name=name, exact=True).click()
    page.locator("summary", has_text=f"删除“{name}”").click()
    page.get_by_role("button", name="确定删除").click()
    assert "已删除" in page.locator("[role=status]").first.inner_text()
    assert page.get_by_role("link", name=name, exact=True).count() == 0


def test_stopping_and_going_on_without_script(open_page: Any, live_city: str, tmp_path: Path) -> None:
    from geo.addresses.standardising.models import Batch
    from geo.jobs.actions import run_job

    page = open_page(390, 844)
    sign_in(page, live_city)
    plain = open_page(390, 844, java_script_enabled=False)
    plain.context.add_cookies(page.context.cookies())
    source = tmp_path / "名单.txt"
    source.write_text("无此名路5号\n无此名路7号\n", encoding="utf-8")
    plain.goto(f"{live_city}/tools/standardise/batches")
    plain.get_by_label("名单文件").set_input_files(str(source))
    plain.get_by_role("button", name="上传").click()
    plain.get_by_role("button", name="开始规范").click()
    assert "排队中" in plain.locator("#batch-progress").inner_text()
    plain.get_by_role("button", name="停下").click()
    assert "已停下" in plain.locator("#batch-progress").inner_text()
    plain.get_by_role("button", name="从停下的地方接着做").click()
    plain.get_by_role("link", name="刷新看进度").click()
    batch = Batch.objects.get(name="名单.txt")
    assert batch.job
    run_job(job_id=batch.job.pk)
    plain.get_by_role("link", name="刷新看进度").click()
    assert "已完成" in plain.locator("#batch-progress").inner_text()
    assert [row[2].strip() for row in rows_of(plain)] == ["没有落点", "没有落点"]


@pytest.mark.parametrize("width", [390, 1440])
def test_the_help_of_staff_says_what_the_grammar_does(open_page: Any, live_city: str, width: int) -> None:
    page = open_page(width, 900)
    page.goto(f"{live_city}/help")
    page.get_by_role("link", name="地址怎么读、结果怎么看").click()
    page.wait_for_url("**/help/addresses")
    shot(page, "help-addresses")
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    text = page.locator("main").inner_text()
    assert "上海市静安区云杉路100弄5号" in text
    assert "上海市杨浦区云杉路105弄23号601室" in text
    for word in ("已到门牌", "大致位置", "要核对", "没有落点", "读不懂", "九成把握的误差"):
        assert word in text
    for link in page.locator("main a[href^='#']").all():
        assert page.locator(link.get_attribute("href")).count() == 1


def test_nobody_unknown_sees_batches(page: Any, live_city: str) -> None:
    page.goto(f"{live_city}/tools/standardise")
    page.get_by_role("link", name="登录").last.click()
    page.wait_for_url("**/sign-in?next=/tools/standardise/batches")
