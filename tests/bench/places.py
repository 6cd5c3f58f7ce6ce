"""B2: the circle over HTTP, asked by eight people at once; B11: the nearest ten of a million points, by metres and
exactly; B15: two hundred people in the finder, and a list of ten thousand.

Works in a scratch database with the invented city and a server process of its own, and removes both. ``QUANTU_BENCH_SECONDS``
shortens the three minutes of B2, ``QUANTU_SCALE=tiny`` the city.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx

from tests.bench._scratch import scratch
from tests.bench._serving import server
from tests.bench.report import Bar

CLIENTS = 8
THINK_S = 5.0
SECONDS = float(os.environ.get("QUANTU_BENCH_SECONDS", "180"))
KINDS = ("childcare", "nursery", "eldercare", "canteen", "kindergarten", "health_centre")
MODES = ("walk", "elder", "pram", "wheelchair")
UNCACHED_BAR_MS, CACHED_BAR_MS, NEAREST_BAR_MS = 25.0, 5.0, 5.0
FINDER_BAR_MS, LIST_BAR_MS = 500.0, 100.0
FINDERS = 200

Params = dict[str, str]


def run() -> list[Bar]:
    """Return B2 uncached and cached, then B11 against its bar and against a k-d tree held in memory."""
    with scratch("places") as database:
        _say("loading the invented city")
        database.manage("load_city", "--scale", os.environ.get("QUANTU_SCALE", "demo"))
        origins = database.part("_places", "ground")
        with server(database.environment) as address:
            bars = _circles(address, origins)
            _say("two hundred people")
            bars += _finder(address, origins)
        _say("a list of ten thousand")
        bars += _list(database.part("_places", "browsing"))
        _say("a million points")
        return bars + nearest(database.part("_places", "nearest"))


def _circles(address: str, origins: list[list[float]]) -> list[Bar]:
    chance = random.Random(2)
    asked = [
        {
            "lon": f"{lon:.6f}",
            "lat": f"{lat:.6f}",
            "minutes": "15",
            "mode": chance.choice(MODES),
            "kinds": chance.choice(KINDS),
        }
        for lon, lat in origins
    ]
    began = time.perf_counter()
    httpx.get(f"{address}/api/v1/circle", params=asked.pop(), timeout=60)
    first = time.perf_counter() - began
    for _ in range(30):
        httpx.get(f"{address}/api/v1/circle", params=asked.pop(), timeout=60)
    _say(f"{CLIENTS} clients for {SECONDS:.0f} s, first answer after {first * 1000:.0f} ms")
    fresh, faults, rate = _load(address, asked, SECONDS, again=False)
    kept, kept_faults, _ = _load(address, asked, SECONDS / 3, again=True)
    note = f"{CLIENTS} clients, think {THINK_S:.0f} s, {SECONDS:.0f} s, {len(fresh)} requests, {rate:.2f}/s, {faults} errors"
    return [
        _bar("B2", fresh, UNCACHED_BAR_MS, f"circle uncached, p95; p50 {_at(fresh, 50):.1f}; {note}; peer = bar"),
        _bar(
            "B2",
            kept,
            CACHED_BAR_MS,
            f"circle cached, p95; p50 {_at(kept, 50):.1f}; {len(kept)} requests, {kept_faults} errors; peer = bar",
        ),
    ]


def _finder(address: str, origins: list[list[float]]) -> list[Bar]:
    """Return B15: two hundred people who search by name, look around, narrow the list and order it, all at once."""
    chance = random.Random(15)
    lock, times, faults = threading.Lock(), list[float](), [0]
    # Everybody stands ready before the clock starts: a client takes 30 ms to set up, and two hundred of them, busy with that on
    # one core while the first already ask, would be timed as slow answers.
    shared = httpx.create_ssl_context()
    ready = [
        httpx.Client(base_url=address, headers={"X-Real-IP": f"198.51.100.{number}"}, timeout=30, verify=shared)
        for number in range(1, FINDERS + 1)
    ]
    until = time.monotonic() + SECONDS

    def question() -> tuple[str, Params]:
        lon, lat = chance.choice(origins)
        here = {"lon": f"{lon:.6f}", "lat": f"{lat:.6f}"}
        kinds = {"kinds": chance.choice(KINDS)}
        return chance.choice(
            [
                ("/api/v1/suggest", {"q": chance.choice(["国权", "tuoyu", "幼儿园", "xs", "静安"])} | here),
                ("/api/v1/circle", here | kinds | {"minutes": "15", "mode": chance.choice(MODES)}),
                ("/places", here | kinds),
                ("/places", here | {"kinds": "childcare", "meals": "1", "age_months": "20", "order": "fee"}),
                ("/places", {"kinds": "childcare", "q": chance.choice(["托育", "宝宝屋", "yey"])}),
            ]
        )

    def person(number: int) -> None:
        mine = random.Random(number)
        with ready[number - 1] as http:
            time.sleep(mine.uniform(0, THINK_S))
            while time.monotonic() < until:
                with lock:
                    path, params = question()
                began = time.perf_counter()
                answer = http.get(path, params=params)
                with lock:
                    times.append((time.perf_counter() - began) * 1000)
                    faults[0] += answer.status_code != 200
                time.sleep(mine.expovariate(1 / THINK_S))

    people = [threading.Thread(target=person, args=(number,)) for number in range(1, FINDERS + 1)]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    note = f"{FINDERS} people, think {THINK_S:.0f} s, {SECONDS:.0f} s, {len(times)} requests, {faults[0]} errors"
    return [_bar("B15", times, FINDER_BAR_MS, f"mixed finder, p95; p50 {_at(times, 50):.1f}; {note}; peer = bar")]


def _list(found: dict[str, Any]) -> list[Bar]:
    ours = found["ours"]
    note = (
        f"list of {found['rows']:,} institutions filtered, counted and ordered, p95; p50 {_at(ours, 50):.1f}; first, with reading "
        f"them, {found['first']:.0f}; page of {found['bytes'] / 1024:.0f} KB; peer = bar"
    )
    return [_bar("B15", ours, LIST_BAR_MS, note)]


def _load(address: str, asked: list[Params], seconds: float, *, again: bool) -> tuple[list[float], int, float]:
    """Let the clients ask for some seconds; return the milliseconds of their answers, the errors, and the requests per second.

    With ``again`` each question is put twice and the second answer counts.
    """
    times: list[float] = []
    faults = [0]
    lock = threading.Lock()
    until = time.monotonic() + seconds

    def client(number: int) -> None:
        chance = random.Random(number)
        # Each client is a person of its own to the limits; between nginx and the server this header says who.
        with httpx.Client(base_url=address, headers={"X-Real-IP": f"198.51.100.{number}"}, timeout=30) as http:
            time.sleep(chance.uniform(0, THINK_S))
            while time.monotonic() < until:
                with lock:
                    params = asked.pop()
                if again:
                    http.get("/api/v1/circle", params=params)
                began = time.perf_counter()
                answer = http.get("/api/v1/circle", params=params)
                spent = (time.perf_counter() - began) * 1000
                with lock:
                    times.append(spent)
                    faults[0] += answer.status_code != 200
                time.sleep(chance.expovariate(1 / THINK_S))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(1, CLIENTS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, faults[0], len(times) / seconds


def nearest(found: dict[str, list[float] | int]) -> list[Bar]:
    """Return B11 of what the part ``nearest`` measured."""
    ours, peer = found["ours"], found["peer"]
    assert isinstance(ours, list)
    assert isinstance(peer, list)
    truth = f"{found['wrong']} of {found['asked']} answers differ from brute force on {found['points']:,} points"
    median, tree = _at(ours, 50), _at(peer, 50)
    return [
        _bar("B11", ours, NEAREST_BAR_MS, f"nearest 10 by metres, p95; {truth}; peer = bar"),
        Bar(
            "B11",
            median,
            tree,
            tree / median,
            "ms",
            "p50, whole query with rows read; peer: k-d tree in memory, ids alone",
        ),
    ]


def _bar(name: str, times: Sequence[float], bar: float, note: str) -> Bar:
    worst = _at(times, 95)
    return Bar(name, worst, bar, bar / worst, "ms", note)


def _at(times: Sequence[float], per_cent: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[per_cent - 1]


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
