"""Pages of taking a layer away: what to take, how far it is, the file, and everything one has taken."""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from geo.crs import System, notes
from geo.errors import BadInput, CityError
from geo.geometry import LIMITS
from geo.jobs.models import JobState
from geo.regions.models import Level
from geo.regions.queries import versions_of
from geo.scope import Scope
from geo.spreadsheets import BOM
from layers.exports.formats import FORMATS, SYSTEMS
from layers.exports.tables import ID
from layers.exports.writing import about_text
from layers.processes.actions import KEPT_DAYS, cancel_run, delete_run
from layers.processes.models import ProcessRun
from layers.processes.queries import file_of_run, job_of, runs_visible
from layers.reading import count_rows
from layers.registry import layer
from layers.spec import LayerSpec
from services.access.queries import scope_for
from web.api.errors import status_of
from web.api.exports import LISTED, PROCESS, ask_within_share, export_of, send_result
from web.api.limits import EXPORTS

STATES: Final = {
    JobState.QUEUED: ("kind", "clock"),
    JobState.RUNNING: ("kind", "loader-circle"),
    JobState.DONE: ("good", "circle-check"),
    JobState.FAILED: ("bad", "circle-x"),
    JobState.CANCELLED: ("warn", "circle-alert"),
}
UNITS: Final = ("字节", "KB", "MB", "GB")


@never_cache
@require_http_methods(["GET", "POST"])
def export_page(request: HttpRequest, key: str) -> HttpResponse:
    """Ask what of a layer to take and as what; on POST begin and go on to the page of the run."""
    scope = scope_for(request)
    spec = layer(key, scope=scope)
    fault: CityError | None = None
    if request.method == "POST":
        EXPORTS.allow_request(request)
        try:
            run = ask_within_share(
                request, process=PROCESS, inputs=_inputs(spec, request.POST), run_id=_id(request.POST)
            )
            return redirect("export", run_id=run.pk)
        except CityError as error:
            fault = error
    said = request.POST if request.method == "POST" else request.GET
    context = {**_offered(spec, scope, said), "fault": fault.message if fault else ""}
    return render(request, "layers/export_new.html", context, status=status_of(fault) if fault else 200)


