"""What changes for families from one edition to another, and where rules and areas disagree: list, map, spreadsheet."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import shapely
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.crs import System
from geo.errors import BadInput
from geo.geometry import feature, feature_collection
from geo.jobs.queries import jobs_visible
from geo.scope import Scope
from services.access.queries import scope_for
from services.catchments.areas.queries import before_of, district_for
from services.catchments.comparing import (
    COMPARE_JOB,
    Comparison,
    Disagreement,
    DoorChange,
    comparison,
    disagreements,
    start_comparison,
)
from services.catchments.models import CatchmentEdition
from services.catchments.queries import edition_seen, editions_seen
from web.doors.common.desk_map import map_context
from web.doors.common.job_states import STATES
from web.doors.common.typed import typed
from web.doors.plan.area_parts import areas_drawn
from web.doors.plan.drawing import told_to_scripts

ROWS_A_PAGE: Final = 50
MOST_MOVES: Final = 40
MOST_DRAWN: Final = 5_000
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def compare_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Show which doors change their kindergarten from another edition to this one; on POST let a job find them."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    before = _before(request, edition, scope)
    if request.method == "POST" and before is not None:
        start_comparison(before, edition, scope=scope)
        return redirect(f"{reverse('plan-compare', args=[edition.pk])}?with={before.pk}")
    found = comparison(before, edition) if before else None
    rows = _filtered(found, request) if found else []
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    others = editions_seen(scope=scope).filter(district=edition.district_id, entry=edition.entry).exclude(pk=edition.pk)
    context = {
        "edition": edition, "before": before, "found": found, "page": page, "others": list(others[:20]),
        "moves": found.moves[:MOST_MOVES] if found else [], "committees": found.committees[:MOST_MOVES] if found else [],
        "total": len(rows), "asked": {name: typed(request, name) for name in ("from", "to", "committee")},
        "job": None if found or before is None else _job(before, edition, scope), **_box(edition),
    } | map_context()  # fmt: skip
    return render(request, "plan/compare.html", context)


@never_cache
@login_required
@require_safe
@told_to_scripts
def compare_points(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Return the doors that change, for the map."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    before = _before(request, edition, scope)
    found = comparison(before, edition) if before else None
    rows = _filtered(found, request) if found else []
    points = [_point(row.lon, row.lat, f"{row.label}：{row.before} → {row.after}") for row in rows[:MOST_DRAWN]]
    return JsonResponse({"points": feature_collection(points), "areas": areas_drawn(edition)})


@never_cache
@login_required
@require_safe
def compare_sheet(request: HttpRequest, edition_id: UUID) -> HttpResponseBase:
    """Return the doors that change as a spreadsheet."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    before = _before(request, edition, scope)
    found = comparison(before, edition) if before else None
    if found is None:
        raise BadInput("comparison_absent", "还没有比较结果，请先在比较页面点“开始比较”。")
    rows = [(row.label, row.committee, row.before, row.after) for row in found.changes]
    return _sheet(("门牌", "居委", "原来", "现在"), rows, f"换园门牌-{edition.year}-第{edition.number}版.xlsx")


@never_cache
@login_required
@require_safe
def disagreements_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Show the doors that rules and areas send to different kindergartens, the farthest from the border first."""
    edition = edition_seen(edition_id, scope=scope_for(request))
    found = disagreements(edition)
    page = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {"edition": edition, "page": page, "total": len(found), **_box(edition)} | map_context()
    return render(request, "plan/disagreements.html", context)


@never_cache
@login_required
@require_safe
@told_to_scripts
def disagreement_points(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Return the doors on which rules and areas disagree, for the map."""
    edition = edition_seen(edition_id, scope=scope_for(request))
    points = [_point(row.lon, row.lat, _said(row)) for row in disagreements(edition)[:MOST_DRAWN]]
    return JsonResponse({"points": feature_collection(points), "areas": areas_drawn(edition)})


@never_cache
@login_required
@require_safe
def disagreement_sheet(request: HttpRequest, edition_id: UUID) -> HttpResponseBase:
    """Return the doors on which rules and areas disagree as a spreadsheet."""
    edition = edition_seen(edition_id, scope=scope_for(request))
    rows = [
        (row.label, row.committee, row.by_rule, row.by_area, row.area, f"{row.border_m:.0f}")
        for row in disagreements(edition)
    ]
    heads = ("门牌", "居委", "按规则", "按片区", "所在片区", "距片区边界（米）")
    return _sheet(heads, rows, f"规则与片区不一致-{edition.year}-第{edition.number}版.xlsx")


def _before(request: HttpRequest, edition: CatchmentEdition, scope: Scope) -> CatchmentEdition | None:
    """Return the edition to compare with: the one asked for, else the one in force or the one this began with."""
    asked = typed(request, "with")
    if not asked:
        return before_of(edition)
    try:
        other = edition_seen(UUID(asked), scope=scope)
    except ValueError:
        raise BadInput("edition_unknown", "没有这个版本，请从列表里选一个。") from None
    if (other.district_id, other.entry) != (edition.district_id, edition.entry):
        raise BadInput("edition_unlike", "只能和同一个区、同一个入口的版本比较。")
    return other


def _filtered(found: Comparison, request: HttpRequest) -> list[DoorChange]:
    asked = {"before": typed(request, "from"), "after": typed(request, "to"), "committee": typed(request, "committee")}
    wanted = {name: value for name, value in asked.items() if value}
    return [row for row in found.changes if all(getattr(row, name) == value for name, value in wanted.items())]


def _job(before: CatchmentEdition, edition: CatchmentEdition, scope: Scope) -> dict[str, Any] | None:
    params = {"before": str(before.pk), "after": str(edition.pk)}
    job = jobs_visible(scope=scope).filter(kind=COMPARE_JOB, params=params).order_by("-created_at").first()
    if job is None:
        return None
    kind, icon, label = STATES[job.state]
    return {
        "kind": kind, "icon": icon, "label": label, "percent": round(100 * job.progress),
        "open": job.state in ("queued", "running"), "error": (job.error or {}).get("message", ""),
    }  # fmt: skip


def _box(edition: CatchmentEdition) -> dict[str, str]:
    boundary = district_for(edition).boundary
    return {"box": ",".join(f"{each:.6f}" for each in boundary.bounds) if boundary is not None else ""}


def _point(lon: float, lat: float, said: str) -> dict[str, Any]:
    return feature(shapely.Point(lon, lat), {"said": said}, System.CGCS2000)


def _said(row: Disagreement) -> str:
    return f"{row.label}：按规则去{row.by_rule}，按片区去{row.by_area}，距边界 {row.border_m:.0f} 米"


def _sheet(heads: Sequence[str], rows: Iterable[Sequence[str]], name: str) -> FileResponse:
    import xlsxwriter  # slow to import, and few need it

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(heads) - 1, 26)
        for line, row in enumerate([heads, *rows]):
            for at, text in enumerate(row):
                sheet.write_string(line, at, text, None if line else bold)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)


_ONE: Final = "plan/editions/<uuid:edition_id>"
ROUTES = [
    path(f"{_ONE}/compare", compare_page, name="plan-compare"),
    path(f"{_ONE}/compare.json", compare_points, name="plan-compare-points"),
    path(f"{_ONE}/compare.xlsx", compare_sheet, name="plan-compare-sheet"),
    path(f"{_ONE}/disagreements", disagreements_page, name="plan-disagreements"),
    path(f"{_ONE}/disagreements.json", disagreement_points, name="plan-disagreements-points"),
    path(f"{_ONE}/disagreements.xlsx", disagreement_sheet, name="plan-disagreements-sheet"),
]
