"""Tables of Shapefiles (.dbf): how their text is written, told by the bytes, because a .cpg is often missing or wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import text_of

ENCODINGS: Final = ("utf-8", "gb18030")
_ENTRY: Final = 32
"""Bytes of the head of a table, and of each field that it describes."""
_NAME: Final = 11
LONGEST: Final = 4
"""Bytes of the longest character in either encoding."""


@dataclass(frozen=True, slots=True)
class _Table:
    """Where a table keeps what: its first record, the bytes of each, how many there are, and its fields of text."""

    begin: int
    width: int
    count: int
    names: tuple[slice, ...]
    texts: tuple[slice, ...]


def told_encoding(table: Path, name: str) -> str:
    """Return how the text of a table is written, 'UTF-8' or 'GB18030'.

    A text that was too long for its field may end within a character: what is left of that is blanked in the file. Raises
    ``SourceRefused`` for a table that is cut short and for text in neither encoding.
    """
    data = bytearray(table.read_bytes())
    told = _described(data, name)
    try:
        every = b"\n".join(bytes(data[place]) for place in told.names) + data[told.begin :][: told.width * told.count]
        return text_of(every, name)[1].upper()
    except SourceRefused:
        for encoding in ENCODINGS:
            halves = _halves(data, told, encoding)
            if halves is not None:
                break
        else:
            raise
    for half in halves:
        data[half] = b" " * (half.stop - half.start)
    table.write_bytes(data)
    return encoding.upper()


def _described(data: bytearray, name: str) -> _Table:
    count, begin, width = (int.from_bytes(data[at:to], "little") for at, to in ((4, 8), (8, 10), (10, 12)))
    if width == 0 or len(data) < begin + width * count:
        raise SourceRefused("file_truncated", name)
    names, texts, inside = [], [], 1
    for at in range(_ENTRY, begin - _ENTRY + 1, _ENTRY):
        if data[at] == 0x0D:
            break
        end = data.find(0, at, at + _NAME)
        names.append(slice(at, at + _NAME if end < 0 else end))
        if data[at + _NAME : at + _NAME + 1] == b"C":
            texts.append(slice(inside, inside + data[at + 16]))
        inside += data[at + 16]
    return _Table(begin, width, count, tuple(names), tuple(texts))


def _halves(data: bytearray, told: _Table, encoding: str) -> list[slice] | None:
    """Return the pieces of characters at the ends of full fields; ``None`` when something else is not in the encoding."""
    found = []
    try:
        for name in told.names:
            data[name].decode(encoding)
        for place in _texts(told):
            text = data[place].rstrip(b" \x00")
            try:
                text.decode(encoding)
            except UnicodeDecodeError as fault:
                full = len(text) > place.stop - place.start - LONGEST
                if not full or fault.start <= len(text) - LONGEST:
                    return None
                found.append(slice(place.start + fault.start, place.start + len(text)))
    except UnicodeDecodeError:
        return None
    return found


def _texts(told: _Table) -> Iterator[slice]:
    """Yield where each text of each record stands."""
    for at in range(told.begin, told.begin + told.width * told.count, told.width):
        for text in told.texts:
            yield slice(at + text.start, at + text.stop)
