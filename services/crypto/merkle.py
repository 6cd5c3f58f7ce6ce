"""A Merkle tree over SM3 in the shape of RFC 6962: roots, proofs of inclusion and of consistency, and growth leaf by leaf. Pure.

Only the peaks (the roots of the perfect trees a size is made of) are needed to go on: a log of a million leaves keeps twenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.crypto.primitives import sm3

DIGEST_BYTES: Final = 32
EMPTY: Final = sm3(b"")


def leaf_digest(data: bytes) -> bytes:
    """Return the digest of a leaf; its prefix keeps it apart from those of nodes."""
    return sm3(b"\x00" + data)


def node_digest(left: bytes, right: bytes) -> bytes:
    """Return the digest of a node."""
    return sm3(b"\x01" + left + right)


@dataclass(frozen=True, slots=True)
class Peaks:
    """What a log of ``size`` leaves must remember to grow: its perfect trees' roots, the largest first."""

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def with_leaf(self, leaf: bytes) -> Peaks:
        """Return the peaks after one more leaf, given by its digest."""
        roots, size, carry = list(self.roots), self.size, leaf
        while size & 1:  # two perfect trees of one size become one
            carry = node_digest(roots.pop(), carry)
            size >>= 1
        return Peaks(self.size + 1, (*roots, carry))

    def with_leaves(self, leaves: Sequence[bytes]) -> Peaks:
        """Return the peaks after more leaves."""
        peaks = self
        for leaf in leaves:
            peaks = peaks.with_leaf(leaf)
        return peaks

    @property
    def root(self) -> bytes:
        """Return the root of the whole tree."""
        if not self.roots:
            return EMPTY
        *rest, root = self.roots
        for peak in reversed(rest):
            root = node_digest(peak, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaves given by their digests."""
    return Peaks().with_leaves(leaves).root


def inclusion_proof(leaves: Sequence[bytes], position: int) -> list[bytes]:
    """Return the digests that lead from a leaf, by its position from 0, to the root, lowest first. Else ``ValueError``."""
    if not 0 <= position < len(leaves):
        raise ValueError("no such leaf")
    if len(leaves) == 1:
        return []
    middle = _middle(len(leaves))
    if position < middle:
        return [*inclusion_proof(leaves[:middle], position), root_of(leaves[middle:])]
    return [*inclusion_proof(leaves[middle:], position - middle), root_of(leaves[:middle])]


def includes(root: bytes, size: int, position: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether a proof leads from a leaf at a position of a tree of ``size`` leaves to its root."""
    if not 0 <= position < size:
        return False
    at, last, found = position, size - 1, leaf
    for digest in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_digest(digest, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_digest(found, digest)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def consistency_proof(leaves: Sequence[bytes], earlier: int) -> list[bytes]:
    """Return the digests that show that the tree of the first ``earlier`` leaves only grew. ``ValueError`` out of range."""
    if not 0 < earlier <= len(leaves):
        raise ValueError("no such earlier size")
    return _subproof(leaves, earlier, whole=True)


def grew(earlier: int, earlier_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether a proof shows that the tree of ``size`` leaves begins with the tree of ``earlier`` ones (RFC 9162, 2.1.4.2)."""
    if not 0 < earlier <= size:
        return False
    if earlier == size:
        return not proof and earlier_root == root
    path = [earlier_root, *proof] if earlier & (earlier - 1) == 0 else list(proof)
    if not path:
        return False
    at, last = earlier - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for digest in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node_digest(digest, before), node_digest(digest, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_digest(after, digest)
        at, last = at >> 1, last >> 1
    return last == 0 and before == earlier_root and after == root


def _subproof(leaves: Sequence[bytes], earlier: int, *, whole: bool) -> list[bytes]:
    if earlier == len(leaves):
        return [] if whole else [root_of(leaves)]
    middle = _middle(len(leaves))
    if earlier <= middle:
        return [*_subproof(leaves[:middle], earlier, whole=whole), root_of(leaves[middle:])]
    return [*_subproof(leaves[middle:], earlier - middle, whole=False), root_of(leaves[:middle])]


def _middle(size: int) -> int:
    """Return the largest power of two below a size of at least 2."""
    return 1 << (size - 1).bit_length() - 1
