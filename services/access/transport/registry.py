"""The declared paths of all applications, found by the name of their module."""

from __future__ import annotations

import functools

from geo.declared import by_key, declarations
from services.access.transport.spec import SealedPaths


@functools.cache
def sealed_paths() -> tuple[SealedPaths, ...]:
    """Return what the installed applications declare, in their order. Raises ``ValueError`` for a key that is declared twice."""
    return tuple(by_key(declarations("sealed_paths", "SEALED_PATHS"), "sealed paths").values())


def sealed_paths_of(path: str) -> SealedPaths | None:
    """Return the declaration that a path stands under, the closest of several, ``None`` for a path that is free."""
    found = max(sealed_paths(), key=lambda each: each.reach(path), default=None)
    return found if found is not None and found.reach(path) else None
