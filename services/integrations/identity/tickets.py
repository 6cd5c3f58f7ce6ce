"""Signing in by ticket: one code for all providers, which their field maps tell apart."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from services.crypto.primitives import sm3_mac
from services.integrations.faults import AnswerUnclear
from services.integrations.http import ask
from services.integrations.identity.maps import MAPS
from services.integrations.identity.providers import upstream_of
from services.integrations.identity.spec import Exchange, Identified, Provider, not_identified

TICKET: Final = re.compile(r"[A-Za-z0-9_\-.~+/=]{1,512}")
LONGEST: Final = {"subject": 200, "name": 60, "identity_number": 40, "phone": 40}


def entrance(provider: Provider, *, back: str, state: str) -> str:
    """Return where a browser goes to sign in; it comes back to ``back`` with a ticket."""
    spec = MAPS[provider.kind]
    words = {"app": provider.app, "back": back, "state": state}
    params = {name: text.format_map(words) for name, text in spec.enter_params.items()}
    return f"{provider.public}{spec.enter}?{urlencode(params)}"


def identify(provider: Provider, came_back: Mapping[str, str]) -> Identified:
    """Return whom a ticket stands for. Raises ``NotIdentified``, ``NotReached``, ``AnswerUnclear``."""
    spec = MAPS[provider.kind]
    ticket = came_back.get(spec.ticket_param, "")
    if not TICKET.fullmatch(ticket):
        raise not_identified("ticket_missing")
    words = {"app": provider.app, "secret": provider.secret, "ticket": ticket, "token": ""}
    words["token"] = _text(_exchange(provider, spec.token, words), spec.token_field)
    if not words["token"]:
        raise AnswerUnclear("answer_unclear", f"{provider.name}的答复读不懂。")
    said = _exchange(provider, spec.person, words)
    found = {name: _text(said, path)[: LONGEST[name]] for name, path in spec.fields.items()}
    if not found["subject"]:
        raise AnswerUnclear("answer_unclear", f"{provider.name}没有说明是哪个账号。")
    return Identified(**found)


def _exchange(provider: Provider, exchange: Exchange, words: Mapping[str, str]) -> dict[str, Any]:
    said = {**words, "moment": str(int(time.time())), "nonce": secrets.token_hex(16)}
    said["signature"] = _signature(exchange, provider.secret, said)
    sends = {name: text.format_map(said) for name, text in exchange.sends.items()}
    body = json.dumps(sends).encode() if exchange.encoding == "json" else urlencode(sends).encode()
    kind = "application/json" if exchange.encoding == "json" else "application/x-www-form-urlencoded"
    headers = {"Content-Type": kind, "Accept": "application/json"}
    headers |= {name: text.format_map(said) for name, text in exchange.headers.items()}
    answer = ask(upstream_of(provider), "POST", exchange.path, body=body, headers=headers)
    if answer.status >= 500:
        raise AnswerUnclear("answer_unclear", f"{provider.name}暂时无法答复，请稍后再试。", status=answer.status)
    try:
        found = json.loads(answer.body)
    except ValueError as fault:
        raise AnswerUnclear("answer_unclear", f"{provider.name}的答复读不懂。") from fault
    path, value = exchange.accepted
    if answer.status != 200 or not isinstance(found, dict) or _text(found, path) != value:
        raise not_identified("ticket_refused")
    return found


def _signature(exchange: Exchange, secret: str, words: Mapping[str, str]) -> str:
    text = exchange.signs.format_map(words).encode()
    if exchange.digest == "hmac-sm3":
        return sm3_mac(secret.encode(), text).hex()
    if exchange.digest == "hmac-sha256":
        return hmac.new(secret.encode(), text, "sha256").hexdigest()
    # The contract of older gateways, not our choice: what protects it is TLS and a ticket that holds once.
    return hashlib.md5(text, usedforsecurity=False).hexdigest() if exchange.digest == "md5" else ""


def _text(said: Any, path: str) -> str:
    """Return what stands at a path such as ``data.userId`` as text, '' where nothing plain does."""
    for name in path.split("."):
        said = said.get(name) if isinstance(said, dict) else None
    if isinstance(said, bool):
        return "true" if said else "false"
    return str(said).strip() if isinstance(said, (str, int)) else ""
