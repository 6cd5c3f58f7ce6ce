"""Drawn tiles are kept in Redis under the edition of what they show; one process draws a tile, the others wait for it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final

from django.core.cache import cache

KEEP_S: Final = 24 * 3600
WAIT_S: Final = 5.0
POLL_S: Final = 0.02


def cached_tile(key: str, draw: Callable[[], bytes]) -> bytes:
    """Return the tile kept under ``key``, or draw and keep it. While another draws it, wait up to ``WAIT_S`` seconds."""
    name = _name(key)
    kept: bytes | None = cache.get(name)
    if kept is not None:
        return kept
    lock = name + ":lock"
    if not cache.add(lock, "1", timeout=WAIT_S):
        waited_until = time.monotonic() + WAIT_S
        while time.monotonic() < waited_until:
            time.sleep(POLL_S)
            kept = cache.get(name)
            if kept is not None:
                return kept
            if cache.add(lock, "1", timeout=WAIT_S):
                break  # the one who was drawing failed or died
    try:
        drawn = draw()
        cache.set(name, drawn, timeout=KEEP_S)
    finally:
        cache.delete(lock)
    return drawn


def keep_longer(key: str) -> bool:
    """Keep a tile that is there for its whole time again; say whether it is."""
    return bool(cache.touch(_name(key), KEEP_S))


def _name(key: str) -> str:
    return "tile:" + hashlib.sha256(key.encode()).hexdigest()[:40]


def etag(content: bytes) -> str:
    """Return the strong ETag of a tile's bytes."""
    return '"' + hashlib.sha256(content).hexdigest()[:32] + '"'
