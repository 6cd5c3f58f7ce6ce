"""What the pages of spreadsheets into ledgers show: an import in a line, its columns, its rows to mend and those written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from geo.errors import BadInput
from geo.imports.models import Refusal
from geo.imports.sheets import Fate
from services.kernel.ledger.importing import actions, mending, queries
from services.kernel.ledger.importing.heads import header_at, letter, read_header
from services.kernel.ledger.importing.workbooks import kind_words
from services.kernel.ledger.models import LedgerImport
from services.kernel.ledger.queries import model_of
from services.kernel.spec import Column, Intake

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
FIRST_ROWS: Final = 6
WIDE: Final = 14
"""Characters from which on a cell gets a line of its own."""


def lines_of(imports: Sequence[LedgerImport]) -> list[dict[str, Any]]:
    """Return what a list of imports shows, all counts in one query."""
    tallies = queries.tallies_of(imports)
    return [line_of(one, tallies[one.pk]) for one in imports]


def line_of(one: LedgerImport, tally: queries.Tally | None = None) -> dict[str, Any]:
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


def columns_asked(request: HttpRequest, one: LedgerImport, intake: Intake) -> dict[str, Any]:
    """Return what the choice of columns needs: what was recognised, or what was just chosen by hand."""
    head = one.sheet["head"]
    header = read_header(head, intake)
    if request.method == "POST":
        columns, row = columns_chosen(request.POST, intake)
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


def columns_chosen(form: QueryDict, intake: Intake) -> tuple[dict[str, int], int | None]:
    """Return the columns by the key of their field, and the row of the header, as a form says them. Raises ``BadInput``."""
    columns = {field.key: form.get(f"column.{field.key}", "") for field in intake.fields}
    row = form.get("header", "")
    for text in (*columns.values(), row):
        if text and not (text.isascii() and text.isdecimal() and len(text) < 4):
            raise BadInput("column_unknown", "没有这一列，请重新选择。")
    return {key: int(text) for key, text in columns.items() if text}, int(row) if row else None


def rows_asked(
    request: HttpRequest, one: LedgerImport, intake: Intake, at: int, typed: Mapping[str, str]
) -> dict[str, Any]:
    """Return a page of the rows to mend, and those left out; ``typed`` are the cells somebody just typed into row ``at``."""
    after = _after(request, "after")
    refusals = list(queries.to_mend(one).filter(row__gt=after)[: queries.ROWS + 1])
    shown = refusals[: queries.ROWS]
    out = queries.left_out_of(one)
    return {
        "rows": [row_shown(each, intake, one, typed if each.row == at else {}) for each in shown],
        "row_shown": any(each.row == at for each in shown),
        "after": after or "",
        "next": shown[-1].row if len(refusals) > queries.ROWS else None,
        "left_out": [(each.row, _name(each, intake)) for each in out[: queries.ROWS]],
        "most_mended": mending.MOST_MENDED,
    }


def row_shown(refusal: Refusal, intake: Intake, one: LedgerImport, typed: Mapping[str, str]) -> dict[str, Any]:
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
    words = ("是", "否") if field.kind == "flag" else tuple(label for _, label in field.offered)
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


def rows_written(request: HttpRequest, one: LedgerImport) -> dict[str, Any]:
    """Return a page of the rows that were written, of one fate or of all."""
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
