"""What the handling of cases keeps of an account: the matters it applied for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Q

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.kernel.workflow.models import Application, Case, CaseEvent, Delegation, PoolMember, Task, Watch


def cases(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the cases an account applied for."""
    for row in Case.objects.filter(applicant=user).order_by("opened_at", "pk").iterator():
        yield {
            "编号": row.number,
            "事项": row.title,
            "状态": row.get_state_display(),
            "受理": row.opened_at,
            "办结": row.closed_at,
        }


def applications(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the applications an account began."""
    for row in Application.objects.filter(applicant=user).order_by("made_at").iterator():
        yield {"事项": row.matter, "来源": row.source, "开始": row.made_at}


def forget_applications(user: User) -> int:
    """Forget the applications that became no case; their forms are forgotten with the drafts."""
    kept = Case.objects.filter(applicant=user, submission__isnull=False).values("submission")
    return int(Application.objects.filter(applicant=user).exclude(submission__in=kept).delete()[0])


def work(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what an account did as staff, by what it is: how many tasks, lines of timelines, deputies, pools and watches."""
    counted = {
        "承办的任务": Task.objects.filter(Q(assignee=user) | Q(decided_by=user) | Q(added_by=user) | Q(behalf_of=user)),
        "办件轨迹": CaseEvent.objects.filter(Q(actor=user) | Q(behalf_of=user)),
        "委托": Delegation.objects.filter(Q(giver=user) | Q(taker=user)),
        "派单名单": PoolMember.objects.filter(user=user),
        "关注的办件": Watch.objects.filter(user=user),
    }
    for what, rows in counted.items():
        if count := rows.count():
            yield {"内容": what, "条数": count}


def leave_work(user: User) -> int:
    """Take an account off watches, pools and deputies; tasks and timelines belong to their cases."""
    mine = Delegation.objects.filter(Q(giver=user) | Q(taker=user))
    gone = (Watch.objects.filter(user=user), PoolMember.objects.filter(user=user), mine)
    return sum(int(rows.delete()[0]) for rows in gone)


def under_way(user: User) -> str:
    """Return that cases of an account are still being handled, or ''."""
    count = Case.objects.filter(applicant=user, closed_at=None).count()
    return f"您还有 {count} 件事项在办理，办结或撤回后再注销。" if count else ""


PERSONAL_PARTS = (
    PersonalPart(
        "cases",
        "办理的事项",
        f"{__name__}:cases",
        kept="办件和办理轨迹属于行政档案，按档案法规定的期限保存，不再与可登录的账号相连。",
        blocks=f"{__name__}:under_way",
        models=("kernel_workflow.Case",),
    ),
    PersonalPart(
        "applications",
        "申请",
        f"{__name__}:applications",
        f"{__name__}:forget_applications",
        kept="已成为办件的申请与办件一同保存。",
        models=("kernel_workflow.Application",),
    ),
    PersonalPart(
        "work",
        "办理工作",
        f"{__name__}:work",
        f"{__name__}:leave_work",
        kept="任务和办件轨迹属于行政档案，按档案法规定的期限保存；其中的姓名在注销时抹去。",
        models=tuple(f"kernel_workflow.{each}" for each in ("Task", "CaseEvent", "Delegation", "PoolMember", "Watch")),
    ),
)
