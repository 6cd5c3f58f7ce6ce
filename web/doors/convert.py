"""The tool page that turns pasted or uploaded points and addresses into another coordinate system, row by row."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Final

from django.core.files import File
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.addresses.conversion import Converted, convert_items
from geo.crs import System, notes
from geo.crs.parsing import AxisOrder, looks_like_point, parse_points
from geo.errors import BadInput, CityError, TooLarge
from geo.scope import Scope
from services.access.queries import scope_for

MOST_ROWS: Final = 5_000
MOST_BYTES: Final = 1_000_000
SHOWN_ROWS: Final = 200
OFFERED: Final = (
    System.CGCS2000,
    System.WGS84,
    System.GCJ02,
    System.BD09,
    System.SH2000,
    System("epsg:4549"),
    System.WEB_MERCATOR,
)
ORDERS: Final[dict[AxisOrder, str]] = {
    "east_first": "先经度（东），再纬度（北）",
    "north_first": "先纬度（北，测量的 X），再经度（东）",
}
LEVELS: Final = {
    "door": "门牌",
    "lane": "弄",
    "interpolated": "按相邻门牌推算",
    "community": "小区",
    "road": "道路",
    "street": "街镇",
    "district": "区",
}
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class ConvertedRow:
    """One row of the result: what was written, where it is in the wanted system, how it was found, or what is wrong."""

    number: int
    text: str
    x: str = ""
    y: str = ""
    how: str = ""
    uncertainty_m: float | None = None
    fault: str = ""


def convert_lines(
    lines: list[str], *, source: System, order: AxisOrder, to: System, scope: Scope
) -> list[ConvertedRow]:
    """Convert each line that is not blank: a pair of numbers in ``source``, else an address. One bad row spoils no other.

    Rows count from 1 over all lines. Raises ``TooLarge`` beyond 5,000 rows.
    """
    asked = {number: line.strip() for number, line in enumerate(lines, 1) if line.strip()}
    if len(asked) > MOST_ROWS:
        raise TooLarge("too_many_rows", f"一次最多 {MOST_ROWS:,} 行，现在有 {len(asked):,} 行，请分几次转换。")
    numbers = [number for number, text in asked.items() if looks_like_point(text)]
    read = parse_points([asked[number] for number in numbers], source, order)
    faults = {numbers[fault.row - 1]: fault.message for fault in read.faults}
    points = {numbers[row - 1]: read.coordinates[at] for at, row in enumerate(read.rows)}
    items: dict[int, dict[str, object]] = {
        number: {"x": points[number].x, "y": points[number].y} if number in points else {"address": text}
        for number, text in asked.items()
        if number not in faults
    }
    answered = convert_items(list(items.values()), source, to, scope=scope) if items else []
    rows = {number: _row(number, asked[number], one, to) for number, one in zip(items, answered, strict=True)}
    rows |= {number: ConvertedRow(number, asked[number], fault=message) for number, message in faults.items()}
    return [rows[number] for number in asked]


def _row(number: int, text: str, one: Converted, to: System) -> ConvertedRow:
    if one.error is not None or one.x is None or one.y is None:
        return ConvertedRow(number, text, fault=one.error.reason if one.error else "没有算出来。")
    digits = 7 if to.is_geographic else 3
    x, y = f"{one.x:.{digits}f}", f"{one.y:.{digits}f}"
    if one.candidate is None:
        return ConvertedRow(number, text, x, y, "坐标换算")
    level = LEVELS.get(one.candidate.level, one.candidate.level)
    said = "，".join([level, *(penalty.reason for penalty in one.candidate.penalties)])
    return ConvertedRow(number, text, x, y, f"{one.candidate.label}：{said}", one.candidate.uncertainty_m)


@never_cache
@require_http_methods(["GET", "POST"])
def convert_page(request: HttpRequest) -> HttpResponse:
    """Show the tool; on POST also its result, or the same result as a spreadsheet."""
    data = request.POST if request.method == "POST" else request.GET
    source, to = _system(data.get("from"), System.WGS84), _system(data.get("to"), System.SH2000)
    order: AxisOrder = "north_first" if data.get("order") == "north_first" else "east_first"
    text, fault, rows = data.get("text", ""), "", []
    if request.method == "POST":
        try:
            text = _uploaded(request.FILES.get("file")) or text
            if not text.strip():
                raise BadInput("text_empty", "还没有内容。请粘贴坐标或地址，每行一个，或选一个文件。")
            rows = convert_lines(text.splitlines(), source=source, order=order, to=to, scope=scope_for(request))
        except CityError as error:
            fault = error.message
        if rows and "download" in data:
            return _download(rows, to)
    context = {
        "text": text if len(text) <= MOST_BYTES else "",
        "source": source,
        "to": to,
        "order": order,
        "orders": ORDERS,
        "systems": OFFERED,
        "fault": fault,
        "rows": rows[:SHOWN_ROWS],
        "total": len(rows),
        "good": sum(not row.fault for row in rows),
        "bad": sum(bool(row.fault) for row in rows),
        "shown": SHOWN_ROWS,
        "heads": _heads(to),
        "notes": notes(source, to) if rows else (),
    }
    return render(request, "tools/convert.html", context, status=400 if fault else 200)


def _system(said: str | None, usual: System) -> System:
    return next((system for system in OFFERED if system.value == said), usual)


def _heads(to: System) -> tuple[str, str]:
    return ("经度", "纬度") if to.is_geographic else ("东坐标（米）", "北坐标（米）")


def _uploaded(file: File[bytes] | None) -> str:
    """Return the lines of an uploaded text or CSV file: of a row of several cells, the two that are numbers, or the address."""
    if file is None:
        return ""
    if (file.size or 0) > MOST_BYTES:
        raise TooLarge("file_too_large", "文件超过 1 MB，请分成几个再转换。")
    data = file.read()
    if data[:2] == b"PK":
        raise BadInput("file_format", "这是 Excel 文件。请在表格里选中要转换的列，复制后粘贴到框里，或另存为 CSV。")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise BadInput("file_encoding", "文件的文字编码读不懂，请另存为 UTF-8 编码的 CSV 再试。") from None
    if "\x00" in text:
        raise BadInput("file_format", "这不是文本文件。请上传 CSV 或 TXT 文件。")
    return "\n".join(_cells_as_line(cells) for cells in csv.reader(io.StringIO(text)))


def _cells_as_line(cells: list[str]) -> str:
    filled = [cell.strip() for cell in cells if cell.strip()]
    for first, second in zip(filled, filled[1:], strict=False):
        if looks_like_point(f"{first}, {second}"):
            return f"{first}, {second}"
    return max(filled, key=len, default="")


def _download(rows: list[ConvertedRow], to: System) -> HttpResponse:
    """Return the rows as CSV that spreadsheet programs read as UTF-8, with no cell they could take for a formula."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(["行号", "原文", *_heads(to), "坐标系", "怎么得到的", "九成把握的误差（米）", "问题"])
    for row in rows:
        radius = "" if row.uncertainty_m is None else f"{row.uncertainty_m:.0f}"
        texts = [_plain(row.text), row.x, row.y, to.label, _plain(row.how), radius, _plain(row.fault)]
        writer.writerow([row.number, *texts])
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="quantu-convert.csv"'
    return response


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
