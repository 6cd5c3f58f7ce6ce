"""./run coverage counts a claim only when its test ran, passed, and needs the code it names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.coverage_report import REQUIREMENTS, as_markdown, read_requirements
from tests.proving import claim_of

ROOT = Path(__file__).resolve().parents[2]
SHOP = """
def price(): return 3
class Till:
    def total(self): return price() + 1
"""
TESTS = """
import subprocess, sys
import pytest
from shop_of_the_test import Till, price

@pytest.mark.covers("PRE-MON-00", via="shop_of_the_test:price")
def test_needs_it(): assert price() == 3

@pytest.mark.covers("PRE-MON-01a", via="shop_of_the_test:Till.total")
def test_needs_a_method(): assert Till().total() == 4

@pytest.mark.covers("PRE-MON-01b", via="shop_of_the_test:price")
def test_does_not_need_it(): assert 1 + 1 == 2

@pytest.mark.covers("PRE-MON-01c", via="shop_of_the_test:price")
def test_fails(): assert price() == 4

@pytest.mark.covers("PRE-MON-01d", via="shop_of_the_test:price")
def test_skipped(): pytest.skip("not today")

@pytest.mark.covers("PRE-FIND-06", via="shop_of_the_test:price")
def test_needs_it_in_another_process():
    done = subprocess.run([sys.executable, "-c", "from shop_of_the_test import price; print(price())"], capture_output=True, text=True)
    assert done.stdout == "3\\n"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop_of_the_test.py").write_text(SHOP)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = covers\n")
    return tmp_path


def coverage(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_shop.py").write_text(tests)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "tests.coverage_report", *options, str(folder / "test_shop.py")]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_only_passing_tests_count(shop: Path) -> None:
    done = coverage(shop, TESTS, "--json")
    assert json.loads(done.stdout) == {
        "proven": ["PRE-FIND-06", "PRE-MON-00", "PRE-MON-01a", "PRE-MON-01b"],
        "total": 1427,
    }
    assert "failed: " in done.stderr
    assert "skipped: " in done.stderr


def test_proving_strikes_tests_that_do_not_need_their_code(shop: Path) -> None:
    done = coverage(shop, TESTS, "--json", "--prove")
    assert json.loads(done.stdout)["proven"] == ["PRE-FIND-06", "PRE-MON-00", "PRE-MON-01a"]
    assert "struck: " in done.stderr
    assert "test_does_not_need_it" in done.stderr


UNKNOWN = """
import pytest
@pytest.mark.covers("NO-SUCH-ROW", via="shop_of_the_test:price")
def test_one(): pass
"""
UNJUDGED = """
import pytest
@pytest.mark.covers("PRE-MON-00", "PRE-MON-01a", "PRE-MON-01b", "PRE-MON-01c", via="shop_of_the_test:price")
def test_too_many(): pass
@pytest.mark.covers(via="shop_of_the_test:price")
def test_none(): pass
@pytest.mark.covers("PRE-MON-00")
def test_no_way(): pass
@pytest.mark.covers("PRE-MON-00", via="shop_of_the_test:prize")
def test_no_function(): pass
@pytest.mark.covers("PRE-MON-00", via="no_such_shop:price")
def test_no_module(): pass
@pytest.mark.covers("PRE-MON-00", via="shop_of_the_test")
def test_no_colon(): pass
"""


def test_a_row_that_does_not_exist_is_an_error(shop: Path) -> None:
    done = coverage(shop, UNKNOWN, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "rows that do not exist: NO-SUCH-ROW" in done.stderr


def test_claims_that_cannot_be_judged_are_all_named(shop: Path) -> None:
    done = coverage(shop, UNJUDGED, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    said = {line.partition("::")[2].partition(":")[0]: line for line in done.stderr.splitlines() if "::" in line}
    assert "covers 4 rows; between 1 and 3" in said["test_too_many"]
    assert "covers 0 rows" in said["test_none"]
    assert "needs one via" in said["test_no_way"]
    assert "cannot be found" in said["test_no_function"]
    assert "cannot be found" in said["test_no_module"]
    assert "module:function" in said["test_no_colon"]


def test_every_claim_of_the_tests_run_with_this_one_can_be_judged(request: pytest.FixtureRequest) -> None:
    known = {row.id for row in read_requirements(REQUIREMENTS)}
    claims = [claim for item in request.session.items if (claim := claim_of(item)) is not None]
    assert [claim for claim in claims if not known.issuperset(claim.rows)] == []


def test_the_report_counts_every_row_of_the_catalogue() -> None:
    requirements = read_requirements(REQUIREMENTS)
    assert len(requirements) == 1427
    text = as_markdown(requirements, {"ELD-MAP-02": ["tests/a.py::test_b"]})
    assert "| all | 1 | 1427 |" in text
    assert "`tests/a.py::test_b`" in text
