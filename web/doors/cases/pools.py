"""The pools of districts: who handles which matters there, kept by the district."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import BadInput, CityError
from geo.regions.models import RegionVersion
from services.access.queries import scope_for
from services.kernel.workflow import pooling
from services.kernel.workflow.models import Task, TaskState
from services.kernel.workflow.pools import candidates, district_kept, districts_kept, members_of
from services.kernel.workflow.registry import matters
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def pool_page(request: HttpRequest) -> HttpResponse:
    """Show a district's pool, and take people in and out, or change what they handle."""
    district = district_kept(typed(request, "region")[:20], scope=scope_for(request))
    fault: CityError | None = None
    if request.method == "POST":
        try:
            said.success(request, _changed(request, district))
            return redirect(f"{reverse('desk-pools')}?region={district.code}")
        except BadInput as wrong:
            fault = wrong
    return render(
        request, "desk/pools.html", _shown(request, district, fault), status=status_of(fault) if fault else 200
    )


def _changed(request: HttpRequest, district: RegionVersion) -> str:
    scope, keys = scope_for(request), [each[:60] for each in request.POST.getlist("matters")]
    note = typed(request, "note")
    match typed(request, "act"):
        case "add":
            row = pooling.take_in(
                region=district.code, user_id=number_typed(request, "user"), keys=keys, note=note, scope=scope
            )
            return f"{row.user}已进资源池。"
        case "out":
            pooling.take_out(member_id=number_typed(request, "member"), scope=scope)
            return "已移出资源池，手上的任务不变。"
        case _:
            paused = typed(request, "paused") == "1"
            row = pooling.set_member(
                member_id=number_typed(request, "member"), keys=keys, paused=paused, note=note, scope=scope
            )
            return f"已保存{row.user}的分工。"


def _shown(request: HttpRequest, district: RegionVersion, fault: CityError | None) -> dict[str, Any]:
    specs = list(matters().values())
    rows = list(members_of(district.region_id))
    open_now = Task.objects.filter(assignee__in=[row.user_id for row in rows], state=TaskState.OPEN)
    load: dict[int, int] = {}
    for who in open_now.values_list("assignee", flat=True):
        load[who] = load.get(who, 0) + 1
    members = [
        {
            "row": row,
            "open": load.get(row.user_id, 0),
            "names": "、".join(spec.title for spec in specs if spec.key in row.matters) or "全部事项",
        }
        for row in rows
    ]
    return {
        "region": district,
        "regions": districts_kept(scope=scope_for(request)),
        "members": members,
        "candidates": candidates(district.region_id),
        "matters": specs,
        "fault": fault,
    }
