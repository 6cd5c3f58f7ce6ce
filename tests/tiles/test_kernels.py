"""The kernels of tiles against the same said plainly."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tiles import kernels

PLACES = st.lists(st.integers(0, 300), max_size=60)
NUMBERS = st.integers(0, 2**31 - 1)
TAGS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5)
FEATURES = st.lists(st.tuples(st.integers(-(2**20), 2**20), st.integers(-(2**20), 2**20), TAGS), max_size=12)


@given(runs=st.lists(PLACES, min_size=1, max_size=4))
def test_places_are_numbered_as_they_come_and_marks_are_as_before(runs: list[list[int]]) -> None:
    marks = np.full(301, -1, dtype=np.int32)
    for run in runs:
        places = np.array(run, dtype=np.int32)
        among, used = np.empty_like(places), np.empty_like(places)
        many = kernels.number_by_use(places, marks, among, used)
        expected = list(dict.fromkeys(run))
        assert used[:many].tolist() == expected
        assert [expected[number] for number in among] == run
        assert (marks == -1).all()


@given(features=FEATURES)
def test_features_are_written_as_the_format_says(features: list[tuple[int, int, list[tuple[int, int]]]]) -> None:
    tags = [tag for _, _, each in features for tag in each]
    names, values = (np.array([tag[side] for tag in tags], dtype=np.int32) for side in (0, 1))
    xs, ys = (np.array([each[axis] for each in features], dtype=np.int64) for axis in (0, 1))
    ends = np.cumsum([0, *(len(each) for _, _, each in features)], dtype=np.int64)
    written = np.empty(kernels.FEATURE_BYTES * len(features) + kernels.TAG_BYTES * len(tags), dtype=np.uint8)
    size = kernels.write_features(xs, ys, ends, names, values, written)
    assert written[:size].tobytes() == b"".join(_feature(x, y, tags) for x, y, tags in features)


def test_what_a_process_compiles_before_it_opens_is_what_tiles_need() -> None:
    script = """
from tiles import encoding
encoding.warm_up()
from tiles import kernels
before = [len(one.signatures) for one in (kernels.number_by_use, kernels.write_features)]
encoding.encode_points("a", [(1, 2, {"n": 5, "m": True}), (-3, 4, {})])
print(before, [len(one.signatures) for one in (kernels.number_by_use, kernels.write_features)])
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert said.stdout.strip() == "[1, 1] [1, 1]"


def _feature(x: int, y: int, tags: list[tuple[int, int]]) -> bytes:
    said = b"".join(_varint(number) for tag in tags for number in tag)
    shape = _varint(9) + _varint(2 * x if x >= 0 else -2 * x - 1) + _varint(2 * y if y >= 0 else -2 * y - 1)
    return _field(2, _field(2, said) + b"\x18\x01" + _field(4, shape))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + _varint(number >> 7)
