"""The parts of an expression turned into one closure each, so that a table of hundreds of cells runs without a tree. Pure.

What is missing is unknown, not false: a comparison with it is unknown, so is its opposite, and only what is known to hold
holds. ``and`` and ``or`` answer as soon as one side decides.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal, DecimalException
from functools import partial
from typing import Any

from services.kernel.expressions.faults import ExpressionFault
from services.kernel.expressions.functions import FUNCTIONS, SEE_MISSING
from services.kernel.expressions.nodes import Binary, Choose, Constant, Member, Minus, Name, Node, Not, Within
from services.kernel.expressions.values import EXACT, LONGEST_TEXT, Value, Values

Run = Callable[[Values], Any]


def _divide(left: Decimal, right: Decimal) -> Decimal:
    if not right:
        raise ExpressionFault("divide_by_zero", "算式里出现了除以 0，请先判断除数。")
    return EXACT.divide(left, right)


def _remainder(left: Decimal, right: Decimal) -> Decimal:
    if not right:
        raise ExpressionFault("divide_by_zero", "算式里出现了除以 0，请先判断除数。")
    return EXACT.remainder(left, right)


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        if len(left) + len(right) > LONGEST_TEXT:
            raise ExpressionFault("text_too_long", f"算出的文字超过 {LONGEST_TEXT} 个字。")
        return left + right
    return EXACT.add(left, right)


_WORK: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "+": _plus, "-": EXACT.subtract, "*": EXACT.multiply, "/": _divide, "%": _remainder,
}  # fmt: skip


def compiled(node: Node) -> Run:
    """Return the function of the facts that a node stands for; it gives None for what is unknown."""
    match node:
        case Constant(value):
            return lambda _: value
        case Name(name):
            return operator.itemgetter(name)
        case Not(inner):
            return _lifted(operator.not_, (inner,))
        case Minus(inner):
            return _lifted(EXACT.minus, (inner,))
        case Binary(sign, left, right):
            return _JOINS.get(sign, partial(_pair, _WORK.get(sign, _plus)))(compiled(left), compiled(right))
        case Member(inner, entries):
            return _member(inner, entries)
        case Within():
            return _within(node)
        case Choose(condition, holding, otherwise):
            return _choose(compiled(condition), compiled(holding), compiled(otherwise))
    work = FUNCTIONS[node.function].work
    return _seeing(work, compiled(node.arguments[0])) if node.function in SEE_MISSING else _lifted(work, node.arguments)


def guarded(run: Run, values: Values) -> Value:
    """Return what a compiled expression gives. Raises ``ExpressionFault`` for a number beyond all bounds."""
    try:
        result: Value = run(values)
    except DecimalException as fault:
        raise ExpressionFault("number_too_large", "算出的数字太大，请核对算式和填写的数字。") from fault
    return result


def _and(left: Run, right: Run) -> Run:
    def run(values: Values) -> bool | None:
        one = left(values)
        if one is False:
            return False
        other = right(values)
        return False if other is False else None if one is None else other

    return run


def _or(left: Run, right: Run) -> Run:
    def run(values: Values) -> bool | None:
        one = left(values)
        if one is True:
            return True
        other = right(values)
        return True if other is True else None if one is None else other

    return run


def _first_known(left: Run, right: Run) -> Run:
    def run(values: Values) -> Any:
        known = left(values)
        return right(values) if known is None else known

    return run


def _pair(work: Callable[[Any, Any], Any], left: Run, right: Run) -> Run:
    def run(values: Values) -> Any:
        one, other = left(values), right(values)
        return None if one is None or other is None else work(one, other)

    return run


def _lifted(work: Callable[..., Any], arguments: tuple[Node, ...]) -> Run:
    runs = [compiled(argument) for argument in arguments]

    def run(values: Values) -> Any:
        given = [each(values) for each in runs]
        return None if any(value is None for value in given) else work(*given)

    return run


def _seeing(work: Callable[..., Any], inner: Run) -> Run:
    return lambda values: work(inner(values))


def _choose(condition: Run, holding: Run, otherwise: Run) -> Run:
    return lambda values: holding(values) if condition(values) is True else otherwise(values)


def _member(inner: Node, entries: tuple[Node, ...]) -> Run:
    left = compiled(inner)
    if all(isinstance(entry, Constant) for entry in entries):
        listed = frozenset(entry.value for entry in entries if isinstance(entry, Constant))

        def quickly(values: Values) -> bool | None:
            value = left(values)
            return None if value is None else value in listed

        return quickly
    runs = [compiled(entry) for entry in entries]

    def run(values: Values) -> bool | None:
        value = left(values)
        if value is None:
            return None
        found = [each(values) for each in runs]
        return True if value in found else None if None in found else False

    return run


def _within(node: Within) -> Run:
    above = _pair(operator.ge if node.opens else operator.gt, compiled(node.inner), compiled(node.low))
    below = _pair(operator.le if node.closes else operator.lt, compiled(node.inner), compiled(node.high))
    return _and(above, below)


_JOINS: dict[str, Callable[[Run, Run], Run]] = {"and": _and, "or": _or, "??": _first_known}
