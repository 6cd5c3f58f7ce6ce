"""A slow phone: Chromium with the network and the processor of one, and what a page cost it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

# Lighthouse's slow 4G: what the 4G of a full train gives.
DOWN_BYTES_S: Final = 1_600_000 / 8
UP_BYTES_S: Final = 750_000 / 8
ROUND_TRIP_MS: Final = 150
PROCESSOR: Final = 4
MAP: Final = ("/vendor/maplibre", "/static/js/map", "/tiles", "/style/", "/glyphs")
"""What is loaded for the map alone; the list stands complete without it."""


@dataclass
class Cost:
    """What a page took: requests with the bytes that came over the network (heads included) and their start in seconds."""

    bytes: dict[str, float] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)

    def before_the_map(self) -> dict[str, float]:
        """Return the bytes of what is not loaded for the map."""
        return {url: size for url, size in self.bytes.items() if not is_for_map(url)}


def is_for_map(url: str) -> bool:
    """Say whether something is loaded for the map alone."""
    return any(part in urlsplit(url).path for part in MAP)


def slow_down(page: Any) -> Cost:
    """Make a page slow as on such a phone, with an empty cache; return what fills with everything it loads from now on."""
    cost, urls = Cost(), dict[str, str]()
    wire = page.context.new_cdp_session(page)

    def asked(said: dict[str, Any]) -> None:
        url = urls[said["requestId"]] = said["request"]["url"]
        cost.begun.setdefault(url, said["timestamp"])

    def came(said: dict[str, Any]) -> None:
        if (url := urls.get(said["requestId"], "")).startswith("http"):
            cost.bytes[url] = cost.bytes.get(url, 0) + said["encodedDataLength"]

    wire.on("Network.requestWillBeSent", asked)
    wire.on("Network.loadingFinished", came)
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    conditions = {"latency": ROUND_TRIP_MS, "downloadThroughput": DOWN_BYTES_S, "uploadThroughput": UP_BYTES_S}
    wire.send("Network.emulateNetworkConditions", {"offline": False, **conditions})
    wire.send("Emulation.setCPUThrottlingRate", {"rate": PROCESSOR})
    return cost


def first_paint_ms(page: Any) -> float:
    """Return when the first text or picture stood on the page, in milliseconds after it was asked for."""
    return float(
        page.evaluate(
            """() => new Promise(done => new PerformanceObserver(list => {
                const found = list.getEntriesByName('first-contentful-paint');
                if (found.length) done(found[0].startTime);
            }).observe({type: 'paint', buffered: true}))"""
        )
    )


def largest_paint_ms(page: Any) -> float:
    """Return when the largest text or picture so far stood on the page, in milliseconds after it was asked for."""
    return float(
        page.evaluate(
            """() => new Promise(done => new PerformanceObserver(list =>
                done(list.getEntries().at(-1).startTime)).observe({type: 'largest-contentful-paint', buffered: true}))"""
        )
    )
