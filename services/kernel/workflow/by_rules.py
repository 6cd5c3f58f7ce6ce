"""Whom the dispatch rules of a region name for a task. What the rules cannot answer is told to their keepers."""

from __future__ import annotations

from collections.abc import Sequence

from geo.errors import NotFound, Unavailable
from geo.regions.queries import path_of
from geo.scope import Scope
from services.access.models import User
from services.kernel.rules.decisions import decide, report_fault
from services.kernel.workflow.models import Case, Task
from services.kernel.workflow.registry import matters
from services.kernel.workflow.rules import DISPATCH
from services.kernel.workflow.spec import OWN_SOURCES


def named_by_rules(task: Task, case: Case, people: Sequence[User]) -> list[User]:
    """Return those of the people who may do a task that the dispatch rules of its region name; none where no rule speaks.

    Rules that cannot run, or that name only accounts which may not do it, hold nothing up: their keepers are told.
    """
    region = task.region_id or case.region_id
    subject = f"case:{case.number}"
    try:
        decided = decide(DISPATCH.key, facts_of_task(task, case), region_id=region, subject=subject)
    except (NotFound, Unavailable):  # nobody wrote rules here; or they are broken, which was reported
        return []
    wanted = decided.outputs["handlers"]
    named = sorted(wanted) if isinstance(wanted, frozenset) else []
    found = [user for user in people if user.username in named]
    if named and not found:
        message = (
            f"第 {decided.rows[0]} 行写的账号（{'、'.join(named)[:100]}）不能办理“{task.name}”，已派给手上最少的人。"
        )
        report_fault(DISPATCH.key, decided.version, region, code="handler_unfit", message=message, subject=subject)
    return found


def facts_of_task(task: Task, case: Case) -> dict[str, object]:
    """Return what the dispatch rules may know of a task: by the names that staff see, nothing of the person."""
    spec = matters().get(case.matter)
    sources = {each.key: each.name for each in (*OWN_SOURCES, *(spec.sources if spec else ()))}
    path = path_of(task.region_id or case.region_id, scope=Scope.public())
    return {
        "matter": spec.title if spec else case.matter,
        "category": case.category,
        "step": task.name,
        "source": sources.get(case.source, case.source),
        "region": path[-1].name if path else None,
        "round": task.pass_no,
    }
