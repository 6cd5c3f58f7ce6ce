"""Server and worker killed with -9 again and again in the middle: nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from django.conf import settings as house
from django.core.cache import cache
from django.utils import timezone

from geo.fences.evaluate.positions import Position
from geo.fences.evaluate.tracking import FenceRule
from services.access.clients.models import ClientCall
from services.fencing.following.books import LIMITS
from services.fencing.following.delivering import deliver_due
from services.fencing.following.intake import SILENT, settle_silent
from services.fencing.following.models import DeliveryState, Feed, FenceDelivery, FenceEvent, Subject
from services.fencing.live import live_fences
from services.integrations.receivers.simulator import Simulator
from tests.geo.fences.evaluate.reading import read
from tests.services.fencing.following.platforms import Platform, edition, platform, read_back, rows_of, told
from tests.services.fencing.following.test_intake import start
from tests.services.fencing.sets import middle, square

ROOT = Path(__file__).resolve().parents[4]
WORKER = """
import time, django
django.setup()
from services.fencing.following.delivering import deliver_due
while True:
    deliver_due()
    time.sleep(0.02)
"""
SUBJECTS, STEPS, BATCH = 6, 260, 20


def environment() -> dict[str, str]:
    database = house.DATABASES["default"]
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "web.settings",
        "DATABASE_URL": f"postgresql:///{database['NAME']}?host={database['HOST']}&user={database['USER']}",
        "REDIS_URL": house.REDIS_URL,
        "QUANTU_KEYSTORE": str(house.KEYSTORE),
        "QUANTU_RECEIVER_HOSTS": "127.0.0.1",
        "QUANTU_INSIDE_HOSTS": "127.0.0.1",
        "QUANTU_RECEIVER_TIMEOUT": "2",
        "QUANTU_LOG": "ERROR",
    }


class Dying:
    """A process that is killed with -9 and started anew."""

    def __init__(self, command: list[str]) -> None:
        self.command, self.deaths = command, 0
        self.begin()

    def begin(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=environment(), stderr=subprocess.DEVNULL, start_new_session=True
        )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.deaths += 1


@contextmanager
def serving() -> Iterator[tuple[Dying, str]]:
    """Run the web server as ``./run`` does, on a port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    granian = str(Path(sys.executable).with_name("granian"))
    server = Dying(
        [
            granian, "--interface", "wsgi", "--http", "1", "--no-ws", "--workers", "1", "--blocking-threads", "4",
            "--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "web.wsgi:application",
        ]
    )  # fmt: skip
    try:
        yield server, f"http://127.0.0.1:{port}"
    finally:
        server.kill()


def journey(seed: int, begin: int) -> list[Position]:
    """Return a wandering among the fences, a fix every two seconds at some 8 m/s."""
    rng = np.random.default_rng(seed)
    x, y = middle()
    here = np.array([x - 100.0, y - 100.0]) + rng.uniform(-150, 150, 2)
    heading, way = rng.uniform(0, 2 * np.pi), []
    for step in range(STEPS):
        back = np.arctan2(y - 100 - here[1], x - 100 - here[0])
        heading = back if np.hypot(*(here - (x - 100, y - 100))) > 250 else heading + rng.normal(0, 0.3)
        here = here + 16.0 * np.array([np.cos(heading), np.sin(heading)])
        way.append(Position(begin + step * 2_000, float(here[0]), float(here[1]), 6.0, step))
    return way


def send(side: Platform, rows: list[dict[str, Any]]) -> None:
    """Send a batch until it is answered."""
    end = time.monotonic() + 90
    while True:
        with suppress(urllib.error.URLError, HTTPException, OSError):
            answer = side.report(rows)
            assert answer.status == 200, answer
            return
        assert time.monotonic() < end, "the server does not come back"
        time.sleep(0.05)


