"""The tool page that turns pasted or uploaded points and addresses into another coordinate system, row by row."""

from __future__ import annotations

from typing import Final

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
from web.doors.addresses.sheets import MOST_BYTES, ConvertedRow, as_csv, as_xlsx, heads, lines_of_file

MOST_ROWS: Final = 5_000
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
    "committee": "居委",
    "street": "街镇",
    "district": "区",
}


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
            text = lines_of_file(request.FILES.get("file")) or text
            if not text.strip():
                raise BadInput("text_empty", "还没有内容。请粘贴坐标或地址，每行一个，或选一个文件。")
            rows = convert_lines(text.splitlines(), source=source, order=order, to=to, scope=scope_for(request))
        except CityError as error:
            fault = error.message
        if rows and "download" in data:
            return as_xlsx(rows, to) if data["download"] == "xlsx" else as_csv(rows, to)
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
        "heads": heads(to),
        "notes": notes(source, to) if rows else (),
    }
    return render(request, "tools/convert.html", context, status=400 if fault else 200)


def _system(said: str | None, usual: System) -> System:
    return next((system for system in OFFERED if system.value == said), usual)
