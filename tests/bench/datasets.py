"""A layer that staff make at its size: an act of 100,000 features, taken back, done again, changed whole, published.

The peer in the same database keeps no history: a table with the same columns and indexes, filled by COPY, emptied by DELETE,
changed by UPDATE, copied for a version. Works in a scratch database and drops it.
"""

from __future__ import annotations

from tests.bench._scratch import scratch
from tests.bench.report import Bar


def run() -> list[Bar]:
    """Return a line for each act: the median of its rounds against what the same costs without history."""
    with scratch("datasets") as database:
        database.manage("load_city", "--scale", "tiny")
        found = database.part("_datasets", "acts")
    return [
        Bar(
            bar=f"dataset, 100,000 features: {each['asked']}",
            ours=each["ours_ms"],
            peer=each["peer_ms"],
            ratio=each["peer_ms"] / each["ours_ms"] if each["peer_ms"] else None,
            unit="ms",
            note=each["note"],
        )
        for each in found
    ]
