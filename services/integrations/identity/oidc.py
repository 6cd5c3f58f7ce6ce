"""Signing in by OpenID Connect: authorization code with PKCE, and an ID token of which every claim that matters is checked."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import jwt
from django.core.cache import cache

from services.integrations.faults import AnswerUnclear
from services.integrations.http import ask
from services.integrations.identity.providers import upstream_of
from services.integrations.identity.spec import Identified, Provider, not_identified

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""How an ID token may be signed: by a key pair. ``none``, and secrets that both sides know, are not among them."""
LEEWAY_S: Final = 60
KEPT_S: Final = 600
REASK_S: Final = 60
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class Begun:
    """What is kept in the browser's session between leaving for the provider and coming back."""

    nonce: str
    verifier: str

    @classmethod
    def anew(cls) -> Begun:
        """Return new random values."""
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(48))


def entrance(provider: Provider, *, back: str, state: str, begun: Begun) -> str:
    """Return where a browser goes to sign in. Raises what asking the provider for its description raises."""
    endpoint = urlsplit(str(_description(provider).get("authorization_endpoint", "")))
    challenge = _unpadded(hashlib.sha256(begun.verifier.encode()).digest())
    params = {
        "response_type": "code", "client_id": provider.app, "redirect_uri": back, "scope": "openid profile",
        "state": state, "nonce": begun.nonce, "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    # Browsers may know the provider by another address than we do, but only by the one that is configured.
    return f"{_origin(provider.public)}{endpoint.path}?{urlencode(params)}"


def identify(provider: Provider, came_back: Mapping[str, str], *, back: str, begun: Begun) -> Identified:
    """Return whom a code stands for. Raises ``NotIdentified``, ``NotReached``, ``AnswerUnclear``."""
    code = came_back.get("code", "")
    if came_back.get("error") or not code or len(code) > 2_000:
        raise not_identified("code_missing")
    if came_back.get("iss", provider.root) != provider.root:
        raise not_identified("issuer_mixed_up")
    sends = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": begun.verifier,
    }  # fmt: skip
    pair = f"{quote(provider.app, safe='')}:{quote(provider.secret, safe='')}"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
    }
    path = _path(provider, "token_endpoint")
    said = _json(provider, "POST", path, body=urlencode(sends).encode(), headers=headers)
    claims = _claims(provider, str(said.get("id_token", "")), needed=("iss", "aud", "exp", "iat", "sub", "nonce"))
    if not secrets.compare_digest(str(claims["nonce"]).encode(), begun.nonce.encode()):
        raise not_identified("nonce_wrong")
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != provider.app:
        raise not_identified("party_wrong")
    subject = str(claims["sub"])
    if not 0 < len(subject) <= 200:
        raise not_identified("subject_missing")
    name = claims.get("name") or claims.get("preferred_username") or ""
    return Identified(subject, name=str(name)[:60], session=str(claims.get("sid", ""))[:200])


def ended_sessions(provider: Provider, token: str) -> tuple[str, str]:
    """Return subject and session, one of them '' perhaps, that a logout token says have ended. Raises ``NotIdentified``."""
    claims = _claims(provider, token, needed=("iss", "aud", "iat", "jti"))
    events = claims.get("events")
    subject, session = str(claims.get("sub", "")), str(claims.get("sid", ""))
    if not isinstance(events, dict) or LOGOUT_EVENT not in events or "nonce" in claims or not (subject or session):
        raise not_identified("logout_invalid")
    if abs(time.time() - float(claims["iat"])) > KEPT_S:
        raise not_identified("logout_stale")
    name = hashlib.sha256(str(claims["jti"]).encode()).hexdigest()
    if not cache.add(f"oidc:{provider.key}:jti:{name}", 1, timeout=2 * KEPT_S):
        raise not_identified("logout_replayed")
    return subject, session


def _claims(provider: Provider, token: str, *, needed: tuple[str, ...]) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        key = _key(provider, str(header.get("kid", "")), str(header.get("alg", "")))
        return jwt.decode(
            token, key, algorithms=list(ALGORITHMS), audience=provider.app, issuer=provider.root, leeway=LEEWAY_S,
            options={"require": list(needed)},
        )  # fmt: skip
    except jwt.PyJWTError as fault:
        raise not_identified("token_invalid") from fault


def _key(provider: Provider, key_id: str, algorithm: str) -> Any:
    """Return the public key that a token names; unknown ones are looked up anew, at most once a minute."""
    if algorithm not in ALGORITHMS:
        raise not_identified("algorithm_refused")
    for fresh in (False, True):
        if fresh and not cache.add(f"oidc:{provider.key}:reask", 1, timeout=REASK_S):
            break
        for each in _keys(provider, fresh=fresh):
            if each.get("kid", "") == key_id and each.get("use", "sig") == "sig":
                return jwt.PyJWK.from_dict(each, algorithm=algorithm)
    raise not_identified("key_unknown")


def _keys(provider: Provider, *, fresh: bool) -> list[dict[str, Any]]:
    name = f"oidc:{provider.key}:keys"
    kept = None if fresh else cache.get(name)
    if kept is None:
        kept = _json(provider, "GET", _path(provider, "jwks_uri")).get("keys", [])
        cache.set(name, kept, timeout=KEPT_S)
    return [each for each in kept if isinstance(each, dict)]


def _description(provider: Provider) -> dict[str, Any]:
    """Return what the provider says of itself, checked to speak of itself."""
    name = f"oidc:{provider.key}:{provider.root}"
    kept: dict[str, Any] | None = cache.get(name)
    if kept is None:
        kept = _json(provider, "GET", "/.well-known/openid-configuration")
        if kept.get("issuer") != provider.root:
            raise AnswerUnclear("issuer_wrong", f"{provider.name}说自己是另一个系统，请系统管理员核对配置。")
        cache.set(name, kept, timeout=KEPT_S)
    return kept


def _path(provider: Provider, name: str) -> str:
    """Return the path of an endpoint below our root. One on another host is refused: only the configured host is asked."""
    address, root = str(_description(provider).get(name, "")), urlsplit(provider.root)
    if _origin(address) != _origin(provider.root) or not urlsplit(address).path.startswith(root.path):
        raise AnswerUnclear("endpoint_elsewhere", f"{provider.name}的接口不在配置的地址上，请系统管理员核对。")
    return urlsplit(address).path.removeprefix(root.path.rstrip("/"))


def _json(provider: Provider, method: str, path: str, **more: Any) -> dict[str, Any]:
    answer = ask(upstream_of(provider), method, path, **more)
    if 400 <= answer.status < 500:
        raise not_identified("code_refused")
    try:
        found = json.loads(answer.body)
    except ValueError as fault:
        raise AnswerUnclear("answer_unclear", f"{provider.name}的答复读不懂。") from fault
    if answer.status != 200 or not isinstance(found, dict):
        raise AnswerUnclear("answer_unclear", f"{provider.name}暂时无法答复，请稍后再试。", status=answer.status)
    return found


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
