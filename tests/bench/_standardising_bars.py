"""How fast a whole list is standardised as a job, and how much memory its worker takes."""

from __future__ import annotations

import sys

from tests.bench._scratch import Scratch
from tests.bench.report import Bar

PART = "_standardising"
MILLION = 1_000_000


def standardising_bars(database: Scratch) -> list[Bar]:
    """Return the bars of one batch over the invented city that is loaded."""
    sys.stderr.write("  standardising a list\n")
    found = database.part(PART, "batch")
    rows, rate = found["rows"], found["rows"] / found["work_s"]
    minutes = MILLION / rate / 60
    statuses = ", ".join(f"{name} {count:,}" for name, count in found["statuses"].items())
    peak = f"peak of the worker {found['peak_mb']:.0f} MB, {found['before_mb']:.0f} MB before"
    return [
        Bar(
            "B8",
            rate,
            None,
            None,
            "rows/s",
            f"batch as a job, {rows:,} misspelt rows; a million in {minutes:.1f} min; {peak}",
        ),
        Bar(
            "B8",
            rows / found["read_s"],
            None,
            None,
            "rows/s",
            f"batch: the uploaded file of {found['bytes']:,} bytes read apart",
        ),
        Bar("B8", rows / found["result_s"], None, None, "rows/s", f"batch: the result read back; {statuses}"),
    ]
