"""B8's time of one answer and B9: the truth of answers, on the invented city misspelt and on lanes of a real list left out."""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path
from typing import Any

from tests.bench._calibration import grouped, plot
from tests.bench._scratch import scratch
from tests.bench._standardising_bars import standardising_bars
from tests.bench._suggesting_bars import suggesting_bars
from tests.bench.report import Bar

DATA = Path(os.environ.get("QUANTU_DATA", "../shared/data"))
PART = "_geocoding"
PLOT = Path(".local/bench/calibration.svg")
ANSWER_MS, RIGHT_DOORS = 20.0, 99.0
ANSWERED, INSIDE, RADIUS_M, LISTS_APART_M = 65.0, 88.0, 450.0, 200.0


def geocoding_bars() -> list[Bar]:
    """Return the bars of the invented city, then those of the real one where its data is there."""
    with scratch("addresses") as database:
        _say("loading the invented city")
        database.manage("load_city", "--scale", os.environ.get("QUANTU_SCALE", "demo"))
        bars = _invented(database.part(PART, "invented")) + standardising_bars(database)
        bars += suggesting_bars(database, "invented city")
        if not DATA.is_dir():
            return [*bars, Bar("B9", 0.0, None, None, "rows", f"left out, not there: {DATA.name}")]
        _say("importing the real city")
        database.manage("import_data", str(DATA.resolve()), "--commit", "--json")
        bars += suggesting_bars(database, "real city")
        return bars + _left_out(database.part(PART, "left_out")) + _in_the_base(database.part(PART, "in_the_base"))


def _invented(found: dict[str, Any]) -> list[Bar]:
    worst = statistics.quantiles(found["ms"], n=100, method="inclusive")[94]
    right = 100 * found["right"] / found["asked"]
    note = (
        f"invented city misspelt: right door within 50 m, {found['asked']:,} asked; wrong lanes {found['wrong_lane']}"
    )
    return [
        Bar("B8", worst, ANSWER_MS, ANSWER_MS / worst, "ms", "geocode, one address, p95; peer = bar"),
        Bar("B9", right, RIGHT_DOORS, right / RIGHT_DOORS, "%", note),
    ]


def _left_out(found: dict[str, Any]) -> list[Bar]:
    answered = 100 * found["answered"] / found["asked"]
    inside = 100 * found["inside"] / found["answered"]
    title = f"real lanes left out, {found['asked']:,} asked"
    bars = [
        Bar("B9", answered, ANSWERED, answered / ANSWERED, "%", f"{title}: answered"),
        Bar("B9", inside, INSIDE, inside / INSIDE, "%", f"{title}: true point inside the stated radius"),
        Bar("B9", found["radius_m"], RADIUS_M, RADIUS_M / found["radius_m"], "m", f"{title}: median stated radius"),
    ]
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    PLOT.write_text(plot(grouped(found["answers"]), f"{title}: share of true points inside the stated radius"))
    _say(f"calibration is drawn in {PLOT}")
    for level, figures in found["levels"].items():
        share = 100 * figures["inside"] / figures["answered"]
        note = f"{title}: inside, level {level}, {figures['answered']:,} answers, median radius {figures['radius_m']:.0f} m"
        bars.append(Bar("B9", share, INSIDE, share / INSIDE, "%", f"{note}, median error {figures['wrong_m']:.0f} m"))
    return bars


def _in_the_base(found: dict[str, Any]) -> list[Bar]:
    note = f"real lanes that another list has, {found['asked']:,} asked: median error"
    return [Bar("B9", found["wrong_m"], LISTS_APART_M, LISTS_APART_M / found["wrong_m"], "m", note)]


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
