"""Trials of a draft on the desk: begin, watch, stop, read the report; tables and reports taken as spreadsheets."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO, Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import BadInput
from services.access.queries import scope_for
from services.kernel.rules.models import Trial, TrialKind, TrialSource
from services.kernel.rules.queries import trial_seen, version_seen
from services.kernel.rules.registry import rule_set_named
from services.kernel.rules.reports import fact_words, write_report, write_table
from services.kernel.rules.spec import RuleSetSpec
from services.kernel.rules.trials import start_trial, stop_trial
from web.doors.common.job_states import STATES
from web.doors.common.typed import typed
from web.doors.rules.editor import shown_again
from web.doors.rules.pages import day_typed

ROWS_A_PAGE = 50


@login_required
@require_POST
def start(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Begin a trial and go to its report."""
    scope = scope_for(request)
    version = version_seen(version_id, scope=scope)
    try:
        days = {name: day_typed(request, name) for name in ("from_day", "to_day") if typed(request, name).strip()}
        trial = start_trial(version_id=version_id, pasted=typed(request, "cases"), scope=scope, **days)
    except BadInput as fault:
        return shown_again(request, version, fault)
    return redirect("desk-rule-trial", trial_id=trial.pk)


@never_cache
@login_required
@require_safe
def trial_page(request: HttpRequest, trial_id: UUID) -> HttpResponse:
    """Show how far a trial is, and its report: how many alike, what changed to what, the rows."""
    trial = trial_seen(trial_id, scope=scope_for(request))
    spec = rule_set_named(trial.version.rule_set)
    context = _progress(trial)
    if request.headers.get("X-Fragment") == "progress":
        return render(request, "desk/rule_trial_progress.html", context)
    kind = typed(request, "kind")
    rows = trial.rows.filter(kind=kind) if kind in TrialKind.values else trial.rows.all()
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    context |= {
        "spec": spec, "version": trial.version, "kind": kind if kind in TrialKind.values else "", "page": page,
        "rows": [{"row": row, "facts": facts_words(row.facts, spec)} for row in page],
        "kinds": [(key, label, trial.tally.get(key, 0)) for key, label in TrialKind.choices],
        "same": trial.tally.get("same", 0), "total": trial.tally.get("total", 0),
        "matrix": [(*pair.split("\n"), count) for pair, count in sorted(trial.matrix.items(), key=lambda each: -each[1])],
        "history": trial.source == TrialSource.HISTORY,
    }  # fmt: skip
    return render(request, "desk/rule_trial.html", context)


@login_required
@require_POST
def stop(request: HttpRequest, trial_id: UUID) -> HttpResponse:
    """Stop a trial that runs."""
    stop_trial(trial_id=trial_id, scope=scope_for(request))
    return redirect("desk-rule-trial", trial_id=trial_id)


@never_cache
@login_required
@require_safe
def report(request: HttpRequest, trial_id: UUID) -> HttpResponseBase:
    """Return the report of a trial as a spreadsheet."""
    trial = trial_seen(trial_id, scope=scope_for(request))
    return _sheet(lambda file: write_report(file, trial), f"{rule_set_named(trial.version.rule_set).title}-试算")


@never_cache
@login_required
@require_safe
def table(request: HttpRequest, version_id: UUID) -> HttpResponseBase:
    """Return the table of a version as a spreadsheet."""
    scope = scope_for(request)
    version = version_seen(version_id, scope=scope)
    if not version.active:
        raise BadInput("rules_ended", "这一版是停用，没有规则表。")
    return _sheet(
        lambda file: write_table(file, version), f"{rule_set_named(version.rule_set).title}-第{version.number}版"
    )


def _sheet(write: Callable[[IO[bytes]], None], name: str) -> FileResponse:
    with ExitStack() as unsent:
        file = unsent.enter_context(tempfile.TemporaryFile())
        write(file)
        file.seek(0)
        answer = FileResponse(file, as_attachment=True, filename=f"{name}-{timezone.localtime():%Y%m%d-%H%M}.xlsx")
        unsent.pop_all()  # from here on it belongs to the answer, which closes it when it is sent
    return answer


def facts_words(facts: dict[str, Any], spec: RuleSetSpec) -> str:
    """Return the facts of a case in one line."""
    return (
        "，".join(f"{fact.label} {fact_words(facts[fact.key], fact)}" for fact in spec.inputs if fact.key in facts)
        or "都未填"
    )


def _progress(trial: Trial) -> dict[str, Any]:
    state = trial.job.state if trial.job else "done"
    kind, icon, label = STATES[state]
    job = trial.job
    return {
        "trial": trial, "state": state, "kind_tag": kind, "icon": icon, "state_label": label,
        "open": state in ("queued", "running"), "percent": round(100 * job.progress) if job else 100,
        "message": job.message if job else "", "error": (job.error or {}).get("message", "") if job else "",
    }  # fmt: skip
