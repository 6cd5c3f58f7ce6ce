"""Standardised rows as spreadsheets: the caller's own columns, ours beside them, and no cell that could be a formula."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from geo.addresses.positions import written
from geo.addresses.standardising.outcomes import LEVEL_NAMES, Other, Standardised
from geo.crs import System
from geo.spreadsheets import BOM, plain_cell

Pair = tuple[Sequence[str], Standardised]
Cell = str | int | float | None
XLSX_ROWS: Final = 50_000
"""Rows up to which a workbook is made; beyond them there is CSV."""
_PART_HEADS: Final = {
    "district": "区（写的）", "street": "街镇（写的）", "road": "路", "lane": "弄", "sub_lane": "支弄", "number": "号",
    "suffix": "附号", "upto": "号（到）", "building": "幢", "unit": "单元", "floor": "层", "room": "室", "village": "村",
    "group": "组", "estate": "小区", "place": "名称",
}  # fmt: skip
_CHUNK: Final = 2_000
_PLAIN_NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d+)?")
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What no workbook may hold."""


def titles(header: Sequence[str], to: System) -> list[str]:
    """Return the names of all columns: those of the list first, then ours; a name that is taken already is marked."""
    axes = ("经度", "纬度") if to.is_geographic else ("东坐标（米）", "北坐标（米）")
    ours = [
        "行号", "规范地址", "状态", "说明", *axes, "坐标系", "定位到", "九成把握的误差（米）", "读法可信度", "落点",
        "区（落点）", "街镇（落点）", "居委（落点）", *_PART_HEADS.values(), "可能是（其他地址或地点）", "没有当作地址的内容",
    ]  # fmt: skip
    taken = {head.strip() for head in header}
    return [*header, *(f"{head}（规范）" if head in taken else head for head in ours)]


def records(pairs: Iterable[Pair], width: int, to: System) -> Iterator[list[Cell]]:
    """Yield one record for each row, in the order of ``titles``; ``width`` is the number of the caller's own columns."""
    pairs = iter(pairs)
    while chunk := list(itertools.islice(pairs, _CHUNK)):
        spots = [row.spot for _, row in chunk if row.spot]
        points = iter(written([spot.lon for spot in spots], [spot.lat for spot in spots], to))
        for cells, row in chunk:
            point = next(points) if row.spot else (None, None)
            # Cells beyond the header stay together in the last column: nothing is lost.
            own = [*cells, *[""] * (width - len(cells))]
            if width and len(own) > width:
                own[width - 1 :] = [",".join(own[width - 1 :])]
            yield [*own[:width], *_ours(row, point, to)]


def _ours(row: Standardised, point: tuple[float | None, float | None], to: System) -> list[Cell]:
    spot, where, said = row.spot, row.where, row.said
    return [
        row.row,
        row.standard,
        row.status.label,
        "".join(reason.reason for reason in row.reasons),
        *point,
        to.label if spot else "",
        LEVEL_NAMES.get(spot.level, spot.level) if spot else "",
        round(spot.uncertainty_m) if spot else None,
        row.confidence,
        spot.label if spot else "",
        where.district,
        where.street,
        where.committee,
        *(said.get(kind, "") for kind in _PART_HEADS),
        "；".join(map(other_text, row.others)),
        "；".join(piece.reason for piece in row.ignored),
    ]


def other_text(other: Other) -> str:
    """Return a choice or a further address in words."""
    if other.spot is None:
        return f"{other.text}（没有落点）"
    level = LEVEL_NAMES.get(other.spot.level, other.spot.level)
    return f"{other.text}（{level}，误差 {other.spot.uncertainty_m:.0f} 米）"


def csv_text(header: Sequence[str], pairs: Iterable[Pair], to: System) -> Iterator[str]:
    """Yield a CSV file in pieces; it begins with the mark by which spreadsheet programs read UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    out.write(BOM)
    writer.writerow([_safe(head) for head in titles(header, to)])
    for number, record in enumerate(records(pairs, len(header), to), start=1):
        writer.writerow([_safe(cell) if isinstance(cell, str) else cell for cell in record])
        if number % _CHUNK == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _safe(cell: str) -> str:
    cell = _FORBIDDEN.sub("", cell)
    return cell if _PLAIN_NUMBER.fullmatch(cell) else plain_cell(cell)


def write_xlsx(path: Path, header: Sequence[str], pairs: Iterable[Pair], to: System) -> None:
    """Write a workbook row by row: numbers as numbers, every text as text, never as a formula or a link."""
    import xlsxwriter  # slow to import, and few need it

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet("地址规范化")
        bold = book.add_format({"bold": True})
        point = book.add_format({"num_format": "0.0000000" if to.is_geographic else "0.000"})
        names = titles(header, to)
        first = len(header)
        sheet.set_column(0, len(names) - 1, 14)
        sheet.set_column(first + 1, first + 1, 40)
        sheet.set_column(first + 3, first + 3, 50)
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(names):
            sheet.write_string(0, column, _text(name), bold)
        for at, record in enumerate(records(pairs, len(header), to), start=1):
            for column, cell in enumerate(record):
                if isinstance(cell, str):
                    if cell:
                        sheet.write_string(at, column, _text(cell))
                elif cell is not None:
                    sheet.write_number(
                        at, column, cell, point if isinstance(cell, float) and column < first + 6 else None
                    )


def _text(cell: str) -> str:
    return _FORBIDDEN.sub("", cell)[:32_767]
