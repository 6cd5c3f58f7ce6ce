"""B12: heat of a million events by H3 cell at resolution 9 with suppression, any viewport, over HTTP against 100 ms p95.

One process, viewports one after the other, each by another caller. The first answer counts and decides on everything and is told
apart. The peer counts the points of a viewport when it is asked for, in SQL and h3, without HTTP and without suppression.
Works in a scratch database and drops it.
"""

from __future__ import annotations

import statistics
import time

import httpx

from tests.bench._scratch import scratch
from tests.bench._serving import server
from tests.bench.report import Bar

BAR_MS = 100.0


def run() -> list[Bar]:
    """Return p95 of what a map draws and of the bare figures, and the first answer."""
    with scratch("layers") as database:
        database.manage("load_city", "--scale", "tiny")
        prepared = database.part("_heat", "prepare")
        theirs = _p95(database.part("_heat", "peer"))
        environment = {**database.environment, "DJANGO_SETTINGS_MODULE": "tests.bench._heat_settings"}
        with server(environment) as address, httpx.Client(base_url=address, timeout=120) as client:
            asked = f"/api/v1/heat/bench_events?by=9&from={prepared['from']}&to={prepared['to']}"
            first, _ = _ask(client, f"{asked}&shape=polygon&bbox=120,30,123,32", 0)
            drawn = [
                _ask(client, f"{asked}&shape=polygon&bbox={_said(box)}", at) for at, box in enumerate(prepared["boxes"])
            ]
            bare = [_ask(client, f"{asked}&bbox={_said(box)}", at) for at, box in enumerate(prepared["boxes"])]
    as_asked = sum(answer["by"] == "9" for _, answer in drawn)
    cells = max(len(answer["figures"]) for _, answer in bare)
    ours, figures = (_p95([took for took, _ in some]) for some in (drawn, bare))
    note = f"viewports of 1440 × 900, zoom 9–16, p95, bar {BAR_MS:g} ms; {as_asked} of {len(drawn)} at resolution 9, wider ones coarser"
    return [
        Bar("B12", ours, theirs, theirs / ours, "ms", f"as GeoJSON for the map; {note}"),
        Bar(
            "B12",
            figures,
            theirs,
            theirs / figures,
            "ms",
            f"bare figures, all at resolution 9, {cells:,} cells at most",
        ),
        Bar("B12", ours, BAR_MS, BAR_MS / ours, "ms", "as GeoJSON for the map; peer = bar"),
        Bar(
            "B12",
            first,
            None,
            None,
            "ms",
            "the first answer of an edition: 1,000,000 events counted and decided on at 7 to 10",
        ),
    ]


def _ask(client: httpx.Client, path: str, number: int) -> tuple[float, dict]:  # type: ignore[type-arg]
    began = time.perf_counter()
    answer = client.get(path, headers={"X-Real-IP": f"198.51.{number // 250}.{number % 250}"})
    took = 1000 * (time.perf_counter() - began)
    answer.raise_for_status()
    return took, answer.json()


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[94]


def _said(box: list[float]) -> str:
    return ",".join(str(each) for each in box)
