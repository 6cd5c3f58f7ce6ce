"""Judging rows of a sheet: cells, positions, the ledger's own rules, and rows that say the same thing twice.

One function for whole files and for a single row mended in place, so that the two cannot differ.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final, cast

from django.conf import settings

from geo.crs import CITIES, System
from geo.imports.drafting import DraftedRow, RefusedRow
from geo.imports.mapping import positions_of
from geo.imports.readers import Reading
from geo.imports.reasons import sentence
from geo.imports.sheets import CellFault, Checks, Fate, Saves, SheetRow
from geo.imports.spec import PartSpec
from geo.scope import Scope
from services.kernel.ledger.importing.values import POSITION, read_row
from services.kernel.spec import Intake

METRES_A_DEGREE: Final = 111_320.0
Twin = tuple[int, float | None, float | None]


class Seen:
    """The rows of a sheet that were taken already, by what they speak of: number, longitude and latitude."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_twin: dict[str, list[Twin]] = defaultdict(list)

    def add(self, twin: str, number: int, found: Mapping[str, Any]) -> None:
        """Note a row."""
        self._by_twin[twin].append((number, found.get("lon"), found.get("lat")))

    def other(self, row: SheetRow) -> int | None:
        """Return the number of a row that speaks of the same thing, if one was taken."""
        lon, lat = row.found.get("lon"), row.found.get("lat")
        for number, x, y in self._by_twin.get(row.twin, ()):
            near = None in (lon, lat, x, y) or _metres(lon, lat, x, y) <= row.apart_m
            if number != row.number and (not row.apart_m or near):
                return number
        return None


def check_rows(
    sheet: Iterable[tuple[int, Mapping[str, str]]], intake: Intake, *, datum: str, scope: Scope, seen: Seen
) -> list[SheetRow]:
    """Return rows judged: those without faults have their fate; ``seen`` holds the rows taken before and takes these.

    ``datum`` is the system of the positions, '' where the sheet has none. Writes nothing.
    """
    rows = [read_row(number, cells, intake) for number, cells in sheet]
    _put_positions(rows, datum)
    judge_rows(rows, intake, scope=scope)
    for row in rows:
        if row.faults:
            continue
        twin = seen.other(row)
        if twin is not None:
            row.refuse("duplicate_row", "", f"第 {twin} 行")
        else:
            seen.add(row.twin, row.number, row.found)
    return rows


def judge_rows(rows: Sequence[SheetRow], intake: Intake, *, scope: Scope) -> None:
    """Let the owner of the ledger judge the rows."""
    if rows:
        cast(Checks, named(intake.check))(rows, scope=scope)


def saver_of(intake: Intake) -> Saves:
    """Return the function that writes rows of a ledger."""
    return cast(Saves, named(intake.save))


def drafted(row: SheetRow) -> DraftedRow:
    """Return a judged row as a draft; two drafts of one existing row cannot both stand in a run."""
    whole = row.twin if not row.apart_m else f"{row.twin}#{row.number}"
    payload = {
        "cells": row.cells, "values": row.values, "found": row.found, "fate": str(row.fate), "target": row.target,
        "twin": row.twin, "apart_m": row.apart_m,
    }  # fmt: skip
    return DraftedRow("", row.number, whole[:120], payload, None)


def refused(row: SheetRow, intake: Intake) -> RefusedRow:
    """Return a judged row with faults as a refusal that keeps everything it said."""
    first = row.faults[0]
    labels = {field.key: field.label for field in intake.fields}
    raw = {"cells": row.cells, "faults": [[fault.key, fault.code, fault.message] for fault in row.faults]}
    return RefusedRow("", row.number, labels.get(first.key, ""), first.code, first.message, raw)


def left_out(row: SheetRow, intake: Intake) -> RefusedRow:
    """Return a row that somebody leaves out on purpose."""
    row.faults = [CellFault("", "left_out", sentence("left_out"))]
    return refused(row, intake)


def row_of_draft(number: int, payload: Mapping[str, Any]) -> SheetRow:
    """Return the row that a draft keeps."""
    return SheetRow(
        number, dict(payload["cells"]), dict(payload["values"]), dict(payload["found"]), [],
        Fate(payload["fate"]), payload["target"], payload["twin"], payload["apart_m"],
    )  # fmt: skip


@cache
def named(path: str) -> object:
    """Return the function that a declaration names as ``package.module:function``."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def _put_positions(rows: Sequence[SheetRow], datum: str) -> None:
    """Put positions in CGCS2000 into ``found``; half a position, or one beyond the city, is a fault of the row."""
    given = [row for row in rows if any(row.cells.get(key) for key in POSITION)]
    given = [row for row in given if not any(fault.key in POSITION for fault in row.faults)]
    if not given:
        return
    if not datum:
        for row in given:
            row.refuse("datum_missing", "lon")
        return
    part = PartSpec(file="", format="csv", datum=System(datum), x="lon", y="lat")
    records: list[dict[str, Any]] = [{key: row.values.get(key) for key in POSITION} for row in given]
    positions = positions_of(part, Reading(POSITION, records), CITIES[settings.CITY], must_lie_in=True)
    for at, row in enumerate(given):
        code = positions.faults.get(at)
        if code:
            row.refuse(code, "lon", f"{row.cells['lon']}, {row.cells['lat']}"[:60])
        else:
            # a centimetre: what is kept must be what is compared
            row.found |= {"lon": round(float(positions.lon[at]), 7), "lat": round(float(positions.lat[at]), 7)}


def _metres(lon: Any, lat: Any, x: Any, y: Any) -> float:
    east = (x - lon) * METRES_A_DEGREE * math.cos(math.radians(lat))
    return math.hypot(east, (y - lat) * METRES_A_DEGREE)
