"""Sealed fields: ``seal`` and ``unseal`` short texts of one owner, and ``blind_index`` to find equal ones without opening any.

A sealed text belongs to its field and its owner: moved to another row or column it does not open.
"""

from __future__ import annotations

import base64
import binascii
import functools
import os
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings

from geo.errors import Conflict, TooLarge
from services.crypto.keystore import KeyStore, make_keystore, read_keystore
from services.crypto.primitives import NONCE_BYTES, Tampered, sm3_mac, sm4_open, sm4_seal

FORM: Final = "sm4g1"
LONGEST: Final = 4_000


def house_keys() -> KeyStore:
    """Return the keystore of this installation; the default file is made at first use, a named one must exist."""
    path = Path(settings.KEYSTORE)
    if not path.exists() and settings.KEYSTORE_MADE_HERE:
        return make_keystore(path)
    try:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_ino, status.st_mode)
    except OSError:
        return read_keystore(path)  # says what is wrong
    return _read(path, stamp)


@functools.lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple[int, int, int]) -> KeyStore:
    """Keep what a file said while the file is the same: rotation reaches running processes at their next use."""
    return read_keystore(path)


def seal(text: str, *, field: str, owner: UUID, keys: KeyStore | None = None) -> str:
    """Return ``text`` sealed by the newest key for one field of one owner, as printable characters.

    Raises ``TooLarge`` above 4,000 characters.
    """
    if len(text) > LONGEST:
        raise TooLarge("secret_too_long", f"加密内容最多 {LONGEST} 个字。")
    newest = (keys or house_keys()).newest
    nonce = os.urandom(NONCE_BYTES)
    sealed = sm4_seal(newest.key, nonce, text.encode(), _surroundings(field, owner))
    return f"{FORM}:{newest.id}:{base64.urlsafe_b64encode(nonce + sealed).decode('ascii')}"


def unseal(sealed: str, *, field: str, owner: UUID, keys: KeyStore | None = None) -> str:
    """Return the text. Raises ``Conflict`` for a text that was changed or moved, ``Unavailable`` when its key is not here."""
    form, _, rest = sealed.partition(":")
    key_id, _, body = rest.partition(":")
    try:
        raw = base64.b64decode(body.encode("ascii"), altchars=b"-_", validate=True)
        if form != FORM or base64.urlsafe_b64encode(raw).decode("ascii") != body:
            raise Tampered  # one text, one writing: no second spelling of the same bytes
        key = (keys or house_keys()).key(key_id)
        return sm4_open(key, raw[:NONCE_BYTES], raw[NONCE_BYTES:], _surroundings(field, owner)).decode()
    except (Tampered, binascii.Error, UnicodeError):
        raise Conflict("seal_broken", "这条加密内容核对不上，可能被改动过。请联系系统管理员。") from None


def sealed_by_newest(sealed: str, *, keys: KeyStore | None = None) -> bool:
    """Say whether a sealed text already carries the newest key."""
    return sealed.split(":")[1:2] == [(keys or house_keys()).newest.id]


def blind_index(text: str, *, field: str, keys: KeyStore | None = None) -> str:
    """Return 64 hexadecimal digits that equal texts of one field share, and that say nothing without the key.

    Normalise the text first: the index knows only equality of characters.
    """
    blind = sm3_mac((keys or house_keys()).blind, b"blind:" + field.encode())
    return sm3_mac(blind, text.encode()).hex()


def _surroundings(field: str, owner: UUID) -> bytes:
    return field.encode() + b"\x00" + owner.bytes
