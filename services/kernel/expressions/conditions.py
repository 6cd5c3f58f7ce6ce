"""Conditions that staff build by clicking: data that goes in and out of JSON, said in Chinese, run as expressions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast

from services.kernel.expressions.expression import Expression
from services.kernel.expressions.faults import ExpressionFault
from services.kernel.expressions.tokens import quoted
from services.kernel.expressions.values import Kind, day_of, digits, number_of

Operator = Literal[
    "is", "is_not", "in", "not_in", "at_least", "at_most", "more", "less", "between", "filled", "empty", "contains",
    "before_day", "after_day",
]  # fmt: skip
Plain = str | int | bool | list[str] | list[int] | None

OPERATORS: dict[str, str] = {
    "is": "为", "is_not": "不为", "in": "属于", "not_in": "不属于", "at_least": "大于等于", "at_most": "小于等于",
    "more": "大于", "less": "小于", "between": "在…之间", "filled": "已填", "empty": "未填", "contains": "包含",
    "before_day": "早于", "after_day": "晚于",
}  # fmt: skip
FITTING: dict[Kind, tuple[Operator, ...]] = {
    "text": ("is", "is_not", "in", "not_in", "contains", "filled", "empty"),
    "number": ("is", "is_not", "in", "not_in", "at_least", "at_most", "more", "less", "between", "filled", "empty"),
    "flag": ("is", "is_not", "filled", "empty"),
    "day": ("is", "is_not", "before_day", "after_day", "between", "filled", "empty"),
    "texts": ("contains", "in", "not_in", "filled", "empty"),
}
_SIGNS = {
    "is": "==", "is_not": "!=", "at_least": ">=", "at_most": "<=", "more": ">", "less": "<", "before_day": "<", "after_day": ">",
}  # fmt: skip
DEEPEST = 8
MOST = 50


@dataclass(frozen=True, slots=True)
class Condition:
    """One fact compared with a value; ``value`` is a list for ``in``, ``not_in`` and ``between`` (both ends belong to it)."""

    field: str
    operator: Operator
    value: object = None

    def data(self) -> dict[str, object]:
        """Return it as JSON."""
        return {"field": self.field, "operator": self.operator, "value": _plain(self.value)}

    def text(self, names: Mapping[str, Kind]) -> str:
        """Return it as the text of an expression. Raises ``ExpressionFault`` for a field, operator or value that does not fit."""
        kind = names.get(self.field)
        if kind is None:
            raise ExpressionFault("name_unknown", f"没有“{str(self.field)[:40]}”这一项。")
        if self.operator not in FITTING[kind]:
            raise ExpressionFault(
                "operator_unfit", f"“{self.field}”不能用“{OPERATORS.get(self.operator, self.operator)}”判断。"
            )
        return _TEXTS.get(self.operator, _compared)(self, kind)

    def expression(self, names: Mapping[str, Kind]) -> Expression:
        """Return it ready to run. Raises ``ExpressionFault``."""
        return Expression.condition(self.text(names), names)


@dataclass(frozen=True, slots=True)
class _Several:
    """Several conditions together."""

    conditions: tuple[Clause, ...]

    def data(self) -> dict[str, object]:
        """Return them as JSON."""
        return {"all" if isinstance(self, All) else "any": [each.data() for each in self.conditions]}

    def text(self, names: Mapping[str, Kind]) -> str:
        """Return them as the text of an expression; none at all holds for ``All`` and not for ``Any``."""
        joint = " and " if isinstance(self, All) else " or "
        if not self.conditions:
            return "true" if isinstance(self, All) else "false"
        texts = (each.text(names) for each in self.conditions)
        return joint.join(f"({text})" if " and " in text or " or " in text else text for text in texts)

    def expression(self, names: Mapping[str, Kind]) -> Expression:
        """Return them ready to run. Raises ``ExpressionFault``."""
        return Expression.condition(self.text(names), names)


class All(_Several):
    """Every condition must hold."""

    __slots__ = ()


class Any(_Several):
    """At least one condition must hold."""

    __slots__ = ()


Clause = Condition | All | Any


def condition_of(data: object, *, depth: int = 0) -> Clause:
    """Return the condition that JSON says. Raises ``ExpressionFault`` for any other shape."""
    if depth > DEEPEST or not isinstance(data, dict):
        raise ExpressionFault("condition_shape", "条件读不懂，请重新设置。")
    for key, several in (("all", All), ("any", Any)):
        if set(data) == {key}:
            entries = data[key]
            if not isinstance(entries, list) or len(entries) > MOST:
                raise ExpressionFault("condition_shape", f"一组条件最多 {MOST} 个。")
            return several(tuple(condition_of(entry, depth=depth + 1) for entry in entries))
    field, operator = data.get("field"), data.get("operator")
    if set(data) - {"field", "operator", "value"} or not isinstance(field, str) or operator not in OPERATORS:
        raise ExpressionFault("condition_shape", "条件读不懂，请重新设置。")
    return Condition(field, cast(Operator, operator), data.get("value"))


def _plain(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value.isoformat() if isinstance(value, date) else value


def _written(kind: Kind, value: object) -> str:
    """Return a value as it is written in an expression. Raises ``ExpressionFault``."""
    try:
        if kind == "number":
            return digits(number_of(value))
        if kind == "day":
            return f"date({quoted(day_of(value).isoformat())})"
        if kind == "flag" and isinstance(value, bool):
            return "true" if value else "false"
        if kind in ("text", "texts") and isinstance(value, str) and value.strip():
            return quoted(value)
    except ValueError:
        pass  # answered below, with the one sentence for all kinds
    raise ExpressionFault("condition_value", f"条件里的值“{str(value)[:40]}”与项目的类型不符。")


def _entries(condition: Condition, kind: Kind) -> list[str]:
    if not isinstance(condition.value, list | tuple) or not condition.value or len(condition.value) > MOST:
        raise ExpressionFault("condition_value", f"“{OPERATORS[condition.operator]}”要给出 1 到 {MOST} 个值。")
    return [_written(kind, entry) for entry in condition.value]


def _compared(condition: Condition, kind: Kind) -> str:
    return f"{condition.field} {_SIGNS[condition.operator]} {_written(kind, condition.value)}"


def _listed(condition: Condition, kind: Kind) -> str:
    entries = _entries(condition, kind)
    negated = condition.operator == "not_in"
    if kind == "texts":
        text = " or ".join(f"contains({condition.field}, {entry})" for entry in entries)
        return f"not ({text})" if negated else text
    return f"{condition.field} {'not in' if negated else 'in'} [{', '.join(entries)}]"


def _between(condition: Condition, kind: Kind) -> str:
    ends = _entries(condition, kind)
    if len(ends) != 2:
        raise ExpressionFault("condition_value", "“在…之间”要给出两个值。")
    return f"{condition.field} in [{ends[0]}..{ends[1]}]"


def _presence(condition: Condition, kind: Kind) -> str:
    return f"{condition.operator}({condition.field})"


def _containing(condition: Condition, kind: Kind) -> str:
    return f"contains({condition.field}, {_written(kind, condition.value)})"


_TEXTS: dict[str, Callable[[Condition, Kind], str]] = {
    "in": _listed, "not_in": _listed, "between": _between, "filled": _presence, "empty": _presence, "contains": _containing,
}  # fmt: skip
