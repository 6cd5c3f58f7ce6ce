"""Points as a vector tile layer (MVT 2.1), written by hand: what is counted in memory needs no database to be written. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Final

EXTENT: Final = 4096
MVT_VERSION: Final = 2
POINT: Final = 1
MOVE_TO_ONE: Final = 9
_VARINT, _DOUBLE, _BYTES = 0, 1, 2

_ONE_BYTE: Final = [bytes((number,)) for number in range(0x80)]

Value = str | bool | int | float | None


def encode_points(layer: str, points: Iterable[tuple[int, int, Mapping[str, Value]]]) -> bytes:
    """Return a tile of one layer of points: x and y in units of the tile, downwards; values that are none are left out.

    Several such tiles one after the other are one tile of several layers.
    """
    keys: dict[str, int] = {}
    values: dict[tuple[type, Value], int] = {}
    features = bytearray()
    for x, y, properties in points:
        tags = bytearray()
        for name, value in properties.items():
            if value is not None:
                tags += varint(keys.setdefault(name, len(keys)))
                tags += varint(values.setdefault((type(value), value), len(values)))
        shape = varint(MOVE_TO_ONE) + varint(zigzag(x)) + varint(zigzag(y))
        feature = (_field(2, bytes(tags)) if tags else b"") + _number(3, POINT) + _field(4, shape)
        features += _field(2, feature)
    if not features:
        return b""
    body = (
        _number(15, MVT_VERSION)
        + _field(1, layer.encode())
        + bytes(features)
        + b"".join(_field(3, name.encode()) for name in keys)
        + b"".join(_field(4, _value(value)) for _, value in values)
        + _number(5, EXTENT)
    )
    return _field(3, body)


def varint(number: int) -> bytes:
    """Return a whole number, not negative, seven bits a byte."""
    if number <= 0x7F:
        return _ONE_BYTE[number]
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number: int) -> int:
    """Return a number with its sign in the lowest bit."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return _number(7, int(value))
    if isinstance(value, int):
        return _number(5, value) if value >= 0 else _number(6, zigzag(value))
    if isinstance(value, float):
        return varint(3 << 3 | _DOUBLE) + struct.pack("<d", value)
    return _field(1, str(value).encode())


def _number(field: int, number: int) -> bytes:
    return varint(field << 3 | _VARINT) + varint(number)


def _field(field: int, content: bytes) -> bytes:
    return varint(field << 3 | _BYTES) + varint(len(content)) + content
