"""What was typed as patterns: for each place of a name the characters or the sounds that may stand there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Final

from geo.addresses.suggesting.sounds import Split, sounds, splits
from geo.names import plain

LONGEST_PATTERN: Final = 24
LONG: Final = 6
"""From so many characters on, half of what was typed is enough to look it up by."""
LEAST_LETTERS: Final = 4
_MOST_PATTERNS: Final = 24
_RUNS: Final = re.compile(r"[a-z]+|[^a-z]")


@dataclass(frozen=True, slots=True)
class Want:
    """What may stand in one place: this ``sign``, or any of these ``sounds`` (numbers of syllables); neither: any but a digit."""

    sign: str = ""
    sounds: frozenset[int] = frozenset()

    @property
    def anything(self) -> bool:
        """Say whether anything but a digit may stand there."""
        return not self.sign and not self.sounds


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way to understand what was typed.

    ``initials``: letters stand for whole syllables. ``ending``: the syllables that the last letters may be in full; beyond them
    it may still be growing. Without letters at its end a pattern says all of itself.
    """

    wants: tuple[Want, ...]
    initials: bool = False
    ending: frozenset[int] | None = None


def literal(typed: str) -> Pattern:
    """Return the pattern of characters as they are."""
    return Pattern(tuple(Want(sign) for sign in typed))


@lru_cache(maxsize=256)
def patterns_of(typed: str) -> tuple[Pattern, ...]:
    """Return the ways to understand what was typed (as ``plain`` gives it): characters as they are, letters as pinyin too."""
    runs = _RUNS.findall(typed[:LONGEST_PATTERN])
    as_typed = literal(typed[:LONGEST_PATTERN])
    if not any(run.isascii() and run.isalpha() for run in runs):
        return (as_typed,) if runs else ()
    choices = [_heard(run) if run.isascii() and run.isalpha() else (Pattern((Want(run),)),) for run in runs]
    heard = [_joined(parts) for parts in _few(choices)]
    return tuple(dict.fromkeys([as_typed, *heard]))


def alike_patterns(typed: str) -> tuple[Pattern, ...]:
    """Return what sounds like what was typed, or nearly so: each place takes every syllable that is taken for the one there.

    Digits stay what they are: a number is never guessed. None for what is too short to be recognised.
    """
    return tuple(_misheard(pattern) for pattern in _spoken(typed) if len(pattern.wants) > 1)


def mistaken_patterns(typed: str) -> tuple[Pattern, ...]:
    """Return the patterns of names that differ by one mistake: one place wrong, missing, too many, or swapped with the next.

    The other places are as they were typed, and so are digits and what stands beside them: a number is never guessed. Of two
    places only a swap and a missing one between them are recognisable.
    None for letters alone, see ``mistaken_letters``, and from ``LONG`` on, see ``beginning_but_one``.
    """
    if typed.isascii() or len(typed) >= LONG:
        return ()
    found = {replace(each, wants=wants): None for each in _spoken(typed) for wants in _one_mistake(each.wants)}
    return tuple(found)


def _one_mistake(wants: Sequence[Want]) -> Iterable[tuple[Want, ...]]:
    size = len(wants)
    digit = [want.sign.isdecimal() for want in wants]
    sure = [any(digit[max(0, at - 1) : at + 2]) for at in range(size)]
    for at in range(size - 1):
        if not (sure[at] or sure[at + 1]):
            yield (*wants[:at], wants[at + 1], wants[at], *wants[at + 2 :])
    for at in range(size):
        if not sure[at] and size > 2:
            yield (*wants[:at], Want(), *wants[at + 1 :])
            yield (*wants[:at], *wants[at + 1 :])
        if at > 0 and not (digit[at - 1] or digit[at]):
            yield (*wants[:at], Want(), *wants[at:])


