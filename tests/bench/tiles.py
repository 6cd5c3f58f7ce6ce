"""B6: vector tiles out of PostGIS against TiPg on the same tables, eight connections, one process each, no tile kept; then kept
ones and 304s; bytes. Then B11, and pages of items out of a million rows.

Asked for are the tiles that hold nine tenths of the points, each once in a round. Works in a scratch database with 42,357 points
(the real ones of ``QUANTU_DATA`` where they are) and as many areas, and drops it.
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

from tests.bench import _items, _tipg
from tests.bench._scratch import Scratch, scratch
from tests.bench._serving import server
from tests.bench.places import nearest
from tests.bench.report import Bar

CONNECTIONS = 8
ROUNDS = 3
BYTES_BAR = 500_000
RATES = {10: 5.0, 11: 5.0, 12: 5.0, 14: 2.0}
KEPT_RATE = 20.0
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
        with server(environment) as address:
            bars = _cold(database, address, tiles, theirs)
        return bars + _others()


THEIRS = "/collections/public.bench_{table}/tiles/WebMercatorQuad/{z}/{x}/{y}?properties=id,name,kind"
OURS = "/tiles/bench_{table}/{z}/{x}/{y}.mvt?edition={edition}"
Case = tuple[str, int]


def _all(address: str, template: str, tiles: dict[int, list[tuple[int, int]]]) -> dict[Case, Load]:
    found = {}
    for table in TABLES:
        for z, some in tiles.items():
            paths = [template.format(table=table, z=z, x=x, y=y) for x, y in some]
            _ask(address, paths[:20])
            found[table, z] = max((_ask(address, paths) for _ in range(ROUNDS)), key=lambda load: load.rate)
            _say(
                f"peer {table} z{z}: {found[table, z].rate:,.0f}/s, {max(found[table, z].sizes) / 1000:,.0f} KB at most"
            )
    return found


def _cold(
    database: Scratch, address: str, tiles: dict[int, list[tuple[int, int]]], theirs: dict[Case, Load]
) -> list[Bar]:
    bars = []
    for table in TABLES:
        edition = httpx.get(f"{address}/tiles/bench_{table}.json", timeout=30).json()["edition"]
        for z, some in tiles.items():
            paths = [OURS.format(table=table, z=z, x=x, y=y, edition=edition) for x, y in some]
            _ask(address, paths[:20])  # as the peer is warmed: connections, plans, the points of the layer
            rounds = []
            for _ in range(ROUNDS):
                database.part("_tiles", "forget")
                rounds.append(_ask(address, paths))
            cold = max(rounds, key=lambda load: load.rate)
            kept = max((_ask(address, paths * 3) for _ in range(ROUNDS)), key=lambda load: load.rate)
            same = max((_ask(address, paths * 3, cold.tags) for _ in range(ROUNDS)), key=lambda load: load.rate)
            peer = theirs.get((table, z))
            bars += _bars(table, z, len(some), cold, kept, same, peer)
    return bars


def _bars(table: str, z: int, many: int, cold: Load, kept: Load, same: Load, peer: Load | None) -> list[Bar]:
    theirs = peer.rate if peer else None
    note = f"{many} tiles, {cold.faults} faults; mean {sum(cold.sizes) / len(cold.sizes) / 1000:,.1f} KB"
    if peer:
        note += f", peer {sum(peer.sizes) / len(peer.sizes) / 1000:,.1f} KB"
    largest = max(cold.sizes)

    def ratio(load: Load) -> float | None:
        return load.rate / theirs if theirs else None

    return [
        Bar("B6", cold.rate, theirs, ratio(cold), "/s", f"{table} z{z} cold, bar {RATES[z]:g}×; {note}"),
        Bar("B6", kept.rate, theirs, ratio(kept), "/s", f"{table} z{z} kept in Redis, before nginx"),
        Bar("B6", same.rate, theirs, ratio(same), "/s", f"{table} z{z} 304, before nginx"),
        Bar("B6", largest / 1000, BYTES_BAR / 1000, BYTES_BAR / largest, "KB", f"{table} z{z} largest tile; peer = bar"),
    ]  # fmt: skip


def _ask(address: str, paths: Sequence[str], tags: dict[str, str] | None = None) -> Load:
    """Ask for every path once over eight kept connections, each a caller of its own to the limits."""
    parts = urlsplit(address)
    load, lock, waiting = Load(), threading.Lock(), list(reversed(paths))

    def caller() -> None:
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                with lock:
                    if not waiting:
                        return
                    path = waiting.pop()
                    number = len(waiting)
                head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nX-Real-IP: 198.51.{number // 250 % 250}.{number % 250}\r\n"
                head += f"If-None-Match: {tags[path]}\r\n" if tags and path in tags else ""
                line.sendall((head + "\r\n").encode())
                status, size, tag = _answer(line)
                with lock:
                    load.sizes.append(size)
                    load.faults += status not in (200, 204, 304)
                    if tag:
                        load.tags[path] = tag

    began = time.perf_counter()
    callers = [threading.Thread(target=caller) for _ in range(CONNECTIONS)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    load.rate = len(paths) / (time.perf_counter() - began)
    return load


def _answer(line: socket.socket) -> tuple[int, int, str]:
    """Read one answer to its end; return its status, the bytes of its body and its ETag."""
    read = b""
    while b"\r\n\r\n" not in read:
        read += line.recv(65536)
    head, _, body = read.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    said = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields)}
    size, got = int(said.get("content-length", "0")), len(body)
    while got < size:
        got += len(line.recv(min(1 << 20, size - got)))
    return int(status.split()[1]), size, said.get("etag", "")


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
