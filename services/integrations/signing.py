"""Requests signed by both sides with one secret: HMAC-SM3 over method, target, moment, nonce and the digest of the body.

The target is the path, followed by ``?`` and the parameters in sorted order where there are any.
"""

from __future__ import annotations

import secrets as chance
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote

from geo.errors import Unauthenticated
from services.crypto.primitives import same, sm3, sm3_mac

WINDOW_S: Final = 300
SHORTEST_NONCE: Final = 16
LONGEST_NONCE: Final = 64
MOST_PARAMETERS: Final = 100
APP, MOMENT, NONCE, SIGNATURE = "X-App-Id", "X-Timestamp", "X-Nonce", "X-Signature"
FirstUse = Callable[[str, int], bool]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of checking a signature: the place of the secret that made it, or why it does not count.

    ``fault`` is ``app``, ``form``, ``stale``, ``wrong`` or ``replayed``; it is for our own log, callers are told the same words
    whatever it is.
    """

    secret: int = -1
    fault: str = ""


def target(path: str, query: str = "") -> str:
    """Return what stands for path and query in a signature: parameters sorted by name and value, escaped as RFC 3986 has it.

    ``path`` is as it is sent, without the query. A space may come as ``+`` or ``%20``: both sides sign ``%20``. Raises
    ``ValueError`` for more than ``MOST_PARAMETERS``.
    """
    if not query:
        return path
    pairs = sorted(parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS))
    return path + "?" + "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in pairs)


def signed_headers(
    *, app: str, secret: str, method: str, path: str, body: bytes, query: str = "", now: float | None = None
) -> dict[str, str]:
    """Return the four headers of a request, signed now with a nonce of its own."""
    moment, nonce = str(int(time.time() if now is None else now)), chance.token_hex(16)
    signature = signed_text(secret, signing_text(method, path, query, moment=moment, nonce=nonce, body=body))
    return {APP: app, MOMENT: moment, NONCE: nonce, SIGNATURE: signature}


def verdict(
    headers: Mapping[str, str],
    *,
    app: str,
    secrets: Sequence[str],
    method: str,
    path: str,
    body: bytes,
    first_use: FirstUse,
    query: str = "",
    now: float | None = None,
) -> Verdict:
    """Return which of the secrets signed a request lately and for the first time, or why none did.

    ``first_use(nonce, seconds)`` remembers a nonce for so long and says whether it is new; it is asked only for good signatures,
    so that nobody without the secret can use nonces up. The same work is done whether the app is known or not.
    """
    given = {name: headers.get(name, "") for name in (APP, MOMENT, NONCE, SIGNATURE)}
    moment = time.time() if now is None else now
    if query.count("&") >= MOST_PARAMETERS:
        return Verdict(fault="form")
    text = signing_text(method, path, query, moment=given[MOMENT], nonce=given[NONCE], body=body)
    expected = [signed_text(secret, text) for secret in secrets or ("-",)]
    found = [same(given[SIGNATURE].encode("utf-8", "replace"), each.encode()) for each in expected]
    if not any(secrets) or not same(given[APP].encode("utf-8", "replace"), app.encode()):
        return Verdict(fault="app")
    nonce_good = given[NONCE].isascii() and SHORTEST_NONCE <= len(given[NONCE]) <= LONGEST_NONCE
    moment_good = given[MOMENT].isascii() and given[MOMENT].isdigit() and len(given[MOMENT]) <= 12
    if not nonce_good or not moment_good:
        return Verdict(fault="form")
    places = [place for place, good in enumerate(found) if good and secrets[place]]
    if not places:
        return Verdict(fault="wrong")
    if abs(moment - int(given[MOMENT])) > WINDOW_S:
        return Verdict(fault="stale")
    return Verdict(secret=places[0]) if first_use(given[NONCE], 2 * WINDOW_S) else Verdict(fault="replayed")


def refusal() -> Unauthenticated:
    """Return the one refusal for whatever is wrong with a signature."""
    return Unauthenticated("signature_invalid", "签名无效、已过期或已用过，请核对密钥与时钟后重新签名。")


def check_signed(
    headers: Mapping[str, str],
    *,
    app: str,
    secret: str,
    method: str,
    path: str,
    body: bytes,
    first_use: FirstUse,
    query: str = "",
    now: float | None = None,
) -> None:
    """Raise ``Unauthenticated`` unless a request was signed with the secret, lately, and for the first time; see ``verdict``."""
    found = verdict(
        headers, app=app, secrets=[secret], method=method, path=path, query=query, body=body, first_use=first_use, now=now
    )  # fmt: skip
    if found.fault:
        raise refusal()


def signing_text(method: str, path: str, query: str, *, moment: str, nonce: str, body: bytes) -> str:
    """Return the five lines that are signed: method, target, moment, nonce, SM3 of the body in hexadecimal digits."""
    return "\n".join((method.upper(), target(path, query), moment, nonce, sm3(body).hex()))


def signed_text(secret: str, text: str) -> str:
    """Return HMAC-SM3 of a text as 64 hexadecimal digits."""
    return sm3_mac(secret.encode(), text.encode()).hex()


def _escaped(text: str) -> str:
    return quote(text, safe="-_.~")
