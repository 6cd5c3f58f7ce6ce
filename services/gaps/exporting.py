"""A board as a file: CSV or Excel, with nothing a spreadsheet takes for a formula; figures as the page tells them."""

from __future__ import annotations

import csv
import io
from typing import Final

from django.utils import timezone

from geo.errors import BadInput
from geo.spreadsheets import BOM, plain_cell
from services.gaps.measuring import MINUTES
from services.gaps.queries import AGES, Board, Line
from services.kernel.ledger.exports import FORMATS, Format

ENDINGS: Final = ("xlsx", "csv")
HIDDEN: Final = "不公布"
UNKNOWN: Final = "—"
Cell = str | int | float


def write_board(board: Board, ending: str) -> tuple[bytes, Format, int]:
    """Return the lines of a board as a file, its format and how many there are. Raises ``BadInput`` for another format."""
    if ending not in ENDINGS:
        raise BadInput("format_unknown", "这张表可以导出为 Excel、CSV，请选其中一种。", known=list(ENDINGS))
    whom = AGES[board.question.ages][2]
    heads = [
        "区划代码", "区划", f"{whom}（约）", *(f"走 {each} 分钟能到（约）" for each in MINUTES),
        *(f"走 {each} 分钟覆盖率（%）" for each in MINUTES), *(f"走 {each} 分钟到不了（约）" for each in MINUTES),
        "走到最近的平均分钟", "没有计入的居委",
    ]  # fmt: skip
    lines = [_line(line) for line in (*board.lines, board.total)]
    about: list[list[Cell]] = [
        ["类别", board.question.kind.name], ["开放的机构", board.places], ["人口年份", board.year or UNKNOWN],
        ["路网截至", board.roads_as_of or UNKNOWN], ["计算时间", f"{timezone.localtime(board.measured_at):%Y-%m-%d %H:%M}"],
        ["说明", "人数按居委的常住人口和住户分布估算，四舍五入到十人；不足十人或能推出来的居委不计入。"],
    ]  # fmt: skip
    body = _csv(heads, lines) if ending == "csv" else _xlsx(heads, lines, about)
    return body, FORMATS[ending], len(lines)


def _line(line: Line) -> list[Cell]:
    none = HIDDEN if line.hidden else UNKNOWN
    figures = [
        line.residents, *(line.covered(each) for each in MINUTES), *(line.percent(each) for each in MINUTES),
        *(line.gap(each) for each in MINUTES),
    ]  # fmt: skip
    return [
        line.region.code if line.region else "", line.region.full_name if line.region else "合计",
        *(none if each is None else each for each in figures),
        UNKNOWN if line.minutes is None else round(line.minutes, 1), line.hidden,
    ]  # fmt: skip


def _csv(heads: list[str], lines: list[list[Cell]]) -> bytes:
    text = io.StringIO(newline="")
    text.write(BOM)
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([plain_cell(each) if isinstance(each, str) else each for each in line] for line in lines)
    return text.getvalue().encode()


def _xlsx(heads: list[str], lines: list[list[Cell]], about: list[list[Cell]]) -> bytes:
    import xlsxwriter  # slow to import, and few need it

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True, "text_wrap": True})
        sheet = book.add_worksheet("服务盲区")
        sheet.set_column(0, len(heads) - 1, 14)
        sheet.write_row(0, 0, heads, bold)
        sheet.freeze_panes(1, 2)
        for at, line in enumerate(lines, 1):
            sheet.write_row(at, 0, line)
        notes = book.add_worksheet("说明")
        notes.set_column(0, 1, 24)
        for at, line in enumerate(about):
            notes.write_row(at, 0, line)
    return out.getvalue()
