"""The functions an expression may call: a closed list, each of constant cost, none of which sees a missing value. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from services.kernel.expressions.values import EXACT, Kind, Value

MOST_PLACES = 10


@dataclass(frozen=True, slots=True)
class Function:
    """A function: what it takes, what it gives, its Chinese name, and how it is said (``{0}`` stands for an argument).

    ``takes`` lists the kinds that each argument may have; ``more`` allows the last one to be repeated.
    """

    takes: tuple[tuple[Kind, ...], ...]
    gives: Kind
    work: Callable[..., Value]
    alias: str
    words: str
    optional: int = 0
    more: bool = False


def _rounded(number: Decimal, places: Decimal = Decimal(0)) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-int(places)), rounding=ROUND_HALF_UP, context=EXACT)


def _whole_months(first: date, last: date) -> int:
    if last < first:
        return -_whole_months(last, first)
    months = (last.year - first.year) * 12 + last.month - first.month
    return months if last.day >= first.day else months - 1


def _years(first: date, last: date) -> Decimal:
    months = _whole_months(first, last)
    return Decimal(months // 12 if months >= 0 else -(-months // 12))


def _contains(whole: Any, part: str) -> bool:
    return part in whole


_NUMBER: tuple[Kind, ...] = ("number",)
_DAY: tuple[Kind, ...] = ("day",)
_TEXT: tuple[Kind, ...] = ("text",)
_ANY: tuple[Kind, ...] = ("text", "number", "flag", "day", "texts")

FUNCTIONS: dict[str, Function] = {
    "abs": Function((_NUMBER,), "number", Decimal.copy_abs, "绝对值", "{0} 的绝对值"),
    "min": Function((_NUMBER, _NUMBER), "number", lambda *all_: min(all_), "最小", "{*} 中最小的", more=True),
    "max": Function((_NUMBER, _NUMBER), "number", lambda *all_: max(all_), "最大", "{*} 中最大的", more=True),
    "floor": Function((_NUMBER,), "number", lambda a: a.to_integral_value(ROUND_FLOOR), "向下取整", "{0} 向下取整"),
    "ceil": Function((_NUMBER,), "number", lambda a: a.to_integral_value(ROUND_CEILING), "向上取整", "{0} 向上取整"),
    "round": Function((_NUMBER, _NUMBER), "number", _rounded, "四舍五入", "{0} 四舍五入（{1} 位小数）", optional=1),
    "len": Function((("text", "texts"),), "number", lambda a: Decimal(len(a)), "长度", "{0} 的长度"),
    "contains": Function((("text", "texts"), _TEXT), "flag", _contains, "包含", "{0} 包含 {1}"),
    "startsWith": Function((_TEXT, _TEXT), "flag", lambda a, b: a.startswith(b), "开头是", "{0} 以 {1} 开头"),
    "endsWith": Function((_TEXT, _TEXT), "flag", lambda a, b: a.endswith(b), "结尾是", "{0} 以 {1} 结尾"),
    "upper": Function((_TEXT,), "text", lambda a: a.upper(), "大写", "{0} 的大写"),
    "lower": Function((_TEXT,), "text", lambda a: a.lower(), "小写", "{0} 的小写"),
    "year": Function((_DAY,), "number", lambda a: Decimal(a.year), "年份", "{0} 的年份"),
    "month": Function((_DAY,), "number", lambda a: Decimal(a.month), "月份", "{0} 的月份"),
    "years": Function((_DAY, _DAY), "number", _years, "周岁", "{0} 到 {1} 的整年数"),
    "months": Function(
        (_DAY, _DAY), "number", lambda a, b: Decimal(_whole_months(a, b)), "整月数", "{0} 到 {1} 的整月数"
    ),
    "days": Function((_DAY, _DAY), "number", lambda a, b: Decimal((b - a).days), "天数", "{0} 到 {1} 的天数"),
    # these two are told whether a value is there; see evaluating
    "filled": Function((_ANY,), "flag", lambda a: a is not None, "已填", "{0} 已填"),
    "empty": Function((_ANY,), "flag", lambda a: a is None, "未填", "{0} 未填"),
}
SEE_MISSING = frozenset({"filled", "empty"})
CALLED: dict[str, str] = {name: name for name in FUNCTIONS} | {each.alias: name for name, each in FUNCTIONS.items()}
DAY_CALLS = frozenset({"date", "日期"})
