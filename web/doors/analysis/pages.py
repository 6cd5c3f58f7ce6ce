"""空间分析 at ``/plan/analysis``: what to do with which layers, how far it is, the result on the map, the steps before and after,
and the result kept as a layer.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import CityError, Conflict, Forbidden, NotFound
from geo.jobs.actions import cancel_job
from geo.jobs.models import JobState
from geo.jobs.queries import jobs_visible
from geo.scope import Scope
from layers.analysis.jobs import AT_ONCE, SAVE_JOB, begin_saving
from layers.analysis.queries import analyses, analysis_of, asked_of, drawing, first_rows, step_after, step_before
from layers.analysis.saving import check_savable, is_closed, regions_for, said_of_run, save_result
from layers.datasets.models import Audience
from layers.datasets.queries import EDIT, VIEW
from layers.processes.actions import KEPT_DAYS, ask_run, cancel_run, check_inputs, delete_run
from layers.processes.models import ProcessRun
from layers.processes.queries import OPEN, job_of
from layers.processes.registry import process_named
from services.access.queries import check_duty, scope_for
from services.crypto.identifiers import new_id
from web.api.errors import status_of
from web.api.exports import send_result
from web.api.limits import EXPORTS
from web.doors.analysis.form import form_of, inputs_typed, operation_named, said_of_inputs
from web.doors.catalogue.exports import STATES
from web.doors.common.desk_map import map_context
from web.doors.common.typed import key_typed, typed

LISTED: Final = 20
COLUMNS: Final = 12


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def work_page(request: HttpRequest) -> HttpResponse:
    """Ask what to do with which layers; on POST do it, at once when it is small, and go on to the page of the step.

    The act ``fields`` only asks again, with the fields of the layer now chosen.
    """
    scope = scope_for(request)
    check_duty(scope, VIEW)
    fault: CityError | None = None
    if request.method == "POST" and typed(request, "act") != "fields":
        EXPORTS.allow_request(request)
        try:
            return redirect("analysis-run", _begin(request, scope).pk)
        except Forbidden:
            raise
        except CityError as refused:
            fault = refused
    context = {
        **form_of(request, scope), "fault": fault, "key": new_id(), "runs": [_line(run) for run in analyses(scope=scope)],
        "kept_days": KEPT_DAYS, **map_context(),
    }  # fmt: skip
    return render(request, "plan/analysis.html", context, status=status_of(fault) if fault else 200)


def _begin(request: HttpRequest, scope: Scope) -> ProcessRun:
    process = operation_named(request)
    inputs = inputs_typed(request, process)
    spec = process_named(process, scope=scope)
    check_inputs(spec, inputs)
    plan = spec.plan(inputs, scope)
    key = key_typed(request)
    run = ask_run(process=process, inputs=inputs, scope=scope, run_id=key, at_once=plan.rows <= AT_ONCE)
    if job_of(run).error.get("code") == "run_too_long" and run.at_once:
        return ask_run(process=process, inputs=inputs, scope=scope, run_id=uuid.uuid5(key, "behind"))
    return run


@never_cache
@login_required
@require_safe
def run_page(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show how far a step is; when it is done, its result on the map, in figures and rows, and what can be done with it."""
    scope = scope_for(request)
    check_duty(scope, VIEW)
    run = asked_of(run_id=run_id, scope=scope)
    if request.headers.get("X-Fragment") == "progress":
        return render(request, "plan/analysis_progress.html", _line(run))
    return _shown(request, run, scope, None)


def _shown(request: HttpRequest, run: ProcessRun, scope: Scope, fault: CityError | None) -> HttpResponse:
    context = {
        **_line(run), "fault": fault, "before": step_before(run, scope=scope), "after": step_after(run, scope=scope),
        "said": said_of_inputs(run), "kept_days": KEPT_DAYS, **map_context(),
    }  # fmt: skip
    if context["done"]:
        context |= _result(run, scope) | _saving(request, run, scope)
    return render(request, "plan/analysis_run.html", context, status=status_of(fault) if fault else 200)


def _result(run: ProcessRun, scope: Scope) -> dict[str, Any]:
    run = analysis_of(run_id=run.pk, scope=scope)
    fields = run.about["fields"][:COLUMNS]
    rows = [
        [(field["kind"], said.get(field["name"])) for field in fields]
        for said in first_rows(run, scope=scope, most=LISTED)
    ]
    drawn, count = drawing(run, scope=scope)
    return {
        "fields": fields, "more_fields": len(run.about["fields"]) - len(fields), "rows": rows, "drawn": count, "island": drawn,
        "area_km2": run.about["totals"]["area_m2"] / 1e6, "length_km": run.about["totals"]["length_m"] / 1e3,
        "geometry": run.about["geometry"], "about": said_of_run(run),
    }  # fmt: skip


