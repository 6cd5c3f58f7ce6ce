"""The page of one place: every fact with its day and its source, photos, the way there, and its QR code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from geo.errors import NotFound
from geo.scope import Scope
from services.access.queries import scope_for
from services.facilities.known import Known, known_of
from services.facilities.qr import qr_svg
from services.facilities.queries import facility_detail
from services.facilities.supervision.queries import supervision_of
from services.kernel.documents.queries import folders_of
from services.modules.finder.models import Act
from web.context import elder_step
from web.doors.finder.asking import THEMES, Ask, Origin, read_ask
from web.doors.finder.cards import Card
from web.doors.finder.opinions import said_of
from web.doors.finder.places import card_for
from web.doors.finder.uses import note_place
from web.doors.scenes.page import twins_at

CAMERA: Final = re.compile(r"(?i)^(?:img|dsc|dscn|dcim|mmexport|wx_camera|微信图片|photo|image|照片|p)?[\W_\d]*$")
"""What a camera calls a file; it says nothing of the picture."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a place: its addresses and the words for who does not see it."""

    small: str
    large: str
    words: str


@never_cache
@require_safe
def place_page(request: HttpRequest, place_id: int) -> HttpResponse:
    """Show everything of one place; with an origin, also how far it is on foot and in a straight line."""
    ask = read_ask(request.GET, elder=bool(elder_step(request)))
    try:
        card = card_for(request, place_id, ask)
    except NotFound as gone:
        if "into" not in gone.detail:
            raise
        return redirect("place", gone.detail["into"])
    note_place(request, Act.DETAIL, card.place)
    context = {
        "card": card,
        "ask": ask,
        "sections": sections_of(known_of(card.detail)),
        "photos": photos_of(card),
        "opinions": said_of(card.place),
        "supervision": supervision_of(place_id, scope=scope_for(request)),
        "twins": twins_at(card.place.lon, card.place.lat, scope=scope_for(request)),
        "back_url": ask.url(place=None) if ask.origin else ask.page.path,
        "share_url": request.build_absolute_uri(f"/places/{place_id}"),
        "share_note": "链接里只有这家机构，没有您的位置。",
        "map_url": (ask if card.way else _around(card, ask.theme)).url(place=place_id),
    }
    return render(request, "elder/place.html" if elder_step(request) else "places/place.html", context)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain the page of a place, favourites, comparing and reports to families and staff."""
    return render(request, "help/places.html")


@cache_control(public=True, max_age=86_400)
@require_safe
def qr_code(request: HttpRequest, place_id: int) -> HttpResponse:
    """Send the QR code of a place's page as SVG: the page alone, no position of anybody. Raises ``NotFound``."""
    facility_detail(place_id, scope=Scope.public())
    drawn = qr_svg(request.build_absolute_uri(f"/places/{place_id}"))
    return HttpResponse(drawn, content_type="image/svg+xml")


def sections_of(facts: list[Known]) -> list[tuple[str, list[Known], list[str]]]:
    """Return facts by section, with the labels of what nobody has said."""
    sections = []
    for name, members in groupby(facts, key=lambda fact: fact.section):
        rows = list(members)
        plain = [fact for fact in rows if fact.said or fact.section != "服务"]
        sections.append((name, plain, [fact.label for fact in rows if fact not in plain]))
    return sections


def photos_of(card: Card) -> list[Photo]:
    """Return the photos of a place that everybody may see, with words for each."""
    folders = folders_of(kind="facilities", owner_id=str(card.place.id), scope=Scope.public())
    files = next((folder.files for folder in folders if folder.purpose.key == "photo"), ())
    found = []
    for number, held in enumerate(files, start=1):
        said = held.row.name.rpartition(".")[0]
        words = f"{card.place.name}的照片 {number}" if CAMERA.match(said) else f"{card.place.name}：{said}"
        address = f"/files/{held.row.pk}/pages/1"
        found.append(Photo(f"{address}?size=thumb", f"{address}?size=fit", words))
    return found


def _around(card: Card, theme: str) -> Ask:
    """Return the question what else of its kind is around a place."""
    origin = Origin(card.place.lon, card.place.lat)
    return Ask(origin=origin, at=card.place.name, kinds=card.place.kind, mode=THEMES[theme].mode, theme=theme)
