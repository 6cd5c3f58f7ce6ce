"""The declared parts and purposes, found in the ``personal_data`` module of every installed app."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string

from geo.errors import NotFound
from services.access.personal.spec import PersonalPart, Purpose


@cache
def parts() -> dict[str, PersonalPart]:
    """Return all declared parts by key, in the order of the apps; two with the same key are a programming error."""
    return _declared("PERSONAL_PARTS")


@cache
def purposes() -> dict[str, Purpose]:
    """Return all declared purposes by key."""
    return _declared("PURPOSES")


def purpose_named(key: str) -> Purpose:
    """Return a purpose. Raises ``NotFound``."""
    found = purposes().get(key)
    if found is None:
        raise NotFound("purpose_unknown", "没有这项用途，请刷新页面再试。")
    return found


def call(name: str, *args: Any) -> Any:
    """Call a declared function."""
    return import_string(name.replace(":", "."))(*args)


def _declared(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for app in apps.get_app_configs():
        module = f"{app.name}.personal_data"
        if find_spec(module) is None:
            continue
        for each in getattr(import_module(module), name, ()):
            if found.setdefault(each.key, each) is not each:
                raise ValueError(f"{each.key} of personal data is declared twice")
    return found
