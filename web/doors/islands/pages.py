"""尚岛服务一张图 for visitors: layers to combine, guesthouses to choose, one answer for list and map; how well all is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.errors import BadInput, NotFound
from services.access.queries import scope_for
from services.facilities.kinds import kind_of
from services.facilities.places import Place
from services.facilities.queries import facility_detail
from services.modules.finder.models import Act
from services.modules.islands.queries import (
    TYPES,
    Found,
    Pin,
    Question,
    Standing,
    find_places,
    keeps_islands,
    layers_shown,
    places_of,
    quality,
    standings,
    towns,
)
from services.modules.islands.words import BY_KEY, DISTRICT, FACILITIES, LODGING, PRESETS, PRICES, ROOMS, STALE_DAYS
from web.doors.common.desk_map import map_context
from web.doors.finder.asking import read_ask
from web.doors.finder.cards import dialled, make_card
from web.doors.finder.one_place import photos_of
from web.doors.finder.shown import Figure, Row, distance
from web.doors.finder.uses import note_place

PAGE: Final = 20
BOX: Final = "121.16,31.27,121.99,31.88"
"""The islands, where the map begins: west, south, east, north."""
TYPE_NAMES: Final = dict(TYPES.choices) if TYPES else {}


class Combination(NamedTuple):
    """A combination of layers on offer: its name, its address, whether it is the chosen one."""

    title: str
    url: str
    on: bool


@dataclass(frozen=True, slots=True)
class Switch:
    """A layer as a switch: how many places it has by the same question, and whether it is on."""

    layer: Standing
    count: int
    on: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A place of the list: its layer, what it offers in words, how far it is."""

    place: Place
    layer: Standing
    far: Figure | None = None

    @property
    def url(self) -> str:
        """Return the address of its page."""
        return reverse("place", args=[self.place.id])

    @property
    def facts(self) -> list[str]:
        """Return what it says first: type, rooms and price of a guesthouse; of others the first two things."""
        said = self.place.attributes
        if self.place.kind not in BY_KEY[LODGING].kinds:
            return [kind_of(self.place.kind).name, *(f"{label} {words}" for label, words in self.place.said()[:2])]
        return [*_lodging_facts(said)]

    @property
    def offers(self) -> list[str]:
        """Return the facilities it has."""
        if self.place.kind not in BY_KEY[LODGING].kinds:
            return []
        return [words for key, words in FACILITIES.items() if self.place.attributes.get(key) is True]


def _lodging_facts(said: Any) -> Iterator[str]:
    yield TYPE_NAMES.get(str(said.get("lodging_type")), "类型没有登记")
    if said.get("grade"):
        yield str(said["grade"])
    if said.get("rooms"):
        yield f"客房 {said['rooms']} 间"
    if said.get("night_from_yuan"):
        yield f"每晚 {said['night_from_yuan']:g} 元起"


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the island's places of the chosen layers as a list and on the map; the address is the choice."""
    scope, shown = scope_for(request), layers_shown()
    question, fault = read_question(request.GET, shown)
    try:
        found = find_places(question, scope=scope)
    except BadInput as wrong:
        fault, question = wrong.message, Question(layers=question.layers)
        found = find_places(question, scope=scope)
    number = _number(request.GET.get("page")) or 1
    part = found.pins[(number - 1) * PAGE : number * PAGE]
    by_key = {one.key: one for one in shown}
    layer_of = {pin.id: by_key[pin.layer] for pin in found.pins}
    lines = [
        Line(place, layer_of[place.id], distance(found.metres[place.id]) if place.id in found.metres else None)
        for place in places_of(part, scope=scope)
    ]
    context = {
        "switches": [Switch(one, found.counts[one.key], one.key in question.layers) for one in shown],
        "presets": list(_combinations(question, shown)),
        "question": question,
        "types": TYPE_NAMES.items(),
        "facilities": FACILITIES.items(),
        "prices": PRICES,
        "rooms": ROOMS,
        "towns": [(one.code, one.name) for one in towns()],
        "lines": lines,
        "total": len(found.pins),
        "cut": found.cut,
        "first": (number - 1) * PAGE + 1,
        "before_url": _url(question, page=number - 1) if number > 1 else "",
        "next_url": _url(question, page=number + 1) if number * PAGE < len(found.pins) else "",
        "share_url": request.build_absolute_uri(_url(question)),
        "answer": _answer(found, shown),
        "fault": fault,
        "keeps": keeps_islands(scope),
        "island_box": BOX,
        **map_context(),
    }
    fragment = request.headers.get("X-Fragment") == "finder"
    response = render(request, "islands/finder.html" if fragment else "islands/page.html", context)
    response["Vary"] = "X-Fragment, Cookie"
    return response


