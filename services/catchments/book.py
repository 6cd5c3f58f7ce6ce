"""One edition, ready to be asked: its steps in their order, every rule found by what it speaks of. Pure.

A step that cannot be judged, because the address does not say enough, never passes for a step that found nothing: what it may
still find is kept beside what later steps find, and only when all agree is the answer sure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import shapely
from shapely.geometry.base import BaseGeometry

from services.catchments.doors import Door, Rule
from services.catchments.entries import MODES, Choice, Mode
from services.catchments.matching import Outcome, RuleBook, Verdict

Found = Literal["one", "several", "none", "unclear"]
Goal = tuple[Literal["site"], int] | tuple[Literal["choice"], Choice]
"""Where a rule leads: a kindergarten by its id, or the public or private ones to choose from."""

MOST_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Home:
    """What is known of where a child is registered or lives.

    ``door`` as read from the address, ``street`` and ``committee`` ids of regions, ``community`` a folded name, '' when it is
    known to be in none; ``point`` in metres of the city's plane, true within ``reach_m``. ``None`` is unknown.
    """

    door: Door | None = None
    street: int | None = None
    committee: int | None = None
    community: str | None = None
    point: tuple[float, float] | None = None
    reach_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """One rule as it is matched: ``rule`` of an address or override, else by street, committee and folded community."""

    id: int
    mode: Mode
    goal: Goal
    street: int | None = None
    committee: int | None = None
    community: str = ""
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """A drawn area in metres of the city's plane, and the kindergarten it belongs to."""

    id: int
    name: str
    site: int
    shape: BaseGeometry


@dataclass(frozen=True, slots=True)
class Site:
    """A kindergarten that the nearest is looked for among: its street, and its point in metres of the city's plane."""

    id: int
    street: int | None
    point: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Taken:
    """What one step found: its goals, those it may find once more is known, the ids behind them, and why, in sentences.

    ``doubt`` says that more knowledge may change the goals. Sentences about a door come from its ``outcome``, when asked for.
    """

    mode: Mode
    goals: tuple[Goal, ...] = ()
    possible: tuple[Goal, ...] = ()
    lines: tuple[int, ...] = ()
    told: tuple[str, ...] = ()
    doubt: bool = False
    outcome: Outcome | None = None

    @property
    def said(self) -> tuple[str, ...]:
        """Return why, in sentences for people."""
        return self.told if self.outcome is None else self.outcome.said[:MOST_TOLD]

    @property
    def found(self) -> Found:
        """Return the kind of what was found."""
        return _kind(self.goals, self.doubt)


@dataclass(frozen=True, slots=True)
class Match:
    """Where an address belongs: the steps that were taken, the last of which decided, unless none found anything."""

    path: tuple[Taken, ...]
    goals: tuple[Goal, ...] = ()
    possible: tuple[Goal, ...] = ()
    doubt: bool = False

    @property
    def found(self) -> Found:
        """Return the kind of outcome: doubt of any step is doubt of the whole, unless all that may come is what came."""
        return _kind(self.goals, self.doubt)

    @property
    def decided(self) -> Taken | None:
        """Return the step that found the goals, ``None`` when none did."""
        return self.path[-1] if self.path and self.path[-1].goals else None


