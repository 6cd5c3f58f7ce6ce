"""What was done to one place and taking it back; taking it down and putting it up; merging it with the one it doubles."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import CityError
from geo.scope import Scope
from services.access.queries import check_duty, scope_for
from services.crypto.identifiers import new_id
from services.facilities.models import Facility
from services.facilities.upkeep.actions import merge_facilities, retire_facility, return_facility, undo_change
from services.facilities.upkeep.queries import history_of, leads_to, others_near, place_kept, regions_of
from services.facilities.upkeep.recording import EDIT, version_of
from services.facilities.upkeep.snapshots import differences, said
from services.kernel.logs.rolling_back import undone_of
from web.api.errors import status_of
from web.doors.common.typed import key_typed, number_typed, typed

NOT_TAKEN: Final = frozenset({"region", "point_source", "status", "places", "vacancies", "retired"})
"""What a merge does not ask for: it follows from the rest, or is reported."""
MOST_UNDONE: Final = 50
DONE: Final = {
    "retire": "已下线，地图和搜索里不再出现。下错了可以在下面撤销，或重新上线。",
    "return": "已重新上线，找服务和地图上马上能看到。",
}


@never_cache
@login_required
@require_safe
def history_page(request: HttpRequest, facility_id: int) -> HttpResponse:
    """Show everything people did to a place, with what was before and after; each act can be taken back."""
    return _history(request, facility_id)


def _history(request: HttpRequest, facility_id: int, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    facility = place_kept(facility_id, scope=scope)
    context = {
        **_head(facility, scope),
        "tab_now": "history",
        "history": history_of(facility_id, scope=scope),
        "undone": undone_of("facility", facility_id)[:MOST_UNDONE],
        "merged": leads_to(facility_id),
        "key": new_id(),
        "version": version_of(facility),
        "fault": fault,
        "reason": typed(request, "reason"),
    }
    return render(request, "desk/place_history.html", context, status=status_of(fault) if fault else 200)


@login_required
@require_POST
def act_on(request: HttpRequest, facility_id: int, act: str) -> HttpResponse:
    """Take a place down, or put it up again."""
    scope, key, reason = scope_for(request), key_typed(request), typed(request, "reason")
    try:
        if act == "retire":
            retire_facility(
                facility_id=facility_id, key=key, version=typed(request, "version"), reason=reason, scope=scope
            )
        else:
            return_facility(facility_id=facility_id, key=key, reason=reason, scope=scope)
    except CityError as fault:
        return _history(request, facility_id, fault)
    messages.success(request, DONE[act])
    return redirect("desk-place-history", facility_id)


@login_required
@require_POST
def undo(request: HttpRequest, facility_id: int, change_id: int) -> HttpResponse:
    """Take back one act, from the history of one of its places."""
    try:
        undo_change(change_id=change_id, key=key_typed(request), scope=scope_for(request))
    except CityError as fault:
        return _history(request, facility_id, fault)
    messages.success(request, "已撤销，恢复成改动以前的样子。")
    return redirect("desk-place-history", facility_id)


class Choice(NamedTuple):
    """One entry in which two places differ, and which of both stands unless somebody chooses: the one that says something."""

    field: str
    name: str
    ours: str
    other: str
    take: bool


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def merge_page(request: HttpRequest, facility_id: int) -> HttpResponse:
    """Choose the place that is the same one twice, then what stands of each entry; the other leads here from then on."""
    scope = scope_for(request)
    check_duty(scope, EDIT)
    stays = place_kept(facility_id, scope=scope)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            merge_facilities(
                survivor_id=facility_id,
                merged_id=number_typed(request, "other"),
                take=dict.fromkeys(request.POST.getlist("take")),
                key=key_typed(request),
                versions={
                    facility_id: typed(request, "version"),
                    number_typed(request, "other"): typed(request, "seen"),
                },
                reason=typed(request, "reason"),
                scope=scope,
            )
        except CityError as refused:
            fault = refused
        else:
            messages.success(request, "已合并。打开另一家的链接会来到这里；合错了可以在下面撤销。")
            return redirect("desk-place-history", facility_id)
    number = number_typed(request, "other")
    gone: Facility | None = None
    if number and number != facility_id:
        try:
            gone = place_kept(number, scope=scope)
        except CityError as refused:
            fault = fault or refused
    context = {
        **_head(stays, scope),
        "tab_now": "merge",
        "other": gone,
        "choices": choices_of(stays, gone) if gone else [],
        "near": others_near(stays, scope=scope) if gone is None else [],
        "key": typed(request, "key") or new_id(),
        "version": version_of(stays),
        "seen": version_of(gone) if gone else "",
        "taken": request.POST.getlist("take"),
        "posted": request.method == "POST",
        "reason": typed(request, "reason"),
        "fault": fault,
    }
    return render(request, "desk/place_merge.html", context, status=status_of(fault) if fault else 200)


def choices_of(stays: Facility, gone: Facility) -> list[Choice]:
    """Return what two places say differently, what can be taken over of it."""
    return [
        Choice(each.field, each.name, each.before, each.after, each.before == "（空）")
        for each in differences(said(stays), said(gone))
        if each.field not in NOT_TAKEN
    ]


def _head(facility: Facility, scope: Scope) -> dict[str, Any]:
    return {"facility": facility, "where": regions_of(facility), "may_edit": scope.holds(EDIT)}
