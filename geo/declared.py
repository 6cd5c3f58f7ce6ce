"""What installed applications declare: in each of them the module of one name, and in that the values of one name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from operator import attrgetter
from types import ModuleType
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule


def modules_named(name: str) -> Iterator[ModuleType]:
    """Yield the module of a name of every application that has one, in the order of the applications."""
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, name):
            yield import_module(f"{config.name}.{name}")


def declarations(module: str, values: str, *, needed: bool = True) -> Iterator[Any]:
    """Yield what the modules of a name declare under ``values``: a collection, or a function that returns one.

    Raises ``AttributeError`` for a module that declares nothing of the name where it is ``needed``.
    """
    for found in modules_named(module):
        told = getattr(found, values) if needed else getattr(found, values, ())
        yield from told() if callable(told) else told


def by_key(found: Iterable[Any], what: str, key: str = "key") -> dict[str, Any]:
    """Return declared values by their key (an attribute) in their order. Raises ``ValueError`` for two of one key."""
    kept: dict[str, Any] = {}
    for one in found:
        named = attrgetter(key)(one)
        if kept.setdefault(named, one) is not one:
            raise ValueError(f"the {what} {named} is declared twice")
    return kept
