"""What 入园 shows of an answer: the kindergartens with the minutes of a pram, why, what else, the map, what now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.html import json_script
from django.utils.safestring import SafeString

from geo.crs import Coordinate, System
from geo.errors import CityError
from services.access.queries import scope_for
from services.catchments.answering import REASONS, Answer
from services.catchments.entries import CHOICES
from services.catchments.models import CatchmentEdition, MatchRule
from services.facilities.circle import Circle, circle
from services.facilities.filters import Filters
from services.facilities.places import Place
from services.facilities.queries import facility_detail
from services.facilities.way import Way, way_to
from web.doors.finder.cards import dialled
from web.doors.finder.shown import Figure, distance, duration

MODE: Final = "pram"
KIND: Final = "kindergarten"
NEAR_MINUTES: Final = 20
OPEN_MINUTES: Final = 30
MOST_NEAR: Final = 4
MOST_OPEN: Final = 12
DEGREES: Final = 6
READ: Final = {
    "district": "区", "street": "街镇", "committee": "居村委", "community": "小区", "road": "路", "lane": "弄",
    "sub_lane": "支弄", "number": "号", "suffix": "附号", "building": "幢", "unit": "单元",
    "floor": "层", "room": "室", "village": "村", "group": "组", "city": "市", "province": "省",
}  # fmt: skip
"""What the pieces of an address are called; others are told as they stand."""
BADGES: Final = {
    "one": ("good", "circle-check", "找到 1 所对口园"),
    "several": ("warn", "list", "有几所可以选"),
    "none": ("warn", "circle-x", "没有对口园"),
    "unclear": ("warn", "circle-help", "地址还要写清楚一点"),
    "unknown": ("warn", "circle-help", "没有认出这个地址"),
}
"""Tone, icon and words of each outcome."""


@dataclass(frozen=True, slots=True)
class School:
    """A kindergarten: what it is in short, and how long it takes with a pram; ``None`` where that is not known."""

    place: Place
    facts: tuple[str, ...]
    seconds: float | None = None
    metres: float | None = None
    rules_url: str = ""

    @property
    def url(self) -> str:
        """Return its page, which knows nothing of the home."""
        return f"/places/{self.place.id}"

    @property
    def minutes(self) -> Figure | None:
        """Return the minutes with a pram along the roads."""
        return None if self.seconds is None else duration(self.seconds)

    @property
    def along(self) -> Figure | None:
        """Return how far it is along the roads."""
        return None if self.metres is None else distance(self.metres)


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer as the page says it."""

    answer: Answer
    schools: tuple[School, ...]
    near: tuple[School, ...]
    listed: tuple[School, ...]
    way: Way | None
    old: bool
    form_url: str = ""

    @property
    def tone(self) -> str:
        """Return the tone of the outcome."""
        return BADGES[self.answer.outcome][0]

    @property
    def icon(self) -> str:
        """Return the icon of the outcome."""
        return BADGES[self.answer.outcome][1]

    @property
    def badge(self) -> str:
        """Return the outcome in words."""
        count = len(self.schools)
        return (
            f"有 {count} 所可以选" if self.answer.outcome == "several" and count > 1 else BADGES[self.answer.outcome][2]
        )

    @property
    def reason(self) -> str:
        """Return why, in a few words."""
        return REASONS[self.answer.reason]

    @property
    def sorts(self) -> list[str]:
        """Return the sorts of kindergartens one may choose among."""
        return [CHOICES[choice] for choice in self.answer.choices]

    @property
    def tokens(self) -> list[tuple[str, str]]:
        """Return what was read of the address: what it is, and what was written."""
        return [(READ.get(token.kind, ""), token.written) for token in self.answer.tokens]

    @property
    def dial(self) -> str:
        """Return the number of whom to ask."""
        return dialled(self.answer.ask.phone)

    @property
    def compare_url(self) -> str:
        """Return the page that puts up to three of the kindergartens side by side."""
        ids = ",".join(str(school.place.id) for school in self.schools[:3])
        return f"/places/compare?ids={ids}" if len(self.schools) > 1 else ""

    @property
    def rules(self) -> list[tuple[MatchRule, str]]:
        """Return the rules that decided, each in words."""
        return [(rule, rule_said(rule)) for rule in self.answer.rules]

    @property
    def rules_url(self) -> str:
        """Return the page with the whole text of the rules; of the kindergarten, where there is one."""
        edition = self.answer.edition
        if edition is None:
            return ""
        one = f"?place={self.schools[0].place.id}" if len(self.schools) == 1 else ""
        return f"/enrol/rules/{edition.pk}{one}"

    @property
    def island(self) -> SafeString | str:
        """Return what the map draws, '' where there is nothing to draw."""
        answer = self.answer
        if answer.lon is None or answer.lat is None:
            return ""
        data: dict[str, Any] = {
            "home": [round(answer.lon, DEGREES), round(answer.lat, DEGREES)],
            "areas": [_outline(area.geom.json) for area in answer.areas],
            "places": [
                {"name": one.place.name, "point": [round(one.place.lon, DEGREES), round(one.place.lat, DEGREES)]}
                for one in (*self.schools, *self.listed)
            ],
            "line": self.way.line.round(DEGREES).tolist() if self.way else [],
        }
        return json_script(data, "enrol-answer")


