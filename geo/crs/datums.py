"""The shifted datums of Chinese web maps, GCJ-02 and BD-09, over arrays; exact inverses by iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from geo.crs.coordinates import Bbox, FloatArray, refuse_not_finite
from geo.crs.faults import OutOfRange

MAINLAND: Final = Bbox(72.004, 0.8293, 137.8347, 55.8271)
"""Where GCJ-02 and BD-09 are defined; the margin of a shift (1.2 km) around it belongs to neither."""

Kernel = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], None]


def gcj_from_wgs(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return GCJ-02 (lon, lat) of WGS-84 degrees; raises ``OutOfRange`` outside ``MAINLAND``."""
    from geo.crs import kernels

    return _apply(kernels.gcj_forward, lon, lat)


def wgs_from_gcj(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return WGS-84 (lon, lat) of GCJ-02 degrees, good to a micrometre; raises ``OutOfRange`` outside ``MAINLAND``."""
    from geo.crs import kernels

    return _apply(kernels.gcj_inverse, lon, lat)


def baidu_from_gcj(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return BD-09 (lon, lat) of GCJ-02 degrees; raises ``OutOfRange`` outside ``MAINLAND``."""
    from geo.crs import kernels

    return _apply(kernels.baidu_forward, lon, lat)


def gcj_from_baidu(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return GCJ-02 (lon, lat) of BD-09 degrees, good to a micrometre; raises ``OutOfRange`` outside ``MAINLAND``."""
    from geo.crs import kernels

    return _apply(kernels.baidu_inverse, lon, lat)


def _apply(kernel: Kernel, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    if not MAINLAND.holds_all(lon, lat):
        refuse_not_finite(lon, lat)
        rows = np.flatnonzero(~MAINLAND.holds(lon, lat)).tolist()
        raise OutOfRange(
            "outside_mainland",
            f"有 {len(rows)} 个点在中国大陆范围以外，GCJ-02、BD-09 在那里没有定义，最先一个在第 {rows[0] + 1} 行。"
            "请检查经纬度是否颠倒。",
            rows,
            len(rows),
        )
    out_lon, out_lat = np.empty(lon.size), np.empty(lon.size)
    kernel(np.ascontiguousarray(lon).reshape(-1), np.ascontiguousarray(lat).reshape(-1), out_lon, out_lat)
    return out_lon.reshape(lon.shape), out_lat.reshape(lon.shape)
