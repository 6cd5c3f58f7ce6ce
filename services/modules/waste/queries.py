"""Reads of appointments: one's own, those of a scope, what stands now where they are, and what 一张图 was told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from geo.errors import NotFound
from geo.regions.queries import published_name, within
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty
from services.crypto.queries import reveal_secrets
from services.kernel.forms.prefill import from_account
from services.kernel.forms.prefilling import Asker
from services.modules.waste.duties import EDIT, VIEW
from services.modules.waste.models import Appointment, OneMapPush, PushState
from services.modules.waste.placing import FenceAt, Spot, fence_at
from services.modules.waste.sheet import FORM, check_sheet

NAME, PHONE = "name", "phone"
OPEN = Q(state="submitted")


@dataclass(frozen=True, slots=True)
class FenceNow:
    """The fence that holds an appointment now, ``None`` outside all; ``changed`` since the appointment was last written."""

    fence: FenceAt | None
    changed: bool


@dataclass(frozen=True, slots=True)
class PushStanding:
    """What 一张图 was told in a scope: how many of each state, when it last took something, since when the oldest waits."""

    counts: tuple[tuple[str, str, int], ...]
    last_sent: dt.datetime | None
    waits_since: dt.datetime | None


def own_appointments(user: User) -> QuerySet[Appointment]:
    """Return the appointments of an account, the newest first."""
    return Appointment.objects.filter(user=user)


def own_appointment(uid: UUID, *, user: User) -> Appointment:
    """Return one appointment of an account. Raises ``NotFound`` in the same words for none and for somebody else's."""
    row = own_appointments(user).filter(uid=uid).first()
    if row is None:
        raise NotFound("appointment_unknown", "没有找到这个预约，或者它不在您的名下。请从“我的预约”里打开。")
    return row


def appointment_seen(pk: int, *, scope: Scope) -> Appointment:
    """Return an appointment of the scope's regions or organisations with ``street_name``. Needs ``waste.view``.

    Raises ``NotFound``.
    """
    check_duty(scope, VIEW)
    return _found(pk, within(scope) | Q(organisation__in=scope.organisations))


def appointment_kept(pk: int, *, scope: Scope) -> Appointment:
    """Return an appointment of the scope's regions, to be changed. Needs ``waste.edit``. Raises ``NotFound``."""
    check_duty(scope, EDIT)
    return _found(pk, within(scope))


def answers_of(row: Appointment) -> dict[str, Any]:
    """Return what its own writer answered, contact in plain, as the sheet asks it."""
    secrets = reveal_secrets(owner=row.uid)
    return {
        "address": row.address_text,
        "site": row.site_name,
        "area": row.area,
        "amount": f"{row.amount.normalize():f}",
        "unit": row.unit,
        "day": row.wanted_on.isoformat(),
        "name": secrets.get(NAME, ""),
        "phone": secrets.get(PHONE, ""),
    }


def known_of(user: User) -> dict[str, str]:
    """Return what the sheet of a new appointment begins with: name and mobile number of the account where they fit."""
    found = from_account(Asker(user.pk, FORM.key, FORM.entry, 0))
    known = {key: str(found[key].value) for key in (NAME, PHONE) if key in found}
    checked = check_sheet(known, today=timezone.localdate())
    return {key: value for key, value in known.items() if not checked.faults_at(key)}


def spot_kept(row: Appointment) -> Spot:
    """Return where an appointment is."""
    return Spot(row.geom.x, row.geom.y, row.placed, row.uncertainty_m)


def fence_now(row: Appointment) -> FenceNow:
    """Return whose an appointment is by the fences that count now, and whether that changed since it was written."""
    now = fence_at(row.geom.x, row.geom.y)
    was = (row.fence, row.fence_name, row.fence_owner)
    return FenceNow(now, was != ((now.same, now.name, now.owner) if now else (None, "", "")))


def pushes_of(row: Appointment) -> QuerySet[OneMapPush]:
    """Return what 一张图 was told of an appointment, the newest first."""
    return row.pushes.order_by("-id")


def pushes_seen(*, scope: Scope) -> QuerySet[OneMapPush]:
    """Return what 一张图 is told of the scope's regions, the newest first. Needs ``waste.edit``."""
    check_duty(scope, EDIT)
    rows = OneMapPush.objects.filter(within(scope)).select_related("appointment", "edition")
    return rows.annotate(district_name=published_name("region_id")).order_by("-id")


def push_standing(*, scope: Scope) -> PushStanding:
    """Return how telling 一张图 goes in a scope's regions. Needs ``waste.edit``."""
    rows = pushes_seen(scope=scope).order_by()
    counts = dict(rows.values_list("state").annotate(count=Count("pk")))
    sent = rows.filter(state=PushState.SENT).aggregate(at=Max("ended_at"))["at"]
    waiting = rows.filter(state=PushState.WAITING).order_by("made_at").values_list("made_at", flat=True).first()
    return PushStanding(tuple((key, label, counts.get(key, 0)) for key, label in PushState.choices), sent, waiting)


def _found(pk: int, seen: Q) -> Appointment:
    row = Appointment.objects.filter(seen, pk=pk).annotate(street_name=published_name("region_id")).first()
    if row is None:
        raise NotFound("appointment_unknown", "没有找到这个预约，或者它不在您的管辖范围内。")
    return row
