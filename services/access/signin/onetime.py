"""One-time codes of authenticator apps (RFC 6238: HMAC-SHA-1, six digits, half minutes) and recovery codes. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from typing import Final
from urllib.parse import quote, urlencode

STEP_S: Final = 30
DIGITS: Final = 6
DRIFT: Final = 1
"""How many half minutes a telephone's clock may be off, either way."""
RECOVERY_CODES: Final = 10
_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"


def new_secret() -> str:
    """Return 160 random bits in base 32, as authenticator apps take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """Return the code of a half minute, counted from 1970."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    begin = digest[-1] & 15
    number = struct.unpack(">I", digest[begin : begin + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: str, code: str, *, now: float, after: int) -> int | None:
    """Return the half minute a code belongs to, among those near ``now`` and later than ``after``; ``None`` for a wrong code."""
    given = "".join(code.split())
    if len(given) != DIGITS or not given.isascii() or not given.isdigit():
        return None
    middle = int(now) // STEP_S
    found = None
    for step in range(middle - DRIFT, middle + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step), given) and step > after:
            found = step
    return found


def address_of(secret: str, account: str, house: str) -> str:
    """Return the ``otpauth`` address that an app reads from a QR code."""
    query = urlencode({"secret": secret, "issuer": house}, quote_via=quote)
    return f"otpauth://totp/{quote(f'{house}:{account}')}?{query}"


def new_recovery_codes() -> list[str]:
    """Return fresh recovery codes such as ``k7wq-m2xd-9fha``: 59 random bits each, without letters that look alike."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3)) for _ in range(RECOVERY_CODES)
    ]


def recovery_digest(code: str) -> str:
    """Return the digest a recovery code is kept as; spaces, hyphens and capitals do not matter."""
    return hashlib.sha256(_bare(code).encode()).hexdigest()


def looks_like_recovery_code(code: str) -> bool:
    """Say whether something typed has the length and the letters of a recovery code."""
    bare = _bare(code)
    return len(bare) == 12 and set(bare) <= set(_LETTERS)


def _bare(code: str) -> str:
    return "".join(code.lower().replace("-", "").split())
