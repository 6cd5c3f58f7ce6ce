"""What speaks against the position of a telephone: each a named hint with a weight, told to who supervises. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from geo.crs import Coordinate, System

FASTEST_MS: Final = 70.0
"""Metres a second that nobody goes in this city, express trains excepted."""
SHORTEST_JUMP_M: Final = 1_000.0
SAME_TIMES: Final = 2
"""After so many earlier positions that were the very same one is told: satellites never say the same twice."""
SKEW: Final = dt.timedelta(minutes=3)
OLDEST: Final = dt.timedelta(minutes=2)
EARTH_M: Final = 6_371_008.8
PROMISED: Final = MappingProxyType({"微信": ("altitude", "speed")})
"""What a container that gave the position always says beside it, by the name of its bridge."""


@dataclass(frozen=True, slots=True)
class HintKind:
    """A hint as people read it."""

    key: str
    title: str
    weight: int


HINTS: Final = {
    kind.key: kind
    for kind in (
        HintKind("mock", "手机报告位置来自模拟定位", 3),
        HintKind("jump", "和上一次打卡之间来不及赶到", 3),
        HintKind("exact", "精度为 0，真实定位不会这样", 2),
        HintKind("two_devices", "同一天换了手机，或一部手机给两个人打卡", 2),
        HintKind("same", "和以前几次的坐标分毫不差", 1),
        HintKind("clock", "手机的时间和服务器差 3 分钟以上", 1),
        HintKind("stale", "位置不是当时取的", 1),
        HintKind("bare", "应有的高度、速度没有给", 1),
    )
}
"""Every hint by its key, the heaviest first."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A position as a telephone gave it: degrees of CGCS2000, metres, what else it said, and by whom.

    ``given`` is the coordinate as it came, in the system it was named in. ``fixed_at`` and ``sent_at`` are by the clock of the
    telephone, None where it said nothing.
    """

    lon: float
    lat: float
    accuracy_m: float
    given: Coordinate
    source: str = ""
    altitude: float | None = None
    speed: float | None = None
    mocked: bool = False
    fixed_at: dt.datetime | None = None
    sent_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier position of the same person by the clock of the house; ``given`` as it came."""

    at: dt.datetime
    lon: float
    lat: float
    accuracy_m: float
    given: tuple[float, float, System]


def hints_of(
    reading: Reading, now: dt.datetime, earlier: Sequence[Earlier] = (), *, other_device: bool = False
) -> tuple[HintKind, ...]:
    """Return the hints against a position received ``now``, the heaviest first; ``earlier`` is the latest first."""
    found = set(_found(reading, now, earlier))
    if other_device:
        found.add("two_devices")
    return tuple(kind for key, kind in HINTS.items() if key in found)


def weight_of(hints: Sequence[HintKind]) -> int:
    """Return what hints weigh together."""
    return sum(hint.weight for hint in hints)


def _found(reading: Reading, now: dt.datetime, earlier: Sequence[Earlier]) -> Iterator[str]:
    if reading.mocked:
        yield "mock"
    if reading.accuracy_m <= 0:
        yield "exact"
    if earlier and _jumped(reading, now, earlier[0]):
        yield "jump"
    given = (reading.given.x, reading.given.y, reading.given.system)
    if sum(each.given == given for each in earlier) >= SAME_TIMES:
        yield "same"
    if reading.sent_at is not None and abs(now - reading.sent_at) > SKEW:
        yield "clock"
    if reading.fixed_at is not None and reading.sent_at is not None and reading.sent_at - reading.fixed_at > OLDEST:
        yield "stale"
    if any(getattr(reading, name) is None for name in PROMISED.get(reading.source, ())):
        yield "bare"


def _jumped(reading: Reading, now: dt.datetime, before: Earlier) -> bool:
    metres = metres_between(reading.lon, reading.lat, before.lon, before.lat)
    least = metres - max(reading.accuracy_m, 0.0) - max(before.accuracy_m, 0.0)
    return least > max(SHORTEST_JUMP_M, FASTEST_MS * (now - before.at).total_seconds())


def metres_between(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Return the metres between two positions in degrees, on a sphere."""
    a, b = math.radians(lat), math.radians(other_lat)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))
