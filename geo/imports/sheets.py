"""Rows of a spreadsheet on their way into a ledger: what their cells say, what is wrong with them, and what writing them does.

The ledger reads cells and keeps drafts; the app that owns the rows judges and writes them. This is what the two hand each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from geo.imports.faults import RowRefused
from geo.scope import Scope


class Fate(StrEnum):
    """What writing a row does to the ledger."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong with a cell: the key of its column ('' is the row as a whole), a code of ``reasons``, a Chinese sentence."""

    key: str
    code: str
    message: str


@dataclass(slots=True)
class SheetRow:
    """One row: ``cells`` are its texts and ``values`` their meaning, both by the key of the column; a blank cell has no value.

    ``found`` is what checking has found out (``lon`` and ``lat`` in CGCS2000 degrees, a region); it is kept with the draft, so
    that writing looks for nothing again. Rows with the same ``twin`` speak of the same thing where they lie within ``apart_m``
    metres of each other, or wherever they lie when that is 0.
    """

    number: int
    cells: dict[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    faults: list[CellFault] = field(default_factory=list)
    fate: Fate = Fate.ADDED
    target: int | None = None
    twin: str = ""
    apart_m: float = 0.0

    def refuse(self, code: str, key: str = "", what: str = "") -> None:
        """Note a fault by a code of ``reasons.ROW_REASONS``, the column it is seen in, and what exactly is seen."""
        self.faults.append(CellFault(key, code, RowRefused(code, key, what).message[:400]))


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """One row as it was written: its number on the sheet, the key of the ledger's row, and what became of that."""

    number: int
    pk: int
    fate: Fate


class Checks(Protocol):
    """Judges rows: puts ``faults``, ``fate``, ``target``, ``twin`` and ``found`` into them. Writes nothing.

    A row with a faulty cell comes too, without that value, so that people read all that is wrong with it at once.
    """

    def __call__(self, rows: Sequence[SheetRow], *, scope: Scope) -> None: ...


class Saves(Protocol):
    """Writes rows that were just checked, in the caller's transaction. ``mark`` names the import, the same at every attempt."""

    def __call__(self, rows: Sequence[SheetRow], *, scope: Scope, mark: str, reason: str) -> list[WrittenRow]: ...
