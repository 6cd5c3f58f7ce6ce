"""Metres X, Y, Z about the centre of the earth, and positions in degrees with heights above the ellipsoid of WGS-84. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
SEMI_MAJOR: Final = 6_378_137.0
FLATTENING: Final = 1 / 298.257223563
SEMI_MINOR: Final = SEMI_MAJOR * (1 - FLATTENING)
_E2: Final = FLATTENING * (2 - FLATTENING)
_SECOND_E2: Final = _E2 / (1 - _E2)


def to_earth_centred(lon: FloatArray, lat: FloatArray, height: FloatArray) -> FloatArray:
    """Return the earth-centred metres (n, 3) of degrees and metres above the ellipsoid."""
    lam, phi, h = np.radians(lon), np.radians(lat), np.asarray(height, dtype=np.float64)
    across = SEMI_MAJOR / np.sqrt(1 - _E2 * np.sin(phi) ** 2)
    return np.column_stack(
        [
            (across + h) * np.cos(phi) * np.cos(lam),
            (across + h) * np.cos(phi) * np.sin(lam),
            (across * (1 - _E2) + h) * np.sin(phi),
        ]
    )


def from_earth_centred(points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (lon, lat) in degrees and metres above the ellipsoid of earth-centred metres (n, 3).

    Bowring's formula, better than a tenth of a millimetre within 100 km of the ground; not for points near the centre.
    """
    x, y, z = np.asarray(points, dtype=np.float64).reshape(-1, 3).T
    out = np.hypot(x, y)
    reduced = np.arctan2(z * SEMI_MAJOR, out * SEMI_MINOR)
    for _ in range(2):
        phi = np.arctan2(
            z + _SECOND_E2 * SEMI_MINOR * np.sin(reduced) ** 3, out - _E2 * SEMI_MAJOR * np.cos(reduced) ** 3
        )
        reduced = np.arctan2((1 - FLATTENING) * np.sin(phi), np.cos(phi))
    across = SEMI_MAJOR / np.sqrt(1 - _E2 * np.sin(phi) ** 2)
    height = out * np.cos(phi) + z * np.sin(phi) - across * (1 - _E2 * np.sin(phi) ** 2)
    return np.degrees(np.arctan2(y, x)), np.degrees(phi), height


def local_frame(lon: float, lat: float, height: float) -> FloatArray:
    """Return the matrix (4, 4) that takes metres east, north and up of a position to earth-centred metres."""
    lam, phi = np.radians(lon), np.radians(lat)
    frame = np.eye(4)
    frame[:3, 0] = -np.sin(lam), np.cos(lam), 0.0
    frame[:3, 1] = -np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)
    frame[:3, 2] = np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)
    frame[:3, 3] = to_earth_centred(np.array([lon]), np.array([lat]), np.array([height]))[0]
    return frame
