"""Validation as a job: rows answered some thousand at a time, each piece in one transaction; a new worker goes on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from geo.addresses.gazetteer import names_of, published_now
from geo.errors import NotFound
from geo.jobs.models import Job
from geo.jobs.progress import JobCancelled, Progress
from geo.jobs.registry import job
from geo.scope import Scope
from services.access.queries import scope_of_account
from services.catchments.answering import Asked, Decision, decide_many
from services.catchments.models import CatchmentEdition
from services.catchments.validating.actions import KIND, take_rows
from services.catchments.validating.models import Register, RegisterRow, Validation, Verdict
from services.catchments.validating.sealing import Seal, of_row, of_verdict, seal_of

AT_ONCE: Final = 5_000
TAKING: Final = 0.2
"""The share of a run that takes its rows first."""
_COPY: Final = (
    "COPY catchments_validating_verdict"
    " (validation_id, row_id, number, outcome, reason, sites, possible, choices, street_id, said) FROM STDIN"
)
_MOST_POSSIBLE: Final = 12
_LONGEST_SAID: Final = 300


@job(KIND)
def validate(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Answer every row of a register by an edition at one revision. An edition that changed under a stopped run is run anew."""
    found = Validation.objects.select_related("register", "edition").filter(pk=params["validation"]).first()
    if found is None:
        raise NotFound("validation_unknown", "这次验证的名册已被删除。")
    begun = _taken(found.register, progress)
    seal = seal_of(found.register)
    scope = Scope.system("验证分析：按对口版本逐行核对登记名册")
    edition, total = found.edition, found.register.row_count
    if edition.revision != found.revision:
        _begin_anew(found, edition)
    district = names_of(published_now()).region(edition.district_id)
    code, answered = district.code if district else "", Verdict.objects.filter(validation=found).count()
    while rows := _next_rows(found):
        began = time.perf_counter()
        asked = [
            Asked(seal.open(row.address, place=of_row(row.number)), code, row.street, row.committee, row.community)
            for row in rows
        ]
        decided = decide_many(asked, entry=edition.entry, year=edition.year, scope=scope, edition=edition)
        with transaction.atomic():
            _hold(progress)
            _keep(found, rows, decided, seal)
            found.done_to = rows[-1].number
            found.seconds += time.perf_counter() - began
            found.save(update_fields=["done_to", "seconds"])
        answered += len(rows)
        progress.step(begun + (1 - begun) * answered / total, f"已核对 {answered:,} 行，共 {total:,} 行")
    found.counts, found.done_at = _counts(found), timezone.now()
    found.save(update_fields=["counts", "done_at"])
    return {"rows": answered, "seconds": round(found.seconds, 2)}


def _taken(register: Register, progress: Progress) -> float:
    """Take the rows of a register that has none yet, and return the share of the work that was."""
    if not register.pending:
        return 0.0

    def piece_done(count: int) -> None:
        _hold(progress)
        progress.step(TAKING * count / (count + AT_ONCE), f"已从登记里取 {count:,} 份")

    take_rows(register, scope=scope_of_account(progress.job.actor), piece_done=piece_done)
    return TAKING


def _begin_anew(found: Validation, edition: CatchmentEdition) -> None:
    with transaction.atomic():
        Verdict.objects.filter(validation=found)._raw_delete("default")
        found.revision, found.done_to, found.seconds = edition.revision, 0, 0.0
        found.save(update_fields=["revision", "done_to", "seconds"])


def _next_rows(found: Validation) -> list[RegisterRow]:
    rows = RegisterRow.objects.filter(register=found.register_id, number__gt=found.done_to)
    return list(rows.order_by("number")[:AT_ONCE])


def _keep(found: Validation, rows: Sequence[RegisterRow], decided: Sequence[Decision], seal: Seal) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row, one in zip(rows, decided, strict=True):
            street = one.where.street.id if one.where.street else None
            said = seal.close("".join(one.said[:3])[:_LONGEST_SAID], place=of_verdict(found.pk, row.number))
            copy.write_row((
                found.pk, row.pk, row.number, one.outcome, one.reason, list(one.sites),
                list(one.possible[:_MOST_POSSIBLE]), list(one.choices), street, said,
            ))  # fmt: skip


def _counts(found: Validation) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT outcome, reason, count(*) FROM catchments_validating_verdict WHERE validation_id = %s
               GROUP BY outcome, reason ORDER BY 3 DESC, 2""",
            [found.pk],
        )
        for outcome, reason, count in cursor.fetchall():
            counts.setdefault(outcome, Counter())[reason] = count
    return {outcome: dict(reasons) for outcome, reasons in counts.items()}


def _hold(progress: Progress) -> None:
    """Make sure, inside a piece's transaction, that no other worker has taken over."""
    own = progress.job
    if not Job.objects.select_for_update().filter(pk=own.pk, attempts=own.attempts).exists():
        raise JobCancelled("job_taken_over", "这次验证已由别的进程接手。")