@never_cache
@require_safe
def place_card(request: HttpRequest, place_id: int) -> HttpResponse:
    """Return the card of a place of the island as a fragment for the map. Raises ``NotFound``."""
    detail = facility_detail(place_id, scope=scope_for(request))
    place = detail.place
    layer = next((one for one in layers_shown() if place.kind in one.declared.kinds), None)
    if layer is None or place.region is None or f".{DISTRICT}." not in place.region.path:
        raise NotFound("facility_unknown", "这一家不在尚岛一张图上。")
    note_place(request, Act.DETAIL, place)
    card = make_card(request, detail, Row(place, ""), read_ask({}))
    context = {"line": Line(place, layer), "card": card, "photos": photos_of(card)[:1], "phone": dialled(place.phone)}
    return render(request, "islands/card.html", context)


@never_cache
@require_safe
def quality_page(request: HttpRequest) -> HttpResponse:
    """Show how many places each layer and town has, how much they say, when they were confirmed, and what is to be confirmed."""
    report = quality(scope=scope_for(request))
    context = {"report": report, "stale_days": STALE_DAYS, "keeps": keeps_islands(scope_for(request))}
    return render(request, "islands/quality.html", context)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain the map to visitors and the management of layers to staff."""
    return render(request, "help/islands.html", {"layers": standings()})


def read_question(said: QueryDict, shown: list[Standing]) -> tuple[Question, str]:
    """Return the question an address asks, and what of it could not be read; without a word of layers all are on."""
    keys = [one.key for one in shown]
    chosen = [key for key in keys if key in said.getlist("on")] if "on" in said or "set" in said else keys
    near, fault = _near(said)
    known = {one.code for one in towns()}
    question = Question(
        layers=tuple(chosen),
        q=said.get("q", "").replace("\x00", "").strip()[:60],
        town=said.get("town", "") if said.get("town", "") in known else "",
        types=tuple(key for key in TYPE_NAMES if key in said.getlist("type")),
        facilities=tuple(key for key in FACILITIES if key in said.getlist("has")),
        most_yuan=_number(said.get("most")),
        least_rooms=_number(said.get("rooms")),
        near=near,
    )
    return question, fault


def _near(said: QueryDict) -> tuple[tuple[float, float] | None, str]:
    asked = read_ask({name: said.get(name, "") for name in ("lon", "lat", "crs")})
    if asked.origin is None:
        return None, "没有读懂您的位置，先按名称为您排。" if said.get("lon") else ""
    return (asked.origin.lon, asked.origin.lat), ""


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else None


def _url(question: Question, **more: int) -> str:
    """Return the address of a question; never with somebody's position."""
    pairs: list[tuple[str, Any]] = [("set", 1), *(("on", key) for key in question.layers)]
    pairs += [("q", question.q), ("town", question.town), *(("type", key) for key in question.types)]
    pairs += [
        *(("has", key) for key in question.facilities),
        ("most", question.most_yuan),
        ("rooms", question.least_rooms),
    ]
    pairs += [(name, value) for name, value in more.items() if value > 1]
    return f"{reverse('islands')}?{urlencode([(name, value) for name, value in pairs if value])}"


def _combinations(question: Question, shown: list[Standing]) -> Iterator[Combination]:
    keys = tuple(one.key for one in shown)
    every = Question(layers=keys, q=question.q, town=question.town)
    yield Combination("全部", _url(every), set(question.layers) == set(keys))
    for preset in PRESETS:
        layers = tuple(key for key in keys if key in preset.layers)
        if layers:
            asked = Question(
                layers=layers, q=question.q, town=question.town, types=question.types, facilities=question.facilities,
                most_yuan=question.most_yuan, least_rooms=question.least_rooms,
            )  # fmt: skip
            yield Combination(preset.title, _url(asked), set(question.layers) == set(layers))


def _answer(found: Found, shown: list[Standing]) -> dict[str, Any]:
    """Return the answer as the map draws it: the same places as the list, each with the number of its layer."""
    at = {one.key: number for number, one in enumerate(shown)}
    return {
        "layers": [{"key": one.key, "title": one.title, "pin": one.pin} for one in shown],
        "pins": [_pin(one, at) for one in found.pins],
    }


def _pin(one: Pin, at: dict[str, int]) -> list[Any]:
    return [one.id, round(one.lon, 6), round(one.lat, 6), at[one.layer], one.name]
