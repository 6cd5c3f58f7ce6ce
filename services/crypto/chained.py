"""The signatures of rows as a Merkle tree."""

from __future__ import annotations

from services.crypto.signed_rows import SIGNATURES

CHAINED = (SIGNATURES,)
