"""Fairness on the planners' door: an edition measured, what was found, the map of committees, tables, spreadsheets."""

from __future__ import annotations

from typing import Any, Final, cast
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.crs import System
from geo.errors import BadInput, Conflict, NotFound
from geo.geometry import feature, feature_collection
from services.access.queries import scope_for
from services.catchments.areas.queries import district_for
from services.catchments.fairness import actions, queries
from services.catchments.fairness.exporting import write_csv, write_workbook
from services.catchments.fairness.models import FairnessRun
from services.catchments.fairness.queries import CLASSES, GRADES, UNKNOWN, Line, Of
from services.catchments.queries import EDIT, VIEW, edition_seen
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.job_states import STATES
from web.doors.common.taken import taken
from web.doors.common.typed import key_typed, number_typed, typed
from web.doors.plan.drawing import told_to_scripts
from web.doors.plan.parts import frame_of

A_PAGE: Final = 30
MOST_LISTED: Final = 20
OF_WORDS: Final[dict[Of, str]] = {"extra": "多走几分钟", "matched": "走到对口园几分钟"}
FILES: Final = {"fairness.xlsx": "", "committees.csv": "居委", "sites.csv": "幼儿园"}


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def fairness_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """List what was measured of an edition; on POST measure it, or delete a measurement."""
    scope, fault = scope_for(request), None
    edition = edition_seen(edition_id, scope=scope, duty=EDIT if request.method == "POST" else VIEW)
    if request.method == "POST":
        try:
            return _acted(request, edition_id)
        except (BadInput, Conflict) as refused:
            fault = refused
    context = frame_of(edition, scope=scope, tab="fairness") | {
        "fault": fault, "may_run": scope.holds(EDIT), "validations": queries.validations_for(edition, scope=scope),
        "grades": GRADES.items(), "chosen": {name: typed(request, name) for name in ("validation", "grades")},
        "runs": [_run(run) for run in queries.runs_of(edition, scope=scope)[:MOST_LISTED]],
    }  # fmt: skip
    return render(request, "plan/fairness.html", context, status=status_of(fault) if fault else 200)


