"""Writes of files of fences: take one in, read it in another system, mend its rows, write them all in one act, give it up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, TooLarge, TooMany, Unavailable
from geo.fences.areas import Act, Arriving
from geo.fences.files.reading import MOST_BYTES, DrawnFile, read_drawn
from geo.fences.models import FenceChange, FenceEdition
from geo.kept import keep_file, plain_copy
from geo.scope import Scope
from services.fencing.actions import FENCES, MOST_FENCES
from services.fencing.files.columns import LABELS
from services.fencing.files.judging import LONGEST_CELL, doubt_of, judge_cells, meant, rows_of
from services.fencing.files.kept import file_of
from services.fencing.files.models import FenceImport, FenceImportRow
from services.fencing.files.queries import import_seen
from services.fencing.queries import EDIT, edition_seen, fences_of, locked_draft
from services.integrations.scanning import ScannerUnavailable, configured_scanner

MOST_OPEN: Final = 20
_AT_ONCE: Final = 500
_FIELDS: Final = ("cells", "faults", "faulty", "left_out", "mended", "revision")


@dataclass(frozen=True, slots=True)
class Mended:
    """A row as somebody mended it: its cells by field, whether its mended shape is taken or all is left out, what they saw."""

    cells: Mapping[str, str]
    mended: bool
    left_out: bool
    seen: int


def take_file(*, edition_id: UUID, source: Path, name: str, datum: str, scope: Scope) -> FenceImport:
    """Take in a file for a draft and judge its rows; nothing of the draft changes. '' for a datum: as the file says itself.

    Raises ``BadInput`` for a file that cannot be read or bears a virus, ``TooLarge``, ``TooMany`` open ones, ``Unavailable``.
    """
    edition = edition_seen(edition_id, scope=scope, duty=EDIT)
    if source.stat().st_size > MOST_BYTES:
        raise TooLarge("file_too_large", f"文件超过 {MOST_BYTES // 1_000_000} MB，请先减少顶点或分开导入。")
    if edition.imports.filter(written_at=None).count() >= MOST_OPEN:
        raise TooMany("imports_open", f"这份草稿有 {MOST_OPEN} 个文件还没有写入，请先写入或放弃几个。")
    _check_clean(source)
    file = read_drawn(source, name=name, datum=datum, most=MOST_FENCES, noun="围栏")
    taken = FenceImport(edition=edition, name=name.replace("\x00", "")[-200:], made_by=scope.actor)
    keep_file(source, file_of(taken))
    try:
        with transaction.atomic():
            locked_draft(edition.pk, scope)
            _fill(taken, file, edition)
    except BaseException:
        file_of(taken).unlink(missing_ok=True)
        raise
    return taken


@transaction.atomic
def read_again(*, import_id: UUID, datum: str, scope: Scope) -> FenceImport:
    """Read the kept file in another system; what was mended in its rows is gone. Raises as ``take_file``."""
    taken = _locked(import_id, scope)
    with plain_copy(file_of(taken)) as source:
        file = read_drawn(source, name=taken.name, datum=datum, most=MOST_FENCES, noun="围栏")
    taken.rows.all().delete()
    taken.sure = False
    _fill(taken, file, taken.edition)
    return taken


@transaction.atomic
def mend_rows(*, import_id: UUID, mended: Mapping[int, Mended], scope: Scope) -> int:
    """Change rows of a file in place and judge them again; return how many of them are still faulty.

    Raises ``Conflict`` when somebody mended one of them since it was seen; then none is changed.
    """
    taken = _locked(import_id, scope)
    rows = list(taken.rows.select_for_update())
    touched = [row for row in rows if row.number in mended]
    for row in touched:
        one = mended[row.number]
        if row.revision != one.seen:
            raise Conflict("row_changed", f"第 {row.number} 个刚被别人改过，下面是最新的。请核对后再保存。")
        row.cells = {
            **row.cells, **{field: _plain(text) for field, text in one.cells.items() if field in LABELS},
        }  # fmt: skip
        row.mended, row.left_out = one.mended, one.left_out
        row.revision += 1
    judge_cells(rows)
    FenceImportRow.objects.bulk_update(rows, _FIELDS, batch_size=_AT_ONCE)
    return sum(row.faulty for row in touched)


@transaction.atomic
def accept_mended(*, import_id: UUID, scope: Scope) -> int:
    """Take every shape that was mended as it is mended; return how many."""
    return _each(_locked(import_id, scope), lambda row: bool(row.shape_fault and row.geom and not row.mended), "mended")


@transaction.atomic
def leave_out_faulty(*, import_id: UUID, scope: Scope) -> int:
    """Leave out every row that is still faulty; return how many."""
    return _each(_locked(import_id, scope), lambda row: bool(row.faulty), "left_out")


@transaction.atomic
def stand_by_system(*, import_id: UUID, scope: Scope) -> FenceImport:
    """Keep that somebody stands by the system of a file though its fences seem to lie off."""
    taken = _locked(import_id, scope)
    taken.sure = True
    taken.save(update_fields=["sure"])
    return taken


@transaction.atomic
def write_import(*, import_id: UUID, replace: bool, seen: int, key: UUID, scope: Scope) -> FenceChange | None:
    """Write the rows into the draft in one act; ``replace`` takes out what the file does not hold. ``None``: nothing changes.

    Fences of the same name change, and what the file has no column for stays; sent twice, it is done once. Raises ``Conflict``
    while rows are faulty, while the system is in doubt, and when somebody changed what it touches since ``seen``.
    """
    if done := FenceChange.objects.filter(key=key, edition=import_seen(import_id, scope=scope).edition_id).first():
        return done
    taken = _locked(import_id, scope)
    if taken.doubt and not taken.sure:
        raise Conflict("datum_doubted", f"{taken.doubt}请换坐标系重新读取，或者确认坐标系没有错，再写入。")
    rows = list(taken.rows.filter(left_out=False))
    faulty = sum(row.faulty or row.geom is None for row in rows)
    if faulty:
        raise Conflict("rows_faulty", f"还有 {faulty} 个要改。请在下面改好，或勾选“不导入”，再写入。")
    if not rows:
        raise BadInput("rows_none", "没有可以写入的围栏。")
    there = {fence.name: fence for fence in fences_of(taken.edition)}
    arriving = [Arriving(row.cells["name"], *meant(row, there.get(row.cells["name"]))) for row in rows]
    sent = Act(taken.edition_id, seen, key, scope)
    change = FENCES.take_in(sent, arriving=arriving, replace=replace, source=taken.name[-60:])
    taken.change, taken.written_at = change, timezone.now()
    taken.save(update_fields=["change", "written_at"])
    return change


@transaction.atomic
def discard_import(*, import_id: UUID, scope: Scope) -> FenceImport:
    """Give a file up; the draft stays as it is."""
    taken = _locked(import_id, scope)
    FenceImport.objects.filter(pk=taken.pk).delete()
    return taken


def _fill(taken: FenceImport, file: DrawnFile, edition: FenceEdition) -> None:
    rows = rows_of(file, edition)
    doubt = doubt_of(rows, file.system, edition)
    taken.system, taken.guessed = file.system.value, file.guess.system.value if file.guess.system else ""
    taken.guessed_by = file.guess.why[:100]
    taken.doubt, taken.likely = "", ""
    if doubt is not None:
        taken.doubt, taken.likely = doubt.said, doubt.likely.value if doubt.likely else ""
    taken.save()
    for row in rows:
        row.taken = taken
    FenceImportRow.objects.bulk_create(rows, batch_size=_AT_ONCE)


def _each(taken: FenceImport, chosen: Callable[[FenceImportRow], bool], field: str) -> int:
    rows = list(taken.rows.select_for_update())
    touched = [row for row in rows if chosen(row)]
    for row in touched:
        setattr(row, field, True)
        row.revision += 1
    judge_cells(rows)
    FenceImportRow.objects.bulk_update(rows, _FIELDS, batch_size=_AT_ONCE)
    return len(touched)


def _check_clean(source: Path) -> None:
    scanner = configured_scanner()
    if scanner is None:
        return
    try:
        with source.open("rb") as content:
            verdict = scanner.scan(content)
    except ScannerUnavailable as fault:
        raise Unavailable(
            "scanner_unavailable", "查毒服务暂时没有回应，文件没有保存。请过几分钟再上传。", why=fault.why
        ) from fault
    if not verdict.clean:
        raise BadInput("file_infected", f"这个文件里发现了病毒（{verdict.found}），没有保存。请换一份干净的再上传。")


def _plain(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:LONGEST_CELL]


def _locked(import_id: UUID, scope: Scope) -> FenceImport:
    seen = import_seen(import_id, scope=scope)
    locked_draft(seen.edition_id, scope)
    taken = FenceImport.objects.select_for_update(of=("self",)).select_related("edition").filter(pk=seen.pk).first()
    if taken is None or taken.written_at is not None:
        raise Conflict("import_written", "这个文件已经写入草稿，或者已经放弃。写错了可以在地图上撤销。")
    return taken
