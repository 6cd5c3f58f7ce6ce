"""B7: which of many fences hold each of many points, beside shapely's tree of prepared shapes; building; following subjects;
and asked over HTTP in batches, of a server process of its own over a scratch database.

Times are those of the processor, of one thread; over HTTP those of the clock.
"""

from __future__ import annotations

import http.client
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson
import shapely

from geo.crs import SHANGHAI
from geo.fences.evaluate.index import FenceIndex, Hits, warm_up
from geo.fences.evaluate.positions import Position
from geo.fences.evaluate.tracking import FenceRule, RuleBook, Track, advance
from tests.bench._scratch import scratch
from tests.bench._serving import server
from tests.bench.report import Bar
from tests.geo.fences.evaluate.drawing import named, stars

GOAL = 2.0
POINTS, PEER_POINTS = 2_000_000, 400_000
ROUNDS = 5
EXTENT = 60_000.0
START = 1_795_392_000_000
SUBJECTS, FIXES = 100, 600
HTTP_GOAL = 50_000.0
BATCH, BATCHES = 1000, 60
CLIENTS = 2
SECONDS = float(os.environ.get("QUANTU_BENCH_SECONDS", "12"))


def run() -> list[Bar]:
    """Return the rates of points among 1,000 and 50,000 fences, of building, and of positions followed."""
    warm_up()
    rng = np.random.default_rng(7)
    thousand = stars(rng, 1000, 100, 1000.0, EXTENT)
    many = stars(rng, 50_000, 20, 150.0, EXTENT)
    anywhere = rng.uniform(0, EXTENT, (2, POINTS))
    within = _within(thousand, rng)
    return [
        _points(thousand, anywhere, "1,000 fences of 100 vertices, points all over the city"),
        _points(thousand, within, "the same, every point in a fence"),
        _points(many, anywhere, "50,000 fences of 20 vertices"),
        *_building(thousand, many),
        *_following(thousand),
        *_served(),
    ]


def served_fences() -> np.ndarray:
    """Return the fences asked over HTTP: 1,000 of 100 vertices around the middle of the city, in metres of its plane."""
    centres = np.random.default_rng(9).uniform(-EXTENT / 2, EXTENT / 2, (1000, 2))
    return stars(np.random.default_rng(10), 1000, 100, 1000.0, centres=centres)


