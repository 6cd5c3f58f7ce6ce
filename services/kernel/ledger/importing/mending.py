"""Writes of the rows of an import: mend one in place or many by a workbook, leave one out, take it back.

Every act on a row locks that row and asks for the version the form was filled from.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from django.db import IntegrityError, transaction

from geo.addresses.standardising.uploads import read_spooled
from geo.errors import BadInput, Conflict, TooLarge
from geo.imports.drafts import write_drafts
from geo.imports.models import DraftRow, Refusal
from geo.imports.sheets import SheetRow
from geo.scope import Scope
from services.kernel.ledger.importing.actions import alone, cells_of, check_alive, close_run, spooled
from services.kernel.ledger.importing.checking import Seen, check_rows, drafted, left_out, refused
from services.kernel.ledger.importing.heads import ROW_HEAD, read_header
from services.kernel.ledger.importing.queries import LEFT_OUT, import_of, spec_of, to_mend, version_of
from services.kernel.ledger.models import LedgerImport
from services.kernel.spec import Intake

MOST_MENDED: Final = 2_000


@transaction.atomic
def mend_row(
    *, import_id: uuid.UUID | str, number: int, cells: Mapping[str, str], version: str, scope: Scope
) -> SheetRow:
    """Save a refused row with other cells, judged again as in the check; without faults it waits to be written from now on.

    ``cells`` are those that were changed. What is still wrong is kept with the row. Raises ``Conflict`` when somebody else
    saved the row meanwhile or it is written already; nothing is lost then.
    """
    one = import_of(import_id, scope=scope)
    refusal = _refused_row(one, number, version)
    return _mended(one, [refusal], [cells], scope=scope)[0]


@transaction.atomic
def mend_rows(*, import_id: uuid.UUID | str, source: Path, scope: Scope) -> tuple[int, int, int]:
    """Take the workbook of rows to mend back in: return how many rows are mended, still refused, and passed over.

    Rows are known by their 行号; those that need no mending any more are passed over. Raises ``BadInput``, ``TooLarge``.
    """
    one = import_of(import_id, scope=scope)
    _, intake = spec_of(one)
    with tempfile.TemporaryDirectory(prefix="quantu-sheet-") as folder:
        target = Path(folder) / "sheet"
        found = spooled(source, target)
        header = read_header(found.head, intake)
        names = [name.strip() for name in header.names]
        if ROW_HEAD not in names or not header.columns:
            raise BadInput("not_mended", f"这不是从本页下载的表：没有“{ROW_HEAD}”一列。整份新表请在导入页上传。")
        at = names.index(ROW_HEAD)
        given: dict[int, dict[str, str]] = {}
        for line in list(read_spooled(target))[header.row + 1 :]:
            number = line.cells[at] if at < len(line.cells) else ""
            if number.isascii() and number.isdecimal() and len(number) < 9:
                given[int(number)] = cells_of(line.cells, header.columns)
    if len(given) > MOST_MENDED:
        raise TooLarge("too_many_rows", f"一次最多改 {MOST_MENDED:,} 行，请分几次上传。")
    refusals = list(to_mend(one).select_for_update().filter(row__in=given))
    changed = [each for each in refusals if _merged(each, given[each.row]) != each.raw["cells"]]
    rows = _mended(one, changed, [given[each.row] for each in changed], scope=scope) if changed else []
    mended = sum(1 for row in rows if not row.faults)
    return mended, len(rows) - mended, len(given) - len(rows)


@transaction.atomic
def leave_out(*, import_id: uuid.UUID | str, number: int, version: str, scope: Scope) -> Refusal:
    """Leave a refused row out on purpose; it stays in the report and can be taken back. Raises ``Conflict`` like mending."""
    one = import_of(import_id, scope=scope)
    refusal = _refused_row(one, number, version)
    _, intake = spec_of(one)
    out = left_out(SheetRow(number, dict(refusal.raw["cells"])), intake)
    was = {"code": refusal.code, "message": refusal.message, "column": refusal.column, "faults": refusal.raw["faults"]}
    refusal.code, refusal.message = out.code, out.message
    refusal.raw = {**refusal.raw, "was": was}
    refusal.save()
    return refusal


@transaction.atomic
def take_back(*, import_id: uuid.UUID | str, number: int, scope: Scope) -> Refusal:
    """Take a row that was left out back among those to mend. Raises ``Conflict`` when it is not left out."""
    one = import_of(import_id, scope=scope)
    check_alive(one)
    refusal = Refusal.objects.select_for_update().filter(run=one.run_id, row=number, code=LEFT_OUT).first()
    if refusal is None:
        raise Conflict("row_not_left_out", f"第 {number} 行没有被留下不导入，可能已由别人收回。请刷新页面。")
    was = refusal.raw["was"]
    refusal.code, refusal.message, refusal.column = was["code"], was["message"], was["column"]
    refusal.raw = {"cells": refusal.raw["cells"], "faults": was["faults"]}
    refusal.save()
    return refusal


def _mended(
    one: LedgerImport, refusals: Sequence[Refusal], changes: Sequence[Mapping[str, str]], *, scope: Scope
) -> list[SheetRow]:
    """Judge locked rows with other cells and put each where it belongs now."""
    _, intake = spec_of(one)
    # two rows mended into the same thing at the same moment would not see each other
    alone(str(one.pk))
    sheet = [(each.row, _merged(each, more, intake)) for each, more in zip(refusals, changes, strict=True)]
    seen = Seen()
    drafts = DraftRow.objects.filter(run=one.run_id)
    rows = check_rows(sheet, intake, datum=one.datum, scope=scope, seen=Seen())
    for number, twin, found in drafts.filter(payload__twin__in={row.twin for row in rows if row.twin}).values_list(
        "row", "payload__twin", "payload__found"
    ):
        seen.add(twin, number, found)
    for row in rows:
        twin = None if row.faults else seen.other(row)
        if twin is not None:
            row.refuse("duplicate_row", "", f"第 {twin} 行")
    sound = [row for row in rows if not row.faults]
    try:
        with transaction.atomic():
            write_drafts(one.run, map(drafted, sound), cells=False)
    except IntegrityError:
        raise Conflict("row_twice", "另一行刚刚改成了同一条，请刷新页面后再看这一行。") from None
    by_number = {each.row: each for each in refusals}
    for row in sound:
        by_number[row.number].delete()
    for row in rows:
        if row.faults:
            _keep_refused(by_number[row.number], row, intake)
    close_run(one)
    return rows


def _keep_refused(refusal: Refusal, row: SheetRow, intake: Intake) -> None:
    kept = refused(row, intake)
    refusal.column, refusal.code, refusal.message, refusal.raw = kept.column, kept.code, kept.message, kept.raw
    refusal.save()


def _merged(refusal: Refusal, changes: Mapping[str, str], intake: Intake | None = None) -> dict[str, str]:
    known = {field.key for field in intake.fields} if intake else set(changes)
    return {**refusal.raw["cells"], **{key: text.strip() for key, text in changes.items() if key in known}}


def _refused_row(one: LedgerImport, number: int, version: str) -> Refusal:
    """Lock a row to be mended, and make sure that it is the one the form was filled for."""
    check_alive(one)
    if one.checked_at is None:
        raise Conflict("check_first", "还没有核对完，核对完再改。")
    refusal = to_mend(one).select_for_update().filter(row=number).first()
    if refusal is None:
        raise Conflict(
            "row_settled", f"第 {number} 行已经改好、写入或留下不导入了，可能是别人处理的；您这次填的没有保存。"
        )
    if version_of(refusal) != version:
        raise Conflict("row_stale", f"第 {number} 行刚刚被别人改过，您这次填的没有保存。请对照现在的内容再填一次。")
    return refusal
