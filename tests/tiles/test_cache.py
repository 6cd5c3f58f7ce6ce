"""One draws, the others wait: over real Redis, with threads that die and drawings that take too long."""

from __future__ import annotations

import threading
import time

import pytest
from django.core.cache import cache

from geo.errors import Unavailable
from tiles import cache as kept_tiles
from tiles.cache import cached_tile, keep_longer
from tiles.source import Drawn


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


def test_eight_who_ask_at_once_get_one_drawing() -> None:
    drawings, got = [], []

    def draw() -> dict[str, Drawn]:
        drawings.append(1)
        time.sleep(0.2)
        return {"k": Drawn(b"tile", 3), "beside": Drawn(b"other")}

    people = [threading.Thread(target=lambda: got.append(cached_tile("k", draw))) for _ in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert (len(drawings), got) == (1, [Drawn(b"tile", 3)] * 8)
    assert cached_tile("beside", draw, together="block") == Drawn(b"other")
    assert keep_longer("k")
    assert not keep_longer("another")


def test_who_waits_for_one_that_died_draws_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_tiles._store().set(kept_tiles._name("k") + kept_tiles.LOCK, 1, ex=1)  # as a process that was killed leaves it
    began = time.monotonic()
    assert cached_tile("k", lambda: {"k": Drawn(b"tile")}) == Drawn(b"tile")
    assert 0.5 < time.monotonic() - began < kept_tiles.WAIT_S / 2


def test_one_who_never_gets_it_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_tiles, "WAIT_S", 0.3)
    kept_tiles._store().set(kept_tiles._name("k") + kept_tiles.LOCK, 1, ex=30)
    with pytest.raises(Unavailable) as told:
        cached_tile("k", lambda: {"k": Drawn(b"never")})
    assert told.value.detail["retry_after"] == 5


def test_a_tile_that_was_too_slow_is_not_tried_by_everyone_in_turn() -> None:
    drawings = []

    def slow() -> dict[str, Drawn]:
        drawings.append(1)
        raise Unavailable("tile_slow", "慢", retry_after=5)

    for _ in range(3):
        with pytest.raises(Unavailable):
            cached_tile("k", slow)
    assert len(drawings) == 1


def test_a_fault_lets_the_next_one_try() -> None:
    with pytest.raises(ZeroDivisionError):
        cached_tile("k", lambda: {"k": Drawn(bytes(1 // 0))})
    assert cached_tile("k", lambda: {"k": Drawn(b"tile")}) == Drawn(b"tile")
