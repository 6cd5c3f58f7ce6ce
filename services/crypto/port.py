"""What the house asks of whoever holds its keys: seal, open, mac, sign, verify. Files hold them, or a remote service."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Purpose(StrEnum):
    """What a key is for; no key serves two purposes."""

    SEAL = "seal"
    BLIND = "blind"
    SIGN = "sign"


PURPOSE_NAMES = {Purpose.SEAL: "加密", Purpose.BLIND: "盲索引", Purpose.SIGN: "签名"}


@dataclass(frozen=True, slots=True)
class KeyNote:
    """What may be said of a key: id, purpose, day, whether it is the one in use, and of a signing key its public half as PEM."""

    id: str
    purpose: Purpose
    made_on: dt.date
    newest: bool
    public: str = ""


class KeyService(Protocol):
    """Who holds the keys. Every act may raise ``Unavailable``: the holder is not there, or never had the key that is named."""

    def notes(self) -> tuple[KeyNote, ...]:
        """Return what may be said of all keys, oldest first."""
        ...

    def seal(self, plain: bytes, surroundings: bytes) -> tuple[str, bytes]:
        """Return the id of the newest sealing key, and nonce, ciphertext and tag in one."""
        ...

    def open(self, key_id: str, sealed: bytes, surroundings: bytes) -> bytes:
        """Return what was sealed. Raises ``primitives.Tampered``."""
        ...

    def macs(self, label: bytes, data: bytes) -> tuple[tuple[str, bytes], ...]:
        """Return key id and HMAC-SM3 under each blind key for a label, the newest key first."""
        ...

    def sign(self, data: bytes) -> tuple[str, bytes]:
        """Return the id of the newest signing key and its SM2 signature (DER)."""
        ...

    def verify(self, key_id: str, data: bytes, signature: bytes) -> bool:
        """Say whether a signature over ``data`` is of the key; a key nobody knows has signed nothing."""
        ...

    def add_key(self, purpose: Purpose) -> KeyNote:
        """Make a key, which is the newest of its purpose from now on."""
        ...

    def drop_key(self, key_id: str) -> None:
        """Forget a key for good; the newest of a purpose stays. The caller has made sure that nothing needs it."""
        ...
