"""Points as a vector tile layer (MVT 2.1), written by hand: what is counted in memory needs no database to be written. Pure.

What features say is gathered by columns and written at once: a tile is thousands of small numbers, which numpy writes sooner than
Python names them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

EXTENT: Final = 4096
MVT_VERSION: Final = 2
POINT: Final = 1
MOVE_TO_ONE: Final = 9
_VARINT, _DOUBLE, _BYTES = 0, 1, 2

Value = str | bool | int | float | None
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Properties:
    """What the features of a layer say: the names and values there are, and columns of which feature says which of them."""

    names: dict[str, int] = field(default_factory=dict)
    values: dict[tuple[type, Value], int] = field(default_factory=dict)
    said: list[tuple[Numbers, Numbers, Numbers]] = field(default_factory=list)
    """Features by their number, names and values by their places: columns of one length."""

    def name(self, name: str) -> int:
        """Return the place of a name."""
        return self.names.setdefault(name, len(self.names))

    def value(self, value: Value) -> int:
        """Return the place of a value."""
        return self.values.setdefault((type(value), value), len(self.values))

    def whole(self, numbers: Numbers) -> Numbers:
        """Return the places of whole numbers, none negative; the largest of them is counted up to."""
        places = np.bincount(numbers)
        there = places.nonzero()[0]
        places[there] = [self.value(number) for number in there.tolist()]
        return places[numbers]

    def say(self, features: Numbers, names: Numbers, values: Numbers) -> None:
        """Let each of some features say one value under one name, by their places."""
        self.said.append((features, names, values))

    def say_all(self, features: Numbers, name: str, values: Numbers) -> None:
        """Let some features say one value each under the same name."""
        self.say(features, np.full(len(features), self.name(name)), values)

    def say_each(self, told: Iterable[tuple[int, Mapping[str, Value]]]) -> None:
        """Let features, by their number, say their own properties; values that are none are left out."""
        rows = [
            (feature, self.name(name), self.value(value))
            for feature, properties in told
            for name, value in properties.items()
            if value is not None
        ]
        self.say(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)


def encode_points(layer: str, points: Iterable[tuple[int, int, Mapping[str, Value]]]) -> bytes:
    """Return a tile of one layer of points: x and y in units of the tile, downwards; values that are none are left out.

    Several such tiles one after the other are one tile of several layers.
    """
    found = list(points)
    properties = Properties()
    properties.say_each((number, said) for number, (_, _, said) in enumerate(found))
    xs, ys = np.array([(x, y) for x, y, _ in found], dtype=np.int64).reshape(-1, 2).T
    return encode_columns(layer, xs, ys, properties)


def encode_columns(layer: str, xs: Numbers, ys: Numbers, properties: Properties) -> bytes:
    """Return a tile of one layer of points as ``encode_points`` does, of columns."""
    if not len(xs):
        return b""
    body = (
        _number(15, MVT_VERSION)
        + _field(1, layer.encode())
        + varints(_features(xs, ys, properties))
        + b"".join([_name(name) for name in properties.names])
        + b"".join([_SMALL.get(value) or _value(value[1]) for value in properties.values])
        + _number(5, EXTENT)
    )
    return _field(3, body)


_BEFORE: Final = 4
"""How many numbers of a feature stand before its tags: its field and length, the field and length of the tags."""
_AFTER: Final = 7
"""How many stand after them: its type, and its shape."""


def _features(xs: Numbers, ys: Numbers, properties: Properties) -> Numbers:
    """Return the numbers that features are written with, one after the other: field keys, lengths and what they hold."""
    features, names, values = (np.concatenate(column) for column in zip(*properties.said, strict=True))
    order = np.argsort(features, kind="stable")
    features, names, values = features[order], names[order], values[order]
    across, down = _zigzag(xs), _zigzag(ys)
    tag_bytes = np.bincount(features, _sizes(names) + _sizes(values), minlength=len(xs)).astype(np.int64)
    shape_bytes = 1 + _sizes(across) + _sizes(down)
    whole = 1 + _sizes(tag_bytes) + tag_bytes + 4 + shape_bytes

    tagged = 2 * np.bincount(features, minlength=len(xs))
    ends = (tagged + (_BEFORE + _AFTER)).cumsum()
    after = ends - _AFTER
    begin = after - tagged - _BEFORE
    tags = (_BEFORE + _AFTER) * features + np.arange(_BEFORE, _BEFORE + 2 * len(features), 2)
    numbers = np.empty(ends[-1], dtype=np.int64)
    for number, before in enumerate((_key(2, _BYTES), whole, _key(2, _BYTES), tag_bytes)):
        numbers[begin + number] = before
    for number, tag in enumerate((names, values)):
        numbers[tags + number] = tag
    for number, behind in enumerate((_key(3, _VARINT), POINT, _key(4, _BYTES), shape_bytes, MOVE_TO_ONE, across, down)):
        numbers[after + number] = behind
    return numbers


def varints(numbers: Numbers) -> bytes:
    """Return whole numbers, none negative, one after the other, each seven bits a byte."""
    sizes = _sizes(numbers)
    ends = sizes.cumsum()
    if not len(numbers) or ends[-1] == len(numbers):
        return numbers.astype(np.uint8).tobytes()
    written = np.empty(ends[-1], dtype=np.uint8)
    begin, last = ends - sizes, int(sizes.max())
    written[begin] = numbers & 0x7F | (sizes > 1) << 7
    for place in range(1, last):
        longer = (sizes > place).nonzero()[0]
        written[begin[longer] + place] = numbers[longer] >> 7 * place & 0x7F | (sizes[longer] > place + 1) << 7
    return written.tobytes()


def _sizes(numbers: Numbers) -> Numbers:
    """Return how many bytes each number takes."""
    sizes = np.full(len(numbers), 1)
    most, bits = int(numbers.max(initial=0)), 7
    while most >> bits:
        sizes += numbers >> bits > 0
        bits += 7
    return sizes


def _zigzag(numbers: Numbers) -> Numbers:
    """Return numbers with their signs in the lowest bit."""
    return numbers << 1 ^ numbers >> 63


@lru_cache(maxsize=1_000)
def _name(name: str) -> bytes:
    """Return the field of a name: the same few stand in every tile."""
    return _field(3, name.encode())


def _value(value: Value) -> bytes:
    """Return the field of a value."""
    if isinstance(value, bool):
        content = _number(7, int(value))
    elif isinstance(value, int):
        content = _number(5, value) if value >= 0 else _number(6, (-value << 1) - 1)
    elif isinstance(value, float):
        content = _varint(_key(3, _DOUBLE)) + struct.pack("<d", value)
    else:
        content = _field(1, str(value).encode())
    return _field(4, content)


def _key(number: int, kind: int) -> int:
    return number << 3 | kind


def _number(field: int, number: int) -> bytes:
    return _varint(_key(field, _VARINT)) + _varint(number)


def _field(field: int, content: bytes) -> bytes:
    return _varint(_key(field, _BYTES)) + _varint(len(content)) + content


_ONE_BYTE: Final = [bytes((number,)) for number in range(0x80)]


def _varint(number: int) -> bytes:
    """Return a whole number, not negative, seven bits a byte."""
    if number <= 0x7F:
        return _ONE_BYTE[number]
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_SMALL: Final[dict[tuple[type, Value], bytes]] = {(int, number): _value(number) for number in range(1_000)}
"""The fields of small numbers: those that clusters say most."""
