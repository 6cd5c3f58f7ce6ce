"""The declared paths of all applications, found by the name of their module."""

from __future__ import annotations

import functools
from importlib import import_module

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from services.access.transport.spec import SealedPaths


@functools.cache
def sealed_paths() -> tuple[SealedPaths, ...]:
    """Return what the installed applications declare, in their order. Raises ``ValueError`` for a key that is declared twice."""
    found: dict[str, SealedPaths] = {}
    for config in apps.get_app_configs():
        if config.module is None or not module_has_submodule(config.module, "sealed_paths"):
            continue
        for each in import_module(f"{config.name}.sealed_paths").SEALED_PATHS:
            if each.key in found:
                raise ValueError(f"the sealed paths {each.key} are declared twice")
            found[each.key] = each
    return tuple(found.values())


def sealed_paths_of(path: str) -> SealedPaths | None:
    """Return the declaration that a path stands under, the closest of several, ``None`` for a path that is free."""
    found = max(sealed_paths(), key=lambda each: each.reach(path), default=None)
    return found if found is not None and found.reach(path) else None
