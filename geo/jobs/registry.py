"""The kinds of long work the house knows: each is a function named once, found in an app's ``jobs`` module."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from geo.errors import NotFound

if TYPE_CHECKING:
    from geo.jobs.progress import Progress

Work = Callable[["Progress", dict[str, Any]], dict[str, Any]]
_KINDS: dict[str, Work] = {}
_IN_TURN: set[str] = set()


def job(kind: str, *, in_turn: bool = False) -> Callable[[Work], Work]:
    """Register a function as the work behind a kind of job. It gets a ``Progress`` and the parameters, returns the result.

    Of a kind that goes ``in_turn`` workers take one job of an actor at a time, so that nobody has all of them.
    """

    def register(work: Work) -> Work:
        if _KINDS.setdefault(kind, work) is not work:
            raise ValueError(f"two functions claim the job kind {kind}")
        if in_turn:
            _IN_TURN.add(kind)
        return work

    return register


def work_of(kind: str) -> Work:
    """Return the function behind a kind."""
    try:
        return _KINDS[kind]
    except KeyError:
        raise NotFound("job_kind_unknown", f"没有“{kind}”这种任务。", kind=kind) from None


def goes_in_turn(kind: str) -> bool:
    """Say whether workers take one job of a kind and an actor at a time."""
    return kind in _IN_TURN


def kinds() -> tuple[str, ...]:
    """Return the known kinds, sorted."""
    return tuple(sorted(_KINDS))
