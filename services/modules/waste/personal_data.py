"""What appointments keep of an account, and how it is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.crypto.actions import drop_secrets
from services.modules.waste.models import Appointment
from services.modules.waste.queries import OPEN, answers_of, own_appointments


def appointments(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the appointments an account made, contact and position in full."""
    for row in own_appointments(user):
        said = answers_of(row)
        yield {
            "预约单号": row.number,
            "提交时间": row.made_at,
            "状态": row.get_state_display(),
            "工作人员为什么取消": row.cancelled_because,
            "地址": row.address_text,
            "小区或单位": row.site_name,
            "位置（CGCS2000）": f"{row.geom.x:.6f},{row.geom.y:.6f}",
            "收运片区": row.fence_name,
            "预计收运": f"{row.wanted_on} {said['amount']}{row.get_unit_display()}",
            "联系人": said["name"],
            "联系手机": said["phone"],
        }


@transaction.atomic
def forget_appointments(user: User) -> int:
    """Delete the appointments of an account with what was told of them; what 一张图 holds has no name and no phone."""
    rows = list(own_appointments(user))
    for row in rows:
        drop_secrets(owner=row.uid)
    Appointment.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def still_open(user: User) -> str:
    """Return why erasing has to wait, '' where nothing is open."""
    count = own_appointments(user).filter(OPEN, wanted_on__gte=timezone.localdate()).count()
    return f"还有 {count} 个装修垃圾预约没有运，请先在“装修垃圾预约”里取消。" if count else ""


PERSONAL_PARTS = (
    PersonalPart(
        "waste-appointments", "装修垃圾预约", f"{__name__}:appointments", f"{__name__}:forget_appointments",
        blocks=f"{__name__}:still_open", models=("waste.Appointment",),
    ),
)  # fmt: skip
