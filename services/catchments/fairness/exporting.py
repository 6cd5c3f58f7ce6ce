"""A run as a workbook of two sheets, or one of them as CSV: numbers as numbers, with what they mean beside them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final, Literal

from geo.spreadsheets import BOM, plain_cell
from services.catchments.fairness.models import FairnessRun
from services.catchments.fairness.queries import Line, SiteLine, committees_of, sites_of, sum_of, total_of

Cell = str | int | float
Table = tuple[Sequence[str], list[list[Cell]]]
Sheet = Literal["committees", "sites"]
_COMMITTEES: Final = (
    "居委", "门牌", "没有对口园的门牌", "分不清的门牌", "到对口园（分钟，中位）", "到对口园（分钟，九成以内）",
    "到最近的园（分钟，中位）", "到最近的园（分钟，九成以内）", "多走（分钟，中位）", "超过 15 分钟的门牌",
    "60 分钟走不到的门牌", "登记的孩子", "超过 15 分钟的孩子",
)  # fmt: skip
_SITES: Final = (
    "幼儿园", "全园学位", "本次用的学位", "学位截至", "只对口这里的门牌", "可选这里的门牌", "只对口这里的孩子",
    "可选这里的孩子（平分）", "孩子合计", "孩子占学位（%）", "缺学位", "余学位",
)  # fmt: skip


def write_csv(run: FairnessRun, sheet: Sheet) -> tuple[bytes, int]:
    """Return one table of a run as CSV, and how many lines it holds."""
    heads, lines = _committees(run) if sheet == "committees" else _sites(run)
    text = io.StringIO(newline="")
    text.write(BOM)
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([plain_cell(cell) if isinstance(cell, str) else cell for cell in line] for line in lines)
    return text.getvalue().encode(), len(lines)


def write_workbook(run: FairnessRun) -> tuple[bytes, int]:
    """Return both tables of a run as a workbook, and how many lines they hold."""
    import xlsxwriter  # slow to import, and few need it

    out, count = io.BytesIO(), 0
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        for name, (heads, lines) in (("居委", _committees(run)), ("幼儿园", _sites(run))):
            sheet = book.add_worksheet(name)
            sheet.set_column(0, 0, 30)
            sheet.set_column(1, len(heads) - 1, 13)
            sheet.write_row(0, 0, heads, bold)
            sheet.freeze_panes(1, 1)
            for at, line in enumerate(lines, 1):
                sheet.write_row(at, 0, line)
            count += len(lines)
    return out.getvalue(), count


def _committees(run: FairnessRun) -> Table:
    return _COMMITTEES, [_line(line) for line in (*committees_of(run), total_of(run))]


def _line(line: Line) -> list[Cell]:
    minutes = (line.matched, line.matched_90, line.nearest, line.nearest_90, line.extra)
    own = line.figures
    return [
        line.name, own.doors, own.unmatched, own.unclear, *(_number(each) for each in minutes), own.far, own.lost,
        _or_blank(line.children), _or_blank(line.children_far),
    ]  # fmt: skip


def _number(minutes: str) -> Cell:
    return int(minutes) if minutes.isdecimal() else minutes


def _sites(run: FairnessRun) -> Table:
    lines = sites_of(run)
    return _SITES, [_site(line) for line in (*lines, sum_of(lines))]


def _site(line: SiteLine) -> list[Cell]:
    return [
        line.name, _or_blank(line.all_places), _or_blank(line.places),
        line.places_as_of.isoformat() if line.places_as_of else "", line.doors, line.doors_shared, _or_blank(line.own),
        _or_blank(line.shared), _or_blank(line.children), _or_blank(line.percent),
        _or_blank(line.short if line.short is not None and line.short > 0 else None), _or_blank(line.spare),
    ]  # fmt: skip


def _or_blank(figure: float | None) -> Cell:
    return "" if figure is None else round(figure, 1) if isinstance(figure, float) else figure
