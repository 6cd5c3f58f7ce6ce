"""Headers and cells of messy sheets, as tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from geo.imports.sheets import SheetRow
from services.facilities.ledgers import INTAKE
from services.kernel.ledger.importing.checking import Seen
from services.kernel.ledger.importing.heads import header_at, letter, read_header
from services.kernel.ledger.importing.values import read_row


@pytest.mark.parametrize(
    ("head", "row", "columns"),
    [
        (["名称*", "类型*", "地址*"], 0, {"name": 0, "kind_id": 1, "address_text": 2}),
        (["地址", "名称", "类型"], 0, {"name": 1, "kind_id": 2, "address_text": 0}),
        (["机构名称", "设施类型", "详细地址", "联系电话"], 0, {"name": 0, "kind_id": 1, "address_text": 2, "phone": 3}),
        (
            [" 名 称 ", "类型（必填）", "地址：", "床位数(张)"],
            0,
            {"name": 0, "kind_id": 1, "address_text": 2, "attributes__beds": 3},
        ),
        (["备注", "说明"], 0, {}),
        (["名称", "名称2", "类型", "地址"], 0, {"name": 0, "kind_id": 2, "address_text": 3}),
        (["行号", "要改的原因", "名称", "类型", "地址"], 0, {"name": 2, "kind_id": 3, "address_text": 4}),
    ],
)
def test_columns_are_known_by_their_label_or_a_name_close_to_it(
    head: list[str], row: int, columns: dict[str, int]
) -> None:
    found = read_header([head, ["甲", "药店", "某路1号"]], INTAKE)
    assert (found.row, dict(found.columns)) == (row, columns)


@pytest.mark.parametrize("above", [0, 1, 3, 11])
def test_the_header_stands_anywhere_in_the_first_rows(above: int) -> None:
    head = [["某街道名称一览"], ["填表人", "电话"], [""]] * 4
    sheet = [*head[:above], ["名称", "类型", "地址", "电话"], ["甲", "药店", "某路1号", "1"]]
    assert read_header(sheet, INTAKE).row == above


def test_what_is_missing_and_what_is_unknown_is_said() -> None:
    found = read_header([["名称", "类型", "备注"]], INTAKE)
    assert [field.label for field in found.missing(INTAKE)] == ["地址"]
    assert found.unknown() == ["备注"]
    # a sheet that names existing rows brings what it wants to change
    assert read_header([["编号", "电话"]], INTAKE).missing(INTAKE) == []
    assert header_at(["a", "b"], 4, {"name": 1}).row == 4


@pytest.mark.parametrize(
    ("at", "said"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_called_as_a_spreadsheet_calls_them(at: int, said: str) -> None:
    assert letter(at) == said


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("attributes__beds", "20", 20),
        ("attributes__beds", "２０", 20),
        ("attributes__beds", "1,200", 1200),
        ("attributes__beds", "20张", 20),
        ("attributes__beds", " 20 ", 20),
        ("attributes__beds", "20.0", 20),
        ("attributes__beds", "-", None),
        ("attributes__beds", "暂无", None),
        ("attributes__fee_from_yuan", "1200.5元", 1200.5),
        ("kind_id", "药 店", "pharmacy"),
        ("kind_id", "pharmacy", "pharmacy"),
        ("attributes__inclusive", "是", True),
        ("attributes__inclusive", "False", False),
        ("as_of", "2026年9月1日", "2026-09-01"),
        ("as_of", "2026-09-01 00:00:00", "2026-09-01"),
        ("as_of", "20260901", "2026-09-01"),
        ("name", "=1+1", "=1+1"),
        ("name", "甲\x00\u200b乙", "甲乙"),
        ("phone", "021-12345678", "021-12345678"),
    ],
)
def test_a_cell_means(key: str, text: str, value: Any) -> None:
    row = read_row(2, {"id": "1", key: text}, INTAKE)
    assert row.faults == []
    assert row.values.get(key) == value


@pytest.mark.parametrize(
    ("key", "text", "code"),
    [
        ("attributes__beds", "二十", "not_a_number"),
        ("attributes__beds", "20-30", "not_a_number"),
        ("attributes__beds", "约20", "not_a_number"),
        ("attributes__beds", "20左右的", "not_a_number"),
        ("attributes__beds", "12.5", "not_whole"),
        ("attributes__beds", "-3", "out_of_range"),
        ("attributes__beds", "99999999999", "out_of_range"),
        ("attributes__beds", "nan", None),
        ("attributes__beds", "1e5", "not_a_number"),
        ("kind_id", "养鸡场", "unknown_value"),
        ("attributes__inclusive", "大概", "not_a_flag"),
        ("as_of", "2026-02-30", "not_a_date"),
        ("as_of", "去年", "not_a_date"),
        ("name", "名" * 301, "too_long"),
        ("lon", "121°28′", "bad_position"),
        ("id", "abc", "not_a_number"),
    ],
)
def test_a_cell_that_cannot_be_meant_says_why(key: str, text: str, code: str | None) -> None:
    row = read_row(2, {"id": "1", key: text}, INTAKE)
    assert [(fault.key, fault.code) for fault in row.faults] == ([(key, code)] if code else [])
    assert key not in row.values or not code
    if code:
        assert row.cells[key] == text, "what was typed is kept"


def test_all_faults_of_a_row_are_said_at_once() -> None:
    row = read_row(9, {"name": "", "kind_id": "x", "attributes__beds": "y"}, INTAKE)
    assert {(fault.key, fault.code) for fault in row.faults} == {
        ("name", "missing_value"), ("address_text", "missing_value"), ("kind_id", "unknown_value"),
        ("attributes__beds", "not_a_number"),
    }  # fmt: skip


def test_twins_are_near_each_other_or_one_row() -> None:
    def row(number: int, lon: float, apart: float = 250.0, twin: str = "a") -> SheetRow:
        return SheetRow(number, {}, found={"lon": lon, "lat": 31.2}, twin=twin, apart_m=apart)

    seen = Seen()
    seen.add("a", 2, {"lon": 121.4, "lat": 31.2})
    assert seen.other(row(3, 121.4025)) == 2  # 238 m
    assert seen.other(row(3, 121.4028)) is None  # 267 m
    assert seen.other(row(3, 122.0, apart=0.0)) == 2
    assert seen.other(row(3, 121.4, twin="b")) is None
    assert seen.other(row(2, 121.4)) is None, "a row is not its own twin"


def test_an_intake_with_sensitive_columns_is_not_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    from services.facilities import ledgers as declared
    from services.kernel.ledger import registry

    masked = replace(INTAKE, fields=(*INTAKE.fields, replace(INTAKE.fields[7], key="x", masked="phone")))
    monkeypatch.setattr(declared, "LEDGERS", (replace(declared.LEDGERS[0], intake=masked),))
    registry.ledgers.cache_clear()
    try:
        with pytest.raises(ValueError, match="sensitive values in plain"):
            registry.ledgers()
    finally:
        monkeypatch.undo()
        registry.ledgers.cache_clear()
