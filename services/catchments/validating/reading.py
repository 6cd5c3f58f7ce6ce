"""A register as districts export it: its sheets and columns found by their words, and what names a person left behind."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from geo.addresses.standardising.uploads import read_spooled, spool
from geo.errors import BadInput, TooLarge
from services.catchments.entries import EntryPoint
from services.catchments.importing.columns import field_of

MOST_BYTES: Final = 40_000_000
MOST_ROWS: Final = 200_000
HEAD_WITHIN: Final = 15
HEAD_ROWS: Final = 3
LABELS: Final = {"own": "登记编号", "street": "街镇", "committee": "居委", "community": "小区", "address": "地址"}
_ASKS: Final = frozenset({"address", "committee", "community"})
_LONGEST: Final = {"own": 40, "street": 60, "committee": 60, "community": 60, "address": 300}
_OWN: Final = re.compile(r"(?:登记|报名|申请|入园)?(?:编号|序号|流水号|登记号|报名号)")
_PRIVATE: Final = re.compile(
    r"姓名|名字|身份证|证件|手机|电话|联系|监护|父亲|母亲|家长|出生|生日|性别|民族|国籍|护照|户主"
)
_IDENTITY: Final = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")
"""An identity number or the number of a mobile phone."""


class Line(NamedTuple):
    """One registration: the row in the file, from 1 and on through its sheets, and its cells."""

    number: int
    own: str
    street: str
    committee: str
    community: str
    address: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a register holds: the labels of its columns, the heads of those left behind because they name a person, its rows.

    Of a file with several sheets ``sheets`` tells each: its name, how many rows of the file come before it, how many were taken;
    none of one that was passed over.
    """

    columns: list[str]
    dropped: list[str]
    lines: list[Line]
    sheets: list[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet in the plain form: where it begins in bytes and in rows, how many it has, its first row of data and its columns."""

    name: str
    offset: int
    before: int
    count: int
    first: int
    columns: Mapping[str, int]
    dropped: Sequence[str]


def read_register(source: Path, entry: EntryPoint) -> Taken:
    """Return the rows of a register. Raises ``BadInput`` and ``TooLarge`` in words for users.

    Of two addresses the one that the entry asks for counts. Sheets without a head are passed over; so are those without an
    address where another has one: they list something else. A register without an address, a committee or a community has
    nothing to ask; one whose own numbers look like identity or phone numbers is refused whole.
    """
    if source.stat().st_size > MOST_BYTES:
        raise TooLarge("file_too_large", f"文件超过 {MOST_BYTES // 1_000_000} MB，请分成几个再上传。")
    with tempfile.TemporaryDirectory(prefix="quantu-register-") as folder:
        plain = Path(folder) / "plain"
        found = spool(source, plain, most_rows=MOST_ROWS, every_sheet=True)
        sheets = list(_sheets(plain, found.sheets, entry))
        asking = [sheet for sheet in sheets if _ASKS & sheet.columns.keys()]
        if not asking:
            raise BadInput(
                "heads_unknown",
                "没有认出表头。请让前 15 行里有一行写着“登记编号、街镇、居委、小区、地址”里的几列，至少要有地址或居委。",
            )
        asking = [sheet for sheet in asking if "address" in sheet.columns] or asking
        rows = {id(sheet): list(_lines(plain, sheet, named=len(sheets) > 1)) for sheet in asking}
    lines = [line for own in rows.values() for line in own]
    if not lines:
        raise BadInput("register_empty", "表头下面没有登记数据。请核对后再上传。")
    columns = {field for sheet in asking for field in sheet.columns}
    dropped = list(dict.fromkeys(title for sheet in asking for title in sheet.dropped))
    told = [(sheet.name, sheet.before, len(rows.get(id(sheet), ()))) for sheet in sheets] if len(sheets) > 1 else []
    return Taken([LABELS[field] for field in LABELS if field in columns], dropped, lines, told)


def _sheets(plain: Path, named: Sequence[Sequence[Any]], entry: EntryPoint) -> Iterator[_Sheet]:
    offset = before = 0
    for name, count in named:
        head: list[list[str]] = []
        end = offset
        for cells, after in islice(read_spooled(plain, offset), count):
            end = after
            if len(head) < HEAD_WITHIN:
                head.append(cells)
        first, columns = _head(head, entry)
        titles = _titles(head[:first])
        dropped = [title for at, title in titles.items() if _PRIVATE.search(title) and at not in columns.values()]
        yield _Sheet(name[:60], offset, before, count, first, columns, dropped)
        offset, before = end, before + count


def _head(rows: Sequence[Sequence[str]], entry: EntryPoint) -> tuple[int, dict[str, int]]:
    """Return the first row of data and the column of each field: the window of rows that names most of them."""
    best: tuple[int, dict[str, int]] = (0, {})
    for last in range(len(rows)):
        for first in range(max(0, last - HEAD_ROWS + 1), last + 1):
            columns = _columns(rows[first : last + 1], entry)
            if len(columns) > len(best[1]):
                best = last + 1, columns
    return best


def _columns(window: Sequence[Sequence[str]], entry: EntryPoint) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, title in _titles(window).items():
        named = "own" if _OWN.fullmatch(title) else {"written": "address"}.get(field_of(title), field_of(title))
        if named not in LABELS or _PRIVATE.search(title):
            continue
        if named not in found or (named == "address" and entry.asks in title):
            found[named] = at
    return found


def _titles(window: Sequence[Sequence[str]]) -> dict[int, str]:
    """Return the head of each column: its lowest text that says anything."""
    titles: dict[int, str] = {}
    for row in window:
        titles |= {at: _narrow(cell) for at, cell in enumerate(row) if cell.strip() and len(cell) <= 40}
    return titles


def _narrow(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _lines(plain: Path, sheet: _Sheet, *, named: bool) -> Iterator[Line]:
    for row, (cells, _) in enumerate(islice(read_spooled(plain, sheet.offset), sheet.count), start=1):
        if row <= sheet.first:
            continue
        said = {field: cells[at] for field, at in sheet.columns.items() if at < len(cells)}
        place = f"“{sheet.name}”第 {row} 行" if named else f"第 {row} 行"
        line = line_of(sheet.before + row, said, place=place)
        if line is not None:
            yield line


def line_of(number: int, said: Mapping[str, str], *, place: str) -> Line | None:
    """Return a row of a register, cut to its lengths and without numbers of persons; ``None`` where it says nothing to ask.

    Raises ``BadInput`` that names the ``place`` where its own number looks like an identity or phone number.
    """
    kept = {field: text.strip()[: _LONGEST[field]] for field, text in said.items() if text.strip()}
    if not kept.keys() - {"own"}:
        return None
    if _IDENTITY.search(kept.get("own", "")):
        raise BadInput(
            "own_is_identity",
            f"{place}的编号像是证件号或手机号。请换成登记编号，或删掉这一列再上传；文件没有保存。",
            row=number,
        )
    words = {field: _IDENTITY.sub("", text) for field, text in kept.items()}
    return Line(number, *(words.get(field, "") for field in LABELS))
