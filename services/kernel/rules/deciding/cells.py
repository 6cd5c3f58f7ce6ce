"""What stands in a cell: a test of one value (``>= 3``, ``本市,外省市``, ``[3..6)``, ``-``) or a result. Pure.

A value that is not filled in passes only ``-`` and ``未填``: what is unknown meets no demand, neither a plain nor a negated one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from geo.errors import BadInput
from services.kernel.expressions import Expression, Kind, Value, said
from services.kernel.expressions.values import number_of

ANY: Final = frozenset({"", "-", "—", "－", "–", "任意", "不限"})
MISSING: Final = frozenset({"未填", "空"})
PRESENT: Final = frozenset({"已填"})
_FOLD: Final = str.maketrans("＞＜＝≥≤［］（）；０１２３４５６７８９．～", "><=≥≤[]();0123456789.~")
_NEGATION: Final = re.compile(r"(?:!=|≠|非|不是|不属于|除了|not\b)\s*")
_BOUND: Final = re.compile(r"(>=|<=|==|>|<|=|≥|≤)\s*(.+)")
_INTERVAL: Final = re.compile(r"([\[(]?)\s*([^\[\]()]+?)\s*(?:\.\.|~|至|到)\s*([^\[\]()]+?)\s*([\])]?)")
_NUMBERS: Final = re.compile(r"(\d+(?:\.\d+)?)\s*[-–]\s*(\d+(?:\.\d+)?)", re.ASCII)
_SPOKEN: Final = (
    (re.compile(r"(?:不满|未满|不足|早于)(.+)"), "<"),
    (re.compile(r"(?:超过|多于|晚于)(.+)"), ">"),
    (re.compile(r"(.+?)(?:及|（含）)?以上"), ">="),
    (re.compile(r"(.+?)(?:及|（含）)?以下"), "<="),
    (re.compile(r"至少(.+)"), ">="),
    (re.compile(r"(?:至多|最多|不超过)(.+)"), "<="),
)
_DAY: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", re.ASCII)
_SEPARATORS: Final = ",，、;；"
_QUOTES: Final = {'"': '"', "“": "”", "'": "'", "「": "」"}

Sign = Literal["=", "between", "missing", "present", "contains"]


class CellFault(BadInput):
    """A cell that cannot be meant."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a column asks: the kind of the value, what people call it, and its choices."""

    kind: Kind
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One demand: a value, a stretch between two ends (None for an open side), a part of a text, or being filled in or not."""

    sign: Sign
    value: Any = None
    low: Any = None
    high: Any = None
    opens: bool = False
    closes: bool = False

    def passes(self, value: Value) -> bool:
        """Say whether a value that is there meets the demand."""
        if self.sign == "=":
            return self.value in value if isinstance(value, frozenset) else value == self.value
        if self.sign == "between":
            return self._between(value)
        if self.sign == "contains":
            return isinstance(value, str) and self.value in value
        return self.sign == "present"

    def _between(self, value: Any) -> bool:
        if self.low is not None and not (value >= self.low if self.opens else value > self.low):
            return False
        return self.high is None or bool(value <= self.high if self.closes else value < self.high)


@dataclass(frozen=True, slots=True)
class Test:
    """A cell that was read: it passes when one of its pieces is met, or none of them when ``negated``; no pieces pass all."""

    pieces: tuple[Piece, ...] = ()
    negated: bool = False

    @property
    def passes_all(self) -> bool:
        """Whether every value passes, filled in or not."""
        return not self.pieces

    def passes(self, value: Value) -> bool:
        """Say whether a value passes; what is missing passes only where that is asked for."""
        if not self.pieces:
            return True
        if value is None:
            return any(piece.sign == ("present" if self.negated else "missing") for piece in self.pieces)
        return any(piece.passes(value) for piece in self.pieces) is not self.negated

    def words(self, asked: Asked) -> str:
        """Return the demand in Chinese, as it follows the name of the fact."""
        if not self.pieces:
            return "不限"
        several = "、".join(_piece_words(piece, asked) for piece in self.pieces)
        plain = all(piece.sign == "=" for piece in self.pieces)
        if plain and len(self.pieces) > 1:
            return f"{'不属于' if self.negated else '属于'}【{several.replace('为 ', '')}】"
        return (
            f"不是（{several}）"
            if self.negated and not plain
            else several.replace("为 ", "不为 ")
            if self.negated
            else several
        )


def read_test(text: str, asked: Asked) -> Test:
    """Return the test in a cell of a condition column. Raises ``CellFault`` with a Chinese sentence."""
    plain = text.strip().translate(_FOLD)
    if plain in ANY:
        return Test()
    negated = False
    if match := _NEGATION.match(plain):
        negated, plain = True, plain[match.end() :].strip()
        if plain.startswith("(") and plain.endswith(")"):
            plain = plain[1:-1]
    parts = _parts(plain)
    if not parts:
        raise CellFault("cell_empty", "“非”后面要写出排除什么。")
    return Test(tuple(_piece(part, asked) for part in parts), negated)


def _parts(text: str) -> list[str]:
    parts, here, closing, depth = [], "", "", 0
    for sign in text:
        if closing:
            closing = "" if sign == closing else closing
        elif sign in _QUOTES:
            closing = _QUOTES[sign]
        elif sign in "[(":
            depth += 1
        elif sign in "])":
            depth -= 1
        elif sign in _SEPARATORS and depth <= 0:
            parts.append(here)
            here = ""
            continue
        here += sign
    return [part.strip() for part in (*parts, here) if part.strip()]


def _piece(text: str, asked: Asked) -> Piece:
    if text in MISSING:
        return Piece("missing")
    if text in PRESENT:
        return Piece("present")
    if asked.kind in ("number", "day"):
        return _ordered(text, asked)
    if asked.kind == "text" and not asked.choices and text.startswith("包含"):
        return Piece("contains", value=read_value(text.removeprefix("包含").strip(), asked))
    if match := re.fullmatch(r"(==|=)\s*(.+)", text):
        text = match.group(2)
    elif re.match(r"[<>≥≤]", text):
        raise CellFault("cell_order", f"“{asked.label}”不是数字或日期，不能比较大小。")
    return Piece("=", value=read_value(text, asked))


def _ordered(text: str, asked: Asked) -> Piece:
    if match := _BOUND.fullmatch(text):
        return _bounded({"≥": ">=", "≤": "<="}.get(match.group(1), match.group(1)), match.group(2), asked)
    for pattern, sign in _SPOKEN:
        if match := pattern.fullmatch(text):
            return _bounded(sign, match.group(1), asked)
    match = _INTERVAL.fullmatch(text) or (_NUMBERS.fullmatch(text) if asked.kind == "number" else None)
    if match is None:
        return Piece("=", value=read_value(text, asked))
    first, last, ends = (
        (match.group(2), match.group(3), match.group(1) + match.group(4))
        if match.re is _INTERVAL
        else (*match.groups(), "")
    )
    low, high = read_value(first, asked), read_value(last, asked)
    opens, closes = "(" not in ends, ")" not in ends
    if low > high or (low == high and not (opens and closes)):  # type: ignore[operator]
        raise CellFault("cell_interval", f"区间“{text}”里没有值：前面的数要比后面的小。")
    return Piece("between", low=low, high=high, opens=opens, closes=closes)


def _bounded(sign: str, text: str, asked: Asked) -> Piece:
    value = read_value(text, asked)
    if sign.startswith("="):
        return Piece("=", value=value)
    if sign[0] == ">":
        return Piece("between", low=value, opens=sign == ">=")
    return Piece("between", high=value, closes=sign == "<=")


def read_value(text: str, asked: Asked) -> Value:
    """Return the value that a text says for a column. Raises ``CellFault``."""
    text = text.strip()
    if not text:
        raise CellFault("cell_empty", f"请写出“{asked.label}”的值。")
    if asked.kind == "number":
        return _number(text, asked)
    if asked.kind == "day":
        return _day(text, asked)
    if asked.kind == "flag":
        if text not in ("是", "否"):
            raise CellFault("cell_flag", f"“{asked.label}”只能填“是”或“否”，这里是“{text[:20]}”。")
        return text == "是"
    text = text[1:-1] if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] else text
    return _choice(text, asked) if asked.choices else text


def _number(text: str, asked: Asked) -> Decimal:
    try:
        return number_of(text.removesuffix(asked.unit).strip() if asked.unit else text)
    except ValueError as fault:
        message = f"“{text[:20]}”不是数字。可以写 3、>= 3、[3..6)、3岁以上 这样的条件。".replace(
            "3岁", f"3{asked.unit}"
        )
        raise CellFault("cell_number", message) from fault


def _day(text: str, asked: Asked) -> date:
    match = _DAY.fullmatch(text)
    try:
        return date(*map(int, match.groups())) if match else date.fromisoformat(text)
    except ValueError as fault:
        raise CellFault("cell_day", f"“{text[:20]}”不是日期，请写成 2024-09-01。") from fault


def _choice(text: str, asked: Asked) -> str:
    for key, label in asked.choices:
        if text in (label, key):
            return key
    known = "、".join(label for _, label in asked.choices[:12])
    raise CellFault("cell_choice", f"“{asked.label}”没有“{text[:20]}”这个选项，可选：{known}。")


def read_result(text: str, asked: Asked, names: dict[str, Kind], labels: dict[str, str]) -> Expression | Value:
    """Return what a result cell gives: an expression after ``=``, else a value, None for an empty cell.

    Raises ``CellFault``, or ``ExpressionFault`` for an expression that cannot be meant.
    """
    plain = text.strip()
    if plain in ANY:
        return None
    if plain.startswith(("=", "＝")):
        return Expression.parse(plain[1:], names, gives=asked.kind, labels=labels)
    if asked.kind == "texts":
        return frozenset(str(read_value(part, asked)) for part in _parts(plain))
    return read_value(plain.translate(_FOLD) if asked.kind != "text" else plain, asked)


def value_words(value: Value, asked: Asked) -> str:
    """Return a value as people say it: by the label of its choice, with its unit."""
    choices = dict(asked.choices)
    if isinstance(value, frozenset):
        return "、".join(sorted(choices.get(each, each) for each in value))
    text = choices.get(value, value) if isinstance(value, str) else said(value)
    return f"{text} {asked.unit}" if asked.unit and value is not None else text


def _piece_words(piece: Piece, asked: Asked) -> str:
    def word(value: Value) -> str:
        return value_words(value, asked)

    if piece.sign in ("missing", "present"):
        return "未填" if piece.sign == "missing" else "已填"
    if piece.sign == "contains":
        return f"包含“{piece.value}”"
    if piece.sign == "=":
        return f"{'含' if asked.kind == 'texts' else '为'} {word(piece.value)}"
    day = asked.kind == "day"
    if piece.high is None:
        return f"{('不早于' if day else '大于等于') if piece.opens else ('晚于' if day else '大于')} {word(piece.low)}"
    if piece.low is None:
        return (
            f"{('不晚于' if day else '小于等于') if piece.closes else ('早于' if day else '小于')} {word(piece.high)}"
        )
    ends = (
        ""
        if piece.opens and piece.closes
        else f"（{'含' if piece.opens else '不含'}前，{'含' if piece.closes else '不含'}后）"
    )
    return f"在 {word(piece.low)} 到 {word(piece.high)} 之间{ends}"
