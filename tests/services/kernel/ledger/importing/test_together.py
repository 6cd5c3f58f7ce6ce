"""Imports under stress on a real database: a worker killed with -9, clicks at the same moment, two clerks on one row."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.gis.geos import Polygon
from django.db import connection, connections, transaction
from django.utils import timezone

from geo.errors import CityError
from geo.imports.actions import hold_publishing
from geo.imports.models import DraftRow, Refusal
from geo.jobs.actions import revive_jobs, run_job
from geo.jobs.models import Job, JobState
from geo.regions.models import RegionPart, RegionVersion
from geo.scope import Scope
from services.access.queries import Caller, scope_of
from services.facilities.models import Facility
from services.kernel.ledger.importing import actions, mending
from services.kernel.ledger.importing.actions import SameFile
from services.kernel.ledger.importing.queries import import_of, state_of, tally_of, version_of
from services.kernel.ledger.models import ImportedRow, LedgerImport
from tests.services.facilities.conftest import World
from tests.services.kernel.ledger.importing.sheets import clerk, saved, xlsx

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 300
CITY = (120.9, 30.7, 122.0, 31.9)
WORKER = "import django; django.setup(); import sys; from geo.jobs.actions import run_job; run_job(job_id=sys.argv[1])"


@pytest.fixture
def scope() -> Scope:
    world = World()
    region = world.region("310000", "上海市", "city", "310000.", CITY)
    version = RegionVersion.objects.get(region=region)
    RegionPart.objects.create(version=version, geom=Polygon.from_bbox(CITY))
    return scope_of(Caller(clerk("shi1", "310000.", "city_manager")))


def rows(count: int, **change: Any) -> list[dict[str, Any]]:
    return [
        {
            "名称*": f"第{number}药店",
            "类型*": "药店",
            "地址*": "某路1号",
            "经度": 121.40 + 0.0051 * (number % 40),
            "纬度": 31.10 + 0.0037 * (number // 40),
            "名额": 5,
            **change,
        }
        for number in range(count)
    ]


def taken(scope: Scope, folder: Path, sheet: list[dict[str, Any]]) -> LedgerImport:
    one = actions.take_sheet(
        ledger="facilities", source=saved(folder, xlsx(sheet)), name="名单.xlsx", datum="cgcs2000", scope=scope
    )
    return actions.begin_check(import_id=one.pk, scope=scope)


def checked(scope: Scope, folder: Path, sheet: list[dict[str, Any]]) -> LedgerImport:
    one = taken(scope, folder, sheet)
    assert one.job
    assert run_job(job_id=one.job.pk).state == JobState.DONE
    return import_of(one.pk, scope=scope)


@pytest.fixture
def start() -> Any:
    """Return a function that runs a job of the test database in a process of its own."""
    begun: list[subprocess.Popen[bytes]] = []
    own = connection.settings_dict
    url = f"postgresql:///{own['NAME']}?host={own['HOST']}&user={own['USER']}&port={own['PORT']}"
    environment = {
        **os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings",
    }  # fmt: skip

    def run(job: Job) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "ignore", "-c", WORKER, str(job.pk)]
        process = subprocess.Popen(
            command, cwd=settings.ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.kill()
        process.wait()


def waiting(table: str) -> None:
    """Wait until another process waits for a lock on a table."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table])
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody came to wait for {table}")


def gone(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and wait until the database has rolled its work back."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with connection.cursor() as cursor:
        for _ in range(600):
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND state <> 'idle'"
            )
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.05)


def revived(job: Job) -> Job:
    """Do what beat and the next worker do when a worker has been silent."""
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - dt.timedelta(hours=1))
    assert [each.pk for each in revive_jobs()] == [job.pk]
    return run_job(job_id=job.pk)


def test_a_worker_killed_while_checking_is_followed_by_one_that_begins_again(
    scope: Scope, tmp_path: Path, start: Callable[[Job], subprocess.Popen[bytes]]
) -> None:
    one = taken(scope, tmp_path, [*rows(ROWS), {"名称*": "无类型", "地址*": "x"}])
    assert one.job
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE imports_refusal IN SHARE MODE")
        process = start(one.job)
        waiting("imports_refusal")
        os.kill(process.pid, signal.SIGKILL)
    gone(process)
    assert not DraftRow.objects.exists()
    assert revived(one.job).state == JobState.DONE
    tally = tally_of(import_of(one.pk, scope=scope))
    assert (tally.read, tally.drafts, tally.refused) == (ROWS + 1, ROWS, 1)


def test_a_worker_killed_while_writing_leaves_nothing_and_the_next_writes_everything_once(
    scope: Scope, tmp_path: Path, start: Callable[[Job], subprocess.Popen[bytes]]
) -> None:
    one = checked(scope, tmp_path, rows(ROWS))
    one, _ = actions.begin_writing(import_id=one.pk, scope=scope)
    assert one.job
    with transaction.atomic():
        with connection.cursor() as cursor:
            # the facilities of the only chunk are written by then
            cursor.execute("LOCK TABLE kernel_ledger_importedrow IN SHARE MODE")
        process = start(one.job)
        waiting("kernel_ledger_importedrow")
        beat = _heartbeat(one.job)
        deadline = time.monotonic() + 10
        while _heartbeat(one.job) == beat and time.monotonic() < deadline:
            time.sleep(0.1)
        assert _heartbeat(one.job) != beat, "inside its one transaction the work is heard all the same"
        assert not Facility.objects.exists()
        os.kill(process.pid, signal.SIGKILL)
    gone(process)
    assert not Facility.objects.exists()
    assert not ImportedRow.objects.exists()
    assert DraftRow.objects.count() == ROWS
    # a click meanwhile begins nothing beside it
    assert actions.begin_writing(import_id=one.pk, scope=scope)[1] is False
    assert revived(one.job).state == JobState.DONE
    assert (Facility.objects.count(), ImportedRow.objects.count()) == (ROWS, ROWS)
    assert run_job(job_id=one.job.pk).state == JobState.DONE
    assert Facility.objects.count() == ROWS


