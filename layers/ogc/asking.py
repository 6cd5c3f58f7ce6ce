"""A question for features as its parameters put it: which rows, where from, in which system. Whatever is not known is refused."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import shapely

from geo.crs import City
from geo.crs.codes import CGCS2000
from geo.errors import BadInput
from layers.filtering import box_shape, narrowing_of, read_filter
from layers.ogc.systems import CRS84, OgcCrs, crs_named
from layers.reading import Narrowing
from layers.spec import Attribute, LayerSpec

DEFAULT_LIMIT: Final = 100
MOST_LIMIT: Final = 10_000
PARAMETERS: Final = (
    "limit",
    "after",
    "bbox",
    "bbox-crs",
    "datetime",
    "crs",
    "filter",
    "filter-lang",
    "filter-crs",
    "f",
)
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}")
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?")
_YES_NO: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which features are asked for: at most ``limit`` after an id, in a system, narrowed."""

    limit: int
    after: int | None
    crs: OgcCrs
    narrowing: Narrowing


def read_asked(layer: LayerSpec, query: Mapping[str, str], *, city: City, root: str) -> Asked:
    """Read the parameters of a page of features. Raises ``BadInput`` for what is unknown or cannot be meant."""
    check_parameters(query, (*PARAMETERS, *(one.name for one in layer.attributes)), layer)
    narrowing = Narrowing()
    for condition in _conditions(layer, query, city, root):
        narrowing &= condition
    return Asked(
        limit=_limit(query.get("limit")),
        after=read_token(query["after"]) if "after" in query else None,
        crs=crs_asked(query, "crs", city=city, root=root),
        narrowing=narrowing,
    )


def check_parameters(query: Iterable[str], known: Iterable[str], layer: LayerSpec | None = None) -> None:
    """Refuse parameters that are not known."""
    allowed = list(dict.fromkeys(known))
    unknown = sorted(set(query) - set(allowed))
    if unknown:
        named = "、".join(name[:40] for name in unknown[:5])
        where = f"图层“{layer.title}”" if layer else "这里"
        raise BadInput("parameter_unknown", f"{where}没有参数 {named}，请核对拼写。", known=allowed)


def crs_asked(query: Mapping[str, str], parameter: str, *, city: City, root: str) -> OgcCrs:
    """Return the system that a parameter names, CRS84 when it is not given."""
    uri = query.get(parameter)
    return CRS84 if uri is None else crs_named(uri, city=city, root=root, parameter=parameter)


def token_of(after: int) -> str:
    """Return the token of the page that begins after an id; nobody needs to know what is in it."""
    return base64.urlsafe_b64encode(after.to_bytes(8, "big", signed=True)).rstrip(b"=").decode()


