"""Files into a dataset: upload, what each column becomes, rows that cannot be written, a map of the others, one act."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.crs import System
from geo.errors import CityError, Forbidden, NotFound
from geo.jobs.models import Job
from geo.kept import open_file
from geo.scope import Scope
from layers.datasets.arriving import BY_ORIGIN
from layers.datasets.attributes import KINDS
from layers.datasets.files import actions
from layers.datasets.files.kept import file_of
from layers.datasets.files.reading import FORMATS, MOST_BYTES, NEW, SKIP, SYSTEMS
from layers.datasets.models import ImportState
from layers.datasets.queries import dataset_seen, import_seen, imports_of, may_edit
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.drawing_files import uploaded
from web.doors.common.typed import key_typed, number_typed, typed

ENDINGS: Final = ",".join(FORMATS)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def files_page(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for a file for a dataset, and list those that came; on POST take the file in."""
    scope, fault = scope_for(request), None
    dataset = dataset_seen(key, scope=scope)
    if request.method == "POST":
        try:
            with uploaded(request, most=MOST_BYTES) as (source, name):
                one = actions.take_file(key=key, source=source, name=name, datum=typed(request, "datum"), scope=scope)
            return redirect("desk-dataset-import", one.pk)
        except Forbidden:
            raise
        except CityError as refused:
            fault = refused
    context = {
        "dataset": dataset, "may_edit": may_edit(dataset, scope=scope), "fault": fault, "endings": ENDINGS,
        "imports": imports_of(dataset)[:20], "systems": _systems(), "megabytes": MOST_BYTES // 1_000_000,
    }  # fmt: skip
    return render(request, "desk/datasets/files.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def import_page(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show what a file would do to the draft; on POST say its columns, read it again, weigh, write or discard it."""
    scope = scope_for(request)
    if request.method == "GET":
        return _page(request, import_id, scope)
    try:
        return _acted(request, import_id, scope)
    except (Forbidden, NotFound):
        raise
    except CityError as fault:
        return _page(request, import_id, scope, fault=fault)


def _acted(request: HttpRequest, import_id: UUID, scope: Scope) -> HttpResponse:
    act = typed(request, "act")
    if act == "discard":
        dataset = actions.discard(import_id=import_id, scope=scope)
        messages.success(request, "已放弃这个文件，图层没有改动。")
        return redirect("desk-dataset-files", dataset.key)
    if act == "weigh":
        by, replace = _how(request)
        actions.begin_weigh(import_id=import_id, by=by, replace=replace, scope=scope)
    elif act == "columns":
        actions.say_columns(import_id=import_id, columns=_columns(request), scope=scope)
    elif act == "again":
        actions.read_again(
            import_id=import_id, datum=typed(request, "datum"), table=typed(request, "table"), scope=scope
        )
    elif act == "write":
        by, replace = _how(request)
        one = actions.begin_write(
            import_id=import_id, by=by, replace=replace, sure=bool(typed(request, "sure")), seen=number_typed(request, "seen"),
            key=key_typed(request), scope=scope,
        )  # fmt: skip
        if one.state == ImportState.WRITTEN:
            said = f"已{one.act.said}。导错了可以点“撤销”，一次退回。" if one.act else "文件和图层一样，没有改动。"
            messages.success(request, said)
            return redirect("desk-dataset", one.dataset.key)
    return redirect("desk-dataset-import", import_id)


def _how(request: HttpRequest) -> tuple[str, bool]:
    by = typed(request, "by")
    return ("" if by == BY_ORIGIN else by), typed(request, "how") == "replace"


def _columns(request: HttpRequest) -> list[dict[str, str]]:
    names = request.POST.getlist("column")
    said = ("to", "title", "kind")
    return [
        {"column": name, **{each: typed(request, f"{each}-{at}") for each in said}}
        for at, name in enumerate(names[:500])
    ]


def _page(request: HttpRequest, import_id: UUID, scope: Scope, *, fault: CityError | None = None) -> HttpResponse:
    one = import_seen(import_id, scope=scope)
    job = Job.objects.filter(pk=one.job).first() if one.job else None
    state = {"one": one, "job": job, "percent": round(100 * job.progress) if job else 0, "busy": actions.is_busy(one)}
    if request.headers.get("X-Fragment") == "progress":
        return render(request, "desk/datasets/import_progress.html", state)
    report: dict[str, Any] = one.report
    samples, weighed = report.get("sample", []), report.get("weighed") or {}
    context = state | map_context() | {
        "dataset": one.dataset, "report": report, "fault": fault, "kinds": KINDS, "new": NEW, "skip": SKIP, "key": new_id(),
        "columns": [(at, each, [row.get(each["column"], "") for row in samples][:3]) for at, each in enumerate(one.columns)],
        "systems": _systems(), "system": _label(report.get("system", "")), "guessed": _label(report.get("guessed", "")),
        "likely": _label(report.get("likely", "")), "weighed": weighed, "drawn": report.get("drawn"),
        "by": typed(request, "by") or weighed.get("by", ""),
        "how": typed(request, "how") or ("replace" if weighed.get("replace") else "add"), "sure": typed(request, "sure"),
    }  # fmt: skip
    return render(request, "desk/datasets/import.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_safe
def original(request: HttpRequest, import_id: UUID) -> FileResponse:
    """Return a file as it was sent."""
    one = import_seen(import_id, scope=scope_for(request))
    return FileResponse(
        open_file(file_of(one)), as_attachment=True, filename=one.name, content_type="application/octet-stream"
    )


def _systems() -> list[tuple[str, str]]:
    return [(system.value, system.label) for system in SYSTEMS]


def _label(system: str) -> str:
    return System(system).label if system else ""