class Book:
    """The rules and areas of one edition by what they speak of; asked with a home it answers in some microseconds."""

    def __init__(
        self, steps: Sequence[Mode], lines: Iterable[Line], areas: Sequence[Area] = (), sites: Sequence[Site] = ()
    ) -> None:
        self._steps = tuple(steps)
        every = list(lines)
        self._roads: dict[Mode, RuleBook] = {}
        self._by_rule: dict[int, Line] = {}
        for mode in ("override", "address"):
            ruled = [line for line in every if line.mode == mode and line.rule]
            self._roads[mode] = RuleBook(line.rule for line in ruled if line.rule)
            self._by_rule |= {id(line.rule): line for line in ruled}
        self._communities: dict[str, list[Line]] = defaultdict(list)
        self._streets: dict[int | None, list[Line]] = defaultdict(list)
        for line in every:
            if line.mode == "community":
                self._communities[line.community].append(line)
            elif line.mode == "committee":
                self._streets[line.street].append(line)
        self._open = [line for line in every if line.mode == "open"]
        self._unplaced: dict[tuple[Mode, int | None, int | None], Taken] = {}
        self._areas = tuple(areas)
        self._tree = shapely.STRtree([area.shape for area in self._areas])
        self._sites: dict[int | None, list[Site]] = defaultdict(list)
        for site in sites:
            self._sites[site.street].append(site)

    def names(self, community: str) -> bool:
        """Say whether a rule names a community, by its folded name."""
        return community in self._communities

    def trying(self, steps: Sequence[Mode]) -> Book:
        """Return a book of the same rules and areas that tries these steps."""
        other = copy(self)
        other._steps = tuple(steps)
        return other

    def match(self, home: Home) -> Match:
        """Return where a home belongs: by the first step that finds anything, with all that was tried before it."""
        path: list[Taken] = []
        passed: set[Goal] = set()
        for mode in self._steps:
            taken = self._take(mode, home)
            path.append(taken)
            if taken.goals:
                doubt = taken.doubt or _unsettled(passed, taken.goals)
                return Match(tuple(path), taken.goals, _possible(path), doubt)
            passed.update(taken.possible)
        return Match(tuple(path), possible=_possible(path), doubt=bool(passed))

    def _take(self, mode: Mode, home: Home) -> Taken:
        match mode:
            case "override" | "address":
                return self._by_door(mode, home)
            case "community":
                return self._by_community(home)
            case "committee":
                return self._by_committee(home)
            case "area":
                return self._by_area(home)
            case "nearest":
                return self._by_distance(home)
            case "open":
                return self._by_list(home)

    def _by_door(self, mode: Mode, home: Home) -> Taken:
        book = self._roads[mode]
        if home.door is None:
            return Taken(mode, told=("地址里没有读出路名和门牌。",))
        if not book.of_road(home.door.road):
            return Taken(mode, told=(f"“{MODES[mode]}”的规则没有写到“{home.door.road}”。",))
        outcome = book.match(home.door)
        holding, unclear = self._lines(outcome.holding), self._lines(outcome.unclear)
        return _taken(mode, holding, unclear, outcome=outcome)

    def _lines(self, verdicts: Sequence[Verdict]) -> list[Line]:
        return [self._by_rule[id(verdict.rule)] for verdict in verdicts]

    def _by_community(self, home: Home) -> Taken:
        if home.community is None:
            return self._of_any("community", self._communities, home, "没有查到这个地址属于哪个小区。")
        holding, unclear = _split(self._communities.get(home.community, ()), home)
        said = f"小区“{home.community}”写在规则里。" if holding else f"没有一条规则写到小区“{home.community}”。"
        return _taken("community", holding, unclear, said)

    def _by_committee(self, home: Home) -> Taken:
        if home.street is None:
            return self._of_any("committee", self._streets, home, "没有查到这个地址属于哪个街镇。")
        holding, unclear = _split(self._streets.get(home.street, ()), home)
        exact = [line for line in holding if line.committee is not None]
        said = "街镇、居委写在规则里。" if holding else "没有一条规则写到这个街镇、居委。"
        taken = _taken("committee", exact or holding, unclear, said)
        return replace(taken, doubt=_unsettled(set(taken.possible), taken.goals))

    def _of_any(self, mode: Mode, lines: Mapping[Any, list[Line]], home: Home, said: str) -> Taken:
        """Return what rules a home may fall under that is not known well enough: the same for all of its committee."""
        key = (mode, home.street, home.committee)
        found = self._unplaced.get(key)
        if found is None:
            held, unclear = _split((line for some in lines.values() for line in some), home)
            found = self._unplaced[key] = _taken(mode, [], held + unclear, said)
        return found

    def _by_area(self, home: Home) -> Taken:
        if not self._areas:
            return Taken("area", told=("这个版本没有画片区。",))
        if home.point is None:
            every: tuple[Goal, ...] = tuple(dict.fromkeys(("site", area.site) for area in self._areas))
            return Taken("area", possible=every, told=("没有查到这个地址在地图上的位置。",), doubt=True)
        point = shapely.Point(home.point)
        near = [self._areas[at] for at in self._tree.query(point, predicate="dwithin", distance=home.reach_m)]
        holding = [area for area in near if area.shape.covers(point)]
        doubt = [area for area in near if area.shape.boundary.distance(point) < home.reach_m]
        said = [
            f"地址落在“{area.name}”片区内，距边界 {area.shape.boundary.distance(point):.0f} 米。" for area in holding
        ]
        if doubt:
            said.append(f"地址的位置只准到 {home.reach_m:.0f} 米，离片区边界太近，分不清在哪一边。")
        goals: tuple[Goal, ...] = tuple(dict.fromkeys(("site", area.site) for area in holding))
        possible: tuple[Goal, ...] = tuple(dict.fromkeys(("site", area.site) for area in doubt))
        told = tuple(said) or ("地址不在任何一个片区里。",)
        ids = tuple(dict.fromkeys(area.id for area in (*holding, *doubt)))
        return Taken("area", goals, possible, ids, told, not set(possible) <= set(goals))

    def _by_distance(self, home: Home) -> Taken:
        sites = [site for street in self._sites if home.street in (None, street) for site in self._sites[street]]
        if not sites:
            return Taken("nearest", told=("这个街镇没有可选的幼儿园。",))
        if home.point is None or home.street is None:
            every: tuple[Goal, ...] = tuple(("site", site.id) for site in sites)
            return Taken("nearest", possible=every, told=("没有查到这个地址的街镇和位置。",), doubt=True)
        here = shapely.Point(home.point)
        metres = {site.id: here.distance(shapely.Point(site.point)) for site in sites}
        best = min(metres, key=lambda site: (metres[site], site))
        rivals = [site for site in metres if metres[site] - metres[best] < 2 * home.reach_m]
        possible: tuple[Goal, ...] = tuple(("site", site) for site in rivals) if len(rivals) > 1 else ()
        said = f"同一街镇里它最近，直线 {metres[best]:.0f} 米。"
        return Taken("nearest", (("site", best),), possible, told=(said,), doubt=bool(possible))

    def _by_list(self, home: Home) -> Taken:
        holding, unclear = _split(self._open, home)
        said = "可以从开放列表里自己选。" if holding else "开放列表里没有这个街镇可选的。"
        return _taken("open", holding, unclear, said)


