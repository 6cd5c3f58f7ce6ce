"""A pytest plugin that says which function points the tests prove, and breaks the named code to see whether they notice.

``@pytest.mark.covers("ID", …, via="module:function")`` claims that a test drives those rows through that code. With
``--proof-report FILE`` the outcome of every claim is written down; with ``--break-via`` the code of ``via`` raises while
its test runs, in this process and (through ``tests/proof/sitecustomize.py``) in every process the test starts.

Name what a view calls, not the view: the table of URLs holds views themselves, so breaking the name of one breaks nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.proof.breaking import ENVIRONMENT_NAME, broken, locate

MOST_ROWS = 3
SITE = Path(__file__).parent / "proof" / "site"


@dataclass(slots=True)
class Claim:
    """One test's claim and what became of it: ``passed``, ``failed`` or ``skipped``."""

    test: str
    rows: list[str]
    via: str
    outcome: str = "passed"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("proof")
    group.addoption(
        "--proof-report", metavar="FILE", help="run only the tests that cover rows, and write their outcomes there"
    )
    group.addoption("--break-via", action="store_true", help="make the code each test names raise while it runs")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--proof-report"):
        config.pluginmanager.register(Proof(config), "proof")


def claim_of(item: pytest.Item) -> Claim | None:
    """Return the claim of a test, or None. Raises UsageError when it cannot be judged."""
    marks = list(item.iter_markers("covers"))
    if not marks:
        return None
    rows = sorted({row for mark in marks for row in mark.args})
    ways = {mark.kwargs.get("via") for mark in marks}
    if len(ways) != 1 or not isinstance(via := ways.pop(), str):
        raise pytest.UsageError(f"{item.nodeid}: covers needs one via='module:function'")
    if not rows or len(rows) > MOST_ROWS:
        raise pytest.UsageError(f"{item.nodeid}: covers {len(rows)} rows; between 1 and {MOST_ROWS} are allowed")
    try:
        locate(via)
    except (ImportError, AttributeError, ValueError) as problem:
        raise pytest.UsageError(f"{item.nodeid}: via={via!r} cannot be found: {problem}") from problem
    return Claim(item.nodeid, rows, via)


class Proof:
    """Keeps only the covering tests, optionally breaks their ``via``, and writes what became of each."""

    def __init__(self, config: pytest.Config) -> None:
        self.report = Path(config.getoption("--proof-report"))
        self.breaking = bool(config.getoption("--break-via"))
        self.claims: dict[str, Claim] = {}

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        problems = []
        for item in items:
            try:
                claim = claim_of(item)
            except pytest.UsageError as problem:
                problems.append(str(problem))
                continue
            if claim is not None:
                self.claims[item.nodeid] = claim
        if problems:
            raise pytest.UsageError("\n".join(problems))
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in self.claims])
        items[:] = [item for item in items if item.nodeid in self.claims]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        if not self.breaking:
            return (yield)
        via = self.claims[item.nodeid].via
        before = {name: os.environ.get(name) for name in (ENVIRONMENT_NAME, "PYTHONPATH")}
        os.environ[ENVIRONMENT_NAME] = via
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(SITE), before["PYTHONPATH"])))
        try:
            with broken(via):
                return (yield)
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        claim = self.claims[report.nodeid]
        if report.failed:
            claim.outcome = "failed"
        elif report.skipped and claim.outcome == "passed":
            claim.outcome = "skipped"

    def pytest_sessionfinish(self) -> None:
        self.report.write_text(json.dumps([asdict(claim) for claim in self.claims.values()]), encoding="utf-8")
