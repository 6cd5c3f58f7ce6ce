"""One field on its way through the steps of the grammar: the text still to be read, and what was found and set aside so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from geo.addresses.parsing.knowledge import Gazetteer
from geo.addresses.parsing.parts import Ignored, Reading


class Cut(NamedTuple):
    """A stretch of the folded text that is taken out, the reason for it, and what is left in its place."""

    start: int
    end: int
    reason: str
    left: str = ""


@dataclass(slots=True)
class Field:
    """One field on its way through the steps. ``body`` is the text still to be read, ``at`` where each character stood."""

    text: str
    gazetteer: Gazetteer
    body: str = ""
    at: list[int] | None = None
    ignored: list[Ignored] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def cut(self, cuts: list[Cut]) -> None:
        """Take stretches out of the body, in one pass; ``cuts`` are in order and apart."""
        if not cuts:
            return
        at = self.at if self.at is not None else list(range(len(self.body)))
        body: list[str] = []
        places: list[int] = []
        done = 0
        for start, end, reason, left in cuts:
            body += (self.body[done:start], left)
            places += at[done:start]
            places += at[start : start + len(left)]
            self.ignored.append(self.piece(reason, at[start], at[end - 1] + 1))
            done = end
        body.append(self.body[done:])
        places += at[done:]
        self.body, self.at = "".join(body), places

    def piece(self, reason: str, start: int, end: int) -> Ignored:
        """Return an ignored piece by its place in the original text."""
        return Ignored(reason, self.text[start:end], start, end)
