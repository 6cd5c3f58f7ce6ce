"""All that a page says of one place: facts with their dates, a phone link, and navigation links in each app's datum."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.utils.html import json_script
from django.utils.safestring import SafeString

from geo.crs import CITIES, Coordinate, System
from geo.crs.navigation import navigation_links
from geo.errors import CityError
from services.access.queries import scope_for
from services.facilities.navigation import NAVIGATION_APPS
from services.facilities.places import Place
from services.facilities.queries import Detail
from services.facilities.vacancies import REPORTED_BY
from services.facilities.way import Way, way_to
from web.doors.finder.asking import Ask
from web.doors.finder.entries import first_app
from web.doors.finder.shown import Row, distance

LINE_DECIMALS: Final = 6
CAPACITY_NAMES: Final = {"childcare": "托位", "preschool": "学位", "eldercare": "名额"}


class NavigationLink(NamedTuple):
    """A link that opens a map app at a place."""

    name: str
    url: str


class Fact(NamedTuple):
    """One line of a card; ``open`` colours its first ``word``; ``as_of`` says since when it is known."""

    label: str
    lines: list[str]
    as_of: str = ""
    word: str = ""
    open: bool | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One place as its card and its page show it."""

    detail: Detail
    row: Row
    navigation: list[NavigationLink]
    facts: list[Fact]
    close_url: str
    way: Way | None

    @property
    def place(self) -> Place:
        """Return the place itself."""
        return self.detail.place

    @property
    def url(self) -> str:
        """Return the address of the place's own page."""
        return self.row.url

    @property
    def way_json(self) -> SafeString | str:
        """Return the line of the way as data for the map, empty when there is none."""
        if self.way is None:
            return ""
        return json_script({"place": self.place.id, "line": self.way.line.round(LINE_DECIMALS).tolist()}, "way")

    @property
    def steps(self) -> list[str]:
        """Return the way step by step in words, from the door to the place; none when there is no way."""
        if self.way is None:
            return []
        parts = [f"{step.said}{'，' if at else ''}走 {distance(step.metres)}" for at, step in enumerate(self.way.steps)]
        return [*parts, f"到{self.place.name}"]

    @property
    def phone(self) -> str:
        """Return the number to dial: the first one written, with nothing but what a phone understands."""
        return dialled(self.place.phone)

    @property
    def tags(self) -> list[str]:
        """Return what else is said beside the kind: who runs it, and a status other than open."""
        words = [words for label, words in self.detail.said if label == "性质"]
        if self.place.status != "open":
            words.append(self.place.status_name)
        return words

    @property
    def known(self) -> str:
        """Return since when, and from whom, all facts without a date of their own are known."""
        dated = f"资料{since(self.place.as_of)}" if self.place.as_of else "资料没有注明日期"
        return f"{dated} · {self.detail.source}" if self.detail.source else dated

    @property
    def capacity_name(self) -> str:
        """Return the word for one place to be had here."""
        return CAPACITY_NAMES.get(self.place.group, "名额")

    @property
    def used(self) -> int | None:
        """Return how many places are taken, when both figures are known."""
        free = self.place.vacancies.count
        return None if free is None or self.place.places is None else max(0, self.place.places - free)

    @property
    def vacancies_as_of(self) -> str:
        """Return when the vacancies were reported."""
        as_of = self.place.vacancies.as_of
        if as_of is None:
            return ""
        return f"{as_of.month}月{as_of.day}日 {as_of:%H:%M}" if self.place.vacancies.fresh else day(as_of)

    @property
    def vacancies_by(self) -> str:
        """Return who reported the vacancies."""
        return REPORTED_BY.get(self.place.vacancies.source, "来源未注明")


def make_card(request: HttpRequest, detail: Detail, row: Row, ask: Ask, way: Way | None = None) -> Card:
    """Return the card of a place for somebody who asked ``ask``; with a way there, the card carries its line for the map."""
    return Card(
        detail=detail,
        row=row,
        navigation=navigation(detail.place, ask.mode, first_app(request, (detail.place.kind,))),
        facts=facts_of(detail, row, ask),
        close_url=ask.url(place=None),
        way=way,
    )


