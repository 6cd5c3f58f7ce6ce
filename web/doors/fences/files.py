"""Fences in and out of files: upload and report, rows mended in place, a map of what would come, one act; files to take away."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

import shapely
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.crs import System
from geo.errors import BadInput, CityError, Conflict, TooLarge, TooMany, Unavailable
from geo.fences.areas import shape_of
from geo.fences.drafts import EditionState
from geo.fences.files.reading import ENDINGS, SYSTEMS
from geo.fences.files.writing import FORMATS, PRECISION
from geo.fences.models import FenceEdition
from geo.fences.purposes import ShapeKind
from geo.geometry import feature, feature_collection
from geo.kept import open_file
from geo.scope import Scope
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from services.fencing.files import actions
from services.fencing.files.columns import LABELS
from services.fencing.files.exporting import export_fences
from services.fencing.files.judging import SHAPE
from services.fencing.files.kept import file_of
from services.fencing.files.models import FenceImportRow
from services.fencing.files.queries import FATES, fates_of, import_seen, imports_of, names_missing, tally_of
from services.fencing.queries import EDIT, edition_seen, fences_of, purpose_for
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.drawing_files import taken_away, uploaded
from web.doors.common.typed import key_typed, number_typed, typed

A_PAGE: Final = 20
ROWS_SHOWN: Final = 50
MOST_DRAWN: Final = 2_000
THINNED_DEG: Final = 5e-6
"""How far a border may move on the map of what would come: about half a metre."""
_CELL: Final = re.compile(r"^c-(\d{1,9})-([a-z_]+)$")
_REFUSED: Final = (BadInput, Conflict, TooLarge, TooMany, Unavailable)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def files_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Ask for a file of fences, and offer those of the edition in any format; on POST take the file in."""
    scope, fault = scope_for(request), None
    edition = edition_seen(edition_id, scope=scope)
    if request.method == "POST":
        try:
            with uploaded(request) as (source, name):
                taken = actions.take_file(
                    edition_id=edition_id, source=source, name=name, datum=typed(request, "datum"), scope=scope
                )
            return redirect("fences-import", import_id=taken.pk)
        except _REFUSED as refused:
            fault = refused
    may_edit = edition.state != EditionState.PUBLISHED and scope.holds(EDIT)
    context = _frame(edition) | {
        "fault": fault, "may_edit": may_edit, "imports": list(imports_of(edition)[:20]) if scope.holds(EDIT) else [],
        "systems": _systems(), "formats": FORMATS, "fences": fences_of(edition), "endings": ENDINGS, "precision": PRECISION,
        "datum": typed(request, "datum"), "chosen": _chosen(request),
    }  # fmt: skip
    return render(request, "plan/fence_files.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_safe
def export(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Return an edition, or the chosen fences of it, as a file."""
    file = export_fences(
        edition_id=edition_id, format=typed(request, "format", "geojson"), crs=typed(request, "crs", "wgs84"),
        sames=_chosen(request), scope=scope_for(request),
    )  # fmt: skip
    return taken_away(file)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def import_page(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show what a file would do to the draft, row by row; on POST mend, read again, write, or give it up."""
    if request.method == "GET":
        return _page(request, import_id)
    try:
        return _act(request, import_id, scope_for(request))
    except _REFUSED as fault:
        return _page(request, import_id, fault)


def _act(request: HttpRequest, import_id: UUID, scope: Scope) -> HttpResponse:
    act = typed(request, "act")
    if act == "write":
        return _written(request, import_id, scope)
    if act == "discard":
        gone = actions.discard_import(import_id=import_id, scope=scope)
        messages.success(request, f"已放弃“{gone.name}”，草稿没有改动。")
        return redirect("fences-files", edition_id=gone.edition_id)
    if act == "mend":
        left = actions.mend_rows(import_id=import_id, mended=_mended(request), scope=scope)
        messages.success(request, f"已保存。这一页还有 {left} 个要改。" if left else "已保存，这一页都改好了。")
    elif act == "accept":
        messages.success(request, f"选用了 {actions.accept_mended(import_id=import_id, scope=scope)} 个修好的图形。")
    elif act == "leave":
        count = actions.leave_out_faulty(import_id=import_id, scope=scope)
        messages.success(request, f"{count:,} 个不导入。原文件没有改动，改好后可以再传。")
    elif act == "again":
        actions.read_again(import_id=import_id, datum=typed(request, "datum"), scope=scope)
        messages.success(request, "已按新的坐标系重新读取，请再核对一遍。")
    elif act == "sure":
        actions.stand_by_system(import_id=import_id, scope=scope)
        messages.success(request, "已确认坐标系没有错。")
    else:
        raise BadInput("act_unknown", "没有这个操作，请刷新页面后再试。")
    return redirect("fences-import", import_id=import_id)


def _written(request: HttpRequest, import_id: UUID, scope: Scope) -> HttpResponse:
    taken = import_seen(import_id, scope=scope)
    change = actions.write_import(
        import_id=import_id, replace=typed(request, "how") == "replace", seen=number_typed(request, "seen"),
        key=key_typed(request), scope=scope,
    )  # fmt: skip
    said = f"已{change.said}。导错了可以点“撤销”，一次退回。" if change else "文件里的围栏和草稿一样，没有改动。"
    messages.success(request, said)
    return redirect("fences-map", edition_id=taken.edition_id)


def _mended(request: HttpRequest) -> dict[int, actions.Mended]:
    """Return the rows of the page as they were posted."""
    cells: dict[int, dict[str, str]] = {}
    for name in request.POST:
        if found := _CELL.match(name):
            cells.setdefault(int(found[1]), {})[found[2]] = typed(request, name)
    return {
        number: actions.Mended(
            given, bool(typed(request, f"fixed-{number}")), bool(typed(request, f"out-{number}")),
            number_typed(request, f"seen-{number}"),
        )
        for number, given in cells.items()
    }  # fmt: skip


def _page(request: HttpRequest, import_id: UUID, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    taken = import_seen(import_id, scope=scope)
    edition = edition_seen(taken.edition_id, scope=scope, duty=EDIT)
    faulty = Paginator(taken.rows.filter(faulty=True), A_PAGE).get_page(request.GET.get("page"))
    ready = Paginator(taken.rows.filter(faulty=False), ROWS_SHOWN).get_page(request.GET.get("rows"))
    tally, written = tally_of(taken), taken.written_at is not None
    missing = [] if written else names_missing(taken, edition)
    context = _frame(edition) | map_context() | {
        "taken": taken, "tally": tally, "written": written, "fault": fault, "faulty": faulty, "ready": ready,
        "rows": [_row(row) for row in faulty], "lines": _lines(ready, edition, written), "missing": missing,
        "system": _label(taken.system), "guessed": _label(taken.guessed), "likely": _label(taken.likely),
        "systems": _systems(taken.system, taken.guessed), "key": new_id(), "seen": edition.revision,
        "doubted": bool(taken.doubt) and not taken.sure,
    }  # fmt: skip
    return render(request, "plan/fence_import.html", context, status=status_of(fault) if fault else 200)


def _row(row: FenceImportRow) -> dict[str, Any]:
    shown = [
        {"key": key, "label": label, "text": row.cells.get(key, ""), "fault": row.faults.get(key, "")}
        for key, label in LABELS.items()
        if key in row.cells
    ]
    return {
        "row": row,
        "fields": shown,
        "shape": row.faults.get(SHAPE, ""),
        "offered": bool(row.shape_fault and row.geom),
    }


def _lines(rows: Any, edition: FenceEdition, written: bool) -> list[dict[str, Any]]:
    found = list(rows)
    fates = {} if written else fates_of(found, edition)
    lines = []
    for row in found:
        word, tag = FATES["left_out"] if row.left_out else FATES[fates.get(row.number, "new")]
        days = " 到 ".join(day for day in (row.cells.get("from_day"), row.cells.get("to_day")) if day)
        when = "，".join(part for part in (days, row.cells.get("hours")) if part)
        lines.append({
            "row": row, "word": "" if written and not row.left_out else word, "tag": tag, "when": when,
            "kind": ShapeKind(row.kind).label,
        })  # fmt: skip
    return lines


@never_cache
@login_required
@require_safe
def shapes(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Return for the map the fences of a file, each with what writing does to it, over those of the draft."""
    scope = scope_for(request)
    taken = import_seen(import_id, scope=scope)
    edition = edition_seen(taken.edition_id, scope=scope, duty=EDIT)
    rows = list(taken.rows.all()[:MOST_DRAWN])
    fates = fates_of(rows, edition)
    drawn = [
        _feature(shape_of(fence), fence.name, "there", "草稿里现在的") for fence in fences_of(edition)[:MOST_DRAWN]
    ]
    for row in rows:
        name, word = row.cells.get("name") or f"第 {row.number} 个", FATES[fates[row.number]][0]
        if row.geom is not None:
            state = "mended" if row.before is not None and fates[row.number] == "refused" else fates[row.number]
            drawn.append(_feature(shape_of(row), name, state, "修好以后的图形" if state == "mended" else word))
        if row.before is not None:
            drawn.append(_feature(shapely.from_wkb(bytes(row.before.wkb)), name, "before", "文件里原来的图形"))
    return JsonResponse({"areas": feature_collection(drawn)})


def _feature(shape: Any, name: str, state: str, word: str) -> dict[str, Any]:
    thin = shapely.simplify(shape, THINNED_DEG) if shape.is_valid else shape
    return feature(thin, {"name": name, "state": state, "said": f"{name}（{word}）"}, System.CGCS2000)


@never_cache
@login_required
@require_safe
def original(request: HttpRequest, import_id: UUID) -> FileResponse:
    """Return a file as it was sent."""
    taken = import_seen(import_id, scope=scope_for(request))
    return FileResponse(
        open_file(file_of(taken)), as_attachment=True, filename=taken.name, content_type="application/octet-stream"
    )


def _frame(edition: FenceEdition) -> dict[str, Any]:
    return {
        "edition": edition, "purpose": purpose_for(edition), "edition_page": reverse("fences-edition", args=[edition.pk]),
    }  # fmt: skip


def _systems(*more: str) -> list[tuple[str, str]]:
    """Return the systems to choose from, with those that a file named itself."""
    named = [System(each) for each in more if each]
    return [(system.value, system.label) for system in dict.fromkeys((*SYSTEMS, *named))]


def _label(system: str) -> str:
    return System(system).label if system else ""


def _chosen(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(same) for same in request.GET.getlist("fence")[:5_000]]
    except ValueError:
        raise BadInput("area_unknown", "请在列表里选围栏。") from None


ROUTES = [
    path("plan/fences/<uuid:edition_id>/files", files_page, name="fences-files"),
    path("plan/fences/<uuid:edition_id>/export", export, name="fences-export"),
    path("plan/fences/imports/<uuid:import_id>", import_page, name="fences-import"),
    path("plan/fences/imports/<uuid:import_id>/shapes.json", shapes, name="fences-import-shapes"),
    path("plan/fences/imports/<uuid:import_id>/file", original, name="fences-import-file"),
]