def _heartbeat(job: Job) -> Any:
    return Job.objects.values_list("heartbeat_at", flat=True).get(pk=job.pk)


def test_writing_that_is_stopped_writes_nothing(
    scope: Scope, tmp_path: Path, start: Callable[[Job], subprocess.Popen[bytes]]
) -> None:
    one = checked(scope, tmp_path, rows(ROWS))
    one, _ = actions.begin_writing(import_id=one.pk, scope=scope)
    assert one.job
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE facilities_facility IN SHARE MODE")
        process = start(one.job)
        waiting("facilities_facility")
        # on another connection; its one chunk is let go only after the wish to stop was heard
        at_once(lambda: actions.stop_work(import_id=one.pk, scope=scope))
        time.sleep(1.5)
    process.wait(timeout=60)
    assert Job.objects.get(pk=one.job.pk).state == JobState.CANCELLED
    assert not Facility.objects.exists()
    assert DraftRow.objects.count() == ROWS
    one, began = actions.begin_writing(import_id=one.pk, scope=scope)
    assert began
    assert one.job
    assert run_job(job_id=one.job.pk).state == JobState.DONE
    assert Facility.objects.count() == ROWS


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do things at the same moment, each on a connection of its own; what they return, or the named error they raise."""

    def run(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except CityError as fault:
            return fault
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_many_saves_of_one_row_exactly_one_counts(scope: Scope, tmp_path: Path) -> None:
    one = checked(scope, tmp_path, rows(1, 名额="五"))
    version = version_of(Refusal.objects.get())

    def mend(places: int) -> Callable[[], Any]:
        return lambda: mending.mend_row(
            import_id=one.pk, number=2, cells={"places": str(places)}, version=version, scope=scope
        )

    found = at_once(*map(mend, range(1, 7)))
    assert [each.code for each in found if isinstance(each, CityError)] == ["row_settled"] * 5
    (winner,) = (each for each in found if not isinstance(each, CityError))
    assert DraftRow.objects.get().payload["values"]["places"] == winner.values["places"]
    assert not Refusal.objects.exists()


def test_two_rows_mended_into_the_same_place_at_once_are_one(scope: Scope, tmp_path: Path) -> None:
    one = checked(scope, tmp_path, rows(4, 名额="五"))
    versions = {each.row: version_of(each) for each in Refusal.objects.all()}
    same = {"places": "5", "name": "同一家", "lon": "121.45", "lat": "31.2"}

    def mend(number: int) -> Callable[[], Any]:
        return lambda: mending.mend_row(
            import_id=one.pk, number=number, cells=same, version=versions[number], scope=scope
        )

    found = at_once(*map(mend, (2, 3, 4, 5)))
    assert sorted(len(row.faults) for row in found) == [0, 1, 1, 1]
    assert DraftRow.objects.count() == 1
    assert set(Refusal.objects.values_list("code", flat=True)) == {"duplicate_row"}


def test_double_clicks_begin_one_writing_and_take_one_file(scope: Scope, tmp_path: Path) -> None:
    one = checked(scope, tmp_path, rows(5))
    found = at_once(*[lambda: actions.begin_writing(import_id=one.pk, scope=scope)] * 5)
    assert sorted(began for _, began in found) == [False, False, False, False, True]
    assert Job.objects.filter(kind=actions.WRITE_JOB).count() == 1

    source = saved(tmp_path, xlsx(rows(7)), "另一份.xlsx")

    def take() -> Any:
        return actions.take_sheet(ledger="facilities", source=source, name="另一份.xlsx", datum="", scope=scope)

    answers = at_once(take, take, take)
    assert sum(isinstance(each, SameFile) for each in answers) == 2
    assert LedgerImport.objects.count() == 2


def test_two_imports_into_one_ledger_leave_each_other_alone(scope: Scope, tmp_path: Path) -> None:
    first = checked(scope, tmp_path, rows(6))
    second = checked(scope, tmp_path, rows(6)[:5])
    assert tally_of(import_of(first.pk, scope=scope)).drafts == 6
    for one in (first, second):
        begun, _ = actions.begin_writing(import_id=one.pk, scope=scope)
        assert begun.job
        assert run_job(job_id=begun.job.pk).state == JobState.DONE
    assert Facility.objects.count() == 6, "what the first has added the second finds"
    assert tally_of(import_of(second.pk, scope=scope)).written == {"added": 0, "changed": 0, "unchanged": 5}


def test_while_a_citys_import_publishes_writing_waits_for_another_click(scope: Scope, tmp_path: Path) -> None:
    one, _ = actions.begin_writing(import_id=checked(scope, tmp_path, rows(3)).pk, scope=scope)
    job = one.job
    assert job
    with transaction.atomic():
        hold_publishing()
        (done,) = at_once(lambda: run_job(job_id=job.pk))
    assert (done.state, done.error["code"]) == (JobState.FAILED, "publishing_under_way")
    one = import_of(one.pk, scope=scope)
    assert (state_of(one), tally_of(one).drafts) == ("ready", 3)
    one, began = actions.begin_writing(import_id=one.pk, scope=scope)
    assert began
    assert one.job
    assert run_job(job_id=one.job.pk).state == JobState.DONE
    assert state_of(import_of(one.pk, scope=scope)) == "done"
