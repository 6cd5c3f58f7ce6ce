"""Writes of appointments: made, changed and called off by who made them; their position corrected, or called off, by staff."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pghistory
from django.contrib.gis.geos import Point
from django.db import IntegrityError, transaction
from django.utils import timezone

from geo.addresses.models import PointSource
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Conflict, TooMany
from geo.grids.cells import cell_at
from geo.scope import Scope
from services.access.models import User
from services.crypto.actions import drop_secrets, keep_secrets
from services.crypto.masking import mask_name, mask_phone
from services.kernel.forms.actions import new_number
from services.kernel.messages.actions import send_message
from services.modules.waste.message_events import CANCELLED
from services.modules.waste.models import Appointment, AppointmentState, Placed
from services.modules.waste.placing import Spot, organisation_of, where_is
from services.modules.waste.queries import (
    NAME,
    OPEN,
    PHONE,
    answers_of,
    appointment_kept,
    own_appointment,
    own_appointments,
    spot_kept,
)
from services.modules.waste.telling import queue_appointment

PREFIX: Final = "ZX"
MOST_OPEN: Final = 10
"""Appointments an account may have open at a time."""
LONGEST_WHY: Final = 200
KEPT_AFTER: Final = dt.timedelta(days=92)
"""Name and phone are forgotten so long after the day of the appointment."""
FROM: Final = {
    Placed.PICKED: PointSource.SOURCE,
    Placed.ADDRESS: PointSource.ADDRESS,
    Placed.ONE_MAP: PointSource.ADDRESS,
    Placed.STAFF: PointSource.SURVEY,
}


@transaction.atomic
def make_appointment(*, key: UUID, user: User, answers: Mapping[str, Any], spot: Spot, scope: Scope) -> Appointment:
    """Make an appointment of checked answers at a position, and return it; the same ``key`` again is the same one.

    Raises ``TooMany`` beyond ``MOST_OPEN`` open ones, ``NotFound`` for the key of somebody else.
    """
    known = Appointment.objects.filter(uid=key).first()
    if known is not None:
        return own_appointment(key, user=user)
    User.objects.select_for_update().get(pk=user.pk)  # two windows of one person come one after the other
    if own_appointments(user).filter(OPEN, wanted_on__gte=timezone.localdate()).count() >= MOST_OPEN:
        raise TooMany("too_many_open", f"您已经有 {MOST_OPEN} 个预约还没有运，请先取消不需要的。", retry_after=3600)
    row = Appointment(uid=key, user=user, number=new_number(PREFIX, timezone.localdate()))
    _answered(row, answers)
    _placed(row, _own(spot), scope)
    try:
        with transaction.atomic():
            _kept(row, answers, scope)
    except IntegrityError:  # the same form arrived twice at the same moment
        return own_appointment(key, user=user)
    return row


@transaction.atomic
def change_appointment(
    *, uid: UUID, user: User, answers: Mapping[str, Any], spot: Spot, seen: int, scope: Scope
) -> Appointment:
    """Change one's own appointment, and return it; what says the same changes nothing. Raises ``NotFound``, ``Conflict``."""
    row = _own_open(uid, user)
    if _says_same(row, answers, spot):
        return row
    _check_seen(row, seen)
    moved = str(spot) != str(spot_kept(row))
    _answered(row, answers)
    _placed(row, _own(spot) if moved else spot, scope)
    row.moved_because = "" if moved else row.moved_because
    row.version += 1
    _kept(row, answers, scope)
    return row


@transaction.atomic
def cancel_appointment(*, uid: UUID, user: User, scope: Scope) -> Appointment:
    """Call one's own appointment off, and return it; twice changes nothing. Raises ``NotFound``."""
    row = _locked(own_appointment(uid, user=user).pk)
    if row.state == AppointmentState.CANCELLED:
        return row
    row.state, row.version, row.changed_by = AppointmentState.CANCELLED, row.version + 1, scope.actor
    with pghistory.context(actor=scope.actor):
        row.save()
    queue_appointment(row)
    return row


@transaction.atomic
def cancel_for_owner(*, pk: int, why: str, seen: int, scope: Scope) -> Appointment:
    """Call off an appointment of the scope's regions, tell its owner why, and return it. Needs ``waste.edit``.

    Raises ``NotFound``, ``BadInput`` without a reason, ``Conflict`` for one that was changed since or is called off already.
    """
    row = _locked(appointment_kept(pk, scope=scope).pk)
    said = _reason(why, "请写为什么取消")
    if row.state != AppointmentState.SUBMITTED:
        raise Conflict("appointment_over", "这个预约已经取消，不用再取消。")
    _check_seen(row, seen)
    row.state, row.cancelled_because = AppointmentState.CANCELLED, said
    row.version, row.changed_by = row.version + 1, scope.actor
    with pghistory.context(actor=scope.actor):
        row.save()
    queue_appointment(row)
    if row.user is not None and row.region_id is not None:
        send_message(
            event=CANCELLED, key=f"waste:{row.uid}:{row.version}", region_id=row.region_id, users=[row.user],
            values={"小区或单位": row.site_name, "日期": f"{row.wanted_on.month}月{row.wanted_on.day}日", "原因": said},
            link=f"/waste/{row.uid}", actor=scope.actor,
        )  # fmt: skip
    return row