def way_for(request: HttpRequest, place_id: int, ask: Ask) -> Way | None:
    """Return the way to a place; ``None`` from nowhere, or when there is none: the place is worth showing all the same."""
    if ask.origin is None:
        return None
    try:
        return way_to(scope=scope_for(request), origin=ask.origin.coordinate, place_id=place_id, mode=ask.mode)
    except CityError:
        return None


def row_of(detail: Detail, way: Way | None, ask: Ask) -> Row:
    """Return a place that is not in the list as a row: how far it is when there is a way to it."""
    url = ask.place_url(detail.place.id)
    if way is None:
        return Row(detail.place, url)
    return Row(detail.place, url, 0, way.reached.seconds, way.reached.metres, way.reached.straight_m)


def navigation(place: Place, mode: str, first: str) -> list[NavigationLink]:
    """Return the links to every map app, the one with the key ``first`` before the others."""
    point = Coordinate(place.lon, place.lat, System.CGCS2000)
    links = navigation_links(place.name, point, mode, region=CITIES[settings.CITY].name.removesuffix("市"))
    order = sorted(NAVIGATION_APPS, key=lambda app: app != first)
    return [NavigationLink(NAVIGATION_APPS[app], links[app]) for app in order]


def facts_of(detail: Detail, row: Row, ask: Ask) -> list[Fact]:
    """Return what is known of a place; a fact of another day than the rest says its own."""
    place = detail.place
    facts = []
    if detail.week:
        word = row.open_word
        facts.append(
            Fact(
                "开放时间",
                [f"{row.open_note}", *[f"{days} {hours}" for days, hours in detail.week]],
                since(place.hours_as_of) if place.hours_as_of != place.as_of else "",
                word,
                place.opening.open,
            )
        )
    else:
        facts.append(Fact("开放时间", ["没有登记，去之前先打个电话"]))
    if row.along and row.straight:
        facts.append(Fact(f"{ask.traveller.phrase}", [f"{row.minutes}，沿路 {row.along}，直线 {row.straight}"]))
    elif row.straight:
        facts.append(Fact("距离", [f"离这个点直线 {row.straight}"]))
    facts += [Fact(label, [words]) for label, words in spoken(detail)]
    if detail.organisation:
        facts.append(Fact("主办", [detail.organisation]))
    facts.append(Fact("地址", [place.address or "没有登记"]))
    facts.append(Fact("电话", [place.phone or "没有登记"]))
    return facts


def spoken(detail: Detail) -> list[tuple[str, str]]:
    """Return the declared attributes in words, the two ends of a range on one line and fees with their period."""
    said = detail.place.attributes
    lines = [
        (label, words)
        for label, words in detail.said
        if label not in {"性质", "收托月龄起", "收托月龄止", "每月收费起", "每月收费止"}
    ]
    ages, fees = _range(said, "age_from_months", "age_to_months"), _range(said, "fee_from_yuan", "fee_to_yuan")
    if fees:
        lines.insert(0, ("费用", f"每月 {fees} 元"))
    if ages:
        lines.insert(0, ("适合月龄", f"{ages} 个月"))
    return lines


def _range(said: object, low: str, high: str) -> str:
    assert hasattr(said, "get")
    ends = [str(said.get(key)) for key in (low, high) if said.get(key) is not None]
    return "–".join(dict.fromkeys(ends))


def since(known: dt.date | None) -> str:
    """Return the day a fact is known of, in short."""
    return f"截至 {day(known)}" if known else ""


def day(moment: dt.date) -> str:
    """Return a day as people say it; another year is named."""
    year = "" if moment.year == dt.date.today().year else f"{moment.year}年"
    return f"{year}{moment.month}月{moment.day}日"


def dialled(written: str) -> str:
    """Return the first phone number of a text as digits, with a leading + if there is one; empty when there is none."""
    first = re.split(r"[,，;；、/]|转", written)[0]
    digits = re.sub(r"[^\d+]", "", first)
    return digits if len(digits) >= 3 else ""
