"""On a clean machine that has the real data, a test of the data that is skipped counts as failed.

Loaded by ``./run test``. It keeps a skip condition that is wrong from hiding the tests of the real data for ever.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("QUANTU_DATA") or ROOT.parent / "shared" / "data")
STRICT = os.environ.get("CI") == "true" and (DATA / "README.md").is_file()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if STRICT and report.skipped and item.get_closest_marker("data") is not None and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped although {DATA} is there"
    return report
