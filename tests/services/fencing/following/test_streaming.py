"""Events as they come, from the process of streams as ``./run`` starts it: gone on with, bounded, closed when the right ends."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from services.access.clients.actions import stop_client_key
from services.fencing.following.streaming import HEARTBEAT_S, MOST_OF_ONE
from services.integrations.signing import signed_headers
from tests.services.fencing.following.platforms import KEEPER, Platform, edition, platform, rows_of
from tests.services.fencing.following.test_intake import drive, start
from tests.services.fencing.following.test_killed import ROOT, environment
from tests.services.fencing.sets import square

PATH = "/sse/fences/events"


_open: list[Stream] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close what a test left open."""
    yield
    while _open:
        _open.pop().close()


class Stream:
    """An open stream, as a program of a platform reads it."""

    def __init__(self, port: int, side: Platform, *, last: str = "", query: str = "", secret: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = signed_headers(
            app=side.app, secret=secret or side.secret, method="GET", path=PATH, query=query, body=b""
        )
        headers |= {"X-Real-IP": "203.0.113.7"} | ({"Last-Event-ID": last} if last else {})
        self.connection.request("GET", f"{PATH}?{query}" if query else PATH, headers=headers)
        self.answer = self.connection.getresponse()
        _open.append(self)

    def frame(self) -> dict[str, str]:
        """Return the next frame; a heartbeat is an empty one."""
        found: dict[str, str] = {}
        while line := self.answer.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            if name:
                found[name] = value
        return found

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return the next events, told once each with their number as id."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            frame = self.frame()
            if "data" in frame:
                event = json.loads(frame["data"])
                assert (frame["id"], frame["event"]) == (str(event["number"]), event["kind"])
                found.append(event)
        return found

    def close(self) -> None:
        """Go away without a word."""
        self.answer.close()
        self.connection.close()


@pytest.fixture
def truck(live_city: str) -> Platform:
    cache.clear()
    edition({"料场": square(0, 0)})
    made = platform()
    made.follow()
    return made


@pytest.fixture
def port(truck: Platform) -> Iterator[int]:
    """Return the port of a process of streams."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    line = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("stream:"))
    command = line.partition(" granian ")[2].replace('--uds "$STREAM_SOCKET"', f"--host 127.0.0.1 --port {number}")
    granian = str(Path(sys.executable).with_name("granian"))
    process = subprocess.Popen([granian, *command.split()], cwd=ROOT, env=environment(), start_new_session=True)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", number), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < end
                assert process.poll() is None
                time.sleep(0.1)
        yield number
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_events_come_as_they_happen_and_a_reader_goes_on_where_it_stopped(truck: Platform, port: int) -> None:
    truck.report(rows_of("truck-1", drive(start())))
    first = Stream(port, truck)
    assert (first.answer.status, first.answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    earlier = first.events(2)
    begun = time.monotonic()
    truck.report(rows_of("truck-2", drive(start())))
    lately = first.events(2)
    assert time.monotonic() - begun < HEARTBEAT_S / 3, "told at once, not at the next heartbeat"
    first.close()
    truck.report(rows_of("truck-3", drive(start())))
    again = Stream(port, truck, last=str(lately[0]["number"]))
    rest = again.events(3)
    assert earlier + lately[:1] + rest == truck.events()
    assert Stream(port, truck, query="after=5").events(1) == truck.events(after=5)
    again.close()


def test_no_more_streams_of_one_platform_than_a_few_and_a_closed_one_makes_room(truck: Platform, port: int) -> None:
    other = platform("别的平台")
    held = [Stream(port, truck) for _ in range(MOST_OF_ONE)]
    for each in held:
        assert each.frame() == {"retry": "3000"}
    refused = Stream(port, truck)
    assert (refused.answer.status, json.load(refused.answer)["code"]) == (429, "streams_many")
    assert Stream(port, other).frame() == {"retry": "3000"}
    held[0].close()
    end = time.monotonic() + 2 * HEARTBEAT_S
    while (again := Stream(port, truck)).answer.status != 200:
        assert time.monotonic() < end
        time.sleep(0.5)
    assert again.frame() == {"retry": "3000"}


def test_a_key_that_is_stopped_closes_its_stream(truck: Platform, port: int) -> None:
    stream = Stream(port, truck)
    assert stream.frame() == {"retry": "3000"}
    stop_client_key(app=truck.app, label=truck.row.keys.get().label, scope=KEEPER)
    begun = time.monotonic()
    while not (frame := stream.frame()):
        assert time.monotonic() - begun < 2 * HEARTBEAT_S
    assert frame == {"event": "end", "data": '{"code": "stopped"}'}
    assert stream.answer.read() == b""


def test_who_is_not_let_in_reads_why(truck: Platform, port: int, live_city: str) -> None:
    wrong = Stream(port, truck, secret="another")
    assert (wrong.answer.status, json.load(wrong.answer)["code"]) == (401, "signature_invalid")
    odd = Stream(port, truck, last="x")
    assert (odd.answer.status, json.load(odd.answer)["code"]) == (400, "number_invalid")
    elsewhere = Stream(int(live_city.rpartition(":")[2]), truck)
    assert (elsewhere.answer.status, json.load(elsewhere.answer)["code"]) == (503, "streams_elsewhere")
