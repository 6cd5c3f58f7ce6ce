"""The bytes of the features of a tile, compiled by numba on first use.

Import this module late: importing numba takes longer than all the rest of ``tiles``. Kernels fill arrays they are given, allocate
nothing and keep the interpreter lock: a tile takes them microseconds, and to hand the lock over takes longer than that. The
compiled code is kept in NUMBA_CACHE_DIR when that is set.
"""

from __future__ import annotations

import numpy.typing as npt
from numba import njit
from numpy import int32, int64, uint8, uint64

Int32s = npt.NDArray[int32]
Int64s = npt.NDArray[int64]
Bytes = npt.NDArray[uint8]

_GEOM_TYPE_POINT = 1
_MOVE_TO_ONE = 9
_FEATURE, _TAGS, _TYPE, _GEOMETRY = 0x12, 0x12, 0x18, 0x22
"""The keys of fields: of a feature in its layer, of tags, type and geometry in a feature."""

FEATURE_BYTES = 32
"""How many bytes a feature takes at most besides its tags."""
TAG_BYTES = 10
"""How many bytes a name and a value take at most, as their places."""


@njit(cache=True, error_model="numpy")
def number_by_use(places: Int32s, marks: Int32s, among: Int32s, used: Int32s) -> int:
    """Number some places in the order in which each first stands; return how many there are.

    ``marks`` has one for every place there is, all of them -1, and again when this returns. ``among`` gets the number of each of
    ``places``, ``used`` the place of each number.
    """
    many = 0
    for i in range(places.size):
        place = places[i]
        if marks[place] < 0:
            marks[place] = many
            used[many] = place
            many += 1
        among[i] = marks[place]
    for i in range(many):
        marks[used[i]] = -1
    return many


@njit(cache=True, error_model="numpy", inline="always")
def _zigzag(number: int) -> int:
    return (number << 1) ^ (number >> 63)


@njit(cache=True, error_model="numpy")
def _size(number: int) -> int:
    rest, size = uint64(number), 1
    while rest >= uint64(0x80):
        rest >>= uint64(7)
        size += 1
    return size


@njit(cache=True, error_model="numpy")
def _put(written: Bytes, at: int, number: int) -> int:
    rest = uint64(number)
    while rest >= uint64(0x80):
        written[at] = uint8(rest & uint64(0x7F)) | uint8(0x80)
        rest >>= uint64(7)
        at += 1
    written[at] = uint8(rest)
    return at + 1


@njit(cache=True, error_model="numpy")
def write_features(xs: Int64s, ys: Int64s, ends: Int64s, names: Int32s, values: Int32s, written: Bytes) -> int:
    """Write points as fields of a layer (MVT 2.1, feature = 2) and return how many bytes of ``written`` they take.

    Feature i lies at ``xs[i]``, ``ys[i]`` of the tile and has as tags what stands from ``ends[i]`` to before ``ends[i + 1]``.
    ``written`` holds ``FEATURE_BYTES`` for each feature and ``TAG_BYTES`` for each tag.
    """
    at = 0
    for i in range(xs.size):
        tags = 0
        for j in range(ends[i], ends[i + 1]):
            tags += _size(names[j]) + _size(values[j])
        x, y = _zigzag(xs[i]), _zigzag(ys[i])
        geometry = 1 + _size(x) + _size(y)
        at = _put(written, at, _FEATURE)
        at = _put(written, at, 1 + _size(tags) + tags + 2 + 1 + _size(geometry) + geometry)
        at = _put(written, at, _TAGS)
        at = _put(written, at, tags)
        for j in range(ends[i], ends[i + 1]):
            at = _put(written, at, names[j])
            at = _put(written, at, values[j])
        at = _put(written, at, _TYPE)
        at = _put(written, at, _GEOM_TYPE_POINT)
        at = _put(written, at, _GEOMETRY)
        at = _put(written, at, geometry)
        at = _put(written, at, _MOVE_TO_ONE)
        at = _put(written, at, x)
        at = _put(written, at, y)
    return at
