"""Lists as tables: which column holds the address, or in which columns its parts stand, and the item each row asks for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from geo.addresses.standardising.outcomes import Item

Row = Sequence[str]
HEADER_WITHIN: Final = 5
"""Rows among which the names of columns are looked for: a title often stands above them."""
LOOKED_AT: Final = 200
"""Rows by which the column of addresses is told where no header names it."""
_ADDRESS: Final = re.compile(r".{0,8}(?:地址|住址|住所|坐落|地点)|address|addr|location", re.IGNORECASE)
_HEADS: Final[dict[str, tuple[str, ...]]] = {
    "district": ("区", "区县", "所在区", "所属区", "所属区县", "所在区县", "行政区", "行政区划", "辖区", "区（县）", "district"),
    "street": ("街道", "街镇", "街道镇", "街道（镇）", "镇", "乡镇", "所属街镇", "所属街道", "所在街道", "street"),
    "road": ("路", "路名", "道路", "道路名", "道路名称", "街路", "road"),
    "lane": ("弄", "弄号", "巷", "lane"),
    "sub_lane": ("支弄", "支弄号"),
    "number": ("号", "号牌", "门牌", "门牌号", "号数", "number"),
    "building": ("幢", "幢号", "栋", "栋号", "楼栋", "楼号", "座", "building"),
    "unit": ("单元", "单元号", "unit"),
    "floor": ("层", "楼层", "层数", "floor"),
    "room": ("室", "室号", "房号", "房间号", "门室号", "room"),
    "estate": ("小区", "小区名", "小区名称", "楼盘"),
}  # fmt: skip
_SIGNS: Final = {
    "lane": "弄", "sub_lane": "支弄", "number": "号", "building": "幢", "unit": "单元", "floor": "层", "room": "室",
}  # fmt: skip
_SIGNLESS: Final = re.compile(r"[\dA-Za-z甲乙丙丁之\-]+")
_LOOKS: Final = re.compile(r"[路街道村弄坊苑园里城][\d一二三四五六七八九十百]|\d+(?:弄|号|室)")
ORDER: Final = tuple(_HEADS)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a table the address stands: in column ``address`` (from 0), or in pieces in ``parts`` (kind, column).

    ``district`` is a column that names the district beside the address. ``header`` counts the
    rows before the data, titles and blank ones included: the last of them names the columns; 0 for none.
    """

    address: int | None = None
    district: int | None = None
    parts: tuple[tuple[str, int], ...] = ()
    header: int = 0


def guess_columns(rows: Sequence[Row]) -> Columns:
    """Return where the address most likely stands, by the names of columns in the first rows, else by content."""
    if not rows:
        return Columns(address=0)
    header, addresses, by_kind = next(_headers(rows), (0, [], {}))
    district = by_kind.get("district")
    parts = tuple((kind, by_kind[kind]) for kind in ORDER if kind in by_kind)
    if addresses:
        return Columns(addresses[0], district, parts, header)
    if "road" in by_kind and by_kind.keys() & {"lane", "number", "room"}:
        return Columns(None, district, parts, header)
    return Columns(_likeliest(rows[header:] or rows, skip=district), district, parts, header)


def _headers(rows: Sequence[Row]) -> Iterator[tuple[int, list[int], dict[str, int]]]:
    """Yield the rows that name columns: their number, the columns of addresses, and the columns by kind."""
    for number, row in enumerate(rows[:HEADER_WITHIN], start=1):
        heads = [_plain(cell) for cell in row]
        by_kind = {kind: at for at, kind in reversed(list(enumerate(map(_kind, heads)))) if kind}
        addresses = [at for at, head in enumerate(heads) if _ADDRESS.fullmatch(head)]
        if addresses or by_kind:
            yield number, addresses, by_kind


def _plain(cell: str) -> str:
    return re.sub(r"[\s*:：]+", "", cell)


def _kind(head: str) -> str:
    return next((kind for kind, words in _HEADS.items() if head.lower() in words), "")


def _likeliest(rows: Sequence[Row], skip: int | None) -> int:
    """Return the column whose cells look most like addresses, of several the one with the most to say."""
    few = rows[:LOOKED_AT]
    width = max(map(len, few), default=1)
    weights = []
    for column in range(width):
        cells = [row[column] for row in few if column < len(row)]
        looks = sum(bool(_LOOKS.search(cell)) for cell in cells)
        weights.append((column != skip, looks, sum(map(len, cells)), -column))
    return -max(weights)[3] if weights else 0


def item_of(cells: Row, columns: Columns, width: int) -> Item:
    """Return what a row asks for. A last column that was cut at its commas is joined again; ``width`` is that of the header."""
    district = _cell(cells, columns.district)
    if columns.address is None:
        return Item(_composed(cells, columns.parts), None, district)
    if columns.address == width - 1 and len(cells) > width > 1:
        return Item(",".join(cells[columns.address :]), None, district)
    return Item(_cell(cells, columns.address), None, district)


def _cell(cells: Row, column: int | None) -> str:
    return cells[column] if column is not None and column < len(cells) else ""


def _composed(cells: Row, parts: Iterable[tuple[str, int]]) -> str:
    """Join an address that stands in pieces, with the signs that the names of the columns stood for."""
    pieces = []
    for kind, column in parts:
        piece = _cell(cells, column).strip()
        if piece and kind in _SIGNS and _SIGNLESS.fullmatch(piece):
            piece += _SIGNS[kind]
        pieces.append(piece)
    return "".join(pieces)


def rows_of_text(text: str) -> list[list[str]]:
    """Return the rows of a pasted text: a line each, columns apart where there are tabs; blank lines at the end are none."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    return [[cell.strip() for cell in line.split("\t")] for line in lines]


def text_of_rows(rows: Iterable[Row]) -> str:
    """Return rows as text that ``rows_of_text`` reads back; breaks within a cell become blanks."""
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)
