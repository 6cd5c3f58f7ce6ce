"""The dearest files begin first and the cheapest last, so that two workers end together: a worker takes whole files, and one that
takes a dear file last keeps the other waiting.

Loaded by ``./run test``, which tells xdist to keep this order. What a file costs is guessed from the ground its tests stand on, which
their fixtures tell; only files that deceive by this are named. Files that need the same costly ground go to the same worker, where
it is laid once.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).resolve().parent
SECONDS: Final = (("_browser", 6.0), ("live_city", 14.0), ("transactional_db", 10.0), ("city_database", 0.5))
"""About what a test takes that needs a fixture; the first of these that it needs counts."""
ELSE_SECONDS: Final = 0.2
FIRST: Final = (
    "geo/imports/test_real_data.py",
    "services/access/test_scope_walk.py",
    "e2e/test_scene.py",
    "run/test_commands.py",
    "run/test_keeping.py",
    "services/kernel/documents/test_rendering.py",
    "services/kernel/documents/test_bad_files.py",
)
"""Files that take about a minute or more and do not look it, the longest first; measured with ``--durations``."""

REAL_CITY: Final = ("tests/geo/imports/test_real_data.py", "tests/e2e/test_real_city.py")


class WholeFiles(LoadFileScheduling):
    """Gives whole files to workers, and those over the real city to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return REAL_CITY[0] if file in REAL_CITY else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeFiles:
    """Let xdist schedule whole files in our order."""
    return WholeFiles(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put whole files into the order in which they are to begin; inside a file nothing moves."""
    absent = [name for name in FIRST if not (ROOT / name).is_file()]
    if absent:
        raise pytest.UsageError(f"tests/ordering.py names files that are not there: {', '.join(absent)}")
    first = {ROOT / name: rank for rank, name in enumerate(FIRST)}
    cost: Counter[Path] = Counter()
    for item in items:
        cost[item.path] += seconds_of(item)
    items.sort(key=lambda item: (first.get(item.path, len(first)), -cost[item.path], str(item.path)))


def seconds_of(item: pytest.Item) -> float:
    """Return what a test takes, as its fixtures and its mark of the database let guess."""
    needed = {*getattr(item, "fixturenames", ())}
    if any(mark.kwargs.get("transaction") for mark in item.iter_markers("django_db")):
        needed.add("transactional_db")
    return next((seconds for name, seconds in SECONDS if name in needed), ELSE_SECONDS)
