"""CQL2 text (OGC 21-065r2) into its JSON form: one pass over the words, no way back, so time grows with the length alone.

The parser of the ``cql2`` package takes exponential time on an open bracket and overruns its stack on some two thousand: it stays
the measure this one is tested against, and reads nothing from outside. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from layers.filtering.faults import BadFilter, too_deep

MOST_CHARACTERS: Final = 10_000
MOST_DEPTH: Final = 24

Node = Any
"""A value of CQL2 JSON: an object, a list, a text, a number or a truth value."""

_WORD: Final = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<text>'(?:''|\\'|[^'])*')
    | "(?P<quoted>[^"]+)"
    | (?P<name>[^\W\d][\w:.]*)
    | (?P<sign><>|<=|>=|[=<>+\-*/%^(),])
    )""",
    re.VERBOSE,
)
_COMPARISONS: Final = frozenset({"=", "<>", "<", ">", "<=", ">="})
_RESERVED: Final = frozenset({"and", "or", "not", "like", "between", "in", "is", "null", "div"})
_SHAPES: Final = {
    "point": ("Point", 0),
    "linestring": ("LineString", 1),
    "multipoint": ("MultiPoint", 1),
    "polygon": ("Polygon", 2),
    "multilinestring": ("MultiLineString", 2),
    "multipolygon": ("MultiPolygon", 3),
}
"""Names of WKT with their names in GeoJSON and how many lists deep their positions stand."""


class _Word(NamedTuple):
    kind: str
    value: str
    at: int


def parse_text(text: str) -> Node:
    """Return the JSON form of a condition. Raises ``BadFilter`` with the place of the first thing that cannot be read."""
    if len(text) > MOST_CHARACTERS:
        raise BadFilter("filter_long", f"筛选条件最多 {MOST_CHARACTERS} 个字符，请简化。", most=MOST_CHARACTERS)
    return _Reader(_words(text)).condition()