def _within(shapes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return points of which each lies within half the largest radius of some fence, so inside it."""
    middles = shapely.get_coordinates(shapely.centroid(shapes))[rng.integers(0, len(shapes), POINTS)]
    return (middles + rng.uniform(-250, 250, (POINTS, 2))).T.copy()


def _points(shapes: np.ndarray, points: np.ndarray, note: str) -> Bar:
    index = FenceIndex.build(shapes, named(len(shapes)))
    tree = shapely.STRtree(shapes)
    shapely.prepare(shapes)
    few = shapely.points(points[:, :PEER_POINTS].T)
    # in turns, so that a noisy moment of the machine strikes both; the best of each counts
    ours, peer, hits, pairs = np.inf, np.inf, None, None
    for _ in range(ROUNDS):
        spent, hits = _timed(lambda: index.at(*points))
        ours = min(ours, spent)
        spent, pairs = _timed(lambda: tree.query(few, predicate="intersects"))
        peer = min(peer, spent)
    _require_equal(hits, pairs)
    rate, peer_rate = POINTS / ours / 1e6, PEER_POINTS / peer / 1e6
    found = f"{len(hits.fences) / POINTS:.2f} fences a point, {index.nbytes / 1e6:.0f} MB"
    return Bar(
        "B7", rate, peer_rate, rate / peer_rate, "M points/s", f"{note}; {found}; bar {GOAL:g}, peer STRtree, equal"
    )


def _require_equal(hits: Hits, pairs: np.ndarray) -> None:
    """Refuse to report a rate of wrong answers."""
    points, fences = pairs
    order = np.lexsort((fences, points))
    until = hits.offsets[PEER_POINTS]
    same = np.array_equal(hits.points[:until], points[order]) and np.array_equal(hits.fences[:until], fences[order])
    if not same:
        raise AssertionError("the tree of shapes answers otherwise")


def _building(thousand: np.ndarray, many: np.ndarray) -> list[Bar]:
    bars = []
    for shapes in (thousand, many):
        spent, index = min(
            (_timed(lambda s=shapes: FenceIndex.build(s, named(len(s)))) for _ in range(3)), key=lambda t: t[0]
        )
        note = f"building {len(shapes):,} fences, checks of validity included"
        bars.append(Bar("B7", spent, None, None, "s", f"{note}; {index.nbytes / 1e6:.0f} MB"))
    return bars


def _following(shapes: np.ndarray) -> list[Bar]:
    """Drive subjects straight through the city, a fix in two seconds, with all kinds of events wanted of every fence."""
    names = named(len(shapes))
    rules = [FenceRule(name, cross=True, dwell_s=60.0, approach_m=100.0) for name in names]
    book = RuleBook.build(FenceIndex.build(shapes, names), rules)
    rng = np.random.default_rng(8)
    drives = [_drive(rng) for _ in range(SUBJECTS)]
    bars = []
    for size in (100, 1):
        some = drives if size > 1 else drives[: SUBJECTS // 10]
        spent, events = min((_timed(lambda d=some, n=size: _follow(d, n, book)) for _ in range(3)), key=lambda t: t[0])
        rate = len(some) * FIXES / spent
        note = f"following subjects among 1,000 fences, {size} positions at a time; {events / len(some) / FIXES:.3f} events each"
        bars.append(Bar("B7", rate, None, None, "positions/s", note))
    return bars


def _drive(rng: np.random.Generator) -> list[Position]:
    x, y = rng.uniform(0, EXTENT, 2)
    east, north = rng.normal(0, 10, 2)
    noise = rng.normal(0, 4, (FIXES, 2))
    return [
        Position(START + 2000 * t, float(x + east * 2 * t + dx), float(y + north * 2 * t + dy), 6.0, t)
        for t, (dx, dy) in enumerate(noise)
    ]


def _follow(drives: list[list[Position]], size: int, book: RuleBook) -> int:
    count = 0
    for positions in drives:
        track = Track()
        for begin in range(0, len(positions), size):
            track, events = advance(track, positions[begin : begin + size], book)
            count += len(events)
    return count


def _served() -> list[Bar]:
    """Ask a server process of one worker, at once from two connections, and beside it shapely's tree in this process."""
    shapes = served_fences()
    within = _within(shapes, np.random.default_rng(11))[:, : BATCH * BATCHES]
    lon, lat = (column.round(7).reshape(BATCHES, BATCH) for column in SHANGHAI.plane.inverse(*within))
    items = [
        orjson.dumps(
            {"items": [{"id": str(n), "lon": x, "lat": y} for n, (x, y) in enumerate(zip(*batch, strict=True))]}
        )
        for batch in zip(lon.tolist(), lat.tolist(), strict=True)
    ]
    columns = [orjson.dumps({"lon": x, "lat": y}) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    peer = _Peer(shapes)
    spent, told = min((_timed(lambda: [peer.answer(body) for body in items]) for _ in range(2)), key=lambda t: t[0])
    peer_rate = BATCH * BATCHES / spent
    bars = []
    with scratch("fences") as database:
        sys.stderr.write("  loading the invented city\n")
        database.manage("load_city", "--scale", "tiny")
        database.part("_fences", "publish")
        with server(database.environment) as address:
            _require_same(_ask(address, items[0]), told[0])
            for name, bodies in (("items", items), ("columns", columns)):
                rate, faults = _load(address, bodies)
                note = (
                    f"over HTTP by {name}, batches of {BATCH:,}, 1,000 fences, every point in one; one worker, {CLIENTS} connections,"
                    f" {SECONDS:.0f} s, {faults} errors, load {os.getloadavg()[0]:.1f}; bar {HTTP_GOAL:,.0f}; peer STRtree with the"
                    " same answer, without HTTP"
                )
                bars.append(Bar("B7", rate, peer_rate, rate / peer_rate, "points/s", note))
    return bars


class _Peer:
    """What a good programmer writes with shapely: the tree of shapes, and the distance to the border of each hit."""

    def __init__(self, shapes: np.ndarray) -> None:
        self.tree, self.borders = shapely.STRtree(shapes), shapely.boundary(shapes)
        shapely.prepare(shapes)

    def answer(self, body: bytes) -> bytes:
        """Return the fences of each item with the metres to the border, as JSON."""
        items = orjson.loads(body)["items"]
        lon, lat = (np.array([item[name] for item in items]) for name in ("lon", "lat"))
        points = shapely.points(*SHANGHAI.plane.project(lon, lat))
        of, fences = self.tree.query(points, predicate="intersects")
        metres = shapely.distance(points[of], self.borders[fences]).round(1)
        answers: list[dict[str, Any]] = [{"id": item["id"], "outcome": "outside", "fences": []} for item in items]
        for point, fence, metre in zip(of.tolist(), fences.tolist(), metres.tolist(), strict=True):
            answers[point]["outcome"] = "inside"
            answers[point]["fences"].append({"name": f"围栏{fence}", "owner": f"服务站{fence}", "depth_m": metre})
        return orjson.dumps({"items": answers})


def _require_same(ours: bytes, theirs: bytes) -> None:
    """Refuse to report a rate of other answers than the peer's."""

    def said(body: bytes) -> list[dict[str, float]]:
        return [{fence["name"]: fence["depth_m"] for fence in item["fences"]} for item in orjson.loads(body)["items"]]

    for one, other in zip(said(ours), said(theirs), strict=True):
        if one.keys() != other.keys() or any(abs(one[name] - other[name]) > 0.11 for name in one):
            raise AssertionError(f"the tree of shapes answers otherwise: {one} {other}")


def _load(address: str, bodies: list[bytes]) -> tuple[float, int]:
    """Ask from all connections for some seconds; return the points answered in a second, and the errors."""
    lock, counts = threading.Lock(), [0, 0]
    until = time.monotonic() + SECONDS

    def client(number: int) -> None:
        connection, asked = _connection(address), number
        while time.monotonic() < until:
            status, _ = _post(connection, bodies[asked % BATCHES], asked)
            asked += CLIENTS
            with lock:
                counts[status != 200] += 1
        connection.close()

    begun = time.monotonic()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts[0] * BATCH / (time.monotonic() - begun), counts[1]


def _ask(address: str, body: bytes) -> bytes:
    return _post(_connection(address), body, 0)[1]


def _connection(address: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)


def _post(connection: http.client.HTTPConnection, body: bytes, asked: int) -> tuple[int, bytes]:
    # 120 a minute are for one address: each hundred requests is somebody else
    headers = {"Content-Type": "application/json", "X-Real-IP": f"198.51.{asked // 100 % 250}.{asked % 2}"}
    connection.request("POST", "/api/v1/fences/check", body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.thread_time()
    result = work()
    return time.thread_time() - begun, result
