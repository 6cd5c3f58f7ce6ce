"""The longest files begin first, so that two workers end together: a worker takes whole files, and one that begins last keeps
the other waiting.

Loaded by ``./run test``, which tells xdist to keep this order. A file not named here comes after those with more tests. Files that
need the same costly ground go to the same worker, where it is laid once.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).resolve().parent
LONGEST: Final = (
    "geo/imports/test_real_data.py",
    "e2e/test_real_city.py",
    "e2e/test_scene.py",
    "run/test_commands.py",
    "layers/ogc/test_gdal.py",
    "services/access/test_scope_walk.py",
    "e2e/test_map.py",
    "e2e/test_datasets.py",
    "e2e/test_access.py",
    "run/test_keeping.py",
    "e2e/test_documents.py",
    "e2e/test_messages.py",
    "web/test_matter_rows.py",
    "e2e/test_place_upkeep.py",
    "e2e/test_fences.py",
    "e2e/test_checkins.py",
    "e2e/test_basemaps.py",
    "e2e/test_islands.py",
    "e2e/test_preloading.py",
    "contracts/test_openapi.py",
    "e2e/test_fence_layers.py",
    "e2e/test_plan_map.py",
    "services/fencing/following/test_killed.py",
    "layers/analysis/test_processes.py",
    "e2e/test_one_map.py",
    "e2e/test_plan_validation.py",
    "e2e/test_ledgers.py",
    "e2e/test_pictures.py",
    "e2e/test_analysis.py",
)
"""Files that take more than half a minute, the longest first; measured with ``--durations``."""

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
    absent = [name for name in LONGEST if not (ROOT / name).is_file()]
    if absent:
        raise pytest.UsageError(f"tests/ordering.py names files that are not there: {', '.join(absent)}")
    first = {ROOT / name: rank for rank, name in enumerate(LONGEST)}
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (first.get(item.path, len(first)), -tests[item.path], str(item.path)))
