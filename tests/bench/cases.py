"""The kernel at the size of a city: pages of a ledger of a million rows, and 50,000 rows brought in from a spreadsheet.

Works in a scratch database and removes it.
"""

from __future__ import annotations

import sys

from tests.bench import _intake
from tests.bench._scratch import scratch
from tests.bench.report import Bar

LIST_BAR_MS = 300.0


def run() -> list[Bar]:
    """Return the lines of the import, then one for each way of asking a ledger.

    The peer counts all rows and pages by offset, as list pages usually do.
    """
    with scratch("cases") as database:
        sys.stderr.write("  a small city and a million facilities\n")
        database.manage("load_city", "--scale", "tiny")
        imported = _intake.bars(database.part("_intake", "rows"))
        found = database.part("_cases", "ledger")
    return imported + [
        Bar(
            bar=f"ledger of {each['rows']:,} rows: {each['asked']}, p95",
            ours=each["ours_ms"],
            peer=each["peer_ms"],
            ratio=each["peer_ms"] / each["ours_ms"] if each["peer_ms"] else None,
            unit="ms",
            note=f"bar {LIST_BAR_MS:.0f}; {each['note']}",
        )
        for each in found
    ]
