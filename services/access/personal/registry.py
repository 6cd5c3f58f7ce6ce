"""The declared parts and purposes, found in the ``personal_data`` module of every installed app."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.utils.module_loading import import_string

from geo.declared import by_key, declarations
from geo.errors import NotFound
from services.access.personal.spec import PersonalPart, Purpose


@cache
def parts() -> dict[str, PersonalPart]:
    """Return all declared parts by key, in the order of the apps; two with the same key are a programming error."""
    return by_key(declarations("personal_data", "PERSONAL_PARTS", needed=False), "part of personal data")


@cache
def purposes() -> dict[str, Purpose]:
    """Return all declared purposes by key."""
    return by_key(declarations("personal_data", "PURPOSES", needed=False), "purpose of personal data")


def purpose_named(key: str) -> Purpose:
    """Return a purpose. Raises ``NotFound``."""
    found = purposes().get(key)
    if found is None:
        raise NotFound("purpose_unknown", "没有这项用途，请刷新页面再试。")
    return found


def call(name: str, *args: Any) -> Any:
    """Call a declared function."""
    return import_string(name.replace(":", "."))(*args)
