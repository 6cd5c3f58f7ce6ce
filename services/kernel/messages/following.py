"""What is told when something below the kernel changes its state, in the transaction of the change."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from services.access.models import User
from services.access.queries import holding
from services.facilities.models import FacilityStatus, StatusChange
from services.kernel.messages.actions import send_message
from services.kernel.messages.message_events import FACILITY_STATUS


def heads_of(organisation_id: int) -> list[User]:
    """Return the accounts that today hold a role over an organisation, by their number."""
    holds = holding(timezone.localdate(), "grants__")
    users = User.objects.filter(holds, grants__organisation_id=organisation_id, is_active=True)
    return list(users.distinct().order_by("pk"))


def tell_status_change(sender: type[StatusChange], instance: StatusChange, created: bool, **_: Any) -> None:
    """Tell the heads of a facility that its status changed, each change once. Imports, which write in bulk, tell nobody."""
    facility = instance.facility
    if not created or facility.organisation_id is None or facility.region_id is None:
        return
    send_message(
        event=FACILITY_STATUS,
        key=f"status:{instance.pk}",
        region_id=facility.region_id,
        values={
            "机构": facility.name,
            "新状态": str(FacilityStatus(instance.status).label),
            "生效日期": date_format(instance.effective_on, "Y年n月j日"),
            "原因": instance.reason or "未填写",
        },
        users=heads_of(facility.organisation_id),
        trigger=instance.status,
        link=f"/places/{facility.pk}",
        actor=instance.actor,
    )
