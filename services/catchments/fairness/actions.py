"""Writes of fairness: measure an edition, stop, go on, delete what was measured."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction

from geo.errors import BadInput, Conflict
from geo.jobs.actions import cancel_job, start_job
from geo.jobs.models import Job, JobState
from geo.scope import Scope
from services.catchments.fairness.models import FairnessRun
from services.catchments.fairness.queries import GRADES, run_seen
from services.catchments.models import CatchmentEdition
from services.catchments.queries import EDIT, edition_seen
from services.catchments.validating.models import Validation
from services.catchments.validating.queries import validation_seen

KIND: Final = "catchments.fairness"
_LIVE: Final = (JobState.QUEUED, JobState.RUNNING)


@transaction.atomic
def start_fairness(
    *, edition_id: UUID, validation_id: UUID | None, grades: int, key: UUID, scope: Scope
) -> FairnessRun:
    """Measure an edition as it is now; sent twice, or while the same is measured, it is measured once.

    Children are those of a finished validation of this edition as it is now, or nobody's. Raises ``Conflict``, ``BadInput``.
    """
    edition = edition_seen(edition_id, scope=scope, duty=EDIT)
    CatchmentEdition.objects.select_for_update().get(pk=edition.pk)
    if grades not in GRADES:
        raise BadInput("grades_unknown", "请选名册里的孩子是几个年级的。", parameter="grades")
    validation = validation_seen(validation_id, scope=scope) if validation_id else None
    if validation is not None:
        check_validation(validation, edition)
    done = FairnessRun.objects.filter(key=key).first() or _same_running(edition, validation, grades)
    if done is not None:
        return done
    made = FairnessRun.objects.create(
        key=key, edition=edition, revision=edition.revision, validation=validation, grades=grades, made_by=scope.actor
    )
    return _started(made, scope)


def check_validation(validation: Validation, edition: CatchmentEdition) -> None:
    """Raise ``Conflict`` for a validation of another edition, an unfinished one, or one of rules that changed since."""
    if validation.edition_id != edition.pk or validation.done_at is None:
        raise Conflict("validation_elsewhere", "这次验证不是这一版的，或者还没有做完，请另选一次。")
    if validation.revision != edition.revision:
        raise Conflict("validation_stale", "这次验证以后规则又改过。请先到“验证分析”里再核对一次，再来选它。")


def _same_running(edition: CatchmentEdition, validation: Validation | None, grades: int) -> FairnessRun | None:
    rows = FairnessRun.objects.filter(
        edition=edition, revision=edition.revision, validation=validation, grades=grades, done_at=None
    )
    return rows.filter(job__in=Job.objects.filter(kind=KIND, state__in=_LIVE).values("pk")).first()


def _started(run: FairnessRun, scope: Scope) -> FairnessRun:
    run.job = start_job(kind=KIND, params={"run": str(run.pk)}, actor=scope.actor).pk
    run.save(update_fields=["job"])
    return run


def stop_fairness(*, run_id: UUID, scope: Scope) -> None:
    """Ask a running measurement to stop."""
    run = run_seen(run_id, scope=scope, duty=EDIT)
    if run.job is not None:
        cancel_job(job_id=run.job)


@transaction.atomic
def go_on(*, run_id: UUID, scope: Scope) -> FairnessRun:
    """Measure again what was stopped or failed. Raises ``Conflict`` for what runs or is done."""
    run_seen(run_id, scope=scope, duty=EDIT)
    run = FairnessRun.objects.select_for_update().get(pk=run_id)
    if run.done_at is not None or _is_live(run):
        raise Conflict("fairness_running", "这次分析正在进行或已经完成，请刷新页面查看。")
    return _started(run, scope)


@transaction.atomic
def delete_fairness(*, run_id: UUID, scope: Scope) -> FairnessRun:
    """Delete a measurement that nobody needs any more. Raises ``Conflict`` for what runs."""
    run = run_seen(run_id, scope=scope, duty=EDIT)
    FairnessRun.objects.select_for_update().filter(pk=run.pk).first()
    if _is_live(run):
        raise Conflict("fairness_running", "这次分析正在进行，请先停下来再删除。")
    FairnessRun.objects.filter(pk=run.pk).delete()
    return run


def _is_live(run: FairnessRun) -> bool:
    return run.job is not None and Job.objects.filter(pk=run.job, state__in=_LIVE).exists()
