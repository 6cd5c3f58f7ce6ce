"""申请服务 of 养老一张图: what is applied for online, who takes applications near a place, the phone; never a dead end."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from services.access.queries import scope_for
from services.facilities.places import Place
from services.facilities.queries import facility_detail
from services.kernel.workflow.catalogue import offered_online
from services.kernel.workflow.spec import MatterSpec
from services.modules.careservice.queries import outside_entry
from web.doors.finder.asking import Ask, Origin, read_ask
from web.doors.finder.cards import dialled
from web.doors.finder.nearby import straight_nearest
from web.doors.finder.shown import Row

NEAREST: Final = 2
TAKERS: Final = ("affairs_centre", "adviser_site")
"""Kinds that take applications for services for elders, and that advise on them."""


@never_cache
@require_safe
def apply_page(request: HttpRequest, place_id: int) -> HttpResponse:
    """Say how the services of a place are applied for: online, at the place, at the nearest window, with the nearest adviser."""
    place = facility_detail(place_id, scope=scope_for(request)).place
    asked = read_ask(request.GET, theme="elder")
    around = replace(
        asked, origin=asked.origin or Origin(place.lon, place.lat), at=asked.at or place.name, q="", place=None
    )
    context = {
        "place": place,
        "phone": dialled(place.phone),
        "where": around.where,
        "matters": matters_at(place),
        "outside": outside_entry(place.kind),
        "windows": [_taker(request, around, kind) for kind in TAKERS],
    }
    return render(request, "eldermap/apply.html", context)


def matters_at(place: Place) -> list[MatterSpec]:
    """Return what is applied for with us of a place's kind, less what its region has taken off."""
    if place.region is None:
        return []
    return [spec for spec in offered_online(place.region.id) if place.kind in spec.serves]


def _taker(request: HttpRequest, around: Ask, kind: str) -> tuple[str, list[tuple[Row, str]], str]:
    """Return the name of a kind that takes applications, the nearest of it with their phones, and the map of them."""
    ask = replace(around, kinds=kind, minutes=30)
    rows = straight_nearest(request, ask, NEAREST)
    return ask.kind_name, [(row, dialled(row.place.phone)) for row in rows], ask.url()
