"""Pages of spreadsheets into ledgers: upload, columns, progress, rows to mend in place, writing, and what was written."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict, TooLarge
from services.access.queries import scope_for
from services.kernel.ledger.importing import actions, mending, queries
from services.kernel.ledger.importing.workbooks import kind_words, write_rows_to_mend, write_template
from services.kernel.ledger.models import LedgerImport
from services.kernel.ledger.registry import ledgers_for
from web.api.batches import XLSX
from web.api.errors import status_of
from web.doors.ledgers.imports_shown import (
    FATES,
    columns_asked,
    columns_chosen,
    line_of,
    lines_of,
    row_shown,
    rows_asked,
    rows_written,
)

LISTED: Final = 100


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List the imports of the caller, and those of colleagues whose ground the caller covers."""
    scope = scope_for(request)
    seen = queries.imports_visible(scope=scope)
    lines = lines_of(list(seen[:LISTED]))
    context = {
        "own": [line for line in lines if line["one"].actor == scope.actor],
        "others": [line for line in lines if line["one"].actor != scope.actor],
        "ledgers": [spec for spec in ledgers_for(scope) if spec.intake and scope.holds(spec.intake.duty)],
        "waiting": queries.waiting_for(scope),
    }
    return render(request, "desk/ledger_imports.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def upload_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show how a sheet comes into a ledger; on POST take one in and go on to its page."""
    scope = scope_for(request)
    spec, intake = queries.intake_of(key, scope=scope)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            with _uploaded(request) as (source, name):
                one = actions.take_sheet(
                    ledger=key, source=source, name=name, datum=request.POST.get("datum", ""), scope=scope
                )
            return _begun(request, one)
        except actions.SameFile as known:
            messages.warning(request, known.message)
            return redirect("desk-import", known.import_id)
        except CityError as error:
            fault = error
    context = {
        "spec": spec,
        "intake": intake,
        "fields": [
            (field, field.key in intake.required, kind_words(field), intake.explained.get(field.key, ""))
            for field in intake.fields
        ],
        "systems": actions.SYSTEMS,
        "datum": request.POST.get("datum", ""),
        "most_rows": actions.MOST_ROWS,
        "most_megabytes": actions.MOST_BYTES // 1_000_000,
        "recent": lines_of(list(queries.imports_visible(scope=scope).filter(ledger=key)[:5])),
        "fault": fault,
    }
    return render(request, "desk/ledger_import_new.html", context, status=status_of(fault) if fault else 200)


def _begun(request: HttpRequest, one: LedgerImport) -> HttpResponse:
    """Begin the check at once where every column is known and nothing is missing; else the columns are asked."""
    if one.sheet["header"]["exact"]:
        try:
            actions.begin_check(import_id=one.pk, scope=scope_for(request))
        except BadInput as fault:
            messages.warning(request, fault.message)
    return redirect("desk-import", one.pk)


@never_cache
@login_required
@require_safe
def template(request: HttpRequest, key: str) -> FileResponse:
    """Return the template of a ledger as a workbook."""
    spec, intake = queries.intake_of(key, scope=scope_for(request))
    with tempfile.TemporaryDirectory(prefix="quantu-sheet-") as folder:
        path = Path(folder) / "template.xlsx"
        write_template(path, spec, intake)
        return _workbook(path, f"{spec.title}导入模板.xlsx")


@never_cache
@login_required
@require_safe
def import_page(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Show one import: its columns, how far the work is, the rows to mend, what was written."""
    one = queries.import_of(import_id, scope=scope_for(request))
    if request.headers.get("X-Fragment") == "progress":
        return render(request, "desk/ledger_import_progress.html", line_of(one))
    return _page(request, one)


def _page(
    request: HttpRequest,
    one: LedgerImport,
    *,
    fault: CityError | None = None,
    at: int = 0,
    typed: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Render an import; ``fault`` is said at the row ``at`` with what was typed there, or on top."""
    spec, intake = queries.spec_of(one)
    context: dict[str, Any] = {**line_of(one), "spec": spec, "fault": fault, "fault_at": at}
    if context["state"] in ("new", "failed"):
        context |= columns_asked(request, one, intake)
    elif context["state"] not in ("checking", "discarded"):
        context |= rows_asked(request, one, intake, at, typed or {}) | rows_written(request, one)
    return render(request, "desk/ledger_import.html", context, status=status_of(fault) if fault else 200)


@login_required
@require_POST
def begin(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Begin the check with the columns that were chosen."""
    scope = scope_for(request)
    one = queries.import_of(import_id, scope=scope)
    _, intake = queries.spec_of(one)
    try:
        columns, row = columns_chosen(request.POST, intake)
        actions.begin_check(
            import_id=one.pk, scope=scope, header_row=row, columns=columns, datum=request.POST.get("datum", "")
        )
    except CityError as fault:
        return _page(request, one, fault=fault)
    return redirect("desk-import", one.pk)


@never_cache
@login_required
@require_POST
def act_on_row(request: HttpRequest, import_id: uuid.UUID, number: int) -> HttpResponse:
    """Mend a row, leave it out or take it back; a script gets the row alone, everybody else the page."""
    scope, form = scope_for(request), request.POST
    one = queries.import_of(import_id, scope=scope)
    typed = {key.removeprefix("cell."): form.get(key, "") for key in form if key.startswith("cell.")}
    version = form.get("version", "")
    try:
        if "leave" in form:
            mending.leave_out(import_id=one.pk, number=number, version=version, scope=scope)
            said = f"第 {number} 行留下不导入，可以在下面收回。"
        elif "back" in form:
            mending.take_back(import_id=one.pk, number=number, scope=scope)
            said = f"第 {number} 行已收回。"
        else:
            row = mending.mend_row(import_id=one.pk, number=number, cells=typed, version=version, scope=scope)
            if row.faults:
                raise StillWrong(number)
            said = f"第 {number} 行改好了，等着写入（{FATES[row.fate]}）。"
    except CityError as fault:
        return _row_fault(request, one, number, typed, fault)
    if request.headers.get("X-Fragment") == "row":
        return render(request, "desk/ledger_import_settled.html", {**line_of(one), "said": said, "number": number})
    messages.success(request, said)
    after = form.get("after", "")
    page = f"?{urlencode({'after': after})}" if after.isascii() and after.isdecimal() else ""
    return redirect(f"{reverse('desk-import', args=[one.pk])}{page}#mend")


class StillWrong(Conflict):
    """A row that was saved has faults yet; they stand beside its cells."""

    def __init__(self, number: int) -> None:
        """Name the row."""
        super().__init__("row_still_wrong", f"第 {number} 行已保存，但还有要改的地方。")


def _row_fault(
    request: HttpRequest, one: LedgerImport, number: int, typed: Mapping[str, str], fault: CityError
) -> HttpResponse:
    kept = {} if isinstance(fault, StillWrong) else typed
    if request.headers.get("X-Fragment") != "row":
        return _page(request, one, fault=fault, at=number, typed=kept)
    _, intake = queries.spec_of(one)
    refusal = queries.to_mend(one).filter(row=number).first()
    row = row_shown(refusal, intake, one, kept) if refusal else None
    context = {**line_of(one), "row": row, "number": number, "fault": fault, "fault_at": number, "after": ""}
    return render(request, "desk/ledger_import_row.html", context, status=status_of(fault))


@login_required
@require_POST
def write(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Have the rows that wait written; a second click or a replayed request is told that it is done or under way."""
    scope = scope_for(request)
    one = queries.import_of(import_id, scope=scope)
    try:
        one, began = actions.begin_writing(import_id=one.pk, scope=scope)
    except CityError as fault:
        return _page(request, one, fault=fault)
    if not began:
        under_way = queries.state_of(one) == "writing"
        said = "正在写入，不用再点。" if under_way else "已经写好了，没有重复写入。"
        messages.info(request, said)
    return redirect("desk-import", one.pk)


@login_required
@require_POST
def stop(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Stop the check or the writing."""
    scope = scope_for(request)
    one = queries.import_of(import_id, scope=scope)
    try:
        actions.stop_work(import_id=one.pk, scope=scope)
    except Conflict as fault:
        messages.info(request, fault.message)
    return redirect("desk-import", one.pk)


@login_required
@require_POST
def discard(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Give an import up."""
    scope = scope_for(request)
    one = queries.import_of(import_id, scope=scope)
    try:
        actions.discard(import_id=one.pk, scope=scope)
    except CityError as fault:
        return _page(request, one, fault=fault)
    messages.success(request, f"已放弃“{one.run.file_name}”，没有写入的行不再保留。")
    return redirect("desk-imports")


@never_cache
@login_required
@require_safe
def rows_to_mend(request: HttpRequest, import_id: uuid.UUID) -> FileResponse:
    """Return the rows to mend as a workbook, to be mended there and taken back in."""
    one = queries.import_of(import_id, scope=scope_for(request))
    _, intake = queries.spec_of(one)
    with tempfile.TemporaryDirectory(prefix="quantu-sheet-") as folder:
        path = Path(folder) / "rows.xlsx"
        write_rows_to_mend(path, intake, queries.to_mend(one).iterator(chunk_size=2_000))
        return _workbook(path, f"要改的行 {Path(one.run.file_name).stem[:60]}.xlsx")


@login_required
@require_POST
def mend_file(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Take the workbook of rows to mend back in."""
    scope = scope_for(request)
    one = queries.import_of(import_id, scope=scope)
    try:
        with _uploaded(request) as (source, _):
            mended, still, passed = mending.mend_rows(import_id=one.pk, source=source, scope=scope)
    except CityError as fault:
        return _page(request, one, fault=fault)
    said = f"改好 {mended:,} 行" + (f"，还有 {still:,} 行要改" if still else "")
    said += f"；{passed:,} 行没有变化或已处理，跳过" if passed else ""
    messages.success(request, f"{said}。")
    return redirect("desk-import", one.pk)


@contextmanager
def _uploaded(request: HttpRequest) -> Iterator[tuple[Path, str]]:
    """Give the uploaded file as one on disk, with its name."""
    file = request.FILES.get("file")
    if not isinstance(file, File) or not file.size:
        raise BadInput("file_missing", "请先选一个文件。", field="file")
    if file.size > actions.MOST_BYTES:
        raise TooLarge("file_too_large", f"文件超过 {actions.MOST_BYTES // 1_000_000} MB，请分成几个再上传。")
    with tempfile.TemporaryDirectory(prefix="quantu-upload-") as folder:
        ending = "".join(Path(file.name or "").suffixes)[-12:]
        source = Path(folder) / f"upload{ending}"
        with source.open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
        yield source, file.name or ""


def _workbook(path: Path, name: str) -> FileResponse:
    # the open file outlives its name
    response = FileResponse(path.open("rb"), content_type=XLSX)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["Cache-Control"] = "no-store"
    return response
