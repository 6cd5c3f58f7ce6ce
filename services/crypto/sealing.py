"""Sealed fields: ``seal`` and ``unseal`` short texts of one owner, and ``blind_index`` to find equal ones without opening any.

A sealed text belongs to its field and its owner: moved to another row or column it does not open.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final
from uuid import UUID

from geo.errors import Conflict, TooLarge
from services.crypto.house import house_keys
from services.crypto.port import KeyService, Purpose
from services.crypto.primitives import Tampered

FORM: Final = "sm4g1"
LONGEST: Final = 4_000


def seal(text: str, *, field: str, owner: UUID, keys: KeyService | None = None, longest: int = LONGEST) -> str:
    """Return ``text`` sealed by the newest key for one field of one owner, as printable characters.

    Raises ``TooLarge`` above ``longest`` characters, ``Unavailable`` when the holder of the keys is not there.
    """
    if len(text) > longest:
        raise TooLarge("secret_too_long", f"加密内容最多 {longest} 个字。")
    key_id, sealed = (keys or house_keys()).seal(text.encode(), _surroundings(field, owner))
    return f"{FORM}:{key_id}:{base64.urlsafe_b64encode(sealed).decode('ascii')}"


def unseal(sealed: str, *, field: str, owner: UUID, keys: KeyService | None = None) -> str:
    """Return the text. Raises ``Conflict`` for a text that was changed or moved, ``Unavailable`` when its key is not here."""
    form, _, rest = sealed.partition(":")
    key_id, _, body = rest.partition(":")
    try:
        raw = base64.b64decode(body.encode("ascii"), altchars=b"-_", validate=True)
        if form != FORM or base64.urlsafe_b64encode(raw).decode("ascii") != body:
            raise Tampered  # one text, one writing: no second spelling of the same bytes
        return (keys or house_keys()).open(key_id, raw, _surroundings(field, owner)).decode()
    except (Tampered, binascii.Error, UnicodeError):
        raise Conflict("seal_broken", "这条加密内容核对不上，可能被改动过。请联系系统管理员。") from None


def key_of(sealed: str) -> str:
    """Return the id of the key that sealed a text, '' for a text that is none."""
    parts = sealed.split(":", 2)
    return parts[1] if len(parts) == 3 and parts[0] == FORM else ""


def newest_id(purpose: Purpose, *, keys: KeyService | None = None) -> str:
    """Return the id of the key of a purpose that is in use, '' where there is none."""
    notes = (keys or house_keys()).notes()
    return next((note.id for note in notes if note.purpose is purpose and note.newest), "")


def blind_index(text: str, *, field: str, keys: KeyService | None = None) -> str:
    """Return 64 hexadecimal digits that equal texts of one field share, and that say nothing without the key.

    Normalise the text first: the index knows only equality of characters. To find rows, ask for ``blind_indexes``.
    """
    return blind_indexes(text, field=field, keys=keys)[0]


def blind_indexes(text: str, *, field: str, keys: KeyService | None = None) -> tuple[str, ...]:
    """Return the index of a text under each blind key, the newest first: while indexes are rebuilt rows carry either."""
    found = (keys or house_keys()).macs(b"blind:" + field.encode(), text.encode())
    return tuple(mac.hex() for _, mac in found)


def _surroundings(field: str, owner: UUID) -> bytes:
    return field.encode() + b"\x00" + owner.bytes
