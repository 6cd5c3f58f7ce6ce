"""Tile schemes: which piece of the world a (z, x, y) names. Pure; coordinates in the units of a scheme, or in degrees.

``scheme("WebMercatorQuad").tile(z, x, y)`` is a tile; ``SCHEMES`` are all there are, ``definition`` writes one in JSON.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

from geo.crs.codes import CGCS2000, WEB_MERCATOR
from geo.errors import BadInput, NotFound

WORLD_M: Final = 20037508.342789244
"""Half the side of the square world of WebMercatorQuad, in metres."""
DEGREE_M: Final = WORLD_M / 180.0
"""What the standard of tile matrix sets takes for the length of a degree."""
MAX_ZOOM: Final = 22
PIXELS: Final = 512
"""How wide a vector tile is drawn."""
MATRIX_PIXELS: Final = 256
"""How wide a tile is in the definitions of the standard."""
STANDARD_PIXEL_M: Final = 0.00028

Extent = tuple[float, float, float, float]


class TileOutOfRange(BadInput):
    """The tile does not exist in its scheme."""


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """A world cut into 2^z columns at zoom z. There is one of each: compare with ``is``.

    ``west``, ``north`` and ``width`` of the world are in the units of ``srid``, x before y; ``flat`` is how many zooms the rows
    come behind the columns (1: the world is two tiles wide and one high at zoom 1). ``axes`` are in the system's own order.
    """

    id: str
    title: str
    srid: int
    crs: str
    west: float
    north: float
    width: float
    metres: float
    axes: tuple[str, str]
    flat: int = 0
    min_zoom: int = 0
    max_zoom: int = MAX_ZOOM
    known_as: dict[str, str] = field(default_factory=dict)

    def tile(self, z: int, x: int, y: int) -> Tile:
        """Return a tile. Raises ``TileOutOfRange``."""
        return Tile(z, x, y, self)

    def columns(self, z: int) -> int:
        """Return how many tiles lie side by side at a zoom."""
        return 1 << z

    def rows(self, z: int) -> int:
        """Return how many tiles lie one above the other at a zoom."""
        return 1 << (z - self.flat)

    def side(self, z: int) -> float:
        """Return the side of a tile of a zoom, in the units of the scheme."""
        return self.width / (1 << z)

    def project(self, lon: float, lat: float) -> tuple[float, float]:
        """Return where a point in degrees lies in the system of the scheme."""
        if self.srid == CGCS2000:
            return lon, lat
        return lon * DEGREE_M, math.asinh(math.tan(math.radians(lat))) / math.pi * WORLD_M

    def degrees(self, x: float, y: float) -> tuple[float, float]:
        """Return longitude and latitude of a point in the system of the scheme."""
        if self.srid == CGCS2000:
            return x, y
        return x / DEGREE_M, math.degrees(math.atan(math.sinh(y / WORLD_M * math.pi)))


WEB_MERCATOR_QUAD: Final = Scheme(
    id="WebMercatorQuad",
    title="Web 墨卡托",
    srid=WEB_MERCATOR,
    crs=f"http://www.opengis.net/def/crs/EPSG/0/{WEB_MERCATOR}",
    west=-WORLD_M,
    north=WORLD_M,
    width=2 * WORLD_M,
    metres=1.0,
    axes=("X", "Y"),
    known_as={
        "uri": "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad",
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
    },
)
CGCS2000_QUAD: Final = Scheme(
    id="CGCS2000Quad",
    title="2000 国家大地坐标系经纬度，级别同天地图（_c）",
    srid=CGCS2000,
    crs=f"http://www.opengis.net/def/crs/EPSG/0/{CGCS2000}",
    west=-180.0,
    north=90.0,
    width=360.0,
    metres=DEGREE_M,
    axes=("Lat", "Lon"),
    flat=1,
    min_zoom=1,
)
SCHEMES: Final = {one.id: one for one in (WEB_MERCATOR_QUAD, CGCS2000_QUAD)}


def scheme(name: str) -> Scheme:
    """Return a scheme by its id. Raises ``NotFound`` with the ids there are."""
    try:
        return SCHEMES[name]
    except KeyError:
        raise NotFound("tile_scheme_unknown", "没有这个瓦片矩阵集。", known=list(SCHEMES)) from None


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile of a scheme; row 0 is the northernmost."""

    z: int
    x: int
    y: int
    scheme: Scheme = WEB_MERCATOR_QUAD

    def __post_init__(self) -> None:
        first, last = self.scheme.min_zoom, self.scheme.max_zoom
        inside = first <= self.z <= last and 0 <= self.x < self.scheme.columns(self.z)
        if not inside or not 0 <= self.y < self.scheme.rows(self.z):
            rows = f"2^(z−{self.scheme.flat})" if self.scheme.flat else "2^z"
            raise TileOutOfRange(
                "tile_out_of_range", f"没有这块瓦片：z 为 {first} 到 {last}，x 小于 2^z，y 小于 {rows}，都不小于 0。"
            )

    @property
    def extent(self) -> Extent:
        """Return (west, south, east, north) in the units of the scheme."""
        side = self.scheme.side(self.z)
        west, north = self.scheme.west + self.x * side, self.scheme.north - self.y * side
        return west, north - side, west + side, north

    @property
    def pixel(self) -> float:
        """Return the side of one drawn pixel in the units of the scheme."""
        return self.scheme.side(self.z) / PIXELS

    @property
    def bounds(self) -> Extent:
        """Return (west, south, east, north) in degrees."""
        return self.with_margin(0.0)

    def with_margin(self, share: float) -> Extent:
        """Return the bounds in degrees, grown on each side by a share of the tile's own; never beyond the world."""
        west, south, east, north = self.extent
        grown, system = share * self.scheme.side(self.z), self.scheme
        bottom = system.north - system.side(self.z) * system.rows(self.z)
        low = system.degrees(max(west - grown, system.west), max(south - grown, bottom))
        high = system.degrees(min(east + grown, system.west + system.width), min(north + grown, system.north))
        return *low, *high

    def above(self, zooms: int) -> Tile:
        """Return the tile so many zooms above that holds this one."""
        return Tile(self.z - zooms, self.x >> zooms, self.y >> zooms, self.scheme)


