"""Points as a vector tile layer (MVT 2.1), written by hand: what is counted in memory needs no database to be written. Pure.

What features say is gathered by columns and written at once: a tile is thousands of small numbers, which ``tiles.kernels`` writes
sooner than Python names them.
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
_VARINT, _DOUBLE, _BYTES = 0, 1, 2

Value = str | bool | int | float | None
Numbers = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Said:
    """What features in a row say: names and values by their places in lists of fields.

    ``ends`` are one more than the features and begin with 0: a feature says what stands between the two ends about it.
    """

    ends: Numbers
    names: Places
    values: Places

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


Column = tuple[Numbers, npt.NDArray[np.integer[Any]], npt.NDArray[np.integer[Any]]]
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
        self._marks: Places = np.empty(0, dtype=np.int32)

    def place(self, value: Value) -> int:
        """Return the place of a value, which stands once."""
        place = self.places.setdefault((type(value), value), len(self.fields))
        if place == len(self.fields):
            self.fields.append(self.written(value))
        return place

    def settle(self) -> None:
        """Forget which values there are: what comes may stand a second time."""
        self.places.clear()

    def used(self, places: Places) -> tuple[Iterable[bytes], Places]:
        """Return the fields that stand at some places, each once, and those places among them."""
        from tiles import kernels

        if len(self._marks) < len(self.fields):
            self._marks = np.full(len(self.fields), -1, dtype=np.int32)
        among, there = np.empty_like(places), np.empty_like(places)
        many = kernels.number_by_use(places, self._marks, among, there)
        found = [self.fields[place] for place in there[:many].tolist()]
        once = dict.fromkeys(found)
        if len(once) < len(found):
            order = {field: number for number, field in enumerate(once)}
            among = np.array([order[field] for field in found], dtype=np.int32)[among]
        return once, among

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
    xs, ys = (np.array([point[axis] for point in found], dtype=np.int64) for axis in (0, 1))
    return encode_features(layer, xs, ys, said_by([column], len(found)), names, values)


def warm_up() -> None:
    """Have the kernels compiled, or read from where they are kept, before somebody asks for a tile."""
    encode_points("", [(0, 0, {"": ""})])


def encode_features(layer: str, xs: Numbers, ys: Numbers, said: Said, names: Fields, values: Fields) -> bytes:
    """Return a tile of one layer of points as ``encode_points`` does, of columns; of names and values it takes what is said."""
    from tiles import kernels

    if not len(xs):
        return b""
    named, said_names = names.used(said.names)
    valued, said_values = values.used(said.values)
    written = np.empty(kernels.FEATURE_BYTES * len(xs) + kernels.TAG_BYTES * len(said_names), dtype=np.uint8)
    size = kernels.write_features(xs, ys, said.ends, said_names, said_values, written)
    features = written[:size].tobytes()
    body = b"".join(
        (_number(15, MVT_VERSION), _field(1, layer.encode()), features, *named, *valued, _number(5, EXTENT))
    )
    return _field(3, body)


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
