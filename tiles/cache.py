"""Drawn tiles are kept in Redis under the edition of what they show; one process draws a tile, the others wait for it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Final

from django.core.cache import cache

from geo.errors import Unavailable
from tiles.source import Drawn

KEEP_S: Final = 24 * 3600
DRAWING_S: Final = 6
"""Who has not drawn a tile within this has died, or draws it in vain: another begins."""
WAIT_S: Final = 12.0
SLOW_S: Final = 5
"""For how long a tile that was too slow is not tried again."""
POLL_S: Final = 0.01
LOCK, SLOW = ":lock", ":slow"


def cached_tile(key: str, draw: Callable[[], Mapping[str, Drawn]], *, together: str = "") -> Drawn:
    """Return the tile kept under ``key``, or draw and keep it, with others that ``draw`` gives by their keys.

    While another draws it, or one of those ``together`` with it, wait; one who dies is replaced. Raises ``Unavailable`` for a
    tile that just was too slow for somebody else, and after ``WAIT_S`` seconds of waiting.
    """
    name, lock = _name(key), _name(together or key) + LOCK
    until, waited = time.monotonic() + WAIT_S, False
    while (kept := _kept(name)) is None:
        if cache.add(lock, 1, timeout=DRAWING_S):
            # Whom we waited for may have kept it between our look and now.
            return (_kept(name) if waited else None) or _drawn(key, lock, draw)
        if time.monotonic() > until:
            raise _slow()
        waited = True
        time.sleep(POLL_S)
    return kept


def keep_longer(key: str) -> bool:
    """Keep a tile that is there for its whole time again; say whether it is."""
    return bool(cache.touch(_name(key), KEEP_S))


def etag(content: bytes) -> str:
    """Return the strong ETag of a tile's bytes."""
    return '"' + hashlib.sha256(content).hexdigest()[:32] + '"'


def _drawn(key: str, lock: str, draw: Callable[[], Mapping[str, Drawn]]) -> Drawn:
    try:
        drawn = draw()
        kept = {_name(each): (tile.content, tile.dropped) for each, tile in drawn.items()}
        cache.set_many(kept, timeout=KEEP_S)
    except Unavailable:
        cache.set(_name(key) + SLOW, 1, timeout=SLOW_S)
        raise
    finally:
        cache.delete(lock)
    return drawn[key]


def _kept(name: str) -> Drawn | None:
    found = cache.get_many((name, name + SLOW))
    if name in found:
        return Drawn(*found[name])
    if found:
        raise _slow()
    return None


def _name(key: str) -> str:
    return "tile:" + hashlib.sha256(key.encode()).hexdigest()[:40]


def _slow() -> Unavailable:
    return Unavailable("tile_slow", "这块地图画得太慢，已经停下。请放大一级再看。", retry_after=SLOW_S)
