"""A sealed file gives back what was sealed, whole and from any place, and betrays every change, cut, swap and second spelling."""

from __future__ import annotations

import io
import itertools
import os
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import Unavailable
from services.crypto.keystore import KeyStore, _new_key
from services.crypto.port import Purpose
from services.crypto.primitives import Tampered
from services.crypto.sealed_files import BEGIN, SealedReader, begins_sealed, read_head, renew_key, seal_stream

POWER = 10
"""Small pieces, so that small files have many."""
PIECE = 1 << POWER
KEYS = KeyStore((_new_key(Purpose.SEAL),))
PLAIN = random.Random(5).randbytes(3 * PIECE + 77)


def sealed(plain: bytes, label: str = "a/b", keys: Any = KEYS, piece: int = POWER) -> bytes:
    out = io.BytesIO()
    seal_stream(io.BytesIO(plain), out, label=label, keys=keys, piece=piece)
    return out.getvalue()


def opened(data: bytes, label: str = "a/b", keys: Any = KEYS) -> bytes:
    return io.BufferedReader(SealedReader(io.BytesIO(data), label=label, keys=keys)).read()


SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 1, 5 * PIECE]


@pytest.mark.parametrize("size", SIZES)
def test_any_size_comes_back(size: int) -> None:
    plain = os.urandom(size)
    data = sealed(plain)
    assert begins_sealed(data)
    assert opened(data) == plain
    assert SealedReader(io.BytesIO(data), label="a/b", keys=KEYS).size == size
    assert size < 16 or plain[:16] not in data
    assert sealed(plain) != data  # a data key of its own each time


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(PLAIN) + 50), st.integers(0, 2 * PIECE)), max_size=12), st.integers(1, 5000)
)
def test_reading_from_any_place_is_as_of_the_plain_content(jumps: list[tuple[int, int]], buffer: int) -> None:
    file = io.BufferedReader(SealedReader(io.BytesIO(sealed(PLAIN)), label="a/b", keys=KEYS), buffer)
    like = io.BytesIO(PLAIN)
    for place, size in jumps:
        assert file.seek(place) == like.seek(place)
        assert file.read(size) == like.read(size)
    assert file.seek(0, os.SEEK_END) == len(PLAIN)


class Dribble(io.RawIOBase):
    """A stream that gives a few bytes at a time, as sockets do."""

    def __init__(self, data: bytes) -> None:
        self.inner, self.steps = io.BytesIO(data), itertools.cycle((1, 7, 300, 1500))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self.inner.read(min(len(buffer), next(self.steps)))
        buffer[: len(part)] = part
        return len(part)


def test_a_stream_that_gives_little_at_a_time_is_sealed_all_the_same() -> None:
    out = io.BytesIO()
    seal_stream(Dribble(PLAIN), out, label="a/b", keys=KEYS, piece=POWER)  # type: ignore[arg-type]
    assert opened(out.getvalue()) == PLAIN
    assert len(out.getvalue()) == len(sealed(PLAIN))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 8 * len(sealed(PLAIN)) - 1))
def test_any_flipped_bit_is_found_out_or_means_nothing(bit: int) -> None:
    data = bytearray(sealed(PLAIN))
    data[bit // 8] ^= 1 << bit % 8
    at = bit // 8
    if 32 + 73 <= at < BEGIN:
        assert opened(bytes(data)) == PLAIN  # the empty room of the slots
    else:
        with pytest.raises(Tampered):
            opened(bytes(data))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(sealed(PLAIN)) - 1), st.booleans())
def test_any_cut_and_anything_added_is_found_when_it_is_opened(cut: int, added: bool) -> None:
    data = sealed(PLAIN)
    spoiled = data + data[BEGIN : BEGIN + cut + 1] if added else data[:cut]
    with pytest.raises(Tampered):
        SealedReader(io.BytesIO(spoiled), label="a/b", keys=KEYS)


