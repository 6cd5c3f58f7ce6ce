"""Validation analysis on the planners' door: registers taken in and run, rows by outcome, what changed, export."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path as route
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict, NotFound, TooLarge
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import scope_for
from services.catchments.answering import OUTCOMES, REASONS
from services.catchments.models import CatchmentEdition
from services.catchments.queries import EDIT, VIEW, edition_seen
from services.catchments.validating import actions, queries, taking
from services.catchments.validating.exporting import write_verdicts
from services.catchments.validating.models import Validation
from services.catchments.validating.queries import UNMATCHED, Wanted
from services.kernel.forms.taking import may_take
from web.api.errors import status_of
from web.doors.common.job_states import STATES
from web.doors.common.typed import key_typed, typed
from web.doors.plan.parts import frame_of

A_PAGE: Final = 50
MOST_LISTED: Final = 20
_TAGS: Final = {"one": "good", "several": "kind", "none": "bad", "unclear": "warn", "unknown": "bad"}


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def validation_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """List the registers and runs of an edition; on POST take one in from a file or from forms, run it, or delete it."""
    scope, fault = scope_for(request), None
    edition = edition_seen(edition_id, scope=scope, duty=EDIT if request.method == "POST" else VIEW)
    if request.method == "POST":
        try:
            return _acted(request, edition_id)
        except (BadInput, Conflict, TooLarge) as refused:
            fault = refused
    registers = list(queries.registers_for(edition, scope=scope)[:MOST_LISTED])
    runs = [_run(run) for run in queries.validations_of(edition, scope=scope)[:MOST_LISTED]]
    may_run = scope.holds(EDIT)
    context = frame_of(edition, scope=scope, tab="validation") | {
        "fault": fault, "registers": registers, "runs": runs, "may_run": may_run, "open": any(one["open"] for one in runs),
        "forms": _forms(edition, scope) if may_run else None,
    }  # fmt: skip
    return render(request, "plan/validation.html", context, status=status_of(fault) if fault else 200)


def _forms(edition: CatchmentEdition, scope: Scope) -> dict[str, Any] | None:
    """Return how many registrations are there to be taken, ``None`` where no form makes a register of this entry."""
    if not taking.forms_for(edition.entry):
        return None
    first, last = taking.season_of(edition.year)
    may = may_take(scope)
    count = taking.handed_in_for(edition, scope=scope).count() if may else 0
    return {"first": first, "last": last, "may": may, "count": count}


def _acted(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    scope, act = scope_for(request), typed(request, "act")
    if act == "delete":
        gone = actions.delete_register(register_id=_id(request, "register"), scope=scope)
        said.success(request, f"已删除名册“{gone.name}”和它的验证结果。")
        return redirect("plan-validation", edition_id=edition_id)
    key = key_typed(request)
    if act == "take":
        run = actions.begin_from_forms(edition_id=edition_id, key=key, scope=scope)
        return redirect("plan-validation-run", run_id=run.pk)
    register_id = _taken(request, edition_id, key) if act == "upload" else _id(request, "register")
    run = actions.start_validation(edition_id=edition_id, register_id=register_id, key=key, scope=scope)
    return redirect("plan-validation-run", run_id=run.pk)


def _taken(request: HttpRequest, edition_id: UUID, key: UUID) -> UUID:
    file = request.FILES.get("file")
    if file is None:
        raise BadInput("file_missing", "请先选一个文件。")
    with tempfile.TemporaryDirectory(prefix="quantu-register-") as folder:
        name = Path(file.name or "").name
        path = Path(folder) / f"upload{Path(name).suffix[:8]}"
        with path.open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
        taken = actions.take_register(
            edition_id=edition_id, source=path, name=Path(name).stem, key=key, scope=scope_for(request)
        )
    return taken.pk


def _id(request: HttpRequest, name: str) -> UUID:
    try:
        return UUID(typed(request, name))
    except ValueError:
        raise BadInput("register_missing", "请先选一份名册。") from None


@never_cache
@login_required
@require_safe
def run_page(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show how far a run is, then its rows by outcome and reason, and what changed since the run before."""
    scope = scope_for(request)
    run = queries.validation_seen(run_id, scope=scope)
    context = _run(run)
    if request.headers.get("X-Fragment") == "progress":
        return render(request, "plan/validation_progress.html", context)
    edition = edition_seen(run.edition_id, scope=scope)
    context |= frame_of(edition, scope=scope, tab="validation") | {"may_run": scope.holds(EDIT)}
    if run.done_at is not None:
        context |= _report(request, run)
    return render(request, "plan/validation_run.html", context)


