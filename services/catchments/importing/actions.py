"""Writes of workbooks of rules: take one in, mend its rows, write them all in one act, give it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict
from geo.scope import Scope
from services.catchments.changes import Told, locked_draft, perform, rule_told
from services.catchments.editing import RuleSaid, next_line, said_by, told_of
from services.catchments.ground import Ground, ground_of
from services.catchments.importing.columns import LABELS, cells_of, head_of, is_head_again, is_note
from services.catchments.importing.judging import judge, mode_for
from services.catchments.importing.queries import import_seen
from services.catchments.importing.reading import Sheet, read_sheets
from services.catchments.models import CatchmentEdition, EditionChange, RuleImport, RuleImportRow
from services.catchments.queries import EDIT, edition_seen
from services.crypto.identifiers import new_id

MOST_PASSED_OVER: Final = 200
LONGEST_CELL: Final = 4_000
_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Mended:
    """A row as somebody mended it: its cells by field, whether it is left out, and the revision they saw."""

    cells: Mapping[str, str]
    left_out: bool
    seen: int


def take_workbook(*, edition_id: UUID, source: Path, name: str, scope: Scope) -> RuleImport:
    """Take in a workbook for a draft and judge its rows; nothing of the draft changes.

    Raises ``BadInput`` where no sheet has a head that is recognised, saying what was looked for, and for files that are none.
    """
    edition = edition_seen(edition_id, scope=scope, duty=EDIT)
    sheets = read_sheets(source)
    told: list[dict[str, Any]] = []
    rows: list[RuleImportRow] = []
    ground = ground_of(edition.district_id)
    for sheet in sheets:
        told.append(_take_sheet(sheet, edition, ground, rows))
    if not rows:
        raise BadInput(
            "heads_unknown",
            "没有认出表头。请让表头里有“幼儿园”这一列，再加上“街道”“居委”“小区”“地址”里的一列或几列，放在前 15 行以内。",
        )
    with transaction.atomic():
        locked_draft(edition.pk, scope=scope)
        taken = RuleImport.objects.create(
            edition=edition, name=name.replace("\x00", "")[-200:], sheets=told, made_by=scope.actor
        )
        for number, row in enumerate(rows, start=1):
            row.taken, row.number = taken, number
        RuleImportRow.objects.bulk_create(rows, batch_size=_AT_ONCE)
    return taken


def _take_sheet(sheet: Sheet, edition: CatchmentEdition, ground: Ground, rows: list[RuleImportRow]) -> dict[str, Any]:
    """Add the judged rows of a sheet; return what was recognised in it, and what was passed over with its text."""
    head = head_of(sheet.rows)
    said: dict[str, Any] = {"name": sheet.name[:60], "columns": head.known if head else [], "rows": 0, "passed": []}
    if head is None:
        said["passed"] = [[at, _joined(row)] for at, row in enumerate(sheet.rows, start=1) if any(row)][:3]
        return said
    for at, row in enumerate(sheet.rows[head.first :], start=head.first + 1):
        if not any(row):
            continue
        if is_note(row, head) or is_head_again(row, head):
            said["passed"].append([at, _joined(row)])
            continue
        cells = {field: text[:LONGEST_CELL] for field, text in cells_of(row, head).items()}
        cells.setdefault("mode", mode_for(cells, sheet=sheet.name, entry=edition.entry))
        faults = dict(judge(cells, entry=edition.entry, ground=ground).faults)
        rows.append(
            RuleImportRow(sheet=sheet.name[:60], row=at, cells=cells, faults=faults, faulty=bool(faults))
        )  # fmt: skip
        said["rows"] += 1
    said["passed"] = said["passed"][:MOST_PASSED_OVER]
    return said


def _joined(row: Sequence[str]) -> str:
    return " ".join(dict.fromkeys(text for text in row if text))[:200]


@transaction.atomic
def mend_rows(*, import_id: UUID, mended: Mapping[int, Mended], scope: Scope) -> int:
    """Change rows of a workbook in place and judge them again; return how many of them are still faulty.

    Raises ``Conflict`` when somebody mended one of them since it was seen; then none is changed.
    """
    taken = _locked(import_id, scope)
    ground = ground_of(taken.edition.district_id)
    rows = list(taken.rows.select_for_update().filter(number__in=list(mended)))
    for row in rows:
        one = mended[row.number]
        if row.revision != one.seen:
            raise Conflict("row_changed", f"第 {row.row} 行刚被别人改过，下面是最新的。请核对后再保存。")
        row.cells = {
            field: text.strip()[:LONGEST_CELL] for field, text in one.cells.items() if field in LABELS and text.strip()
        }
        row.left_out = one.left_out
        row.faults = dict(judge(row.cells, entry=taken.edition.entry, ground=ground).faults)
        row.faulty = bool(row.faults) and not row.left_out
        row.revision += 1
    RuleImportRow.objects.bulk_update(rows, ["cells", "left_out", "faults", "faulty", "revision"])
    return sum(row.faulty for row in rows)


@transaction.atomic
def leave_out_faulty(*, import_id: UUID, scope: Scope) -> int:
    """Leave out every row that is still faulty; return how many."""
    return _locked(import_id, scope).rows.filter(faulty=True).update(faulty=False, left_out=True)


@transaction.atomic
def write_import(*, import_id: UUID, replace: bool, seen: int, key: UUID, scope: Scope) -> EditionChange | None:
    """Write the rows into the draft in one act: in place of all its rules, or beside them. ``None`` when that changes nothing.

    Rules that stay as they are keep their identity; what the draft says already is not added again. Raises ``Conflict`` while
    rows are faulty, and, for replacing, when the draft changed since it was ``seen``.
    """
    if done := EditionChange.objects.filter(key=key, edition=import_seen(import_id, scope=scope).edition_id).first():
        return done
    taken = _locked(import_id, scope)
    said = _judged_again(taken)

    def work(edition: CatchmentEdition) -> tuple[str, Mapping[str, Told | None]]:
        if replace and edition.revision != seen:
            raise Conflict("edition_changed", f"{edition.changed_by} 刚改过这份草稿。请核对后再全部替换。")
        there: dict[RuleSaid, list[UUID]] = {}
        told = {rule.same: rule_told(rule) for rule in edition.rules.all()}
        for same, row in told.items():
            there.setdefault(said_by(row), []).append(same)
        line = next_line(edition)
        wanted: dict[str, Told | None] = {}
        for one in said:
            if there.get(one):
                told.pop(there[one].pop(0))
            elif replace or one not in there:
                wanted[f"rule:{new_id()}"] = told_of(one, line)
                line += 1
        gone: dict[str, Told | None] = dict.fromkeys(f"rule:{same}" for same in told) if replace else {}
        words = f"，替换原来的 {len(gone):,} 条" if replace and gone else ""
        return f"从“{taken.name[-60:]}”导入 {len(wanted):,} 条规则{words}", {**gone, **wanted}

    change = perform(taken.edition_id, seen=seen, key=key, act="import", scope=scope, work=work)
    taken.change, taken.written_at = change, timezone.now()
    taken.save(update_fields=["change", "written_at"])
    return change


@transaction.atomic
def discard_import(*, import_id: UUID, scope: Scope) -> RuleImport:
    """Give a workbook up; the draft stays as it is."""
    taken = _locked(import_id, scope)
    RuleImport.objects.filter(pk=taken.pk).delete()
    return taken


def _judged_again(taken: RuleImport) -> list[RuleSaid]:
    """Return what the rows mean by what the city holds now. Raises ``Conflict`` while a row is faulty, and marks it."""
    ground = ground_of(taken.edition.district_id)
    said: list[RuleSaid] = []
    faulty = 0
    for row in taken.rows.filter(left_out=False):
        judged = judge(row.cells, entry=taken.edition.entry, ground=ground)
        said += judged.rules
        faulty += bool(judged.faults)
    if faulty:
        raise Conflict("rows_faulty", f"还有 {faulty} 行要改。请在下面改好，或勾选“不导入”，再写入。", faulty=faulty)
    if not said:
        raise BadInput("rows_none", "没有可以写入的行。")
    return list(dict.fromkeys(said))


def _locked(import_id: UUID, scope: Scope) -> RuleImport:
    seen = import_seen(import_id, scope=scope)
    taken = RuleImport.objects.select_for_update(of=("self",)).select_related("edition").get(pk=seen.pk)
    if taken.written_at is not None:
        raise Conflict("import_written", "这个表已经写入草稿了。写错了可以在“改动记录”里撤销。")
    return taken
