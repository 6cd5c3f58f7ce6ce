"""A place in the words and figures of a page: what a row of the list, a card and a pin say. The list and the map share it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from services.facilities.hours import Opening
from services.facilities.kinds import kind_of
from services.facilities.places import Place

FAR_M: Final = 1000.0
STEP_M: Final = 5


class Figure(NamedTuple):
    """A number and its unit, such as 245 and 米."""

    number: str
    unit: str

    def __str__(self) -> str:
        return f"{self.number} {self.unit}"


class Tag(NamedTuple):
    """A status: its tone, its icon and its word, so that colour is never the only cue; ``since`` says as of when."""

    tone: str
    icon: str
    text: str
    since: str


def distance(metres: float) -> Figure:
    """Return a distance as people say it: to 5 m under a kilometre, else to 0.1 km."""
    rounded = STEP_M * round(metres / STEP_M)
    if rounded < FAR_M:
        return Figure(f"{max(STEP_M, rounded)}", "米")
    return Figure(f"{metres / 1000:.1f}", "公里")


def duration(seconds: float) -> Figure:
    """Return a time in whole minutes, rounded up, at least one."""
    return Figure(str(max(1, math.ceil(seconds / 60 - 1e-6))), "分钟")


@dataclass(frozen=True, slots=True)
class Row:
    """One place in a list: ``rank`` is also the number of its pin. Times and distances are absent where nobody travels.

    ``recommended`` says what speaks for a place that is recommended, '' for all others.
    """

    place: Place
    url: str
    rank: int = 0
    seconds: float | None = None
    metres: float | None = None
    straight_m: float | None = None
    recommended: str = ""

    @property
    def minutes(self) -> Figure | None:
        """Return the minutes it takes to get there."""
        return None if self.seconds is None else duration(self.seconds)

    @property
    def along(self) -> Figure | None:
        """Return how far it is along the streets."""
        return None if self.metres is None else distance(self.metres)

    @property
    def straight(self) -> Figure | None:
        """Return how far it is in a straight line."""
        return None if self.straight_m is None else distance(self.straight_m)

    @property
    def facts(self) -> str:
        """Return the second line of a row."""
        return " · ".join(self.place.facts())

    @property
    def vacancy(self) -> Tag | None:
        """Return the vacancies as a tag, with the day they were reported."""
        said = self.place.vacancies
        if not said.text:
            return None
        if not said.fresh:
            return Tag("warn", "clock", said.text, said.said.replace("上次更新", "上次"))
        if said.count:
            return Tag("good", "check", said.text, said.said)
        return Tag("", "x", said.text, said.said)

    @property
    def is_full(self) -> bool:
        """Say whether a fresh report says that nothing is free."""
        return self.place.vacancies.fresh and self.place.vacancies.count == 0

    @property
    def is_quiet(self) -> bool:
        """Say whether the pin is grey: full, or shut today."""
        return self.is_full or self.place.status != "open"

    @property
    def open_word(self) -> str:
        """Return 营业中, 未营业 or nothing when the hours are unknown."""
        return {True: "营业中", False: "未营业", None: ""}[self.place.opening.open]

    @property
    def open_note(self) -> str:
        """Return until when it is open, or when it opens next."""
        opening = self.place.opening
        if opening.open and opening.until is None:
            return "全天"
        return {True: until_text(opening), False: next_text(opening).replace(" 开门", " 开"), None: ""}[opening.open]

    def pin(self) -> dict[str, Any]:
        """Return what the map needs for this row."""
        return {
            "rank": self.rank,
            "id": self.place.id,
            "name": self.place.name,
            "lon": round(self.place.lon, 6),
            "lat": round(self.place.lat, 6),
            "quiet": self.is_quiet,
            "recommended": bool(self.recommended),
            "minutes": self.minutes.number if self.minutes else None,
        }


def until_text(opening: Opening) -> str:
    """Return 至 18:00, the tail of what the opening says of itself."""
    return opening.text.partition(" ")[2]


def next_text(opening: Opening) -> str:
    """Return 明天 08:00 开门."""
    return opening.text.partition(" ")[2]


def plain_opening(opening: Opening) -> str:
    """Return the opening in the words of 长辈版: 开着，到 18:30."""
    if opening.open is None:
        return "开门时间没登记，去之前先打电话"
    if opening.open:
        return "全天开着" if opening.until is None else f"开着，到 {until_text(opening).removeprefix('至 ')}"
    tail = next_text(opening).replace(" 开门", " 开")
    return f"现在关着，{tail}" if tail else "现在关着"


def plain_facts(place: Place) -> str:
    """Return one or two facts in the words of 长辈版."""
    said = place.attributes
    facts = []
    if said.get("meal_price_yuan"):
        facts.append(f"一餐 {said['meal_price_yuan']} 元起")
    if said.get("delivers"):
        facts.append("可以送到家")
    if said.get("step_free"):
        facts.append("门口没有台阶")
    return "，".join(facts[:2]) or kind_of(place.kind).name
