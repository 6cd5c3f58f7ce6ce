"""Drawn tiles are kept in Redis under the edition of what they show; one process draws a tile, the others wait for it."""

from __future__ import annotations

import functools
import hashlib
import struct
import time
from collections.abc import Callable, Mapping
from typing import Final, cast

from django.conf import settings
from django.core.cache import cache
from redis import Redis
from redis.commands.core import Script

from geo.errors import Unavailable
from tiles.source import Drawn

KEEP_S: Final = 24 * 3600
DRAWING_S: Final = 6
"""Who has not drawn a tile within this has died, or draws it in vain: another begins."""
WAIT_S: Final = 12.0
SLOW_S: Final = 5
"""For how long a tile that was too slow is not tried again."""
POLL_S: Final = 0.01
PIECE: Final = 2_000
"""Of larger pieces a digest lets go of the interpreter, which then takes longer to come back than the digest does."""
LOCK, SLOW = ":lock", ":slow"


def cached_tile(key: str, draw: Callable[[], Mapping[str, Drawn]], *, together: str = "") -> Drawn:
    """Return the tile kept under ``key``, or draw and keep it, with others that ``draw`` gives by their keys.

    While another draws it, or one of those ``together`` with it, wait; one who dies is replaced. Raises ``Unavailable`` for a
    tile that just was too slow for somebody else, and after ``WAIT_S`` seconds of waiting.
    """
    name, lock = _name(key), _name(together or key) + LOCK
    until = time.monotonic() + WAIT_S
    while True:
        kept, mine = _kept_or_lock(name, lock)
        if kept is not None:
            return kept
        if mine:
            return _drawn(key, lock, draw)
        if time.monotonic() > until:
            raise _slow()
        time.sleep(POLL_S)


def keep_longer(key: str) -> bool:
    """Keep a tile that is there for its whole time again; say whether it is."""
    return bool(_store().expire(_name(key), KEEP_S))


def etag(content: bytes) -> str:
    """Return the strong ETag of a tile's bytes."""
    digest = hashlib.sha256()
    for begin in range(0, len(content), PIECE):
        digest.update(content[begin : begin + PIECE])
    return f'"{digest.hexdigest()[:32]}"'


def _drawn(key: str, lock: str, draw: Callable[[], Mapping[str, Drawn]]) -> Drawn:
    left = _store().pipeline(transaction=False)
    try:
        drawn = draw()
        for each, tile in drawn.items():
            left.set(_name(each), _DROPPED.pack(tile.dropped) + tile.content, ex=KEEP_S)
    except Unavailable:
        left.set(_name(key) + SLOW, 1, ex=SLOW_S)
        raise
    finally:
        left.delete(lock)
        left.execute()
    return drawn[key]


_DROPPED: Final = struct.Struct("<I")
"""How many features were left out stands before the bytes of a tile."""
_KEPT_OR_LOCK: Final = """
local found = redis.call('MGET', KEYS[1], KEYS[2])
if found[1] or found[2] then return found end
return redis.call('SET', KEYS[3], 1, 'NX', 'EX', ARGV[1]) and 1 or 0
"""


def _kept_or_lock(name: str, lock: str) -> tuple[Drawn | None, bool]:
    """Return the tile that is kept, or none and whether it is for us to draw it: looked at and taken in one step."""
    found = cast("int | list[bytes | None]", _script()(keys=(name, name + SLOW, lock), args=(DRAWING_S,)))
    if isinstance(found, int):
        return None, bool(found)
    if found[0] is None:
        raise _slow()
    return Drawn(found[0][_DROPPED.size :], *_DROPPED.unpack_from(found[0])), False


@functools.cache
def _store() -> Redis:
    # One client for the whole process: Django's cache makes another for each question, which costs more than the question.
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=3)


@functools.cache
def _script() -> Script:
    return _store().register_script(_KEPT_OR_LOCK)


def _name(key: str) -> str:
    return str(cache.make_key("tile:" + hashlib.sha256(key.encode()).hexdigest()[:40]))


def _slow() -> Unavailable:
    return Unavailable("tile_slow", "这块地图画得太慢，已经停下。请放大一级再看。", retry_after=SLOW_S)