def _kind(goals: tuple[Goal, ...], doubt: bool) -> Found:
    if doubt:
        return "unclear"
    if not goals:
        return "none"
    return "one" if len(goals) == 1 and goals[0][0] == "site" else "several"


def _unsettled(sharper: set[Goal], goals: Sequence[Goal]) -> bool:
    """Say whether rules that come before may, once more is known, leave other goals than these."""
    return bool(sharper) and (len(sharper) > 1 or sharper != set(goals))


def _taken(
    mode: Mode, holding: Sequence[Line], unclear: Sequence[Line], *said: str, outcome: Outcome | None = None
) -> Taken:
    if not holding and not unclear:
        return Taken(mode, told=said, outcome=outcome)
    goals, possible = _goals(holding), _goals(unclear)
    doubt = bool(possible) and not set(possible) <= set(goals)
    return Taken(mode, goals, possible, _ids((*holding, *unclear)), said, doubt, outcome)


def _possible(path: Iterable[Taken]) -> tuple[Goal, ...]:
    found = [taken.possible for taken in path if taken.possible]
    return tuple(dict.fromkeys(goal for possible in found for goal in possible)) if found else ()


def _split(lines: Iterable[Line], home: Home) -> tuple[list[Line], list[Line]]:
    """Return the lines whose street and committee are the home's, and those of which that is not known."""
    holding: list[Line] = []
    unclear: list[Line] = []
    for line in lines:
        asked = ((line.street, home.street), (line.committee, home.committee))
        if any(want is not None and have is not None and want != have for want, have in asked):
            continue
        known = all(want is None or have is not None for want, have in asked)
        (holding if known else unclear).append(line)
    return holding, unclear


def _goals(lines: Sequence[Line]) -> tuple[Goal, ...]:
    goals = [line.goal for line in lines]
    return tuple(goals) if len(goals) < 2 else tuple(dict.fromkeys(goals))


def _ids(lines: Sequence[Line]) -> tuple[int, ...]:
    ids = [line.id for line in lines]
    return tuple(ids) if len(ids) < 2 else tuple(dict.fromkeys(ids))
