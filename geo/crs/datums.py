"""The shifted datums of Chinese web maps, GCJ-02 and BD-09, over arrays; exact inverses by iteration.

Both are defined for points of a box around the mainland. A shifted point is accepted where it is the image of a point of
that box, so that every conversion can be undone; what lies outside becomes NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from geo.crs.coordinates import Bbox, FloatArray, blank_outside

MAINLAND: Final = Bbox(72.004, 0.8293, 137.8347, 55.8271)
_EDGE: Final = MAINLAND.widened(1e-9)
# Wider than any shift in the box, which is largest in its far corners
_GCJ: Final = MAINLAND.widened(0.05)
_BAIDU: Final = MAINLAND.widened(0.1)

Kernel = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], None]


def gcj_from_wgs(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return GCJ-02 (lon, lat) of WGS-84 degrees; NaN outside ``MAINLAND``."""
    from geo.crs import kernels

    return _apply(kernels.gcj_forward, lon, lat, MAINLAND, _GCJ)


def wgs_from_gcj(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return WGS-84 (lon, lat) of GCJ-02 degrees, good to a micrometre; NaN outside ``MAINLAND``."""
    from geo.crs import kernels

    return _apply(kernels.gcj_inverse, lon, lat, _GCJ, _EDGE)


def baidu_from_gcj(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return BD-09 (lon, lat) of GCJ-02 degrees; NaN outside ``MAINLAND`` and its margin."""
    from geo.crs import kernels

    return _apply(kernels.baidu_forward, lon, lat, _GCJ, _BAIDU)


def gcj_from_baidu(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return GCJ-02 (lon, lat) of BD-09 degrees, good to a micrometre; NaN as ``baidu_from_gcj``."""
    from geo.crs import kernels

    return _apply(kernels.baidu_inverse, lon, lat, _BAIDU, _GCJ)


def _apply(
    kernel: Kernel, lon: FloatArray, lat: FloatArray, before: Bbox, after: Bbox
) -> tuple[FloatArray, FloatArray]:
    lon, lat = blank_outside(lon, lat, before)
    out_lon, out_lat = np.empty(lon.size), np.empty(lon.size)
    kernel(np.ascontiguousarray(lon).reshape(-1), np.ascontiguousarray(lat).reshape(-1), out_lon, out_lat)
    return blank_outside(out_lon.reshape(lon.shape), out_lat.reshape(lon.shape), after)
