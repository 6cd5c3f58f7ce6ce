"""The kernel at the size of a city: a ledger of a million rows, 50,000 rows from a spreadsheet, an inbox of 100,000 open tasks.

Works in a scratch database and removes it.
"""

from __future__ import annotations

import sys
from typing import Any

from tests.bench import _intake
from tests.bench._scratch import scratch
from tests.bench.report import Bar

LIST_BAR_MS = 300.0
INBOX_BAR_MS = 200.0
ACT_BAR_MS = 100.0


def run() -> list[Bar]:
    """Return the lines of the import, one for each way of asking a ledger, then those of the inbox and of acts on cases.

    The peer counts all rows and pages by offset, as list pages usually do.
    """
    with scratch("cases") as database:
        sys.stderr.write("  a small city and a million facilities\n")
        database.manage("load_city", "--scale", "tiny")
        imported = _intake.bars(database.part("_intake", "rows"))
        found = database.part("_cases", "ledger")
        sys.stderr.write("  a hundred thousand open tasks\n")
        acts = database.part("_flows", "flow")
    return imported + _of_ledgers(found) + _of_flows(acts)


def _of_flows(found: list[dict[str, Any]]) -> list[Bar]:
    return [
        Bar(
            bar=f"{each['asked']}, p95",
            ours=each["ours_ms"],
            peer=None,
            ratio=None,
            unit="ms",
            note=f"bar {INBOX_BAR_MS if 'inbox' in each['asked'] else ACT_BAR_MS:.0f}; {each['note']}",
        )
        for each in found
    ]


def _of_ledgers(found: list[dict[str, Any]]) -> list[Bar]:
    return [
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
