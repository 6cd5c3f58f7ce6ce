"""A register as districts export it: its columns found by their words, and what names a person left behind."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from geo.addresses.standardising.uploads import read_spooled, spool
from geo.errors import BadInput, TooLarge
from services.catchments.entries import EntryPoint
from services.catchments.importing.columns import field_of

MOST_BYTES: Final = 40_000_000
MOST_ROWS: Final = 200_000
HEAD_WITHIN: Final = 15
HEAD_ROWS: Final = 3
LABELS: Final = {"own": "登记编号", "street": "街镇", "committee": "居委", "community": "小区", "address": "地址"}
_LONGEST: Final = {"own": 40, "street": 60, "committee": 60, "community": 60, "address": 300}
_OWN: Final = re.compile(r"(?:登记|报名|申请|入园)?(?:编号|序号|流水号|登记号|报名号)")
_PRIVATE: Final = re.compile(
    r"姓名|名字|身份证|证件|手机|电话|联系|监护|父亲|母亲|家长|出生|生日|性别|民族|国籍|护照|户主"
)
_IDENTITY: Final = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")
"""An identity number or the number of a mobile phone."""


class Line(NamedTuple):
    """One registration: the row in the file, from 1, and its cells."""

    number: int
    own: str
    street: str
    committee: str
    community: str
    address: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a register holds: the labels of its columns, the heads of those left behind because they name a person, its rows."""

    columns: list[str]
    dropped: list[str]
    lines: list[Line]


def read_register(source: Path, entry: EntryPoint) -> Taken:
    """Return the rows of a register. Raises ``BadInput`` and ``TooLarge`` in words for users.

    Of two addresses the one that the entry asks for counts. A register without an address, a committee or a community has
    nothing to ask; one whose own numbers look like identity or phone numbers is refused whole.
    """
    if source.stat().st_size > MOST_BYTES:
        raise TooLarge("file_too_large", f"文件超过 {MOST_BYTES // 1_000_000} MB，请分成几个再上传。")
    with tempfile.TemporaryDirectory(prefix="quantu-register-") as folder:
        plain = Path(folder) / "plain"
        spool(source, plain, most_rows=MOST_ROWS)
        head = [line.cells for line in islice(read_spooled(plain), HEAD_WITHIN)]
        first, columns = _head(head, entry)
        titles = _titles(head[:first])
        dropped = [title for at, title in titles.items() if _PRIVATE.search(title) and at not in columns.values()]
        lines = list(_lines((line.cells for line in read_spooled(plain)), first, columns))
    if not lines:
        raise BadInput("register_empty", "表头下面没有登记数据。请核对后再上传。")
    return Taken([LABELS[field] for field in LABELS if field in columns], dropped, lines)


def _head(rows: Sequence[Sequence[str]], entry: EntryPoint) -> tuple[int, dict[str, int]]:
    """Return the first row of data and the column of each field: the window of rows that names most of them."""
    best: tuple[int, dict[str, int]] = (0, {})
    for last in range(len(rows)):
        for first in range(max(0, last - HEAD_ROWS + 1), last + 1):
            columns = _columns(rows[first : last + 1], entry)
            if len(columns) > len(best[1]):
                best = last + 1, columns
    if not {"address", "committee", "community"} & best[1].keys():
        raise BadInput(
            "heads_unknown",
            "没有认出表头。请让前 15 行里有一行写着“登记编号、街镇、居委、小区、地址”里的几列，至少要有地址或居委。",
        )
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


def _lines(rows: Iterator[list[str]], first: int, columns: Mapping[str, int]) -> Iterator[Line]:
    for number, cells in enumerate(rows, start=1):
        if number <= first:
            continue
        said = {
            field: cells[at].strip()[: _LONGEST[field]]
            for field, at in columns.items()
            if at < len(cells) and cells[at].strip()
        }
        if not said.keys() - {"own"}:
            continue
        if _IDENTITY.search(said.get("own", "")):
            raise BadInput(
                "own_is_identity",
                f"第 {number} 行的编号像是证件号或手机号。请换成登记编号，或删掉这一列再上传；文件没有保存。",
                row=number,
            )
        words = {field: _IDENTITY.sub("", text) for field, text in said.items()}
        yield Line(number, *(words.get(field, "") for field in LABELS))