def _outline(text: str) -> Any:
    return json.loads(text, parse_float=lambda number: round(float(number), DEGREES))


def rule_said(rule: MatchRule) -> str:
    """Return what a rule speaks of, as the district wrote it."""
    if rule.written:
        return rule.written
    where = "".join(filter(None, [getattr(rule, "street_name", ""), getattr(rule, "committee_name", "")]))
    return " ".join(filter(None, [where, rule.community])) or "全区"


def shown(request: HttpRequest, answer: Answer, newest: int | None, year: int) -> Shown:
    """Return an answer with the kindergartens as they are today and the ways there from the home."""
    home = None
    if answer.lon is not None and answer.lat is not None:
        home = Coordinate(answer.lon, answer.lat, System.CGCS2000)
    ways = {place.pk: _way(request, home, place.pk) for place in answer.places}
    schools = [
        found for place in answer.places if (found := _school(request, place.pk, ways[place.pk], answer.edition))
    ]
    around = _around(request, home, OPEN_MINUTES if answer.choices else NEAR_MINUTES)
    known = {school.place.id for school in schools}
    others = [school for school in around if school.place.id not in known]
    return Shown(
        answer=answer,
        schools=tuple(sorted(schools, key=lambda one: (one.seconds is None, one.seconds or 0, one.place.name))),
        near=() if answer.choices else tuple(one for one in others if _sort(one.place) == "private")[:MOST_NEAR],
        listed=tuple(one for one in others if _sort(one.place) in answer.choices)[:MOST_OPEN],
        way=ways[schools[0].place.id] if len(schools) == 1 else None,
        old=newest is not None and year < newest,
        form_url=_form_url(answer, newest, year),
    )


def _school(request: HttpRequest, place_id: int, way: Way | None, edition: CatchmentEdition | None) -> School | None:
    try:
        place = facility_detail(place_id, scope=scope_for(request)).place
    except CityError:
        return None
    reached = way.reached if way else None
    return School(
        place, facts_of(place), reached.seconds if reached else None, reached.metres if reached else None,
        f"/enrol/rules/{edition.pk}?place={place_id}" if edition else "",
    )  # fmt: skip


def _way(request: HttpRequest, home: Coordinate | None, place_id: int) -> Way | None:
    """Return the way of a pram, ``None`` where there is none: a straight line is no walk."""
    if home is None:
        return None
    try:
        return way_to(scope=scope_for(request), origin=home, place_id=place_id, mode=MODE)
    except CityError:
        return None


def _around(request: HttpRequest, home: Coordinate | None, minutes: int) -> list[School]:
    """Return the open kindergartens that a pram reaches, the nearest first."""
    if home is None:
        return []
    try:
        found: Circle = circle(
            scope=scope_for(request),
            origin=home,
            minutes=minutes,
            mode=MODE,
            kinds=(KIND,),
            filters=Filters(),
            bands=False,
        )
    except CityError:
        return []
    return [School(one.place, facts_of(one.place), one.seconds, one.metres) for one in _nearest(found.places)]


def _nearest(places: Iterable[Any]) -> list[Any]:
    return sorted(places, key=lambda one: (one.seconds, one.place.id))


def facts_of(place: Place) -> tuple[str, ...]:
    """Return what a kindergarten is in two or three words: 公办, 一级园, and 普惠 of a private one."""
    said = dict(place.said())
    facts = [said.get("性质", ""), said.get("等级", "")]
    if _sort(place) == "private" and place.attributes.get("inclusive"):
        facts.append("普惠")
    if place.status != "open":
        facts.append(place.status_name)
    return tuple(filter(None, facts))


def _sort(place: Place) -> str:
    return str(place.attributes.get("ownership", ""))


def _form_url(answer: Answer, newest: int | None, year: int) -> str:
    """Return where the form of enrolment is begun; '' for an old year and where no kindergarten was found."""
    if answer.district is None or newest is None or year < newest or answer.outcome not in ("one", "several"):
        return ""
    entry = "permit" if answer.edition and answer.edition.entry == "elsewhere" else "local"
    return f"/forms/enrolment?{urlencode({'entry': entry, 'region': answer.district.code})}"


def with_labels(candidates: Sequence[Any]) -> list[tuple[str, str]]:
    """Return the candidates of the search box as addresses to ask again: the whole one, and its note."""
    found: dict[str, str] = {}
    for one in candidates:
        if one.place or one.origin is None:
            continue
        district = one.note.split("区", 1)[0] + "区" if "区" in one.note else ""
        label = one.label if not district or one.label.startswith(district) else f"{district.strip()}{one.label}"
        found.setdefault(label, one.note)
    return list(found.items())
