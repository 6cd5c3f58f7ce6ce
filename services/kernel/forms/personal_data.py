"""What forms keep of an account: drafts, and what it handed in, with its sealed answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.crypto.actions import drop_secrets
from services.crypto.queries import reveal_secrets
from services.kernel.documents.models import Attachment
from services.kernel.forms.models import Submission, SubmissionState
from services.kernel.forms.queries import OWNER_KIND


def submissions(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what an account filled in, sealed answers in plain: they are its own."""
    for row in Submission.objects.filter(account=user).order_by("made_at", "pk").iterator():
        yield {
            "编号": row.number or "草稿", "表单": row.form, "状态": row.get_state_display(), "开始": row.made_at,
            "提交": row.submitted_at, "内容": row.answers, "加密内容": reveal_secrets(owner=row.pk),
        }  # fmt: skip


def files(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the files of what an account filled in; they are opened on the page of the form."""
    owners = [str(pk) for pk in Submission.objects.filter(account=user).values_list("pk", flat=True)]
    rows = Attachment.objects.filter(owner_kind=OWNER_KIND, owner_id__in=owners).order_by("uploaded_at", "pk")
    for row in rows.iterator():
        yield {
            "文件": row.name, "版本": row.version, "大小（字节）": row.size, "上传": row.uploaded_at, "移除": row.removed_at,
        }  # fmt: skip


def forget_drafts(user: User) -> int:
    """Forget drafts with their sealed answers and their files, removed ones too; what was handed in belongs to its case."""
    drafts = Submission.objects.filter(account=user, state=SubmissionState.DRAFT, number=None)
    pks = list(drafts.values_list("pk", flat=True))
    for pk in pks:
        drop_secrets(owner=pk)
    held = Attachment.objects.filter(owner_kind=OWNER_KIND, owner_id__in=[str(pk) for pk in pks])
    for row in held.order_by(
        "-version"
    ):  # a version is held by the one that replaced it; contents nobody names are swept
        row.delete()
    drafts.delete()
    return len(pks)


PERSONAL_PARTS = (
    PersonalPart(
        "submissions",
        "填报的表单",
        f"{__name__}:submissions",
        f"{__name__}:forget_drafts",
        kept="已提交的申请属于公共服务档案，按档案法规定的期限保存；草稿一并删除。",
        models=("kernel_forms.Submission",),
    ),
    PersonalPart(
        "files",
        "表单的附件",
        f"{__name__}:files",
        kept="已提交的申请的附件与申请一同保存；草稿的附件随草稿删除。",
        models=("kernel_documents.Attachment",),
    ),
)