def _acted(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    scope = scope_for(request)
    if typed(request, "act") == "delete":
        run_id = _id(request, "run")
        if run_id is None:
            raise BadInput("fairness_missing", "请先选一次分析。")
        actions.delete_fairness(run_id=run_id, scope=scope)
        said.success(request, "已删除这次分析。")
        return redirect("plan-fairness", edition_id=edition_id)
    run = actions.start_fairness(
        edition_id=edition_id, validation_id=_id(request, "validation"), grades=number_typed(request, "grades") or 1,
        key=key_typed(request), scope=scope,
    )  # fmt: skip
    return redirect("plan-fairness-run", run_id=run.pk)


def _id(request: HttpRequest, name: str) -> UUID | None:
    try:
        return UUID(typed(request, name)) if typed(request, name) else None
    except ValueError:
        raise BadInput("choice_unknown", "请从列表里选。", parameter=name) from None


@never_cache
@login_required
@require_safe
def run_page(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show how far a measurement is, then what it found, by committee and by kindergarten."""
    scope = scope_for(request)
    run = queries.run_seen(run_id, scope=scope)
    context = _run(run)
    if request.headers.get("X-Fragment") == "progress":
        return render(request, "plan/fairness_progress.html", context)
    edition = edition_seen(run.edition_id, scope=scope)
    context |= frame_of(edition, scope=scope, tab="fairness") | {"may_run": scope.holds(EDIT)}
    if run.done_at is not None:
        context |= _report(request, run) | map_context()
    return render(request, "plan/fairness_run.html", context)


def _run(run: FairnessRun) -> dict[str, Any]:
    at = queries.progress_of(run)
    tag, icon, label = STATES[at.state]
    finding = queries.finding_of(queries.committees_of(run), queries.sites_of(run)) if run.done_at else None
    return {
        "run": run, "state": at.state, "kind_tag": tag, "icon": icon, "state_label": label, "open": at.running,
        "percent": round(100 * at.share), "message": at.message, "error": at.error, "finding": finding,
        "stale": run.revision != run.edition.revision, "grades_said": GRADES[run.grades],
    }  # fmt: skip


def _report(request: HttpRequest, run: FairnessRun) -> dict[str, Any]:
    of = _of(request)
    lines, sites = queries.committees_of(run, of), queries.sites_of(run)
    boundary = district_for(run.edition).boundary
    size = len(lines) if typed(request, "all") and lines else A_PAGE
    return {
        "of": of, "ofs": OF_WORDS.items(), "page": Paginator(lines, size).get_page(request.GET.get("page")),
        "total": queries.total_of(run), "sites": sites, "sum": queries.sum_of(sites), "counted": run.validation_id is not None,
        "legend": _legend(of), "unknown": UNKNOWN,
        "children": {name: run.totals.get(f"children_{name}", 0) for name in ("timed", "unmatched")},
        "unnamed": run.totals.get("children", 0) - run.totals.get("children_timed", 0),
        "box": ",".join(f"{each:.6f}" for each in boundary.bounds) if boundary is not None else "",
    }  # fmt: skip


def _of(request: HttpRequest) -> Of:
    asked = typed(request, "of")
    return asked if asked in CLASSES else "extra"


def _legend(of: Of) -> list[tuple[int, str]]:
    low, middle, high = CLASSES[of]
    return [
        (0, f"不到 {low} 分钟"), (1, f"{low} 到 {middle} 分钟"), (2, f"{middle} 到 {high} 分钟"), (3, f"{high} 分钟以上"),
    ]  # fmt: skip


@never_cache
@login_required
@require_safe
@told_to_scripts
def run_map(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Return the committees of a measurement with what their rows say, for the map."""
    run, of = queries.run_seen(run_id, scope=scope_for(request)), _of(request)
    shapes = queries.shapes_of(run)
    features, spots = [], []
    for line in queries.committees_of(run, of):
        shape = shapes.get(line.id or 0)
        if shape is None:
            continue
        told = {"id": line.id, "class": line.class_of(of), "said": _said(line), "minutes": getattr(line, of)}
        features.append(feature(shape, told, System.CGCS2000))
        if line.timed:
            spots.append(feature(shape.representative_point(), told, System.CGCS2000))
    return JsonResponse({"committees": feature_collection(features), "spots": feature_collection(spots)})


def _said(line: Line) -> str:
    if not line.timed:
        return f"{line.name}：没有能算的门牌"
    return f"{line.name}：走到对口园 {line.matched} 分钟，走到最近的园 {line.nearest} 分钟，多走 {line.extra} 分钟"


@login_required
@require_POST
def run_act(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Stop a measurement, or measure again what was stopped."""
    scope = scope_for(request)
    try:
        if typed(request, "act") == "stop":
            actions.stop_fairness(run_id=run_id, scope=scope)
        else:
            actions.go_on(run_id=run_id, scope=scope)
    except Conflict as fault:
        said.warning(request, fault.message)
    return redirect("plan-fairness-run", run_id=run_id)


@never_cache
@login_required
@require_safe
def export(request: HttpRequest, run_id: UUID, name: str) -> HttpResponse:
    """Return the tables of a measurement as a file; who took how many lines is audited."""
    run = queries.run_seen(run_id, scope=scope_for(request))
    if name not in FILES or run.done_at is None:
        raise NotFound("not_found", "还没有这张表。分析做完以后，可以导出 Excel，或居委、幼儿园的 CSV。")
    sheet, ending = name.split(".")
    body, count = write_workbook(run) if ending == "xlsx" else write_csv(run, cast("Any", sheet))
    called = f"公平性分析{FILES[name]}-{run.edition.year}-第{run.edition.number}版"
    return taken(request, body, called, ledger="catchment_fairness", format=ending, rows=count, run=str(run.pk))


ROUTES = [
    path("plan/editions/<uuid:edition_id>/fairness", fairness_page, name="plan-fairness"),
    path("plan/fairness/<uuid:run_id>", run_page, name="plan-fairness-run"),
    path("plan/fairness/<uuid:run_id>/act", run_act, name="plan-fairness-act"),
    path("plan/fairness/<uuid:run_id>/map.json", run_map, name="plan-fairness-map"),
    path("plan/fairness/<uuid:run_id>/<str:name>", export, name="plan-fairness-export"),
]
