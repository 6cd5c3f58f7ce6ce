"""A run of characters between numbers while it is taken apart: what is left of it, the pieces found, and the doubts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from geo.addresses.parsing.knowledge import Gazetteer
from geo.addresses.parsing.vocabulary import DIRECTIONS, Ending, vocabulary

LONGEST_RUN: Final = 60
"""A longer run is no name; only its last characters are read."""
_ENDINGS: Final = vocabulary().endings


class Piece(NamedTuple):
    """A named piece of a run: a kind of token or a reason to ignore it, its place in the run and its normal form."""

    kind: str
    start: int
    end: int
    value: str


@dataclass(slots=True)
class Run:
    """A run being read: ``text[start:end]`` is still to be taken apart.

    ``before`` is the kind of number that follows, ``""`` for none; ``fresh`` says that nothing was read before the run.
    ``instead`` holds other readings: a note's code and the parts that would be different.
    """

    text: str
    before: str
    fresh: bool
    gazetteer: Gazetteer
    start: int
    end: int
    pieces: list[Piece] = field(default_factory=list)
    ignored: list[Piece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    instead: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def rest(self) -> str:
        """Return what is still to be taken apart."""
        return self.text[self.start : self.end]

    def take(self, kind: str, end: int, value: str | None = None) -> None:
        """Take a piece off the front, up to ``end``; its value is what is written unless another is given."""
        self.pieces.append(Piece(kind, self.start, end, self.text[self.start : end] if value is None else value))
        self.start = end

    def leave(self, reason: str, start: int, end: int) -> None:
        """Leave a piece out, with its reason."""
        if end > start:
            self.ignored.append(Piece(reason, start, end, ""))

    def leave_front(self, reason: str, end: int) -> None:
        """Leave out what stands before ``end``."""
        self.leave(reason, self.start, end)
        self.start = end

    def leave_back(self, reason: str, start: int) -> None:
        """Leave out what stands from ``start`` on."""
        self.leave(reason, start, self.end)
        self.end = start


def last_ending(name: str) -> Ending | None:
    """Return the ending of a name that has a stem before it: 路 of 云杉路, but nothing for 路 and for 南路."""
    for length in (4, 3, 2, 1):
        ending = _ENDINGS.get(name[-length:])
        if ending is not None and len(name) > length and name[:-length] not in DIRECTIONS:
            return ending
    return None
