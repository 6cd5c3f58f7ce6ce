"""To whom a task goes when its step opens: by the rule of even load, to a pool, to a dispatcher's hand, or to several at once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Max, Q

from services.access.models import User
from services.kernel.workflow.by_rules import named_by_rules
from services.kernel.workflow.handlers import people_for
from services.kernel.workflow.models import Case, Task, TaskState
from services.kernel.workflow.spec import Step

MOST_TOGETHER = 20


def handlers_for(task: Task, step: Step, case: Case) -> list[User]:
    """Return whose a new task is, one task for each; empty for one that waits in a pool.

    ``rule`` gives it to who has the fewest open tasks, of equals to who got one longest ago: of those whom the dispatch rules
    name, else of all who could do it. Steps of several people go to all who could do them.
    """
    if step.level == "applicant":
        return [case.applicant] if case.applicant else []
    if step.mode != "one":
        return people_for(task, most=MOST_TOGETHER)
    if step.dispatch == "rule":
        people = people_for(task)
        return least_loaded(named_by_rules(task, case, people) or people, step=step.key)[:1]
    return []


def least_loaded(people: Sequence[User], *, step: str = "") -> list[User]:
    """Return people by how few open tasks they have; of equals, who got their last one longest ago comes first."""
    rows = (
        Task.objects.filter(assignee__in=people)
        .order_by()
        .values("assignee")
        .annotate(load=Count("pk", filter=Q(state__in=(TaskState.OPEN, TaskState.HELD))), last=Max("pk"))
        .values_list("assignee", "load", "last")
    )
    known = {who: (load, last) for who, load, last in rows}
    return sorted(people, key=lambda user: (*known.get(user.pk, (0, 0)), user.pk))
