"""The pages that families open first, on a slow phone: bytes before the map, and when they can be read.

A house of its own, with nginx and packed files as in the street, over the tiny city; Chromium with slow 4G, a processor four times
as slow and an empty cache.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.bench.report import Bar
from tests.e2e.slow_phone import first_paint_ms, largest_paint_ms, slow_down
from tests.reading import CHROMIUM
from tests.run.conftest import make_house

ROUNDS = 5
BYTES_BAR, READABLE_BAR_MS = 300_000.0, 1_500.0


def run() -> list[Bar]:
    """Return for each page its bytes before the map, and the medians of its first and its largest paint."""
    bars: list[Bar] = []
    with _house() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
        )
        for name, path in _paths(address).items():
            _measure(browser, address + path)  # what the server reads at first is no matter of the page
            measured = [_measure(browser, address + path) for _ in range(ROUNDS)]
            first, largest, sizes = (statistics.median(column) for column in zip(*measured, strict=True))
            bars += [
                Bar(f"{name}: bytes before the map", sizes / 1000, BYTES_BAR / 1000, BYTES_BAR / sizes, "KB", "peer = bar"),
                Bar(f"{name}: readable", first, READABLE_BAR_MS, READABLE_BAR_MS / first, "ms",
                    f"first paint on a slow phone, median of {ROUNDS}; peer = bar; largest paint {largest:.0f}"),
            ]  # fmt: skip
        browser.close()
    return bars


def _measure(browser: Any, address: str) -> tuple[float, float, float]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True)
    page = context.new_page()
    cost = slow_down(page)
    page.goto(address, timeout=60_000)
    page.wait_for_load_state("networkidle", timeout=60_000)
    found = first_paint_ms(page), largest_paint_ms(page), sum(cost.before_the_map().values())
    context.close()
    return found


def _paths(address: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{address}/api/v1/places?kinds=nursery&limit=1&crs=wgs84", timeout=30) as answer:
        (place,) = json.load(answer)["places"]
    here = f"lon={place['lon']}&lat={place['lat']}"
    return {
        "/": "/",
        "/ with a circle": f"/?{here}&kinds=childcare",
        "/places": "/places",
        "/places/ID": f"/places/{place['id']}",
    }


@contextmanager
def _house() -> Iterator[str]:
    sys.stderr.write("  a house with the tiny city\n")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as somebody else
        house = make_house(Path(folder))
        (house.state / "left-empty").unlink()
        house.settings["QUANTU_SCALE"] = "tiny"
        try:
            house.run("start")
            yield f"http://127.0.0.1:{house.port}"
        finally:
            house.run("reset", "--yes")
