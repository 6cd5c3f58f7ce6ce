"""Who travels, how fast, over which roads, and what slows them down.

Travellers that may use the same roads share a ``Network``, and with it the index of nearest roads; each has costs of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.edges import FOOTWAYS, HIGHWAYS, RoadEdges

KMH: Final = 1 / 3.6
FERRY_MPS: Final = 3.0
"""Speed of a ferry whose timetable is unknown: city ferries make ten to twelve kilometres an hour."""
FERRY_BOARDING_S: Final = 300.0
"""Half a ten-minute headway: the mean wait when the timetable is unknown."""


class Network(StrEnum):
    """A set of roads that some travellers may use."""

    FOOT = "foot"
    WHEELS = "wheels"
    BICYCLE = "bicycle"
    CAR = "car"


@dataclass(frozen=True, slots=True)
class Traveller:
    """One way of getting about. Speeds in metres per second; a factor multiplies the time on such an edge.

    ``access_mps`` is the speed of the straight leg between a door and the road: everybody walks it, at their own pace.
    """

    key: str
    name: str
    network: Network
    speed_mps: float
    access_mps: float
    steps_factor: float = 1.0
    bridge_factor: float = 1.0
    footbridge_factor: float = 1.0
    kerb_s: float = 0.0
    class_kmh: Mapping[str, float] = field(default_factory=dict)
    obeys_oneway: bool = False

    def usable(self, edges: RoadEdges) -> NDArray[np.bool_]:
        """Return which edges this traveller may use in at least one direction."""
        match self.network:
            case Network.FOOT:
                return edges.foot
            case Network.WHEELS:
                return edges.foot & ~edges.steps
            case Network.BICYCLE:
                return edges.bicycle & ~edges.steps
            case Network.CAR:
                return edges.car & ~edges.steps

    def seconds(self, edges: RoadEdges, metres: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the seconds to travel each whole edge forward and backward; infinite where it is forbidden."""
        speed = np.full(len(HIGHWAYS), self.speed_mps)
        for word, kmh in self.class_kmh.items():
            speed[HIGHWAYS.index(word)] = kmh * KMH
        seconds = metres / speed[edges.highway]
        footbridge = edges.bridge & np.isin(edges.highway, FOOTWAYS)
        seconds = seconds * np.where(edges.steps, self.steps_factor, 1.0)
        seconds = seconds * np.where(
            footbridge, self.footbridge_factor, np.where(edges.bridge, self.bridge_factor, 1.0)
        )
        seconds = seconds + np.where(edges.kerb, self.kerb_s, 0.0)
        by_timetable = np.where(np.isnan(edges.duration_s), metres / FERRY_MPS + FERRY_BOARDING_S, edges.duration_s)
        seconds = np.where(edges.ferry, by_timetable, seconds)
        seconds = np.where(self.usable(edges), seconds, np.inf)
        if not self.obeys_oneway:
            return seconds, seconds.copy()
        # A cyclist on a shared path is a guest of the people walking there: one way for vehicles does not bind.
        bound = np.ones(edges.count, dtype=bool)
        if self.network is Network.BICYCLE:
            bound = ~np.isin(edges.highway, FOOTWAYS)
        forward = np.where(bound & (edges.oneway < 0), np.inf, seconds)
        backward = np.where(bound & (edges.oneway > 0), np.inf, seconds)
        return forward, backward


_CAR_KMH: Final = {
    "motorway": 80,
    "motorway_link": 45,
    "trunk": 60,
    "trunk_link": 40,
    "primary": 42,
    "primary_link": 35,
    "secondary": 36,
    "secondary_link": 32,
    "tertiary": 32,
    "tertiary_link": 30,
    "unclassified": 28,
    "residential": 22,
    "living_street": 12,
    "service": 14,
    "track": 12,
}

TRAVELLERS: Final[Mapping[str, Traveller]] = MappingProxyType(
    {
        traveller.key: traveller
        for traveller in (
            Traveller("walk", "步行", Network.FOOT, speed_mps=1.25, access_mps=1.25, steps_factor=1.5),
            Traveller("elder", "老人步行", Network.FOOT, speed_mps=0.8, access_mps=0.8, steps_factor=2.0),
            Traveller(
                "pram",
                "推婴儿车",
                Network.WHEELS,
                speed_mps=1.1,
                access_mps=1.1,
                bridge_factor=1.1,
                footbridge_factor=1.5,
                kerb_s=4.0,
            ),
            Traveller(
                "wheelchair",
                "轮椅",
                Network.WHEELS,
                speed_mps=0.9,
                access_mps=0.9,
                bridge_factor=1.25,
                footbridge_factor=2.0,
                kerb_s=12.0,
            ),
            Traveller(
                "bicycle",
                "自行车",
                Network.BICYCLE,
                speed_mps=15 * KMH,
                access_mps=1.25,
                class_kmh={"footway": 8, "pedestrian": 8, "path": 10, "living_street": 12, "track": 10},
                obeys_oneway=True,
            ),
            Traveller(
                "car",
                "驾车",
                Network.CAR,
                speed_mps=25 * KMH,
                access_mps=1.25,
                class_kmh=_CAR_KMH,
                obeys_oneway=True,
            ),
        )
    }
)
