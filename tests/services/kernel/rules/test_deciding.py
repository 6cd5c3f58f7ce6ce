from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import BadInput
from services.kernel.expressions import ExpressionFault
from services.kernel.rules.deciding.cells import CellFault, read_test
from services.kernel.rules.deciding.findings import findings_of
from services.kernel.rules.deciding.sheets import sheet_of
from services.kernel.rules.deciding.tables import TableFault, asked_of, read_table
from services.kernel.rules.spec import Fact, RuleSetSpec
from tests.services.kernel.rules import tables
from tests.services.kernel.rules.tables import AGE, BORN, HOME, NEEDS, STREET, WHO, sheet, spec


@settings(max_examples=300, deadline=None)
@given(tables.rows, tables.cases)
def test_a_table_decides_as_its_rows_read(drawn: Any, case: Any) -> None:
    applying = tables.read_again(drawn, case)
    first = read_table(tables.grown(drawn), spec()).decide(case)
    assert list(first.rows) == applying[:1]
    assert first.outputs["points"] == (applying[0] if applying else None)
    every = read_table(tables.grown(drawn), spec("collect")).decide(case)
    assert list(every.rows) == applying
    assert [result["points"] for result in every.results] == applying


@settings(max_examples=150, deadline=None)
@given(tables.rows, tables.cases)
def test_every_decision_is_explained_row_by_row(drawn: Any, case: Any) -> None:
    decision = read_table(tables.grown(drawn), spec()).decide(case)
    steps = decision.explanation
    if decision.decided:
        assert [step.row for step in steps] == list(range(1, decision.rows[0] + 1))
        assert [step.applied for step in steps] == [False] * (decision.rows[0] - 1) + [True]
    else:
        assert [step.row for step in steps] == [*range(1, len(drawn) + 1), 0]
        assert "没有一行符合" in steps[-1].text


@settings(max_examples=150, deadline=None)
@given(tables.rows)
def test_what_is_found_agrees_with_trying_every_case(drawn: Any) -> None:
    found = findings_of(tables.grown(drawn), spec())
    # whole ages on both sides of every cut a cell can make, each home and flag: all there is to try
    ages, homes, flags = [*map(Decimal, range(-1, 20)), None], ["local", "permit", "other", None], [True, False, None]
    first: set[int] = set()
    gap = False
    for age, home, poor in product(ages, homes, flags):
        applying = tables.read_again(drawn, {"age": age, "home": home, "poor": poor})
        first.update(applying[:1])
        gap = gap or (not applying and None not in (age, home, poor))
    # a row whose own cells exclude everything is not "behind" others, but reaches nothing either
    unreachable = {each.place.row for each in found if each.code == "row_unreachable"}
    assert unreachable == set(range(2, len(drawn) + 1)) - first
    assert any(each.code == "gap" for each in found) is gap


def test_the_steps_say_which_cell_met_which_value() -> None:
    table = read_table(
        sheet("< 60 | - | - => 街镇经办 | 0", ">= 60 | 本市,居住证 | 是 => 区民政局 | = 年龄 * 2 - 0.5"), spec()
    )
    decision = table.decide({"age": 72, "home": "permit", "poor": True})
    assert decision.outputs == {"who": "district", "points": Decimal("143.5")}
    assert [step.text for step in decision.explanation] == [
        "第 1 行不适用：年龄为 72 岁，要求小于 60 岁。",
        "第 2 行适用：年龄为 72 岁，符合“大于等于 60 岁”；户籍为 居住证，符合“属于【本市、居住证】”；低保为 是，符合“为 是”。"
        "结果：由谁办理为 区民政局，得分为 143.5 分（算式：年龄 乘以 2 减 0.5）。",
    ]
    missing = table.decide({})
    assert not missing.decided
    assert missing.explanation[0].text == "第 1 行不适用：年龄未填，要求小于 60 岁。"