def _saving(request: HttpRequest, run: ProcessRun, scope: Scope) -> dict[str, Any]:
    """Return what the form needs that keeps a result as a layer; ``unsavable`` says why there is none."""
    try:
        check_savable(run, scope=scope)
        unsavable = "" if scope.holds(EDIT) else "您的账号只能看图层，不能新建。要存成图层，请联系所属区域的管理员。"
    except CityError as refused:
        unsavable = refused.message
    regions = [] if unsavable else regions_for(run, scope=scope)
    if not regions and not unsavable:
        unsavable = "结果里有您辖区以外才看得到的内容，没有合适的区域可以存。可以下载。"
    return {
        "regions": regions, "unsavable": unsavable, "closed": is_closed(run, scope=scope), "audiences": Audience.choices,
        "key": new_id(), "typed": {name: typed(request, name) for name in ("title", "region", "audience")},
    }  # fmt: skip


@never_cache
@login_required
@require_POST
def save(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Keep a result as a layer, in the background when it is large."""
    scope = scope_for(request)
    check_duty(scope, EDIT)
    run = analysis_of(run_id=run_id, scope=scope)
    asked: dict[str, Any] = {
        "run_id": run.pk, "title": typed(request, "title"), "region": typed(request, "region"),
        "audience": typed(request, "audience", Audience.STAFF), "key": key_typed(request), "scope": scope,
    }  # fmt: skip
    try:
        if run.rows > AT_ONCE:
            return redirect("analysis-saving", begin_saving(**asked).pk)
        dataset = save_result(**asked)
    except Forbidden:
        raise
    except CityError as refused:
        return _shown(request, run, scope, refused)
    messages.success(request, f"已存成图层“{dataset.title}”，还没有发布。看过以后请发布。")
    return redirect("desk-dataset", dataset.key)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def saving_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Show how far keeping a layer is; on POST stop it. When it is done, go on to the layer."""
    scope = scope_for(request)
    check_duty(scope, EDIT)
    found = jobs_visible(scope=scope).filter(pk=job_id, kind=SAVE_JOB, actor=scope.actor).first()
    if found is None:
        raise NotFound("job_unknown", "没有找到这次保存。请从空间分析的结果重新存。")
    if request.method == "POST":
        with suppress(Conflict):  # it ended meanwhile
            cancel_job(job_id=found.pk)
        return redirect("analysis-saving", job_id)
    fragment = request.headers.get("X-Fragment") == "progress"
    if found.state == JobState.DONE and not fragment:
        return redirect("desk-dataset", found.result["dataset"])
    name = "plan/analysis_progress.html" if fragment else "plan/analysis_saving.html"
    return render(request, name, {**_told(found), "job": found, "run_id": found.params["run"]})


@login_required
@require_POST
def stop(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Stop a step; that it has just ended by itself is as well."""
    scope = scope_for(request)
    run = asked_of(run_id=run_id, scope=scope)
    if job_of(run).state in OPEN:
        cancel_run(run_id=run_id, scope=scope)
    return redirect("analysis-run", run_id)


@login_required
@require_POST
def remove(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Delete a step with its result; layers made of it stay."""
    scope = scope_for(request)
    run = asked_of(run_id=run_id, scope=scope)
    delete_run(run_id=run_id, scope=scope)
    messages.success(request, f"“{run.title}”和它的结果已删除。")
    return redirect("analysis")


@login_required
@require_safe
def file(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """Send the result as GeoJSON."""
    return send_result(request, asked_of(run_id=run_id, scope=scope_for(request)))


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Say how spatial analysis is used."""
    return render(request, "help/analysis.html")


def _line(run: ProcessRun) -> dict[str, Any]:
    return {"run": run, **_told(job_of(run))}


def _told(job: Any) -> dict[str, Any]:
    state = JobState(job.state)
    kind, icon = STATES[state]
    return {
        "state": state, "label": state.label, "kind": kind, "icon": icon, "open": state in OPEN, "done": state == JobState.DONE,
        "percent": round(100 * job.progress), "message": job.message, "error": job.error.get("message", ""),
    }  # fmt: skip
