"""What waits for the keepers of addresses: sources that contradict each other, and what a check of the city found."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.addresses.jobs import AUDIT, CONFLICTS, ask_for_audit, ask_for_conflicts
from geo.addresses.models import AddressConflict, AuditFinding, ConflictState, FindingKind
from geo.addresses.upkeep.audit.queries import findings_in, newest_audit
from geo.addresses.upkeep.authority import check_edit
from geo.addresses.upkeep.deciding import conflicts_in, decide_conflict
from geo.errors import CityError
from geo.jobs.models import Job, JobState
from geo.spreadsheets import BOM, plain_cell
from services.access.queries import scope_for
from web.api.errors import status_of
from web.doors.common.desk_map import map_context

CONFLICTS_ON_A_PAGE: Final = 20
FINDINGS_ON_A_PAGE: Final = 50
UNDER_WAY: Final = (JobState.QUEUED, JobState.RUNNING)
STATES: Final = {ConflictState.OPEN: "待审", ConflictState.DECIDED: "已裁定", ConflictState.GONE: "已消失"}


@never_cache
@login_required
@require_safe
def conflicts_page(request: HttpRequest) -> HttpResponse:
    """List the conflicts of the caller's regions, the furthest apart first."""
    return _conflicts(request)


def _conflicts(request: HttpRequest, fault: CityError | None = None, at: int = 0) -> HttpResponse:
    scope = scope_for(request)
    state = request.GET.get("state", "")
    state = state if state in STATES else ConflictState.OPEN
    pages = Paginator(conflicts_in(scope=scope, state=state), CONFLICTS_ON_A_PAGE)
    context: dict[str, Any] = {
        "tab_now": "conflicts",
        "states": STATES,
        "state": state,
        "page": pages.get_page(request.GET.get("page")),
        "total": pages.count,
        "job": Job.objects.filter(kind=CONFLICTS, state__in=UNDER_WAY).first(),
        "fault": fault,
        "fault_at": at,
    }
    return render(request, "desk/address_conflicts.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_POST
def decide(request: HttpRequest, conflict_id: int) -> HttpResponse:
    """Decide one conflict; what is refused is said beside it."""
    chosen = request.POST.get("choice", "")
    keep = chosen.removeprefix("keep-")
    try:
        conflict: AddressConflict = decide_conflict(
            conflict_id=conflict_id,
            choice="keep" if chosen.startswith("keep-") else chosen,
            keep=int(keep) if keep.isdecimal() and len(keep) < 6 else None,
            scope=scope_for(request),
            reason=request.POST.get("reason", ""),
            digest=request.POST.get("digest", ""),
        )
    except CityError as fault:
        return _conflicts(request, fault, conflict_id)
    messages.success(request, f"已裁定：{conflict.title}。来源的说法不变就不再问。")
    return redirect("desk-address-conflicts")


@never_cache
@login_required
@require_POST
def search_conflicts(request: HttpRequest) -> HttpResponse:
    """Ask for a new comparison of all sources."""
    scope = scope_for(request)
    check_edit(scope)
    ask_for_conflicts(scope.actor)
    messages.success(request, "已开始比对，一两分钟后刷新本页看结果。")
    return redirect("desk-address-conflicts")


@never_cache
@login_required
@require_safe
def audit_page(request: HttpRequest) -> HttpResponse:
    """Show what the newest check found in the caller's regions, kind by kind, each with its spot on the map."""
    scope = scope_for(request)
    audit = newest_audit(scope=scope)
    kind = _kind(request)
    rows = findings_in(audit, scope=scope, kind=kind) if audit else AuditFinding.objects.none()
    pages = Paginator(rows.select_related("region"), FINDINGS_ON_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    counts = {each: findings_in(audit, scope=scope, kind=each).count() if audit else 0 for each in FindingKind.values}
    context = {
        "tab_now": "audit",
        "audit": audit,
        "kind": kind,
        "kinds": [(key, label, counts[key]) for key, label in FindingKind.choices],
        "found": sum(counts.values()),
        "page": page,
        "total": pages.count,
        "running": Job.objects.filter(kind=AUDIT, state__in=UNDER_WAY, actor=scope.actor).first(),
        "spots": [
            {"lon": each.geom.x, "lat": each.geom.y, "name": each.message, "rank": page.start_index() + at}
            for at, each in enumerate(page.object_list)
        ],
        **map_context(),
    }
    return render(request, "desk/address_audit.html", context)


@never_cache
@login_required
@require_POST
def start_audit(request: HttpRequest) -> HttpResponse:
    """Ask for a check of everything the caller keeps."""
    ask_for_audit(scope=scope_for(request))
    messages.success(request, "已开始检查，全市约需一分钟，好了刷新本页就能看到。")
    return redirect("desk-address-audit")


@never_cache
@login_required
@require_safe
def audit_file(request: HttpRequest) -> StreamingHttpResponse:
    """Give the findings of the newest check as a CSV file that spreadsheet programs open."""
    scope = scope_for(request)
    audit = newest_audit(scope=scope)
    rows = findings_in(audit, scope=scope, kind=_kind(request)) if audit else AuditFinding.objects.none()
    response = StreamingHttpResponse(_csv(rows.iterator(chunk_size=2_000)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="address-audit-{timezone.localdate():%Y%m%d}.csv"'
    return response


HEAD: Final = ("种类", "说明", "数值", "单位", "经度", "纬度", "地址编号", "区划或小区")


def _csv(rows: Iterator[AuditFinding]) -> Iterator[str]:
    yield BOM + _line(HEAD)
    for each in rows:
        addresses = "、".join(map(str, each.subjects.get("addresses", ())))
        areas = "、".join(f"{area['name']}（{area['key']}）" for area in each.subjects.get("areas", ()))
        place = (f"{each.geom.x:.7f}", f"{each.geom.y:.7f}")
        label = FindingKind(each.kind).label
        yield _line((label, each.message, f"{each.measure:g}", each.unit, *place, addresses, areas))


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([plain_cell(cell) for cell in cells])
    return out.getvalue()


def _kind(request: HttpRequest) -> str:
    kind = request.GET.get("kind", "")
    return kind if kind in FindingKind.values else ""
