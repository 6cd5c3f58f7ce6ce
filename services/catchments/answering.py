"""Where an address belongs in enrolment, and why: one kindergarten, several, none, not enough said, or not known.

Every answer tells what was read of the address, the edition that was asked, the path taken through its steps and whom to ask.
Nothing of a question is kept or logged.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal, NamedTuple

from django.utils import timezone

from geo.addresses.gazetteer import NamedRegion, Names, Published, names_of, published_now
from geo.addresses.parsing import Token
from geo.errors import BadInput, TooLarge
from geo.scope import Scope
from services.catchments.book import Book, Home, Match, Taken
from services.catchments.books import Kept, book_of, kept_of
from services.catchments.entries import Choice, EntryPoint, entry_point
from services.catchments.homes import Asked, RegionNames, Where, homes_of, look_up, read_home, region_names
from services.catchments.models import CatchmentArea, CatchmentEdition, EditionState, MatchRule
from services.catchments.queries import edition_in_force, edition_seen
from services.facilities.models import Facility

__all__ = ["REASONS", "Answer", "Ask", "Asked", "Decision", "answer", "book_of", "decide_many"]

Outcome = Literal["one", "several", "none", "unclear", "unknown"]
OUTCOMES: Final[dict[Outcome, str]] = {
    "one": "有一所对口园",
    "several": "有几所可选",
    "none": "没有对口园",
    "unclear": "地址写得不够清楚",
    "unknown": "没有认出这个地址",
}
REASONS: Final[dict[str, str]] = {
    "override": "按单列地址对上",
    "address": "按详细地址对上",
    "community": "按小区对上",
    "committee": "按街道、居委对上",
    "area": "落在片区里",
    "nearest": "按同街镇最近对上",
    "open": "可从开放列表里选",
    "rules_clash": "几条规则指向不同的园",
    "no_rule": "没有一条规则或片区写到这里",
    "no_edition": "这个区这一年还没有发布对口规则",
    "place_closed": "规则指向的园已经关闭或撤下",
    "other_district": "地址不在这个区",
    "district_differs": "写的区和查到的区不一样",
    "several_districts": "几个区都有这个地址",
    "several_places": "这个地址不止一处",
    "door_unsaid": "门牌没有写全",
    "near_border": "位置离片区边界太近",
    "region_unsure": "分不清在哪个街镇、居委",
    "community_unsure": "不知道在哪个小区",
    "place_unsure": "没有查到位置",
    "unread": "没有读懂地址",
    "too_long": "地址太长",
    "other_city": "写的是外地的地址",
    "not_found": "地址没有收录",
    "district_unknown": "没有这个区",
    "street_unknown": "没有这个街镇",
    "committee_unknown": "没有这个居委",
}
"""Why an answer is what it is: stable codes with their words."""

MOST: Final = 10_000
_NOT_KNOWN: Final = frozenset(
    {"unread", "too_long", "other_city", "not_found", "district_unknown", "street_unknown", "committee_unknown"}
)


@dataclass(frozen=True, slots=True)
class Ask:
    """Whom to ask: an office and its phone, '' where nobody has entered one."""

    office: str
    phone: str = ""


@dataclass(frozen=True)
class Decision:
    """What the book of an edition says of one address: the outcome, why, and the kindergartens as they are today."""

    asked: Asked
    where: Where
    home: Home
    outcome: Outcome
    reason: str
    edition: CatchmentEdition | None = None
    match: Match | None = None
    sites: tuple[int, ...] = ()
    possible: tuple[int, ...] = ()
    choices: tuple[Choice, ...] = ()
    kept: Kept | None = field(default=None, repr=False)

    @cached_property
    def deciding(self) -> tuple[Taken, ...]:
        """Return the steps that say why: the one that decided, besides every one in doubt; all where none found anything."""
        if self.match is None:
            return ()
        decided = self.match.decided
        told = tuple(taken for taken in self.match.path if taken is decided or taken.possible)
        return told or self.match.path

    @cached_property
    def lines(self) -> tuple[int, ...]:
        """Return the ids of the rules behind the answer."""
        return _ids(taken for taken in self.deciding if taken.mode != "area")

    @cached_property
    def areas(self) -> tuple[int, ...]:
        """Return the ids of the areas behind the answer."""
        return _ids(taken for taken in self.deciding if taken.mode == "area")

    @cached_property
    def said(self) -> tuple[str, ...]:
        """Return why, in sentences for people."""
        told = [*self.where.said, *(sentence for taken in self.deciding for sentence in taken.said)]
        if self.kept is not None and self.match is not None:
            told += [self.kept.notes[line] for line in self.lines if line in self.kept.notes]
            goals = [goal for goal in (*self.match.goals, *self.match.possible) if goal[0] == "site"]
            told += [self.kept.told[goal[1]] for goal in goals if goal[1] in self.kept.told]
            if self.outcome == "none":
                told += [self.kept.notes[line] for line in sorted(self.kept.gone)][:2]
        if not told or self.reason in ("no_edition", "several_districts"):
            told.append(f"{REASONS[self.reason]}。")
        return tuple(dict.fromkeys(told))


def _ids(steps: Iterable[Taken]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(line for taken in steps for line in taken.lines))


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one address: ``outcome`` and ``reason`` (``REASONS``), what was read and found of it, and the path taken.

    ``address`` as typed, ``label`` as understood, the point in CGCS2000 degrees with the radius that holds the true one.
    ``places`` are the kindergartens, ``possible`` those it may be once more is said, ``choices`` the sorts to choose among.
    ``rules`` and ``areas`` decided; ``said`` tells why; ``ask`` whom to ask.
    """

    outcome: Outcome
    reason: str
    address: str
    label: str
    tokens: tuple[Token, ...]
    lon: float | None
    lat: float | None
    uncertainty_m: float | None
    district: NamedRegion | None
    districts: tuple[NamedRegion, ...]
    street: NamedRegion | None
    committee: NamedRegion | None
    community: str
    edition: CatchmentEdition | None
    match: Match | None
    places: list[Facility]
    possible: list[Facility]
    choices: tuple[Choice, ...]
    rules: list[MatchRule]
    areas: list[CatchmentArea]
    said: tuple[str, ...]
    ask: Ask


