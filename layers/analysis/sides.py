"""Both sides of an analysis read one after the other, and what their features say under names that do not meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from layers.analysis.sources import WITH, Field, Side, Source, load
from layers.processes.spec import Asked

FIRST: Final = "a_"
SECOND: Final = "b_"
READ: Final = 0.4
"""The share of the work that reading is."""
_LONGEST: Final = 30


def loaded(asked: Asked, sources: Sequence[Source]) -> list[Side]:
    """Return the sides read whole; reading tells its progress and stops when asked to."""
    found = []
    for at, source in enumerate(sources):

        def tell(share: float, at: int = at, source: Source = source) -> None:
            asked.step(READ * (at + share) / len(sources), f"正在读“{source.title}”")

        found.append(load(asked, source, WITH if at else "", tell))
    return found


def prefixed(source: Source, prefix: str) -> tuple[Field, ...]:
    """Return the fields of a side as a result with two sides names them."""
    tail = f"（{source.title}）"
    return tuple(
        Field(prefix + one.name, one.title[: max(4, _LONGEST - len(tail))] + tail, one.kind) for one in source.fields
    )


def together(one: Source, own: tuple[Field, ...], other: Source) -> tuple[Field, ...]:
    """Return the fields of both sides around those a result has of its own: what each is called first, all the rest after."""
    ours, theirs = prefixed(one, FIRST), prefixed(other, SECOND)
    return (*ours[:1], *own, *theirs[:1], *ours[1:], *theirs[1:])


def told_of(side: Side, at: int, prefix: str) -> dict[str, Any]:
    """Return what a feature says, as a result with two sides names it."""
    return {prefix + name: value for name, value in side.saying(at).items()}
