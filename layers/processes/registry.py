"""The declared processes, found in the ``map_processes`` module of installed apps; and how a caller's scope is read again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from geo.declared import by_key, declarations
from geo.errors import NotFound
from geo.scope import Scope
from layers.processes.spec import ProcessSpec

PUBLIC: Final = Scope.public().actor
_readers: Final[list[Callable[[str], Scope]]] = []


@cache
def processes() -> dict[str, ProcessSpec]:
    """Return all declared processes by key; two with the same key are a programming error."""
    return by_key(declarations("map_processes", "PROCESSES"), "process")


def visible_processes(*, scope: Scope) -> list[ProcessSpec]:
    """Return the processes a scope may ask for."""
    return [one for one in processes().values() if not one.duty or scope.holds(one.duty)]


def process_named(key: str, *, scope: Scope) -> ProcessSpec:
    """Return one process. Raises ``NotFound``, also for one this scope may not ask for."""
    known = {one.key: one for one in visible_processes(scope=scope)}
    if key not in known:
        raise NotFound("process_unknown", "没有这种处理。", known=sorted(known))
    return known[key]


def scopes_by(reader: Callable[[str], Scope]) -> None:
    """Register who tells what an account may see now: layers know no accounts."""
    _readers[:] = [reader]


def scope_now(actor: str) -> Scope:
    """Return what somebody may see now, for work that goes on after the request; whoever is unknown sees what is public.

    Raises what the registered reader raises for an account that may nothing any more.
    """
    return Scope.public() if actor == PUBLIC else _readers[0](actor)
