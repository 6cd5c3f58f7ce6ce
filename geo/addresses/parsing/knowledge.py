"""What may be known of a city besides the language: the names of its regions, roads and communities, as one immutable object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Final

from geo.addresses.parsing.collection import Opening
from geo.addresses.parsing.vocabulary import Elsewhere, RegionName, vocabulary
from geo.addresses.parsing.writing import clean

LONGEST_NAME: Final = 16
Written = RegionName | Elsewhere


@dataclass(frozen=True)
class Gazetteer:
    """Names that are known: ``districts`` and ``streets`` from what is written to the name of today, ``roads``, ``communities``.

    The grammar works without any; names settle what the look of a text cannot.
    """

    districts: Mapping[str, str] = field(default_factory=dict)
    streets: Mapping[str, str] = field(default_factory=dict)
    roads: frozenset[str] = frozenset()
    communities: frozenset[str] = frozenset()

    def known_ending(self, run: str) -> str:
        """Return the longest known road name that ``run`` ends with, or ``""``."""
        for length in self._lengths_by_ending.get(run[-2:], ()):
            if run[-length:] in self.roads:
                return run[-length:]
        return ""

    def known_beginning(self, run: str) -> str:
        """Return the longest known road name that ``run`` begins with, or ``""``."""
        for length in self._lengths_by_beginning.get(run[:2], ()):
            if run[:length] in self.roads:
                return run[:length]
        return ""

    @cached_property
    def openings(self) -> dict[tuple[str, str], Opening]:
        """Return how addresses of known roads begin, by the text and the kind of number after it; filled while they are read."""
        return {}

    @cached_property
    def _lengths_by_ending(self) -> Mapping[str, tuple[int, ...]]:
        return _lengths((name[-2:], len(name)) for name in self.roads)

    @cached_property
    def _lengths_by_beginning(self) -> Mapping[str, tuple[int, ...]]:
        return _lengths((name[:2], len(name)) for name in self.roads)

    @cached_property
    def district_of(self) -> Mapping[str, str]:
        """Return the district of each street by its name of today, as the language knows them."""
        return {
            name.today: self.districts.get(name.district, name.district)
            for name in vocabulary().regions
            if name.kind == "street" and name.district
        }

    @cached_property
    def regions(self) -> Mapping[str, tuple[Written, ...]]:
        """Return every name of a region or city by its first two characters, the longest first."""
        own = [RegionName(name, "district", today) for name, today in self.districts.items() if len(name) > 1]
        own += [RegionName(name, "street", today) for name, today in self.streets.items() if len(name) > 1]
        if not own:
            return _language()
        said = {name.written for name in own}
        rest = [name for names in _language().values() for name in names if name.written not in said]
        return _by_beginning([*own, *(_renamed(name, self.districts) for name in rest)])


def _lengths(pairs: Iterable[tuple[str, int]]) -> Mapping[str, tuple[int, ...]]:
    """Return by two characters how long the names with them are, the longest first: few names need to be looked up."""
    found: dict[str, set[int]] = defaultdict(set)
    for key, length in pairs:
        if 2 <= length <= LONGEST_NAME:
            found[key].add(length)
    return {key: tuple(sorted(lengths, reverse=True)) for key, lengths in found.items()}


def _renamed(name: Written, districts: Mapping[str, str]) -> Written:
    """Return a short or former district as the gazetteer writes its name of today."""
    if isinstance(name, RegionName) and name.kind == "district":
        return name._replace(today=districts.get(name.today, name.today))
    return name


@cache
def _language() -> Mapping[str, tuple[Written, ...]]:
    words = vocabulary()
    return _by_beginning([*words.regions, *words.elsewhere])


def _by_beginning(names: Iterable[Written]) -> Mapping[str, tuple[Written, ...]]:
    found: dict[str, list[Written]] = defaultdict(list)
    for name in names:
        found[name.written[:2]].append(name)
    return {
        key: tuple(sorted(group, key=lambda name: (-len(name.written), isinstance(name, Elsewhere))))
        for key, group in found.items()
    }


def roads_of(names: Iterable[str]) -> frozenset[str]:
    """Return road names in the form the grammar compares: cleaned, two characters at least."""
    return frozenset(name for name in (clean(name) for name in names) if len(name) >= 2)


NO_NAMES: Final = Gazetteer()