def answer(
    address: str,
    *,
    entry: str,
    year: int,
    scope: Scope,
    district: str = "",
    on: dt.date | None = None,
    edition: CatchmentEdition | None = None,
    given: Asked | None = None,
) -> Answer:
    """Return where an address belongs, by the edition in force on a day (today), or by a draft that the scope looks after.

    ``district`` (code or name) is taken instead of the one that is found; ``given`` may say street, committee and community too.
    Raises ``BadInput`` for an unknown entry or an empty address, ``Forbidden`` and ``NotFound`` for a draft of others.
    """
    asked = replace(given, address=address) if given else Asked(address, district)
    if not address.strip():
        raise BadInput("address_empty", "请写出要查的地址，例如“武夷路12号”。", parameter="address")
    decided = decide_many([asked], entry=entry, year=year, scope=scope, on=on, edition=edition, thorough=True)[0]
    return _told(decided, entry=entry)


def decide_many(
    asked: Sequence[Asked],
    *,
    entry: str,
    year: int,
    scope: Scope,
    on: dt.date | None = None,
    edition: CatchmentEdition | None = None,
    thorough: bool = False,
) -> list[Decision]:
    """Return where many addresses belong, in their order, at most 10,000.

    What an address and the names given with it say is asked first; only what that leaves open is looked up, everything with
    ``thorough``. Raises as ``answer`` does.
    """
    _check(entry, edition, scope)
    if len(asked) > MOST:
        raise TooLarge("too_many_rows", f"一次最多 {MOST:,} 行，请分批提交。", most=MOST)
    published = published_now()
    desk = _Desk(entry, year, on, edition, published)
    words = region_names(published, desk.names)
    if edition is not None:
        asked = [one if one.district else replace(one, district=desk.code_of(edition)) for one in asked]
    with _collecting_later():
        return _decide_all(asked, desk, words, published, scope, thorough=thorough)


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Keep the collector of cycles still: thousands of answers stay, none in a cycle, and it would look through all over again.

    It took a third of the time of a list. However requests overlap, the last one leaves it as the first one found it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _decide_all(
    asked: Sequence[Asked], desk: _Desk, words: RegionNames, published: Published, scope: Scope, *, thorough: bool
) -> list[Decision]:
    read = [read_home(one, desk.names, words) for one in asked]
    first = [None] * len(read) if thorough else _decided(asked, read, desk, words)
    waiting = [at for at, decision in enumerate(first) if decision is None or not _is_sure(decision)]
    placed = look_up(
        [asked[at] for at in waiting], [read[at] for at in waiting],
        scope=scope, published=published, names=desk.names,
    )  # fmt: skip
    second = _decided([asked[at] for at in waiting], placed, desk, words)
    found = dict(zip(waiting, second, strict=True))
    return [found.get(at) or decision for at, decision in enumerate(first)]  # type: ignore[misc]


