"""Pages of spreadsheets into ledgers: upload, columns, progress, rows to mend in place, writing, and what was written."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict, TooLarge
from geo.imports.models import Refusal
from geo.imports.sheets import Fate
from services.access.queries import scope_for
from services.kernel.ledger.importing import actions, queries
from services.kernel.ledger.importing.heads import header_at, letter, read_header
from services.kernel.ledger.importing.workbooks import kind_words, write_rows_to_mend, write_template
from services.kernel.ledger.models import LedgerImport
from services.kernel.ledger.queries import model_of
from services.kernel.ledger.registry import ledgers_for
from services.kernel.spec import Column, Intake
from web.api.batches import XLSX
from web.api.errors import status_of

STATES: Final = {
    "new": ("", "circle", "待核对"),
    "checking": ("kind", "loader-circle", "核对中"),
    "failed": ("bad", "circle-x", "没有核对完"),
    "ready": ("warn", "circle-alert", "待处理"),
    "writing": ("kind", "loader-circle", "写入中"),
    "done": ("good", "circle-check", "已完成"),
    "discarded": ("", "x", "已放弃"),
}
FATES: Final = {Fate.ADDED: "新增", Fate.CHANGED: "变更", Fate.UNCHANGED: "不变"}
LISTED: Final = 100
FIRST_ROWS: Final = 6
WIDE: Final = 14
"""Characters from which on a cell gets a line of its own."""


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List the imports of the caller, and those of colleagues whose ground the caller covers."""
    scope = scope_for(request)
    seen = queries.imports_visible(scope=scope)
    lines = _lines(list(seen[:LISTED]))
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
        "recent": _lines(list(queries.imports_visible(scope=scope).filter(ledger=key)[:5])),
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
        return render(request, "desk/ledger_import_progress.html", _line(one))
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
    context: dict[str, Any] = {**_line(one), "spec": spec, "fault": fault, "fault_at": at}
    if context["state"] in ("new", "failed"):
        context |= _columns(request, one, intake)
    elif context["state"] not in ("checking", "discarded"):
        context |= _to_mend(request, one, intake, at, typed or {}) | _written(request, one)
    return render(request, "desk/ledger_import.html", context, status=status_of(fault) if fault else 200)


