"""Exports of a hundred thousand rows and more: bounded memory, stopped on the way, a worker killed with -9."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyogrio
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from geo.jobs.actions import revive_jobs, run_job
from geo.jobs.models import Job, JobState
from geo.kept import plain_copy
from geo.scope import Scope
from layers import registry
from layers.processes.actions import ask_run, cancel_run
from layers.processes.models import ProcessRun
from layers.processes.queries import file_of_run, job_of, run_of
from tests.layers.exports.many import KEY, provide

pytestmark = pytest.mark.django_db(transaction=True)
PUBLIC: Final = Scope.public()
ROWS: Final = 100_000
GROWN_MB: Final = 80
"""What a process may grow by, whatever the rows: a batch in all its forms, and the index of a FlatGeobuf."""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(registry, "PROVIDERS", [])
    provide(ROWS)


@pytest.fixture
def start() -> Any:
    """Return a function that runs this package's module on the test database in a process of its own."""
    begun: list[subprocess.Popen[str]] = []
    own = connection.settings_dict
    url = f"postgresql:///{own['NAME']}?host={own['HOST']}&user={own['USER']}&port={own['PORT']}"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}

    def run(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "ignore", "-m", "tests.layers.exports.many", *arguments]
        process = subprocess.Popen(command, cwd=settings.ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.kill()
        process.communicate()


def asked() -> ProcessRun:
    return ask_run(process="export", inputs={"layer": KEY, "format": "gpkg", "crs": "sh2000"}, scope=PUBLIC)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def until_written(run: ProcessRun) -> Job:
    """Wait until some rows were told to have been written, not all."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job = Job.objects.get(pk=job_of(run).pk)
        if "已写" in job.message and job.progress < 0.9:
            return job
        assert job.state in (JobState.QUEUED, JobState.RUNNING), job.error
        time.sleep(0.05)
    raise AssertionError("nothing was written")


def test_a_worker_killed_on_the_way_leaves_nothing_and_the_next_one_writes_the_whole_file(
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    run = asked()
    process = start("run", str(job_of(run).pk), str(10 * ROWS), str(settings.MEDIA_ROOT))
    until_written(run)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert files(Path(settings.MEDIA_ROOT)) == []
    Job.objects.filter(pk=job_of(run).pk).update(heartbeat_at=timezone.now() - dt.timedelta(hours=1))
    assert [job.pk for job in revive_jobs()] == [job_of(run).pk]
    assert run_job(job_id=job_of(run).pk).state == JobState.DONE
    done = run_of(run_id=run.pk, scope=PUBLIC)
    assert done.rows == ROWS
    with plain_copy(file_of_run(done, scope=PUBLIC)) as path:
        named = path.rename(path.with_suffix(".gpkg"))
        assert pyogrio.read_info(named)["features"] == ROWS
    assert [path.name for path in files(Path(settings.MEDIA_ROOT))] == [done.file]


def test_a_run_is_stopped_on_the_way_and_leaves_nothing(tmp_path: Path) -> None:
    run = asked()
    provide(10 * ROWS)

    def stop() -> None:
        try:
            until_written(run)
            cancel_run(run_id=run.pk, scope=PUBLIC)
        finally:
            connection.close()

    stopping = threading.Thread(target=stop)
    stopping.start()
    began = time.monotonic()
    job = run_job(job_id=job_of(run).pk)
    stopping.join()
    assert job.state == JobState.CANCELLED
    assert time.monotonic() - began < 60
    assert run_of(run_id=run.pk, scope=PUBLIC).file == ""
    assert files(tmp_path / "media") == []


@pytest.mark.parametrize("format", ["gpkg", "fgb", "parquet", "geojson", "csv", "shp"])
def test_memory_does_not_grow_with_the_rows(format: str, start: Callable[..., subprocess.Popen[str]]) -> None:
    said, _ = start("measure", str(ROWS), format).communicate(timeout=200)
    found = json.loads(said)
    assert found["rows"] == ROWS
    assert found["grown_mb"] < GROWN_MB, found
