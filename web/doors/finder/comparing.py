"""Up to three places side by side: the same facts in the same order, what differs marked; in the address, without script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.errors import NotFound
from services.access.queries import scope_for
from services.facilities.known import UNKNOWN, Known, known_of
from services.facilities.queries import facility_detail
from services.modules.finder.queries import marked_places
from web.context import elder_step
from web.doors.finder.asking import Ask, read_ask
from web.doors.finder.cards import Card, make_card, row_of, way_for
from web.favourites import marked_ids

MOST: Final = 3
OFFERED: Final = 8


@dataclass(frozen=True, slots=True)
class Compared:
    """One fact across the places: a cell each, ``None`` where a place has no such fact; ``differs`` when they do not agree."""

    label: str
    cells: tuple[Known | None, ...]

    @property
    def differs(self) -> bool:
        """Say whether the places say different things; what nobody knows agrees with nothing."""
        return len({cell.lines if cell else () for cell in self.cells}) > 1


@dataclass(frozen=True, slots=True)
class Section:
    """Facts that belong together."""

    name: str
    rows: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One of the places, with the address of the comparison without it."""

    card: Card
    without: str


@never_cache
@require_safe
def compare_page(request: HttpRequest) -> HttpResponse:
    """Show the places ``ids`` beside each other; beyond three, and those that are not to be seen, it says so."""
    asked = read_ids(request)
    ask = read_ask(request.GET)
    cards = [card for one in asked[:MOST] if (card := _card(request, one, ask)) is not None]
    ids = [card.place.id for card in cards]
    only = request.GET.get("only") == "different"
    sections = compared([known_of(card.detail) for card in cards])
    if only:
        sections = [
            Section(one.name, rows) for one in sections if (rows := tuple(row for row in one.rows if row.differs))
        ]
    context = {
        "ask": ask,
        "ids": ids,
        "columns": [Column(card, address_of([other for other in ids if other != card.place.id])) for card in cards],
        "sections": sections,
        "only": only,
        "all_url": address_of(ids),
        "different_url": address_of(ids, only="different"),
        "beyond": max(0, len(asked) - MOST),
        "unknown": len(asked[:MOST]) - len(cards),
        "offered": _offered(request, ids),
        "most": MOST,
        "unknown_word": UNKNOWN,
    }
    return render(request, "elder/compare.html" if elder_step(request) else "places/compare.html", context)


def read_ids(request: HttpRequest) -> list[int]:
    """Return the ids of an address, each once: ``ids=1,2,3`` and ``ids=1&ids=2`` alike; anything else is passed over."""
    texts = [text for value in request.GET.getlist("ids") for text in value.split(",")]
    return list(dict.fromkeys(int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19))[
        :20
    ]


def address_of(ids: list[int], **more: str) -> str:
    """Return the address of a comparison."""
    return f"/places/compare?{urlencode({'ids': ','.join(map(str, ids))} | more, safe=',')}"


def compared(places: list[list[Known]]) -> list[Section]:
    """Return the facts of several places line by line: by section and label, in the order in which they first come. Pure."""
    order: dict[str, dict[str, None]] = {}
    for facts in places:
        for fact in facts:
            order.setdefault(fact.section, {})[fact.label] = None
    by_label = [{(fact.section, fact.label): fact for fact in facts} for facts in places]
    return [
        Section(
            section,
            tuple(Compared(label, tuple(found.get((section, label)) for found in by_label)) for label in labels),
        )
        for section, labels in order.items()
    ]


def _card(request: HttpRequest, place_id: int, ask: Ask) -> Card | None:
    try:
        detail = facility_detail(place_id, scope=scope_for(request))
    except NotFound:
        return None
    way = way_for(request, place_id, ask)
    return make_card(request, detail, row_of(detail, way, ask), ask, way)


def _offered(request: HttpRequest, ids: list[int]) -> list[tuple[str, str]]:
    """Return favourites that may be added, by name, with the address that adds each."""
    if len(ids) >= MOST:
        return []
    others = [one for one in marked_ids(request) if one not in ids][:OFFERED]
    found = marked_places(others, scope=scope_for(request))
    return [(one.name, address_of([*ids, one.id])) for one in found if one.place]
