"""The log centre with a million lines: collecting them, and finding among them by text, person, object, act, region and time."""

from __future__ import annotations

import sys

from tests.bench._scratch import scratch
from tests.bench.report import Bar

SEARCH_BAR_MS = 300.0


def run() -> list[Bar]:
    """Return a line for the collecting and one for each way of asking; the peer reads without pieces and pages by offset."""
    with scratch("logs") as database:
        database.manage("load_city", "--scale", "tiny")
        sys.stderr.write("  a million audit entries and changes\n")
        found = database.part("_logs", "collect") + database.part("_logs", "search")
    return [
        Bar(
            bar=each["asked"],
            ours=each["ours"],
            peer=each.get("peer"),
            ratio=each["peer"] / each["ours"] if each.get("peer") else None,
            unit=each["unit"],
            note=each["note"],
        )
        for each in found
    ]
