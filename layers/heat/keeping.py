"""What was counted is kept in Redis under the edition of its fact, and held by the process: one counts, the others wait."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.core.cache import cache
from django.db import connection

from geo.answering import once
from geo.regions.queries import published_edition
from geo.scope import Scope
from layers.facts.counting import Choices, Period, edition_of_fact
from layers.facts.spec import FactSpec

T = TypeVar("T")
KEEP_S: Final = 24 * 3600
COUNTING_S: Final = 12
"""Who has not counted within this has died, or counts in vain: others begin."""
POLL_S: Final = 0.01
HELD_MOST: Final = 24
_HELD: Final[OrderedDict[str, Any]] = OrderedDict()
_lock: Final = threading.Lock()


def key_of(
    spec: FactSpec, *, scope: Scope, period: Period | None = None, choices: Choices | None = None
) -> tuple[object, ...]:
    """Return what an answer depends on: the edition of its rows and of regions, who sees the same rows, and the question."""
    paths = "*" if spec.public or "" in scope.paths else tuple(sorted(scope.paths))
    said = tuple((name, tuple(sorted(words))) for name, words in sorted((choices or {}).items()) if words)
    days = (period.first.isoformat(), period.last.isoformat()) if period else ()
    edition = published_edition()
    regions = (edition.pk, str(edition.published_at)) if edition else ()
    return spec.key, once(("heat edition", spec.key), lambda: edition_of_fact(spec)), regions, paths, days, said


def kept(key: tuple[object, ...], make: Callable[[], T]) -> T:
    """Return what is kept under a key, or make and keep it; who dies in making it is replaced."""
    name = "heat:" + hashlib.sha256(repr((connection.settings_dict["NAME"], *key)).encode()).hexdigest()[:40]
    with _lock:
        if name in _HELD:
            _HELD.move_to_end(name)
            held: T = _HELD[name]
            return held
    found = _kept_or_made(name, make)
    with _lock:
        _HELD[name] = found
        while len(_HELD) > HELD_MOST:
            _HELD.popitem(last=False)
    return found


def _kept_or_made(name: str, make: Callable[[], T]) -> T:
    until = time.monotonic() + COUNTING_S
    while (stored := cache.get(name)) is None:
        if time.monotonic() > until or cache.add(name + ":lock", 1, timeout=COUNTING_S):
            try:
                stored = (make(),)
                cache.set(name, stored, timeout=KEEP_S)
            finally:
                cache.delete(name + ":lock")
            break
        time.sleep(POLL_S)
    found: T = stored[0]
    return found
