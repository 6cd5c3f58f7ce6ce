"""SM3, HMAC-SM3 and SM4-GCM (GB/T 32905, GB/T 32907, RFC 8998) as plain functions over bytes."""

from __future__ import annotations

import hmac as constant_time
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


class Tampered(Exception):
    """A sealed text does not open: it was changed, or the key or its surroundings are other than when it was sealed."""


def sm3(data: bytes) -> bytes:
    """Return the SM3 digest, 32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def sm3_mac(key: bytes, data: bytes) -> bytes:
    """Return HMAC-SM3 of ``data``, 32 bytes."""
    mac = hmac.HMAC(key, hashes.SM3())
    mac.update(data)
    return mac.finalize()


def same(one: bytes, other: bytes) -> bool:
    """Compare two digests in a time that says nothing of where they differ."""
    return constant_time.compare_digest(one, other)


def sm4_seal(key: bytes, nonce: bytes, plain: bytes, surroundings: bytes) -> bytes:
    """Return SM4-GCM ciphertext followed by its 16-byte tag. A nonce (12 bytes) must never meet the same key twice."""
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(surroundings)
    return encryptor.update(plain) + encryptor.finalize() + encryptor.tag


def sm4_open(key: bytes, nonce: bytes, sealed: bytes, surroundings: bytes) -> bytes:
    """Return what ``sm4_seal`` sealed. Raises ``Tampered`` when anything at all is other than it was."""
    if len(sealed) < TAG_BYTES or len(nonce) != NONCE_BYTES:
        raise Tampered
    cipher, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(surroundings)
    try:
        return decryptor.update(cipher) + decryptor.finalize()
    except InvalidTag:
        raise Tampered from None
