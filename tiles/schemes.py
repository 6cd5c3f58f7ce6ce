"""Tile schemes: which piece of the world a (z, x, y) names. Pure; coordinates in metres of Web Mercator or in degrees."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geo.errors import BadInput

WORLD_M = 20037508.342789244
"""Half the side of the square world of WebMercatorQuad, in metres."""
MAX_ZOOM = 22


class TileOutOfRange(BadInput):
    """The tile does not exist in its scheme."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile of WebMercatorQuad; row 0 is the northernmost."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not 0 <= self.z <= MAX_ZOOM or not (0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z):
            raise TileOutOfRange("tile_out_of_range", f"没有这块瓦片：z 为 0 到 {MAX_ZOOM}，x、y 为 0 到 2^z−1。")

    @property
    def size_m(self) -> float:
        """Return the side of the tile in metres of Web Mercator."""
        return 2 * WORLD_M / (1 << self.z)

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """Return (west, south, east, north) in metres of Web Mercator."""
        west, north = self.x * self.size_m - WORLD_M, WORLD_M - self.y * self.size_m
        return west, north - self.size_m, west + self.size_m, north

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Return (west, south, east, north) in degrees."""
        west, south, east, north = self.bounds_m
        return _lon(west), _lat(south), _lon(east), _lat(north)


def tile_at(lon: float, lat: float, z: int) -> Tile:
    """Return the tile of a zoom that holds a point in degrees; a point on an edge belongs to the tile east and south of it."""
    side = 1 << z
    column = (lon + 180.0) / 360.0 * side
    row = (1.0 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2.0 * side
    return Tile(z, min(int(column), side - 1), min(int(row), side - 1))


def pixel_m(z: int, pixels: int = 512) -> float:
    """Return the size in metres of Web Mercator of one pixel of a tile that is drawn ``pixels`` wide."""
    return 2 * WORLD_M / (1 << z) / pixels


def _lon(x: float) -> float:
    return x / WORLD_M * 180.0


def _lat(y: float) -> float:
    return math.degrees(math.atan(math.sinh(y / WORLD_M * math.pi)))
