"""Named things of one sort: found by what was typed, ranked, and offered as suggestions."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from geo.addresses.suggesting.index import Hits, NameIndex, index_of
from geo.addresses.suggesting.ranking import (
    MINOR_STEPS,
    OTHER_NAME_STEPS,
    Fit,
    Suggestion,
    best,
    doublings,
    metres_from,
)
from geo.addresses.suggesting.typing import (
    LONG,
    LONGEST_PATTERN,
    alike_patterns,
    mistaken_letters,
    mistaken_patterns,
    patterns_of,
    words_of,
)

OWN, OTHER, ADDRESS = 0, 1, 2
"""What a text is to its thing: the name, another name, where it stands."""
_SORTS: Final = 3
_NONE: Final = np.int16(32_000)
_NO_TEXT: Final = -1
Where = Callable[[int, str], str]
"""From a region's id (0: none) and a thing's tag to the words that say where it is."""


class Named(NamedTuple):
    """One thing with a name, in CGCS2000 degrees. ``others`` are further names, each with the words that tell it was meant.

    ``held`` is text in which it is found but that is no name of it; ``tag`` is what ``Where`` gets besides the region.
    """

    id: int
    name: str
    lon: float
    lat: float
    uncertainty_m: float
    region_id: int
    steps: float
    others: Sequence[tuple[str, str]] = ()
    held: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Found:
    """How each thing of a list fits: ``rank`` is fit × 3 + sort of text, ``text`` the text that fits best."""

    rank: npt.NDArray[np.int16]
    text: npt.NDArray[np.int32]

    def count(self, worst: Fit) -> int:
        """Return how many things fit so well or better."""
        return int((self.rank < (worst + 1) * _SORTS).sum())


@dataclass(frozen=True)
class NameList:
    """Things of one sort in arrays; make one with ``list_of``. Nothing changes it, so threads may share it."""

    what: str
    index: NameIndex
    owner: npt.NDArray[np.int32]
    sort: npt.NDArray[np.int16]
    ids: npt.NDArray[np.int64]
    labels: Sequence[str]
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    radius: npt.NDArray[np.float64]
    steps: npt.NDArray[np.float64]
    regions: npt.NDArray[np.int64]
    tags: Sequence[str]
    order: npt.NDArray[np.int32]
    said: dict[int, str]
    """By text: the words for another name."""

    def __len__(self) -> int:
        return len(self.ids)

    def matching(self, typed: str) -> Found:
        """Return how each thing fits what was typed, as ``plain`` gives it, taken as it is."""
        found = self._nothing()
        for pattern in patterns_of(typed):
            self._note(found, self.index.holding(pattern), Fit.WHOLE, weaker=pattern.initials)
        return found

    def holding_words(self, q: str) -> Found:
        """Return what holds all the words of a query, each anywhere in its names or its address; nothing for a single word."""
        found, words = self._nothing(), words_of(q)
        if len(words) < 2:
            return found
        everywhere = np.ones(len(self), dtype=np.bool_)
        for word in words:
            here = np.zeros(len(self), dtype=np.bool_)
            for pattern in patterns_of(word):
                here[self.owner[self.index.holding(pattern).texts]] = True
            everywhere &= here
        found.rank[everywhere] = Fit.SCATTERED * _SORTS + ADDRESS
        return found

    def sounding_like(self, typed: str) -> Found:
        """Return what sounds like what was typed, or nearly so."""
        found = self._nothing()
        for pattern in alike_patterns(typed):
            self._note(found, self.index.holding(pattern), Fit.SOUNDS)
        return found

    def mistyped(self, typed: str) -> Found:
        """Return whose name begins with what was typed but for one mistake."""
        found = self._nothing()
        for pattern in mistaken_patterns(typed):
            self._note(found, self.index.holding(pattern, at_start=True), Fit.MISTYPED)
        if len(typed) >= LONG and not typed.isascii():
            self._note(found, self.index.beginning_but_one(typed[:LONGEST_PATTERN]), Fit.MISTYPED)
        self._note(found, self.index.spelt_like(mistaken_letters(typed)), Fit.MISTYPED)
        return found

    def best(
        self,
        found: Found,
        where: Where,
        *,
        near: tuple[float, float] | None,
        limit: int,
        among: Collection[int] | None = None,
    ) -> list[Suggestion]:
        """Return the first suggestions of what was found, those with a region among some ids only."""
        chosen = np.flatnonzero(found.rank < _NONE)
        if among is not None and len(chosen):
            chosen = chosen[np.isin(self.regions[chosen], np.fromiter(among, dtype=np.int64))]
        score = self.steps[chosen] + np.where(found.rank[chosen] % _SORTS == OTHER, OTHER_NAME_STEPS, 0.0)
        metres = np.zeros(len(chosen))
        if near is not None:
            metres = metres_from(near, self.lon[chosen], self.lat[chosen])
            score = score + doublings(metres, self.radius[chosen])
        fit = found.rank[chosen] // _SORTS
        # Some more than asked for: several may read the same. All, when that was not enough.
        for count in (4 * limit, len(chosen)):
            first = _first(fit, score, metres, self.order[chosen], count)
            offered = best([self._suggestion(int(at), found, where) for at in chosen[first]], near, limit)
            if len(offered) == limit or count >= len(chosen):
                return offered
        return offered

    def _suggestion(self, at: int, found: Found, where: Where) -> Suggestion:
        text = int(found.text[at])
        return Suggestion(
            what=self.what,
            id=int(self.ids[at]),
            label=self.labels[at],
            where=where(int(self.regions[at]), self.tags[at]),
            lon=float(self.lon[at]),
            lat=float(self.lat[at]),
            uncertainty_m=float(self.radius[at]),
            fit=int(found.rank[at]) // _SORTS,
            steps=float(self.steps[at]) + (OTHER_NAME_STEPS if found.rank[at] % _SORTS == OTHER else 0.0),
            said=self.said.get(text, ""),
        )

    def _nothing(self) -> Found:
        return Found(np.full(len(self), _NONE, dtype=np.int16), np.full(len(self), _NO_TEXT, dtype=np.int32))

    def _note(self, found: Found, hits: Hits, whole: Fit, *, weaker: bool = False) -> None:
        """Note what was hit where it fits better than before; ``whole`` is how well a whole name fits."""
        if not len(hits.texts):
            return
        sort, owner = self.sort[hits.texts], self.owner[hits.texts]
        # A stop bears the name of what it stands at, which is likelier meant by it.
        hits = hits._replace(whole=hits.whole & (self.steps[owner] < MINOR_STEPS))
        if whole == Fit.WHOLE:
            fit = np.where(hits.whole, Fit.WHOLE, np.where(hits.at == 0, Fit.BEGINS, Fit.HOLDS)).astype(np.int16)
            if weaker:
                fit = np.where(hits.at == 0, Fit.HOLDS, Fit.SCATTERED).astype(np.int16)
            fit[sort == ADDRESS] = Fit.SCATTERED
            kept = np.ones(len(fit), dtype=np.bool_)
        else:
            fit = np.where(hits.whole, whole, np.where(hits.at == 0, whole + 1, Fit.SOUNDS_IN)).astype(np.int16)
            kept = sort != ADDRESS
        rank = (fit * _SORTS + sort).astype(np.int16)
        kept &= rank < found.rank[owner]
        # Of several values for one place the last stays: the best.
        order = np.flatnonzero(kept)[np.argsort(-rank[kept], kind="stable")]
        found.rank[owner[order]] = rank[order]
        found.text[owner[order]] = hits.texts[order]


def list_of(what: str, things: Iterable[Named]) -> NameList:
    """Return the list of some things of one sort; they are taken one by one, so that many of them leave no more than the list."""
    texts: list[str] = []
    labels: list[str] = []
    tags: list[str] = []
    said: dict[int, str] = {}
    owner, sort, ids, regions = array("i"), array("h"), array("q"), array("q")
    lon, lat, radius, steps = array("d"), array("d"), array("d"), array("d")
    for thing in things:
        for text, kind, words in _texts_of(thing):
            if words:
                said[len(texts)] = words
            texts.append(text)
            owner.append(len(ids))
            sort.append(kind)
        labels.append(thing.name)
        tags.append(sys.intern(thing.tag))
        for column, value in ((ids, thing.id), (regions, thing.region_id)):
            column.append(value)
        for figures, figure in (
            (lon, thing.lon),
            (lat, thing.lat),
            (radius, thing.uncertainty_m),
            (steps, thing.steps),
        ):
            figures.append(figure)
    order = np.zeros(len(ids), dtype=np.int32)
    by_name = sorted(range(len(ids)), key=lambda at: (len(labels[at]), labels[at], ids[at]))
    order[by_name] = np.arange(len(ids), dtype=np.int32)
    sorts = np.array(sort, dtype=np.int16)
    return NameList(
        what=what,
        index=index_of(texts, spoken=sorts != ADDRESS),
        owner=np.array(owner, dtype=np.int32),
        sort=sorts,
        ids=np.array(ids, dtype=np.int64),
        labels=labels,
        lon=np.array(lon, dtype=np.float64),
        lat=np.array(lat, dtype=np.float64),
        radius=np.array(radius, dtype=np.float64),
        steps=np.array(steps, dtype=np.float64),
        regions=np.array(regions, dtype=np.int64),
        tags=tags,
        order=order,
        said=said,
    )


def _texts_of(thing: Named) -> Iterator[tuple[str, int, str]]:
    yield thing.name, OWN, ""
    for name, words in thing.others:
        yield name, OTHER, words
    if thing.held:
        yield thing.held, ADDRESS, ""


def _first(
    fit: npt.NDArray[np.int16],
    score: npt.NDArray[np.float64],
    metres: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    count: int,
) -> npt.NDArray[np.int64]:
    """Return where the first ``count`` stand, in their order."""
    coarse = fit * 1_000.0 + score
    kept = np.arange(len(coarse))
    if count < len(coarse):
        kept = np.flatnonzero(coarse <= np.partition(coarse, count - 1)[count - 1])
    return kept[np.lexsort((order[kept], metres[kept], coarse[kept]))][:count]