@pytest.mark.parametrize(
    ("cell", "fact", "passing", "failing", "words"),
    [
        (">= 3", AGE, 3, 2, "大于等于 3 岁"),
        ("≥３岁", AGE, 3, 2, "大于等于 3 岁"),
        ("60岁以上", AGE, 60, 59, "大于等于 60 岁"),
        ("不满 60 岁", AGE, 59, 60, "小于 60 岁"),
        ("3-6", AGE, 6, 7, "在 3 岁 到 6 岁 之间"),
        ("3至6", AGE, 3, 2, "在 3 岁 到 6 岁 之间"),
        ("[3..6)", AGE, 3, 6, "在 3 岁 到 6 岁 之间（含前，不含后）"),
        ("<3, >=6", AGE, 6, 4, "小于 3 岁、大于等于 6 岁"),
        ("-5", AGE, -5, 5, "为 -5 岁"),
        ("非 3,4", AGE, 5, 4, "不属于【3 岁、4 岁】"),
        ("本市", HOME, "local", "other", "为 本市"),
        ("不是 本市", HOME, "other", "local", "不为 本市"),
        ("2024-09-01", BORN, date(2024, 9, 1), date(2024, 9, 2), "为 2024-09-01"),
        (">= 2024年9月1日", BORN, date(2024, 9, 1), date(2024, 8, 31), "不早于 2024-09-01"),
        ("[2024-01-01..2024-12-31]", BORN, date(2024, 12, 31), date(2025, 1, 1), "在 2024-01-01 到 2024-12-31 之间"),
        ("助餐", NEEDS, frozenset({"meal", "bath"}), frozenset({"bath"}), "含 助餐"),
        ("包含 安", STREET, "静安", "黄浦", "包含“安”"),
        ('"a,b"', STREET, "a,b", "a", "为 a,b"),
    ],
)
def test_cells_are_read_as_staff_write_them(cell: str, fact: Fact, passing: Any, failing: Any, words: str) -> None:
    test = read_test(cell, asked_of(fact))
    number = fact.kind == "number"
    assert test.passes(Decimal(passing) if number else passing)
    assert not test.passes(Decimal(failing) if number else failing)
    assert not test.passes(None)
    assert test.words(asked_of(fact)) == words


@pytest.mark.parametrize(
    ("cell", "fact", "code"),
    [
        ("abc", AGE, "cell_number"),
        (">= ", AGE, "cell_number"),
        ("[6..3]", AGE, "cell_interval"),
        ("(3..3)", AGE, "cell_interval"),
        ("1e99", AGE, "cell_number"),
        ("9" * 400, AGE, "cell_number"),
        ("非", AGE, "cell_empty"),
        ("上海", HOME, "cell_choice"),
        ("> 本市", HOME, "cell_order"),
        ("yes", tables.POOR, "cell_flag"),
        ("2024-02-30", BORN, "cell_day"),
        ("早于 昨天", BORN, "cell_day"),
    ],
)
def test_cells_that_cannot_be_meant_are_named(cell: str, fact: Fact, code: str) -> None:
    with pytest.raises(CellFault) as fault:
        read_test(cell, asked_of(fact))
    assert fault.value.code == code


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.text(alphabet='[]().,-<>=≥非不是到至~3以上满 、"“”', max_size=30))
def test_any_cell_is_read_or_refused_by_name(text: str) -> None:
    for fact in (AGE, HOME, BORN, NEEDS, STREET, tables.POOR):
        try:
            read_test(text, asked_of(fact)).words(asked_of(fact))
        except BadInput as fault:
            assert fault.message  # noqa: PT017 - either outcome is right, and only these two


def test_flaws_are_named_with_row_and_column() -> None:
    flawed = sheet("abc | - | - => 谁 | = 年令 + 1", "- | - | - => 区民政局 | 1", asks=("age", "hom", "poor"))
    with pytest.raises(TableFault) as fault:
        read_table(flawed, spec())
    assert [(flaw.place.row, flaw.place.column, flaw.code) for flaw in fault.value.flaws] == [
        (0, 2, "name_unknown"), (1, 1, "cell_number"), (1, 4, "cell_choice"), (1, 5, "name_unknown"),
    ]  # fmt: skip
    assert {each.level for each in findings_of(flawed, spec())} == {"error"}


def test_a_column_may_ask_an_expression() -> None:
    declared = spec(inputs=(BORN, Fact("today", "今天", "day"), HOME))
    table = read_table(
        sheet(">= 60 | - => 区民政局", "- | - => 街镇经办", asks=("周岁(出生日期, 今天)", "home")), declared
    )
    assert table.decide({"born": "1966-02-28", "today": "2026-02-28"}).outputs["who"] == "district"
    young = table.decide({"born": "1966-02-28", "today": "2026-02-27"})
    assert young.outputs["who"] == "street"
    assert young.explanation[0].text == "第 1 行不适用：出生日期 到 今天 的整年数为 59，要求大于等于 60。"


