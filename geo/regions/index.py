"""The finest region at each of many points, in memory: a tree over the subdivided boundaries of one edition. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

CHUNK: Final = 100_000
NOWHERE: Final = 0
"""What stands for no region in an array of region ids."""


@dataclass(frozen=True, slots=True, eq=False)
class RegionIndex:
    """Parts of boundaries with their region and rank; on borders and overlaps the lowest rank answers."""

    parts: npt.NDArray[np.object_]
    regions: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.int64]
    tree: shapely.STRtree

    @classmethod
    def build(
        cls, parts: npt.NDArray[np.object_], regions: npt.NDArray[np.int64], ranks: npt.NDArray[np.int64]
    ) -> RegionIndex:
        """Index polygons of CGCS2000 degrees; ``ranks`` orders regions, the finest level and lowest code first."""
        shapely.prepare(parts)
        return cls(parts, regions, ranks, shapely.STRtree(parts))

    def at(self, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return the region id at each point in CGCS2000 degrees, borders included; ``NOWHERE`` outside all, NaN too."""
        found = np.full(len(lon), NOWHERE, dtype=np.int64)
        for begin in range(0, len(lon), CHUNK):
            part = slice(begin, begin + CHUNK)
            found[part] = self._at(np.asarray(lon[part], float), np.asarray(lat[part], float))
        return found

    def _at(self, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        rows, hits = self.tree.query(shapely.points(lon, lat))
        inside = shapely.intersects_xy(self.parts[hits], lon[rows], lat[rows])
        rows, hits = rows[inside], hits[inside]
        best = np.full(len(lon), np.iinfo(np.int64).max, dtype=np.int64)
        np.minimum.at(best, rows, self.ranks[hits])
        found = np.full(len(lon), NOWHERE, dtype=np.int64)
        wins = self.ranks[hits] == best[rows]
        found[rows[wins]] = self.regions[hits[wins]]
        return found
