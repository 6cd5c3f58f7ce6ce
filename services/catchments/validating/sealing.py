"""Addresses of a register under a key of its own, which the house seals: a row costs some microseconds and no call elsewhere.

A sealed text belongs to its register and its place: moved to another row it does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from geo.errors import Conflict
from services.catchments.validating.models import Register
from services.crypto.primitives import KEY_BYTES, NONCE_BYTES, Tampered, sm4_open, sm4_seal
from services.crypto.sealing import seal, unseal

KEY_FIELD: Final = "catchment_register.key"


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens the texts of one register; without a key, of one from before they were sealed, they stay as they are."""

    owner: UUID
    key: bytes

    def close(self, text: str, *, place: str) -> str:
        """Return a text sealed for one place as printable characters, '' for ''."""
        if not text or not self.key:
            return text
        nonce = os.urandom(NONCE_BYTES)
        return base64.b64encode(nonce + sm4_seal(self.key, nonce, text.encode(), self._bound(place))).decode("ascii")

    def open(self, kept: str, *, place: str) -> str:
        """Return the text. Raises ``Conflict`` for one that was changed or moved."""
        if not kept or not self.key:
            return kept
        try:
            raw = base64.b64decode(kept, validate=True)
            return sm4_open(self.key, raw[:NONCE_BYTES], raw[NONCE_BYTES:], self._bound(place)).decode()
        except (Tampered, binascii.Error, UnicodeError):
            raise Conflict("seal_broken", "这条加密内容核对不上，可能被改动过。请联系系统管理员。") from None

    def _bound(self, place: str) -> bytes:
        return self.owner.bytes + place.encode()


def new_key(owner: UUID) -> str:
    """Return a new key for a register, sealed by the house."""
    return seal(os.urandom(KEY_BYTES).hex(), field=KEY_FIELD, owner=owner)


def seal_of(register: Register) -> Seal:
    """Return what seals and opens the texts of a register. Raises ``Conflict`` and ``Unavailable`` as ``unseal`` does."""
    kept = register.sealed_key
    return Seal(register.pk, bytes.fromhex(unseal(kept, field=KEY_FIELD, owner=register.pk)) if kept else b"")


def of_row(number: int) -> str:
    """Return the place of the address of a row."""
    return f"row {number}"


def of_verdict(validation_id: UUID, number: int) -> str:
    """Return the place of what was said of a row in a run."""
    return f"said {validation_id} {number}"