def test_a_cut_between_two_pieces_is_found_too() -> None:
    data = sealed(PLAIN)
    for pieces in range(3):
        with pytest.raises(Tampered):
            SealedReader(io.BytesIO(data[: BEGIN + pieces * (PIECE + 16)]), label="a/b", keys=KEYS)


def test_pieces_in_another_order_or_of_another_file_do_not_open() -> None:
    whole = PIECE + 16
    plain = os.urandom(4 * PIECE)
    one, other = sealed(plain), sealed(plain)

    def pieces(data: bytes) -> list[bytes]:
        return [data[at : at + whole] for at in range(BEGIN, len(data), whole)]

    for order in itertools.permutations(range(4)):
        if order != (0, 1, 2, 3):
            with pytest.raises(Tampered):
                opened(one[:BEGIN] + b"".join(pieces(one)[at] for at in order))
    for at in range(4):
        mixed = pieces(one)
        mixed[at] = pieces(other)[at]
        with pytest.raises(Tampered):
            opened(one[:BEGIN] + b"".join(mixed))
    for head in (other[:32] + one[32:], one[:32] + other[32:BEGIN] + one[BEGIN:]):
        with pytest.raises(Tampered):
            opened(head)


def test_a_file_in_the_place_of_another_does_not_open() -> None:
    with pytest.raises(Tampered):
        opened(sealed(PLAIN, "a/b"), "a/c")


def test_another_key_opens_nothing_and_an_unknown_one_is_said() -> None:
    with pytest.raises(Unavailable):
        opened(sealed(PLAIN), keys=KeyStore((_new_key(Purpose.SEAL),)))


class Disk(io.BytesIO):
    """A file in memory that remembers what was written to it where."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.steps: list[tuple[int, bytes]] = []

    def write(self, data: Any) -> int:
        self.steps.append((self.tell(), bytes(data)))
        return super().write(data)


@pytest.fixture(autouse=True)
def memory_needs_no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "fileno", lambda _: 0)
    monkeypatch.setattr(os, "fsync", lambda _: None)


class TestRotation:
    both = KeyStore((*KEYS.keys, _new_key(Purpose.SEAL)))

    def test_only_the_data_key_is_sealed_anew(self) -> None:
        file = Disk(sealed(PLAIN))
        before = file.getvalue()
        newest = self.both.keys[-1].id
        assert renew_key(file, label="a/b", keys=self.both, newest=newest)
        assert file.getvalue()[BEGIN:] == before[BEGIN:]
        assert file.getvalue()[:32] == before[:32]
        assert read_head(file).current[1].key_id == newest
        assert opened(file.getvalue(), keys=KeyStore(self.both.keys[-1:])) == PLAIN  # the old key is not needed
        assert not renew_key(file, label="a/b", keys=self.both, newest=newest)

    def test_it_can_go_on_for_ever(self) -> None:
        file = Disk(sealed(PLAIN))
        keys = KEYS
        for _ in range(5):
            keys = KeyStore((*keys.keys, _new_key(Purpose.SEAL)))
            assert renew_key(file, label="a/b", keys=keys, newest=keys.keys[-1].id)
        assert opened(file.getvalue(), keys=KeyStore(keys.keys[-1:])) == PLAIN

    def test_a_power_cut_after_any_byte_written_loses_nothing(self) -> None:
        start = sealed(PLAIN)
        file = Disk(start)
        renew_key(file, label="a/b", keys=self.both, newest=self.both.keys[-1].id)
        state = bytearray(start)
        assert len(file.steps) == 2
        for place, data in file.steps:
            for at, byte in enumerate(data):
                state[place + at] = byte
                assert opened(bytes(state), keys=self.both) == PLAIN

    def test_a_file_of_another_place_is_not_given_a_new_key(self) -> None:
        with pytest.raises(Tampered):
            renew_key(Disk(sealed(PLAIN)), label="a/c", keys=self.both, newest=self.both.keys[-1].id)
