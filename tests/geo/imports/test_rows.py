"""Reading single values: what people write in cells, and the refusal that names the cell."""

import datetime

import pytest

from geo.imports.faults import RowRefused, SourceRefused
from geo.imports.reasons import DOUBTS, ROW_REASONS, WARNINGS, sentence
from geo.imports.rows import RawRow
from geo.imports.spec import manifest_of
from tests.geo.imports.worlds import PLACES


def row(**fields):
    return RawRow("f.csv", 1, "x", fields, {name: f"列{name}" for name in fields})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("523户", 523),
        ("1,204", 1204),
        ("约３０张", 30),
        (12.0, 12),
        ("暂无数据", None),
        ("", None),
        (float("nan"), None),
    ],
)
def test_a_whole_number_is_found_in_what_people_write(written, read):
    assert row(n=written).integer("n") == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-09-01", datetime.date(2024, 9, 1)),
        ("2024/9/1", datetime.date(2024, 9, 1)),
        ("２０２４年９月１日", datetime.date(2024, 9, 1)),
        ("20240901", datetime.date(2024, 9, 1)),
        (datetime.datetime(2024, 9, 1, 8), datetime.date(2024, 9, 1)),
        ("不详", None),
    ],
)
def test_a_day_is_read_in_the_forms_people_write(written, read):
    assert row(d=written).date("d") == read


@pytest.mark.parametrize(("written", "read"), [("是", True), ("否", False), ("1", True), (False, False), ("", None)])
def test_yes_and_no(written, read):
    assert row(f=written).flag("f") is read


@pytest.mark.parametrize(
    ("ask", "written", "code"),
    [
        (lambda r: r.integer("v"), "二十", "not_a_number"),
        (lambda r: r.integer("v"), "-3", "out_of_range"),
        (lambda r: r.date("v"), "上个月", "not_a_date"),
        (lambda r: r.date("v"), "2024-02-30", "not_a_date"),
        (lambda r: r.flag("v"), "也许", "not_a_flag"),
        (lambda r: r.text("v", limit=3), "一二三四", "too_long"),
        (lambda r: r.text("v", required=True), " ", "missing_value"),
        (lambda r: r.choice("v", ("a", "b")), "c", "unknown_value"),
    ],
)
def test_a_bad_value_is_refused_with_its_code_and_column(ask, written, code):
    with pytest.raises(RowRefused) as caught:
        ask(row(v=written))
    assert caught.value.code == code
    assert caught.value.column == "列v"
    assert caught.value.message.startswith(ROW_REASONS[code])


def test_no_code_means_two_things():
    assert not set(ROW_REASONS) & set(WARNINGS)
    assert not set(ROW_REASONS) & set(DOUBTS)
    assert all(sentence(code).endswith("。") for code in (*ROW_REASONS, *WARNINGS, *DOUBTS))


@pytest.mark.parametrize(
    "wrong",
    [
        {"datum": "bj54"},
        {"datum": "mars"},
        {"family": "people"},
        {"key": "Not A Key"},
        {"colums": {}},
        {"file": "places.doc"},
        {"rules": [{"field": "name", "contains": ["x"], "refuse": "because"}]},
        {"values": {"kind": {"map": "nowhere"}}},
        {"values": {"kind": {"otherwise": "refuse:because"}}},
        {"lookups": [{"field": "code"}]},
        {"as_of": "2024"},
    ],
)
def test_a_faulty_declaration_is_refused_before_any_file_is_opened(wrong):
    with pytest.raises(SourceRefused) as caught:
        manifest_of({"source": [{**PLACES, **wrong}]})
    assert caught.value.code == "manifest_invalid"


def test_a_source_declared_twice_is_refused():
    with pytest.raises(SourceRefused):
        manifest_of({"source": [PLACES, PLACES]})
