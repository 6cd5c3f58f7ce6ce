"""What somebody asks the first door, read from the address of the page and written back into it: the address is the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from geo.addresses.positions import position
from geo.crs import CITIES, Coordinate, System
from geo.errors import BadInput, CityError
from services.facilities.filters import Filters, filter_params, read_filters
from services.facilities.kinds import GROUPS, kinds_named, kinds_of_group, known_kind, spoken_kinds

MINUTES: Final = (5, 10, 15, 20, 30)
LONGEST_LABEL: Final = 80
LONGEST_TEXT: Final = 200
SPELT: Final = frozenset({"kinds", "minutes", "mode"})


class Traveller(NamedTuple):
    """A way of travelling in people's words: its name, its icon, and the sentence 走路 6 分钟 begins with."""

    key: str
    name: str
    icon: str
    verb: str
    phrase: str


TRAVELLERS: Final = (
    Traveller("walk", "成人", "footprints", "走路", "步行"),
    Traveller("elder", "老人", "elder", "走路", "老人步行"),
    Traveller("pram", "推婴儿车", "pram", "推车", "推婴儿车"),
    Traveller("wheelchair", "轮椅", "accessibility", "轮椅", "坐轮椅"),
    Traveller("bicycle", "骑车", "bike", "骑车", "骑车"),
    Traveller("car", "驾车", "car", "开车", "驾车"),
)
TRAVELLER: Final = {traveller.key: traveller for traveller in TRAVELLERS}

SORTS: Final = {"near": "近的优先", "recommended": "合适的优先", "vacancy": "余位多的优先", "name": "按名称"}


class KindChoice(NamedTuple):
    """One thing to look for: a group or a kind by key, with its name and icon."""

    key: str
    name: str
    icon: str


KindMenu = tuple[tuple[str, tuple[KindChoice, ...]], ...]
"""Kinds by the name of their group."""

QUICK_KINDS: Final = (
    KindChoice("childcare", "托育", "baby"),
    KindChoice("preschool", "幼儿园", "school"),
    KindChoice("canteen", "长者食堂", "utensils"),
)


class Theme(NamedTuple):
    """The map seen by one group of people (专题): its page, what it looks for unless told otherwise, and the kinds it offers."""

    key: str
    path: str
    title: str
    kinds: str
    mode: str
    quick: tuple[KindChoice, ...]
    groups: tuple[str, ...]


THEMES: Final = {
    theme.key: theme
    for theme in (
        Theme("", "/", "找服务", "childcare", "walk", QUICK_KINDS, tuple(GROUPS)),
        Theme(
            "elder",
            "/elder",
            "养老一张图",
            "eldercare",
            "elder",
            (
                KindChoice("eldercare", "养老", "heart-handshake"),
                KindChoice("canteen", "长者食堂", "utensils"),
                KindChoice("day_care", "日间照护", "sun"),
            ),
            ("eldercare", "civic"),
        ),
    )
}


class Origin(NamedTuple):
    """Where the search begins, in CGCS2000 degrees."""

    lon: float
    lat: float

    @property
    def coordinate(self) -> Coordinate:
        """Return the origin as a coordinate that knows its system."""
        return Coordinate(self.lon, self.lat, System.CGCS2000)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the first door. ``kinds`` is one group or kind; ``fault`` says why a part of it could not be read."""

    origin: Origin | None = None
    at: str = ""
    q: str = ""
    kinds: str = "childcare"
    minutes: int = 15
    mode: str = "walk"
    sort: str = "near"
    place: int | None = None
    filters: Filters = field(default_factory=Filters)
    fault: str = ""
    theme: str = ""
    spelt: bool = False
    """Whether its address says what is as usual too: 长辈版 of the first door takes other things for granted."""

    @property
    def page(self) -> Theme:
        """Return the theme whose page answers this question."""
        return THEMES[self.theme]

    @property
    def kind_keys(self) -> tuple[str, ...]:
        """Return the keys of the kinds that are looked for."""
        return kinds_named(self.kinds)

    @property
    def kind_name(self) -> str:
        """Return what is looked for in people's words."""
        return spoken_kinds(self.kind_keys)

    @property
    def traveller(self) -> Traveller:
        """Return who travels."""
        return TRAVELLER[self.mode]

    @property
    def where(self) -> str:
        """Return the words for the origin."""
        return self.at or ("地图上选的位置" if self.origin else "")

    def params(self) -> dict[str, str]:
        """Return the question as the parameters of an address; what is as usual is left out."""
        usual = Ask(kinds=self.page.kinds, mode=self.page.mode)
        params: dict[str, str] = {"theme": self.theme} if self.theme else {}
        if self.origin:
            params |= {"lon": f"{self.origin.lon:.6f}", "lat": f"{self.origin.lat:.6f}"}
        for key in ("at", "q", "kinds", "minutes", "mode", "sort", "place"):
            value = getattr(self, key)
            said = value != getattr(usual, key) or (self.spelt and key in SPELT)
            if value is not None and said:
                params[key] = str(value)
        return params | self.filter_params()

    def filter_params(self) -> dict[str, str]:
        """Return the filters as parameters."""
        return self.filters.params()

    def url(self, path: str = "", **changes: Any) -> str:
        """Return the address of the page that answers this question with some parts changed; ``path`` is another page."""
        params = replace(self, **changes).params() if changes else self.params()
        if not path:
            params.pop("theme", None)
            path = self.page.path
        query = urlencode(params)
        return f"{path}?{query}" if query else path

    def place_url(self, place_id: int) -> str:
        """Return the address of a place's page that remembers from where and how one goes there."""
        return self.url(f"/places/{place_id}", place=None, q="")

    def place_urls(self, ids: Iterable[int]) -> dict[int, str]:
        """Return the addresses of the pages of many places by id, put together once for all of them."""
        _, mark, query = self.place_url(0).partition("?")
        return {place_id: f"/places/{place_id}{mark}{query}" for place_id in ids}


