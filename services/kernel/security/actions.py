"""Writes of security: ask for a check, sign programs and rows as they are, with an audit entry of each."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.http import HttpRequest

from geo.jobs.actions import start_job
from geo.jobs.models import Job, JobState
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import check_city_duty
from services.crypto.programs import sign_programs
from services.crypto.signed_rows import sign_rows, signed_tables
from services.kernel.security.alarms import DUTY

CHECK_JOB: Final = "security.check"
UNDER_WAY: Final = (JobState.QUEUED, JobState.RUNNING)


@transaction.atomic
def ask_for_check(*, scope: Scope, request: HttpRequest | None = None, everything: bool = False) -> Job:
    """Start a check of everything, or return the one that is under way. Needs ``security.check`` over the whole city."""
    check_city_duty(scope, DUTY)
    running = Job.objects.filter(kind=CHECK_JOB, state__in=UNDER_WAY).first()
    if running is not None:
        return running
    record_audit(act=AuditAct.INTEGRITY_CHECKED, actor=scope.actor, request=request, detail={"all": everything})
    return start_job(kind=CHECK_JOB, params={"everything": everything}, actor=scope.actor)


@transaction.atomic
def sign_installation(*, actor: str) -> int:
    """Sign programs and control files as they are now, and return how many: who does it says that they are right."""
    count = sign_programs()
    record_audit(act=AuditAct.ROWS_SIGNED, actor=actor, detail={"kind": "programs", "count": count})
    return count


@transaction.atomic
def sign_tables(*, kinds: list[str], actor: str) -> int:
    """Sign the rows of tables as they are now, and return how many were not; for the mending of what was looked into."""
    count = 0
    for table in signed_tables():
        if table.key in kinds:
            count += sign_rows(table, table.kind()._default_manager.order_by("pk").iterator(chunk_size=1_000))
    record_audit(act=AuditAct.ROWS_SIGNED, actor=actor, detail={"kind": ",".join(kinds), "count": count})
    return count
