"""“我的机构”: whoever runs places confirms in two taps what stands; at the desk, what nobody confirmed, and urging."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError
from services.access.queries import check_duty, scope_for
from services.crypto.identifiers import new_id
from services.facilities.actions import MOST_PLACES
from services.facilities.hours import week_lines
from services.facilities.kinds import kind_of
from services.facilities.known import CAPACITY
from services.facilities.models import Facility
from services.facilities.queries import city_now
from services.facilities.vacancies import vacancies_at
from services.modules.selfreport.confirming import confirm_place, seen_of, undo_confirmation, undoable
from services.modules.selfreport.unconfirmed import counts_by_region, own_places, unconfirmed_in
from services.modules.selfreport.urging import MOST_URGED, Urged, urge_places
from web.api.errors import status_of
from web.doors.common.typed import typed

MOST_NAMED: Final = 20


@never_cache
@login_required
@require_safe
def places_page(request: HttpRequest) -> HttpResponse:
    """Show the places of the caller's own institutions, with what stands and since when."""
    return _shown(request)


@login_required
@require_POST
def confirm(request: HttpRequest, place_id: int) -> HttpResponse:
    """Confirm a place as it was shown, or with other figures; what is refused is said there and keeps what was typed."""
    try:
        row = confirm_place(
            facility_id=place_id,
            seen=typed(request, "seen"),
            mark=_mark(request),
            figures=_figures(request) if typed(request, "change") else None,
            scope=scope_for(request),
        )
    except CityError as refused:
        return _shown(request, place_id, refused)
    said.success(request, f"“{row.facility.name}”已确认，家长马上看到。")
    return redirect(f"/my/places#place-{place_id}")


@login_required
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take a confirmation back that was a slip."""
    try:
        row = undo_confirmation(mark=_mark(request), scope=scope_for(request))
    except CityError as refused:
        return _shown(request, 0, refused)
    said.success(request, f"已撤销，“{row.facility.name}”恢复成确认以前的样子。")
    return redirect(f"/my/places#place-{row.facility_id}")


def _shown(request: HttpRequest, place_id: int = 0, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    now = city_now()
    cards = [_card(place, now) for place in own_places(scope).select_related("kind")]
    for card in cards:
        if fault is not None and card["place"].pk == place_id:
            card |= {
                "fault": fault,
                "typed": {name: typed(request, name) for name in ("places", "vacancies")},
                "open": bool(typed(request, "change")),
            }
    context = {
        "cards": sorted(cards, key=lambda card: (not card["waiting"], card["place"].name)),
        "waiting": sum(card["waiting"] for card in cards),
        "fault": fault if not any("fault" in card for card in cards) else None,
    }
    return render(request, "my/places.html", context, status=status_of(fault) if fault else 200)


def _card(place: Facility, now: Any) -> dict[str, Any]:
    free = vacancies_at(place.vacancies, place.vacancies_as_of, place.vacancies_source, now)
    reports = place.kind.group in CAPACITY
    return {
        "place": place,
        "kind": kind_of(place.kind_id),
        "free": free,
        "reports": reports,
        "waiting": reports and not free.fresh and (free.count is not None or place.places is not None),
        "room": CAPACITY.get(place.kind.group, "名额"),
        "week": week_lines(place.hours),
        "seen": seen_of(place),
        "mark": new_id(),
        "undo": undoable(place, now),
        "confirms": free.count is not None if reports else bool(place.hours),
    }


def _mark(request: HttpRequest) -> UUID:
    try:
        return UUID(typed(request, "mark"))
    except ValueError:
        raise BadInput("mark_missing", "页面已过期，请刷新以后再确认。") from None


def _figures(request: HttpRequest) -> tuple[int | None, int | None]:
    """Return places and vacancies as typed; nothing typed says nothing. Raises ``BadInput`` for what is no number."""
    found = []
    for name, label in (("places", "名额"), ("vacancies", "余位")):
        text = typed(request, name).strip()
        if text and not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_PLACES))):
            raise BadInput("figure_invalid", f"{label}要填整数，例如 3；没有填 0。", field=name)
        found.append(int(text) if text else None)
    return found[0], found[1]


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain to institutions how to confirm and to report, and to staff how to remind, send links and review."""
    return render(request, "help/self_report.html")


@never_cache
@login_required
@require_safe
def counts_page(request: HttpRequest) -> HttpResponse:
    """Show how many places nobody has confirmed, by district and street."""
    districts = counts_by_region(scope=scope_for(request))
    total, stale = sum(each.total for each in districts), sum(each.stale for each in districts)
    return render(request, "desk/unconfirmed.html", {"districts": districts, "total": total, "stale": stale})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def urge_page(request: HttpRequest) -> HttpResponse:
    """Say which places are about to be urged, and urge them."""
    scope = scope_for(request)
    check_duty(scope, "facilities.edit")
    ids = ids_asked(request, MOST_URGED)
    fault: CityError | None = None
    done: Urged | None = None
    if request.method == "POST":
        try:
            done = urge_places(facility_ids=ids, scope=scope)
        except CityError as refused:
            fault = refused
    rows = (
        []
        if done
        else list(unconfirmed_in(scope).filter(pk__in=ids).select_related("organisation", "reminder").order_by("name"))
    )
    context = {"rows": rows, "ids": ids, "done": done, "fault": fault, "most": MOST_NAMED}
    return render(request, "desk/urge.html", context, status=status_of(fault) if fault else 200)


def ids_asked(request: HttpRequest, most: int) -> list[int]:
    """Return the ids of chosen rows, each once, no more than ``most`` and one."""
    given = (request.POST if request.method == "POST" else request.GET).getlist("id")
    found = [int(text) for text in given if text.isascii() and text.isdecimal() and len(text) < 19]
    return list(dict.fromkeys(found))[: most + 1]
