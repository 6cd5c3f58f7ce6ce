"""The drawing table in a browser, whatever is drawn on it: spots in metres from a middle, clicks, what was saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geo.fences.areas import shape_of
from geo.geometry import from_plane, to_plane
from geo.regions.queries import current_city


@dataclass(frozen=True, slots=True)
class Middle:
    """A spot on the city's plane, in metres, that a test measures from."""

    x: float
    y: float

    @classmethod
    def among(cls, metres: npt.NDArray[np.float64]) -> Middle:
        """Return the point nearest to the median of points (east, north)."""
        x, y = metres[np.argmin(np.hypot(*(metres - np.median(metres, axis=0)).T))]
        return cls(float(x), float(y))

    def degrees(self, east: float, north: float) -> tuple[float, float]:
        """Return a spot so many metres from the middle, in degrees."""
        spot = from_plane(shapely.Point(self.x + east, self.y + north), current_city())
        return spot.x, spot.y

    def box(self, east: float, north: float, width: float, height: float) -> BaseGeometry:
        """Return a box in degrees."""
        x, y = self.x + east, self.y + north
        return from_plane(shapely.box(x, y, x + width, y + height), current_city())


def drawn(page: Any) -> None:
    """Wait until the table shows what is drawn."""
    page.wait_for_selector('#plan-map[data-drawn="true"]', timeout=120_000, state="attached")


def look_at(page: Any, middle: Middle) -> None:
    """Bring the middle to the middle of the map."""
    page.evaluate(
        "spot => document.getElementById('plan-map').quantu.jumpTo({center: spot, zoom: 15.6})",
        list(middle.degrees(0, 0)),
    )


def click_at(page: Any, middle: Middle, east: float, north: float) -> None:
    """Click a spot of the map that lies so many metres from the middle."""
    spot = page.evaluate(
        "spot => { const map = document.getElementById('plan-map'); const at = map.quantu.project(spot);"
        " const box = map.getBoundingClientRect(); return [box.left + at.x, box.top + at.y]; }",
        list(middle.degrees(east, north)),
    )
    page.mouse.click(*spot)


def saved(page: Any, words: str) -> None:
    """Wait until the table says so."""
    page.wait_for_function("words => document.getElementById('announce').textContent.includes(words)", arg=words)


def metres(area: Any) -> BaseGeometry:
    """Return the shape of an area as it is kept now, in metres."""
    area.refresh_from_db()
    return to_plane(shape_of(area), current_city())
