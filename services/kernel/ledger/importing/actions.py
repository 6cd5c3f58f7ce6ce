"""Writes of imports: take a sheet in, begin its check, have its rows written, give it up; ``mending`` has the acts on rows.

Every act on an import locks the import.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from geo.addresses.standardising.uploads import read_spooled, spool
from geo.crs import System
from geo.errors import BadInput, CityError, Conflict, NotFound, TooLarge, TooMany
from geo.imports.actions import declare_source
from geo.imports.models import DraftRow, Family, ImportRun, Refusal, RunState
from geo.imports.spec import SourceSpec
from geo.jobs.actions import cancel_job, start_job
from geo.kept import keep_file
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.kernel.ledger.importing.heads import header_at, read_header
from services.kernel.ledger.importing.queries import (
    earlier_import,
    file_of,
    import_of,
    intake_of,
    spec_of,
    state_of,
)
from services.kernel.ledger.importing.values import POSITION
from services.kernel.ledger.models import LedgerImport
from services.kernel.spec import Intake, LedgerSpec

MOST_BYTES: Final = 20_000_000
MOST_ROWS: Final = 60_000
MOST_OPEN: Final = 20
CHECK_JOB: Final = "ledgers.check"
WRITE_JOB: Final = "ledgers.write"
SYSTEMS: Final = (System.WGS84, System.CGCS2000, System.GCJ02, System.BD09, System.SH2000)
"""What the positions of a sheet may be in."""
_HEAD_KEPT: Final = 20


class SameFile(Conflict):
    """The very same file was brought into this ledger before; ``import_id`` is that import."""

    def __init__(self, import_id: uuid.UUID) -> None:
        """Keep which import it was."""
        said = "这个文件已经上传过，下面是那一次导入；没有重复导入。"
        super().__init__("sheet_known", said, **{"import": str(import_id)})
        self.import_id = import_id


def take_sheet(*, ledger: str, source: Path, name: str, datum: str, scope: Scope) -> LedgerImport:
    """Take a spreadsheet in, read apart from this process, and recognise its columns; the check begins by ``begin_check``.

    Raises ``SameFile``, ``TooLarge`` beyond 20 MB or 60,000 rows, ``BadInput`` for a file that is none, ``TooMany``.
    """
    spec, intake = intake_of(ledger, scope=scope)
    _check_datum(datum)
    if source.stat().st_size > MOST_BYTES:
        raise TooLarge("file_too_large", f"文件超过 {MOST_BYTES // 1_000_000} MB，请分成几个再上传。")
    digest = _digest(source)
    known = earlier_import(ledger=ledger, sha256=digest, scope=scope)
    if known is not None:
        raise SameFile(known.pk)
    _check_open(scope)
    one = LedgerImport(
        pk=uuid.uuid4(), ledger=ledger, actor=scope.actor, paths=list(scope.paths),
        organisations=sorted(scope.organisations), datum=datum,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="quantu-sheet-") as folder:
        plain = Path(folder) / "plain"
        found = spooled(source, plain)
        keep_file(plain, file_of(one))
    try:
        with transaction.atomic():
            # of two clicks at once the second waits here, and finds the first
            alone(f"{ledger} {digest}")
            known = earlier_import(ledger=ledger, sha256=digest, scope=scope)
            if known is not None:
                raise SameFile(known.pk)
            header = read_header(found.head, intake)
            one.sheet = {"head": found.head[:_HEAD_KEPT], "width": found.width, "header": header.as_data()}
            one.run = ImportRun.objects.create(
                source=declare_source(spec=_source(spec, datum)), file_name=_plain_name(name), sha256=digest,
                rows_read=max(found.rows - header.row - 1, 0), actor=scope.actor,
            )  # fmt: skip
            one.save()
    except BaseException:
        file_of(one).unlink(missing_ok=True)
        raise
    return one


@transaction.atomic
def begin_check(
    *,
    import_id: uuid.UUID | str,
    scope: Scope,
    header_row: int | None = None,
    columns: Mapping[str, int] | None = None,
    datum: str | None = None,
) -> LedgerImport:
    """Hand a sheet to a worker to be checked, with the recognised columns or those that somebody chose.

    ``header_row`` and the columns count from 0. Raises ``BadInput`` saying which required columns are missing, or that the
    system of the positions is not chosen; ``Conflict`` when the check has begun already.
    """
    one = _locked(import_id, scope)
    if state_of(one) not in ("new", "failed"):
        raise Conflict("check_begun", "这个文件已经开始核对了。")
    _, intake = spec_of(one)
    head, header = one.sheet["head"], read_header(one.sheet["head"], intake)
    if columns is not None:
        at = header.row if header_row is None else header_row
        _check_columns(columns, at, one, intake)
        header = header_at(head[at], at, columns)
    missing = header.missing(intake)
    if missing or not header.columns:
        names = "、".join(f"“{field.label}”" for field in missing) or "认得的列"
        raise BadInput("columns_missing", f"表里缺少必需的列：{names}。请在下面指出是哪一列，或补上这一列再上传。")
    one.datum = one.datum if datum is None else datum
    _check_datum(one.datum)
    one.sheet = {**one.sheet, "header": header.as_data()}
    if not one.datum and any(cells.get(key) for _, cells in rows_of_sheet(one) for key in POSITION):
        raise BadInput("datum_needed", "表里有经度、纬度，请选出它们用的坐标系；坐标系不能猜。", field="datum")
    one.job = start_job(kind=CHECK_JOB, params={"import": str(one.pk)}, actor=scope.actor)
    one.save()
    return one


@transaction.atomic
def begin_writing(*, import_id: uuid.UUID | str, scope: Scope) -> tuple[LedgerImport, bool]:
    """Hand the rows that wait to a worker to be written, and return whether this call did it: a second click finds it done.

    Raises ``Conflict`` before the check has ended, and after the import was given up.
    """
    one = _locked(import_id, scope)
    state = state_of(one)
    if state in ("new", "checking", "failed"):
        raise Conflict("check_first", "还没有核对完，不能写入。")
    check_alive(one)
    if state == "writing" or not DraftRow.objects.filter(run=one.run_id).exists():
        return one, False
    one.job = start_job(kind=WRITE_JOB, params={"import": str(one.pk)}, actor=scope.actor)
    one.save()
    return one, True


def stop_work(*, import_id: uuid.UUID | str, scope: Scope) -> None:
    """Stop the check or the writing under way. Stopped writing leaves nothing written. Raises ``Conflict`` without any."""
    one = import_of(import_id, scope=scope)
    if one.job is None:
        raise Conflict("job_ended", "没有正在做的事，不用停。")
    cancel_job(job_id=one.job.pk)


@transaction.atomic
def discard(*, import_id: uuid.UUID | str, scope: Scope) -> LedgerImport:
    """Give an import up: rows not written yet go, those written stay. Raises ``Conflict`` while a worker is at it."""
    one = _locked(import_id, scope)
    if state_of(one) in ("checking", "writing"):
        raise Conflict("work_under_way", "正在核对或写入，请先停下再放弃。")
    check_alive(one)
    DraftRow.objects.filter(run=one.run_id).delete()
    Refusal.objects.filter(run=one.run_id).delete()
    one.discarded_at = timezone.now()
    one.save()
    close_run(one)
    record_audit(act=AuditAct.SHEET_DISCARDED, actor=scope.actor, detail={"import": str(one.pk), "ledger": one.ledger})
    file_of(one).unlink(missing_ok=True)
    return one


def close_run(one: LedgerImport) -> None:
    """Bring the run's own figures up to date after an act on its rows."""
    run, refusals = one.run, Refusal.objects.filter(run=one.run_id)
    run.rows_refused = refusals.count()
    run.rows_accepted = DraftRow.objects.filter(run=run).count() + one.written.count()
    published = RunState.PUBLISHED if one.written_at else RunState.REPORTED
    run.state = RunState.REFUSED if one.discarded_at and not one.written_at else published
    run.finished_at = timezone.now()
    run.save()


