"""A worker killed with -9 while it makes the file of a layer: nothing half-written is served, and the next worker makes it whole."""

from __future__ import annotations

import itertools
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from pmtiles.reader import Reader

from geo.jobs.actions import revive_jobs, run_job
from geo.jobs.models import Job, JobState
from layers import archives as layer_archives
from services.facilities.preloading.archives import archive_path
from tests.web.test_archives import FILE, PLACES, _own_folder, body, jobs, shallow
from tests.web.test_preloading import signed_in

__all__ = ["_own_folder", "shallow"]


def worker_that_hangs(job: Job, moment: str, reached: Path) -> int:
    """Begin a job in a process of its own that goes no further than a moment; return its id."""
    drawn = layer_archives.draw_tile
    count = itertools.count()

    def hang(*_: Any) -> None:
        reached.touch()
        time.sleep(60)

    connections.close_all()
    worker = os.fork()
    if not worker:
        try:
            if moment == "drawing":
                layer_archives.draw_tile = lambda *given: hang() if next(count) > 2 else drawn(*given)
            else:
                os.fsync = hang
            run_job(job_id=job.pk)
        finally:
            os._exit(1)
    return worker


@pytest.mark.parametrize(
    ("moment", "older"), [("drawing", b""), ("written", b"the file that was there before")], ids=["drawing", "written"]
)
def test_a_worker_killed_leaves_nothing_half_written_and_the_next_one_draws_it(
    live_city: str, shallow: None, tmp_path: Path, moment: str, older: bytes
) -> None:
    path, reached = archive_path("places"), tmp_path / "reached"
    path.parent.mkdir(parents=True)
    if older:
        path.write_bytes(older)
    shi, anyone = signed_in("shi"), Client(headers={"host": "localhost"})
    shi.post(PLACES, {"act": "make"})
    job = jobs().get()
    worker, until = worker_that_hangs(job, moment, reached), time.monotonic() + 60
    while not reached.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(worker, signal.SIGKILL)
    assert os.waitpid(worker, 0)[1] == signal.SIGKILL
    [draft] = path.parent.glob("*.part")
    assert (draft.stat().st_size > 0) == (moment == "written")
    assert jobs().get().state == JobState.RUNNING
    answer = anyone.get(FILE)
    assert (answer.status_code, body(answer) == older) == ((200, True) if older else (404, False))

    jobs().update(heartbeat_at="2026-01-01T00:00Z")
    assert [each.pk for each in revive_jobs()] == [job.pk]
    job = run_job(job_id=job.pk)
    assert (job.state, job.attempts) == (JobState.DONE, 2)
    assert [each.name for each in path.parent.iterdir()] == ["places.pmtiles"]
    whole = body(anyone.get(FILE))
    assert len(whole) == job.result["bytes"]
    reader = Reader(lambda offset, length: whole[offset : offset + length])
    assert reader.header()["addressed_tiles_count"] == job.result["tiles"] > 0
