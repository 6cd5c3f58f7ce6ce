"""Pages of lists too large for one page: upload, choose the columns, watch the work, read the report, take the result, delete."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from geo.addresses.standardising.actions import (
    KEPT_DAYS,
    begin_batch,
    cancel_batch,
    delete_batch,
    resume_batch,
)
from geo.addresses.standardising.export import XLSX_ROWS
from geo.addresses.standardising.models import Batch
from geo.addresses.standardising.outcomes import LEVEL_NAMES, Status, title_of
from geo.addresses.standardising.queries import answers_of, batch_of, batches_visible, state_of, tally_of
from geo.addresses.standardising.report import Tally
from geo.addresses.standardising.tables import guess_columns
from geo.crs import System
from geo.errors import BadInput, CityError
from geo.jobs.models import JobState
from geo.scope import Scope
from services.access.queries import scope_for
from web.api.batches import csv_result, upload_file, xlsx_result
from web.doors.addresses.convert import OFFERED
from web.doors.addresses.standardise import PAGE, Sheet, chosen_columns, header_rows, shown
from web.doors.common.job_states import STATES

REASONS_SHOWN: Final = 12


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def batches_page(request: HttpRequest) -> HttpResponse:
    """List the caller's lists; on POST take a file in and go on to its page."""
    scope, fault = scope_for(request), ""
    if request.method == "POST":
        try:
            file = request.FILES.get("file")
            if not isinstance(file, File):
                raise BadInput("file_missing", "请先选一个文件。")
            return redirect("batch", batch_id=upload_file(file, scope).pk)
        except CityError as error:
            fault = error.message
    own = batches_visible(scope=scope).filter(actor=scope.actor)
    others = batches_visible(scope=scope).exclude(actor=scope.actor)[:50]
    context = {
        "fault": fault,
        "batches": [_line(batch) for batch in own],
        "others": [_line(batch) for batch in others],
        "kept_days": KEPT_DAYS,
    }
    return render(request, "tools/batches.html", context, status=400 if fault else 200)


@never_cache
@login_required
@require_GET
def batch_page(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Show one list: its columns before the work, how far it is while at work, its report and rows after."""
    scope = scope_for(request)
    batch = batch_of(batch_id=batch_id, scope=scope)
    own = batch.actor == scope.actor
    context: dict[str, Any] = {**_line(batch), "own": own, "kept_days": KEPT_DAYS}
    if context["state"] == "new":
        context |= _columns(batch) if own else {}
    else:
        context |= _report(tally_of(batch), batch) | (_rows(request, batch) if own else {})
    fragment = request.headers.get("X-Fragment") == "progress"
    return render(request, "tools/batch_progress.html" if fragment else "tools/batch.html", context)


@login_required
@require_POST
def start(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Begin the work with the columns that were chosen."""
    scope = scope_for(request)
    batch = batch_of(batch_id=batch_id, scope=scope)
    begin_batch(batch_id=batch_id, scope=scope, columns=chosen_columns(guess_columns(batch.head), request.POST))
    return redirect("batch", batch_id=batch_id)


@login_required
@require_POST
def stop(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Stop the work; it may just have ended by itself, which is as well."""
    return _acted(request, batch_id, cancel_batch)


@login_required
@require_POST
def go_on(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Go on where the work was stopped."""
    return _acted(request, batch_id, resume_batch)


@login_required
@require_POST
def remove(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Delete a list with its result."""
    scope = scope_for(request)
    name = batch_of(batch_id=batch_id, scope=scope).name
    delete_batch(batch_id=batch_id, scope=scope)
    messages.success(request, f"“{name}”和它的结果已删除。")
    return redirect("batches")


@never_cache
@login_required
@require_GET
def result(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponseBase:
    """Return the result of a list as a file."""
    crs = request.GET.get("crs", str(System.CGCS2000))
    if request.GET.get("form") == "xlsx":
        return xlsx_result(request, batch_id, crs)
    return csv_result(request, batch_id, crs)


def _acted(request: HttpRequest, batch_id: uuid.UUID, act: Any) -> HttpResponse:
    scope: Scope = scope_for(request)
    act(batch_id=batch_id, scope=scope)
    return redirect("batch", batch_id=batch_id)


def _line(batch: Batch) -> dict[str, Any]:
    state, tally = state_of(batch), tally_of(batch)
    kind, icon, label = STATES[state]
    return {
        "batch": batch,
        "state": state,
        "kind": kind,
        "icon": icon,
        "label": label,
        "done": tally.rows,
        "percent": round(100 * tally.rows / max(batch.rows, 1)) if state != "done" else 100,
        "open": state in (JobState.QUEUED, JobState.RUNNING),
        "stopped": state in (JobState.CANCELLED, JobState.FAILED),
        "message": batch.job.message if batch.job else "",
        "error": batch.job.error.get("message", "") if batch.job else "",
    }


def _columns(batch: Batch) -> dict[str, Any]:
    guessed = guess_columns(batch.head)
    sheet = Sheet(batch.head, guessed)
    names = [*sheet.names, *(f"第 {at} 列" for at in range(sheet.width + 1, batch.width + 1))]
    return {
        "sheet": sheet,
        "columns": list(enumerate(names)),
        "part_names": [names[at] for _, at in guessed.parts],
        "names": names,
        "header_rows": header_rows(batch.head),
        "sample": [[*row, *[""] * (batch.width - len(row))] for row in sheet.rows[:8]],
    }


def _report(tally: Tally, batch: Batch) -> dict[str, Any]:
    located = max(tally.radii.total(), 1)
    below, spread = 0, []
    for edge, count in tally.spread():
        label = (
            f"超过 {below:,} 米" if edge == 100_000 else f"{edge:,} 米以内" if not below else f"{below:,}–{edge:,} 米"
        )
        spread.append((label, count, round(100 * count / located)))
        below = edge
    seconds = tally.seconds["standardising"] + tally.seconds["writing"]
    return {
        "counts": [(status, tally.statuses[status], _share(tally.statuses[status], tally.rows)) for status in Status],
        "levels": [(name, tally.levels[key]) for key, name in LEVEL_NAMES.items() if tally.levels[key]],
        "reasons": [(title_of(code), count) for code, count in tally.reasons.most_common(REASONS_SHOWN)],
        "spread": spread,
        "median": tally.radius_m(0.5),
        "most": tally.radius_m(0.9),
        "seconds": round(seconds),
        "rate": round(tally.rows / seconds) if seconds else 0,
        "slowest": tally.slowest,
        "changed": len(tally.data) > 1,
        "systems": OFFERED,
        "crs": System.CGCS2000,
        "xlsx_fits": tally.rows <= XLSX_ROWS,
        "xlsx_rows": XLSX_ROWS,
        "finished_at": batch.job.finished_at if batch.job else None,
    }


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %" if total else "–"


def _rows(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    status = next((str(one) for one in Status if one == request.GET.get("status")), "")
    said = request.GET.get("after", "")
    after = int(said) if said.isascii() and said.isdecimal() and len(said) < 9 else 0
    found = answers_of(batch, status=status, after=after, limit=PAGE + 1)
    return {
        "rows": [shown(row) for row in found[:PAGE]],
        "status": next((one for one in Status if one == status), None),
        "next": found[PAGE - 1].row if len(found) > PAGE else None,
        "after": after,
    }
