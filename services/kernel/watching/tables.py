"""The table of a board as a file: CSV or Excel, with nothing a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from geo.errors import BadInput
from geo.spreadsheets import BOM, plain_cell
from services.kernel.ledger.exports import FORMATS, Format
from services.kernel.watching.queries import Board, Tally

ENDINGS: Final = ("xlsx", "csv")
Lines = Sequence[Sequence[str | int | float]]


def write_table(board: Board, ending: str) -> tuple[bytes, Format, int]:
    """Return the table of a board as a file, its format and how many lines it holds. Raises ``BadInput`` for another format."""
    heads, lines = _table(board)
    body, form = write_lines(board.theme.title, heads, lines, ending)
    return body, form, len(lines)


def write_lines(title: str, heads: Sequence[str], lines: Lines, ending: str) -> tuple[bytes, Format]:
    """Return lines of texts and numbers as a file and its format. Raises ``BadInput`` for another format."""
    if ending not in ENDINGS:
        raise BadInput("format_unknown", "这张表可以导出为 Excel、CSV，请选其中一种。", known=list(ENDINGS))
    return (_xlsx if ending == "xlsx" else _csv)(title, heads, lines), FORMATS[ending]


def _table(board: Board) -> tuple[list[str], list[list[str | int]]]:
    """Return the heads and the lines: regions with a last line for all of them, or the places of a street."""
    titles = [f"{each.indicator.title}（{each.ledger.counter}）" for each in board.tallies]
    if not board.lines:
        return ["机构", "类型", "状态", *titles], [
            [each.name, each.kind, each.status, *_counts(board, each.tallies)] for each in board.places
        ]
    lines: list[list[str | int]] = [
        [line.region.code, line.region.full_name, line.open, *(each.count for each in line.tallies)]
        for line in board.lines
    ]
    if any(each.count for each in board.outside):
        rest = board.open - sum(line.open for line in board.lines)
        lines.append(["", "没有落在以上区划里", rest, *(each.count for each in board.outside)])
    lines.append(["", "合计", board.open, *(each.count for each in board.tallies)])
    return ["区划代码", "区划", f"在营机构（{board.theme.counter}）", *titles], lines


def _counts(board: Board, tallies: Sequence[Tally]) -> list[int]:
    found = {each.indicator.key: each.count for each in tallies}
    return [found.get(each.indicator.key, 0) for each in board.tallies]


def _csv(title: str, heads: Sequence[str], lines: Lines) -> bytes:
    text = io.StringIO(newline="")
    text.write(BOM)
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([each if isinstance(each, int | float) else plain_cell(each) for each in line] for line in lines)
    return text.getvalue().encode()


def _xlsx(title: str, heads: Sequence[str], lines: Lines) -> bytes:
    import xlsxwriter  # slow to import, and few need it

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(title[:31])
        sheet.set_column(0, len(heads), 18)
        for at, head in enumerate(heads):
            sheet.write_string(0, at, head, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        for number, line in enumerate(lines, 1):
            for at, each in enumerate(line):
                (sheet.write_number if isinstance(each, int | float) else sheet.write_string)(number, at, each)
    return out.getvalue()
