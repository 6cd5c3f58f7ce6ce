"""The address that is being put together, and those that are finished: what is deeper is added, what is the same is repeated,
what is another of the same depth begins the next address and takes over what lies above.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from geo.addresses.parsing.parts import LEVELS, Alternative, Ignored, Parts, Reading, Token
from geo.addresses.parsing.vocabulary import vocabulary

_FACTORS: Final[dict[str, float]] = vocabulary().grammar["confidence"]
LANE: Final = LEVELS["lane"]
_LASTING: Final = frozenset(("other_city", "old_name", "road_unknown", "elevated_road"))
"""Doubts that the next address of a field takes over with the road and the regions."""
_WITH: Final = {"lane": ("lane_upto",), "number": ("upto", "suffix", "parity")}
_ALTERNATIVE: Final = 0.5
"""How much less another reading is believed than the chosen one."""


class Opening(NamedTuple):
    """How an address begins: what was said so far, to go on from in another text that begins the same."""

    values: dict[str, str]
    tokens: tuple[Token, ...]
    notes: tuple[str, ...]
    last: int


class Collection:
    """The parts of one address so far, and the finished readings. ``body`` is the text that places refer to.

    ``last`` is the depth of what was read last, ``parted`` whether a comma or a break came after it.
    """

    __slots__ = (
        "_alternatives", "_notes", "_text", "body", "ignored", "last", "parted", "readings", "tokens", "values",
    )  # fmt: skip

    def __init__(self, text: str, body: str) -> None:
        self._text = text
        self._notes: list[str] = []
        self._alternatives: list[tuple[str, dict[str, str]]] = []
        self.body = body
        self.readings: list[Reading] = []
        self.ignored: list[Ignored] = []
        self.values: dict[str, str] = {}
        self.tokens: list[Token] = []
        self.last = -1
        self.parted = False

    def put(self, kind: str, value: str, start: int, end: int) -> None:
        """Add one part. What is there already is repeated, or begins the next address."""
        level = LEVELS[kind]
        have = self.values.get(kind)
        if have is not None:
            if have == value:
                self.repeat(start, end, level)
                return
            self.next_address(level)
        elif self.parted and LANE <= level < self.last:
            self.next_address(level)
        self.values[kind] = value
        self.tokens.append(Token(kind, self.body[start:end], value, start, end))
        if level > self.last or (self.last >= LANE and level >= LANE):
            self.last = level

    def settle(self, kind: str, value: str, start: int, end: int) -> None:
        """Add one part that never begins another address: where there is one already, the new one is not understood."""
        have = self.values.get(kind)
        if have is None or have == value:
            self.put(kind, value, start, end)
        else:
            self.ignore("unread", start, end)
            self.note("unread")

    def attach(self, kind: str, value: str, start: int, end: int) -> None:
        """Add what belongs to the part before it: a suffix, a side of the road."""
        self.values[kind] = value
        if end > start:
            self.tokens.append(Token(kind, self.body[start:end], value, start, end))

    def repeat(self, start: int, end: int, level: int) -> None:
        """Pass over what was said before; reading goes on as after the first time."""
        self.ignore("repeated", start, end)
        self.last = level

    def ignore(self, reason: str, start: int, end: int) -> None:
        """Set a piece aside with its reason."""
        self.ignored.append(Ignored(reason, self.body[start:end], start, end))

    def note(self, code: str) -> None:
        """Note a doubt about the address, once."""
        if code not in self._notes:
            self._notes.append(code)

    def instead(self, why: str, **said: str) -> None:
        """Remember another reading of the address: the parts that would be different."""
        self._alternatives.append((why, said))

    def next_address(self, level: int) -> None:
        """Finish the address so far and begin another that takes over what lies above ``level``."""
        self.close()
        self.tokens = [token for token in self.tokens if LEVELS[token.kind] < level and token.kind != "place"]
        kept = {token.kind for token in self.tokens}
        for kind, more in _WITH.items():
            if kind in kept:
                kept.update(more)
        self.values = {kind: value for kind, value in self.values.items() if kind in kept}
        self._notes = [note for note in self._notes if note in _LASTING]
        self._alternatives = []
        self.last = max((LEVELS[token.kind] for token in self.tokens), default=-1)

    def opening(self) -> Opening | None:
        """Return what was said so far, ``None`` when anything was set aside, finished or could be read otherwise."""
        if self.ignored or self.readings or self._alternatives:
            return None
        return Opening(dict(self.values), tuple(self.tokens), tuple(self._notes), self.last)

    def begin(self, opening: Opening) -> None:
        """Begin with what was read of another text; nothing may have been said before."""
        self.values = dict(opening.values)
        self.tokens = list(opening.tokens)
        self._notes = list(opening.notes)
        self.last = opening.last

    def close(self) -> None:
        """Add the address so far to the readings, if anything was said."""
        values = self.values
        if not self.tokens:
            return
        parts = Parts(self._text, **values)
        if not parts.base:
            self.note("no_base")
        elif not parts.road and parts.level == "base":
            self.note("place_only")
        confidence = 1.0
        for note in self._notes:
            confidence *= _FACTORS[note]
        others = [
            Alternative(Parts(**{**parts._asdict(), **said}), round(confidence * _ALTERNATIVE, 3), why)
            for why, said in self._alternatives
        ]
        self.readings.append(
            Reading(parts, tuple(self.tokens), round(confidence, 3), tuple(self._notes), tuple(others))
        )
