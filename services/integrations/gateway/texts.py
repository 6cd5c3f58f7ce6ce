"""What is signed and what keys come of it, as all three sides (telephone, gateway, house) compute it. Pure.

A text is lines of plain words and hexadecimal digits, so that no two readings of the same bytes exist. A text of the site never
equals one of a device: neither can be made to sign for the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from services.crypto.primitives import KEY_BYTES, sm3, sm3_mac, sm4_open, sm4_seal

Purpose = Literal["sign_in", "bind", "session"]
RANDOM_BYTES: Final = 32
SECRET_BYTES: Final = 48
LAST: Final = 2**40
UP, DOWN = "up", "down"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A question and who asked it: what for, of which host, the device's own random bytes and the gateway's."""

    purpose: Purpose
    host: str
    random: bytes
    challenge: bytes

    def device_text(self, content: bytes = b"") -> bytes:
        """Return what the device signs; ``content`` is what it sends along, such as a sealed key."""
        return _lines("device", *self._parts(), sm3(content).hex())

    def site_text(self, encryption: bytes) -> bytes:
        """Return what the site signs before anything is asked of the device; ``encryption`` is its other certificate."""
        return _lines("site", *self._parts(), sm3(encryption).hex())

    def session_text(self, session: str, sealed_secret: bytes) -> bytes:
        """Return what the site signs when it has opened the secret and a session stands."""
        return _lines("session", *self._parts(), sm3(sealed_secret).hex(), session)

    def _parts(self) -> tuple[str, ...]:
        return self.purpose, self.host, self.random.hex(), self.challenge.hex()


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The two SM4 keys of a session, one for each way: a sequence number meets each key once."""

    session: str
    up: bytes
    down: bytes

    @classmethod
    def of(cls, session: str, secret: bytes, text: bytes) -> SessionKeys:
        """Return the keys that come of a secret in the session whose text is ``text``."""
        up, down = (sm3_mac(secret, way.encode() + b"\n" + text)[:KEY_BYTES] for way in (UP, DOWN))
        return cls(session, up, down)

    def seal(self, way: str, sequence: int, plain: bytes) -> bytes:
        """Return a message sealed by SM4-GCM, its number and way authenticated."""
        return sm4_seal(self._key(way), _nonce(sequence), plain, self._surroundings(way, sequence))

    def open(self, way: str, sequence: int, sealed: bytes) -> bytes:
        """Return a message. Raises ``Tampered`` for one that was changed, or sealed under another number or way."""
        return sm4_open(self._key(way), _nonce(sequence), sealed, self._surroundings(way, sequence))

    def _key(self, way: str) -> bytes:
        return self.up if way == UP else self.down

    def _surroundings(self, way: str, sequence: int) -> bytes:
        return _lines("message", self.session, way, str(sequence))


def _nonce(sequence: int) -> bytes:
    if not 0 < sequence < LAST:
        raise ValueError("a number of a message is positive")
    return sequence.to_bytes(12, "big")


def _lines(*parts: str) -> bytes:
    if any("\n" in part for part in parts):
        raise ValueError("one line each")
    return "\n".join(("quantu-gateway-v1", *parts)).encode()
