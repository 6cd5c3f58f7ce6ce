"""What a benchmark reports: one bar, our figure, the peer's figure in the same run, and their ratio."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a benchmark. ``ratio`` is always written so that larger is better for us."""

    bar: str
    ours: float
    peer: float | None
    ratio: float | None
    unit: str
    note: str = ""


def as_json(bars: Sequence[Bar]) -> str:
    """Return the bars as the JSON list that ``./run bench --json`` prints."""
    return json.dumps([asdict(bar) for bar in bars], ensure_ascii=False)


def as_table(bars: Sequence[Bar]) -> str:
    """Return the bars as an aligned table for people."""
    rows = [("bar", "ours", "peer", "ratio", "unit", "note")]
    for bar in bars:
        rows.append((bar.bar, _figure(bar.ours), _figure(bar.peer), _figure(bar.ratio), bar.unit, bar.note))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
