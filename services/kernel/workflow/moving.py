"""Moving running cases to another version of their flow: what was decided is played over it, and what does not fit is told."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from geo.errors import CityError, Conflict
from geo.jobs.actions import start_job
from geo.jobs.models import Job
from geo.scope import Scope
from services.access.models import User
from services.kernel.workflow.choosing import runnable_of
from services.kernel.workflow.configuring import flow_to_configure
from services.kernel.workflow.engine import FlowFault, stand
from services.kernel.workflow.handlers import handler_of, open_tasks
from services.kernel.workflow.models import Case, FlowVersion, VersionState
from services.kernel.workflow.spec import REPORT
from services.kernel.workflow.transitions import Act, State
from services.kernel.workflow.turning import Turn, advance, decisions_of

MOVE_JOB = "workflow.move_cases"
MOST_REPORTED = 500


def why_not(case: Case, version: FlowVersion) -> str:
    """Return in Chinese why a case cannot be moved to a version, '' when it can.

    It can when every decision made so far takes effect there, and the steps that wait now wait there too.
    """
    if case.closed_at is not None:
        return "已办结"
    target, now = runnable_of(version), runnable_of(case.flow)
    decisions = decisions_of(case)
    try:
        there = stand(target, decisions, case.begun)
    except FlowFault as fault:
        return fault.message
    lost = [each for each, kept in zip(decisions, there.kept, strict=True) if not kept]
    if lost:
        step = now.graph.steps.get(lost[0].step)
        return f"已办的“{step.name if step else lost[0].step}”在新版本里接不上"
    waiting = {task.step for task in open_tasks(case)} - {REPORT.key}
    gone = sorted(waiting - set(there.waiting))
    if gone:
        step = now.graph.steps.get(gone[0])
        return f"正在办的“{step.name if step else gone[0]}”在新版本里不在这个位置"
    return ""


@transaction.atomic
def start_moving(*, version_id: int, scope: Scope) -> Job:
    """Ask for all running cases of a region's older versions to be moved to its published one; a job does it with a report."""
    version = flow_to_configure(version_id, scope=scope)
    if version.state != VersionState.PUBLISHED:
        raise Conflict("flow_not_published", "先发布这个版本，再把在办的办件换过来。")
    return start_job(kind=MOVE_JOB, params={"version": version.pk, "actor": scope.actor}, actor=scope.actor)


@transaction.atomic
def move_case(*, case_id: int, version: FlowVersion, actor: User) -> str:
    """Move one case, and return why it could not be moved, '' when it was. Steps that wait keep their tasks and deadlines."""
    case = Case.objects.select_for_update(of=("self",)).select_related("flow", "applicant").get(pk=case_id)
    if case.flow_id == version.pk:
        return ""
    reason = why_not(case, version)
    if reason:
        return reason
    if case.state != State.OPEN:
        return "补正或挂起中，恢复办理以后再换"
    before, turn = (
        case.flow.number,
        Turn(case, Act.MOVE, f"move:{version.pk}:{case.pk}", handler_of(actor), timezone.now()),
    )
    turn.tasks = open_tasks(case)
    turn.key = f"{turn.key}:{uuid4()}"[:80]
    case.flow = version
    turn.note(f"流程从第 {before} 版换到第 {version.number} 版", version=version.pk)
    advance(turn, decisions_of(case))
    return ""


def running_of(version: FlowVersion) -> list[int]:
    """Return the running cases of the other versions of the same matter and region, the oldest first."""
    rows = Case.objects.filter(flow__matter=version.matter, flow__region=version.region_id, closed_at=None)
    return list(rows.exclude(flow=version).order_by("pk").values_list("pk", flat=True))


def report_line(case_id: int, reason: str) -> dict[str, Any]:
    """Return what the report says of a case that could not be moved."""
    case = Case.objects.get(pk=case_id)
    return {"uid": str(case.uid), "number": case.number, "title": case.title, "reason": reason}


def try_move(case_id: int, version: FlowVersion, actor: User) -> str:
    """Move one case; a fault of it is its reason, so that one case never stops the others."""
    try:
        return move_case(case_id=case_id, version=version, actor=actor)
    except CityError as fault:
        return fault.message
