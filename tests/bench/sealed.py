"""Sealed transport: what a session of the gateway adds to one request, beside the same request asked plainly.

Works in a scratch database and removes it. The gateway is the simulator, in a process of its own, over HTTP on this machine.
"""

from __future__ import annotations

import sys
from typing import Any

from tests.bench._scratch import scratch
from tests.bench.report import Bar

ADDED_BAR_MS = 25.0


def run() -> list[Bar]:
    """Return one line for each size of a request; the peer is the same request asked plainly."""
    with scratch("sealed") as database:
        sys.stderr.write("  a telephone, its certificate and a session\n")
        found: list[dict[str, Any]] = database.part("_sealed", "requests")
    return [
        Bar(
            bar=f"sealed: {each['asked']}, median",
            ours=each["sealed_ms"],
            peer=each["plain_ms"],
            ratio=each["plain_ms"] / each["sealed_ms"],
            unit="ms",
            note=f"bar +{ADDED_BAR_MS:.0f} for a page; adds {each['added_ms']:.1f} ms (p95 {each['added_p95_ms']:.1f}); {each['note']}",
        )
        for each in found
    ]
