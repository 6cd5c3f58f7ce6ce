"""Constants of the CGCS2000 ellipsoid (the figures of GRS 80) and Krüger's series on it, to the sixth power of n."""

from __future__ import annotations

from typing import Final

SEMI_MAJOR: Final = 6378137.0
INVERSE_FLATTENING: Final = 298.257222101
_F = 1.0 / INVERSE_FLATTENING
ECCENTRICITY2: Final = _F * (2.0 - _F)
_N = _F / (2.0 - _F)

RECTIFYING_RADIUS: Final = SEMI_MAJOR / (1.0 + _N) * (1.0 + _N**2 / 4 + _N**4 / 64 + _N**6 / 256)
"""Length of a meridian over two pi, in metres."""


def _power_series(first: int, *terms: float) -> float:
    total = 0.0
    for term in reversed(terms):
        total = total * _N + term
    return total * _N**first


FORWARD: Final = (
    _power_series(1, 1 / 2, -2 / 3, 5 / 16, 41 / 180, -127 / 288, 7891 / 37800),
    _power_series(2, 13 / 48, -3 / 5, 557 / 1440, 281 / 630, -1983433 / 1935360),
    _power_series(3, 61 / 240, -103 / 140, 15061 / 26880, 167603 / 181440),
    _power_series(4, 49561 / 161280, -179 / 168, 6601661 / 7257600),
    _power_series(5, 34729 / 80640, -3418889 / 1995840),
    _power_series(6, 212378941 / 319334400),
)
"""Conformal to rectifying, complex latitude."""

INVERSE: Final = (
    _power_series(1, 1 / 2, -2 / 3, 37 / 96, -1 / 360, -81 / 512, 96199 / 604800),
    _power_series(2, 1 / 48, 1 / 15, -437 / 1440, 46 / 105, -1118711 / 3870720),
    _power_series(3, 17 / 480, -37 / 840, -209 / 4480, 5569 / 90720),
    _power_series(4, 4397 / 161280, -11 / 504, -830251 / 7257600),
    _power_series(5, 4583 / 161280, -108847 / 3991680),
    _power_series(6, 20648693 / 638668800),
)
"""Rectifying to conformal, to be subtracted."""

CONFORMAL_TO_GEODETIC: Final = (
    _power_series(1, 2, -2 / 3, -2, 116 / 45, 26 / 45, -2854 / 675),
    _power_series(2, 7 / 3, -8 / 5, -227 / 45, 2704 / 315, 2323 / 945),
    _power_series(3, 56 / 15, -136 / 35, -1262 / 105, 73814 / 2835),
    _power_series(4, 4279 / 630, -332 / 35, -399572 / 14175),
    _power_series(5, 4174 / 315, -144838 / 6237),
    _power_series(6, 601676 / 22275),
)
"""Conformal to geodetic latitude, real."""