def _check(entry: str, edition: CatchmentEdition | None, scope: Scope) -> EntryPoint:
    found = entry_point(entry)
    if found is None:
        raise BadInput("entry_unknown", f"没有“{entry[:20]}”这个入口。", parameter="entry")
    if edition is not None and not is_public(edition):
        edition_seen(edition.pk, scope=scope)
    return found


def is_public(edition: CatchmentEdition) -> bool:
    """Say whether everyone may ask an edition: it is published and has begun."""
    begun = edition.from_day is not None and edition.from_day <= timezone.localdate()
    return edition.state == EditionState.PUBLISHED and begun


class _Counting(NamedTuple):
    """The edition that counts somewhere with its book, both ``None`` for none."""

    edition: CatchmentEdition | None = None
    kept: Kept | None = None


_NONE: Final = _Counting()


class _Desk:
    """The editions and books of one request, each looked for once."""

    def __init__(
        self, entry: str, year: int, on: dt.date | None, edition: CatchmentEdition | None, published: Published
    ) -> None:
        self.names: Names = names_of(published)
        self._published = published
        self._ask = {"entry": entry, "year": year, "on": on}
        self._one = self._with_book(edition)
        self._counting: dict[int, _Counting] = {}

    def counting(self, district: NamedRegion | None) -> _Counting:
        """Return the edition that counts in a district and its book: always the one that was asked for, where one was."""
        if self._one is not _NONE or district is None:
            return self._one
        found = self._counting.get(district.id)
        if found is None:
            edition = edition_in_force(district_id=district.id, **self._ask)  # type: ignore[arg-type]
            found = self._counting[district.id] = self._with_book(edition)
        return found

    def _with_book(self, edition: CatchmentEdition | None) -> _Counting:
        return _Counting(edition, kept_of(edition, self._published)) if edition else _NONE

    def code_of(self, edition: CatchmentEdition) -> str:
        """Return the code of an edition's district."""
        region = self.names.region(edition.district_id)
        return region.code if region else ""


_EMPTY: Final = Book((), ())


def _decided(asked: Sequence[Asked], found: Sequence[Where], desk: _Desk, words: RegionNames) -> list[Decision]:
    counting = [desk.counting(where.district) for where in found]
    homes = homes_of(found, [one.kept.book if one.kept else _EMPTY for one in counting])
    return [_decide(*each) for each in zip(asked, found, homes, counting, strict=True)]


def _decide(asked: Asked, where: Where, home: Home, counting: _Counting) -> Decision:
    edition, kept = counting
    if kept is None or edition is None or where.fault in ("other_district", "district_differs", "district_unknown"):
        outcome, reason = _without_edition(where)
        return Decision(asked, where, home, outcome, reason, edition)
    match = kept.book.match(home)
    sites = kept.sites(match.goals)
    choices = tuple(dict.fromkeys(goal[1] for goal in match.goals if goal[0] == "choice"))
    outcome, reason = _outcome(where, match, sites, choices)
    possible = tuple(site for site in kept.sites(match.possible) if site not in sites)
    if outcome in ("unclear", "unknown"):
        sites, possible, choices = (), (*sites, *possible), ()
    return Decision(asked, where, home, outcome, reason, edition, match, sites, possible, choices, kept)