def _words(text: str) -> list[_Word]:
    words, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _WORD.match(text, at)
        if match is None or match.lastgroup is None:
            raise _unreadable(at)
        words.append(_Word(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return [*words, _Word("end", "", end)]


def _unreadable(at: int) -> BadFilter:
    return BadFilter("filter_syntax", f"筛选条件从第 {at + 1} 个字符起读不懂，请核对 CQL2 写法。", at=at + 1)


class _Reader:
    """Walks along the words; every method reads one construct and leaves the position behind it."""

    def __init__(self, words: list[_Word]) -> None:
        self.words = words
        self.at = 0
        self.depth = 0

    def condition(self) -> Node:
        made = self.either()
        if self.word.kind != "end":
            raise self.fault()
        return made

    @property
    def word(self) -> _Word:
        return self.words[self.at]

    def fault(self) -> BadFilter:
        return _unreadable(self.word.at)

    def step(self) -> _Word:
        word = self.word
        self.at += 1
        return word

    def took(self, *values: str) -> str:
        """Step over a sign or a keyword when it is next, and return it in small letters; otherwise nothing."""
        word = self.word
        value = word.value.lower()
        if word.kind not in ("sign", "name") or value not in values:
            return ""
        self.at += 1
        return value

    def need(self, value: str) -> None:
        if not self.took(value):
            raise self.fault()

    def deeper(self, read: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise too_deep(MOST_DEPTH)
        made = read()
        self.depth -= 1
        return made

    # conditions

    def either(self) -> Node:
        return self.joined("or", self.both)

    def both(self) -> Node:
        return self.joined("and", self.negated)

    def joined(self, operator: str, part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self.took(operator):
            parts.append(part())
        return parts[0] if len(parts) == 1 else {"op": operator, "args": parts}

    def negated(self) -> Node:
        if self.took("not"):
            return {"op": "not", "args": [self.deeper(self.negated)]}
        return self.predicate()

    def predicate(self) -> Node:
        left = self.sum()
        if compared := self.took(*_COMPARISONS):
            return {"op": compared, "args": [left, self.sum()]}
        if self.took("is"):
            return self.maybe_not(lambda: self.empty(left))
        return self.maybe_not(lambda: self.matched(left), otherwise=left)

    def maybe_not(self, read: Callable[[], Node], otherwise: Node = None) -> Node:
        negative = bool(self.took("not"))
        made = read()
        if made is None:
            if negative or otherwise is None:
                raise self.fault()
            return otherwise
        return {"op": "not", "args": [made]} if negative else made

    def empty(self, left: Node) -> Node:
        self.need("null")
        return {"op": "isNull", "args": [left]}

    def matched(self, left: Node) -> Node:
        if self.took("like"):
            return {"op": "like", "args": [left, self.sum()]}
        if self.took("between"):
            low = self.sum()
            self.need("and")
            return {"op": "between", "args": [left, low, self.sum()]}
        if self.took("in"):
            self.need("(")
            return {"op": "in", "args": [left, self.list(self.sum)]}
        return None

    # values

    def sum(self) -> Node:
        return self.chained(("+", "-"), self.product)

    def product(self) -> Node:
        return self.chained(("*", "/", "%", "div"), self.power)

    def chained(self, operators: tuple[str, ...], part: Callable[[], Node]) -> Node:
        made = part()
        length = 0
        while operator := self.took(*operators):
            length += 1
            if self.depth + length > MOST_DEPTH:
                raise too_deep(MOST_DEPTH)
            made = {"op": operator, "args": [made, part()]}
        return made

    def power(self) -> Node:
        base = self.signed()
        return {"op": "^", "args": [base, self.deeper(self.power)]} if self.took("^") else base

    def signed(self) -> Node:
        if self.took("+"):
            return self.number()
        if not self.took("-"):
            return self.value()
        if self.word.kind == "number":
            return -self.number()
        return {"op": "*", "args": [-1, self.deeper(self.signed)]}

    def value(self) -> Node:
        word = self.word
        if word.kind == "number":
            return self.number()
        if word.kind == "text":
            return self.text()
        if word.kind == "quoted":
            return {"property": self.step().value}
        if word.kind == "name":
            return self.named()
        self.need("(")
        made = self.deeper(self.either)
        self.need(")")
        return made

    def number(self) -> int | float:
        word = self.word
        if word.kind != "number":
            raise self.fault()
        if word.value.isdigit():
            if len(word.value) > 30:
                raise self.fault()
            self.at += 1
            return int(word.value)
        made = float(word.value)
        if not math.isfinite(made):
            raise self.fault()
        self.at += 1
        return made

    def text(self) -> str:
        if self.word.kind != "text":
            raise self.fault()
        return re.sub(r"''|\\'", "'", self.step().value[1:-1])

    def named(self) -> Node:
        name = self.word.value
        low = name.lower()
        if low in _RESERVED:
            raise self.fault()
        self.at += 1
        if low in ("true", "false"):
            return low == "true"
        if low in _SHAPES and self.word.value.lower() == "z":
            self.at += 1
        if not self.took("("):
            return {"property": name}
        return self.deeper(lambda: self.called(low))

    def called(self, name: str) -> Node:
        """Read what stands in the brackets behind a name, and the closing bracket."""
        if name in _SHAPES:
            kind, lists = _SHAPES[name]
            return {"type": kind, "coordinates": self.positions(lists, loose=kind == "MultiPoint")}
        if name == "geometrycollection":
            return {"type": "GeometryCollection", "geometries": self.list(self.shape)}
        if name == "bbox":
            return {"bbox": self.list(self.coordinate)}
        if name in ("date", "timestamp"):
            made = {name: self.text()}
            self.need(")")
            return made
        if name == "interval":
            return {"interval": self.list(self.instant)}
        return {"op": name, "args": [] if self.took(")") else self.list(self.either)}

    def list(self, part: Callable[[], Node]) -> list[Node]:
        parts = [part()]
        while self.took(","):
            parts.append(part())
        self.need(")")
        return parts

    def instant(self) -> Node:
        return self.text() if self.word.kind == "text" else self.value()

    def shape(self) -> Node:
        if self.word.value.lower() not in _SHAPES:
            raise self.fault()
        return self.named()

    def positions(self, lists: int, *, loose: bool = False) -> Node:
        if lists == 0:
            made = self.position()
            self.need(")")
            return made
        return self.list(lambda: self.position() if lists == 1 and not self.opens(loose) else self.inner(lists - 1))

    def opens(self, loose: bool) -> bool:
        """Say whether a position stands in brackets of its own, as those of a MULTIPOINT may."""
        return loose and self.word.value == "("

    def inner(self, lists: int) -> Node:
        self.need("(")
        return self.positions(lists)

    def position(self) -> Node:
        made = [self.coordinate(), self.coordinate()]
        while len(made) < 4 and (self.word.kind == "number" or self.word.value in ("-", "+")):
            made.append(self.coordinate())
        return made

    def coordinate(self) -> int | float:
        sign = self.took("-", "+")
        return -self.number() if sign == "-" else self.number()
