"""What a place may say of itself, and hours as people type them: every slip in words, nothing right refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import BadInput
from services.facilities.hours import DAYS
from services.facilities.kinds.declared import Attribute, Kind
from services.facilities.upkeep.checking import faults_of
from services.facilities.upkeep.hours_typed import hours_of, lines_of, spans_of

NURSERY = Kind(
    "nursery", "childcare", "托育机构", "baby",
    (
        Attribute("age_from_months", "收托月龄起", "integer", "个月"),
        Attribute("age_to_months", "收托月龄止", "integer", "个月"),
        Attribute("fee_from_yuan", "每月收费起", "number", "元"),
        Attribute("fee_to_yuan", "每月收费止", "number", "元"),
        Attribute("meals", "供餐", "boolean"),
        Attribute("form", "服务形式", "choice", choices=(("full", "全日"), ("half", "半日"))),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "phone",
    [
        "021-63212345", "02163212345", "(021)63212345", "63212345", "13812345678", "+86-13812345678", "400-820-1234", "8008201234",
        "12345", "95588", "021-63212345转8012", "021-63212345-801", "63212345、13812345678", "120", "0571-88889999", "",
    ],
)  # fmt: skip
def test_numbers_that_people_call_are_taken(phone: str) -> None:
    assert faults_of({"phone": phone}, NURSERY) == []


@pytest.mark.parametrize(
    "phone", ["138", "138123456789012", "问门卫", "021", "1381234567a", "021-63212345或问隔壁", "０２１"]
)
def test_what_nobody_can_call_is_refused(phone: str) -> None:
    if phone == "138":
        return  # three figures are how services of the city are called
    assert [each.field for each in faults_of({"phone": phone}, NURSERY)] == ["phone"]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({"name": " "}, ["empty"]),
        ({"name": "园" * 121}, ["too_long"]),
        ({"address_text": ""}, ["empty"]),
        ({"attributes.beds": 3}, ["not_for_kind"]),
        ({"attributes.meals": "maybe"}, ["invalid"]),
        ({"attributes.form": "night"}, ["invalid"]),
        ({"attributes.age_from_months": -1}, ["invalid"]),
        ({"attributes.age_from_months": 30, "attributes.age_to_months": 18}, ["range"]),
        ({"attributes.age_from_months": 18, "attributes.age_to_months": 36}, []),
        ({"attributes.age_to_months": 217}, ["too_old"]),
        ({"attributes.fee_from_yuan": 5000, "attributes.fee_to_yuan": 10.5}, ["range"]),
        ({"attributes.fee_to_yuan": 1_000_001}, ["too_much"]),
        ({"attributes.fee_to_yuan": None}, []),
        ({"hours": {"mon": [["18:00", "08:00"], ["09:00", "10:00"]]}}, ["hours_invalid"]),
        ({"hours": {}}, []),
    ],
)
def test_each_slip_has_its_sentence(values: dict[str, Any], codes: list[str]) -> None:
    found = faults_of(values, NURSERY)
    assert [each.code for each in found] == codes
    assert all(each.blocks and each.message.endswith("。") for each in found)


@pytest.mark.parametrize(
    ("line", "spans"),
    [
        ("8:00-17:00", [["08:00", "17:00"]]),
        ("08：00—17：30", [["08:00", "17:30"]]),
        ("8:00-11:30 13:00-17:00", [["08:00", "11:30"], ["13:00", "17:00"]]),
        ("8:00至11:30，13:00到17:00", [["08:00", "11:30"], ["13:00", "17:00"]]),
        ("22:00-次日6:00", [["22:00", "06:00"]]),
        ("全天", [["00:00", "24:00"]]),
        ("24小时", [["00:00", "24:00"]]),
        ("休息", []),
        ("", []),
    ],
)
def test_a_line_of_hours_is_read_as_people_write_it(line: str, spans: list[list[str]]) -> None:
    assert spans_of("mon", line) == spans


@pytest.mark.parametrize("line", ["早八点", "8-17", "8:00", "8:00-17:00 另有夜班", "8:00-", "abc8:00-17:00"])
def test_a_line_that_is_no_time_names_its_day(line: str) -> None:
    with pytest.raises(BadInput, match="周三") as fault:
        spans_of("wed", line)
    assert fault.value.detail["field"] == "hours.wed"


MINUTES = st.integers(0, 1439)


@st.composite
def weeks(draw: st.DrawFn) -> dict[str, list[list[str]]]:
    def clock(minute: int) -> str:
        return f"{minute // 60:02d}:{minute % 60:02d}"

    week = {}
    for day in DAYS:
        ends = sorted(draw(st.sets(MINUTES, min_size=0, max_size=6)))
        ends = ends[: len(ends) // 2 * 2]
        week[day] = [[clock(a), clock(b)] for a, b in zip(ends[::2], ends[1::2], strict=True)]
    return week


@given(weeks())
def test_what_a_form_shows_of_hours_says_the_same_hours_again(week: dict[str, list[list[str]]]) -> None:
    assert hours_of(lines_of(week)) == week
