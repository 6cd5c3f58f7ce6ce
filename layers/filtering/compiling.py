"""From the JSON form of CQL2 to constant SQL: names only from the layer's declared attributes, values only as parameters."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs.codes import CGCS2000
from geo.geometry import Limits, geometry_from_object, require_valid
from layers.filtering.boxes import box_shape
from layers.filtering.crs import FilterCrs
from layers.filtering.faults import BadFilter, too_deep
from layers.filtering.temporal import INSTANT_TOO, TEMPORAL
from layers.filtering.text import Node
from layers.reading import Narrowing
from layers.spec import LayerSpec

GEOMETRY: Final = "geometry"
"""The name under which a condition speaks of a feature's shape."""
MOST_DEPTH: Final = 40
MOST_NODES: Final = 2_000
LITERALS: Final = Limits(body_bytes=100_000, vertices=5_000, rings=200)

_KINDS: Final = {
    "text": "text",
    "whole": "number",
    "number": "number",
    "yes_no": "yes_no",
    "day": "day",
    "moment": "moment",
}
_TITLES: Final = {
    "text": "文字",
    "number": "数字",
    "yes_no": "是非",
    "day": "日期",
    "moment": "时刻",
    "interval": "时段",
    "geometry": "图形",
}
_COMPARED: Final = {"=": "=", "<>": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_ARITHMETIC: Final = {
    "+": "({0} + {1})",
    "-": "({0} - {1})",
    "*": "({0} * {1})",
    "/": "({0} / NULLIF({1}, 0))",
    "div": "trunc({0} / NULLIF({1}, 0))",
    "%": "mod({0}::numeric, NULLIF({1}::numeric, 0))::float8",
    "^": "power({0}, {1})",
}
_SPATIAL: Final = {
    "s_intersects": "ST_Intersects",
    "s_disjoint": "ST_Disjoint",
    "s_equals": "ST_Equals",
    "s_touches": "ST_Touches",
    "s_within": "ST_Within",
    "s_overlaps": "ST_Overlaps",
    "s_crosses": "ST_Crosses",
    "s_contains": "ST_Contains",
}
_COLLECTIONS_TOO: Final = frozenset({"s_intersects", "s_disjoint"})
"""PostGIS compares collections of mixed shapes by these only."""
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Term:
    """Constant SQL with what kind of value it gives.

    Of an interval ``sql`` is the begin, ``until`` the end and ``clock`` what both are counted in, if either is; ``mixed`` marks a
    collection of shapes.
    """

    sql: str
    kind: str
    until: str = ""
    clock: str = ""
    mixed: bool = False


def narrowing_of(layer: LayerSpec, node: Node, crs: FilterCrs | None = None, *, called: str = "filter") -> Narrowing:
    """Return the condition on a layer's rows that CQL2 JSON says; positions in it are given in ``crs``.

    The names of its parameters begin with ``called``: two conditions that are to hold together need two of them. Raises
    ``BadFilter`` for what the layer does not have, kinds that cannot be compared, and what goes beyond the limits.
    """
    compiler = _Compiler(layer, crs or FilterCrs(), called)
    made = compiler.truth(node, 1)
    return Narrowing(made, compiler.parameters)


@dataclass(slots=True)
class _Compiler:
    layer: LayerSpec
    crs: FilterCrs
    called: str
    parameters: dict[str, Any] = field(default_factory=dict)
    nodes: int = 0

    def bound(self, value: Any, cast: str) -> str:
        name = f"{self.called}_{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s::{cast}"

    def truth(self, node: Node, depth: int) -> str:
        return self.typed(node, depth, "yes_no").sql

    def typed(self, node: Node, depth: int, *kinds: str) -> Term:
        term = self.term(node, depth)
        if term.kind not in kinds:
            raise BadFilter(
                "filter_kind",
                f"筛选条件里这里应是{'或'.join(_TITLES[kind] for kind in kinds)}，写的是{_TITLES[term.kind]}。",
                expected=list(kinds),
                found=term.kind,
            )
        return term

    def term(self, node: Node, depth: int) -> Term:
        self.nodes += 1
        if depth > MOST_DEPTH:
            raise too_deep(MOST_DEPTH)
        if self.nodes > MOST_NODES:
            raise BadFilter("filter_large", f"筛选条件太大，最多 {MOST_NODES} 个部分。", most=MOST_NODES)
        if isinstance(node, dict):
            return self.object(node, depth)
        return self.literal(node)

    def literal(self, value: Any) -> Term:
        if isinstance(value, bool):
            return Term(self.bound(value, "boolean"), "yes_no")
        if isinstance(value, int):
            return Term(self.bound(value, "int8" if abs(value) < 2**63 else "numeric"), "number")
        if isinstance(value, float) and math.isfinite(value):
            return Term(self.bound(value, "float8"), "number")
        if isinstance(value, str):
            if "\x00" in value:
                raise BadFilter("filter_text", "筛选条件的文字里有不能用的字符，请去掉。")
            return Term(self.bound(value, "text"), "text")
        raise _unreadable(value)

    def object(self, node: dict[str, Any], depth: int) -> Term:
        for member, read in _READERS.items():
            if member in node:
                return read(self, node, depth)
        raise _unreadable(node)

    def operation(self, node: dict[str, Any], depth: int) -> Term:
        operator, given = node["op"], node.get("args")
        if not isinstance(operator, str) or not isinstance(given, list):
            raise _unreadable(node)
        name = operator if operator == "isNull" else operator.lower()
        made = _OPERATIONS.get(name)
        if made is None:
            raise BadFilter("filter_function", f"不支持函数 {operator[:40]}。", known=sorted(_OPERATIONS))
        least, most, build = made
        if not least <= len(given) <= most:
            raise BadFilter("filter_arguments", f"{operator} 的参数个数不对。", operator=operator)
        return build(self, name, given, depth + 1)

    def property(self, node: dict[str, Any], depth: int) -> Term:
        name = node["property"]
        if name == GEOMETRY:
            return Term("t.geom", "geometry")
        attribute = self.layer.attribute(name) if isinstance(name, str) else None
        if attribute is None:
            known = [GEOMETRY, *(one.name for one in self.layer.attributes)]
            raise BadFilter("property_unknown", f"图层“{self.layer.title}”没有属性 {str(name)[:40]}。", known=known)
        return Term(f"({attribute.sql})", _KINDS[attribute.kind])

    def day(self, node: dict[str, Any], depth: int) -> Term:
        return self.instant(node["date"], "day")

    def moment(self, node: dict[str, Any], depth: int) -> Term:
        return self.instant(node["timestamp"], "moment")

    def instant(self, text: Any, kind: str = "") -> Term:
        """Return the day or moment of a text in strict ISO 8601; ``kind`` is which of them it has to be."""
        found = kind or ("day" if isinstance(text, str) and len(text) == 10 else "moment")
        pattern, cast = (_DAY, "date") if found == "day" else (_MOMENT, "timestamptz")
        try:
            if not isinstance(text, str) or not pattern.fullmatch(text):
                raise ValueError(text)
            value: dt.date = dt.date.fromisoformat(text) if found == "day" else dt.datetime.fromisoformat(text)
        except ValueError:
            raise BadFilter(
                "filter_instant",
                "日期写作 2026-01-31，时刻写作 2026-01-31T08:00:00Z，请核对。",
                found=str(text)[:40],
            ) from None
        return Term(self.bound(value, cast), found)

    def interval(self, node: dict[str, Any], depth: int) -> Term:
        ends = node["interval"]
        if not isinstance(ends, list) or len(ends) != 2:
            raise _unreadable(node)
        known = [None if end == ".." else self.end(end, depth + 1) for end in ends]
        kinds = {end.kind for end in known if end is not None}
        if len(kinds) > 1:
            raise BadFilter("filter_interval", "时段的两端应都是日期，或都是时刻。")
        cast = "date" if kinds == {"day"} else "timestamptz"
        begin, until = (
            f"'{beyond}infinity'::{cast}" if end is None else end.sql
            for end, beyond in zip(known, ("-", ""), strict=True)
        )
        return Term(begin, "interval", until, clock=next(iter(kinds), ""))

    def end(self, node: Node, depth: int) -> Term:
        return self.instant(node) if isinstance(node, str) else self.typed(node, depth, "day", "moment")

    def box(self, node: dict[str, Any], depth: int) -> Term:
        numbers = node["bbox"]
        if not isinstance(numbers, list):
            raise _unreadable(node)
        return self.shape(box_shape(numbers, self.crs))

    def drawn(self, node: dict[str, Any], depth: int) -> Term:
        turned = _turned(node, 1) if self.crs.swapped else node
        return self.shape(require_valid(geometry_from_object(turned, self.crs.system, LITERALS)))

    def shape(self, geometry: BaseGeometry) -> Term:
        constant = self.bound(shapely.to_wkb(geometry), "bytea")
        return Term(
            f"ST_GeomFromWKB({constant}, {CGCS2000})", "geometry", mixed=geometry.geom_type == "GeometryCollection"
        )


Build = Callable[[_Compiler, str, list[Node], int], Term]
_READERS: Final[dict[str, Callable[[_Compiler, dict[str, Any], int], Term]]] = {
    "op": _Compiler.operation,
    "property": _Compiler.property,
    "date": _Compiler.day,
    "timestamp": _Compiler.moment,
    "interval": _Compiler.interval,
    "bbox": _Compiler.box,
    "type": _Compiler.drawn,
}


def _joined(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    sign = f" {name.upper()} "
    return Term("(" + sign.join(at.truth(one, depth) for one in given) + ")", "yes_no")


def _negated(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    return Term(f"(NOT {at.truth(given[0], depth)})", "yes_no")


def _scalars(at: _Compiler, given: list[Node], depth: int) -> list[Term]:
    """Return terms that can be compared with each other."""
    terms = [at.typed(one, depth, "text", "number", "yes_no", "day", "moment") for one in given]
    if len({term.kind for term in terms}) > 1:
        found = "、".join(dict.fromkeys(_TITLES[term.kind] for term in terms))
        raise BadFilter(
            "filter_kinds",
            f"{found}不能互相比较，请核对属性的种类；日期写作 DATE('2026-01-31')。",
            found=[term.kind for term in terms],
        )
    return terms


def _compared(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    left, right = _scalars(at, given, depth)
    return Term(f"({left.sql} {_COMPARED[name]} {right.sql})", "yes_no")


def _between(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    value, low, high = _scalars(at, given, depth)
    return Term(f"({value.sql} BETWEEN {low.sql} AND {high.sql})", "yes_no")


def _in(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    if not isinstance(given[1], list) or not given[1]:
        raise BadFilter("filter_in", "IN 后面的括号里至少写一个值。")
    value, *listed = _scalars(at, [given[0], *given[1]], depth)
    return Term(f"({value.sql} IN ({', '.join(one.sql for one in listed)}))", "yes_no")


def _like(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    value = at.typed(given[0], depth, "text")
    pattern = given[1]
    while isinstance(pattern, dict) and pattern.get("op") == "casei" and len(pattern.get("args") or []) == 1:
        pattern = pattern["args"][0]
    if not isinstance(pattern, str) or (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise BadFilter("filter_like", "LIKE 后面写一段文字：% 代表任意几个字，_ 代表一个字，末尾不能是反斜杠。")
    wanted = at.typed(given[1], depth, "text")
    return Term(f"({value.sql} LIKE {wanted.sql})", "yes_no")


def _is_null(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    return Term(f"({at.term(given[0], depth).sql} IS NULL)", "yes_no")


def _casei(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    return Term(f"lower({at.typed(given[0], depth, 'text').sql})", "text")


def _reckoned(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    parts = (f"({at.typed(one, depth, 'number').sql})::float8" for one in given)
    return Term(_ARITHMETIC[name].format(*parts), "number")


def _spatial(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    terms = [at.typed(one, depth, "geometry") for one in given]
    if name not in _COLLECTIONS_TOO and any(term.mixed for term in terms):
        raise BadFilter(
            "filter_collection", f"{name} 不能与几何集合比较，请拆成点、线或面。", known=sorted(_COLLECTIONS_TOO)
        )
    return Term(f"{_SPATIAL[name]}({terms[0].sql}, {terms[1].sql})", "yes_no")


def _temporal(at: _Compiler, name: str, given: list[Node], depth: int) -> Term:
    kinds = ("day", "moment", "interval") if name in INSTANT_TOO else ("interval",)
    first, second = (at.typed(one, depth, *kinds) for one in given)
    clocks = {term.clock if term.kind == "interval" else term.kind for term in (first, second)}
    if clocks >= {"day", "moment"}:
        raise BadFilter("filter_clocks", "日期和时刻不能互相比较，请写成同一种。")
    ends = {"a": first.sql, "b": first.until or first.sql, "c": second.sql, "d": second.until or second.sql}
    return Term(f"({TEMPORAL[name].format(**ends)})", "yes_no")


_OPERATIONS: Final[dict[str, tuple[int, int, Build]]] = {
    "and": (2, MOST_NODES, _joined),
    "or": (2, MOST_NODES, _joined),
    "not": (1, 1, _negated),
    "between": (3, 3, _between),
    "in": (2, 2, _in),
    "like": (2, 2, _like),
    "isNull": (1, 1, _is_null),
    "casei": (1, 1, _casei),
    **dict.fromkeys(_COMPARED, (2, 2, _compared)),
    **dict.fromkeys(_ARITHMETIC, (2, 2, _reckoned)),
    **dict.fromkeys(_SPATIAL, (2, 2, _spatial)),
    **dict.fromkeys(TEMPORAL, (2, 2, _temporal)),
}


def _turned(node: Any, depth: int) -> Any:
    """Return GeoJSON with the first two numbers of every position exchanged."""
    if depth > LITERALS.collection_depth + 6:
        raise too_deep(LITERALS.collection_depth)
    if isinstance(node, dict):
        return {
            key: _turned(value, depth + 1) if key in ("coordinates", "geometries") else value
            for key, value in node.items()
        }
    if not isinstance(node, list):
        return node
    if len(node) >= 2 and not isinstance(node[0], list | dict):
        return [node[1], node[0], *node[2:]]
    return [_turned(one, depth + 1) for one in node]


def _unreadable(node: Any) -> BadFilter:
    return BadFilter("filter_form", "筛选条件里有读不懂的部分，请核对 CQL2 写法。", part=str(node)[:60])
