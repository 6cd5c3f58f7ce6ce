"""The tool page that standardises a pasted or uploaded list: choose its columns, see every row, take the result along."""

from __future__ import annotations

import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from django.core.exceptions import RequestDataTooBig
from django.core.files import File
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.addresses.standardising.export import csv_text, other_text, write_xlsx
from geo.addresses.standardising.outcomes import LEVEL_NAMES, Spot, Standardised, Status
from geo.addresses.standardising.standard import standardise
from geo.addresses.standardising.tables import (
    HEADER_WITHIN,
    Columns,
    guess_columns,
    item_of,
    rows_of_text,
    text_of_rows,
)
from geo.addresses.standardising.uploads import read_spooled, spool
from geo.crs import System
from geo.errors import BadInput, CityError, TooLarge
from services.access.queries import caller_of, scope_for
from web.api.limits import HEAVY
from web.doors.addresses.convert import OFFERED
from web.doors.addresses.sheets import XLSX
from web.doors.common.taken import attached

MOST_ROWS: Final = 5_000
MOST_BYTES: Final = 1_000_000
MOST_TEXT: Final = 900_000
"""Bytes of a table that still fit the page, which sends them along with every choice."""
PAGE: Final = 50
READ_SECONDS: Final = 20.0
READ_MEMORY: Final = 1_000_000_000
TOO_MANY: Final = f"这里一次最多 {MOST_ROWS:,} 行、1 MB。更大的文件请登录后用“大文件批量规范”，或分成几个。"
ICONS: Final = {
    Status.MATCHED: ("good", "circle-check"),
    Status.APPROXIMATE: ("kind", "target"),
    Status.AMBIGUOUS: ("warn", "triangle-alert"),
    Status.PARSED: ("", "circle-help"),
    Status.UNUSABLE: ("bad", "circle-x"),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list as the page holds it: all its rows, and where in them the address stands."""

    all_rows: list[list[str]]
    columns: Columns

    @property
    def header(self) -> list[str]:
        """Return the row that names the columns, empty for none."""
        return self.all_rows[self.columns.header - 1] if self.columns.header else []

    @property
    def rows(self) -> list[list[str]]:
        """Return the rows below the header."""
        return self.all_rows[self.columns.header :]

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return max([len(self.header), *map(len, self.rows)], default=1)

    @property
    def names(self) -> list[str]:
        """Return what each column is called, by its place where it has no name."""
        given = [*self.header, *[""] * (self.width - len(self.header))]
        return [name or f"第 {at} 列" for at, name in enumerate(given, start=1)]

    @property
    def first_row(self) -> int:
        """Return the number, as their reader counts, of the first row that is no header."""
        return self.columns.header + 1


@dataclass(frozen=True, slots=True)
class Shown:
    """One row as the table shows it: the result, its class and icon, and where on the map it is."""

    row: Standardised
    kind: str
    icon: str
    map_url: str
    level: str
    others: list[tuple[str, str]]
    """What else it may mean, each with its place on the map or ``""``."""


@never_cache
@require_http_methods(["GET", "POST"])
def standardise_page(request: HttpRequest) -> HttpResponse:
    """Show the tool; on POST also the rows of the result, or all of them as a spreadsheet."""
    context: dict[str, Any] = {"systems": OFFERED, "crs": System.CGCS2000, "statuses": list(Status), "most": MOST_ROWS}
    context["may_batch"] = caller_of(request).user is not None
    if request.method == "GET":
        return render(request, "tools/standardise.html", context)
    text = ""
    HEAVY.allow_request(request)
    try:
        data = _posted(request)
        text = data.get("text", "")
        to = next((system for system in OFFERED if system.value == data.get("crs")), System.CGCS2000)
        context["crs"] = to
        file = request.FILES.get("file")
        sheet = read_sheet(_rows_of_file(file) if isinstance(file, File) else rows_of_text(text), data)
        text = text_of_rows(sheet.all_rows)
        _check_size(sheet, text)
        items = [item_of(cells, sheet.columns, sheet.width) for cells in sheet.rows]
        rows = standardise(items, scope=scope_for(request), first_row=sheet.first_row)
        if "download" in data:
            return _download(sheet, rows, to, "xlsx" if data["download"] == "xlsx" else "csv")
        context |= _result(sheet, rows, data, text)
    except CityError as error:
        kept = text if len(text.encode(errors="replace")) <= MOST_BYTES else ""
        context |= {"fault": error.message, "text": kept}
    return render(
        request, "tools/standardise.html", context | {"text": text}, status=400 if "fault" in context else 200
    )


def _posted(request: HttpRequest) -> Mapping[str, str]:
    try:
        return request.POST
    except RequestDataTooBig:
        raise TooLarge("text_too_large", TOO_MANY) from None


def _rows_of_file(file: File[bytes]) -> list[list[str]]:
    if (file.size or 0) > MOST_BYTES:
        raise TooLarge("file_too_large", TOO_MANY)
    with tempfile.TemporaryDirectory(prefix="quantu-list-") as folder:
        source = Path(folder) / f"upload{''.join(Path(file.name or '').suffixes)[-12:]}"
        with source.open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
        plain = Path(folder) / "plain"
        spool(source, plain, most_rows=MOST_ROWS + 1, seconds=READ_SECONDS, memory=READ_MEMORY)
        return [line.cells for line in read_spooled(plain)]


def read_sheet(rows: list[list[str]], data: Mapping[str, str]) -> Sheet:
    """Return a list with its columns, as chosen on the page for this list or as guessed. Raises ``BadInput`` for none."""
    if not any(cell for row in rows for cell in row):
        raise BadInput("text_empty", "还没有内容。请粘贴地址，每行一个，或选一个文件。")
    columns = guess_columns(rows)
    if data.get("of") == mark_of(rows):
        columns = chosen_columns(columns, data)
    return Sheet(rows, replace(columns, header=min(columns.header, len(rows) - 1)))


def mark_of(rows: Sequence[Sequence[str]]) -> str:
    """Return what tells whether a choice of columns was made for this list: a digest of its first row."""
    return str(zlib.crc32(text_of_rows(rows[:1]).encode(errors="replace")))


def header_rows(rows: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """Return the rows that may hold the names of columns, each with its beginning."""
    few = rows[: min(HEADER_WITHIN, len(rows) - 1)]
    return [(number, "、".join(filter(None, row))[:20] or "空行") for number, row in enumerate(few, start=1)]


def chosen_columns(guessed: Columns, data: Mapping[str, str]) -> Columns:
    """Return the columns as chosen on a page, over those that were guessed."""
    address, district = data.get("address", ""), data.get("district", "")
    in_parts = address == "parts" and guessed.parts
    return Columns(
        None if in_parts else _column(address, guessed.address or 0),
        _column(district, None),
        guessed.parts,
        min(_column(data.get("header", ""), 0) or 0, HEADER_WITHIN),
    )


def _column(said: str, usual: int | None) -> int | None:
    return int(said) if said.isascii() and said.isdecimal() and int(said) < 64 else usual


def _check_size(sheet: Sheet, text: str) -> None:
    if len(sheet.rows) > MOST_ROWS or len(text.encode(errors="replace")) > MOST_TEXT:
        raise TooLarge("too_many_rows", TOO_MANY)


def _result(sheet: Sheet, rows: Sequence[Standardised], data: Mapping[str, str], text: str) -> dict[str, Any]:
    counts = Counter(row.status for row in rows)
    status = next((one for one in Status if one == data.get("status")), None)
    chosen = [row for row in rows if status is None or row.status == status]
    pages = max(1, -(-len(chosen) // PAGE))
    page = min(_column(data.get("page", ""), 1) or 1, pages)
    first = (page - 1) * PAGE
    return {
        "sheet": sheet,
        "of": mark_of(sheet.all_rows),
        "header_rows": header_rows(sheet.all_rows),
        "columns": list(enumerate(sheet.names)),
        "part_names": [sheet.names[at] for _, at in sheet.columns.parts],
        "rows": [shown(row) for row in chosen[first : first + PAGE]],
        "total": len(rows),
        "count": len(chosen),
        "present": [(one, counts[one]) for one in Status if counts[one]],
        "status": status,
        "page": page,
        "pages": pages,
        "text": text,
    }


def shown(row: Standardised) -> Shown:
    """Return a row as tables of pages show it."""
    kind, icon = ICONS[row.status]
    level = LEVEL_NAMES.get(row.spot.level, row.spot.level) if row.spot else ""
    others = [(other_text(other), _on_map(other.spot)) for other in row.others]
    return Shown(row, kind, icon, _on_map(row.spot), level, others)


def _on_map(spot: Spot | None) -> str:
    """Return the address of the first door at a place."""
    if spot is None:
        return ""
    return f"/?{urlencode({'lon': f'{spot.lon:.6f}', 'lat': f'{spot.lat:.6f}', 'at': spot.label[:80]})}"


def _download(sheet: Sheet, rows: Sequence[Standardised], to: System, form: str) -> HttpResponse:
    header = sheet.names if sheet.width > 1 or sheet.columns.header else ["原文"]
    pairs: Iterator[tuple[list[str], Standardised]] = zip(sheet.rows, rows, strict=True)
    if form == "csv":
        return attached(
            "".join(csv_text(header, pairs, to)).encode(), "text/csv; charset=utf-8", "quantu-addresses.csv"
        )
    with tempfile.TemporaryDirectory(prefix="quantu-list-") as folder:
        path = Path(folder) / "result.xlsx"
        write_xlsx(path, header, pairs, to)
        return attached(path.read_bytes(), XLSX, "quantu-addresses.xlsx")
