"""What a tile is drawn from, and what came of drawing it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tiles.schemes import PIXELS


@dataclass(frozen=True, slots=True)
class Column:
    """One property of a feature: its name and a constant SQL expression over ``t``."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class TileSource:
    """What one tile layer is drawn from: constant SQL written by the layer's owner, values only as parameters.

    ``table`` has columns ``id`` and ``geom`` (CGCS2000); ``order`` puts first what must survive when a cap bites. Below the zoom
    ``cluster_below`` points closer than about ``cluster_px`` pixels are one, with a ``count``, how many there are of each value
    of the column ``counted``, and sum, least and most of the columns ``figures``. Two sources with the same ``name`` show the
    same; without one nothing is held in memory.
    """

    layer: str
    geometry: Literal["point", "line", "polygon"]
    table: str
    columns: Sequence[Column]
    where: str = "TRUE"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    order: str = ""
    cluster_px: int = 0
    cluster_below: int = 0
    counted: str = ""
    figures: Sequence[str] = ()
    name: str = ""

    def clusters_at(self, zoom: int) -> bool:
        """Say whether points are counted together at a zoom."""
        return bool(self.cluster_px) and zoom < self.cluster_below

    @property
    def cell_bits(self) -> int:
        """How many times a tile's side is halved to give the side of a cell."""
        return max(0, round(math.log2(PIXELS / self.cluster_px)))

    @property
    def deepest(self) -> int:
        """How many times the world's side is halved to give the side of a cell at the deepest zoom that counts."""
        return self.cluster_below - 1 + self.cell_bits


@dataclass(frozen=True, slots=True)
class Drawn:
    """The bytes of a tile, and how many features had to be left out of it."""

    content: bytes
    dropped: int = 0
