"""The H3 cell of a point, written by one function; parents follow from it by bit masks, here and in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import h3
import numpy as np
import numpy.typing as npt

RESOLUTION = 10
"""Cells are stored at resolution 10 (mean edge 75.9 m); coarser ones are derived."""

_RESOLUTION_SHIFT = 52
_DIGIT_BITS = 3


def cell_at(lon: float, lat: float) -> int:
    """Return the resolution-10 cell of a point in degrees (CGCS2000 and WGS 84 alike) as a signed 64-bit integer."""
    return int(h3.str_to_int(h3.latlng_to_cell(lat, lon, RESOLUTION)))


def cells_at(lon: Sequence[float], lat: Sequence[float]) -> npt.NDArray[np.int64]:
    """Return the cells of many points; the library has no array call, so this is a loop to be run once and stored."""
    if len(lon) != len(lat):
        raise ValueError("as many longitudes as latitudes are needed")
    cells: Iterable[int] = (cell_at(x, y) for x, y in zip(lon, lat, strict=True))
    return np.fromiter(cells, dtype=np.int64, count=len(lon))


def parent_masks(resolution: int) -> tuple[int, int]:
    """Return (keep, put) so that ``cell & keep | put`` is the parent at ``resolution`` of a resolution-10 cell.

    Works on PostgreSQL's ``bigint`` as it is: the sign bit of an H3 index is never set.
    """
    if not 0 <= resolution <= RESOLUTION:
        raise ValueError(f"resolution must be between 0 and {RESOLUTION}")
    unused = (1 << (_DIGIT_BITS * (15 - resolution))) - 1
    resolution_field = 0xF << _RESOLUTION_SHIFT
    keep = ~resolution_field & ~unused & 0x7FFF_FFFF_FFFF_FFFF
    return keep, (resolution << _RESOLUTION_SHIFT) | unused


def parent(cell: int, resolution: int) -> int:
    """Return the parent of a resolution-10 cell."""
    keep, put = parent_masks(resolution)
    return cell & keep | put
