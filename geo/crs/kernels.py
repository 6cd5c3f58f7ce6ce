"""The arithmetic of projections and Chinese datums over arrays, compiled by numba on first use.

Nothing here checks its input. Import this module late: importing numba takes longer than all the rest of ``geo.crs``.
Every kernel takes contiguous float64 arrays and fills two others of the same length. The compiled code is
kept in NUMBA_CACHE_DIR when that is set.
"""

from __future__ import annotations

from math import asinh, atan, cos, pi, sin, sinh, sqrt, tan

from numba import njit

from geo.crs.coordinates import FloatArray
from geo.crs.series import CONFORMAL_TO_GEODETIC, ECCENTRICITY2, FORWARD, INVERSE

RADIANS = pi / 180.0
DEGREES = 180.0 / pi

_D1, _D2, _D3, _D4, _D5, _D6 = CONFORMAL_TO_GEODETIC
_E2 = ECCENTRICITY2


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _series(sr: float, cr: float, si: float, ci: float, k: tuple[float, ...]) -> tuple[float, float]:
    """Sum k_j sin(2j z) for complex z by Clenshaw; sr, cr = sin, cos of 2 Re z; si, ci = sinh, cosh of 2 Im z."""
    # 2 cos(2z) = 2 (cr ci - i sr si)
    fr, fi = 2.0 * cr * ci, -2.0 * sr * si
    b1r, b1i, b2r, b2i = k[5], 0.0, 0.0, 0.0
    for j in range(4, -1, -1):
        tr = fr * b1r - fi * b1i - b2r + k[j]
        ti = fr * b1i + fi * b1r - b2i
        b2r, b2i, b1r, b1i = b1r, b1i, tr, ti
    # times sin(2z) = sr ci + i cr si
    pr, pi_ = sr * ci, cr * si
    return b1r * pr - b1i * pi_, b1r * pi_ + b1i * pr


@njit(cache=True, nogil=True, error_model="numpy")
def tmerc_forward(
    lon: FloatArray,
    lat: FloatArray,
    east: FloatArray,
    north: FloatArray,
    lon_0: float,
    radius: float,
    x_0: float,
    y_0: float,
) -> None:
    """Transverse Mercator by Krüger's series to the sixth order; degrees in, metres out; radius = k times rectifying radius.

    Within 90 degrees of the meridian only.
    """
    for i in range(lon.size):
        phi = lat[i] * RADIANS
        lam = (lon[i] - lon_0) * RADIANS
        s, c = sin(phi), cos(phi)
        # sigma = sinh(e atanh(e sin phi)); e sin phi is below 0.082, so short series reach the last bit
        z2 = _E2 * s * s
        t = (
            _E2
            * s
            * (
                1.0
                + z2 * (1 / 3 + z2 * (1 / 5 + z2 * (1 / 7 + z2 * (1 / 9 + z2 * (1 / 11 + z2 * (1 / 13 + z2 / 15))))))
            )
        )
        t2 = t * t
        sigma = t * (1.0 + t2 * (1 / 6 + t2 * (1 / 120 + t2 / 5040)))
        # tan of the conformal latitude times cos phi keeps the poles finite
        tau_c = s * sqrt(1.0 + sigma * sigma) - sigma
        sl, cl = sin(lam) * c, cos(lam) * c
        q = tau_c * tau_c + cl * cl
        sh = sl / sqrt(q)
        ch2 = 2.0 * sh * sqrt(1.0 + sh * sh)
        dr, di = _series(2.0 * tau_c * cl / q, (cl * cl - tau_c * tau_c) / q, ch2, 1.0 + 2.0 * sh * sh, FORWARD)
        north[i] = y_0 + radius * (atan(tau_c / cl) + dr)
        east[i] = x_0 + radius * (asinh(sh) + di)


