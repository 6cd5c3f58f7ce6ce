"""The columnar form in which roads reach the graph builder: one row per stretch of road between two junctions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import BadInput

HIGHWAYS: Final = (
    "other",
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "primary",
    "primary_link",
    "secondary",
    "secondary_link",
    "tertiary",
    "tertiary_link",
    "unclassified",
    "residential",
    "living_street",
    "service",
    "track",
    "pedestrian",
    "footway",
    "path",
    "steps",
    "cycleway",
    "ferry",
)
"""The classes of road, in OpenStreetMap's words; a class code is a position in this tuple."""

FOOTWAYS: Final = tuple(HIGHWAYS.index(word) for word in ("pedestrian", "footway", "path", "steps"))
"""Codes of the classes made for people on foot."""


class BadRoads(BadInput):
    """The columns of a road table do not fit together."""


def highway_codes(words: Iterable[str]) -> NDArray[np.int8]:
    """Return the class code of each OpenStreetMap ``highway`` word; words we do not know become ``other``."""
    known = {word: code for code, word in enumerate(HIGHWAYS)}
    return np.array([known.get(word, 0) for word in words], dtype=np.int8)


@dataclass(frozen=True, slots=True)
class RoadEdges:
    """Roads as equally long columns; edge ``i`` owns the points ``offsets[i]:offsets[i + 1]`` in ``lon``/``lat`` degrees.

    ``oneway`` is 1, 0 or -1 as in OpenStreetMap; ``duration_s`` is the timetable of a ferry, NaN when unknown. Two edges meet
    only where they name the same node: the input is already noded. Raises ``BadRoads`` when columns disagree.
    """

    ext_id: NDArray[np.int64]
    from_node: NDArray[np.int64]
    to_node: NDArray[np.int64]
    highway: NDArray[np.int8]
    oneway: NDArray[np.int8]
    foot: NDArray[np.bool_]
    bicycle: NDArray[np.bool_]
    car: NDArray[np.bool_]
    bridge: NDArray[np.bool_]
    tunnel: NDArray[np.bool_]
    steps: NDArray[np.bool_]
    ferry: NDArray[np.bool_]
    kerb: NDArray[np.bool_]
    duration_s: NDArray[np.float64]
    offsets: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]

    @property
    def count(self) -> int:
        """Return the number of edges."""
        return len(self.ext_id)

    def __post_init__(self) -> None:
        columns = (
            *(self.from_node, self.to_node, self.highway, self.oneway, self.foot, self.bicycle, self.car, self.bridge),
            *(self.tunnel, self.steps, self.ferry, self.kerb, self.duration_s),
        )
        if any(len(column) != self.count for column in columns) or len(self.offsets) != self.count + 1:
            raise BadRoads("roads.columns", "道路数据各列长度不一致，请检查导入文件。", count=self.count)
        if len(self.lon) != len(self.lat) or self.offsets[0] != 0 or self.offsets[-1] != len(self.lon):
            raise BadRoads("roads.geometry", "道路坐标与道路条数对不上，请检查导入文件。", points=len(self.lon))
        if self.count and int(np.diff(self.offsets).min()) < 2:
            raise BadRoads("roads.points", "有道路的坐标点少于两个，请检查导入文件。")
        if not (np.isfinite(self.lon).all() and np.isfinite(self.lat).all()):
            raise BadRoads("roads.numbers", "道路坐标中有无效数字，请检查导入文件。")
        if self.count and not 0 <= int(self.highway.min()) <= int(self.highway.max()) < len(HIGHWAYS):
            raise BadRoads("roads.class", "道路等级代码超出范围，请检查导入文件。")

    def take(self, order: NDArray[np.int64]) -> RoadEdges:
        """Return the same roads in another order, or some of them."""
        sizes = np.diff(self.offsets)[order]
        offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        points = np.repeat(self.offsets[:-1][order] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return RoadEdges(
            *(self.ext_id[order], self.from_node[order], self.to_node[order], self.highway[order], self.oneway[order]),
            *(self.foot[order], self.bicycle[order], self.car[order], self.bridge[order], self.tunnel[order]),
            *(self.steps[order], self.ferry[order], self.kerb[order], self.duration_s[order]),
            *(offsets, self.lon[points], self.lat[points]),
        )
