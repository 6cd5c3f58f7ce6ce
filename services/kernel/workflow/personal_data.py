"""What the handling of cases keeps of an account: the matters it applied for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.kernel.workflow.models import Case


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
    ),
)
