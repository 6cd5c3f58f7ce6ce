"""The kinds of facts an expression reads, and facts brought to one form: exact numbers, days, no empty texts. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Literal

from services.kernel.expressions.faults import ExpressionFault

Kind = Literal["text", "number", "flag", "day", "texts"]
Value = Decimal | str | bool | date | frozenset[str] | None
Values = Mapping[str, Value]

KIND_WORDS: dict[Kind, str] = {"text": "文字", "number": "数字", "flag": "是或否", "day": "日期", "texts": "多项选择"}

LONGEST_TEXT = 10_000
MOST_ENTRIES = 1_000
MOST_DIGITS = 38
_WIDEST = 10**MOST_DIGITS

# Products of facts stay exact to 50 digits; what would grow beyond 10^60 is refused, never an infinity.
EXACT = Context(prec=50, Emax=60, Emin=-60, traps=[Overflow, DivisionByZero, InvalidOperation])

_PLAIN_NUMBER = re.compile(r"[+-]?\d{1,38}(\.\d{1,38})?", re.ASCII)
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def number_of(value: object) -> Decimal:
    """Return an exact number: of an ``int``, a ``Decimal``, plain digits in a ``str``, or the shortest form of a ``float``.

    Raises ``ValueError`` for anything else, infinities and numbers beyond 38 digits.
    """
    if type(value) is int and -_WIDEST < value < _WIDEST:  # by far the most common, and needs no further look
        return Decimal(value)
    if isinstance(value, bool):
        raise ValueError("a flag is no number")
    if isinstance(value, str):
        if not _PLAIN_NUMBER.fullmatch(value.strip()):
            raise ValueError("no plain number")
        number = Decimal(value.strip())
    elif isinstance(value, float):
        number = Decimal(repr(value))
    elif isinstance(value, Decimal):
        number = value
    else:
        raise ValueError("no number")
    if not number.is_finite() or len(number.as_tuple().digits) > MOST_DIGITS or abs(number.adjusted()) > MOST_DIGITS:
        raise ValueError("not a number of at most 38 digits")
    return number


def day_of(value: object) -> date:
    """Return a day given as a ``date`` or as YYYY-MM-DD. Raises ``ValueError``; a moment is no day."""
    if isinstance(value, str) and _ISO_DAY.fullmatch(value.strip()):
        return date.fromisoformat(value.strip())
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError("no day")


def text_of(value: object) -> str | None:
    """Return a text without the blanks around it, None for a blank one. Raises ``ValueError``."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ValueError("no text, or too long")
    return value.strip() or None


def flag_of(value: object) -> bool:
    """Return a flag. Raises ``ValueError`` for anything that merely looks true."""
    if not isinstance(value, bool):
        raise ValueError("no flag")
    return value


def texts_of(value: object) -> frozenset[str] | None:
    """Return several texts, None for none. Raises ``ValueError``."""
    if not isinstance(value, list | tuple | set | frozenset) or len(value) > MOST_ENTRIES:
        raise ValueError("no list, or too long")
    if not all(isinstance(entry, str) for entry in value):
        raise ValueError("entries are texts")
    return frozenset(value) or None


_READ: dict[Kind, Callable[[object], Value]] = {
    "text": text_of,
    "number": number_of,
    "flag": flag_of,
    "day": day_of,
    "texts": texts_of,
}


def value_of(kind: Kind, value: object) -> Value:
    """Return one fact in the form expressions compute with; None where nothing is filled in. Raises ``ValueError``."""
    return None if value is None or value == "" else _READ[kind](value)


def values_of(
    names: Mapping[str, Kind], facts: Mapping[str, object], labels: Mapping[str, str] | None = None
) -> dict[str, Value]:
    """Return the facts of all names, None for those missing; facts of other names are left aside.

    Raises ``ExpressionFault`` for a fact that is not of its kind.
    """
    found: dict[str, Value] = {}
    for name, kind in names.items():
        try:
            found[name] = value_of(kind, facts.get(name))
        except ValueError as fault:
            label = (labels or {}).get(name, name)
            raise ExpressionFault("fact_kind", f"“{label}”应是{KIND_WORDS[kind]}，收到的值读不懂。") from fault
    return found


def digits(number: Decimal) -> str:
    """Return a number as people write it: no exponent, no trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def said(value: Value) -> str:
    """Return a value in Chinese, as it stands in an explanation."""
    if value is None:
        return "未填"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return digits(value)
    if isinstance(value, date):
        return value.isoformat()
    return "、".join(sorted(value)) if isinstance(value, frozenset) else value
