"""What is asked of a ledger: text, regions, filters, order, columns and page, as they stand in the address of a list."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from django.db.models import Q
from shapely import Polygon

from geo.errors import BadInput
from geo.geometry import fault_of
from services.kernel.spec import Column, LedgerSpec

LONGEST_TEXT: Final = 100
MOST_VALUES: Final = 200
MOST_IDS: Final = 500
MOST_CORNERS: Final = 100
FLAGS: Final = (("1", "是"), ("0", "否"))
PREFIX: Final = "f."
"""What the parameters of filters begin with: ``f.status=open``, ``f.beds.from=20``."""


class Params(Protocol):
    """The parameters of an address, each perhaps several times; Django's ``QueryDict`` is one."""

    def getlist(self, key: str) -> list[str]: ...
    def keys(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a ledger, checked.

    ``chosen`` are the wanted values by column, ``ranges`` the first and last wanted value ('' is open), ``holding`` a piece of
    text. ``sort`` is the key of a column, with ``-`` before it from the greatest down, '' for the ledger's own order.
    """

    text: str = ""
    regions: tuple[str, ...] = ()
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    holding: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    columns: tuple[str, ...] = ()
    after: str = ""
    ids: tuple[int, ...] = ()
    area: tuple[tuple[float, float], ...] = ()
    """The corners of a drawn area, (lon, lat) in CGCS2000 degrees, the first not repeated."""

    @property
    def narrows(self) -> bool:
        """Say whether anything narrows the list."""
        return bool(self.text or self.regions or self.chosen or self.ranges or self.holding or self.ids or self.area)

    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters of the address that asks this, without the page."""
        pairs = [("q", self.text), ("sort", self.sort)]
        pairs += [("region", code) for code in self.regions]
        for key, values in self.chosen.items():
            pairs += [(f"{PREFIX}{key}", value) for value in values]
        for key, (first, last) in self.ranges.items():
            pairs += [(f"{PREFIX}{key}.from", first), (f"{PREFIX}{key}.to", last)]
        pairs += [(f"{PREFIX}{key}", piece) for key, piece in self.holding.items()]
        pairs += [("col", key) for key in self.columns]
        pairs += [("id", str(pk)) for pk in self.ids]
        pairs += [("area", ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in self.area))]
        return [(name, value) for name, value in pairs if value]

    def query(self, **changes: Any) -> str:
        """Return the query string of this question with some of its parts changed, without the page."""
        return urlencode(replace(self, **changes).pairs())

    def without(self, key: str) -> str:
        """Return the query string of this question without what is asked of a column."""
        kept = {name: {k: v for k, v in getattr(self, name).items() if k != key} for name in _BY_COLUMN}
        return self.query(**kept)


_BY_COLUMN: Final = ("chosen", "ranges", "holding")


