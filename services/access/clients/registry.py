"""The declared operations, found in the ``client_operations`` module of every installed app."""

from __future__ import annotations

from functools import cache

from geo.declared import by_key, declarations
from services.access.clients.spec import Operation


@cache
def operations() -> dict[str, Operation]:
    """Return all declared operations by key, in the order of the apps; two with the same key are a programming error."""
    return by_key(declarations("client_operations", "OPERATIONS"), "operation")