def tile_at(lon: float, lat: float, z: int, scheme: Scheme = WEB_MERCATOR_QUAD) -> Tile:
    """Return the tile of a zoom that holds a point in degrees; a point on an edge belongs to the tile east and south of it."""
    x, y = scheme.project(lon, lat)
    side = scheme.side(z)
    column, row = int((x - scheme.west) / side), int((scheme.north - y) / side)
    return Tile(z, min(column, scheme.columns(z) - 1), min(row, scheme.rows(z) - 1), scheme)


def definition(scheme: Scheme) -> dict[str, Any]:
    """Return the tile matrix set of a scheme as OGC 17-083r4 (2.0) writes it in JSON; origins in the declared order of axes."""
    origin = [scheme.west, scheme.north]
    if scheme.axes[0] == "Lat":
        origin.reverse()
    return {
        "id": scheme.id,
        "title": scheme.title,
        **scheme.known_as,
        "crs": scheme.crs,
        "orderedAxes": list(scheme.axes),
        "tileMatrices": [
            {
                "id": str(z),
                "scaleDenominator": cell * scheme.metres / STANDARD_PIXEL_M,
                "cellSize": cell,
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": origin,
                "tileWidth": MATRIX_PIXELS,
                "tileHeight": MATRIX_PIXELS,
                "matrixWidth": scheme.columns(z),
                "matrixHeight": scheme.rows(z),
            }
            for z in range(scheme.min_zoom, scheme.max_zoom + 1)
            for cell in [scheme.side(z) / MATRIX_PIXELS]
        ],
    }
