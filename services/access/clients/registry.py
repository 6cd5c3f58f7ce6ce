"""The declared operations, found in the ``client_operations`` module of every installed app."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from services.access.clients.spec import Operation


@cache
def operations() -> dict[str, Operation]:
    """Return all declared operations by key, in the order of the apps; two with the same key are a programming error."""
    found: dict[str, Operation] = {}
    for app in apps.get_app_configs():
        name = f"{app.name}.client_operations"
        if find_spec(name) is None:
            continue
        for operation in import_module(name).OPERATIONS:
            if found.setdefault(operation.key, operation) is not operation:
                raise ValueError(f"the operation {operation.key} is declared twice")
    return found
