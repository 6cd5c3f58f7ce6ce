"""What validation analysis keeps of an account: rows that were taken from the registrations it handed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.catchments.validating.models import Origin, RegisterRow
from services.catchments.validating.sealing import of_row, seal_of
from services.kernel.forms.models import Submission


def registered(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the rows taken from what an account handed in, by the numbers of its receipts."""
    own = Submission.objects.filter(account=user).exclude(number=None).values("number")
    rows = RegisterRow.objects.filter(register__origin=Origin.FORMS, own__in=own).select_related("register")
    for row in rows.order_by("pk").iterator():
        yield {
            "名册": row.register.name, "登记编号": row.own, "街镇": row.street, "居委": row.committee, "小区": row.community,
            "地址": seal_of(row.register).open(row.address, place=of_row(row.number)),
        }  # fmt: skip


PERSONAL_PARTS = (
    PersonalPart(
        "registered",
        "核对对口规则用的登记",
        f"{__name__}:registered",
        kept="开放报名之前核对对口规则用，半年后连同结果删除。",
        models=("catchments_validating.RegisterRow",),
    ),
)
