"""How many of the tiles and lists visitors asked for were there, and how long they waited: counted by day, nothing of anybody.

Each process counts for itself and now and then adds what it counted to Redis; a process that is killed loses its last seconds.
"""

from __future__ import annotations

import datetime as dt
import functools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from redis import Redis, RedisError

from services.facilities.preloading.models import Preload
from services.facilities.preloading.queries import PLACES

DAYS: Final = 7
EVERY_S: Final = 10.0
MOST_KINDS: Final = 1_000
"""So many different questions are counted at a time: words of visitors must not fill the store."""

LISTED: Final = "lists:"
"""Stands for the layer where a list was asked for, and its key for the words; no layer is called so."""

Question = tuple[str, str, int]
"""A layer by its key, the words it was narrowed by, and the zoom."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Tiles that were there and tiles that had to be drawn, and the milliseconds that all answers of each sort took."""

    there: int = 0
    drawn: int = 0
    there_ms: float = 0.0
    drawn_ms: float = 0.0

    @property
    def share(self) -> float | None:
        """Return which part of the tiles was there, in percent; ``None`` when nobody asked."""
        return 100 * self.there / (self.there + self.drawn) if self.there + self.drawn else None

    @property
    def missed(self) -> float | None:
        """Return which part had to be drawn, in percent."""
        return None if self.share is None else 100 - self.share

    @property
    def mean_there_ms(self) -> float | None:
        """Return how long a tile that was there took; ``None`` when there was none."""
        return self.there_ms / self.there if self.there else None

    @property
    def mean_drawn_ms(self) -> float | None:
        """Return how long a tile that had to be drawn took; ``None`` when there was none."""
        return self.drawn_ms / self.drawn if self.drawn else None


_GUARD: Final = threading.Lock()
_counted: Counter[tuple[Question, bool]] = Counter()
_took: Counter[tuple[Question, bool]] = Counter()
_flushed = time.monotonic()


def note_tile(
    layers: Sequence[str], chosen: Mapping[str, Sequence[str]], zoom: int, *, drawn: bool, seconds: float
) -> None:
    """Count a tile that was answered; of several layers in one only those of one are told apart, so others are left out."""
    if len(layers) != 1 or set(chosen) - {"kinds"}:
        return
    _count((layers[0], ",".join(sorted(chosen.get("kinds", ()))), zoom), drawn, seconds)


def note_list(key: str, *, ready: bool, seconds: float) -> None:
    """Count a list that was answered: out of memory, or read for who asked."""
    _count((LISTED, key, 0), not ready, seconds)


def _count(question: Question, drawn: bool, seconds: float) -> None:
    about = (question, drawn)
    with _GUARD:
        if about in _counted or len(_counted) < MOST_KINDS:
            _counted[about] += 1
            _took[about] += round(seconds * 1e6)
        due = time.monotonic() - _flushed > EVERY_S
    if due:
        flush()


def flush() -> None:
    """Add what this process counted to what all have; without Redis it is forgotten."""
    global _flushed
    with _GUARD:
        counted, took = dict(_counted), dict(_took)
        _counted.clear()
        _took.clear()
        _flushed = time.monotonic()
    if not counted:
        return
    name = _name(timezone.localdate())
    adding = store().pipeline(transaction=False)
    for (question, drawn), many in counted.items():
        field = "|".join((question[0], question[1], str(question[2]), "drawn" if drawn else "there"))
        adding.hincrby(name, field, many)
        adding.hincrby(name, f"{field}|us", took[question, drawn])
    adding.expire(name, dt.timedelta(days=DAYS + 1))
    try:
        adding.execute()
    except RedisError:
        return


def hits_of(preload: Preload) -> Hits:
    """Return what visitors asked of the layers, kinds and zooms of a preload in these days, wherever on the map."""
    sums: Counter[str] = Counter()
    for (layer, kinds, zoom), sort, many in _kept():
        if _meant(preload, layer, kinds, zoom):
            sums[sort] += many
    return _hits(sums)


def hits_of_lists() -> dict[str, Hits]:
    """Return what visitors asked of every list in these days, by its key."""
    sums: dict[str, Counter[str]] = {}
    for (layer, key, _), sort, many in _kept():
        if layer == LISTED:
            sums.setdefault(key, Counter())[sort] += many
    return {key: _hits(each) for key, each in sums.items()}


def _kept() -> Iterator[tuple[Question, str, int]]:
    """Yield what was counted in these days: of which question, of which sort (there, drawn, microseconds of either), how much."""
    flush()
    today = timezone.localdate()
    for ago in range(DAYS):
        for field, many in store().hgetall(_name(today - dt.timedelta(days=ago))).items():
            layer, kinds, zoom, sort = str(field).split("|", 3)
            yield (layer, kinds, int(zoom)), sort, int(many)


def _hits(sums: Counter[str]) -> Hits:
    return Hits(sums["there"], sums["drawn"], sums["there|us"] / 1000, sums["drawn|us"] / 1000)


def _meant(preload: Preload, layer: str, kinds: str, zoom: int) -> bool:
    if layer not in preload.layers or not preload.from_zoom <= zoom <= preload.to_zoom:
        return False
    return kinds in preload.kinds if layer == PLACES and preload.kinds else not kinds


def store() -> Redis:
    """Return the store of what processes tell each other."""
    return _client(settings.REDIS_URL)


@functools.cache
def _client(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=2, socket_timeout=3, decode_responses=True)


def _name(day: dt.date) -> str:
    return str(cache.make_key(f"preload hits {day:%Y%m%d}"))
