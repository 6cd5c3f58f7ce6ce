"""The long work of imports: judging every row of a sheet, and writing the rows that wait in one transaction."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from geo.errors import Conflict, NotFound
from geo.imports.actions import stand_beside_publishing
from geo.imports.drafts import write_drafts, write_refusals
from geo.imports.models import DraftRow, Refusal
from geo.imports.sheets import WrittenRow
from geo.jobs.aside import Aside
from geo.jobs.models import Job
from geo.jobs.progress import JobCancelled, Progress
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import check_duty, scope_of_account
from services.kernel.ledger.importing.actions import close_run, rows_of_sheet
from services.kernel.ledger.importing.checking import (
    Seen,
    check_rows,
    drafted,
    judge_rows,
    refused,
    row_of_draft,
    saver_of,
)
from services.kernel.ledger.importing.queries import file_of, spec_of
from services.kernel.ledger.models import ImportedRow, LedgerImport
from services.kernel.spec import Intake

CHUNK: Final = 2_000
_COPY: Final = f"COPY {ImportedRow._meta.db_table} (imported_id, number, record, fate) FROM STDIN"


def check_sheet(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Judge every row of a sheet; a worker that took over from a dead one begins again, and nothing is there twice."""
    one = _import(params)
    _, intake = spec_of(one)
    scope = scope_named(progress.job.actor, intake)
    if one.checked_at:
        return {"rows": one.run.rows_read}
    if not file_of(one).exists():
        raise NotFound("sheet_gone", "文件已不在，请重新上传。")
    with transaction.atomic():
        _hold(progress)
        DraftRow.objects.filter(run=one.run_id).delete()
        Refusal.objects.filter(run=one.run_id).delete()
    rows = rows_of_sheet(one)
    seen, done, faulty, total = Seen(), 0, 0, max(one.run.rows_read, 1)
    while chunk := list(itertools.islice(rows, params.get("chunk", CHUNK))):
        judged = check_rows(chunk, intake, datum=one.datum, scope=scope, seen=seen)
        wrong = [row for row in judged if row.faults]
        with transaction.atomic():
            _hold(progress)
            write_drafts(one.run, [drafted(row) for row in judged if not row.faults], cells=False)
            write_refusals(one.run, [refused(row, intake) for row in wrong])
        done, faulty = done + len(judged), faulty + len(wrong)
        progress.step(min(done / total, 0.99), f"已核对 {done:,} 行，{faulty:,} 行要改")
    with transaction.atomic():
        _hold(progress)
        one.run.rows_read = done
        one.checked_at = timezone.now()
        one.save(update_fields=["checked_at"])
        close_run(one)
    file_of(one).unlink(missing_ok=True)
    return {"rows": done, "refused": faulty}


def write_rows(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Write all rows that wait, in one transaction: a killed worker leaves none of them written, and the next writes all.

    Rows are judged again on what the ledger holds by now; those at fault go back among the rows to mend.
    """
    scope = scope_named(progress.job.actor, spec_of(_import(params))[1])
    with Aside(progress) as aside, transaction.atomic():
        stand_beside_publishing()
        one = LedgerImport.objects.select_for_update().get(pk=params["import"])
        if one.discarded_at:
            raise Conflict("import_discarded", "这次导入已经放弃了，没有写入。")
        spec, intake = spec_of(one)
        ids = list(DraftRow.objects.filter(run=one.run_id).order_by("row").values_list("pk", flat=True))
        done, back = 0, 0
        for begin in range(0, len(ids), CHUNK):
            written, late = _write_chunk(one, intake, ids[begin : begin + CHUNK], scope)
            done, back = done + written, back + late
            aside.step((begin + CHUNK) / max(len(ids), 1), f"已写入 {done:,} 行，共 {len(ids):,} 行")
        one.written_at, one.written_by = timezone.now(), scope.actor
        one.save(update_fields=["written_at", "written_by"])
        close_run(one)
        detail = {"import": str(one.pk), "ledger": spec.key, "rows": done, "file": one.run.file_name}
        record_audit(act=AuditAct.SHEET_WRITTEN, actor=scope.actor, detail=detail)
    return {"rows": done, "back": back}


def scope_named(actor: str, intake: Intake) -> Scope:
    """Return the scope that an account holds now: a right taken away since the click counts. Raises ``Forbidden``."""
    scope = scope_of_account(actor)
    check_duty(scope, intake.duty)
    return scope


def _write_chunk(one: LedgerImport, intake: Intake, ids: Sequence[int], scope: Scope) -> tuple[int, int]:
    drafts = DraftRow.objects.filter(pk__in=ids).order_by("row").values_list("row", "payload")
    rows = [row_of_draft(number, payload) for number, payload in drafts]
    judge_rows(rows, intake, scope=scope)
    late = [row for row in rows if row.faults]
    sound = [row for row in rows if not row.faults]
    written = saver_of(intake)(sound, scope=scope, mark=one.pk.hex, reason=f"表格导入：{one.run.file_name}"[:200])
    if len(written) != len(sound):
        raise RuntimeError(f"{len(sound)} rows were to be written, {len(written)} are said to be")
    _copy_written(one, written)
    write_refusals(one.run, [refused(row, intake) for row in late], late=True)
    DraftRow.objects.filter(pk__in=ids).delete()
    return len(written), len(late)


def _copy_written(one: LedgerImport, written: Sequence[WrittenRow]) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in written:
            copy.write_row((one.pk, row.number, row.pk, str(row.fate)))


def _import(params: dict[str, Any]) -> LedgerImport:
    one = LedgerImport.objects.select_related("run").filter(pk=params["import"]).first()
    if one is None:
        raise NotFound("import_unknown", "这次导入已不在。")
    return one


def _hold(progress: Progress) -> None:
    """Make sure, inside a chunk's transaction, that no other worker has taken over."""
    job = progress.job
    if not Job.objects.select_for_update().filter(pk=job.pk, attempts=job.attempts).exists():
        raise JobCancelled("job_taken_over", "这份文件已由别的进程接手。")
