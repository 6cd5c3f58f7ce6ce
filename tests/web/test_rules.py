"""The pages of rules without a browser: without script, who is let in, two people at once, odd input, the report as a file."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from geo.jobs.actions import run_job
from services.access.demo import make_demo_accounts
from services.access.models import User
from services.kernel.rules.actions import open_draft, save_sheet
from services.kernel.rules.decisions import decide
from services.kernel.rules.models import RuleState, RuleVersion, Trial
from services.kernel.rules.queries import sheet_kept
from tests.services.kernel.rules import tables
from tests.services.kernel.rules.conftest import declared, region, scope
from tests.services.kernel.rules.test_keeping import OLD, published


@pytest.fixture(autouse=True)
def _people(city: None) -> Iterator[None]:
    make_demo_accounts()
    with declared(tables.spec()):
        yield


def client(name: str) -> Client:
    made = Client()
    made.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return made


def posted(version: RuleVersion, **extra: Any) -> dict[str, Any]:
    """Return a table as a page without script posts it: a list for every column."""
    sheet = sheet_kept(version)
    data: dict[str, Any] = {"seen": str(version.revision), "line": [line.key for line in sheet.lines]}
    for at in range(len(sheet.asks)):
        data[f"t{at}"] = [line.tests[at] for line in sheet.lines]
    for at in range(len(sheet.gives)):
        data[f"g{at}"] = [line.results[at] for line in sheet.lines]
    return data | {"note": [line.note for line in sheet.lines]} | extra


def test_a_table_is_written_checked_tried_and_published_without_script() -> None:
    shi = client("shi")
    assert "还没有发布" in shi.get("/desk/rules").content.decode()
    at = shi.post("/desk/rules/test.who/draft", {"region": "310000"})["Location"]
    for _ in range(2):
        draft = RuleVersion.objects.get()
        shi.post(at, posted(draft, act=f"row-add:{len(draft.sheet['lines'])}"))
    draft.refresh_from_db()
    page = shi.post(
        at, posted(draft, act="check", t0=["六十以上", "-"], g0=["街镇经办", "区民政局"]), follow=True
    ).content.decode()
    assert "“六十”不是数字" in page
    assert "改好 1 处错误后可以发布" in page
    draft.refresh_from_db()
    page = shi.post(
        at, posted(draft, act="check", t0=["60以上", "-"], g0=["街镇经办", "区民政局"]), follow=True
    ).content.decode()
    assert "大于等于 60 岁" in page
    assert "每种情况都有一行适用" in page
    draft.refresh_from_db()
    assert draft.state == RuleState.CHECKED
    tried = shi.post(at, posted(draft, act="try", t0=["61以上", "-"], **{"f-age": "60"})).content.decode()
    assert "第 1 行不适用：年龄为 60 岁，要求大于等于 61 岁。" in tried
    assert "第 2 行适用" in tried
    draft.refresh_from_db()
    assert sheet_kept(draft).lines[0].tests[0] == "60以上", "trying saves nothing"
    soon = timezone.localdate() + dt.timedelta(days=3)
    shi.post(at, {"act": "publish", "seen": draft.revision, "from_day": soon.isoformat(), "reason": "新办法"})
    draft.refresh_from_db()
    assert (draft.state, draft.from_day) == (RuleState.PUBLISHED, soon)
    assert "起改用" in shi.get("/desk/rules/test.who").content.decode()


def test_rows_and_columns_change_by_buttons_without_script() -> None:
    published()
    draft = open_draft(key="test.who", region="310000", scope=scope())
    shi, at = client("shi"), f"/desk/rules/versions/{draft.pk}"
    for act, extra in (
        ("row-double:0", {}),
        ("row-down:1", {}),
        ("column-add", {"formula": "年龄 * 2"}),
        ("column-remove:2", {}),
        ("row-remove:0", {}),
    ):
        draft.refresh_from_db()
        assert shi.post(at, posted(draft, act=act, **extra)).status_code == 302
    draft.refresh_from_db()
    sheet = sheet_kept(draft)
    assert sheet.asks == ("age", "home", "年龄 * 2")
    assert [line.tests for line in sheet.lines] == [("-", "-", ""), ("< 60", "-", "")]
    page = shi.get(at).content.decode()
    assert "删去“低保”列" in page
    assert "第 2 行“由谁办理”" not in page


def test_two_people_lose_nothing() -> None:
    draft = open_draft(key="test.who", region="310000", scope=scope())
    mine = posted(draft, line=["r1"], t0=["我的条件"], t1=["-"], t2=["-"], g0=["街镇经办"], g1=["1"], note=[""])
    save_sheet(version_id=draft.pk, sheet=OLD, seen=1, scope=scope(actor="zhang"))
    shi, at = client("shi"), f"/desk/rules/versions/{draft.pk}"
    answer = shi.post(at, mine | {"act": "save"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "zhang 保存了这份草稿" in page
    assert 'value="我的条件"' in page
    assert 'name="seen" value="2"' in page
    draft.refresh_from_db()
    assert sheet_kept(draft) == OLD
    assert shi.post(at, mine | {"act": "save", "seen": "2"}).status_code == 302


def test_who_is_let_in() -> None:
    version = published().pk
    people = {name: client(name) if name else Client() for name in ("", "jumin", "jigou", "jiezhen", "qu", "shi")}
    for path, *expected in (
        ("/desk/rules", 302, 403, 403, 403, 200, 200),
        ("/desk/rules/test.who", 302, 403, 403, 403, 200, 200),
        (f"/desk/rules/versions/{version}", 302, 403, 403, 403, 404, 200),
        (f"/desk/rules/versions/{version}/compare", 302, 403, 403, 403, 404, 404),
        ("/desk/rules/none", 302, 404, 404, 404, 404, 404),
        ("/help/rules", 200, 200, 200, 200, 200, 200),
    ):
        assert [each.get(path).status_code for each in people.values()] == expected, path


def test_a_district_keeps_its_own_rules_only() -> None:
    draft = open_draft(key="test.who", region="310000", scope=scope())
    qu, at = client("qu"), f"/desk/rules/versions/{draft.pk}"
    for path, data in ((at, posted(draft, act="save")), (f"{at}/cell", {"column": "t0", "text": "1"}), (f"{at}/trials", {}),
                       ("/desk/rules/test.who/draft", {"region": "310000"})):  # fmt: skip
        assert qu.post(path, data).status_code in (403, 404), path
    assert draft.edits.count() == 0


def test_a_cell_says_what_it_means() -> None:
    draft = open_draft(key="test.who", region="310000", scope=scope())
    shi, at = client("shi"), f"/desk/rules/versions/{draft.pk}/cell"

    def said(column: str, text: str) -> str:
        return str(shi.post(at, {"column": column, "text": text}).content.decode().strip())

    assert said("t0", ">=60") == "大于等于 60 岁"
    assert said("g1", "= age * 2") == "按算式：年龄 乘以 2"
    assert "没有“上海”这个选项，可选：本市、居住证、外省市。" in said("t1", "上海")
    assert "&lt;script&gt;" in said("t1", "x<script>")
    assert shi.post(at, {"column": "t99", "text": "1"}).status_code == 404
    assert shi.get(at).status_code == 405


ODD: tuple[dict[str, Any], ...] = (
    {"act": "explode"},
    {"act": "row-up:-1"},
    {"act": "save", "seen": "1", "sheet": "{"},
    {"act": "save", "seen": "1", "sheet": "[[1]]"},
    {"act": "save", "seen": "1", "sheet": '{"a":1}'},
    {"act": "save", "seen": "1", "sheet": json.dumps([["k", "x" * 600, "", "", "", "", ""]])},
    {"act": "save", "seen": "1", "sheet": json.dumps([["k", *[""] * 6]] * 1_001)},
    {"act": "save", "seen": "1", "line": ["a", "b"], "t0": ["1"]},
    {"act": "publish", "seen": "x", "from_day": "2026-99-99", "reason": "x"},
    {"act": "publish", "seen": "1", "from_day": "", "reason": "x"},
)


def test_odd_input_is_answered_in_words() -> None:
    draft = open_draft(key="test.who", region="310000", scope=scope())
    shi = client("shi")
    for data in ODD:
        answer = shi.post(f"/desk/rules/versions/{draft.pk}", data)
        assert answer.status_code in (400, 409), data
        assert 'role="alert"' in answer.content.decode(), data
    assert RuleVersion.objects.get().revision == 1


def test_a_trial_is_read_page_by_page_and_taken_as_a_spreadsheet() -> None:
    published()
    for age in range(60, 120):
        decide("test.who", {"age": age, "home": "local"}, region_id=region("310101").pk, subject="=1+1")
    draft = open_draft(key="test.who", region="310000", scope=scope())
    draft = save_sheet(version_id=draft.pk, sheet=tables.sheet("- | - | - => 街镇经办 | 0"), seen=1, scope=scope())
    shi = client("shi")
    at = shi.post(f"/desk/rules/versions/{draft.pk}/trials", {"from_day": "", "to_day": "", "cases": ""})["Location"]
    assert "排队中" in shi.get(at).content.decode()
    run_job(job_id=Trial.objects.get().job_id)
    first, second = shi.get(at).content.decode(), shi.get(f"{at}?page=2&kind=changed").content.decode()
    assert "第 1 / 2 页" in first
    assert "年龄 60 岁，户籍 本市" in first
    assert "第 2 / 2 页" in second
    report = shi.get(f"{at}/report.xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(report.streaming_content)))
    rows = book.get_sheet_by_name("差异").to_python()
    assert len(rows) == 61
    assert rows[1][4] == "=1+1"
    assert book.get_sheet_by_name("汇总").to_python()[1][2] == 1
    wrong = shi.post(f"/desk/rules/versions/{draft.pk}/trials", {"cases": "谁\n1"})
    assert wrong.status_code == 400
    assert "不是这个规则集的事实" in wrong.content.decode()
    assert client("qu").get(at).status_code == 404


def test_versions_stand_beside_each_other() -> None:
    published()
    second = published(tables.sheet("< 70 | - | - => 街镇经办 | 0", "- | - | - => 区民政局 | = (age ?? 60) * 2"))
    table = client("shi").get(f"/desk/rules/versions/{second.pk}/table.xlsx")
    rows = (
        CalamineWorkbook.from_filelike(io.BytesIO(b"".join(table.streaming_content))).get_sheet_by_index(0).to_python()
    )
    assert rows[0] == ["年龄", "户籍", "低保", "由谁办理", "得分", "备注"]
    assert rows[2][4] == "= (age ?? 60) * 2"
    assert client("qu").get(f"/desk/rules/versions/{second.pk}/table.xlsx").status_code == 404
    own = published(
        tables.sheet("< 80 | - | - => 街镇经办 | 0", "- | - | - => 区民政局 | = (age ?? 60) * 2"), code="310101"
    )
    beside = client("shi").get(f"/desk/rules/versions/{own.pk}/compare?with=above").content.decode()
    assert "上海市 第 2 版" in beside
    assert "共 1 处不同" in beside
    page = client("shi").get(f"/desk/rules/versions/{second.pk}/compare").content.decode()
    assert "共 1 处不同" in page
    assert page.count("mark-changed") == 2
    ended = client("shi").post(
        "/desk/rules/test.who/end", {"region": "310106", "from_day": timezone.localdate().isoformat(), "reason": "x"}
    )
    assert ended.status_code == 409
    assert "已在沿用上级的规则" in ended.content.decode()