@pytest.mark.timeout(600)
def test_whenever_server_and_worker_die_every_event_is_kept_and_told_once(live_city: str, settings: Any) -> None:
    cache.clear()
    edition({f"料场{n}": square(70 * (n % 3), 70 * (n // 3), 60, 60) for n in range(9)})
    begin = start(30)
    made = platform()
    made.follow(cross=True, dwell_s=20, approach_m=30)
    journeys = {f"truck-{n}": rows_of(f"truck-{n}", journey(n, begin)) for n in range(SUBJECTS)}
    settings.RECEIVER_HOSTS, settings.INSIDE_HOSTS = ["127.0.0.1"], ["127.0.0.1"]

    with Simulator(app=made.app, secret="", slow_s=0.01) as receiver, serving() as (server, address):
        receiver.secret = made.call("PUT", "receiver", said={"url": receiver.url}).said["secret"]
        worker = Dying([sys.executable, "-c", WORKER])
        try:
            replay(Platform(made.app, made.secret, address), journeys, server, worker)
        finally:
            worker.kill()
    assert server.deaths >= 8
    assert worker.deaths >= 4
    settle_silent(now=timezone.now() + SILENT * 2)
    check_events(made, journeys)
    with Simulator(app=made.app, secret=receiver.secret, port=int(receiver.url.rpartition(":")[2])) as rest:
        deliver_rest()
        check_told(made, Counter(each.id for each in (*receiver.kept, *rest.kept)))
    assert ClientCall.objects.filter(operation="fences.positions", outcome="answered").count() >= SUBJECTS


def replay(
    side: Platform, journeys: dict[str, list[dict[str, Any]]], server: Dying, worker: Dying
) -> None:  # fmt: skip
    """Send every journey, batches of all subjects mixed, three sides at once; what was not answered is sent again.

    Of most batches the server is killed while it works on them, at a moment drawn from the time that the last whole one took.
    """
    chance, took = random.Random(20261122), 0.5
    for number, a in enumerate(range(0, STEPS, BATCH)):
        batch = [row for rows in journeys.values() for row in rows[a : a + BATCH]]
        awake(side)
        begun = time.monotonic()
        senders = [threading.Thread(target=send, args=(side, batch)) for _ in range(3)]
        for sender in senders:
            sender.start()
        doomed = number % 4 != 3
        if doomed:
            time.sleep(chance.uniform(0.02, max(took, 0.2)))
            server.kill()
            server.begin()
        if number % 3 == 1:
            worker.kill()
            worker.begin()
        for sender in senders:
            sender.join()
        took = took if doomed else time.monotonic() - begun


def awake(side: Platform) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + 90
    while True:
        with suppress(urllib.error.URLError, HTTPException, OSError):
            assert side.call("GET", "events", "limit=1").status == 200
            return
        assert time.monotonic() < end, "the server does not come back"
        time.sleep(0.05)


def check_events(made: Platform, journeys: dict[str, list[dict[str, Any]]]) -> None:
    """Compare what is kept with the slow reading of everything that was reported."""
    live = live_fences()
    placed = dict(zip(live.index.ids, live.index.shapes, strict=True))
    rules = [FenceRule(name, cross=True, dwell_s=20, approach_m=30) for name in placed]
    count = 0
    for subject, rows in journeys.items():
        expected = read(read_back(rows), placed, rules, LIMITS)
        assert told(made.app, subject) == expected, subject
        count += len(expected)
    assert count > 60
    assert Subject.objects.count() == SUBJECTS
    numbers = list(FenceEvent.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, count + 1)), "no gap, none twice"
    assert Feed.objects.get().last == count
    assert all(isinstance(shape, shapely.Polygon | shapely.MultiPolygon) for shape in placed.values())


def deliver_rest() -> None:
    """Deliver what is left, as the worker's next rounds would."""
    end = time.monotonic() + 60
    while FenceDelivery.objects.filter(state=DeliveryState.WAITING).exists():
        assert time.monotonic() < end
        FenceDelivery.objects.filter(state=DeliveryState.WAITING).update(next_at=timezone.now())
        cache.clear()
        deliver_due()


def check_told(made: Platform, kept: Counter[Any]) -> None:
    """Compare what the receiver keeps, by id, with the events; each subject's in their order."""
    events = {event.id for event in FenceEvent.objects.all()}
    assert set(kept) == events, "told is what happened"
    assert set(FenceDelivery.objects.values_list("state", flat=True)) == {"sent"}
    assert FenceDelivery.objects.count() == len(events)
    read_ = made.all_events()
    assert {each["id"] for each in read_} == {str(pk) for pk in events}
    assert len(read_) == len(events)
