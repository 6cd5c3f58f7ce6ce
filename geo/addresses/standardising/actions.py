"""Writes of uploaded lists: take one in, begin, stop, go on, standardise the next rows, delete, and purge what has expired."""

from __future__ import annotations

import datetime
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from geo.addresses.standardising.models import Batch, BatchRow
from geo.addresses.standardising.outcomes import Standardised
from geo.addresses.standardising.packing import pack
from geo.addresses.standardising.queries import (
    batch_of,
    check_known,
    check_own,
    file_of,
    lists_folder,
    state_of,
)
from geo.addresses.standardising.report import Tally
from geo.addresses.standardising.tables import Columns, guess_columns
from geo.addresses.standardising.uploads import spool
from geo.errors import BadInput, Conflict, NotFound, TooMany
from geo.jobs.actions import cancel_job, start_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import JobCancelled, Progress
from geo.kept import keep_file
from geo.scope import Scope

STANDARDISE_JOB: Final = "addresses.standardise"
KEPT_DAYS: Final = 7
"""Days after which a list and its result are deleted, whatever became of it."""
MOST_OPEN: Final = 3
MOST_KEPT: Final = 20
_COPY: Final = f"COPY {BatchRow._meta.db_table} (batch_id, number, status, answer) FROM STDIN"
_OPEN: Final = (JobState.QUEUED, JobState.RUNNING)


def upload_list(*, source: Path, name: str, scope: Scope) -> Batch:
    """Take an uploaded file in as a new list with its columns guessed; ``begin_batch`` starts the work.

    Raises ``TooMany`` when the caller keeps too many lists, and what ``uploads.spool`` raises for a file that cannot be used.
    """
    check_known(scope)
    if Batch.objects.filter(actor=scope.actor).count() >= MOST_KEPT:
        raise TooMany("too_many_batches", f"每人最多留 {MOST_KEPT} 个批次，请先删掉不用的。", most=MOST_KEPT)
    batch = Batch(pk=uuid.uuid4(), actor=scope.actor, name=_plain_name(name))
    with tempfile.TemporaryDirectory(prefix="quantu-list-") as folder:
        plain = Path(folder) / "plain"
        found = spool(source, plain)
        keep_file(plain, file_of(batch))
    batch.rows, batch.width, batch.head = found.rows, found.width, found.head[:20]
    batch.expires_at = timezone.now() + datetime.timedelta(days=KEPT_DAYS)
    try:
        batch.save()
    except BaseException:
        file_of(batch).unlink(missing_ok=True)
        raise
    return batch


def _plain_name(name: str) -> str:
    plain = "".join(char for char in Path(name.replace("\\", "/")).name if char.isprintable())
    return plain[:120] or "名单"


@transaction.atomic
def begin_batch(*, batch_id: uuid.UUID | str, scope: Scope, columns: Columns | None = None) -> Batch:
    """Choose the columns of a list (the guessed ones without ``columns``) and hand it to a worker.

    Raises ``Conflict`` when it has begun already, ``BadInput`` for a column it has not, ``TooMany`` beyond three open lists.
    """
    batch = _locked(batch_id, scope)
    if state_of(batch) != "new":
        raise Conflict("batch_begun", "这个批次已经开始了。")
    _check_open(scope)
    columns = columns or guess_columns(batch.head)
    asked = [columns.address, columns.district, *(at for _, at in columns.parts)]
    if any(at is not None and not 0 <= at < batch.width for at in asked):
        raise BadInput("column_unknown", f"没有这一列，这份名单有 {batch.width} 列。", width=batch.width)
    if columns.address is None and not columns.parts:
        raise BadInput("column_unknown", "请选出地址在哪一列。")
    if not 0 <= columns.header <= min(len(batch.head), batch.rows - 1):
        raise BadInput("header_unknown", "表头要在开头几行里，下面还要有地址。")
    batch.columns = asdict(columns)
    batch.head = batch.head[: columns.header]
    batch.rows -= columns.header
    batch.job = start_job(kind=STANDARDISE_JOB, params={"batch": str(batch.pk)}, actor=scope.actor)
    batch.save()
    return batch


