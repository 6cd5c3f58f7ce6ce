from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings

from services.kernel.expressions import Expression, ExpressionFault
from tests.services.kernel.expressions import growing

NAMES: Any = {"age": "number", "home": "text", "born": "day", "today": "day", "poor": "flag", "needs": "texts"}
LABELS = {"age": "年龄", "home": "户籍", "poor": "低保", "needs": "需要", "born": "出生日期", "today": "今天"}


def value(text: str, **facts: object) -> object:
    return Expression.parse(text, NAMES, labels=LABELS).value(facts)


def exact(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Turn fractions of tenths into decimals."""
    return {
        n: Decimal(v.numerator) / Decimal(v.denominator) if isinstance(v, Fraction) else v for n, v in facts.items()
    }


@settings(max_examples=300, deadline=None)
@given(growing.conditions, growing.facts(missing=True))
def test_a_condition_means_what_its_parts_mean(grown: Any, facts: Any) -> None:
    text, meaning = grown
    assume(len(text) < 2_000)
    expression = Expression.condition(text, growing.NAMES)  # type: ignore[arg-type]
    assert expression.value(exact(facts)) is meaning(facts)
    assert expression.holds(exact(facts)) is (meaning(facts) is True)


@settings(max_examples=200, deadline=None)
@given(growing.amounts, growing.facts(missing=True))
def test_an_amount_is_exact(grown: Any, facts: Any) -> None:
    text, meaning = grown
    assume(len(text) < 2_000)
    result = Expression.parse(text, growing.NAMES, gives="number").value(exact(facts))  # type: ignore[arg-type]
    assert not isinstance(result, float)
    assert (None if result is None else Fraction(result)) == meaning(facts)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(growing.conditions, growing.facts(missing=False))
def test_an_engine_that_others_wrote_reads_the_same_text_alike(grown: Any, facts: Any) -> None:
    import zen

    text, _ = grown
    assume(len(text) < 2_000)
    floats = {n: float(v) if isinstance(v, Decimal) else v for n, v in exact(facts).items()}
    ours = Expression.condition(text, growing.NAMES)  # type: ignore[arg-type]
    assert zen.evaluate_expression(text, floats) is ours.value(exact(facts))


@pytest.mark.parametrize(
    ("text", "facts", "result"),
    [
        ("0.1 + 0.2", {}, Decimal("0.3")),
        ("age * 0.1", {"age": 0.3}, Decimal("0.03")),
        ("round(1.005, 2)", {}, Decimal("1.01")),
        ("round(-2.5)", {}, Decimal("-3")),
        ("floor(-1.5) + ceil(1.2)", {}, Decimal("0")),
        ("abs(age)", {"age": Decimal("-1234567890123456789012345678.90")}, Decimal("1234567890123456789012345678.90")),
        ("7 % 4", {}, Decimal(3)),
        ("min(3, age, 2) + max(1, age)", {"age": 1}, Decimal(2)),
        ("age", {"age": "12.50"}, Decimal("12.50")),
        ("age ?? 5", {}, Decimal(5)),
        ("age + 1", {}, None),
        ("age > 1", {}, None),
        ("not (age > 1)", {}, None),
        ("age > 1 or true", {}, True),
        ("age > 1 and false", {}, False),
        ("age == null", {}, True),
        ("age != null", {"age": 0}, True),
        ("filled(home)", {"home": "  "}, False),
        ("empty(needs)", {"needs": []}, True),
        ("age > 1 ? 1 : 2", {}, Decimal(2)),
        ('contains(needs, "助餐")', {"needs": ["助餐", "助浴"]}, True),
        ('contains(home, "安")', {"home": "静安"}, True),
        ("len(home)", {"home": "静安"}, Decimal(2)),
        ('home + "区"', {"home": "静安"}, "静安区"),
        ('home == "a\\"b"', {"home": 'a"b'}, True),
        ("年龄 ≥ 60 且 非 低保", {"age": 60, "poor": False}, True),
        ("户籍 为 “静安”", {"home": "静安"}, True),
        ("户籍 是 “静安”", {"home": "静安"}, True),
        ("年龄 属于 [60..80)", {"age": 80}, False),
        ("（年龄＋１）×２", {"age": 1}, Decimal(4)),
        ("years(born, today)", {"born": "1966-02-28", "today": "2026-02-27"}, Decimal(59)),
        ("years(born, today)", {"born": "2024-02-29", "today": "2025-02-28"}, Decimal(0)),
        ("years(born, today)", {"born": "2024-02-29", "today": "2025-03-01"}, Decimal(1)),
        ("周岁(出生日期, 今天)", {"born": date(1966, 2, 28), "today": date(2026, 2, 28)}, Decimal(60)),
        ("months(born, today)", {"born": "2026-01-31", "today": "2026-02-28"}, Decimal(0)),
        ("days(born, today)", {"born": "2026-02-27", "today": "2026-03-01"}, Decimal(2)),
        ('born < date("2020-01-01")', {"born": "2019-12-31"}, True),
        ('born in [date("2020-01-01")..date("2020-12-31")]', {"born": "2020-12-31"}, True),
    ],
)
def test_what_texts_give(text: str, facts: dict[str, object], result: object) -> None:
    given_ = value(text, **facts)
    assert given_ == result
    assert type(given_) is type(result)


@pytest.mark.parametrize(
    ("text", "facts", "code"),
    [
        ("1 / age", {"age": 0}, "divide_by_zero"),
        ("1 % (age - age)", {"age": 2}, "divide_by_zero"),
        ("age > 1", {"age": "many"}, "fact_kind"),
        ("age > 1", {"age": True}, "fact_kind"),
        ("age > 1", {"age": float("nan")}, "fact_kind"),
        ("age > 1", {"age": Decimal("Infinity")}, "fact_kind"),
        ("age > 1", {"age": Decimal("1e999999")}, "fact_kind"),
        ("age > 1", {"age": 10**5000}, "fact_kind"),
        ("poor", {"poor": 1}, "fact_kind"),
        ("filled(born)", {"born": datetime(2020, 1, 1)}, "fact_kind"),
        ("filled(born)", {"born": "2023-02-30"}, "fact_kind"),
        ("filled(needs)", {"needs": "助餐"}, "fact_kind"),
        ("home + home", {"home": "长" * 9_000}, "text_too_long"),
        ("filled(home)", {"home": "长" * 10_001}, "fact_kind"),
        ("*".join(["age"] * 60), {"age": 99999}, "number_too_large"),
    ],
)
def test_faults_are_named_and_never_become_an_answer(text: str, facts: dict[str, object], code: str) -> None:
    with pytest.raises(ExpressionFault) as fault:
        value(text, **facts)
    assert fault.value.code == code
    assert "Traceback" not in fault.value.message
    assert fault.value.message.endswith("。")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('age >= 3 and home == "local"', "年龄 大于等于 3 且 户籍 为 本市"),
        (
            '(age < 3 or poor) and home not in ["local", "other"]',
            "（年龄 小于 3 或 低保） 且 户籍 不属于 【本市、外省市】",
        ),
        ('born >= date("2020-01-01")', "出生日期 不早于 2020-01-01"),
        ("filled(age) and not empty(home)", "年龄 已填 且 户籍 已填"),
        ("age in (3..6]", "年龄 在 3 到 6 之间（不含 3，含 6）"),
        ("round(age / 3, 2)", "（年龄 除以 3） 四舍五入（2 位小数）"),
        ("age - (age - 1)", "年龄 减 （年龄 减 1）"),
        ("poor ? age : age ?? 0", "如果 低保，取 年龄，否则取 年龄（未填时取 0）"),
    ],
)
def test_what_is_said_in_chinese(text: str, words: str) -> None:
    choices = {"home": {"local": "本市", "other": "外省市"}}
    assert Expression.parse(text, NAMES).words(LABELS, choices) == words
