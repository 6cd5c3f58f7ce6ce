"""我的服务 of 养老一张图: places somebody keeps or spoke of, and applications, as one list and as pins on the map."""

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
from services.modules.opinions.queries import comments_by, suggestions_by
from web.context import elder_step
from web.doors.cases.pages import LOOKS
from web.doors.eldermap.supply import CIRCLING
from web.doors.finder.asking import Ask, read_ask
from web.doors.finder.find import panel_context
from web.doors.finder.opinions import comment_shown
from web.doors.finder.shown import Row
from web.favourites import marked_ids

MOST_CASES: Final = 20
MOST_SAID: Final = 20


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Show the caller's places, applications, comments and suggestions; of a device nobody signed in on, the places it keeps."""
    ask, scope = read_ask({}, theme="elder"), scope_for(request)
    user = request.user if isinstance(request.user, User) else None
    kept = marked_places(marked_ids(request), scope=scope, notes=notes_of(user) if user else None)
    comments = list(comments_by(user)[:MOST_SAID]) if user else []
    suggestions = list(suggestions_by(user)[:MOST_SAID]) if user else []
    cases = running_cases(user) if user else []
    concerned = (*comments, *suggestions, *(one["case"] for one in cases))
    ids = dict.fromkeys(row.facility_id for row in concerned if row.facility_id)
    others = marked_places([one for one in ids if one not in {each.id for each in kept}], scope=scope)
    rows = rows_of([*kept, *others], ask)
    context = {
        "kept": [(one, rows.get(one.id)) for one in kept],
        "comments": [(comment_shown(row), rows.get(row.facility_id)) for row in comments],
        "suggestions": [(row, rows.get(row.facility_id or 0)) for row in suggestions],
        "cases": [(one, rows.get(one["case"].facility_id or 0)) for one in cases],
        "signed": user is not None,
    }
    if elder_step(request):
        return render(request, "eldermap/mine_elder.html", context | {"ask": ask})
    places = {"kinds": ask.kinds, "kind_name": ask.kind_name, "selected": None}
    answer = json_script(places | {"places": [row.pin() for row in rows.values()]}, "answer")
    shown = {"panel": "eldermap/mine_panel.html", "answer_json": answer}
    return render(
        request, "door/find.html", panel_context(request, ask, None) | {"circling": CIRCLING} | context | shown
    )


def rows_of(places: list[Marked], ask: Ask) -> dict[int, Row]:
    """Return the places that are still listed as rows by id, numbered as their pins are."""
    listed = [one.place for one in places if one.place is not None]
    return {place.id: Row(place, ask.place_url(place.id), rank) for rank, place in enumerate(listed, 1)}


def running_cases(user: User) -> list[dict[str, Any]]:
    """Return the applications of an account, newest first, with the look of their state."""
    titles = {key: spec.title for key, spec in matters().items()}
    return [
        {"case": case, "matter": titles.get(case.matter, ""), "look": LOOKS[State(case.state)]}
        for case in cases_of_applicant(user).order_by("-pk")[:MOST_CASES]
    ]