def beginning_but_one(typed: str, name: str) -> int:
    """Return how many characters of a name are what was typed but for one mistake, 0 when they are not.

    The same mistakes as of ``mistaken_patterns``, and the same care for digits. What was typed as it should be is no mistake.
    """
    at = next((at for at, (one, other) in enumerate(zip(typed, name, strict=False)) if one != other), len(name))
    if at >= len(typed):
        return 0
    beside, here = typed[max(0, at - 1) : at + 2], name[at : at + 1]
    if any(sign.isdecimal() for sign in beside + here):
        return 0
    if here and name[at + 1 :].startswith(typed[at + 1 :]):
        return len(typed)
    if here and at and name[at + 1 :].startswith(typed[at:]):
        return len(typed) + 1
    if name[at:].startswith(typed[at + 1 :]):
        return len(typed) - 1
    swapped = typed[at + 1 : at + 2] + typed[at] + typed[at + 2 :]
    moves_digit = typed[at + 2 : at + 3].isdecimal()
    return len(typed) if name[at:].startswith(swapped) and not moves_digit else 0


def mistaken_letters(typed: str) -> tuple[str, ...]:
    """Return typed letters with one mistake mended in every way there is: one wrong, missing, too many, or two swapped.

    Only for letters alone, and not for fewer than four.
    """
    if not (typed.isascii() and typed.isalpha()) or len(typed) < LEAST_LETTERS:
        return ()
    letters = "abcdefghijklmnopqrstuvwxyz"
    halves = [(typed[:at], typed[at:]) for at in range(len(typed) + 1)]
    swapped = [a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1]
    one_less = [a + b[1:] for a, b in halves if b and len(typed) > LEAST_LETTERS]
    other = [a + letter + b[1:] for a, b in halves if b for letter in letters]
    # A letter after the last is no mistake: the name goes on.
    one_more = [a + letter + b for a, b in halves if b for letter in letters]
    return tuple(word for word in dict.fromkeys([*swapped, *one_less, *other, *one_more]) if word != typed)


def words_of(q: str) -> list[str]:
    """Return the words of a query that blanks keep apart, as they are compared."""
    return [word for word in map(plain, q.split()) if word]


def _heard(letters: str) -> tuple[Pattern, ...]:
    return tuple(_of_split(split) for split in splits(letters))


def _of_split(split: Split) -> Pattern:
    known = sounds()
    wants = tuple(
        Want(sounds=frozenset((known.number[piece.letters],)) if piece.whole else known.beginning_with(piece.letters))
        for piece in split.pieces
    )
    last = split.pieces[-1]
    # xian is 西安 and the beginning of xiang: the last syllable takes whatever goes on from it.
    grown = Want(sounds=known.beginning_with(last.letters))
    ending = wants[-1].sounds if last.whole else frozenset()
    return Pattern((*wants[:-1], grown), initials=split.cut_short > 0, ending=ending)


def _few(choices: Sequence[Sequence[Pattern]]) -> Iterable[tuple[Pattern, ...]]:
    for count, parts in enumerate(product(*choices)):
        if count == _MOST_PATTERNS:
            return
        yield parts


def _joined(parts: Sequence[Pattern]) -> Pattern:
    return Pattern(
        tuple(want for part in parts for want in part.wants), any(part.initials for part in parts), parts[-1].ending
    )


def _spoken(typed: str) -> tuple[Pattern, ...]:
    """Return the patterns that can be misheard: characters with a sound, and letters as whole syllables."""
    spelt = [pattern for pattern in patterns_of(typed)[1:] if not pattern.initials]
    if typed.isascii():
        return tuple(spelt)
    return (*(pattern for pattern in patterns_of(typed)[:1] if any(map(_sounds, pattern.wants))), *spelt)


def _sounds(want: Want) -> bool:
    return bool(want.sounds or (want.sign and sounds().readings(want.sign)))


def _misheard(pattern: Pattern) -> Pattern:
    ending = None if pattern.ending is None else sounds().like(pattern.ending)
    return replace(pattern, wants=tuple(_alike(want) for want in pattern.wants), ending=ending)


@lru_cache(maxsize=1024)
def _alike(want: Want) -> Want:
    known = sounds()
    if want.sign:
        heard = known.readings(want.sign)
        return Want(sounds=known.like(heard)) if heard and not want.sign.isascii() else want
    return Want(sounds=known.like(want.sounds))
