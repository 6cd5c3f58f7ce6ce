"""B6: vector tiles out of PostGIS against TiPg on the same tables, eight connections, one process each, no tile kept; then kept
ones and 304s, asked through nginx as people ask; bytes. Then B11, and pages of items out of a million rows.

Asked for are the tiles of the inner city, so often in a round that there are enough to measure; none is answered out of what is kept.
Works in a scratch database with 42,357 points (the real ones of ``QUANTU_DATA`` where they are) and as many areas, and drops it.
The bars are of points; what areas reach is printed beside.
"""

from __future__ import annotations

import random
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx
import redis

from tests.bench import _items, _tipg
from tests.bench._scratch import Scratch, scratch
from tests.bench._serving import front, server
from tests.bench.places import nearest
from tests.bench.report import Bar
from tests.bench.tile_layers import COUNTED_BELOW

CONNECTIONS = 8
ROUNDS = 3
FEWEST = 128
"""How many tiles a round asks for at least."""
ROUND_S = 1.5
"""How long the peer is asked in a round, about as long as we are: in a shorter one chance decides."""
FEWEST_POINTS = 2_048
"""How many tiles of points a round of ours asks for: fewer are answered before all callers have begun."""
BYTES_BAR = 500_000
RATES = {10: 5.0, 11: 5.0, 12: 5.0, 14: 2.0}
KEPT_RATE = 20.0
AT_ONCE = 16
"""How many kept tiles a connection asks for before it reads the answers: else the caller is slower than what it measures."""
MOST_OF_ONE = 960
"""How many questions one connection is asked: nginx ends it after a thousand."""
TABLES = ("points", "shapes")


@dataclass(slots=True)
class Load:
    """What came of asking: answers a second, bytes of each answer, the ETags by path, how many answers were faults."""

    rate: float = 0.0
    sizes: list[int] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    faults: int = 0


def run() -> list[Bar]:
    """Return the rates at each zoom with their bars, cold and kept, then what else the ``tiles`` benchmark holds."""
    with scratch("tiles") as database:
        _say("42,357 points and as many areas")
        prepared = database.part("_tiles", "prepare")
        tiles = {int(z): _some(found) for z, found in prepared["tiles"].items()}
        _say(f"{prepared['rows']:,} rows, {'real' if prepared['real'] else 'invented'}")
        parts = urlsplit(database.environment["DATABASE_URL"])
        known = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        with _tipg.serving(known.get("host", ""), known.get("user", ""), parts.path.lstrip("/")) as peer:
            theirs = {} if peer is None else _all(peer, THEIRS, tiles)
        environment = {**database.environment, "DJANGO_SETTINGS_MODULE": "tests.bench._tile_settings"}
        with server(environment) as address, front(address) as door:
            bars = _cold(database, address, door, tiles, theirs)
        return bars + _others()


THEIRS = "/collections/public.bench_{table}/tiles/WebMercatorQuad/{z}/{x}/{y}?properties=id,name,kind"
OURS = "/tiles/bench_{table}/{z}/{x}/{y}.mvt?edition={edition}"
Case = tuple[str, int]


def _all(address: str, template: str, tiles: dict[int, list[tuple[int, int]]]) -> dict[Case, Load]:
    found = {}
    for table in TABLES:
        for z, some in tiles.items():
            paths = [template.format(table=table, z=z, x=x, y=y) for x, y in some]
            rate = _ask(address, paths * _times(some)).rate
            paths *= _times(some, round(rate * ROUND_S))
            found[table, z] = max((_ask(address, paths) for _ in range(ROUNDS)), key=lambda load: load.rate)
            _say(
                f"peer {table} z{z}: {found[table, z].rate:,.0f}/s, {max(found[table, z].sizes) / 1000:,.0f} KB at most"
            )
    return found


