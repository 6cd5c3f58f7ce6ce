"""Proof of a local grid by control points: pairs of official plane and geographic coordinates of the same mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.crs.coordinates import FloatArray

TOLERANCE_M: Final = 0.1
"""Largest accepted RMS in metres; a single point may lie up to three times as far off."""
MINIMUM_POINTS: Final = 4
MINIMUM_SPAN_M: Final = 10_000.0
"""Control points closer together than this say nothing of the meridian and the scale."""


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """A surveyed mark: CGCS2000 degrees, and official plane coordinates in metres, east and north."""

    name: str
    lon: float
    lat: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Residual:
    """Official minus computed plane coordinates of one mark, in metres."""

    name: str
    east_m: float
    north_m: float

    @property
    def distance_m(self) -> float:
        """Return the length of the residual in metres."""
        return float(np.hypot(self.east_m, self.north_m))


@dataclass(frozen=True, slots=True)
class ResidualFit:
    """The shift, turn and stretch that the residuals have in common, and the RMS they would leave if removed."""

    shift_east_m: float
    shift_north_m: float
    rotation_arcsec: float
    scale_ppm: float
    rms_after_m: float


@dataclass(frozen=True, slots=True)
class Verification:
    """How far a grid lies from control points, in metres; ``verified`` only when nothing stands in ``objections``."""

    count: int
    rms_m: float
    max_m: float
    residuals: tuple[Residual, ...]
    fit: ResidualFit
    objections: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Say whether the control points prove the grid."""
        return not self.objections


def assess(
    points: Sequence[ControlPoint], east: FloatArray, north: FloatArray, tolerance_m: float = TOLERANCE_M
) -> Verification:
    """Judge computed plane coordinates (metres) of control points against their official ones.

    Proof needs at least 4 points spanning 10 km in both directions, an RMS within ``tolerance_m`` and no residual beyond
    three times that. The objections say in Chinese what is missing and what the residuals look like: a common shift, or
    swapped columns. The grid is never adjusted to fit.
    """
    official_east = np.array([point.east for point in points])
    official_north = np.array([point.north for point in points])
    residual_east, residual_north = official_east - east, official_north - north
    distances = np.hypot(residual_east, residual_north)
    rms = float(np.sqrt(np.mean(distances**2)))
    fit = _fit(east, north, residual_east, residual_north)
    objections = [*_scarcity(east, north), *_misfit(rms, float(distances.max()), fit, tolerance_m)]
    swapped = float(np.sqrt(np.mean((official_north - east) ** 2 + (official_east - north) ** 2)))
    if rms > tolerance_m and swapped < rms / 10:
        objections.append("把横、纵坐标对调后基本吻合：文件的轴序很可能声明反了（测绘习惯 X 为北）。")
    residuals = tuple(
        Residual(point.name, float(east_m), float(north_m))
        for point, east_m, north_m in zip(points, residual_east, residual_north, strict=True)
    )
    return Verification(len(points), rms, float(distances.max()), residuals, fit, tuple(objections))


def _scarcity(east: FloatArray, north: FloatArray) -> list[str]:
    found = []
    if east.size < MINIMUM_POINTS:
        found.append(f"控制点只有 {east.size} 个，至少需要 {MINIMUM_POINTS} 个。")
    if min(np.ptp(east), np.ptp(north)) < MINIMUM_SPAN_M:
        found.append("控制点分布过于集中，东西、南北两个方向都应相距 10 公里以上。")
    return found


def _misfit(rms: float, largest: float, fit: ResidualFit, tolerance_m: float) -> list[str]:
    found = []
    if rms > tolerance_m:
        found.append(f"中误差 {rms:.3f} 米，超过允许的 {tolerance_m:g} 米。")
        if fit.rms_after_m < rms / 3:
            found.append(
                f"残差有共同规律：东 {fit.shift_east_m:+.3f} 米、北 {fit.shift_north_m:+.3f} 米、"
                f"旋转 {fit.rotation_arcsec:+.2f} 角秒、尺度 {fit.scale_ppm:+.2f} ppm，应核对参数而不是逐点改正。"
            )
    if largest > 3 * tolerance_m:
        found.append(f"最大残差 {largest:.3f} 米，超过允许的 {3 * tolerance_m:g} 米。")
    return found


def _fit(east: FloatArray, north: FloatArray, residual_east: FloatArray, residual_north: FloatArray) -> ResidualFit:
    """Fit shift, rotation and scale about the middle of the points by least squares (the least such where under-determined)."""
    x, y = east - east.mean(), north - north.mean()
    one, nil = np.ones_like(x), np.zeros_like(x)
    # metres per hundred kilometres, so that the four columns are of one size
    design = np.vstack([np.column_stack([one, nil, x / 1e5, -y / 1e5]), np.column_stack([nil, one, y / 1e5, x / 1e5])])
    observed = np.concatenate([residual_east, residual_north])
    shift_east, shift_north, stretch, turn = np.linalg.lstsq(design, observed, rcond=None)[0]
    left = observed - design @ np.array([shift_east, shift_north, stretch, turn])
    return ResidualFit(
        float(shift_east),
        float(shift_north),
        float(np.degrees(turn / 1e5) * 3600),
        float(stretch / 1e5 * 1e6),
        float(np.sqrt(2 * np.mean(left**2))),
    )
