"""B-suggest: how long the search box takes for one key, and how often it finds what was meant in spite of a mistake."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tests.bench._scratch import Scratch
from tests.bench.report import Bar

PART = "_suggesting"
ANSWER_MS = 30.0


def suggesting_bars(database: Scratch, city: str) -> list[Bar]:
    """Return the times and the share of mistakes that were mended, over the city that is loaded."""
    found = database.part(PART, "typed")
    bars = [
        _time(found["suggest_ms"], f"{city}: suggest, after each key"),
        _time(found["search_ms"], f"{city}: search with facilities, after each key"),
        _time(found["mistaken_ms"], f"{city}: search with facilities, whole names with a mistake"),
    ]
    made, right = (sum(figures[at] for figures in found["found"].values()) for at in (0, 1))
    title = f"{city}: meant thing among the first 5"
    bars.append(
        Bar("B-suggest", 100 * right / made, None, None, "%", f"{title} in spite of one mistake, {made:,} mistakes")
    )
    for kind, (count, good) in found["found"].items():
        bars.append(Bar("B-suggest", 100 * good / count, None, None, "%", f"{title}, {kind}, {count:,}"))
    note = f"{city}: names in memory of one process; read in {found['first_ms']:.0f} ms at the first question"
    return [*bars, Bar("B-suggest", found["memory_mb"], 60.0, 60.0 / max(found["memory_mb"], 0.1), "MB", note)]


def _time(times: Sequence[float], title: str) -> Bar:
    at = statistics.quantiles(times, n=100, method="inclusive")
    note = f"{title}, p95 of {len(times):,}; p50 {at[49]:.1f}, p99 {at[98]:.1f}, worst {max(times):.0f}; peer = bar"
    return Bar("B-suggest", at[94], ANSWER_MS, ANSWER_MS / at[94], "ms", note)
