"""The signatures of rows and of device logs as Merkle trees."""

from __future__ import annotations

from services.crypto.devices import PIECES
from services.crypto.signed_rows import SIGNATURES

CHAINED = (SIGNATURES, PIECES)
