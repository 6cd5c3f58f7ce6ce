"""What lies in marked ground as a file: CSV or Excel, with nothing a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from django.utils import timezone

from geo.addresses.positions import written
from geo.crs import System
from geo.errors import BadInput
from geo.regions.models import Level
from geo.spreadsheets import BOM, plain_cell
from services.facilities.kinds import kind_of
from services.facilities.models import FacilityStatus
from services.fencing.selecting.counting import Selected
from services.kernel.ledger.exports import FORMATS, Format

ENDINGS: Final = ("xlsx", "csv")
Cell = str | int | float
_HEADS: Final = ("名称", "类别", "状态", "区", "街镇", "地址", "电话", "总名额", "空余名额", "余位时间")
_COUNT_HEADS: Final = ("类别", "家数", "总名额", "写明总名额的", "空余名额", "写明空余的")


def write_table(selected: Selected, ending: str, system: System) -> tuple[bytes, Format]:
    """Return the facilities as a file and its format; Excel has the counts on a sheet of their own. Raises ``BadInput``."""
    if ending not in ENDINGS:
        raise BadInput("format_unknown", "圈选的结果可以导出为 Excel、CSV，请选其中一种。", known=list(ENDINGS))
    heads = [*_HEADS, *(("经度", "纬度") if system.is_geographic else ("东坐标", "北坐标"))]
    lines = _lines(selected, system)
    if ending == "csv":
        return _csv(heads, lines), FORMATS[ending]
    counts: list[list[Cell]] = [
        [kind.name, kind.count, kind.places, kind.places_known, kind.vacancies, kind.vacancies_known]
        for kind in selected.kinds
    ]
    about: list[list[Cell]] = [["范围", part] for part in selected.ground.parts]
    about += [["坐标系", system.label], ["导出时间", timezone.localtime().strftime("%Y-%m-%d %H:%M")]]
    return _xlsx([("机构", heads, lines), ("统计", _COUNT_HEADS, counts), ("说明", ("项目", "内容"), about)]), FORMATS[
        ending
    ]


def _lines(selected: Selected, system: System) -> list[list[Cell]]:
    rows, names = selected.facilities, selected.names
    points = written([row["geom"].x for row in rows], [row["geom"].y for row in rows], system)
    lines: list[list[Cell]] = []
    for row, (x, y) in zip(rows, points, strict=True):
        region = names.region(row["region_id"])
        above = [names.above(region, level) if region else None for level in (Level.DISTRICT, Level.STREET)]
        lines.append(
            [
                row["name"],
                kind_of(row["kind_id"]).name,
                FacilityStatus(row["status"]).label,
                *(each.name if each else "" for each in above),
                row["address_text"],
                row["phone"],
                *("" if row[field] is None else row[field] for field in ("places", "vacancies")),
                timezone.localtime(row["vacancies_as_of"]).strftime("%Y-%m-%d %H:%M") if row["vacancies_as_of"] else "",
                x,
                y,
            ]
        )
    return lines


def _csv(heads: Sequence[str], lines: Sequence[Sequence[Cell]]) -> bytes:
    text = io.StringIO(newline="")
    text.write(BOM)
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([plain_cell(each) if isinstance(each, str) else each for each in line] for line in lines)
    return text.getvalue().encode()


def _xlsx(sheets: Sequence[tuple[str, Sequence[str], Sequence[Sequence[Cell]]]]) -> bytes:
    import xlsxwriter  # slow to import, and few need it

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        for title, heads, lines in sheets:
            sheet = book.add_worksheet(title)
            sheet.set_column(0, len(heads), 18)
            for at, head in enumerate(heads):
                sheet.write_string(0, at, head, bold)
            sheet.freeze_panes(1, 0)
            for number, line in enumerate(lines, 1):
                for at, each in enumerate(line):
                    (sheet.write_string if isinstance(each, str) else sheet.write_number)(number, at, each)
    return out.getvalue()
