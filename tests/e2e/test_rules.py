"""Rules at the desk in a browser: the table as a sheet, with keys, pasting and undo; a trial by a real worker; a fault that is told."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from geo.errors import Unavailable
from services.kernel.messages.models import Message
from services.kernel.rules.decisions import decide
from services.kernel.rules.models import DecisionRecord, RuleFault, RuleState, RuleVersion
from services.kernel.rules.queries import sheet_kept
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.services.kernel.rules import tables
from tests.services.kernel.rules.conftest import declared, region

SHOTS = os.environ.get("QUANTU_SHOTS", "")


@pytest.fixture
def rules(live_city: str) -> Iterator[None]:
    with declared(tables.spec()):
        yield


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def paste(page: Any, cell: Any, text: str) -> None:
    cell.evaluate(
        """(cell, text) => {
            const data = new DataTransfer();
            data.setData('text/plain', text);
            cell.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        text,
    )


def values(page: Any) -> list[list[str]]:
    return page.locator(".rule-line").evaluate_all(
        "lines => lines.map(line => [...line.querySelectorAll('.rule-cell')].map(cell => cell.value))"
    )


def test_a_manager_writes_tries_publishes_and_changes_rules(
    rules: None, worker: None, open_page: Any, live_city: str
) -> None:
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "shi", "/desk/rules")
    shot(desk, "list")
    desk.get_by_role("link", name="谁来办", exact=True).click()
    desk.get_by_role("button", name="编辑上海市的规则").click()
    desk.wait_for_url("**/desk/rules/versions/*")

    # keys as in a spreadsheet: Enter at the last row begins the next, a block from Excel fills rows, undo takes it back
    desk.get_by_role("button", name="添加一行").click()
    first = desk.get_by_label("第 1 行 年龄")
    first.fill("不满 60")
    first.press("Enter")
    desk.get_by_text("小于 60 岁").wait_for()
    assert desk.locator(":focus").get_attribute("aria-label") == "第 2 行 年龄"
    paste(
        desk,
        desk.get_by_label("第 1 行 年龄"),
        "不满 60\t-\t-\t街镇经办\t0\n60-79\t本市、居住证\t是\t区民政局\t= 年龄 * 2\n",
    )
    desk.get_by_label("第 2 行 年龄").press("ArrowUp")
    assert desk.locator(":focus").get_attribute("aria-label") == "第 1 行 年龄"
    desk.get_by_text("按算式：年龄 乘以 2").wait_for()
    assert values(desk)[1] == ["60-79", "本市、居住证", "是", "区民政局", "= 年龄 * 2", ""]
    desk.keyboard.press("Control+z")
    assert values(desk)[1] == [""] * 6
    desk.keyboard.press("Control+y")
    assert values(desk)[1][0] == "60-79"
    desk.locator(".rule-line").nth(1).get_by_title("复制一行").click()
    desk.get_by_label("第 3 行 年龄").fill("八十以上")
    desk.get_by_label("第 3 行 年龄").press("Tab")
    desk.get_by_text("“八十”不是数字").first.wait_for()
    assert faults_of(desk) == []
    shot(desk, "editor-1440")
    desk.get_by_label("第 3 行 年龄").fill(">= 80")
    desk.get_by_label("第 3 行 户籍").fill("-")
    desk.get_by_label("第 3 行 低保").fill("-")

    # what is not saved yet can be tried, step by step
    desk.get_by_label("年龄（岁）").fill("85")
    desk.get_by_role("button", name="看结果").click()
    desk.get_by_text("第 3 行适用：年龄为 85 岁").wait_for()
    assert "第 1 行不适用：年龄为 85 岁，要求小于 60 岁。" in desk.locator("#try-panel").inner_text()
    desk.get_by_role("button", name="保存并检查").click()
    desk.get_by_text("没有一行适用：年龄 在 60 岁 到 79 岁 之间").first.wait_for()
    shot(desk, "checked-1440")
    assert faults_of(desk) == []
    version = RuleVersion.objects.get()
    assert len(sheet_kept(version).lines) == 3
    assert version.state == RuleState.CHECKED
    desk.get_by_label("从哪天起使用").fill(timezone.localdate().isoformat())
    desk.get_by_label("为什么改").fill("首次发布")
    desk.get_by_role("checkbox", name="我已核对").check()
    desk.get_by_role("button", name="发布上海市第 1 版").click()
    desk.get_by_text("已发布第 1 版").wait_for()

    # it decides, and what it decided is what the next draft is tried on
    for age in (50, 70, 85):
        decide(
            "test.who",
            {"age": age, "home": "local", "poor": True},
            region_id=region("310101").pk,
            subject=f"case:{age}",
        )
    assert DecisionRecord.objects.count() == 3
    desk.get_by_role("button", name="以这一版新建草稿").click()
    desk.get_by_text("第 2 版").first.wait_for()
    desk.get_by_label("第 3 行 由谁办理").fill("街镇经办")
    desk.get_by_label("第 3 行 得分").fill("= 1 / (年龄 - 90)")
    desk.keyboard.press("Control+s")
    desk.get_by_text("已保存（第 2 次修改）。").wait_for()
    desk.get_by_role("button", name="开始试算").click()
    desk.wait_for_url("**/desk/rules/trials/*")
    desk.get_by_text("由谁办理 街镇经办，得分 -0.2 分").first.wait_for()
    assert "2 条" in desk.locator(".trial-tally").inner_text()
    shot(desk, "trial-1440")
    assert faults_of(desk) == []

    # a published rule that cannot run: the caller is told by name, the keeper by a message, the page shows it
    desk.go_back()
    desk.get_by_label("从哪天起使用").fill((timezone.localdate() + dt.timedelta(days=1)).isoformat())
    desk.get_by_label("为什么改").fill("试一下")
    desk.get_by_role("checkbox", name="我已核对").check()
    desk.get_by_role("button", name="发布上海市第 2 版").click()
    desk.get_by_text("已发布第 2 版").wait_for()
    with pytest.raises(Unavailable):
        decide("test.who", {"age": 90}, region_id=region("310101").pk, on=timezone.localdate() + dt.timedelta(days=1))
    end = time.monotonic() + 20
    while not (
        RuleFault.objects.exists() and Message.objects.filter(event="rules.broken", recipient__username="shi").exists()
    ):
        assert time.monotonic() < end, "the fault was not told in time"
        time.sleep(0.1)
    desk.goto(f"{live_city}/desk/rules")
    desk.get_by_text("故障 1 次").wait_for()
    desk.get_by_role("link", name="谁来办", exact=True).click()
    desk.get_by_role("link", name="与上一版对比").click()
    desk.get_by_text("共 2 处不同").wait_for()
    shot(desk, "compare-1440")
    assert faults_of(desk) == []

    phone = open_page(390, 844, has_touch=True)
    sign_in(phone, live_city, "shi", "/desk/rules/test.who")
    shot(phone, "set-390")
    assert faults_of(phone) == []
    phone.get_by_role("button", name="编辑上海市的规则").click()
    phone.wait_for_url("**/desk/rules/versions/*")
    phone.get_by_label("第 1 行 年龄").fill("[")
    phone.get_by_label("第 1 行 户籍").focus()
    phone.locator("td.faulty .form-error").wait_for()
    shot(phone, "editor-390")
    assert faults_of(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
