"""An index of names in memory: which of them hold a pattern, where, and which begin with letters of pinyin.

All names stand in one row of characters, each with its sounds; a pattern is looked up by its rarest place, and the others are
compared there. Seventy thousand names take some fifteen megabytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from geo.addresses.suggesting.sounds import sounds
from geo.addresses.suggesting.typing import Pattern, Want, beginning_but_one, literal
from geo.names import plain

LONGEST_TEXT: Final = 60
LETTERS_KEPT: Final = 24
_END: Final = "\0"
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


class Hits(NamedTuple):
    """Texts that hold a pattern: their numbers, behind how many characters it stands, and whether it is all of them."""

    texts: Ints
    at: Ints
    whole: Flags


class Postings(NamedTuple):
    """For each value the places where it stands: those of ``values[i]`` are ``places[starts[i]:starts[i + 1]]``."""

    values: npt.NDArray[np.int64]
    starts: Ints
    places: Ints

    @classmethod
    def of(cls, values: npt.NDArray[np.integer], places: Ints) -> Postings:
        """Sort places by value."""
        order = np.argsort(values, kind="stable")
        distinct, starts = np.unique(values[order], return_index=True)
        return cls(distinct.astype(np.int64), np.append(starts, len(values)).astype(np.int32), places[order])

    def at(self, value: int) -> Ints:
        """Return the places of one value."""
        found = int(np.searchsorted(self.values, value))
        if found == len(self.values) or self.values[found] != value:
            return self.places[:0]
        return self.places[self.starts[found] : self.starts[found + 1]]


@dataclass(frozen=True)
class NameIndex:
    """Texts by what they hold; build one with ``index_of``."""

    signs: npt.NDArray[np.uint32]
    first: npt.NDArray[np.int16]
    second: npt.NDArray[np.int16]
    text_at: Ints
    begin: Ints
    length: Ints
    by_sign: Postings
    by_sound: Postings
    sound_counts: Ints
    letters: npt.NDArray[np.bytes_]
    """Joined pinyin of the texts, in order; ``spelt`` says of which text each is."""
    spelt: Ints

    def __len__(self) -> int:
        return len(self.begin)

    def holding(self, pattern: Pattern, *, at_start: bool = False) -> Hits:
        """Return the texts that hold a pattern, each once for every place; with ``at_start`` those that begin with it."""
        wants = pattern.wants
        said = [at for at, want in enumerate(wants) if not want.anything]
        if not said:
            return _no_hits()
        rarest = min(said, key=lambda at: self._count(wants[at]))
        starts = self._places(wants[rarest]) - rarest
        starts = starts[(starts >= 0) & (starts + len(wants) <= len(self.signs))]
        if at_start:
            starts = starts[self.begin[self.text_at[starts]] == starts]
        for at, want in enumerate(wants):
            if at != rarest and len(starts):
                starts = starts[self._stands(want, starts + at)]
        texts = self.text_at[starts]
        behind = starts - self.begin[texts]
        whole = (behind == 0) & (self.length[texts] == len(wants))
        if pattern.ending is not None and len(starts):
            whole &= self._sounds(pattern.ending, starts + len(wants) - 1)
        return Hits(texts, behind, whole)

    def spelt_like(self, words: Sequence[str]) -> Hits:
        """Return the texts whose pinyin begins with one of some words of Latin letters."""
        if not words or not len(self.letters):
            return _no_hits()
        short = [word[:LETTERS_KEPT] for word in words]
        low = np.searchsorted(self.letters, np.array(short, dtype=f"S{LETTERS_KEPT}"))
        # Behind every letter stands {, so the word with one behind it ends what begins with it.
        high = np.searchsorted(self.letters, np.array([f"{word}{{" for word in short], dtype=f"S{LETTERS_KEPT + 1}"))
        places = [np.arange(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True) if b > a]
        if not places:
            return _no_hits()
        found = np.unique(np.concatenate(places))
        whole = np.isin(self.letters[found], np.array(short, dtype=f"S{LETTERS_KEPT}"))
        return Hits(self.spelt[found], np.zeros(len(found), dtype=np.int32), whole)

    def beginning_but_one(self, typed: str) -> Hits:
        """Return the texts that begin with what was typed but for one mistake, see ``beginning_but_one``; for six signs and more.

        One mistake leaves one half as it is: the first, but perhaps its last sign, or the second, moved by one sign at most.
        """
        half = len(typed) // 2
        head = self.holding(literal(typed[: half - 1]), at_start=True).texts
        tail = self.holding(literal(typed[half:]))
        close = tail.texts[np.abs(tail.at - half) <= 1]
        texts, whole = [], []
        for text in np.unique(np.concatenate([head, close])).tolist():
            start, length = int(self.begin[text]), int(self.length[text])
            name = self.signs[start : start + min(length, len(typed) + 1)].tobytes().decode("utf-32-le")
            if size := beginning_but_one(typed, name):
                texts.append(text)
                whole.append(size == length)
        found = np.array(texts, dtype=np.int32)
        return Hits(found, np.zeros_like(found), np.array(whole, dtype=np.bool_))

    def _count(self, want: Want) -> int:
        if want.sign:
            return len(self.by_sign.at(ord(want.sign)))
        return int(self.sound_counts[_numbers(want.sounds)].sum())

    def _places(self, want: Want) -> Ints:
        if want.sign:
            return self.by_sign.at(ord(want.sign))
        # A character that is read in two of the ways stands there twice, which does no harm.
        found = [self.by_sound.at(number) for number in want.sounds if self.sound_counts[number]]
        return np.concatenate(found) if found else self.text_at[:0]

    def _stands(self, want: Want, places: Ints) -> Flags:
        if want.sounds:
            return self._sounds(want.sounds, places)
        there = self.signs[places]
        # Behind the end of a text and the digits come all other signs: a number is never guessed.
        found: Flags = there == ord(want.sign) if want.sign else there > ord("9")
        return found

    def _sounds(self, wanted: frozenset[int], places: Ints) -> Flags:
        mask = _mask(wanted)
        found: Flags = mask[self.first[places]] | mask[self.second[places]]
        return found


def index_of(texts: Sequence[str], *, spoken: Flags) -> NameIndex:
    """Return the index of some texts, numbered in their order; ``spoken`` says which are found by their sounds too."""
    known = sounds()
    kept = [plain(text)[:LONGEST_TEXT] for text in texts]
    signs = np.frombuffer(_END.join([*kept, ""]).encode("utf-32-le"), dtype=np.uint32)
    ends = signs == ord(_END)
    text_at = np.append(0, np.cumsum(ends)[:-1]).astype(np.int32) if len(signs) else np.zeros(0, dtype=np.int32)
    length = np.array([len(text) for text in kept], dtype=np.int32)
    begin = np.append(0, np.cumsum(length + 1)[:-1]).astype(np.int32) if kept else np.zeros(0, dtype=np.int32)
    first, second = known.of(signs), known.of(signs, second=True)
    silent = ~spoken[text_at] if kept else np.zeros(len(signs), dtype=np.bool_)
    first[silent] = second[silent] = 0
    heard, otherwise = np.flatnonzero(first), np.flatnonzero((second != first) & (second > 0))
    letters, owners = _spellings(kept, first, second, begin)
    return NameIndex(
        signs=signs,
        first=first,
        second=second,
        text_at=text_at,
        begin=begin,
        length=length,
        by_sign=Postings.of(signs[~ends], np.flatnonzero(~ends).astype(np.int32)),
        by_sound=Postings.of(
            np.concatenate([first[heard], second[otherwise]]), np.concatenate([heard, otherwise]).astype(np.int32)
        ),
        sound_counts=np.bincount(
            np.concatenate([first[heard], second[otherwise]]), minlength=len(known.syllables)
        ).astype(np.int32),
        letters=letters,
        spelt=owners,
    )


@lru_cache(maxsize=1024)
def _numbers(wanted: frozenset[int]) -> Ints:
    return np.fromiter(wanted, dtype=np.int32, count=len(wanted))


@lru_cache(maxsize=1024)
def _mask(wanted: frozenset[int]) -> Flags:
    mask = np.zeros(len(sounds().syllables), dtype=np.bool_)
    mask[_numbers(wanted)] = True
    return mask


def _spellings(
    texts: Sequence[str],
    first: npt.NDArray[np.int16],
    second: npt.NDArray[np.int16],
    begin: Ints,
) -> tuple[npt.NDArray[np.bytes_], Ints]:
    """Return the joined pinyin of the texts in order, twice where a character is read in two ways, and whose each is."""
    table = [syllable.lstrip("'") for syllable in sounds().syllables]
    words: list[bytes] = []
    owners: list[int] = []
    for number, text in enumerate(texts):
        place = slice(int(begin[number]), int(begin[number]) + len(text))
        one, other = first[place].tolist(), second[place].tolist()
        # A digit ends what can be spelt.
        size = one.index(0) if 0 in one else len(one)
        readings = {tuple(one[:size]), tuple(b or a for a, b in zip(one[:size], other[:size], strict=True))}
        for reading in readings:
            written = "".join(table[syllable] for syllable in reading)[:LETTERS_KEPT]
            if written:
                words.append(written.encode())
                owners.append(number)
    letters = np.array(words, dtype=f"S{LETTERS_KEPT}")
    order = np.argsort(letters, kind="stable")
    return letters[order], np.array(owners, dtype=np.int32)[order]


def _no_hits() -> Hits:
    nothing = np.zeros(0, dtype=np.int32)
    return Hits(nothing, nothing, np.zeros(0, dtype=np.bool_))