@transaction.atomic
def correct_position(*, pk: int, spot: Spot, why: str, seen: int, scope: Scope) -> Appointment:
    """Put an appointment of the scope's regions where it is, with a reason, and return it. Needs ``waste.edit``.

    Raises ``NotFound``, ``BadInput``, ``Conflict``.
    """
    row = _locked(appointment_kept(pk, scope=scope).pk)
    said = _reason(why, "请写为什么改")
    _check_seen(row, seen)
    if row.state != AppointmentState.SUBMITTED:
        raise Conflict("appointment_over", "这个预约已经取消，不用再改位置。")
    _placed(row, replace(spot, placed=Placed.STAFF.value), scope)
    row.moved_because, row.version, row.changed_by = said, row.version + 1, scope.actor
    with pghistory.context(actor=scope.actor):
        row.save()
    queue_appointment(row)
    return row


def forget_contacts(*, today: dt.date | None = None) -> int:
    """Forget names and phones of appointments whose day is long over, and return how many were kept until now."""
    before = (today or timezone.localdate()) - KEPT_AFTER
    rows = Appointment.objects.filter(wanted_on__lt=before)
    return sum(drop_secrets(owner=uid) for uid in rows.values_list("uid", flat=True).iterator())


def _reason(why: str, asked: str) -> str:
    said = " ".join(why.split())
    if not said or len(said) > LONGEST_WHY:
        raise BadInput("why_empty", f"{asked}，最多 {LONGEST_WHY} 个字，预约人会看到。", field="why")
    return said


def _locked(pk: int) -> Appointment:
    return Appointment.objects.select_for_update(of=("self",)).get(pk=pk)


def _own_open(uid: UUID, user: User) -> Appointment:
    row = _locked(own_appointment(uid, user=user).pk)
    if row.state != AppointmentState.SUBMITTED:
        raise Conflict("appointment_over", "这个预约已经取消，不能再改。需要清运请重新预约。")
    return row


def _check_seen(row: Appointment, seen: int) -> None:
    if row.version != seen:
        raise Conflict("appointment_changed", "这个预约刚被改过（您在另一个窗口，或工作人员）。请看过现在的内容再改。")


def _says_same(row: Appointment, answers: Mapping[str, Any], spot: Spot) -> bool:
    kept = answers_of(row)
    same = all(str(answers[key]) == kept[key] for key in kept if key != "amount")
    return same and Decimal(str(answers["amount"])) == row.amount and str(spot) == str(spot_kept(row))


def _answered(row: Appointment, answers: Mapping[str, Any]) -> None:
    row.address_text, row.site_name, row.area = answers["address"], answers["site"], answers["area"]
    row.amount, row.unit = Decimal(str(answers["amount"])), answers["unit"]
    row.wanted_on = dt.date.fromisoformat(str(answers["day"]))
    row.contact_name, row.contact_phone = mask_name(answers["name"]), mask_phone(answers["phone"])


def _own(spot: Spot) -> Spot:
    """Return a position as somebody may choose it: only staff say that it is theirs."""
    return replace(spot, placed=Placed.PICKED.value) if spot.placed == Placed.STAFF else spot


def _placed(row: Appointment, spot: Spot, scope: Scope) -> None:
    """Put a row at a position, with the region and the fence that hold it now."""
    where = where_is(spot, scope=scope)
    row.geom, row.cell = Point(spot.lon, spot.lat, srid=CGCS2000), cell_at(spot.lon, spot.lat)
    row.placed, row.point_source = spot.placed, FROM[Placed(spot.placed)]
    row.uncertainty_m, row.region_id = spot.uncertainty_m, where.region_id
    fence = where.fence
    row.fence, row.fence_number = (fence.same, fence.number) if fence else (None, None)
    row.fence_name, row.fence_owner = (fence.name, fence.owner) if fence else ("", "")
    row.organisation = organisation_of(fence)


def _kept(row: Appointment, answers: Mapping[str, Any], scope: Scope) -> None:
    row.changed_by = scope.actor
    with pghistory.context(actor=scope.actor):
        row.save()
    keep_secrets(owner=row.uid, values={NAME: answers["name"], PHONE: answers["phone"]}, found_by={NAME: "", PHONE: ""})
    queue_appointment(row)
