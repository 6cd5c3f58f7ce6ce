"""The tree of RFC 6962 over SM3: equal to its definition written out, and every changed leaf, proof, root or size is refused."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.crypto.merkle import (
    EMPTY,
    Peaks,
    consistency_proof,
    grew,
    includes,
    inclusion_proof,
    leaf_digest,
    root_of,
)

SIZES = st.integers(1, 40)


def digest(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def by_definition(data: list[bytes]) -> bytes:
    """Return MTH of RFC 6962, 2.1."""
    if not data:
        return digest(b"")
    if len(data) == 1:
        return digest(b"\x00" + data[0])
    k = 1
    while k * 2 < len(data):
        k *= 2
    return digest(b"\x01" + by_definition(data[:k]) + by_definition(data[k:]))


def leaves(size: int) -> list[bytes]:
    return [leaf_digest(f"line {number}".encode()) for number in range(size)]


@given(st.lists(st.binary(max_size=20), max_size=40))
def test_the_root_is_that_of_the_definition(data: list[bytes]) -> None:
    assert root_of([leaf_digest(each) for each in data]) == by_definition(data)


def test_the_root_of_nothing() -> None:
    assert Peaks().root == EMPTY == digest(b"")


@given(st.integers(0, 40), st.integers(0, 40))
def test_growing_in_two_runs_is_growing_in_one(first: int, more: int) -> None:
    all_of_them = leaves(first + more)
    peaks = Peaks().with_leaves(all_of_them[:first]).with_leaves(all_of_them[first:])
    assert peaks == Peaks().with_leaves(all_of_them)
    assert len(peaks.roots) == bin(first + more).count("1")


def test_every_leaf_of_every_small_tree_is_proven_and_nothing_else_is() -> None:
    for size in range(1, 18):
        tree = leaves(size)
        root = root_of(tree)
        for position in range(size):
            proof = inclusion_proof(tree, position)
            assert includes(root, size, position, tree[position], proof)
            for other in range(size):
                if other != position:
                    assert not includes(root, size, other, tree[position], proof)
                    assert not includes(root, size, position, tree[other], proof)
            assert not includes(root, size, position, tree[position], [*proof, root])
            assert not includes(EMPTY, size, position, tree[position], proof)
            if proof:
                assert not includes(root, size, position, tree[position], proof[:-1])


def test_every_growth_of_every_small_tree_is_proven_and_nothing_else_is() -> None:
    for size in range(1, 18):
        tree = leaves(size)
        root = root_of(tree)
        for earlier in range(1, size + 1):
            proof, before = consistency_proof(tree, earlier), root_of(tree[:earlier])
            assert grew(earlier, before, size, root, proof)
            assert not grew(earlier, EMPTY, size, root, proof)
            assert not grew(earlier, before, size, EMPTY, proof)
            assert not grew(earlier, before, size, root, [*proof, root])
            for other in range(1, size + 1):
                if other != earlier:
                    assert not grew(other, before, size, root, proof)


@given(SIZES, st.data())
def test_a_rewritten_past_is_not_consistent(size: int, data: st.DataObject) -> None:
    earlier = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, earlier - 1))
    tree = leaves(size)
    before = root_of(tree[:earlier])
    tree[changed] = leaf_digest(b"rewritten")
    assert not grew(earlier, before, size, root_of(tree), consistency_proof(tree, earlier))


@given(SIZES, st.data())
def test_one_bit_changed_in_a_proof_is_refused(size: int, data: st.DataObject) -> None:
    tree, position = leaves(size), data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(tree, position)
    if proof:
        which, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
        changed = bytearray(proof[which])
        changed[bit // 8] ^= 1 << bit % 8
        proof[which] = bytes(changed)
        assert not includes(root_of(tree), size, position, tree[position], proof)


def test_what_is_out_of_range_is_refused() -> None:
    for wrong in (-1, 3):
        with pytest.raises(ValueError, match="no such"):
            inclusion_proof(leaves(3), wrong)
        assert not includes(EMPTY, 3, wrong, EMPTY, [])
    for wrong in (0, 4):
        with pytest.raises(ValueError, match="no such"):
            consistency_proof(leaves(3), wrong)
        assert not grew(wrong, EMPTY, 3, EMPTY, [])