@login_required
@require_POST
def run_act(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Stop a run, or go on with one that was stopped."""
    scope = scope_for(request)
    try:
        if typed(request, "act") == "stop":
            actions.stop_validation(validation_id=run_id, scope=scope)
        else:
            actions.go_on(validation_id=run_id, scope=scope)
    except Conflict as fault:
        said.warning(request, fault.message)
    return redirect("plan-validation-run", run_id=run_id)


@never_cache
@login_required
@require_safe
def export(request: HttpRequest, run_id: UUID, ending: str) -> HttpResponseBase:
    """Return the rows that are asked for as a file; who took how many is audited."""
    run = queries.validation_seen(run_id, scope=scope_for(request), duty=EDIT)
    if ending not in ("xlsx", "csv"):
        raise NotFound("not_found", "只能导出 xlsx 或 csv。")
    wanted = _wanted(request)
    with tempfile.TemporaryDirectory(prefix="quantu-validation-") as folder:
        path = Path(folder) / f"rows.{ending}"
        count = write_verdicts(path, run, wanted, ending)
        record_audit(
            act=AuditAct.LEDGER_EXPORTED, request=request,
            detail={"ledger": "catchment_validation", "validation": str(run.pk), "rows": count},
        )  # fmt: skip
        file = path.open("rb")  # the answer closes it; the folder may go before
    word = "未对上" if wanted.outcome == "unmatched" else "结果"
    name = f"验证分析-{run.register.name.replace(':', '')}-{word}-{timezone.localtime():%Y%m%d-%H%M}.{ending}"
    return FileResponse(file, as_attachment=True, filename=name)


def _wanted(request: HttpRequest) -> Wanted:
    def number(name: str) -> int:
        text = request.GET.get(name, "")
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 16 else 0

    texts = {name: request.GET.get(name, "")[:40] for name in ("outcome", "reason")}
    return Wanted(**texts, street=number("street"), site=number("site"), text=request.GET.get("q", "").strip()[:60])


def _run(run: Validation) -> dict[str, Any]:
    at = queries.progress_of(run)
    tag, icon, label = STATES[at.state]
    counts = queries.counts_of(run) if run.done_at else {}
    return {
        "run": run, "state": at.state, "kind_tag": tag, "icon": icon, "state_label": label, "open": at.running,
        "percent": round(100 * at.share), "message": at.message, "error": at.error,
        "unmatched": sum(counts.get(outcome, 0) for outcome in UNMATCHED),
        "stale": run.revision != run.edition.revision,
    }  # fmt: skip


def _report(request: HttpRequest, run: Validation) -> dict[str, Any]:
    wanted, fault = _wanted(request), None
    try:
        rows = queries.verdicts(run, wanted)
    except CityError as refused:
        wanted, fault, rows = Wanted(), refused, queries.verdicts(run, Wanted())
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    streets, sites = queries.facets(run)
    asked = {
        name: value
        for name, value in (
            ("outcome", wanted.outcome), ("reason", wanted.reason), ("street", wanted.street), ("site", wanted.site),
            ("q", wanted.text),
        )
        if value
    }  # fmt: skip
    before = queries.earlier_run(run)
    counts, total = queries.counts_of(run), run.register.row_count
    return {
        "fault": fault, "page": page, "rows": list(queries.shown(run, page)), "wanted": wanted, "query": urlencode(asked),
        "tally": [
            (key, OUTCOMES[key], counts[key], f"{100 * counts[key] / max(total, 1):.1f} %", _TAGS[key]) for key in OUTCOMES
        ],
        "reasons": [
            (reason, REASONS.get(reason, reason), count)
            for outcome in OUTCOMES
            if wanted.outcome in ("", outcome) or (wanted.outcome == "unmatched" and outcome in UNMATCHED)
            for reason, count in run.counts.get(outcome, {}).items()
        ],
        "streets": [(pk or -1, name, count) for pk, name, count in streets], "sites": sites, "total": total,
        "before": before, "changes": queries.changed_between(before, run) if before else [],
        "tally_before": queries.counts_of(before) if before else {},
        "moved": [(OUTCOMES[key], queries.counts_of(before)[key], counts[key]) for key in OUTCOMES] if before else [],
    }  # fmt: skip


ROUTES = [
    route("plan/editions/<uuid:edition_id>/validation", validation_page, name="plan-validation"),
    route("plan/validations/<uuid:run_id>", run_page, name="plan-validation-run"),
    route("plan/validations/<uuid:run_id>/act", run_act, name="plan-validation-act"),
    route("plan/validations/<uuid:run_id>/rows.<str:ending>", export, name="plan-validation-export"),
]
