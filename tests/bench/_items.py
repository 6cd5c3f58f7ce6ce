"""A page of features out of a million over ``/ogc``: first, deep, in a box, and narrowed by an indexed attribute; each at most 50 ms."""

from __future__ import annotations

import statistics

from tests.bench._scratch import scratch
from tests.bench.report import Bar

PAGE_BAR_MS = 50.0


def run() -> list[Bar]:
    """Return one bar for each kind of page, p95."""
    with scratch("items") as database:
        database.manage("load_city", "--scale", "tiny")
        found = database.part("_paging", "pages")
    return [_bar(title, times, found["rows"]) for title, times in found["pages"].items()]


def _bar(title: str, times: list[float], rows: int) -> Bar:
    worst = statistics.quantiles(times, n=100, method="inclusive")[94]
    middle = statistics.median(times)
    note = f"items page, {title}; {rows:,} rows, p95; p50 {middle:.1f}; {len(times)} pages; peer = bar"
    return Bar("items", worst, PAGE_BAR_MS, PAGE_BAR_MS / worst, "ms", note)
