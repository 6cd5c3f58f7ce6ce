"""``./run coverage``: which rows of docs/requirements.csv the tests prove, by running them; writes docs/coverage.md.

A row counts when a test that covers it ran, passed and was not skipped. ``--prove`` runs every such test once more with
the code it names made to raise, and strikes the rows of tests that pass all the same.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "docs" / "requirements.csv"
REPORT = ROOT / "docs" / "coverage.md"
PYTEST_OUTCOMES = {0, 1, 5}  # all passed, some failed, none collected: in each case the report was written


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of the catalogue, by name only."""

    id: str
    system: str
    module: str
    function: str


class CoverageProblem(Exception):
    """The claims of the tests cannot be counted; the message says which and why."""


def main() -> int:
    """Run the covering tests, write the report, print the result."""
    parser = argparse.ArgumentParser(prog="./run coverage")
    parser.add_argument(
        "--json", action="store_true", help="print the proven ids and the total as JSON and nothing else"
    )
    parser.add_argument(
        "--prove", action="store_true", help="also break the code each test names and see that it fails"
    )
    parser.add_argument("tests", nargs="*", help="where to look for tests (default: all)")
    options = parser.parse_args()
    try:
        requirements = read_requirements(REQUIREMENTS)
        proven, notes = collect(requirements, options.tests, prove=options.prove)
    except CoverageProblem as problem:
        sys.stderr.write(f"run: {problem}\n")
        return 2
    if not options.tests:
        REPORT.write_text(as_markdown(requirements, proven), encoding="utf-8")
    for note in notes:
        sys.stderr.write(f"{note}\n")
    if options.json:
        sys.stdout.write(json.dumps({"proven": sorted(proven), "total": len(requirements)}) + "\n")
    else:
        sys.stdout.write(f"{len(proven)} of {len(requirements)} rows proven\n")
    return 1 if notes else 0


def read_requirements(path: Path) -> list[Requirement]:
    """Read the catalogue; ids are unique."""
    with path.open(encoding="utf-8", newline="") as file:
        requirements = [Requirement(**row) for row in csv.DictReader(file)]
    if len({requirement.id for requirement in requirements}) != len(requirements):
        raise CoverageProblem(f"{path.name} names an id twice")
    return requirements


def collect(
    requirements: list[Requirement], tests: list[str], *, prove: bool
) -> tuple[dict[str, list[str]], list[str]]:
    """Return the proven rows with their tests, and a note for each claim that did not hold."""
    claims = run_covering_tests(tests, breaking=False)
    known = {requirement.id for requirement in requirements}
    if unknown := sorted(f"{row} ({claim['test']})" for claim in claims for row in claim["rows"] if row not in known):
        raise CoverageProblem(f"tests cover rows that do not exist: {', '.join(unknown)}")
    notes = [
        f"{claim['outcome']}: {claim['test']} ({', '.join(claim['rows'])})"
        for claim in claims
        if claim["outcome"] != "passed"
    ]
    passed = [claim for claim in claims if claim["outcome"] == "passed"]
    if prove and passed:
        survivors = {claim["test"]: claim for claim in run_covering_tests(tests, breaking=True)}
        unmoved = [claim for claim in passed if survivors[claim["test"]]["outcome"] != "failed"]
        notes += [
            f"struck: {claim['test']} does not need {claim['via']} ({', '.join(claim['rows'])})" for claim in unmoved
        ]
        passed = [claim for claim in passed if claim not in unmoved]
    proven: dict[str, list[str]] = defaultdict(list)
    for claim in passed:
        for row in claim["rows"]:
            proven[row].append(claim["test"])
    return dict(proven), notes


def run_covering_tests(tests: list[str], *, breaking: bool) -> list[dict[str, object]]:
    """Run the covering tests among ``tests`` and return their claims with outcomes."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "claims.json"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--tb=short",
            "-p",
            "tests.proving",
            f"--proof-report={report}",
        ]
        if breaking:
            command += ["--break-via", "--tb=no"]
        done = subprocess.run([*command, *tests], cwd=ROOT, stdout=sys.stderr, stdin=subprocess.DEVNULL)
        if done.returncode not in PYTEST_OUTCOMES or not report.is_file():
            raise CoverageProblem(f"the tests could not be run (pytest ended with {done.returncode}); see above")
        claims: list[dict[str, object]] = json.loads(report.read_text(encoding="utf-8"))
    return claims


def as_markdown(requirements: list[Requirement], proven: dict[str, list[str]]) -> str:
    """Return docs/coverage.md: per system proven and total, then every proven row with its tests."""
    by_system: dict[str, list[Requirement]] = defaultdict(list)
    for requirement in requirements:
        by_system[requirement.system].append(requirement)
    lines = [
        "# Which function points the tests prove",
        "",
        "Written by `./run coverage`; do not edit. A row counts when a test that drives a page, the API or a command covers it and passes.",
        "",
        "| system | proven | rows |",
        "|---|---:|---:|",
    ]
    for system, rows in by_system.items():
        lines.append(f"| {system} | {sum(row.id in proven for row in rows)} | {len(rows)} |")
    lines.append(f"| all | {len(proven)} | {len(requirements)} |")
    for system, rows in by_system.items():
        shown = [row for row in rows if row.id in proven]
        if not shown:
            continue
        lines += ["", f"## {system}", "", "| row | function | proven by |", "|---|---|---|"]
        for row in shown:
            tests = "<br>".join(f"`{test}`" for test in sorted(proven[row.id]))
            lines.append(f"| {row.id} | {row.module.replace('|', '/')} · {row.function.replace('|', '/')} | {tests} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
