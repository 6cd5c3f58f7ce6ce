"""The finest region at each of many points, in memory: a tree over the subdivided boundaries of one edition. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

CHUNK: Final = 50_000
NOWHERE: Final = 0
"""What stands for no region in an array of region ids."""


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """The parts of one level; where several cover a point, on borders and overlaps, the lowest rank answers."""

    parts: npt.NDArray[np.object_]
    regions: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.int64]
    tree: shapely.STRtree

    def at(
        self, points: npt.NDArray[np.object_], lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int64]:
        rows, hits = self.tree.query(points)
        inside = shapely.intersects_xy(self.parts[hits], lon[rows], lat[rows])
        rows, hits = rows[inside], hits[inside]
        best = np.full(len(lon), np.iinfo(np.int64).max, dtype=np.int64)
        np.minimum.at(best, rows, self.ranks[hits])
        wins = self.ranks[hits] == best[rows]
        found = np.full(len(lon), NOWHERE, dtype=np.int64)
        found[rows[wins]] = self.regions[hits[wins]]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class RegionIndex:
    """Parts of boundaries by level. The finest level that covers a point answers; coarser ones are asked only for the rest."""

    layers: tuple[_Layer, ...]

    @classmethod
    def build(
        cls,
        parts: npt.NDArray[np.object_],
        regions: npt.NDArray[np.int64],
        levels: npt.NDArray[np.int64],
        ranks: npt.NDArray[np.int64],
    ) -> RegionIndex:
        """Index polygons of CGCS2000 degrees; the highest of ``levels`` is the finest, ``ranks`` order regions of a level."""
        shapely.prepare(parts)
        layers = []
        for level in np.unique(levels)[::-1]:
            own = levels == level
            layers.append(_Layer(parts[own], regions[own], ranks[own], shapely.STRtree(parts[own])))
        return cls(tuple(layers))

    def at(self, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return the region id at each point in CGCS2000 degrees, borders included; ``NOWHERE`` outside all, NaN too."""
        x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        found = np.full(len(x), NOWHERE, dtype=np.int64)
        for begin in range(0, len(x), CHUNK):
            part = slice(begin, begin + CHUNK)
            found[part] = self._at(x[part], y[part])
        return found

    def _at(self, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        points = shapely.points(lon, lat)
        found = np.full(len(lon), NOWHERE, dtype=np.int64)
        rest = np.arange(len(lon))
        for layer in self.layers:
            found[rest] = layer.at(points[rest], lon[rest], lat[rest])
            rest = rest[found[rest] == NOWHERE]
        return found