@njit(cache=True, nogil=True, error_model="numpy")
def tmerc_inverse(
    east: FloatArray,
    north: FloatArray,
    lon: FloatArray,
    lat: FloatArray,
    lon_0: float,
    radius: float,
    x_0: float,
    y_0: float,
) -> None:
    """Inverse of ``tmerc_forward``: metres in, degrees out."""
    for i in range(east.size):
        xi = (north[i] - y_0) / radius
        eta = (east[i] - x_0) / radius
        s, c, sh = sin(xi), cos(xi), sinh(eta)
        ch = sqrt(1.0 + sh * sh)
        dr, di = _series(2.0 * s * c, 1.0 - 2.0 * s * s, 2.0 * sh * ch, 1.0 + 2.0 * sh * sh, INVERSE)
        # dr and di stay below 0.001, so short series turn the sines instead of four more library calls
        d2, e2 = dr * dr, di * di
        sd, cd = dr * (1.0 - d2 * (1 / 6 - d2 / 120)), 1.0 - d2 * (1 / 2 - d2 / 24)
        she, che = di * (1.0 + e2 * (1 / 6 + e2 / 120)), 1.0 + e2 * (1 / 2 + e2 / 24)
        s, c, sh = s * cd - c * sd, c * cd + s * sd, sh * che - ch * she
        h2 = sh * sh + c * c
        tau = s / sqrt(h2)
        w = 1.0 / (1.0 + tau * tau)
        # real Clenshaw for the geodetic latitude from the conformal one
        f = 2.0 * (1.0 - tau * tau) * w
        b1, b2 = _D6, 0.0
        b1, b2 = f * b1 - b2 + _D5, b1
        b1, b2 = f * b1 - b2 + _D4, b1
        b1, b2 = f * b1 - b2 + _D3, b1
        b1, b2 = f * b1 - b2 + _D2, b1
        b1, b2 = f * b1 - b2 + _D1, b1
        lat[i] = (atan(tau) + b1 * 2.0 * tau * w) * DEGREES
        lon[i] = lon_0 + atan(sh / c) * DEGREES


@njit(cache=True, nogil=True, error_model="numpy")
def mercator_forward(lon: FloatArray, lat: FloatArray, east: FloatArray, north: FloatArray, radius: float) -> None:
    """Spherical Mercator: degrees in, metres out."""
    for i in range(lon.size):
        east[i] = radius * lon[i] * RADIANS
        north[i] = radius * asinh(tan(lat[i] * RADIANS))


@njit(cache=True, nogil=True, error_model="numpy")
def mercator_inverse(east: FloatArray, north: FloatArray, lon: FloatArray, lat: FloatArray, radius: float) -> None:
    """Inverse of ``mercator_forward``: metres in, degrees out."""
    for i in range(east.size):
        lon[i] = east[i] / radius * DEGREES
        lat[i] = atan(sinh(north[i] / radius)) * DEGREES


GCJ_SEMI_MAJOR = 6378245.0
GCJ_ECCENTRICITY2 = 0.00669342162296594323
BAIDU_TURNS = pi * 3000.0 / 180.0
BAIDU_EAST, BAIDU_NORTH = 0.0065, 0.006
BAIDU_STRETCH, BAIDU_TWIST = 2e-5, 3e-6
# Degrees (0.1 micrometre): a step shorter than this leaves an error far shorter still, since each round of the datums'
# iterations divides the error by at least 40.
STEP = 1e-12
ROUNDS = 20


@njit(cache=True, nogil=True, error_model="numpy")
def _gcj_shift(lon: float, lat: float) -> tuple[float, float]:
    """Return what GCJ-02 adds to longitude and latitude, in degrees.

    The published sum has ten sines, all of multiples of pi x / 60 or pi y / 60: one sine and cosine of each angle and the
    multiple-angle formulas give them at a third of the cost.
    """
    x, y = lon - 105.0, lat - 35.0
    x30, x12, x3, x1, x2, x6 = _multiples(x)
    y30, y12, y3, y1, _, _ = _multiples(y)
    root = sqrt(abs(x))
    waves = 20.0 * x6 + 20.0 * x2
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (waves + 20.0 * x1 + 40.0 * x3 + 150.0 * x12 + 300.0 * x30) * (2.0 / 3.0)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (waves + 20.0 * y1 + 40.0 * y3 + 160.0 * y12 + 320.0 * y30) * (2.0 / 3.0)
    s, c = sin(lat * RADIANS), cos(lat * RADIANS)
    w2 = 1.0 - GCJ_ECCENTRICITY2 * s * s
    w = sqrt(w2)
    north *= DEGREES * w2 * w / (GCJ_SEMI_MAJOR * (1.0 - GCJ_ECCENTRICITY2))
    east *= DEGREES * w / (GCJ_SEMI_MAJOR * c)
    return east, north


