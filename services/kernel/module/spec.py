"""What a business module says of itself in its ``module.py``. Pure.

All else it declares stands in files found by name: ``duties`` ``ledgers`` ``forms`` ``workflows`` ``rules`` ``message_events``
``map_layers`` ``documents`` ``watch``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MODULE_KEY: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")
FUNCTION: Final = re.compile(r"[a-z][a-z0-9_.]*:[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Hook:
    """A function ``"package.module:function"`` that is called for one form or matter, in the transaction in which it happens."""

    of: str
    calls: str


@dataclass(frozen=True, slots=True)
class Periodic:
    """A Celery task of the module's ``tasks.py``, by its name, done every so many seconds; ``key`` names it in the clock."""

    key: str
    task: str
    every_s: float


@dataclass(frozen=True, slots=True)
class ModuleSpec:
    """A business module: what people call it, which of the city's systems it belongs to, and what it does when things happen.

    ``icon`` is one of the sprite's, ``order`` its place among the modules. ``checked`` are called as ``function(submission=,
    answers=, scope=)`` before a form of the module is handed in, and return a ``Fault`` for each item that does not fit what is
    kept: it is said at that item, and the draft keeps everything. ``recorded`` are called as ``function(submission=,
    answers=, scope=)`` when a form of the module is handed in that belongs to no matter; ``ended`` as ``function(case=, answers=,
    scope=)`` when a case of a matter ends, whatever its result; what they raise undoes the act. What is ``periodic`` the clock
    does.
    """

    key: str
    title: str
    system: str
    summary: str
    icon: str = "layers"
    order: int = 100
    checked: tuple[Hook, ...] = ()
    recorded: tuple[Hook, ...] = ()
    ended: tuple[Hook, ...] = ()
    periodic: tuple[Periodic, ...] = ()


def check_module(spec: ModuleSpec) -> None:
    """Raise ``ValueError`` for a declaration that cannot be meant: odd keys, a form or a matter that is hooked twice."""
    if MODULE_KEY.fullmatch(spec.key) is None:
        raise ValueError(f"{spec.key}: not a key")
    for hooks in (spec.checked, spec.recorded, spec.ended):
        if len({hook.of for hook in hooks}) != len(hooks):
            raise ValueError(f"{spec.key}: something is hooked twice")
    names = [hook.calls for hook in (*spec.checked, *spec.recorded, *spec.ended)]
    if odd := [name for name in names if FUNCTION.fullmatch(name) is None]:
        raise ValueError(f"{spec.key}: {odd[0]} names no function")
    if seldom := [each.key for each in spec.periodic if each.every_s < 1]:
        raise ValueError(f"{spec.key}: {seldom[0]} is done all the time")
