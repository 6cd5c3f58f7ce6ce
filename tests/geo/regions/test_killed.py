"""Publishing regions killed with -9 at random moments: one edition answers whole, every point with it, and repeating ends it."""

from __future__ import annotations

import datetime
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import connection

from geo.addresses.models import Community
from geo.crs.codes import CGCS2000
from geo.imports.models import Family, ImportRun, RunState, Source
from geo.jobs.actions import ATTEMPTS, revive_jobs
from geo.jobs.models import Job, JobState
from geo.regions.actions import PUBLISH_JOB
from geo.regions.models import Edition, EditionState, PendingAssignment, RegionPart, RegionVersion
from geo.regions.queries import published_edition
from tests.geo.regions.builders import NORTH, STEP, WEST, code, draft, drawn, published, source
from tests.geo.regions.test_importing import regions_file

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = 1_500
DRAWINGS = {2: "AABB\nAABB", 3: "AAAB\nAAAB"}
"""Two maps of the same streets, by the number of squares that A reaches from the west."""


class Publisher:
    """The process that publishes, in children that it kills when told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.seconds = 0.0

    def run(self, act: str, what: object) -> None:
        """Let an act end."""
        assert self._told(act, what, 0.0) == 0, f"{act} failed"

    def measure(self, act: str, what: object) -> None:
        """Let an act end, and remember how long it takes."""
        begun = time.monotonic()
        self.run(act, what)
        self.seconds = time.monotonic() - begun

    def kill(self, act: str, what: object, share: float) -> bool:
        """Begin an act, kill it after a share of the time it takes, and say whether the blow came before its end."""
        ended = self._told(act, what, share * self.seconds)
        assert ended in (0, -signal.SIGKILL)
        rolled_back()
        return ended != 0

    def _told(self, act: str, what: object, seconds: float) -> int:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{act} {what} {seconds:.4f}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    at = connection.settings_dict
    url = f"postgresql:///{at['NAME']}?host={at['HOST']}&user={at['USER']}&port={at['PORT']}"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.geo.regions.publishing"],
        cwd=settings.ROOT,
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    yield Publisher(process)
    process.kill()
    process.communicate()


@pytest.fixture
def points() -> None:
    rng = np.random.default_rng(5)
    spots = np.column_stack(
        [WEST + rng.uniform(0.01, 3.99, POINTS) * STEP, NORTH - rng.uniform(0.01, 1.99, POINTS) * STEP]
    )
    owner = source("communities", family=Family.COMMUNITIES)
    Community.objects.bulk_create(
        Community(
            source=owner, ext_id=str(n), name=f"{n}", kind="residential", geom=Point(*spot, srid=CGCS2000), cell=0
        )
        for n, spot in enumerate(spots.tolist())
    )


def rolled_back() -> None:
    """Wait until the database has noticed that a process is gone and has rolled its work back."""
    with connection.cursor() as cursor:
        for _ in range(400):
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND state <> 'idle'"
            )
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("the killed process still holds the database")


def whole() -> int:
    """Check that exactly one edition answers, complete and with every point in it, and return which map it shows."""
    edition = published_edition()
    assert edition is not None
    assert Edition.objects.filter(state=EditionState.PUBLISHED).count() == 1
    for each in Edition.objects.all():
        versions = RegionVersion.objects.filter(edition=each)
        assert set(versions.values_list("code", flat=True)) == {"310000", "310101", code("A"), code("B")}
        assert versions.filter(pk__in=RegionPart.objects.values("version")).count() == 4
    codes = dict(RegionVersion.objects.filter(edition=edition).values_list("region_id", "code"))
    rows = Community.objects.values_list("geom", "region_id")
    shown = RegionVersion.objects.get(edition=edition, code=code("A")).geom.extent[2]
    reach = round((shown - WEST) / STEP)
    wrong = [
        point.x for point, region in rows if codes.get(region) != code("A" if point.x < WEST + reach * STEP else "B")
    ]
    assert wrong == []
    assert len(rows) == POINTS
    return reach


def shares(count: int) -> list[float]:
    """Return random moments spread over an act, each in a stretch of its own."""
    moments = [(n + random.random()) / count for n in range(count)]
    random.shuffle(moments)
    return moments


def to_and_fro() -> Callable[[], tuple[int, str]]:
    """Return a function that gives the other map at each call, with a name for it."""
    turns = iter(range(1, 100))

    def other() -> tuple[int, str]:
        turn = next(turns)
        return (3 if turn % 2 else 2), f"第{turn}版"

    return other


def test_a_killed_publishing_job_leaves_one_edition_whole_and_goes_on(publisher: Publisher, points: None) -> None:
    published(drawn(DRAWINGS[2]), "旧版")
    other = to_and_fro()

    def asked() -> tuple[int, Job]:
        reach, name = other()
        return reach, Job.objects.create(kind=PUBLISH_JOB, params={"edition": draft(drawn(DRAWINGS[reach]), name).pk})

    for _ in range(2):
        reach, job = asked()
        publisher.measure("job", job.pk)
        assert whole() == reach
    killed = halfway = 0
    for pair in np.array_split(shares(16), 8):
        if killed >= 6 and halfway:
            break
        before = reach
        reach, job = asked()
        for share in pair:
            blow = publisher.kill("job", job.pk, share)
            killed += blow
            halfway += PendingAssignment.objects.exists()
            assert whole() == (reach if published_edition().pk == job.params["edition"] else before)
            Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(attempts=ATTEMPTS - 2)
            revive_jobs(dead_after=datetime.timedelta(0))
        publisher.run("job", job.pk)
        assert whole() == reach
        assert Job.objects.get(pk=job.pk).state == JobState.DONE
        assert not PendingAssignment.objects.exists()
    assert killed >= 6
    assert halfway, "no blow fell between two chunks"


def test_a_killed_import_of_regions_publishes_nothing_by_halves_and_can_be_repeated(
    publisher: Publisher, points: None, tmp_path: Path
) -> None:
    files = {reach: regions_file(tmp_path, drawn(drawing), f"{reach}.geojson") for reach, drawing in DRAWINGS.items()}
    publisher.run("import", files[2])
    publisher.measure("import", files[3])
    reach, killed = whole(), 0
    assert reach == 3
    for share in shares(4):
        before, reach = reach, 5 - reach
        runs = ImportRun.objects.filter(state=RunState.PUBLISHED).count()
        stamp = Source.objects.get(key="drawn").published_at
        killed += publisher.kill("import", files[reach], share)
        now = whole()
        done = ImportRun.objects.filter(state=RunState.PUBLISHED).count() - runs
        assert (now, Source.objects.get(key="drawn").published_at != stamp) == (
            (reach, True) if done else (before, False)
        )
        publisher.run("import", files[reach])
        assert whole() == reach
    assert killed >= 2