def _cold(
    database: Scratch, address: str, door: str, tiles: dict[int, list[tuple[int, int]]], theirs: dict[Case, Load]
) -> list[Bar]:
    bars = []
    store = redis.Redis.from_url(database.environment["REDIS_URL"])
    for table in TABLES:
        edition = httpx.get(f"{address}/tiles/bench_{table}.json", timeout=30).json()["edition"]
        for z, some in tiles.items():
            paths = [OURS.format(table=table, z=z, x=x, y=y, edition=edition) for x, y in some]
            _ask(address, paths[:20])  # as the peer is warmed: connections, plans, the points of the layer
            rounds = []
            for _ in range(ROUNDS):
                store.flushdb()
                rounds.append(_ask(address, _never_kept(paths, table, z)))
            cold = max(rounds, key=lambda load: load.rate)
            tags = _ask(door, paths).tags
            often = paths * max(3, 6_000 // len(paths))
            kept = max((_ask(door, often, at_once=AT_ONCE) for _ in range(ROUNDS)), key=lambda load: load.rate)
            same = max((_ask(door, often, tags, AT_ONCE) for _ in range(ROUNDS)), key=lambda load: load.rate)
            peer = theirs.get((table, z))
            bars += _bars(table, z, len(some), cold, kept, same, peer)
    return bars


def _times(some: Sequence[object], fewest: int = FEWEST) -> int:
    return max(1, -(-fewest // len(some)))


def _never_kept(paths: list[str], table: str, z: int) -> list[str]:
    """Return the addresses of a round: points counted together are never kept here, of the others each is another to the store."""
    if table == "points" and z < COUNTED_BELOW:
        return paths * _times(paths, FEWEST_POINTS)
    times = _times(paths, FEWEST_POINTS if table == "points" else FEWEST)
    return [f"{path}&copy={number}" for number in range(times) for path in paths]


def _bars(table: str, z: int, many: int, cold: Load, kept: Load, same: Load, peer: Load | None) -> list[Bar]:
    theirs = peer.rate if peer else None
    note = f"{many} tiles, {len(cold.sizes)} answers, {cold.faults} faults; mean {sum(cold.sizes) / len(cold.sizes) / 1000:,.1f} KB"
    if peer:
        note += f", peer {sum(peer.sizes) / len(peer.sizes) / 1000:,.1f} KB"
    largest, bar = max(cold.sizes), f"bar {RATES[z]:g}×" if table == "points" else "no bar"

    def ratio(load: Load) -> float | None:
        return load.rate / theirs if theirs else None

    return [
        Bar("B6", cold.rate, theirs, ratio(cold), "/s", f"{table} z{z} cold, {bar}; {note}"),
        Bar("B6", kept.rate, theirs, ratio(kept), "/s", f"{table} z{z} kept, through nginx, bar {KEPT_RATE:g}×"),
        Bar("B6", same.rate, theirs, ratio(same), "/s", f"{table} z{z} 304, through nginx, bar {KEPT_RATE:g}×"),
        Bar("B6", largest / 1000, BYTES_BAR / 1000, BYTES_BAR / largest, "KB", f"{table} z{z} largest tile; peer = bar"),
    ]  # fmt: skip


def _ask(address: str, paths: Sequence[str], tags: dict[str, str] | None = None, at_once: int = 1) -> Load:
    """Ask for every path once over eight kept connections, each question a caller of its own to the limits."""
    asking = _Asking(address, list(reversed(paths)), tags or {}, at_once)
    began = time.perf_counter()
    callers = [threading.Thread(target=asking.call) for _ in range(CONNECTIONS)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    load = asking.load
    load.rate = len(paths) / (time.perf_counter() - began)
    if len(load.sizes) != len(paths):
        raise ConnectionError(f"of {len(paths)} questions {len(load.sizes)} were answered")
    return load


@dataclass(slots=True)
class _Asking:
    """What is still to be asked, what came so far, and the ETags that callers say they have."""

    address: str
    waiting: list[str]
    tags: dict[str, str]
    at_once: int
    load: Load = field(default_factory=Load)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self) -> None:
        """Ask until nothing waits, over one connection after the other."""
        parts = urlsplit(self.address)
        while self.waiting:
            with socket.create_connection((parts.hostname, parts.port), timeout=60) as line:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._converse(line, parts.netloc)

    def _converse(self, line: socket.socket, host: str) -> None:
        read = bytearray()
        for _ in range(MOST_OF_ONE // self.at_once):
            with self.lock:
                some, number = self.waiting[-self.at_once :], len(self.waiting)
                del self.waiting[-self.at_once :]
            if not some:
                return
            line.sendall("".join(self._question(host, path, number - each) for each, path in enumerate(some)).encode())
            answers = [(path, *_answer(line, read)) for path in some]
            with self.lock:
                for path, status, size, tag in answers:
                    self.load.sizes.append(size)
                    self.load.faults += status not in (200, 204, 304)
                    if tag:
                        self.load.tags[path] = tag

    def _question(self, host: str, path: str, number: int) -> str:
        address = f"198.51.{number // 250 % 250}.{number % 250}"
        same = f"If-None-Match: {self.tags[path]}\r\n" if path in self.tags else ""
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Real-IP: {address}\r\n{same}\r\n"


def _answer(line: socket.socket, read: bytearray) -> tuple[int, int, str]:
    """Take one answer off what was ``read``, reading on as it takes; return its status, the bytes of its body and its ETag."""
    while (end := read.find(b"\r\n\r\n")) < 0:
        _read_on(line, read)
    status, *fields = read[:end].decode("latin-1").split("\r\n")
    said = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields)}
    code = int(status.split()[1])
    size = 0 if code in (204, 304) else int(said.get("content-length", "0"))
    while len(read) < end + 4 + size:
        _read_on(line, read)
    del read[: end + 4 + size]
    return code, size, said.get("etag", "")


def _read_on(line: socket.socket, read: bytearray) -> None:
    # Said anew before every reading: else the server waits 40 ms to learn that we have the first part of some answers.
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    more = line.recv(1 << 18)
    if not more:
        raise ConnectionError(f"The server ended the connection within an answer: {bytes(read[:200])!r}")
    read += more


def _some(found: list[list[int]]) -> list[tuple[int, int]]:
    chosen = [(x, y) for x, y in found]
    random.Random(6).shuffle(chosen)
    return chosen


def _others() -> list[Bar]:
    """Return B11 as the ``places`` benchmark measures it, and the pages of items."""
    with scratch("tiles_nearest") as database:
        _say("a million points")
        database.manage("load_city", "--scale", "tiny")
        bars = nearest(database.part("_places", "nearest"))
    _say("a million items")
    return bars + _items.run()


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
