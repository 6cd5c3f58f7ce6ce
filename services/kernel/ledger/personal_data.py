"""What ledgers keep of an account: the views it saved, and the spreadsheets it brought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.kernel.ledger.models import LedgerImport, SavedView


def views(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the views an account saved."""
    for row in SavedView.objects.filter(user=user).iterator():
        yield {"台账": row.ledger, "名称": row.name, "条件": row.query, "保存": row.saved_at}


def imports(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the spreadsheets an account brought into ledgers."""
    for row in LedgerImport.objects.filter(actor=user.username).select_related("run").iterator():
        yield {"台账": row.ledger, "文件": row.run.file_name, "上传": row.created_at, "写入": row.written_at}


def forget_views(user: User) -> int:
    """Forget the views."""
    return int(SavedView.objects.filter(user=user).delete()[0])


PERSONAL_PARTS = (
    PersonalPart(
        "views", "存的视图", f"{__name__}:views", f"{__name__}:forget_views", models=("kernel_ledger.SavedView",)
    ),
    PersonalPart(
        "imports",
        "导入的表格",
        f"{__name__}:imports",
        kept="写进台账的行属于业务档案，随台账保存；导入记录里的账号名在注销时抹去。",
        models=("kernel_ledger.LedgerImport",),
    ),
)
