"""The order in which files begin is that of what they cost; Hypothesis judges no test by the clock of a busy machine."""

from __future__ import annotations

import subprocess
import sys
from itertools import groupby
from pathlib import Path

import hypothesis

from tests.ordering import FIRST

ROOT = Path(__file__).resolve().parent
CHEAP = "test_reading.py"
FILES = (
    CHEAP,
    "services/facilities/test_hours.py",
    "e2e/test_first_pages.py",
    "e2e/test_access.py",
    FIRST[1],
    FIRST[0],
)


def begun(*files: str) -> list[str]:
    """Return the files in the order in which a run over them begins them."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "tests.ordering", "-p", "no:cacheprovider"]
    said = subprocess.run([*command, *files], cwd=ROOT.parent, capture_output=True, text=True, check=True).stdout
    return [file for file, _ in groupby(line.split("::")[0] for line in said.splitlines() if "::" in line)]


def test_the_dearest_files_begin_first_and_each_is_whole() -> None:
    order = begun(*(f"tests/{name}" for name in FILES))
    assert order[:2] == [f"tests/{name}" for name in FIRST[:2]]
    assert order[2:4] == ["tests/e2e/test_access.py", "tests/e2e/test_first_pages.py"], "browsers before all others"
    assert sorted(order) == sorted(f"tests/{name}" for name in FILES), "no file comes in two parts"


def test_hypothesis_has_no_clock() -> None:
    assert hypothesis.settings().deadline is None
    assert hypothesis.HealthCheck.too_slow in hypothesis.settings().suppress_health_check
