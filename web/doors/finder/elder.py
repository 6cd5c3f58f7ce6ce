"""长辈版 of the first door: the nearest five first, in plain words, with two actions each; no map, nothing to swipe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from geo.errors import CityError
from services.access.queries import scope_for
from services.facilities.circle import nearest_by_road
from services.facilities.journeys import Reached
from services.facilities.places import Place
from services.facilities.queries import city_now
from web.doors.finder.asking import Ask, KindChoice, kind_choice
from web.doors.finder.cards import NavigationLink, dialled, navigation
from web.doors.finder.entries import first_app
from web.doors.finder.nearby import straight_nearest
from web.doors.finder.recommended import MOST, RECOMMENDED, recommends_here, suiting_among
from web.doors.finder.shown import Figure, distance, duration, plain_facts, plain_opening
from web.doors.finder.uses import note_list

SHOWN: Final = 5
NEAR: Final = 20
"""Among so many of the nearest those are chosen that suit best."""
SERVICES: Final = (
    "canteen",
    "service_centre",
    "day_care",
    "care_home",
    "elder_home",
    "activity_room",
    "nursing_station",
    "health_centre",
    "pharmacy",
    "market",
    "affairs_centre",
    "childcare",
)


class Service(NamedTuple):
    """A service to change to."""

    key: str
    name: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class PlainRow:
    """A place in the words of 长辈版."""

    place: Place
    url: str
    minutes: Figure | None
    along: Figure
    way: NavigationLink
    recommended: str = ""
    """What speaks for it, of a place that is recommended."""

    @property
    def phone(self) -> str:
        """Return the number to dial."""
        return dialled(self.place.phone)

    @property
    def plain_opening(self) -> str:
        """Return whether it is open, plainly."""
        return plain_opening(self.place.opening)

    @property
    def plain_facts(self) -> str:
        """Return one or two facts, plainly."""
        return plain_facts(self.place)


def elder_page(request: HttpRequest, ask: Ask, candidates: list[Any] | None) -> HttpResponse:
    """Show the list, or the one question that is still open: where, or what."""
    context: dict[str, Any] = {
        "ask": ask,
        "candidates": candidates,
        "change_address_url": _changing(ask, "address"),
        "change_kind_url": _changing(ask, "service"),
        "now": city_now(),
    }
    change = request.GET.get("change")
    if change == "service":
        return render(request, "elder/services.html", context | {"choices": _services(ask)})
    if change == "address" or ask.origin is None or candidates is not None:
        return render(request, "elder/address.html", context)
    rows, said, marked = _nearest(request, ask)
    straight = [] if rows else _straight(request, ask)
    context |= {
        "rows": rows or straight,
        "empty_said": "" if rows else said,
        "by_fit": marked and ask.sort == RECOMMENDED,
        "other_order_url": _other_order(ask) if marked else "",
    }
    return render(request, "elder/list.html", context)


def _other_order(ask: Ask) -> str:
    """Return the address of the same list in the other of its two orders: the nearest, or what suits best."""
    return ask.url(sort="near" if ask.sort == RECOMMENDED else RECOMMENDED)


def _changing(ask: Ask, what: str) -> str:
    url = ask.url(q="")
    return f"{url}{'&' if '?' in url else '?'}change={what}"


def _nearest(request: HttpRequest, ask: Ask) -> tuple[list[PlainRow], str, bool]:
    """Return the nearest, or those of the near ones that suit best; what is said when there are none; whether any is marked."""
    assert ask.origin is not None
    try:
        found = nearest_by_road(
            scope=scope_for(request),
            origin=ask.origin.coordinate,
            mode=ask.mode,
            kinds=ask.kind_keys,
            k=NEAR if recommends_here(request, ask) else SHOWN,
            filters=ask.filters,
        )
    except CityError as error:
        return [], error.message, False
    said = (
        found.empty.message if found.empty else f"走路一小时内没有{ask.kind_name}。请换一个地址，或者拨 12345 问一问。"
    )
    first = first_app(request, ask.kind_keys)
    suiting = suiting_among(request, ask, [one.place.id for one in found.places])
    near = {one.place.id: one for one in found.places}
    ids = [*suiting, *(one for one in near if one not in suiting)] if ask.sort == RECOMMENDED else list(near)
    best = list(suiting)[:MOST]
    rows = [_row(ask, near[one], first, suiting[one] if one in best else "") for one in ids[:SHOWN]]
    note_list(request, [row.place.id for row in rows], [row.place.id for row in rows if row.recommended])
    return rows, said, bool(best)


def _straight(request: HttpRequest, ask: Ask) -> list[PlainRow]:
    """Return the nearest in a straight line, for whoever no street leads anywhere."""
    first = first_app(request, ask.kind_keys)
    return [
        PlainRow(row.place, row.url, None, distance(row.straight_m or 0), navigation(row.place, ask.mode, first)[0])
        for row in straight_nearest(request, ask, SHOWN)
    ]


def _row(ask: Ask, one: Reached, first: str, recommended: str) -> PlainRow:
    way, url = navigation(one.place, ask.mode, first)[0], ask.place_url(one.place.id)
    return PlainRow(one.place, url, duration(one.seconds), distance(one.metres), way, recommended)


def _services(ask: Ask) -> list[Service]:
    choices: list[KindChoice] = [kind_choice(key) for key in SERVICES]
    return [
        Service(choice.key, choice.name, choice.icon, replace(ask, kinds=choice.key, q="", place=None).url())
        for choice in choices
    ]