def rows_of_sheet(one: LedgerImport) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows below the header of a sheet that is not checked yet: number on the sheet, cells by field; no blank ones."""
    header = one.sheet["header"]
    for at, line in enumerate(read_spooled(file_of(one))):
        if at > header["row"]:
            cells = cells_of(line.cells, header["columns"])
            if any(cells.values()):
                yield at + 1, cells


def cells_of(cells: Sequence[str], columns: Mapping[str, int]) -> dict[str, str]:
    """Return the cells of a line by field."""
    return {key: cells[at] if at < len(cells) else "" for key, at in columns.items()}


def alone(what: str) -> None:
    """Let one transaction at a time do something to what is named."""
    key = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _locked(import_id: uuid.UUID | str, scope: Scope) -> LedgerImport:
    """Lock an import and return it as it is then; raises ``NotFound`` as ``import_of`` does."""
    # Two statements: one that waited for the lock would join the run and the job of before the wait.
    if LedgerImport.objects.select_for_update().filter(pk=import_id).first() is None:
        raise NotFound("import_unknown", "没有找到这次导入，它可能已删除。")
    return import_of(import_id, scope=scope)


def check_alive(one: LedgerImport) -> None:
    """Raise ``Conflict`` for an import that was given up."""
    if one.discarded_at:
        raise Conflict("import_discarded", "这次导入已经放弃了。要导入的话请重新上传文件。")


def _check_open(scope: Scope) -> None:
    unchecked = LedgerImport.objects.filter(actor=scope.actor, checked_at=None, discarded_at=None).count()
    if unchecked >= MOST_OPEN:
        raise TooMany("too_many_imports", f"您有 {unchecked} 份文件还没有核对，请先核对或放弃它们。", most=MOST_OPEN)


def _check_datum(datum: str) -> None:
    if datum and datum not in SYSTEMS:
        raise BadInput("datum_unknown", "请从列出的坐标系里选一个。", field="datum")


def _check_columns(columns: Mapping[str, int], at: int, one: LedgerImport, intake: Intake) -> None:
    known, head = {field.key for field in intake.fields}, one.sheet["head"]
    if not 0 <= at < len(head):
        raise BadInput("header_unknown", "表头要在开头几行里。", field="header")
    if not set(columns) <= known or any(not 0 <= column < one.sheet["width"] for column in columns.values()):
        raise BadInput("column_unknown", "没有这一列，请重新选择。")
    if len(set(columns.values())) != len(columns):
        raise BadInput("column_twice", "有一列选了两次，请一列只对应一项。")


def spooled(source: Path, target: Path) -> Any:
    """Read a spreadsheet apart from this process into a file; raises ``BadInput``, ``TooLarge`` in words for sheets."""
    try:
        return spool(source, target, most_rows=MOST_ROWS + _HEAD_KEPT)
    except CityError as fault:
        if fault.code == "file_empty":
            raise BadInput("file_empty", "文件里没有内容。请把数据放在第一张表里，每行一条。") from None
        if fault.code == "too_many_rows":
            raise TooLarge("too_many_rows", f"一次最多 {MOST_ROWS:,} 行，请分成几个文件。", most=MOST_ROWS) from None
        raise


def _source(spec: LedgerSpec, datum: str) -> SourceSpec:
    """Return what an import is declared as: one more source of ``geo.imports``, never published itself."""
    return SourceSpec(key=f"ledger-{spec.key}", title=f"{spec.title}台账导入", family=Family.LEDGER, parts=())


def _plain_name(name: str) -> str:
    plain = "".join(char for char in Path(name.replace("\\", "/")).name if char.isprintable())
    return plain[:255] or "表格"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
