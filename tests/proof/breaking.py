"""Makes one function, class or method raise wherever it is known, and puts it back.

Pure standard library, because every process a broken test starts loads it too.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ENVIRONMENT_NAME = "QUANTU_BREAK_VIA"


class BrokenOnPurpose(RuntimeError):
    """The code a test says it proves was called while it was broken: the test did need it."""


def locate(via: str) -> tuple[Any, str, Any]:
    """Return (owner, attribute name, object) of ``module:attr`` or ``module:Class.attr``.

    Raises ValueError for another form, ImportError and AttributeError when there is no such thing.
    """
    module_name, colon, path = via.partition(":")
    if not colon or not path:
        raise ValueError("it must read module:function")
    owner: Any = importlib.import_module(module_name)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    return owner, name, getattr(owner, name)


@contextmanager
def broken(via: str) -> Iterator[None]:
    """Make ``via`` raise :class:`BrokenOnPurpose` for the length of the block, under every name it was imported by."""
    owner, name, original = locate(via)
    raiser = _raiser(via, original)
    places = [(owner, name, vars(owner).get(name, original))]
    places += [(module, key, original) for module, key in _imported_as(original) if (module, key) != (owner, name)]
    for place, key, _ in places:
        setattr(place, key, raiser)
    try:
        yield
    finally:
        for place, key, before in places:
            setattr(place, key, before)


def break_now(via: str) -> None:
    """Break ``via`` for the rest of this process."""
    broken(via).__enter__()


def _imported_as(original: Any) -> list[tuple[Any, str]]:
    found = []
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if isinstance(names, dict):
            found += [(module, key) for key, value in list(names.items()) if value is original]
    return found


def _raiser(via: str, original: Any) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise BrokenOnPurpose(f"{via} is broken on purpose")

    if isinstance(original, type):
        return type(
            original.__name__, (original,), {"__new__": refuse, "__init__": refuse, "__module__": original.__module__}
        )
    refuse.__name__ = getattr(original, "__name__", "refuse")
    return refuse
