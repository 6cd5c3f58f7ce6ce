"""我的服务 of 养老一张图: the places somebody keeps and the applications that run, as one list and as pins on the map."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import json_script
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from services.access.models import User
from services.access.queries import scope_for
from services.kernel.workflow.queries import cases_of_applicant
from services.kernel.workflow.registry import matters
from services.kernel.workflow.transitions import State
from services.modules.finder.queries import Marked, marked_places, notes_of
from web.context import elder_step
from web.doors.asking import Ask, read_ask
from web.doors.cases import LOOKS
from web.doors.find import panel_context
from web.doors.shown import Row
from web.favourites import marked_ids

MOST_CASES: Final = 20


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Show the caller's places and applications; of a device that nobody signed in on, the places it keeps."""
    ask = read_ask({}, theme="elder")
    user = request.user if isinstance(request.user, User) else None
    kept = marked_places(marked_ids(request), scope=scope_for(request), notes=notes_of(user) if user else None)
    rows = rows_of(kept, ask)
    context = {
        "kept": [(one, rows.get(one.id)) for one in kept],
        "cases": running_cases(user) if user else [],
        "signed": user is not None,
    }
    if elder_step(request):
        return render(request, "eldermap/mine_elder.html", context | {"ask": ask})
    places = {"kinds": ask.kinds, "kind_name": ask.kind_name, "selected": None}
    answer = json_script(places | {"places": [row.pin() for row in rows.values()]}, "answer")
    shown = {"panel": "eldermap/mine_panel.html", "answer_json": answer}
    return render(request, "door/find.html", panel_context(request, ask, None) | context | shown)


def rows_of(kept: list[Marked], ask: Ask) -> dict[int, Row]:
    """Return the kept places that are still listed as rows by id, numbered as their pins are."""
    listed = [one.place for one in kept if one.place is not None]
    return {place.id: Row(place, ask.place_url(place.id), rank) for rank, place in enumerate(listed, 1)}


def running_cases(user: User) -> list[dict[str, Any]]:
    """Return the applications of an account, newest first, with the look of their state."""
    titles = {key: spec.title for key, spec in matters().items()}
    return [
        {"case": case, "matter": titles.get(case.matter, ""), "look": LOOKS[State(case.state)]}
        for case in cases_of_applicant(user).order_by("-pk")[:MOST_CASES]
    ]