@njit(cache=True, nogil=True, error_model="numpy")
def _multiples(x: float) -> tuple[float, float, float, float, float, float]:
    """Return the sines of pi x times 1/30, 1/12, 1/3, 1, 2 and 6."""
    s, c = sin(x * (pi / 60.0)), cos(x * (pi / 60.0))
    s30, c30 = 2.0 * s * c, 1.0 - 2.0 * s * s
    s15, c15 = 2.0 * s30 * c30, 1.0 - 2.0 * s30 * s30
    s12, c12 = s15 * c + c15 * s, c15 * c - s15 * s
    s6, c6 = 2.0 * s12 * c12, 1.0 - 2.0 * s12 * s12
    s3, c3 = 2.0 * s6 * c6, 1.0 - 2.0 * s6 * s6
    s1, c1 = s3 * (3.0 - 4.0 * s3 * s3), c3 * (4.0 * c3 * c3 - 3.0)
    s2 = 2.0 * s1 * c1
    return s30, s12, s3, s1, s2, s2 * (3.0 - 4.0 * s2 * s2)


@njit(cache=True, nogil=True, error_model="numpy")
def gcj_forward(lon: FloatArray, lat: FloatArray, gcj_lon: FloatArray, gcj_lat: FloatArray) -> None:
    """WGS-84 to GCJ-02, degrees."""
    for i in range(lon.size):
        east, north = _gcj_shift(lon[i], lat[i])
        gcj_lon[i] = lon[i] + east
        gcj_lat[i] = lat[i] + north


@njit(cache=True, nogil=True, error_model="numpy")
def gcj_inverse(gcj_lon: FloatArray, gcj_lat: FloatArray, lon: FloatArray, lat: FloatArray) -> None:
    """GCJ-02 to WGS-84, degrees, by fixed-point iteration until the step is below 0.1 micrometre."""
    for i in range(lon.size):
        x, y = gcj_lon[i], gcj_lat[i]
        for _ in range(ROUNDS):
            east, north = _gcj_shift(x, y)
            next_x, next_y = gcj_lon[i] - east, gcj_lat[i] - north
            step = abs(next_x - x) + abs(next_y - y)
            x, y = next_x, next_y
            if step < STEP:
                break
        lon[i], lat[i] = x, y


@njit(cache=True, nogil=True, error_model="numpy")
def _baidu(x: float, y: float) -> tuple[float, float]:
    """Return BD-09 of a point in GCJ-02, both in degrees.

    The definition goes to polar coordinates, stretches the radius, turns the angle and comes back; the turn is so small
    that its sine and cosine are polynomials, and no arc tangent is needed.
    """
    r = sqrt(x * x + y * y)
    stretch = 1.0 + BAIDU_STRETCH * sin(y * BAIDU_TURNS) / r
    turn = BAIDU_TWIST * cos(x * BAIDU_TURNS)
    c, s = 1.0 - turn * turn / 2.0, turn - turn * turn * turn / 6.0
    return stretch * (x * c - y * s) + BAIDU_EAST, stretch * (y * c + x * s) + BAIDU_NORTH


@njit(cache=True, nogil=True, error_model="numpy")
def baidu_forward(gcj_lon: FloatArray, gcj_lat: FloatArray, lon: FloatArray, lat: FloatArray) -> None:
    """GCJ-02 to BD-09, degrees."""
    for i in range(lon.size):
        lon[i], lat[i] = _baidu(gcj_lon[i], gcj_lat[i])


@njit(cache=True, nogil=True, error_model="numpy")
def baidu_inverse(lon: FloatArray, lat: FloatArray, gcj_lon: FloatArray, gcj_lat: FloatArray) -> None:
    """BD-09 to GCJ-02, degrees, by fixed-point iteration until the step is below 0.1 micrometre."""
    for i in range(lon.size):
        x, y = lon[i] - BAIDU_EAST, lat[i] - BAIDU_NORTH
        for _ in range(ROUNDS):
            image_x, image_y = _baidu(x, y)
            step_x, step_y = lon[i] - image_x, lat[i] - image_y
            x += step_x
            y += step_y
            if abs(step_x) + abs(step_y) < STEP:
                break
        gcj_lon[i], gcj_lat[i] = x, y
