from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.expressions import Expression, ExpressionFault

NAMES: Any = {"age": "number", "home": "text", "poor": "flag", "needs": "texts", "born": "day"}


def refused(text: str) -> ExpressionFault:
    with pytest.raises(ExpressionFault) as fault:
        Expression.parse(text, NAMES, labels={"age": "年龄"})
    return fault.value


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("", "expression_empty", 0),
        ("agee > 3", "name_unknown", 0),
        ("age > 3 and __import__", "name_unknown", 12),
        ("age.real", "name_unknown", 0),
        ("eval(age)", "function_unknown", 0),
        ("map(needs, age)", "function_unknown", 0),
        ("age > 3 and", "expression_unfinished", 11),
        ("age 3", "expression_shape", 4),
        ("1 < age < 3", "expression_shape", 8),
        ("age ^ 9 ^ 9", "expression_shape", 4),
        ("1e999999", "expression_number", 1),
        ("9" * 31, "expression_number", 0),
        ('home == "静安', "expression_quote", 8),
        ("age; home", "expression_sign", 3),
        ("age == \x00", "expression_sign", 7),
        ("age + home", "expression_kind", 0),
        ("age == home", "expression_kind", 4),
        ("age and poor", "expression_kind", 0),
        ("home > 3", "expression_kind", 5),
        ("poor + 1", "expression_kind", 5),
        ('needs == "x"', "expression_kind", 6),
        ("age in [home]", "expression_kind", 0),
        ("age in [1, null]", "expression_kind", 0),
        ("age in (1, 2)", "expression_shape", 9),
        ("age in [1..2", "expression_unfinished", 12),
        ('home == ""', "expression_blank", 8),
        ("round(age, age)", "function_arguments", 0),
        ("round(age, 11)", "function_arguments", 0),
        ("years(born)", "function_arguments", 0),
        ("date(home)", "expression_day", 0),
        ('date("2023-02-30")', "expression_day", 0),
        ("poor ? age : home", "expression_kind", 0),
        ("age ?? home", "expression_kind", 0),
        ("a" * 2_001, "expression_too_long", 2_000),
        ("(" * 900 + "1" + ")" * 900, "expression_too_deep", None),
        ("-" * 900 + "1", "expression_too_deep", None),
        ("not " * 400 + "poor", "expression_too_deep", None),
        ("1" + "+1" * 900, "expression_too_large", None),
        ("age in [" + "1," * 500 + "1]", "expression_too_large", None),
        ("max(" * 300 + "1", "expression_too_deep", None),
        ("poor?1:" * 250 + "1", "expression_too_deep", None),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(text: str, code: str, position: int | None) -> None:
    fault = refused(text)
    assert fault.code == code
    assert position is None or fault.position == position
    assert fault.message.endswith(("。", "？"))


def test_an_unknown_name_is_told_which_are_known() -> None:
    assert "是不是“年龄”" in refused("年令 > 3").message
    assert "可以用：年龄、home" in refused("收入 > 3").message


def test_a_wanted_kind_is_demanded() -> None:
    with pytest.raises(ExpressionFault) as fault:
        Expression.parse("age", NAMES, gives="flag")
    assert fault.value.code == "expression_gives"
    with pytest.raises(ExpressionFault):
        Expression.parse("age", NAMES).holds({"age": 1})


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="age()[].,<>=!+-*/?:&|\"' 且或非0123456789", max_size=60))
def test_any_text_is_either_an_expression_or_a_named_fault(text: str) -> None:
    try:
        expression = Expression.parse(text, NAMES)
        expression.words({})
        expression.value({"age": 1, "poor": True})
    except ExpressionFault as fault:
        assert fault.message  # noqa: PT017 - either outcome is right, and only these two


def test_bombs_do_not_end_the_process() -> None:
    bombs = [
        "'(' * 10**4",
        "'[' * 10**5",
        "'not ' * 10**5",
        "'9' * 10**6",
        "'1^' * 10**4 + '9'",
        "'\"' + 'x' * 10**7",
        "'a?' * 10**5",
    ]
    code = (
        "from services.kernel.expressions import Expression, ExpressionFault\n"
        f"for bomb in ({', '.join(bombs)}):\n"
        "    try:\n        Expression.parse(bomb, {'a': 'flag'})\n    except ExpressionFault:\n        pass\n"
        "    else:\n        raise SystemExit('accepted')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