def read_token(token: str) -> int:
    """Return the id a token begins after. Raises ``BadInput``."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=") if len(token) == 11 else b""
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != 8 or token_of(int.from_bytes(raw, "big", signed=True)) != token:
        raise BadInput("page_unknown", "参数 after 只能从上一页的“下一页”链接里照抄。")
    return int.from_bytes(raw, "big", signed=True)


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"\d{1,99}", text, re.ASCII) or int(text) < 1:
        raise BadInput("limit_invalid", f"参数 limit 是 1 到 {MOST_LIMIT} 的整数。", most=MOST_LIMIT)
    return min(int(text), MOST_LIMIT)


def _conditions(layer: LayerSpec, query: Mapping[str, str], city: City, root: str) -> Iterable[Narrowing]:
    if "bbox" in query:
        yield _in_box(query["bbox"], crs_asked(query, "bbox-crs", city=city, root=root))
    elif "bbox-crs" in query:
        crs_asked(query, "bbox-crs", city=city, root=root)
    if "datetime" in query:
        yield _in_time(layer, query["datetime"], city)
    yield from _equal(layer, query)
    crs = crs_asked(query, "filter-crs", city=city, root=root)
    if "filter" in query:
        yield read_filter(layer, query["filter"], language=query.get("filter-lang", "cql2-text"), crs=crs.filter_crs)
    elif query.get("filter-lang", "cql2-text") not in ("cql2-text", "cql2-json"):
        read_filter(layer, "true", language=query["filter-lang"])


def _in_box(text: str, crs: OgcCrs) -> Narrowing:
    parts = text.split(",") if len(text) <= 300 else []
    if not all(_NUMBER.fullmatch(part.strip()) for part in parts):
        parts = []
    shape = box_shape([float(part) for part in parts], crs.filter_crs)
    return Narrowing(
        f"ST_Intersects(t.geom, ST_GeomFromWKB(%(asked_box)s::bytea, {CGCS2000}))", {"asked_box": shapely.to_wkb(shape)}
    )


def _equal(layer: LayerSpec, query: Mapping[str, str]) -> Iterable[Narrowing]:
    for number, attribute in enumerate(layer.attributes):
        if attribute.name in query and attribute.name not in PARAMETERS:
            node = {"op": "=", "args": [{"property": attribute.name}, _value(attribute, query[attribute.name])]}
            yield narrowing_of(layer, node, called=f"equal_{number}")


def _value(attribute: Attribute, text: str) -> object:
    """Return the value of a parameter that narrows by an attribute, as CQL2 JSON writes it."""
    kind, found = attribute.kind, text.strip()
    if kind == "text":
        return text
    if kind == "whole" and _WHOLE.fullmatch(found):
        return int(found)
    if kind == "number" and _NUMBER.fullmatch(found):
        return float(found)
    if kind == "yes_no" and found in _YES_NO:
        return _YES_NO[found]
    if kind in ("day", "moment"):
        return {"date" if kind == "day" else "timestamp": found}
    raise BadInput("parameter_invalid", f"参数 {attribute.name}（{attribute.title}）的值读不懂。", kind=kind)


def _in_time(layer: LayerSpec, text: str, city: City) -> Narrowing:
    """Return the condition of ``datetime``; a layer whose features say no time is not narrowed by it."""
    zone = ZoneInfo(city.timezone)
    begin, end = _span(text, zone)
    attribute = layer.attribute(layer.moment) if layer.moment else None
    if attribute is None:
        return Narrowing()
    conditions, parameters = [], {}
    for name, sign, moment in (("asked_from", ">=", begin), ("asked_until", "<=", end)):
        if moment is not None:
            conditions.append(f"({attribute.sql}) {sign} %({name})s")
            parameters[name] = moment.astimezone(zone).date() if attribute.kind == "day" else moment
    return Narrowing(" AND ".join(conditions) or "TRUE", parameters)


def _span(text: str, zone: ZoneInfo) -> tuple[dt.datetime | None, dt.datetime | None]:
    parts = text.split("/")
    open_ends = ("", "..")
    if len(parts) > 2 or (len(parts) == 1 and parts[0] in open_ends) or all(part in open_ends for part in parts):
        raise _bad_time(text)
    begin = None if parts[0] in open_ends else _instant(parts[0], zone, last=False)
    end = None if parts[-1] in open_ends else _instant(parts[-1], zone, last=True)
    if begin is not None and end is not None and begin > end:
        raise BadInput("datetime_order", "参数 datetime 的开始不能晚于结束。")
    return begin, end


def _instant(text: str, zone: ZoneInfo, *, last: bool) -> dt.datetime:
    """Return a moment of RFC 3339; of a day its first or its last moment in the city."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            day = dt.date.fromisoformat(text)
            return dt.datetime.combine(day, dt.time.max if last else dt.time.min, zone)
        if re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", text, re.ASCII):
            return dt.datetime.fromisoformat(text.upper())
    except ValueError:
        pass
    raise _bad_time(text)


def _bad_time(text: str) -> BadInput:
    return BadInput(
        "datetime_invalid",
        "参数 datetime 写一个时刻（2026-01-31T08:00:00Z 或 2026-01-31），或 开始/结束，没有的一端写 ..。",
        datetime=text[:80],
    )