def read_asked(params: Params, spec: LedgerSpec) -> Asked:
    """Return what the parameters of an address ask of a ledger.

    Unknown parameters are left to the page that knows them. Raises ``BadInput`` for a filter, order or value that cannot be
    meant.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    ranges: dict[str, tuple[str, str]] = {}
    holding: dict[str, str] = {}
    for name in params.keys():  # noqa: SIM118 (a QueryDict's own keys, each once)
        if not name.startswith(PREFIX):
            continue
        column, _ = _filtered(name, spec)
        if column.kind in ("choice", "flag"):
            chosen |= _choice(column, params)
        elif column.kind == "text":
            holding |= _piece(column, params)
        else:
            ranges |= _range(column, params)
    return Asked(
        text=_text(params, "q"),
        regions=_several(params, "region"),
        chosen=chosen,
        ranges=ranges,
        holding=holding,
        sort=_sort(params, spec),
        columns=tuple(key for key in _several(params, "col") if spec.column(key)),
        after=_last(params, "after")[:1_000],
        ids=_ids(params),
        area=_area(params, spec),
    )


def conditions(asked: Asked, spec: LedgerSpec) -> Q:
    """Return the condition that the filters of columns put on rows."""
    wanted = Q()
    for key, values in asked.chosen.items():
        column = spec.column(key)
        if column and column.kind == "flag":
            wanted &= Q(**{f"{key}__in": [value == "1" for value in values]})
        else:
            wanted &= Q(**{f"{key}__in": values})
    for key, piece in asked.holding.items():
        wanted &= Q(**{f"{key}__icontains": piece})
    for key, (first, last) in asked.ranges.items():
        column = spec.column(key)
        if column and first:
            wanted &= Q(**{f"{_part(column)}__gte": value_of(column, first)})
        if column and last:
            wanted &= Q(**{f"{_part(column)}__lte": value_of(column, last)})
    return wanted


def value_of(column: Column, text: str) -> Any:
    """Return what a text of an address means in a column. Raises ``BadInput``."""
    try:
        match column.kind:
            case "integer":
                value: Any = int(text)
                if abs(value) >= 2**31:
                    raise ValueError("beyond the column")
            case "number":
                value = float(text)
                if not abs(value) < 1e15:
                    raise ValueError("beyond the column")
            case "day" | "moment":
                value = datetime.date.fromisoformat(text)
            case _:
                value = text
    except ValueError:
        like = "2026-09-01" if column.kind in ("day", "moment") else "20"
        raise BadInput(
            "filter_invalid", f"“{column.label}”要写成 {like} 这样，请核对。", parameter=f"{PREFIX}{column.key}"
        ) from None
    return value


def options(column: Column) -> tuple[tuple[str, str], ...]:
    """Return what may be chosen in a column: values and their words."""
    return FLAGS if column.kind == "flag" else column.offered


def _part(column: Column) -> str:
    return f"{column.key}__date" if column.kind == "moment" else column.key


def _filtered(name: str, spec: LedgerSpec) -> tuple[Column, str]:
    key, _, end = name.removeprefix(PREFIX).partition(".")
    column = spec.column(key)
    if column is None or not column.filters or end not in ("", "from", "to"):
        raise BadInput("filter_unknown", f"这份台账不能按“{key[:40]}”筛选，请去掉这一项。", parameter=name[:60])
    return column, end


def _choice(column: Column, params: Params) -> dict[str, tuple[str, ...]]:
    values = _several(params, f"{PREFIX}{column.key}")
    known = dict(options(column))
    strange = [value for value in values if value not in known]
    if strange:
        raise BadInput("filter_invalid", f"“{column.label}”没有“{strange[0][:40]}”这一种，请重新选择。")
    return {column.key: values} if values else {}


def _piece(column: Column, params: Params) -> dict[str, str]:
    piece = _text(params, f"{PREFIX}{column.key}")
    return {column.key: piece} if piece else {}


def _range(column: Column, params: Params) -> dict[str, tuple[str, str]]:
    ends = tuple(_last(params, f"{PREFIX}{column.key}.{end}").strip() for end in ("from", "to"))
    first, last = (value_of(column, end) if end else None for end in ends)
    if first is not None and last is not None and first > last:
        raise BadInput("filter_backwards", f"“{column.label}”的起点大于终点，请对调。")
    return {column.key: (ends[0], ends[1])} if any(ends) else {}


def _sort(params: Params, spec: LedgerSpec) -> str:
    sort = _last(params, "sort")
    column = spec.column(sort.removeprefix("-"))
    if sort and (column is None or not column.sorts):
        raise BadInput("sort_unknown", "这份台账不能按这一列排序，请点能排序的列名。", parameter="sort")
    return sort


def _ids(params: Params) -> tuple[int, ...]:
    written = params.getlist("id")
    if len(written) > MOST_IDS:
        raise BadInput("ids_too_many", f"一次最多选 {MOST_IDS:,} 行，请改用筛选。", parameter="id")
    if not all(each.isascii() and each.isdecimal() and len(each) < 19 for each in written):
        raise BadInput("ids_invalid", "所选的行无效，请回到列表重新选择。", parameter="id")
    return tuple(dict.fromkeys(int(each) for each in written))


def _area(params: Params, spec: LedgerSpec) -> tuple[tuple[float, float], ...]:
    written = _last(params, "area")
    if not written:
        return ()
    if not spec.point:
        raise BadInput("filter_unknown", "这份台账没有位置，不能按画的范围筛选，请去掉这一项。", parameter="area")
    pairs = written.split(";")
    if not 3 <= len(pairs) <= MOST_CORNERS:
        raise BadInput("area_invalid", f"画的范围要有 3 到 {MOST_CORNERS} 个角，请重画一次。", parameter="area")
    try:
        corners = [tuple(float(each) for each in pair.split(",")) for pair in pairs]
    except ValueError:
        corners = []
    if (
        not all(len(corner) == 2 and abs(corner[0]) <= 180 and abs(corner[1]) <= 90 for corner in corners)
        or not corners
    ):
        raise BadInput(
            "area_invalid", "画的范围要写成 经度,纬度;经度,纬度;… 这样，请在地图上重画一次。", parameter="area"
        )
    fault = fault_of(Polygon(corners))
    if fault:
        raise BadInput("area_invalid", f"画的范围有问题：{fault}。请在地图上重画一次，边不要交叉。", parameter="area")
    return tuple((corner[0], corner[1]) for corner in corners)


def _several(params: Params, name: str) -> tuple[str, ...]:
    values = [value.strip() for value in params.getlist(name) if value.strip()]
    if len(values) > MOST_VALUES:
        raise BadInput("filter_too_long", f"一项筛选最多选 {MOST_VALUES} 个，请少选几个。", parameter=name)
    return tuple(dict.fromkeys(values))


def _last(params: Params, name: str) -> str:
    values: Sequence[str] = params.getlist(name)
    return values[-1].replace("\x00", "") if values else ""


def _text(params: Params, name: str) -> str:
    text = " ".join(_last(params, name).split())
    if len(text) > LONGEST_TEXT:
        raise BadInput("query_too_long", f"搜索内容最多 {LONGEST_TEXT} 个字，请写短一些。", parameter=name)
    return text