@transaction.atomic
def resume_batch(*, batch_id: uuid.UUID | str, scope: Scope) -> Batch:
    """Go on with a list that was stopped or failed, from the row where it stood. Raises ``Conflict`` in any other state."""
    batch = _locked(batch_id, scope)
    if state_of(batch) not in (JobState.CANCELLED, JobState.FAILED):
        raise Conflict("batch_not_stopped", "只有停下或失败的批次可以接着做。")
    _check_open(scope)
    cursor = batch.job.cursor if batch.job else {}
    batch.job = start_job(kind=STANDARDISE_JOB, params={"batch": str(batch.pk)}, actor=scope.actor)
    Job.objects.filter(pk=batch.job.pk).update(cursor=cursor)
    batch.save()
    return batch


def cancel_batch(*, batch_id: uuid.UUID | str, scope: Scope) -> Batch:
    """Stop a list; what is done stays and can be taken. Raises ``Conflict`` when it is not at work."""
    batch = batch_of(batch_id=batch_id, scope=scope)
    if batch.job is None:
        raise Conflict("job_ended", "这个批次没有在做，不用停。")
    cancel_job(job_id=batch.job.pk)
    return batch_of(batch_id=batch_id, scope=scope)


def delete_batch(*, batch_id: uuid.UUID | str, scope: Scope) -> None:
    """Delete a list with its file and its rows, stopping the work on it first."""
    batch = batch_of(batch_id=batch_id, scope=scope)
    if batch.job and batch.job.state in _OPEN:
        cancel_job(job_id=batch.job.pk)
    _erase([batch])


def purge_lists(*, now: datetime.datetime | None = None) -> int:
    """Delete the lists whose days are over, and files without a list; return how many lists went."""
    now = now or timezone.now()
    expired = list(Batch.objects.select_related("job").filter(expires_at__lte=now))
    for batch in expired:
        if batch.job and batch.job.state in _OPEN:
            cancel_job(job_id=batch.job.pk)
    _erase(expired)
    known = {file_of(batch).name for batch in Batch.objects.all()}
    an_hour_ago = now.timestamp() - 3600
    for path in lists_folder().glob("*"):
        # A file that is being written has no list yet.
        if path.name not in known and path.stat().st_mtime < an_hour_ago:
            path.unlink(missing_ok=True)
    return len(expired)


def _erase(batches: Sequence[Batch]) -> None:
    for batch in batches:
        with transaction.atomic():
            # The rows first and in one statement: the ORM would read a million of them to cascade.
            Batch.objects.select_for_update().filter(pk=batch.pk).first()
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {BatchRow._meta.db_table} WHERE batch_id = %s", [batch.pk])
            Batch.objects.filter(pk=batch.pk).delete()
        file_of(batch).unlink(missing_ok=True)


def _locked(batch_id: uuid.UUID | str, scope: Scope) -> Batch:
    batch = batch_of(batch_id=batch_id, scope=scope)
    check_own(batch, scope)
    Batch.objects.select_for_update().get(pk=batch.pk)
    return batch_of(batch_id=batch_id, scope=scope)


def _check_open(scope: Scope) -> None:
    open_now = Batch.objects.filter(Q(job__state__in=_OPEN), actor=scope.actor).count()
    if open_now >= MOST_OPEN:
        raise TooMany("too_many_open", f"您已有 {open_now} 个批次在做，做完一个再开始。", most=MOST_OPEN)


def write_rows(*, progress: Progress, rows: Sequence[Standardised], cursor: Callable[[], dict[str, Any]]) -> None:
    """Write the rows of one chunk and where the work stands in one act: a killed worker leaves both or neither.

    Raises ``JobCancelled`` when the list was deleted or another worker has taken over.
    """
    batch_id = progress.job.params["batch"]
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=progress.job.pk, attempts=progress.job.attempts).first()
        batch = Batch.objects.select_for_update(of=("self",)).filter(pk=batch_id, job_id=progress.job.pk).first()
        if job is None or batch is None:
            raise JobCancelled("job_taken_over", "这个批次已由别的进程接手，或已删除。")
        with connection.cursor() as sql, sql.copy(_COPY) as copy:
            for row in rows:
                copy.write_row((batch_id, row.row, str(row.status), pack(row)))
        progress.save(cursor())


def finish_batch(*, batch_id: str, tally: Tally) -> dict[str, Any]:
    """Keep the final report with the list and return it, without any address, as the result of the job."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise NotFound("batch_unknown", "没有找到这个批次，可能已到期删除。")
    report = tally.to_json()
    Batch.objects.filter(pk=batch_id).update(report=report)
    return {"batch": batch_id, "rows": tally.rows, "counts": report["statuses"]}
