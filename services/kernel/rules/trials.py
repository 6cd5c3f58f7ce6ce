"""Trials of a draft: on what was decided before, or on pasted cases. The report says how often and where it decides otherwise."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput
from geo.jobs.actions import cancel_job, start_job
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import within
from geo.scope import Scope
from services.access.models import AuditAct
from services.access.queries import check_duty
from services.kernel.rules.actions import audit_rules
from services.kernel.rules.deciding.cases import cases_of
from services.kernel.rules.deciding.differences import compare, outcome_words
from services.kernel.rules.deciding.sheets import sheet_of
from services.kernel.rules.deciding.tables import Table, read_table
from services.kernel.rules.decisions import masked, plain_results
from services.kernel.rules.models import DecisionRecord, Trial, TrialRow, TrialSource
from services.kernel.rules.queries import published_table, trial_seen, version_for, version_seen
from services.kernel.rules.registry import rule_set_named

TRIAL_JOB: Final = "rules.trial"
CHUNK: Final = 500
MOST_PAIRS: Final = 200


@dataclass(frozen=True, slots=True)
class Known:
    """A case with what was decided about it, None where that cannot be computed."""

    number: int
    facts: dict[str, Any]
    before: list[dict[str, Any]] | None
    subject: str
    cursor: str


@transaction.atomic
def start_trial(
    *, version_id: UUID, scope: Scope, from_day: dt.date | None = None, to_day: dt.date | None = None, pasted: str = ""
) -> Trial:
    """Begin to try a version on the decisions of its region in some days (both included), or on cases pasted as a table.

    Raises ``BadInput`` for a table with errors, an empty stretch of days, or cases that cannot be read.
    """
    version = version_seen(version_id, scope=scope)
    spec = rule_set_named(version.rule_set)
    check_duty(scope, spec.duty)
    sheet = sheet_of(version.sheet, spec)
    read_table(sheet, spec)
    if from_day and to_day and from_day > to_day:
        raise BadInput("days_empty", "开始日期晚于结束日期，请核对。")
    cases = (
        [{name: masked(value) for name, value in case.items()} for case in cases_of(pasted, spec)]
        if pasted.strip()
        else []
    )
    trial = Trial.objects.create(
        version=version,
        revision=version.revision,
        sheet=sheet.data(),
        source=TrialSource.CASES if cases else TrialSource.HISTORY,
        from_day=from_day,
        to_day=to_day,
        cases=cases,
        made_by=scope.actor,
    )
    trial.job = start_job(kind=TRIAL_JOB, params={"trial": str(trial.pk)}, actor=scope.actor)
    trial.save(update_fields=["job"])
    audit_rules(AuditAct.RULE_TRIED, version, scope, trial=str(trial.pk), source=trial.source)
    return trial


def stop_trial(*, trial_id: UUID, scope: Scope) -> Trial:
    """Stop a trial; what was compared so far stays."""
    trial = trial_seen(trial_id, scope=scope)
    check_duty(scope, rule_set_named(trial.version.rule_set).duty)
    if trial.job_id:
        cancel_job(job_id=trial.job_id)
    return trial


@job(TRIAL_JOB)
def run_trial(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Compare chunk by chunk; a worker that takes over goes on behind the last chunk that was written."""
    trial = Trial.objects.select_related("version").get(pk=params["trial"])
    spec = rule_set_named(trial.version.rule_set)
    table = read_table(sheet_of(trial.sheet, spec), spec)
    total = _count(trial)
    done = int(progress.cursor.get("done", 0))
    for chunk in _chunks(trial, table, progress.cursor):
        done += len(chunk)
        with transaction.atomic():
            _compare(trial, table, chunk)
            progress.save({"done": done, "after": chunk[-1].cursor})
        progress.step(done / max(total, 1), f"已比对 {done:,} / {total:,} 条")
    if done == 0:
        Trial.objects.filter(pk=trial.pk).update(tally={"total": 0})
    return {"done": done}


def _compare(trial: Trial, table: Table, chunk: list[Known]) -> None:
    tally, pairs = Counter(trial.tally), Counter(trial.matrix)
    rows: list[TrialRow] = []
    for known in chunk:
        after: list[dict[str, Any]] | None = None
        said = ""
        try:
            after = plain_results(table.decide(known.facts))
        except BadInput as fault:
            said = fault.message
        outcome = compare(known.before, after)
        tally["total"] += 1
        tally[outcome] += 1
        was, will = outcome_words(known.before, table.spec), outcome_words(after, table.spec)
        pair = f"{was[:200]}\n{will[:200]}"
        if pair in pairs or len(pairs) < MOST_PAIRS:
            pairs[pair] += 1
        if outcome != "same":
            rows.append(
                TrialRow(
                    trial=trial, number=known.number, kind=outcome, facts=known.facts, before=was[:500],
                    after=(said or will)[:500], subject=known.subject,
                )
            )  # fmt: skip
    TrialRow.objects.bulk_create(rows)
    trial.tally, trial.matrix = dict(tally), dict(pairs)
    trial.save(update_fields=["tally", "matrix"])


def _records(trial: Trial) -> Any:
    """Return the decisions a trial looks at: those of its version's region and below, which that region's rules may decide."""
    region = trial.version.region_id
    paths = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region_id=region).values_list(
        "path", flat=True
    )
    rows = DecisionRecord.objects.filter(within(Scope(paths=tuple(paths))), rule_set=trial.version.rule_set)
    if trial.from_day:
        rows = rows.filter(day__gte=trial.from_day)
    if trial.to_day:
        rows = rows.filter(day__lte=trial.to_day)
    return rows.filter(at__lte=trial.made_at)


def _count(trial: Trial) -> int:
    return len(trial.cases) if trial.source == TrialSource.CASES else _records(trial).count()


def _chunks(trial: Trial, table: Table, cursor: dict[str, Any]) -> Iterator[list[Known]]:
    done, after = int(cursor.get("done", 0)), str(cursor.get("after", ""))
    if trial.source == TrialSource.CASES:
        for start in range(done, len(trial.cases), CHUNK):
            facts = trial.cases[start : start + CHUNK]
            now = version_for(trial.version.rule_set, region_id=trial.version.region_id, on=timezone.localdate())
            held = published_table(now.pk) if now else None
            yield [Known(n, each, _decided(held, each), "", str(n)) for n, each in enumerate(facts, start + 1)]
        return
    number = done
    while True:
        rows = _records(trial).order_by("id")
        chunk = list((rows.filter(id__gt=after) if after else rows)[:CHUNK])
        if not chunk:
            return
        yield [Known(number + n, row.facts, row.results, row.subject, str(row.pk)) for n, row in enumerate(chunk, 1)]
        number += len(chunk)
        after = str(chunk[-1].pk)


def _decided(table: Table | None, facts: dict[str, Any]) -> list[dict[str, Any]] | None:
    if table is None:
        return []
    try:
        return plain_results(table.decide(facts))
    except BadInput:  # the version in force cannot decide this case, and the report says so
        return None
