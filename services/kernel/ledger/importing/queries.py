"""Reads of imports: those a scope may see, the state each is in, its counts, and its rows to mend, left out and written."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import orjson
from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from geo.errors import NotFound
from geo.imports.models import DraftRow, Refusal
from geo.imports.sheets import Fate
from geo.jobs.models import JobState
from geo.scope import Scope
from services.access.queries import check_duty
from services.kernel.ledger.models import ImportedRow, LedgerImport
from services.kernel.ledger.registry import ledger_of, ledgers
from services.kernel.spec import Intake, LedgerSpec

State = Literal["new", "checking", "failed", "ready", "writing", "done", "discarded"]
ROWS: Final = 25
"""Rows of a page of rows to mend; of rows written twice as many."""
LEFT_OUT: Final = "left_out"
_OPEN: Final = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows of a sheet are where; ``read`` is the sum of all but the counts by fate: no row is ever in two places."""

    read: int
    waiting: Mapping[str, int]
    refused: int
    left_out: int
    written: Mapping[str, int]

    @property
    def drafts(self) -> int:
        """Return how many rows wait to be written."""
        return sum(self.waiting.values())

    @property
    def done(self) -> int:
        """Return how many rows were written, those that already said so included."""
        return sum(self.written.values())


def intake_of(key: str, *, scope: Scope) -> tuple[LedgerSpec, Intake]:
    """Return a ledger that takes spreadsheets; raises ``NotFound``, and ``Forbidden`` without the duty for it."""
    spec = ledger_of(key, scope=scope)
    if spec.intake is None:
        raise NotFound("ledger_without_intake", f"“{spec.title}”不能用表格导入。")
    check_duty(scope, spec.intake.duty)
    return spec, spec.intake


def imports_visible(*, scope: Scope) -> QuerySet[LedgerImport]:
    """Return the imports of a scope: its own, and those of others all of whose ground it covers, for ledgers it may fill."""
    mine = [key for key, spec in ledgers().items() if spec.intake and scope.holds(spec.intake.duty)]
    rows = LedgerImport.objects.select_related("run", "job").filter(ledger__in=mine)
    own = Q(actor=scope.actor)
    candidates = rows.exclude(own).values_list("pk", "paths", "organisations") if scope.paths else []
    others = [pk for pk, paths, organisations in candidates if _covers(scope, paths, organisations)]
    return rows.filter(own | Q(pk__in=others))


def import_of(import_id: uuid.UUID | str, *, scope: Scope) -> LedgerImport:
    """Return one import; raises ``NotFound`` alike for one that is not there and one that is not for the scope."""
    found = LedgerImport.objects.select_related("run", "job").filter(pk=import_id).first()
    spec = ledgers().get(found.ledger) if found else None
    if found is None or spec is None or spec.intake is None or not scope.holds(spec.intake.duty):
        raise _unknown()
    if found.actor != scope.actor and not _covers(scope, found.paths, found.organisations):
        raise _unknown()
    return found


def spec_of(one: LedgerImport) -> tuple[LedgerSpec, Intake]:
    """Return the ledger of an import, and how it takes sheets; raises ``NotFound`` when it is declared no more."""
    spec = ledgers().get(one.ledger)
    if spec is None or spec.intake is None:
        raise NotFound("ledger_without_intake", "这份台账不再能用表格导入。")
    return spec, spec.intake


def state_of(one: LedgerImport, tally: Tally | None = None) -> State:
    """Return where an import stands, by the places of its rows (counted now without ``tally``)."""
    if one.discarded_at:
        return "discarded"
    if one.job is not None and one.job.state in _OPEN:
        return "writing" if one.checked_at else "checking"
    if one.checked_at is None:
        return "failed" if one.job is not None else "new"
    tally = tally or tally_of(one)
    return "ready" if tally.drafts or tally.refused else "done"


def tally_of(one: LedgerImport) -> Tally:
    """Return where the rows of an import are."""
    return tallies_of([one])[one.pk]


