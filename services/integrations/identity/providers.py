"""The identity providers this installation is connected to, from its settings."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from geo.errors import NotFound
from services.integrations.http import Upstream
from services.integrations.identity.maps import MAPS
from services.integrations.identity.spec import OIDC, Audience, Provider

NEEDED = ("kind", "url", "app", "secret")


def providers() -> dict[str, Provider]:
    """Return the connected providers by key, in the order they are named. Raises ``ImproperlyConfigured`` for half of one."""
    return {key: _provider(key, said) for key, said in settings.SIGN_IN.items()}


def provider_named(key: str) -> Provider:
    """Return a connected provider. Raises ``NotFound``."""
    found = providers().get(key)
    if found is None:
        raise NotFound("provider_unknown", "没有接通这种登录方式，请用账号和密码登录。")
    return found


def upstream_of(provider: Provider) -> Upstream:
    """Return where a provider is asked; a slow one is given up after its timeout, and left alone after some failures."""
    return Upstream(
        key=f"sign-in-{provider.key}",
        name=provider.name,
        root=provider.root,
        connect_s=min(3.0, provider.timeout_s),
        total_s=provider.timeout_s,
        inside=provider.inside,
    )


def _provider(key: str, said: dict[str, str]) -> Provider:
    missing = [name for name in NEEDED if not said.get(name)]
    if missing:
        raise ImproperlyConfigured(f"QUANTU_SIGN_IN_{key.upper()}: {', '.join(missing)} missing")
    kind = said["kind"]
    if kind != OIDC and kind not in MAPS:
        raise ImproperlyConfigured(f"QUANTU_SIGN_IN_{key.upper()}_KIND is oidc or one of {', '.join(MAPS)}")
    audience = said.get("audience") or (MAPS[kind].audience if kind in MAPS else "staff")
    if audience not in ("staff", "resident"):
        raise ImproperlyConfigured(f"QUANTU_SIGN_IN_{key.upper()}_AUDIENCE is staff or resident")
    host = (urlsplit(said["url"]).hostname or "").lower()
    return Provider(
        key=key,
        kind=kind,
        name=said.get("name") or (MAPS[kind].title if kind in MAPS else "统一身份认证"),
        audience=cast(Audience, audience),
        root=said["url"].rstrip("/"),
        public=(said.get("public_url") or said["url"]).rstrip("/"),
        app=said["app"],
        secret=said["secret"],
        timeout_s=float(said.get("timeout") or 5),
        inside=host in settings.INSIDE_HOSTS,
    )
