"""Points as a vector tile layer (MVT 2.1), written by hand: what is counted in memory needs no database to be written. Pure.

What features say is gathered by columns and written at once: a tile is thousands of small numbers, which numpy writes sooner than
Python names them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

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
class Said:
    """What features in a row say: names and values by their places in lists of fields.

    ``ends`` are one more than the features and begin with 0: a feature says what stands between the two ends about it.
    """

    ends: Numbers
    names: Numbers
    values: Numbers

    def of(self, begin: int, end: int) -> Said:
        """Return what the features from ``begin`` to before ``end`` say."""
        ends = self.ends[begin : end + 1]
        inside = slice(ends[0], ends[-1])
        return Said(ends - ends[0], self.names[inside], self.values[inside])

    def each(self, features: Numbers) -> Column:
        """Return what some features say, numbered by their order among these."""
        begins, many = self.ends[features], self.ends[features + 1] - self.ends[features]
        before = many.cumsum() - many
        places = np.arange(many.sum()) + (begins - before).repeat(many)
        return np.arange(len(features)).repeat(many), self.names[places], self.values[places]


Column = tuple[Numbers, Numbers, Numbers]
"""Features by their number, names and values by their places: of one length."""


def said_by(columns: Sequence[Column], many: int) -> Said:
    """Return what ``many`` features say, of columns in any order; a feature's words keep the order of the columns."""
    features, names, values = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.argsort(features, kind="stable")
    ends = np.concatenate(([0], np.bincount(features, minlength=many).cumsum()))
    return Said(ends, names[order].astype(np.int32), values[order].astype(np.int32))


class Fields:
    """Names or values as they are written, by their places."""

    def __init__(self, written: Callable[[Any], bytes]) -> None:
        self.written = written
        self.fields: list[bytes] = []
        self.places: dict[tuple[type, Value], int] = {}

    def place(self, value: Value) -> int:
        """Return the place of a value, which stands once."""
        place = self.places.setdefault((type(value), value), len(self.fields))
        if place == len(self.fields):
            self.fields.append(self.written(value))
        return place

    def settle(self) -> None:
        """Forget which values there are: what comes may stand a second time."""
        self.places.clear()

    def places_of(self, values: npt.NDArray[Any]) -> Numbers:
        """Return the places of some numbers."""
        there, places = np.unique(values, return_inverse=True)
        return np.array([self.place(value) for value in there.tolist()], dtype=np.int64)[places]


def names_and_values() -> tuple[Fields, Fields]:
    """Return empty lists of the fields of names and values."""
    return Fields(lambda name: _field(3, name.encode())), Fields(_value)


def say_each(told: Iterable[tuple[int, Mapping[str, Value]]], names: Fields, values: Fields) -> Column:
    """Return what features, by their number, say; values that are none are left out."""
    rows = [
        (feature, names.place(name), values.place(value))
        for feature, properties in told
        for name, value in properties.items()
        if value is not None
    ]
    features, named, valued = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return features, named, valued


def encode_points(layer: str, points: Iterable[tuple[int, int, Mapping[str, Value]]]) -> bytes:
    """Return a tile of one layer of points: x and y in units of the tile, downwards; values that are none are left out.

    Several such tiles one after the other are one tile of several layers.
    """
    found = list(points)
    names, values = names_and_values()
    column = say_each(((number, said) for number, (_, _, said) in enumerate(found)), names, values)
    xs, ys = np.array([(x, y) for x, y, _ in found], dtype=np.int64).reshape(-1, 2).T
    return encode_features(layer, xs, ys, said_by([column], len(found)), names.fields, values.fields)


def encode_features(
    layer: str, xs: Numbers, ys: Numbers, said: Said, names: Sequence[bytes], values: Sequence[bytes]
) -> bytes:
    """Return a tile of one layer of points as ``encode_points`` does, of columns; of names and values it takes what is said."""
    if not len(xs):
        return b""
    named, said_names = _used(said.names, names)
    valued, said_values = _used(said.values, values)
    body = (
        _number(15, MVT_VERSION)
        + _field(1, layer.encode())
        + varints(_features(xs, ys, said.ends, said_names, said_values))
        + b"".join(named)
        + b"".join(valued)
        + _number(5, EXTENT)
    )
    return _field(3, body)


def _used(places: Numbers, fields: Sequence[bytes]) -> tuple[Iterable[bytes], Numbers]:
    """Return the fields that stand at some places, each once, and those places among them."""
    there, among = np.unique(places, return_inverse=True)
    found = [fields[place] for place in there.tolist()]
    once = dict.fromkeys(found)
    if len(once) < len(found):
        order = {field: number for number, field in enumerate(once)}
        among = np.array([order[field] for field in found])[among]
    return once, among


_BEFORE: Final = 4
"""How many numbers of a feature stand before its tags: its field and length, the field and length of the tags."""
_AFTER: Final = 7
"""How many stand after them: its type, and its shape."""


def _features(xs: Numbers, ys: Numbers, said_ends: Numbers, names: Numbers, values: Numbers) -> Numbers:
    """Return the numbers that features are written with, one after the other: field keys, lengths and what they hold."""
    many = said_ends[1:] - said_ends[:-1]
    features = np.arange(len(xs)).repeat(many)
    across, down = _zigzag(xs), _zigzag(ys)
    tag_bytes = np.bincount(features, _sizes(names) + _sizes(values), minlength=len(xs)).astype(np.int64)
    shape_bytes = 1 + _sizes(across) + _sizes(down)
    whole = 1 + _sizes(tag_bytes) + tag_bytes + 4 + shape_bytes

    tagged = 2 * many
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