@login_required
@require_POST
def begin(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Begin the check with the columns that were chosen."""
    scope = scope_for(request)
    one = queries.import_of(import_id, scope=scope)
    _, intake = queries.spec_of(one)
    try:
        columns, row = _chosen(request.POST, intake)
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
            actions.leave_out(import_id=one.pk, number=number, version=version, scope=scope)
            said = f"第 {number} 行留下不导入，可以在下面收回。"
        elif "back" in form:
            actions.take_back(import_id=one.pk, number=number, scope=scope)
            said = f"第 {number} 行已收回。"
        else:
            row = actions.mend_row(import_id=one.pk, number=number, cells=typed, version=version, scope=scope)
            if row.faults:
                raise StillWrong(number)
            said = f"第 {number} 行改好了，等着写入（{FATES[row.fate]}）。"
    except CityError as fault:
        return _row_fault(request, one, number, typed, fault)
    if request.headers.get("X-Fragment") == "row":
        return render(request, "desk/ledger_import_settled.html", {**_line(one), "said": said, "number": number})
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
    row = _row(refusal, intake, one, kept) if refusal else None
    context = {**_line(one), "row": row, "number": number, "fault": fault, "fault_at": number, "after": ""}
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
            mended, still, passed = actions.mend_rows(import_id=one.pk, source=source, scope=scope)
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


def _lines(imports: Sequence[LedgerImport]) -> list[dict[str, Any]]:
    tallies = queries.tallies_of(imports)
    return [_line(one, tallies[one.pk]) for one in imports]


def _line(one: LedgerImport, tally: queries.Tally | None = None) -> dict[str, Any]:
    """Return what every view of an import shows: its state and where its rows are."""
    tally = tally or queries.tally_of(one)
    state = queries.state_of(one, tally)
    kind, icon, label = STATES[state]
    job = one.job
    spec, _ = queries.spec_of(one)
    waits = [(FATES[Fate(fate)], count) for fate, count in tally.waiting.items() if count]
    return {
        "one": one,
        "spec": spec,
        "state": state,
        "kind": kind,
        "icon": icon,
        "label": label,
        "tally": tally,
        "waits": waits,
        "open": state in ("checking", "writing"),
        "percent": round(100 * job.progress) if job else 0,
        "message": job.message if job else "",
        "error": job.error.get("message", "") if job and job.error and state in ("failed", "ready") else "",
        "stopped": bool(job and job.state == "cancelled" and state in ("failed", "ready")),
    }


def _columns(request: HttpRequest, one: LedgerImport, intake: Intake) -> dict[str, Any]:
    """Return what the choice of columns needs: what was recognised, or what was just chosen by hand."""
    head = one.sheet["head"]
    header = read_header(head, intake)
    if request.method == "POST":
        columns, row = _chosen(request.POST, intake)
        if row is not None and 0 <= row < len(head):
            header = header_at(head[row], row, columns)
    names = [*header.names, *[""] * (one.sheet["width"] - len(header.names))]
    options = [(at, f"{letter(at)} 列{'：' if name else ''}{name[:20]}") for at, name in enumerate(names)]
    return {
        "fields": [
            (field, field.key in intake.required, header.columns.get(field.key, ""), kind_words(field))
            for field in intake.fields
        ],
        "options": options,
        "header_row": header.row,
        "header_rows": list(enumerate(_brief(row) for row in head[:12])),
        "unknown": header.unknown(),
        "missing": [field.label for field in header.missing(intake)],
        "names": names,
        "sample": [[*row, *[""] * (len(names) - len(row))] for row in head[header.row + 1 :][:FIRST_ROWS]],
        "systems": actions.SYSTEMS,
        "datum": request.POST.get("datum", one.datum),
        "has_position": any(field.key == "lon" for field in intake.fields),
    }


def _brief(row: Sequence[str]) -> str:
    said = "、".join(cell for cell in row if cell)
    return said[:40] or "空行"


def _chosen(form: QueryDict, intake: Intake) -> tuple[dict[str, int], int | None]:
    columns = {field.key: form.get(f"column.{field.key}", "") for field in intake.fields}
    row = form.get("header", "")
    for text in (*columns.values(), row):
        if text and not (text.isascii() and text.isdecimal() and len(text) < 4):
            raise BadInput("column_unknown", "没有这一列，请重新选择。")
    return {key: int(text) for key, text in columns.items() if text}, int(row) if row else None


def _to_mend(
    request: HttpRequest, one: LedgerImport, intake: Intake, at: int, typed: Mapping[str, str]
) -> dict[str, Any]:
    after = _after(request, "after")
    refusals = list(queries.to_mend(one).filter(row__gt=after)[: queries.ROWS + 1])
    shown = refusals[: queries.ROWS]
    out = queries.left_out_of(one)
    return {
        "rows": [_row(each, intake, one, typed if each.row == at else {}) for each in shown],
        "row_shown": any(each.row == at for each in shown),
        "after": after or "",
        "next": shown[-1].row if len(refusals) > queries.ROWS else None,
        "left_out": [(each.row, _name(each, intake)) for each in out[: queries.ROWS]],
        "most_mended": actions.MOST_MENDED,
    }


def _row(refusal: Refusal, intake: Intake, one: LedgerImport, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return a row to mend: its faulty cells first, each with its faults, then all others."""
    cells = {**refusal.raw["cells"], **typed}
    said: dict[str, list[str]] = {}
    for key, _, message in refusal.raw["faults"]:
        said.setdefault(key, []).append(message)
    places = one.sheet["header"]["columns"]
    fields = [_cell(field, cells, said.get(field.key, []), places) for field in intake.fields]
    return {
        "number": refusal.row,
        "name": _name(refusal, intake),
        "version": queries.version_of(refusal),
        "whole": said.get("", []),
        "late": refusal.late,
        "faulty": [field for field in fields if field["faults"]],
        "others": [field for field in fields if not field["faults"]],
    }


def _cell(field: Column, cells: Mapping[str, str], faults: Sequence[str], places: Mapping[str, int]) -> dict[str, Any]:
    text = cells.get(field.key, "")
    words = ("是", "否") if field.kind == "flag" else tuple(label for _, label in field.choices)
    return {
        "field": field,
        "text": text,
        "faults": faults,
        "letter": f"{letter(places[field.key])} 列" if field.key in places else "",
        "options": words,
        "strange": bool(words and text and text not in words),
        "numeric": field.kind in ("integer", "number"),
        "wide": not words and len(text) > WIDE,
    }


def _name(refusal: Refusal, intake: Intake) -> str:
    cells = refusal.raw["cells"]
    return cells.get("name", "") or next((text for text in cells.values() if text), "空行")


def _written(request: HttpRequest, one: LedgerImport) -> dict[str, Any]:
    fate = request.GET.get("fate", "")
    fate = fate if fate in FATES else ""
    after = _after(request, "from")
    rows = queries.written_of(one, fate=fate, after=after, limit=2 * queries.ROWS + 1)
    shown = rows[: 2 * queries.ROWS]
    tally = queries.tally_of(one)
    spec, _ = queries.spec_of(one)
    records = model_of(spec)._default_manager.filter(pk__in=[row.record for row in shown])
    names = dict(records.values_list("pk", spec.name))
    return {
        "written": [(row, names.get(row.record, "已不在台账"), FATES[Fate(row.fate)]) for row in shown],
        "written_ids": urlencode([("id", row.record) for row in shown]),
        "written_next": shown[-1].number if len(rows) > len(shown) else None,
        "written_from": after,
        "fate": fate,
        "fates": [(str(key), label, tally.written[str(key)]) for key, label in FATES.items()],
    }


def _after(request: HttpRequest, name: str) -> int:
    said = request.GET.get(name, "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 9 else 0