def read_ask(query: QueryDict | Mapping[str, str], *, elder: bool = False, theme: str = "") -> Ask:
    """Return the question an address holds. A part that cannot be meant is left as usual and named in ``fault``."""
    page = THEMES.get(theme or query.get("theme") or "", THEMES[""])
    usual = Ask(kinds=page.kinds, mode=page.mode)
    spelt = elder and not page.key
    if spelt:
        usual = Ask(kinds="canteen", mode="elder", minutes=30)
    faults: list[str] = []
    origin, said = _origin(query)
    faults.append(said)
    filters, wrong = read_filters({key: said_of(query, key) for key in filter_params()}, timezone.localdate())
    faults += [error.message for error in wrong]
    kinds = query.get("kinds") or usual.kinds
    try:
        kinds_named(kinds)
    except CityError:
        faults.append(f"没有这个类别，先为您看{spoken_kinds(kinds_named(usual.kinds))}。")
        kinds = usual.kinds
    minutes, said = _minutes(query.get("minutes"), usual.minutes)
    faults.append(said)
    mode, sort = query.get("mode") or usual.mode, query.get("sort") or "near"
    return Ask(
        origin=origin,
        at=(query.get("at") or "").strip()[:LONGEST_LABEL],
        q=(query.get("q") or "").strip()[:LONGEST_TEXT],
        kinds=kinds,
        minutes=minutes,
        mode=mode if mode in TRAVELLER else usual.mode,
        sort=sort if sort in SORTS else "near",
        place=_number(query.get("place")),
        filters=filters,
        fault=" ".join(fault for fault in faults if fault),
        theme=page.key,
        spelt=spelt,
    )


def said_of(query: QueryDict | Mapping[str, str], key: str) -> list[str]:
    """Return every value the address gives a parameter."""
    return query.getlist(key) if isinstance(query, QueryDict) else [query[key]] if key in query else []


def kind_menu(theme: str = "") -> KindMenu:
    """Return the kinds a theme offers by group for the menu 更多; a group of several kinds can be chosen whole."""
    menu = []
    for group in THEMES[theme].groups:
        members = [KindChoice(kind.key, kind.name, kind.icon) for kind in kinds_of_group(group)]
        if len(members) > 1:
            members.insert(0, KindChoice(group, f"全部{GROUPS[group]}", "layers"))
        menu.append((GROUPS[group], tuple(members)))
    return tuple(menu)


def kind_choice(word: str, theme: str = "") -> KindChoice:
    """Return the choice of a group or a kind."""
    for choice in THEMES[theme].quick:
        if choice.key == word:
            return choice
    if kind := known_kind(word):
        return KindChoice(word, kind.name, kind.icon)
    return KindChoice(word, spoken_kinds(kinds_named(word)), "layers")


def _origin(query: QueryDict | Mapping[str, str]) -> tuple[Origin | None, str]:
    """Return the origin in CGCS2000, whatever declared system it was given in, and what is wrong with it."""
    lon, lat = query.get("lon"), query.get("lat")
    if not lon or not lat:
        return None, ""
    try:
        point = position(float(lon), float(lat), query.get("crs") or System.CGCS2000, CITIES[settings.CITY])
    except ValueError:
        return None, "位置读不懂。请输入路名、小区名，或在地图上点一下。"
    except BadInput as error:
        return None, error.message
    return Origin(point.x, point.y), ""


def _minutes(said: str | None, usual: int) -> tuple[int, str]:
    number = _number(said)
    if not said:
        return usual, ""
    if number in MINUTES:
        return number, ""
    return usual, f"时间可选 {'、'.join(str(minutes) for minutes in MINUTES)} 分钟，先按 {usual} 分钟为您查。"


def _number(said: str | None) -> int | None:
    return int(said) if said and said.isascii() and said.isdecimal() and len(said) < 19 else None