def tallies_of(imports: Sequence[LedgerImport]) -> dict[uuid.UUID, Tally]:
    """Return where the rows of several imports are, by import, with three queries for all of them."""
    runs = [one.run_id for one in imports]
    out, wrong = Count("pk", filter=Q(code=LEFT_OUT)), Count("pk", filter=~Q(code=LEFT_OUT))
    refusals = Refusal.objects.filter(run__in=runs).order_by().values_list("run")
    faulty = {run: counts for run, *counts in refusals.annotate(out=out, wrong=wrong)}
    waiting, written = defaultdict[uuid.UUID, dict[str, int]](dict), defaultdict[uuid.UUID, dict[str, int]](dict)
    drafts = DraftRow.objects.filter(run__in=runs).order_by().values_list("run", "payload__fate")
    for run, fate, count in drafts.annotate(rows=Count("pk")):
        waiting[run][fate] = count
    rows = ImportedRow.objects.filter(imported__in=imports).order_by().values_list("imported", "fate")
    for pk, fate, count in rows.annotate(rows=Count("number")):
        written[pk][fate] = count
    return {
        one.pk: Tally(
            read=one.run.rows_read,
            waiting=_all(waiting[one.run_id]),
            refused=faulty.get(one.run_id, (0, 0))[1],
            left_out=faulty.get(one.run_id, (0, 0))[0],
            written=_all(written[one.pk]),
        )
        for one in imports
    }


def to_mend(one: LedgerImport) -> QuerySet[Refusal]:
    """Return the refused rows that somebody has still to mend or to leave out."""
    return Refusal.objects.filter(run=one.run_id).exclude(code=LEFT_OUT).order_by("row")


def left_out_of(one: LedgerImport) -> QuerySet[Refusal]:
    """Return the rows that were left out on purpose."""
    return Refusal.objects.filter(run=one.run_id, code=LEFT_OUT).order_by("row")


def written_of(one: LedgerImport, *, fate: str = "", after: int = 0, limit: int = 2 * ROWS) -> list[ImportedRow]:
    """Return the next written rows after a row number of the sheet, of one fate or of all."""
    rows = ImportedRow.objects.filter(imported=one, number__gt=after)
    return list((rows.filter(fate=fate) if fate else rows).order_by("number")[:limit])


def waiting_for(scope: Scope) -> int:
    """Return how many rows of the imports of a caller wait to be mended: the number beside 导入 in the navigation."""
    mine = LedgerImport.objects.filter(actor=scope.actor, discarded_at=None)
    return Refusal.objects.filter(Exists(mine.filter(run=OuterRef("run")))).exclude(code=LEFT_OUT).count()


def earlier_import(*, ledger: str, sha256: str, scope: Scope) -> LedgerImport | None:
    """Return the newest import of the very same file into a ledger that a scope may see, unless it was given up."""
    return imports_visible(scope=scope).filter(ledger=ledger, run__sha256=sha256, discarded_at=None).first()


def sheets_folder() -> Path:
    """Return the folder where sheets lie until they are checked."""
    return Path(settings.MEDIA_ROOT) / "sheets"


def file_of(one: LedgerImport) -> Path:
    """Return where the plain form of a sheet lies."""
    return sheets_folder() / f"{one.pk}.jsonl"


def version_of(refusal: Refusal) -> str:
    """Return what changes whenever somebody saves a refused row: a form that was filled for an older one is stale."""
    said = orjson.dumps([refusal.pk, refusal.code, refusal.raw], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(said).hexdigest()[:16]


def _all(counts: Mapping[str, int]) -> dict[str, int]:
    return {str(fate): counts.get(str(fate), 0) for fate in Fate}


def _covers(scope: Scope, paths: Sequence[str], organisations: Sequence[int]) -> bool:
    if "" in scope.paths:
        return True
    ground = bool(paths or organisations)
    return ground and all(scope.covers_path(path) for path in paths) and set(organisations) <= set(scope.organisations)


def _unknown() -> NotFound:
    return NotFound("import_unknown", "没有找到这次导入，它可能已删除，或者不在您的管辖范围内。")
