"""The walk from every cell to the nearest of some places, and what it means for the homes of each unit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from routing.graph import Graph
from routing.nearest import reach_of_many, seconds_at
from routing.places import Doors
from routing.travellers import TRAVELLERS
from services.gaps.ground import Floats, Ground
from services.gaps.packing import packed, unpacked

WALK: Final = TRAVELLERS["walk"]
MINUTES: Final = (5, 10, 15)
FARTHEST_S: Final = 2 * 3_600.0
NOWHERE: Final = 0xFFFF
"""A cell from which no place is reached within ``FARTHEST_S``, or beside which there is no road."""


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """Whole seconds of the walk from each cell, rounded up (or ``NOWHERE``), and the share of a unit's homes within ``MINUTES``.

    ``within`` is (units, minutes); ``mean_s`` the mean walk of the homes of a unit, NaN where half of them reach nothing.
    """

    seconds: npt.NDArray[np.uint16]
    within: Floats
    mean_s: Floats

    def pack(self) -> bytes:
        """Return it for one column of the database."""
        return packed(**asdict(self))

    @classmethod
    def of(cls, kept: bytes | memoryview) -> Walks:
        """Return what was packed."""
        held = unpacked(kept)
        return cls(**{each.name: held[each.name] for each in fields(cls)})


def walks_to(graph: Graph, ground: Ground, doors: Doors, places: tuple[Floats, Floats]) -> Walks:
    """Return the walks from the cells, put on the roads as ``doors``, to the nearest of places (plane metres).

    Roads that are closed for a while are walked: where services are missing stands for years.
    """
    if len(places[0]) == 0:
        return walks_of(ground, np.full(len(ground.cells), np.inf))
    found = reach_of_many(graph, *places, WALK, FARTHEST_S)
    return walks_of(ground, seconds_at(found, doors))


def walks_of(ground: Ground, seconds: Floats) -> Walks:
    """Return what walks of so many seconds from the cells mean for the units."""
    # A thousandth less before it is rounded up: what takes 300 s is within five minutes, however it was added up.
    whole = np.where(np.isfinite(seconds), np.ceil(seconds - 1e-3), NOWHERE).clip(0, NOWHERE).astype(np.uint16)
    count = len(ground.units)
    at, away = ground.spread_unit, whole[ground.spread_cell].astype(np.float64)
    reached = away < NOWHERE
    within = [np.bincount(at, weights=ground.spread * (away <= 60 * each), minlength=count) for each in MINUTES]
    share = np.bincount(at, weights=ground.spread * reached, minlength=count)
    total = np.bincount(at, weights=ground.spread * np.where(reached, away, 0.0), minlength=count)
    mean = np.full(count, np.nan)
    np.divide(total, share, out=mean, where=share >= 0.5)
    return Walks(whole, np.minimum(np.stack(within, axis=1), 1.0), mean)
