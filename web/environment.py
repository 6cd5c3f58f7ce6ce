"""Reads the few settings a host may give: real environment first, then the file that ``./run`` writes, then defaults."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("QUANTU_STATE", ROOT / ".local")).resolve()


def load_file() -> None:
    """Put the lines of ``<state>/environment`` under the real environment, which wins."""
    path = STATE / "environment"
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        key, found, value = line.partition("=")
        if found and not line.startswith("#"):
            os.environ.setdefault(key.strip(), value.strip())


def text(name: str, default: str = "") -> str:
    """Return one setting, stripped."""
    return os.environ.get(name, default).strip()


def flag(name: str) -> bool:
    """Return a yes/no setting; anything but 1, true, yes and on is no."""
    return text(name).lower() in {"1", "true", "yes", "on"}


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated setting as a list without empty members."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def groups(name: str, fields: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return settings by key: ``NAME=one,two`` names the keys, ``NAME_ONE_URL`` the field ``url`` of the first."""
    return {
        key: {field: text(f"{name}_{key}_{field}".upper().replace("-", "_")) for field in fields} for key in words(name)
    }


def secret_key() -> str:
    """Return the secret key, from the environment or from a file made on first use and readable by its owner only."""
    given = text("QUANTU_SECRET_KEY")
    if given:
        return given
    path = STATE / "secret"
    if not path.exists():
        STATE.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text(encoding="utf-8").strip()


def database(url: str) -> dict[str, Any]:
    """Turn a ``postgresql://`` URL, with ``host`` as a query parameter for a socket folder, into Django's dictionary."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql", "postgis"}:
        raise ValueError("DATABASE_URL must begin with postgresql://")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.contrib.gis.db.backends.postgis",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or query.pop("user", "")),
        "PASSWORD": unquote(parts.password or query.pop("password", "")),
        "HOST": parts.hostname or query.pop("host", ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": query,
    }