def test_findings_tell_gaps_overlaps_and_rows_never_used() -> None:
    found = findings_of(
        sheet("< 60 | - | - => 街镇经办", "[50..70] | 本市 | - => 区民政局", "[60..70] | 本市 | 是 => 街镇经办"), spec()
    )
    told = {each.code: each.message for each in found}
    assert told["row_unreachable"].startswith("第 3 行永远用不到")
    assert "第 1 行与第 2 行有重叠（年龄 在 50 岁 到 60 岁 之间（含前，不含后）、户籍 本市）" in told["rows_overlap"]
    assert any("户籍 居住证或外省市" in each.message for each in found if each.code == "gap")
    assert "gap_missing" not in told
    blank = findings_of(sheet("< 60 | - | - => 街镇经办", ">= 60 | - | - => 区民政局"), spec())
    assert [(each.code, each.place.column) for each in blank] == [("gap_missing", 1)]
    assert findings_of(sheet("- | - | - => 区民政局 | 1"), spec()) == []
    assert findings_of(sheet(), spec())[0].code == "table_empty"
    assert (
        findings_of(sheet("<= 3 | - | - => 街镇经办", ">= 4 | - | - => 区民政局", "未填 | - | - => 区民政局"), spec())
        == []
    )


def test_parts_of_texts_and_multiple_choices_are_judged_with_care() -> None:
    declared = spec(inputs=(STREET, NEEDS))
    asks = ("street", "needs")
    some = findings_of(
        sheet("包含 安 | - => 街镇经办", "静安 | - => 区民政局", "- | 助餐 => 街镇经办", asks=asks), declared
    )
    assert {(each.code, each.place.row) for each in some if each.code == "row_unreachable"} == {("row_unreachable", 2)}
    assert any(each.code == "gap" for each in some)


def test_what_cannot_be_computed_is_a_fault_and_no_answer() -> None:
    table = read_table(sheet("- | - | - => 区民政局 | = 1 / (age - 60)"), spec())
    with pytest.raises(ExpressionFault) as fault:
        table.decide({"age": 60})
    assert fault.value.message == "第 1 行“得分”算不出来：算式里出现了除以 0，请先判断除数。"
    with pytest.raises(ExpressionFault, match="“年龄”应是数字"):
        table.decide({"age": "六十"})


def test_a_large_table_is_checked_within_its_budget() -> None:
    rows = [
        f"[{n % 60}..{n % 60 + 7}) | {'本市' if n % 3 else '外省市,居住证'} | {'是' if n % 2 else '-'} => 区民政局 | {n}"
        for n in range(400)
    ]
    assert findings_of(sheet(*rows), spec())


def test_shapes_that_do_not_fit_are_refused() -> None:
    good = sheet("- | - | - => 区民政局 | 1").data()
    assert sheet_of(good, spec()).data() == good
    bad = [
        None, [], {}, {**good, "gives": ["who"]}, {**good, "asks": []}, {**good, "asks": ["age"] * 21}, {**good, "lines": good["lines"] * 2},
        {**good, "lines": [{**good["lines"][0], "tests": ["-"]}]}, {**good, "lines": [{**good["lines"][0], "tests": ["-", 1, "-"]}]},
        {**good, "lines": [{**good["lines"][0], "tests": ["-", "x" * 501, "-"]}]}, {**good, "lines": [{**good["lines"][0], "note": "x" * 201}]},
        {**good, "lines": [{**good["lines"][0], "key": str(n)} for n in range(1_001)]},
    ]  # fmt: skip
    for data in bad:
        with pytest.raises(BadInput):
            sheet_of(data, spec())


def test_what_names_a_person_is_no_fact() -> None:
    for key, label in (("identity_number", "证件"), ("tel", "手机号"), ("card", "身份证号")):
        with pytest.raises(ValueError, match="no facts of rules"):
            Fact(key, label)
    with pytest.raises(ValueError, match="keys of their own"):
        RuleSetSpec("x", "x", (AGE, AGE), (WHO,))
