"""What one answer asks several times, read once for it: it is whole when it tells of one moment. Pure.

Only answers that change nothing hold anything: whoever writes reads anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

T = TypeVar("T")
_HELD: Final[ContextVar[dict[Hashable, Any] | None]] = ContextVar("quantu_answer", default=None)


@contextmanager
def one_answer() -> Iterator[None]:
    """Let everything inside read what it asks ``once`` for a single time; nothing is held afterwards."""
    token = _HELD.set({})
    try:
        yield
    finally:
        _HELD.reset(token)


@contextmanager
def each_time() -> Iterator[None]:
    """Let everything inside read what it asks each time: it writes, if only to take it back."""
    token = _HELD.set(None)
    try:
        yield
    finally:
        _HELD.reset(token)


def once(key: Hashable, read: Callable[[], T]) -> T:
    """Return what ``read`` gives, within one answer the same for a ``key``; outside of any it is read each time."""
    held = _HELD.get()
    if held is None:
        return read()
    if key not in held:
        held[key] = read()
    found: T = held[key]
    return found
