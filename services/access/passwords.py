"""Passwords as they lie in the database: the salted hash Django would keep, sealed by the keys of the house.

``sealed$<algorithm>$<rounds>$<salt>$<sealed hash>``: whoever copies the table can try no password, and what is outside the seal
tells of none. The salt stays the same when the keys are rotated; sessions go by it, so that a rotation signs nobody out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib.auth.hashers import BasePasswordHasher, PBKDF2PasswordHasher

from services.crypto.sealing import seal, unseal

if TYPE_CHECKING:
    from services.crypto.rotation import Renewal

FIELD: Final = "account.password"
NOBODY: Final = UUID(int=0)
"""Hashers are not told whose password it is; that no row bears another's is what accounts are signed for."""
ALGORITHM: Final = "sealed"


class SealedHasher(BasePasswordHasher):
    """PBKDF2 under a seal. Signing in opens one seal, no more."""

    algorithm = ALGORITHM
    inner = PBKDF2PasswordHasher()

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the password as it is kept. Raises ``Unavailable`` when the holder of the keys is not there."""
        return sealed_hash(self.inner.encode(password, salt, iterations))

    def decode(self, encoded: str) -> dict[str, Any]:
        """Return what stands outside the seal."""
        _, algorithm, rounds, salt, sealed = encoded.split("$", 4)
        return {"algorithm": algorithm, "iterations": int(rounds), "salt": salt, "hash": sealed}

    def verify(self, password: str, encoded: str) -> bool:
        """Say whether it is the password. Raises ``Unavailable``, and ``Conflict`` for a hash that was altered."""
        return self.inner.verify(password, opened_hash(encoded))

    def must_update(self, encoded: str) -> bool:
        """Say whether it was hashed with fewer rounds than now."""
        return int(self.decode(encoded)["iterations"]) != self.inner.iterations

    def safe_summary(self, encoded: str) -> Any:
        """Return what may be shown of it."""
        told = self.decode(encoded)
        return {"algorithm": told["algorithm"], "iterations": told["iterations"]}

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Take as long as a hash with the rounds of now."""
        told = self.decode(encoded)
        if (missing := self.inner.iterations - int(told["iterations"])) > 0:
            self.inner.encode(password, told["salt"], missing)


def sealed_hash(encoded: str) -> str:
    """Return a hash of Django's under the seal."""
    algorithm, rounds, salt, _ = encoded.split("$", 3)
    return f"{ALGORITHM}${algorithm}${rounds}${salt}${seal(encoded, field=FIELD, owner=NOBODY)}"


def opened_hash(encoded: str) -> str:
    """Return the hash under a seal. Raises ``Conflict`` when it was altered."""
    return unseal(encoded.split("$", 4)[4], field=FIELD, owner=NOBODY)


def is_sealed(encoded: str) -> bool:
    """Say whether a password is kept under the seal."""
    return encoded.startswith(f"{ALGORITHM}$")


def unchanging_part(encoded: str) -> str:
    """Return what of a kept password stays until the password is changed."""
    return encoded.rpartition("$")[0] if is_sealed(encoded) else encoded


def renewed(encoded: str, renewal: Renewal) -> str:
    """Return a kept password sealed by the newest key; one that was hashed before passwords were sealed is sealed as it is."""
    if is_sealed(encoded):
        outside, _, sealed = encoded.rpartition("$")
        return f"{outside}${renewal.text(sealed, field=FIELD, owner=NOBODY)}"
    if encoded.startswith("pbkdf2_sha256$") and renewal.writes:
        return sealed_hash(encoded)
    return encoded
