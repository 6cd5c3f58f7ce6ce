"""Workbooks of rules: upload, what was recognised, rows mended in place, writing them into the draft in one act."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import BadInput, CityError, Conflict, NotFound, TooLarge
from services.access.queries import scope_for
from services.catchments.importing import actions
from services.catchments.importing.columns import LABELS
from services.catchments.importing.queries import import_seen, imports_open, rows_to_mend, tally_of
from services.catchments.models import RuleImport, RuleImportRow
from services.catchments.queries import EDIT, edition_seen
from web.api.errors import status_of
from web.doors.common.typed import key_typed, number_typed, typed
from web.doors.plan.parts import frame_of

A_PAGE: Final = 30
SHOWN: Final = ("mode", "street", "committee", "community", "written", "target", "note")
_CELL: Final = re.compile(r"^c-(\d{1,9})-([a-z]+)$")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def upload_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Ask for a workbook; on POST take it in and show what was recognised."""
    scope, fault = scope_for(request), None
    edition = edition_seen(edition_id, scope=scope, duty=EDIT)
    if request.method == "POST":
        try:
            return redirect("plan-import", import_id=_taken(request, edition_id).pk)
        except (BadInput, Conflict, TooLarge) as refused:
            fault = refused
    context = frame_of(edition, scope=scope, tab="rules") | {"fault": fault, "open": list(imports_open(edition)[:20])}
    return render(request, "plan/upload.html", context, status=status_of(fault) if fault else 200)


def _taken(request: HttpRequest, edition_id: UUID) -> RuleImport:
    file = request.FILES.get("file")
    if file is None:
        raise BadInput("file_missing", "请先选一个文件。")
    with tempfile.TemporaryDirectory(prefix="quantu-rules-") as folder:
        name = Path(file.name or "").name
        path = Path(folder) / f"upload{Path(name).suffix[:8]}"
        with path.open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
        return actions.take_workbook(edition_id=edition_id, source=path, name=name, scope=scope_for(request))


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def import_page(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show a workbook with the rows to mend; on POST mend, leave out, write, or give it up."""
    if request.method == "GET":
        return _page(request, import_id)
    scope, act = scope_for(request), typed(request, "act")
    try:
        if act == "mend":
            left = actions.mend_rows(import_id=import_id, mended=_mended(request, import_id), scope=scope)
            said.success(request, f"已保存。这一页还有 {left} 行要改。" if left else "已保存，这一页都改好了。")
        elif act == "leave":
            count = actions.leave_out_faulty(import_id=import_id, scope=scope)
            said.success(request, f"{count:,} 行不导入。原表没有改动，改好后可以再传。")
        elif act == "write":
            return _written(request, import_id)
        elif act == "discard":
            gone = actions.discard_import(import_id=import_id, scope=scope)
            said.success(request, f"已放弃“{gone.name}”，草稿没有改动。")
            return redirect("plan-rules", edition_id=gone.edition_id)
    except (BadInput, Conflict) as fault:
        return _page(request, import_id, fault)
    return redirect("plan-import", import_id=import_id)


def _written(request: HttpRequest, import_id: UUID) -> HttpResponse:
    taken = import_seen(import_id, scope=scope_for(request))
    change = actions.write_import(
        import_id=import_id, replace=typed(request, "how") == "replace", seen=number_typed(request, "seen"),
        key=key_typed(request), scope=scope_for(request),
    )  # fmt: skip
    said.success(
        request, f"已{change.said}。导错了可以一次撤销。" if change else "表里的内容和现在的规则一样，没有改动。"
    )  # fmt: skip
    return redirect("plan-rules", edition_id=taken.edition_id)


def _mended(request: HttpRequest, import_id: UUID) -> dict[int, actions.Mended]:
    """Return the rows of the page as they were posted; cells that the page does not show stay."""
    taken = import_seen(import_id, scope=scope_for(request))
    cells: dict[int, dict[str, str]] = {}
    for name in request.POST:
        if found := _CELL.match(name):
            cells.setdefault(int(found[1]), {})[found[2]] = typed(request, name)
    rows = {row.number: row for row in taken.rows.filter(number__in=list(cells))}
    return {
        number: actions.Mended(
            {**rows[number].cells, **given}, bool(typed(request, f"out-{number}")), number_typed(request, f"seen-{number}")
        )
        for number, given in cells.items()
        if number in rows
    }  # fmt: skip


def _page(request: HttpRequest, import_id: UUID, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    taken = import_seen(import_id, scope=scope)
    edition = edition_seen(taken.edition_id, scope=scope, duty=EDIT)
    if taken.written_at is not None and fault is None:
        raise NotFound("import_written", "这个表已经写入草稿。要再导入请重新上传。")
    page = Paginator(rows_to_mend(taken), A_PAGE).get_page(request.GET.get("page"))
    context = frame_of(edition, scope=scope, tab="rules") | {
        "taken": taken, "page": page, "rows": [_row(row) for row in page], "tally": tally_of(taken), "fault": fault,
        "sample": list(taken.rows.filter(faulty=False, left_out=False)[:5]), "columns": [LABELS[each] for each in SHOWN],
    }  # fmt: skip
    return render(request, "plan/import.html", context, status=status_of(fault) if fault else 200)


def _row(row: RuleImportRow) -> dict[str, object]:
    fields = [
        {"key": key, "label": LABELS[key], "text": row.cells.get(key, ""), "fault": row.faults.get(key, "")} for key in SHOWN
    ]  # fmt: skip
    return {"row": row, "fields": [one for one in fields if one["text"] or one["fault"] or one["key"] == "target"]}
