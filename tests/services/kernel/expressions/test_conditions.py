from __future__ import annotations

import json
from typing import Any

import pytest

from services.kernel.expressions import OPERATORS, All, Condition, ExpressionFault, condition_of
from services.kernel.expressions import Any as Either
from services.kernel.expressions.conditions import FITTING

NAMES: Any = {"age": "number", "home": "text", "poor": "flag", "needs": "texts", "born": "day"}


@pytest.mark.parametrize(
    ("condition", "holding", "failing"),
    [
        (Condition("home", "is", 'a"b\\'), {"home": 'a"b\\'}, {"home": "a"}),
        (Condition("home", "is_not", "a"), {"home": "b"}, {"home": "a"}),
        (Condition("home", "in", ["a", "b"]), {"home": "b"}, {"home": "c"}),
        (Condition("home", "not_in", ["a", "b"]), {"home": "c"}, {"home": "b"}),
        (Condition("home", "contains", "静"), {"home": "静安"}, {"home": "黄浦"}),
        (Condition("home", "filled"), {"home": "a"}, {}),
        (Condition("home", "empty"), {}, {"home": "a"}),
        (Condition("age", "at_least", "3.5"), {"age": 3.5}, {"age": 3}),
        (Condition("age", "at_most", 3), {"age": 3}, {"age": 4}),
        (Condition("age", "more", 3), {"age": 4}, {"age": 3}),
        (Condition("age", "less", -3), {"age": -4}, {"age": -3}),
        (Condition("age", "between", [3, 6]), {"age": 6}, {"age": 7}),
        (Condition("poor", "is", True), {"poor": True}, {"poor": False}),
        (Condition("born", "before_day", "2020-01-01"), {"born": "2019-12-31"}, {"born": "2020-01-01"}),
        (Condition("born", "after_day", "2020-01-01"), {"born": "2020-01-02"}, {"born": "2020-01-01"}),
        (Condition("needs", "contains", "餐"), {"needs": ["餐"]}, {"needs": ["助餐"]}),
        (Condition("needs", "in", ["餐", "浴"]), {"needs": ["浴"]}, {"needs": ["行"]}),
        (Condition("needs", "not_in", ["餐", "浴"]), {"needs": ["行"]}, {"needs": ["行", "浴"]}),
    ],
)
def test_a_condition_goes_through_json_and_holds(condition: Condition, holding: Any, failing: Any) -> None:
    back = condition_of(json.loads(json.dumps(condition.data())))
    assert back == condition
    expression = back.expression(NAMES)
    assert expression.holds(holding)
    assert not expression.holds(failing)


def test_what_is_not_filled_in_holds_for_no_comparison() -> None:
    values = {"number": 1, "text": "x", "flag": True, "day": "2020-01-01", "texts": "x"}
    for field, kind in NAMES.items():
        for operator in FITTING[kind]:
            several = operator in ("in", "not_in", "between")
            value = [values[kind]] * 2 if several else values[kind]
            assert Condition(field, operator, value).expression(NAMES).holds({}) is (operator == "empty")


def test_every_operator_fits_something_and_has_its_word() -> None:
    assert set(OPERATORS) == {operator for fitting in FITTING.values() for operator in fitting}


def test_groups_nest_and_speak() -> None:
    inner = Either((Condition("home", "is", "local"), Condition("poor", "is", True)))
    rule = All((Condition("age", "at_least", 60), inner))
    assert condition_of(rule.data()) == rule
    expression = rule.expression(NAMES)
    assert expression.words({"age": "年龄", "home": "户籍", "poor": "低保"}, {"home": {"local": "本市"}}) == (
        "年龄 大于等于 60 且 （户籍 为 本市 或 低保 为 是）"
    )
    assert expression.holds({"age": 60, "poor": True})
    assert not expression.holds({"age": 60})
    assert All(()).expression(NAMES).holds({})
    assert not Either(()).expression(NAMES).holds({})


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"field": "age", "operator": "eval", "value": 1},
        {"field": "age", "operator": "is", "value": 1, "more": 1},
        {"all": {}},
        {"all": [None]},
        {"all": [{"field": "age", "operator": "is", "value": 1}] * 51},
        {"field": ["age"], "operator": "is"},
    ],
)
def test_other_shapes_are_refused(data: object) -> None:
    with pytest.raises(ExpressionFault) as fault:
        condition_of(data)
    assert fault.value.code == "condition_shape"


def test_nesting_is_bounded() -> None:
    data: object = {"field": "age", "operator": "is", "value": 1}
    for _ in range(5_000):
        data = {"all": [data]}
    with pytest.raises(ExpressionFault):
        condition_of(data)


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (Condition("agee", "is", 1), "name_unknown"),
        (Condition("home", "at_least", 1), "operator_unfit"),
        (Condition("age", "is", "many"), "condition_value"),
        (Condition("age", "is", None), "condition_value"),
        (Condition("home", "is", " "), "condition_value"),
        (Condition("home", "in", []), "condition_value"),
        (Condition("home", "in", "abc"), "condition_value"),
        (Condition("age", "between", [1]), "condition_value"),
        (Condition("born", "before_day", "2020-02-30"), "condition_value"),
        (Condition("poor", "is", "true"), "condition_value"),
    ],
)
def test_values_that_do_not_fit_are_named(condition: Condition, code: str) -> None:
    with pytest.raises(ExpressionFault) as fault:
        condition.expression(NAMES)
    assert fault.value.code == code
