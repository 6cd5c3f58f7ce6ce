"""Where models lie: boxes and outlines in degrees of CGCS2000 (taken as WGS-84) of what is given in metres. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs.earth_centred import FloatArray, from_earth_centred, local_frame
from layers.scenes.refusals import SceneRefused

GROUND: Final = (6_300_000.0, 6_420_000.0)
"""How far from the centre of the earth a position on its ground may be, in metres."""
MODEL_WIDEST_M: Final = 5_000.0
TILESET_WIDEST_M: Final = 60_000.0
MOST_CORNERS: Final = 64


@dataclass(frozen=True, slots=True)
class Placed:
    """Where something lies: box (west, south, east, north) in degrees, lowest and highest point in metres, its outline."""

    box: tuple[float, float, float, float]
    heights: tuple[float, float]
    outline: BaseGeometry


@dataclass(slots=True)
class Extent:
    """What vertices reach: on the earth in degrees and metres above the ellipsoid, or in metres about an origin, z up.

    ``outline`` is their convex hull in plan.
    """

    geographic: bool = False
    low: float = np.inf
    high: float = -np.inf
    outline: BaseGeometry = field(default_factory=shapely.Point)

    @property
    def empty(self) -> bool:
        """Say whether nothing was taken in yet."""
        return bool(self.outline.is_empty)

    def take(self, other: Extent) -> None:
        """Take in what other vertices reach. Raises ``SceneRefused`` for what lies about an origin beside what does not."""
        if not self.empty and self.geographic != other.geographic:
            raise SceneRefused("scene_nowhere")
        self.geographic = other.geographic
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.outline = shapely.convex_hull(shapely.union(self.outline, other.outline))

    def kept(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "geographic": self.geographic, "low": self.low, "high": self.high,
            "outline": shapely.get_coordinates(self.outline).tolist(),
        }  # fmt: skip

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Extent:
        """Return what ``kept`` said."""
        hull = shapely.convex_hull(shapely.multipoints(np.array(kept["outline"], dtype=np.float64)))
        return cls(kept["geographic"], kept["low"], kept["high"], hull)


def extent_of(points: FloatArray) -> Extent:
    """Return what vertices (n, 3) reach: earth-centred metres, or metres about an origin with z up. Raises ``SceneRefused``."""
    far = np.linalg.norm(points, axis=1)
    if not np.isfinite(far).all():
        raise SceneRefused("scene_number")
    if GROUND[0] <= far.min() and far.max() <= GROUND[1]:
        lon, lat, height = from_earth_centred(points)
        return Extent(True, float(height.min()), float(height.max()), _hull(lon, lat))
    if far.max() > TILESET_WIDEST_M:
        raise SceneRefused("scene_nowhere")
    return Extent(False, float(points[:, 2].min()), float(points[:, 2].max()), _hull(points[:, 0], points[:, 1]))


def standing(points: FloatArray) -> FloatArray:
    """Return positions of a single model, whose y is up and whose −z is north, as metres east, north and up."""
    return np.column_stack([points[:, 0], -points[:, 2], points[:, 1]])


def placed(
    extent: Extent, *, lon: float, lat: float, height_m: float = 0.0, heading_deg: float = 0.0, scale: float = 1.0
) -> Placed:
    """Return where something about an origin lies once that stands at a position, turned clockwise from north and scaled.

    ``height_m`` is that of the origin above the ground of the map; heights are told above the same.
    """
    turn = np.radians(heading_deg)
    east, north = (shapely.get_coordinates(extent.outline) * scale).T
    flat = np.column_stack([east * np.cos(turn) + north * np.sin(turn), north * np.cos(turn) - east * np.sin(turn)])
    heights = extent.low * scale + height_m, extent.high * scale + height_m
    corners = np.concatenate([np.column_stack([flat, np.full(len(flat), height)]) for height in heights])
    frame = local_frame(lon, lat, 0.0)
    at = from_earth_centred(corners @ frame[:3, :3].T + frame[:3, 3])
    return _placed(_hull(at[0], at[1]), heights)


def found(extent: Extent, *, height_m: float = 0.0) -> Placed:
    """Return where something lies that says its own position; ``height_m`` takes its heights to the ground of the map."""
    return _placed(extent.outline, (extent.low + height_m, extent.high + height_m))


def _placed(outline: BaseGeometry, heights: tuple[float, float]) -> Placed:
    area = outline if outline.geom_type == "Polygon" else shapely.buffer(outline, 1e-5)
    west, south, east, north = shapely.bounds(outline)
    return Placed((float(west), float(south), float(east), float(north)), heights, _thinned(area))


def _thinned(outline: BaseGeometry) -> BaseGeometry:
    """Return an outline of few corners: a hull of many thousand points has hundreds that lie in line."""
    tolerance = 1e-7
    while shapely.get_num_coordinates(outline) > MOST_CORNERS:
        outline, tolerance = shapely.simplify(outline, tolerance), tolerance * 2
    return outline


def _hull(x: FloatArray, y: FloatArray) -> BaseGeometry:
    return shapely.convex_hull(shapely.multipoints(np.column_stack([x, y])))
