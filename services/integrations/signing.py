"""Requests signed by both sides with one secret: HMAC-SM3 over method, path, moment, nonce and the digest of the body."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final

from geo.errors import Unauthenticated
from services.crypto.primitives import same, sm3, sm3_mac

WINDOW_S: Final = 300
SHORTEST_NONCE: Final = 16
APP, MOMENT, NONCE, SIGNATURE = "X-App-Id", "X-Timestamp", "X-Nonce", "X-Signature"


def signed_headers(
    *, app: str, secret: str, method: str, path: str, body: bytes, now: float | None = None
) -> dict[str, str]:
    """Return the four headers of a request, signed now with a nonce of its own."""
    moment, nonce = str(int(time.time() if now is None else now)), secrets.token_hex(16)
    signature = _signature(secret, method, path, moment, nonce, body)
    return {APP: app, MOMENT: moment, NONCE: nonce, SIGNATURE: signature}


def check_signed(
    headers: Mapping[str, str],
    *,
    app: str,
    secret: str,
    method: str,
    path: str,
    body: bytes,
    first_use: Callable[[str, int], bool],
    now: float | None = None,
) -> None:
    """Raise ``Unauthenticated`` unless the request was signed with the secret, lately, and for the first time.

    ``first_use(nonce, seconds)`` remembers a nonce for so long and says whether it is new; it is asked only for good signatures,
    so that nobody without the secret can use nonces up. All refusals read the same.
    """
    given = {name: headers.get(name, "") for name in (APP, MOMENT, NONCE, SIGNATURE)}
    moment = time.time() if now is None else now
    good = bool(secret) and same(given[APP].encode(), app.encode())
    good &= len(given[NONCE]) >= SHORTEST_NONCE and given[NONCE].isascii() and len(given[NONCE]) <= 64
    good &= given[MOMENT].isascii() and given[MOMENT].isdigit() and len(given[MOMENT]) <= 12
    good = good and abs(moment - int(given[MOMENT])) <= WINDOW_S
    expected = _signature(secret, method, path, given[MOMENT], given[NONCE], body)
    good = same(given[SIGNATURE].encode("utf-8", "replace"), expected.encode()) and good
    if not good or not first_use(given[NONCE], 2 * WINDOW_S):
        raise Unauthenticated("signature_invalid", "签名无效、已过期或已用过，请核对密钥与时钟后重新签名。")


def _signature(secret: str, method: str, path: str, moment: str, nonce: str, body: bytes) -> str:
    text = "\n".join((method.upper(), path, moment, nonce, sm3(body).hex()))
    return sm3_mac(secret.encode(), text.encode()).hex()
