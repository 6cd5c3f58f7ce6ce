"""Points at the edge: from what a caller wrote in a named system to the point we work with, and back, with errors that teach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from geo.crs import City, Coordinate, Coordinates, System, convert, inside
from geo.errors import BadInput

Floats = npt.NDArray[np.float64]
DEGREE_DECIMALS: Final = 7
METRE_DECIMALS: Final = 3
STEP: Final = 6
"""Decimals of a degree to which a question is rounded, a tenth of a metre: the same question then has the same answer."""


def position(x: float, y: float, crs: str | System, city: City, names: tuple[str, str] = ("lon", "lat")) -> Coordinate:
    """Return the point (x: longitude or easting, y: latitude or northing, in ``crs``) in CGCS2000 degrees, within the city's box.

    Raises ``BadInput``: ``coordinates_not_finite``, ``axes_swapped`` when the two were written the wrong way round, ``off_map``
    when the point is outside the city.
    """
    system = crs if isinstance(crs, System) else System.parse(crs)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise BadInput("coordinates_not_finite", f"{names[0]} 和 {names[1]} 要是有效的数字。", parameter=names[0])
    found = _within(x, y, system, city)
    if found is not None:
        return found
    if _within(y, x, system, city) is not None:
        raise BadInput(
            "axes_swapped",
            f"经纬度好像写反了：收到 {names[0]}={x:g}、{names[1]}={y:g}，对调后正好在{city.name}。"
            "先写经度（或东坐标），再写纬度（或北坐标）。",
            suggestion={names[0]: y, names[1]: x},
        )
    raise BadInput(
        "off_map",
        f"这个位置不在{city.name}范围内。请核对坐标和坐标系（现在按 {system} 理解）。",
        bbox=[city.bbox.west, city.bbox.south, city.bbox.east, city.bbox.north],
        crs=str(system),
    )


def _within(x: float, y: float, system: System, city: City) -> Coordinate | None:
    try:
        found = convert(Coordinate(x, y, system), System.CGCS2000)
    except BadInput:
        return None
    box = city.bbox
    if not (box.west <= found.x <= box.east and box.south <= found.y <= box.north):
        return None
    return Coordinate(round(found.x, STEP), round(found.y, STEP), System.CGCS2000)


def positions(x: Floats, y: Floats, system: System, city: City) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return many points (in ``system``) in CGCS2000 degrees to the last bit, and which were written the wrong way round.

    NaN where a point is outside the city's box or no number.
    """
    lon, lat = _all_within(x, y, system, city)
    swapped = np.isnan(lon)
    if swapped.any():
        other, _ = _all_within(y[swapped], x[swapped], system, city)
        swapped[swapped] = ~np.isnan(other)
    return lon, lat, swapped


def _all_within(x: Floats, y: Floats, system: System, city: City) -> tuple[Floats, Floats]:
    lon, lat = np.full(len(x), np.nan), np.full(len(x), np.nan)
    good = inside(Coordinates(x, y, system))
    moved = convert(Coordinates(x[good], y[good], system), System.CGCS2000)
    lon[good], lat[good] = moved.x, moved.y
    box = city.bbox
    with np.errstate(invalid="ignore"):
        off = ~((box.west <= lon) & (lon <= box.east) & (box.south <= lat) & (lat <= box.north))
    lon[off] = lat[off] = np.nan
    return lon, lat


def written(lon: Sequence[float], lat: Sequence[float], to: System) -> list[tuple[float, float]]:
    """Return CGCS2000 degrees as the numbers of another system: 7 decimals of a degree, or millimetres."""
    if not len(lon):
        return []
    found = convert(Coordinates(np.asarray(lon, float), np.asarray(lat, float), System.CGCS2000), to)
    decimals = DEGREE_DECIMALS if to.is_geographic else METRE_DECIMALS
    return list(zip(found.x.round(decimals).tolist(), found.y.round(decimals).tolist(), strict=True))


def box(text: str, crs: str | System, city: City) -> tuple[float, float, float, float]:
    """Return ``west,south,east,north`` written in ``crs`` as CGCS2000 degrees; a box may reach beyond the city.

    Raises ``BadInput`` for anything but four numbers in this order.
    """
    system = crs if isinstance(crs, System) else System.parse(crs)
    try:
        west, south, east, north = (float(part) for part in text.split(","))
        if not all(math.isfinite(side) for side in (west, south, east, north)) or west >= east or south >= north:
            raise ValueError("not a box")
    except ValueError:
        raise BadInput(
            "bbox_invalid", "bbox 要写成“西,南,东,北”四个数，例如 121.46,31.22,121.49,31.24。", parameter="bbox"
        ) from None
    if system.is_geographic and west < south and not (-90 <= north <= 90):
        raise BadInput(
            "axes_swapped", "bbox 的经纬度好像写反了：顺序是西（经度）、南（纬度）、东、北。", parameter="bbox"
        )
    corners = convert(
        Coordinates(np.array([west, west, east, east]), np.array([south, north, south, north]), system), System.CGCS2000
    )
    return float(corners.x.min()), float(corners.y.min()), float(corners.x.max()), float(corners.y.max())
