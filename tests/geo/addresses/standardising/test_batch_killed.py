"""A worker killed with -9 in the middle of a list: another goes on where it stood, no row twice and none lost."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection

from geo.addresses.standardising.actions import begin_batch
from geo.addresses.standardising.models import Batch, BatchRow
from geo.addresses.standardising.outcomes import Item, Standardised
from geo.addresses.standardising.queries import all_answers, tally_of
from geo.addresses.standardising.standard import standardise
from geo.jobs.actions import revive_jobs
from geo.jobs.models import Job, JobState
from tests.geo.addresses.standardising.conftest import CLERK, messy_lines

ROWS, CHUNK = 3_000, 100
WORK = "import django; django.setup(); import sys; from geo.jobs.actions import run_job; run_job(job_id=sys.argv[1])"


def worker(job_id: object) -> subprocess.Popen[bytes]:
    at = connection.settings_dict
    url = f"postgresql:///{at['NAME']}?host={at['HOST']}&user={at['USER']}&port={at['PORT']}"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORK, str(job_id)],
        cwd=settings.ROOT,
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )


def rows_when(holds: Callable[[int], bool], process: subprocess.Popen[bytes]) -> int:
    """Wait until the number of rows that are written holds something, and return it."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        count = BatchRow.objects.count()
        if holds(count):
            return count
        assert process.poll() is None, "the worker ended before it could be killed"
        time.sleep(0.02)
    raise AssertionError("the worker wrote nothing")


def test_a_list_survives_its_workers(live_city: str, uploaded: Callable[..., Batch]) -> None:
    batch = begin_batch(batch_id=uploaded(messy_lines(ROWS)).pk, scope=CLERK)
    assert batch.job
    job_id = batch.job.pk
    Job.objects.filter(pk=job_id).update(params={**batch.job.params, "chunk": CHUNK})
    before = 0
    for blow in range(2):
        process = worker(job_id)
        seen = before
        written = rows_when(lambda count, seen=seen: count > seen + 3 * CHUNK, process)  # type: ignore[misc]
        time.sleep(0.013 * blow)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        settle()
        before = BatchRow.objects.count()
        assert written <= before < ROWS
        assert before % CHUNK == 0
        cursor = Job.objects.get(pk=job_id).cursor
        assert (cursor["rows"], sum(cursor["tally"]["statuses"].values())) == (before, before)
        assert [job.pk for job in revive_jobs(dead_after=-datetime.timedelta(minutes=1))] == [job_id]
    assert worker(job_id).wait(timeout=200) == 0
    batch = Batch.objects.select_related("job").get(pk=batch.pk)
    assert batch.job
    assert (batch.job.state, batch.job.attempts) == (JobState.DONE, 3)
    found = [row for _, row in all_answers(batch)]
    assert [row.row for row in found] == list(range(2, ROWS + 2))
    assert tally_of(batch).rows == ROWS
    alone = standardise([Item(row.written) for row in found], scope=CLERK, first_row=2)
    assert [told(row) for row in found] == [told(row) for row in alone]


def told(row: Standardised) -> tuple[str, str, tuple[str, str] | None]:
    return str(row.status), row.standard, (row.spot.label, row.spot.level) if row.spot else None


def settle() -> None:
    """Wait until the database has rolled back what the killed process had begun."""
    with connection.cursor() as cursor:
        for _ in range(600):
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND state <> 'idle' AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.05)
