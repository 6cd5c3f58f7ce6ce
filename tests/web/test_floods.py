"""Floods of exports and processes: by one address, by one account, by everybody; nobody takes the place of the others."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from layers.processes import actions
from layers.processes.models import ProcessRun
from services.access.models import User
from web.api.exports import MOST_OPEN_ADDRESS
from web.api.limits import EXPORTS, _limiter

pytestmark = pytest.mark.usefixtures("own_folder")
EXPORT: Final = {"layer": "places", "format": "csv"}
BUFFER: Final = {"inputs": {"metres": 10, "layer": "places"}}
DOORS: Final = ["/api/v1/exports", "/ogc/processes/buffer/execution", "/layers/places/export"]


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    redis.Redis.from_url(settings.REDIS_URL).flushdb()  # nobody has asked for anything yet


def ask(address: str = "203.0.113.9", door: str = DOORS[0], client: Client | None = None) -> Any:
    headers = {"x-real-ip": address, "host": "localhost", "prefer": "respond-async"}
    if door == DOORS[2]:
        return (client or Client()).post(door, EXPORT, headers=headers)
    body = EXPORT if door == DOORS[0] else BUFFER
    return (client or Client()).post(door, body, content_type="application/json", headers=headers)


def is_refused(answer: Any) -> bool:
    """Say whether an answer asks to wait, in words and by its header."""
    return answer.status_code == 429 and ("Retry-After" in answer or "再提交" in answer.content.decode())


def begun() -> int:
    return ProcessRun.objects.count()


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("door", DOORS)
def test_one_address_has_its_share_and_leaves_the_others_theirs(door: str) -> None:
    for _ in range(MOST_OPEN_ADDRESS):
        assert ask(door=door).status_code in (201, 202, 302)
    for each in DOORS:
        assert is_refused(ask(door=each))
    assert begun() == MOST_OPEN_ADDRESS
    assert ask("203.0.113.10", door).status_code in (201, 202, 302)
    first = ProcessRun.objects.earliest("made_at").job
    assert first
    run_job(job_id=first.pk)
    assert ask(door=door).status_code in (201, 202, 302)
    assert begun() == actions.MOST_OPEN_PUBLIC


@pytest.mark.usefixtures("city")
def test_an_address_that_goes_on_all_hour_is_asked_to_wait() -> None:
    assert EXPORTS.hourly
    for _ in range(EXPORTS.hourly.amount):
        assert _limiter().hit(EXPORTS.hourly, "exports", "ip:203.0.113.9")
    answer = ask()
    assert answer.status_code == 429
    assert 60 < int(answer["Retry-After"]) <= 7200
    assert begun() == 0
    assert ask("203.0.113.10").status_code == 202


@pytest.mark.usefixtures("city")
def test_an_account_has_its_share_whatever_doors_it_takes() -> None:
    clients = []
    for name in ("one", "other"):
        client = Client()
        client.force_login(User.objects.create_user(name), backend="django.contrib.auth.backends.ModelBackend")
        clients.append(client)
    for door in DOORS:
        assert ask(door=door, client=clients[0]).status_code in (201, 202, 302)
    for at, door in enumerate(DOORS):
        assert is_refused(ask(f"198.51.100.{at}", door, clients[0]))
    assert ask(client=clients[1]).status_code == 202
    assert ask().status_code == 202


@pytest.mark.usefixtures("city")
def test_when_all_places_of_the_public_are_taken_the_oldest_result_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_KEPT_PUBLIC", 2)
    for _ in range(2):
        assert ask().status_code == 202
    oldest, newest = ProcessRun.objects.order_by("made_at")
    for run in (oldest, newest):
        assert run.job
        run_job(job_id=run.job.pk)
    full = ask()
    assert full.status_code == 429
    assert int(full["Retry-After"]) == 3600
    ProcessRun.objects.update(made_at=timezone.now() - actions.FETCHED_WITHIN - dt.timedelta(minutes=1))
    ProcessRun.objects.filter(pk=oldest.pk).update(made_at=timezone.now() - dt.timedelta(days=1))
    assert ask().status_code == 202
    assert not ProcessRun.objects.filter(pk=oldest.pk).exists()
    assert ProcessRun.objects.filter(pk=newest.pk).exists()
    assert len(list((Path(settings.MEDIA_ROOT) / "results").iterdir())) == 1


STUCK: Final = """
import dataclasses, django, sys
django.setup()
import numpy, shapely
from layers.processes import jobs, registry
from geo.jobs.tasks import run
jobs.LONGEST_PUBLIC_S, jobs.GRACE_S = 0.0, 1.0
known = registry.processes()
across = numpy.repeat(numpy.linspace(0, 10_000, 10_000), 2)
up = numpy.tile([0, 10_000, 10_000, 0], 5_000)
comb = shapely.LineString(numpy.stack([across, up], axis=1))
known["export"] = dataclasses.replace(known["export"], run=lambda asked: comb.buffer(100))
run.apply(args=[sys.argv[1]])
print("came back")
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_does_not_come_back_from_a_library_ends_and_says_so(settings: Any) -> None:
    job = Job.objects.create(kind=actions.RUN_JOB, actor="public")
    Job.objects.filter(pk=job.pk).update(params={"run": str(job.pk)})
    ProcessRun.objects.create(
        pk=job.pk, process="export", title="卡住的", inputs={"layer": "regions", "format": "csv"}, actor="public",
        job=job, expires_at=timezone.now() + dt.timedelta(days=1),
    )  # fmt: skip
    own = connection.settings_dict
    url = f"postgresql:///{own['NAME']}?host={own['HOST']}&user={own['USER']}&port={own['PORT']}"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    at = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STUCK, str(job.pk)],
        cwd=settings.ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    job.refresh_from_db()
    assert "came back" not in ended.stdout, job.error
    assert (ended.returncode, job.state, job.error.get("code")) == (1, JobState.FAILED, "run_too_long"), ended.stderr
    assert time.monotonic() - at < 60
