"""B8, matching: an address to its kindergarten one by one and in bulk, areas, and a year's registrations against an edition.

Works in a scratch database with the invented city and its editions, and removes it. ``QUANTU_SCALE=tiny`` shortens the city,
``QUANTU_BENCH_REGISTRATIONS`` the register.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tests.bench._scratch import scratch
from tests.bench.report import Bar

SINGLE_BAR_MS, BULK_BAR, VALIDATION_BAR_S, FAIRNESS_BAR_S = 20.0, 20_000.0, 60.0, 60.0


def run() -> list[Bar]:
    """Return how fast addresses find their kindergarten, beside the bars, a plain script and every area one by one."""
    with scratch("matching") as database:
        sys.stderr.write("  loading the invented city\n")
        database.manage("load_city", "--scale", os.environ.get("QUANTU_SCALE", "demo"))
        return _bars(database.part("_matching", "measure"))


def _bars(found: dict[str, Any]) -> list[Bar]:
    ground = f"{found['rules']} rules, {found['doors']:,} doors of one district"
    rows = f"{found['registrations']:,.0f}"
    return [
        Bar("B8 match one address, p95", found["p95_ms"], SINGLE_BAR_MS, SINGLE_BAR_MS / found["p95_ms"], "ms",
            f"read, looked up, matched, told; p50 {found['p50_ms']:.1f}; peer: the bar; {ground}"),
        Bar("B8 match in bulk", found["bulk_rate"], BULK_BAR, found["bulk_rate"] / BULK_BAR, "/s",
            f"parse and match by address, one core; parsing alone {found['parse_rate']:,.0f}/s; {found['bulk_found']:.0%} found; peer: the bar"),
        Bar("B8 match in bulk, beside a script", found["bulk_rate"], found["peer_rate"], found["bulk_rate"] / found["peer_rate"],
            "/s", f"peer: a regular expression and every rule in turn, no doubt, no exceptions, right in {found['peer_right']:.1%}; ours {found['equal']:.1%}"),
        Bar("B8 decide rows with street and committee", found["given_rate"], None, None, "/s",
            f"homes, editions and sentences' ground included, one core; 10,000 rows took {found['given_wall_s']:.2f} s"),
        Bar("B8 decide rows with nothing given", found["looked_up_rate"], None, None, "/s",
            f"what the words leave open looked up in PostGIS, our core; 10,000 rows took {found['looked_up_wall_s']:.2f} s"),
        Bar("areas: points among 200", found["area_rate"], found["area_peer"], found["area_rate"] / found["area_peer"], "/s",
            f"distance to the border told; peer: every area in turn; equal: {found['area_equal']:.1%}"),
        Bar("book of an edition", found["build_ms"], None, None, "ms", f"{ground}; rules read, areas and sites projected"),
        Bar("PRE-ENR-05: a year's registrations", found["validation_s"], VALIDATION_BAR_S,
            VALIDATION_BAR_S / found["validation_s"], "s",
            f"{rows} rows answered and kept, one worker ({found['validation_cpu_s']:.1f} s of its core); {found['matched']:.0%} matched;"
            f" taken in before in {found['register_s']:.1f} s; peer: the bar"),
        Bar("fairness of one district", found["fairness_s"], FAIRNESS_BAR_S, FAIRNESS_BAR_S / found["fairness_s"], "s",
            f"{found['fairness_doors']:,} doors and {rows} children, {found['fairness_sites']} kindergartens, one worker"
            f" ({found['fairness_cpu_s']:.1f} s of its core); door by door it would walk {found['fairness_peer_s']:,.0f} s,"
            f" equal within a second: {found['fairness_equal']:.1%}; peer: the bar"),
    ]  # fmt: skip
