"""Check-ins at the desk: the counts of a day, what waits for a look, one record with its review, printed as evidence."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import CityError
from services.access.models import Organisation
from services.access.queries import scope_for
from services.crypto.signed_rows import holds
from services.fencing.checkins.duties import REVEAL, REVIEW
from services.fencing.checkins.hints import HINTS
from services.fencing.checkins.models import Face, Said, VisitState
from services.fencing.checkins.queries import (
    MOST_LISTED,
    checkin_seen,
    checkins_seen,
    day_counts,
    masked_home,
    to_review,
)
from services.fencing.checkins.reviewing import Revealed, reveal_checkin, reveal_photo, review_checkin
from services.fencing.checkins.signed import CHECK_IN
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed
from web.doors.visits.desk import day_typed


@never_cache
@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show the counts of a day and the check-ins that wait for a look."""
    scope, day = scope_for(request), day_typed(request)
    asked = number_typed(request, "organisation") or None
    here = checkins_seen(scope=scope).order_by().values("organisation")
    found = day_counts(day, scope=scope, organisation=asked)
    waiting = to_review(scope=scope)
    rows = list(waiting[: MOST_LISTED + 1])
    context = {
        "day": day,
        "organisations": Organisation.objects.filter(pk__in=here).order_by("name", "pk"),
        "organisation": asked,
        "visits": [(label, found.visits[key]) for key, label in VisitState.choices],
        "missed": found.missed,
        "verdicts": [(key, label, found.verdicts[key]) for key, label in Said.choices if found.verdicts[key]],
        "hints": [(key, kind.title, found.hints[key]) for key, kind in HINTS.items() if found.hints[key]],
        "faces": [(key, label, found.faces[key]) for key, label in Face.choices if found.faces[key]],
        "now": timezone.now(),
        "rows": rows[:MOST_LISTED],
        "more": len(rows) > MOST_LISTED,
        "most": MOST_LISTED,
        "reviews": scope.holds(REVIEW),
    }
    return render(request, "desk/checkins.html", context)


@never_cache
@login_required
@require_safe
def record_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one check-in as the record has it."""
    return _shown(request, pk)


@never_cache
@login_required
@require_POST
def reveal(request: HttpRequest, pk: int) -> HttpResponse:
    """Show home, position and words of a check-in; the reading is audited."""
    return _shown(request, pk, seen=reveal_checkin(pk=pk, scope=scope_for(request), request=request))


@login_required
@require_POST
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or refuse a check-in."""
    accepted = typed(request, "decision") == "accept"
    try:
        review_checkin(pk=pk, accepted=accepted, words=typed(request, "words"), scope=scope_for(request))
    except CityError as fault:
        return _shown(request, pk, fault=fault)
    said.success(request, "已通过。" if accepted else "已记为不通过，服务单位会看到原因。")
    return redirect("desk-checkin", pk)


@never_cache
@login_required
@require_POST
def photo(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the face that was shown where it is still kept; the reading is audited."""
    return HttpResponse(reveal_photo(pk=pk, scope=scope_for(request), request=request), content_type="image/jpeg")


def _shown(
    request: HttpRequest, pk: int, *, seen: Revealed | None = None, fault: CityError | None = None
) -> HttpResponse:
    scope = scope_for(request)
    row = checkin_seen(pk, scope=scope)
    context: dict[str, Any] = {
        "row": row,
        "visit": row.visit,
        "kind": row.visit.spec,
        "home": masked_home(row.visit),
        "signed": holds(CHECK_IN, row),
        "review": getattr(row, "review", None),
        "photo": getattr(row, "photo", None),
        "reviews": scope.holds(REVIEW) and row.counts,
        "reveals": scope.holds(REVEAL),
        "seen": seen,
        "fault": fault,
        "words": typed(request, "words") if fault else "",
        "printed_at": timezone.now(),
    }
    return render(request, "desk/checkin.html", context, status=status_of(fault) if fault else 200)
