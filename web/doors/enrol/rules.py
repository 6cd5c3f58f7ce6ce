"""The whole text of a published edition: its steps, its rules, searched and in pages, of one kindergarten or all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from services.catchments.entries import MODES, entry_point
from services.catchments.telling import published_edition, rules_told, years_answered
from services.facilities.models import Facility
from web.doors.common.typed import number_typed, typed
from web.doors.enrol.shown import rule_said

ON_A_PAGE: Final = 50
LONGEST: Final = 60
STEPS: Final[Mapping[str, str]] = {str(mode): name for mode, name in MODES.items()}


@never_cache
@require_safe
def page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Show the rules of a published edition."""
    edition = published_edition(edition_id)
    words, place_id = typed(request, "q").strip()[:LONGEST], number_typed(request, "place")
    place = Facility.objects.filter(pk=place_id, match_rules__edition=edition).first() if place_id else None
    rows = rules_told(edition, words=words, target=place.pk if place else None)
    shown = Paginator(rows, ON_A_PAGE).get_page(typed(request, "page"))
    years = years_answered()
    context = {
        "edition": edition,
        "entry": entry_point(edition.entry),
        "steps": [(step, STEPS[step]) for step in edition.steps],
        "areas": edition.areas.select_related("target").order_by("name"),
        "words": words,
        "place": place,
        "page": shown,
        "rows": [
            (rule, rule_said(rule), rule.target.name if rule.target else rule.get_choice_display(), STEPS[rule.mode])
            for rule in shown
        ],
        "old": bool(years) and edition.year < years[0],
    }
    return render(request, "enrol/rules.html", context)
