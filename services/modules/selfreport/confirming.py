"""Writes of confirmations: an institution says that its place stands as it is, corrects its figures, or takes a slip back."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.scope import Scope
from services.facilities.actions import confirm_hours, report_capacity, take_back_confirmation
from services.facilities.models import Facility
from services.modules.selfreport.models import Confirmation
from services.modules.selfreport.unconfirmed import REPORTING, own_places

UNDO_WITHIN: Final = dt.timedelta(minutes=1)
_MOMENT: Final = "vacancies_as_of"
_DAY: Final = "hours_as_of"
_FIGURES: Final = ("places", "vacancies", _MOMENT, "vacancies_source", _DAY)


def seen_of(facility: Facility) -> str:
    """Return a digest of all that a confirmation speaks of: whoever confirms names what was shown."""
    said = [_standing(facility), facility.hours]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def reports_capacity(facility: Facility) -> bool:
    """Say whether a place is one that has vacancies to report."""
    return facility.kind.group in REPORTING


@transaction.atomic
def confirm_place(
    *, facility_id: int, seen: str, mark: UUID, scope: Scope, figures: tuple[int | None, int | None] | None = None
) -> Confirmation:
    """Say that a place of the caller's own stands as it was ``seen``, or with other ``figures`` (places, vacancies); return it.

    Vacancies and hours then hold as of now. The same ``mark`` again changes nothing. Needs ``facilities.report``. Raises
    ``NotFound``, ``BadInput`` where there is nothing to confirm, and ``Conflict`` when the place changed since it was seen.
    """
    facility = _own(facility_id, scope)
    if (known := Confirmation.objects.filter(mark=mark).first()) is not None:
        return _known(known, facility)
    if seen != seen_of(facility):
        raise Conflict("place_changed", f"“{facility.name}”刚才有人改过或确认过。请看一下现在的内容，再确认一次。")
    before, report = _standing(facility), None
    if reports_capacity(facility):
        places, vacancies = figures or (facility.places, facility.vacancies)
        if vacancies is None:
            raise BadInput("vacancies_empty", "请填写余位；没有余位填 0。", field="vacancies")
        report = report_capacity(facility_id=facility.pk, places=places, vacancies=vacancies, scope=scope)
    if facility.hours:
        confirm_hours(facility_id=facility.pk, scope=scope)
    elif report is None:
        raise BadInput("nothing_to_confirm", "这家还没有登记余位和开放时间，没有可以确认的。请联系所在街镇补录。")
    facility.refresh_from_db()
    return Confirmation.objects.create(
        mark=mark,
        facility=facility,
        region_id=facility.region_id,
        organisation_id=facility.organisation_id,
        report=report,
        before=before,
        after=_standing(facility),
        actor=scope.actor,
    )


@transaction.atomic
def undo_confirmation(*, mark: UUID, scope: Scope, now: dt.datetime | None = None) -> Confirmation:
    """Take a confirmation of the caller's own institution back within a minute, and return it; twice changes nothing.

    Raises ``NotFound``, and ``Conflict`` when the minute is over or the place was changed since.
    """
    row = Confirmation.objects.filter(mark=mark).first()
    if row is None:
        raise NotFound("confirmation_unknown", "没有找到这次确认，请刷新页面再看。")
    facility = _own(row.facility_id, scope)
    row.refresh_from_db()
    if row.undone_at is not None:
        return row
    moment = now or timezone.now()
    if moment - row.confirmed_at > UNDO_WITHIN:
        raise Conflict("undo_late", "已经过了一分钟，不能撤销了。内容不对的话，点“改数字”再确认一次。")
    if _standing(facility) != row.after:
        raise Conflict("place_changed", "确认以后又有人改过，不能撤销。请看一下现在的内容，再确认一次。")
    take_back_confirmation(facility_id=facility.pk, report_id=row.report_id, before=_read(row.before), scope=scope)
    row.undone_at, row.report = moment, None
    row.save(update_fields=["undone_at", "report"])
    return row


def undoable(facility: Facility, now: dt.datetime) -> Confirmation | None:
    """Return the confirmation of a place that can still be taken back."""
    row = Confirmation.objects.filter(facility=facility, confirmed_at__gt=now - UNDO_WITHIN).first()
    return row if row is not None and row.undone_at is None and row.after == _standing(facility) else None


def _own(facility_id: int, scope: Scope) -> Facility:
    found = own_places(scope).filter(pk=facility_id).select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound("place_not_own", "这家机构不在您的账号名下。请从“我的机构”里选。")
    return found


def _known(known: Confirmation, facility: Facility) -> Confirmation:
    if known.facility_id != facility.pk:
        raise Conflict("mark_used", "这一页已经用过了，请刷新页面再确认。")
    return known


def _standing(facility: Facility) -> dict[str, Any]:
    """Return the figures of a facility as JSON keeps them."""
    said = {field: getattr(facility, field) for field in _FIGURES}
    return said | {field: said[field].isoformat() if said[field] else None for field in (_MOMENT, _DAY)}


def _read(kept: dict[str, Any]) -> dict[str, Any]:
    moment, day = kept[_MOMENT], kept[_DAY]
    return kept | {
        _MOMENT: dt.datetime.fromisoformat(moment) if moment else None,
        _DAY: dt.date.fromisoformat(day) if day else None,
    }