@never_cache
@require_GET
def run_page(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Show how far an export is, and the file when it is there."""
    run = export_of(run_id, scope_for(request))
    fragment = request.headers.get("X-Fragment") == "progress"
    name = "layers/export_progress.html" if fragment else "layers/export.html"
    return render(request, name, {**_line(run), "kept_days": KEPT_DAYS})


@never_cache
@login_required
@require_GET
def exports_page(request: HttpRequest) -> HttpResponse:
    """List what the caller exported."""
    runs = runs_visible(scope=scope_for(request)).filter(process=PROCESS)[:LISTED]
    return render(request, "layers/exports.html", {"runs": [_line(run) for run in runs], "kept_days": KEPT_DAYS})


@require_POST
def stop(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Stop an export; that it has just ended by itself is as well."""
    scope = scope_for(request)
    run = export_of(run_id, scope)
    if job_of(run).state in (JobState.QUEUED, JobState.RUNNING):
        cancel_run(run_id=run_id, scope=scope)
    return redirect("export", run_id=run_id)


@require_POST
def remove(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Delete an export with its file."""
    scope = scope_for(request)
    run = export_of(run_id, scope)
    delete_run(run_id=run_id, scope=scope)
    messages.success(request, f"“{run.title}”和它的文件已删除。")
    return redirect("exports") if request.user.is_authenticated else redirect("export-new", key=run.layer)


@require_safe
def file(request: HttpRequest, run_id: uuid.UUID) -> HttpResponseBase:
    """Send the file."""
    return send_result(request, export_of(run_id, scope_for(request)))


@require_safe
def about(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Send what is said of the file as a text to keep beside it."""
    scope = scope_for(request)
    run = export_of(run_id, scope)
    file_of_run(run, scope=scope)
    columns = "；".join(f"{one['title']}（{one['name']}）" for one in run.about["columns"])
    text = about_text(
        {"文件": run.name, **dict(run.about["said"]), "列": columns, "行数": str(run.rows), "SHA-256": run.sha256}
    )
    response = HttpResponse(BOM + text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{run.name}.说明.txt") or "attachment"
    return response


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Say how layers are taken away."""
    return render(request, "help/exports.html")


def _id(said: QueryDict) -> uuid.UUID | None:
    try:
        return uuid.UUID(said.get("id", ""))
    except ValueError:
        return None


def _inputs(spec: LayerSpec, said: QueryDict) -> dict[str, Any]:
    """Return the inputs a form says. Raises ``BadInput`` for a box or shape that cannot be read."""
    found: dict[str, Any] = {"layer": spec.key, "format": said.get("format", "")}
    only = FORMATS[found["format"]].only if found["format"] in FORMATS else None
    if crs := said.get("crs", ""):
        found["crs"] = str(only) if only else crs
    if spec.attributes:
        found["attributes"] = said.getlist("attribute")
    if region := said.get("region", ""):
        found["region"] = region
    if box := said.get("bbox", "").strip():
        found["bbox"] = {"bbox": _numbers(box)}
    if text := said.get("filter", "").strip():
        found["filter"] = text
    if shape := said.get("shape", "").strip():
        found["shape"] = _shape(shape)
    return found


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.replace("，", ",").split(",")]
    except ValueError:
        raise BadInput(
            "bbox_invalid", "范围要写四个数：西,南,东,北，用逗号隔开，例如 121.4,31.2,121.5,31.3。"
        ) from None


def _shape(text: str) -> Any:
    if len(text) > LIMITS.body_bytes:
        raise BadInput("shape_too_large", "图形太大，请先简化。")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput("shape_invalid", "图形读不懂。请贴一段 GeoJSON 的面（Polygon）。") from None
    return said.get("geometry") if isinstance(said, dict) and said.get("type") == "Feature" else said


def _offered(spec: LayerSpec, scope: Scope, said: QueryDict) -> dict[str, Any]:
    chosen = said.getlist("attribute")
    asked = "format" in said
    regions = versions_of(scope=scope).filter(level__in=(Level.DISTRICT, Level.STREET)).order_by("path")
    return {
        "layer": spec,
        "count": count_rows(spec, scope=scope),
        "formats": FORMATS.values(),
        "format": said.get("format") if said.get("format") in FORMATS else "gpkg",
        "systems": [(one, "".join(notes(System.CGCS2000, one)) if one is System.SH2000 else "") for one in SYSTEMS],
        "crs": said.get("crs") or str(System.CGCS2000),
        "attributes": [(one, not asked or one.name in chosen) for one in spec.attributes if one.name != ID.name],
        "regions": [
            (code, name, level == Level.DISTRICT) for code, name, level in regions.values_list("code", "name", "level")
        ],
        "region": said.get("region", ""),
        "bbox": said.get("bbox", ""),
        "shape": said.get("shape", ""),
        "filter": said.get("filter", ""),
        "id": uuid.uuid4(),
        "kept_days": KEPT_DAYS,
    }


def _line(run: ProcessRun) -> dict[str, Any]:
    job = job_of(run)
    state = JobState(job.state)
    kind, icon = STATES[state]
    return {
        "run": run,
        "state": state,
        "label": state.label,
        "kind": kind,
        "icon": icon,
        "open": state in (JobState.QUEUED, JobState.RUNNING),
        "done": state == JobState.DONE,
        "percent": round(100 * job.progress),
        "message": job.message,
        "error": job.error.get("message", ""),
        "size": _size(run.size),
        "said": run.about.get("said", []),
        "columns": run.about.get("columns", []),
    }


def _size(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} {UNITS[unit]}" if unit < 2 else f"{size:.1f} {UNITS[unit]}"
