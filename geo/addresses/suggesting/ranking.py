"""In what order suggestions come: how well the name fits, how much the thing matters, how near it is.

1. ``Fit``: the whole name before its beginning, the beginning before what it holds, all of these before a correction.
2. Within a fit, ``steps`` and nearness together. Steps say how little a thing matters: each counts like twice the distance.

| what | steps | why |
|---|---|---|
| 区, 市 | 0 | few, and everybody knows them |
| 街镇, 地铁站 | 0.5 | landmarks by which people say where they are |
| 道路 | 0.5 for 2 km and more, one more for each halving, at most 3.5 | long roads are asked for more, and have most addresses |
| 道路，前面写了区或街镇的 | 0 | a region and a road in one are an address |
| 医院 | 1 | people come from afar |
| 公园, 图书馆 | 1.5 | the same, less so |
| 门牌 | 1 | was asked for by its number; in the order of numbers, whatever the distance |
| 小区 | 2.5; if households are known 1.5 for 500 and more, one more for each halving, at most 3.5 | more live in large ones |
| 其他设施 | 2.5 | |
| 居委 | 3 | known to few by name |
| 公交站, 分拣点 | 5, and never the whole name | they bear the names of the roads and communities they stand at |
| 又名、原名 | 1 more | what bears the name today is likelier meant |

Nearness is counted in doublings of 250 m, from the edge of what has an extent. Without a point to be near to it is left out.
3. Then the nearer, the shorter name, the name, the id: the order is total and the same every time.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

EARTH_M: Final = 6371008.8
NEAR_M: Final = 250.0
"""Within this all is equally near."""
SAME_M: Final = 300.0
"""What reads the same and stands no further apart is offered once."""
ADDRESS_STEPS: Final = 1.0
OTHER_NAME_STEPS: Final = 1.0
MINOR_STEPS: Final = 5.0
"""From so many steps on a thing counts as beginning with its own name: whatever else is called that is likelier meant."""


class Fit(IntEnum):
    """How a name fits what was typed, the best first. Letters count as the sounds they spell."""

    WHOLE = 0
    BEGINS = 1
    HOLDS = 2
    """It holds it further in, or begins with these initials."""
    SCATTERED = 3
    """It holds these initials further in, all the words apart, or its address holds it."""
    SOUNDS = 4
    """Corrected: the whole name sounds like it, or nearly."""
    SOUNDS_BEGIN = 5
    """Corrected: its beginning does."""
    MISTYPED = 6
    """Corrected: it is the whole name but for one character or letter."""
    MISTYPED_BEGIN = 7
    """Corrected: it is the beginning of the name, the same way."""
    SOUNDS_IN = 8
    """Corrected: something further in sounds like it."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something a text may mean: ``label`` is what it is called, ``where`` the district and street it lies in.

    Longitude and latitude in CGCS2000 degrees. ``said`` tells by which other name it was found, in Chinese, else empty.
    ``steps`` is how little it matters; ``order`` the place of an address among those of its number, 0 for all else.
    """

    what: str
    id: int
    label: str
    where: str
    lon: float
    lat: float
    uncertainty_m: float
    fit: int
    steps: float = 0.0
    metres: float | None = None
    said: str = ""
    order: int = 0

    @property
    def corrected(self) -> bool:
        """Say whether it is not what was typed, but what may have been meant."""
        return self.fit >= Fit.SOUNDS

    @property
    def rank(self) -> tuple[int, float, int, float, int, str, int]:
        """Return the place in the order of suggestions, see the module."""
        metres = self.metres or 0.0
        score = self.steps
        if self.metres is not None and not self.order:
            score += round(math.log2(max(metres - self.uncertainty_m, NEAR_M) / NEAR_M), 6)
        return self.fit, score, self.order, 0.0 if self.order else metres, len(self.label), self.label, self.id


def doublings(metres: npt.NDArray[np.float64], radius: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how far away things of some radius are, in doublings of 250 m, rounded so that equals stay equal."""
    away: npt.NDArray[np.float64] = np.log2(np.maximum(metres - radius, NEAR_M) / NEAR_M)
    return away.round(6)


def metres_from(
    near: tuple[float, float], lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the metres from a point to others within a city, on the sphere: good to half a per cent."""
    across = np.radians(lon - near[0]) * np.cos(np.radians((lat + near[1]) / 2))
    metres: npt.NDArray[np.float64] = EARTH_M * np.hypot(across, np.radians(lat - near[1]))
    return metres


def best(found: Iterable[Suggestion], near: tuple[float, float] | None, limit: int) -> list[Suggestion]:
    """Return the first ``limit`` suggestions by rank, with their metres from ``near`` (longitude, latitude) filled in.

    What reads the same and stands within ``SAME_M``, like the stops on both sides of a street, is offered once; so is a lane
    that is known as a road and by its doors.
    """
    if near is not None:
        found = [replace(item, metres=_metres(near, item)) for item in found]
    chosen: list[Suggestion] = []
    # The same thing may be found in two ways; the better one comes first.
    seen: set[tuple[str, int, str]] = set()
    alike: dict[tuple[str, str, str], list[Suggestion]] = defaultdict(list)
    for item in sorted(found, key=lambda suggestion: suggestion.rank):
        lane = item.what in ("road", "address")
        offered = alike["lane" if lane else item.what, item.label, "" if lane else item.where]
        if (item.what, item.id, item.label) in seen or any(
            _metres((item.lon, item.lat), other) < _apart(item, other) for other in offered
        ):
            continue
        seen.add((item.what, item.id, item.label))
        offered.append(item)
        chosen.append(item)
        if len(chosen) == limit:
            break
    return chosen


def _apart(item: Suggestion, other: Suggestion) -> float:
    if item.what == other.what:
        # A road has one entry for each district it runs through.
        return 0.0 if item.what == "road" else SAME_M
    return max(SAME_M, item.uncertainty_m, other.uncertainty_m)


def _metres(near: tuple[float, float], item: Suggestion) -> float:
    across = math.radians(item.lon - near[0]) * math.cos(math.radians((item.lat + near[1]) / 2))
    return EARTH_M * math.hypot(across, math.radians(item.lat - near[1]))


def steps_of_size(size: float, *, large: float, least: float, most: float) -> float:
    """Return the steps of something by its size: ``least`` from ``large`` on, one more for each halving, at most ``most``."""
    return min(most, least + math.log2(large / size)) if 0 < size < large else least if size >= large else most