def _without_edition(where: Where) -> tuple[Outcome, str]:
    if where.fault in _NOT_KNOWN:
        return "unknown", where.fault
    if where.fault == "other_district":
        return "none", "other_district"
    if where.fault == "district_differs":
        return "unclear", "district_differs"
    if len(where.districts) > 1:
        return "unclear", "several_districts"
    return ("none", "no_edition") if where.districts else ("unknown", "place_unsure")


def _outcome(where: Where, match: Match, sites: tuple[int, ...], choices: tuple[Choice, ...]) -> tuple[Outcome, str]:
    decided = match.decided
    if match.found == "unclear" or (match.found == "none" and where.fault):
        if where.fault in _NOT_KNOWN:
            return "unknown", where.fault
        return "unclear", where.fault or _doubt(match)
    if decided is None:
        return "none", "no_rule"
    if not sites and not choices:
        return "none", "place_closed"
    if len(sites) == 1 and not choices:
        return "one", decided.mode
    return "several", decided.mode if decided.mode == "open" else "rules_clash"


_DOUBTS: Final = {
    "override": "door_unsaid",
    "address": "door_unsaid",
    "community": "community_unsure",
    "committee": "region_unsure",
    "open": "region_unsure",
    "nearest": "place_unsure",
}


def _doubt(match: Match) -> str:
    """Return what must be known besides, by the first step that could not be judged."""
    step = next((taken for taken in match.path if taken.possible), match.path[-1])
    if step.mode == "area":
        return "near_border" if step.lines else "place_unsure"
    return _DOUBTS[step.mode]


def _is_sure(decision: Decision) -> bool:
    """Say whether nothing that may be looked up can change the answer."""
    if decision.outcome in ("one", "several"):
        return True
    return decision.outcome == "none" and decision.reason in ("place_closed", "no_edition")


def _told(decision: Decision, *, entry: str) -> Answer:
    where, edition = decision.where, decision.edition
    rows = Facility.objects.select_related("kind").in_bulk({*decision.sites, *decision.possible})
    rules = MatchRule.objects.select_related("target", "street", "committee").in_bulk(decision.lines)
    areas = CatchmentArea.objects.select_related("target").in_bulk(decision.areas)
    called = where.communities
    return Answer(
        outcome=decision.outcome,
        reason=decision.reason,
        address=decision.asked.address,
        label=where.label,
        tokens=where.tokens,
        lon=where.lon,
        lat=where.lat,
        uncertainty_m=where.uncertainty_m,
        district=where.district,
        districts=where.districts,
        street=where.street,
        committee=where.committee,
        community=called[0] if called else "",
        edition=edition,
        match=decision.match,
        places=[rows[site] for site in decision.sites if site in rows],
        possible=[rows[site] for site in decision.possible if site in rows],
        choices=decision.choices,
        rules=[rules[line] for line in decision.lines if line in rules],
        areas=[areas[line] for line in decision.areas if line in areas],
        said=decision.said,
        ask=whom_to_ask(edition, where.district, entry=entry),
    )


def whom_to_ask(edition: CatchmentEdition | None, district: NamedRegion | None, *, entry: str = "") -> Ask:
    """Return whom to ask: the office of the edition, else the one last published in the district, else its name alone."""
    if edition is not None and edition.office:
        return Ask(edition.office, edition.office_phone)
    if district is None:
        return Ask("所在区教育局招生部门")
    rows = CatchmentEdition.objects.filter(district=district.id, state=EditionState.PUBLISHED).exclude(office="")
    newest = rows.order_by("-year", "-from_day", "-number").values_list("office", "office_phone", "entry")
    found = sorted(newest[:12], key=lambda row: row[2] != entry)
    return Ask(*found[0][:2]) if found else Ask(f"{district.name}教育局招生部门")
