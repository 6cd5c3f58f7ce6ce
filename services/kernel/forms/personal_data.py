"""What forms keep of an account: drafts, and what it handed in, with its sealed answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.crypto.actions import drop_secrets
from services.crypto.queries import reveal_secrets
from services.kernel.forms.models import Submission, SubmissionState


def submissions(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what an account filled in, sealed answers in plain: they are its own."""
    for row in Submission.objects.filter(account=user).order_by("made_at", "pk").iterator():
        yield {
            "编号": row.number or "草稿", "表单": row.form, "状态": row.get_state_display(), "开始": row.made_at,
            "提交": row.submitted_at, "内容": row.answers, "加密内容": reveal_secrets(owner=row.pk),
        }  # fmt: skip


def forget_drafts(user: User) -> int:
    """Forget drafts with their sealed answers; what was handed in belongs to its case."""
    drafts = Submission.objects.filter(account=user, state=SubmissionState.DRAFT, number=None)
    for pk in list(drafts.values_list("pk", flat=True)):
        drop_secrets(owner=pk)
    return int(drafts.delete()[0])


PERSONAL_PARTS = (
    PersonalPart(
        "submissions",
        "填报的表单",
        f"{__name__}:submissions",
        f"{__name__}:forget_drafts",
        kept="已提交的申请属于公共服务档案，按档案法规定的期限保存；草稿一并删除。",
    ),
)
