"""Writes of facilities: their kinds, their facts, their status, their capacity. Each checks the scope and leaves history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import pghistory
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.imports.actions import clear_correction, correct_row
from geo.imports.models import CURRENT
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.queries import check_city_duty, check_duty
from services.facilities.hours import check_hours
from services.facilities.kinds import kind_of
from services.facilities.kinds.current import look_again
from services.facilities.kinds.declared import DECLARED
from services.facilities.models import (
    CapacityReport,
    CitySettings,
    Facility,
    FacilityKind,
    FacilityStatus,
    StatusChange,
)
from services.facilities.naming import facility_grams
from services.facilities.navigation import NAVIGATION_APPS, first_navigation_app
from services.facilities.vacancies import REPORTED_BY

EDITABLE: Final = ("name", "address_text", "phone", "attributes", "hours")
LONGEST_TEXT: Final = {"name": 120, "address_text": 300, "phone": 60}
CLOCK_SLACK: Final = dt.timedelta(minutes=5)
"""A report may come from a clock that is a little ahead of ours."""
MOST_PLACES: Final = 100_000
EDITION_KEY: Final = "facilities:edition"


@transaction.atomic
def declare_kinds() -> None:
    """Write the declared kinds to the database, or bring them up to date; what staff reworded, ordered or added stays."""
    held = {row.key: row for row in FacilityKind.objects.select_for_update().order_by("key")}
    for order, kind in enumerate(DECLARED):
        row = held.get(kind.key) or FacilityKind(key=kind.key)
        facts: dict[str, Any] = {"group": kind.group, "attributes": kind.attributes_as_data()}
        if not row.changed_by:
            facts |= {"name": kind.name, "icon": kind.icon, "order": order}
        if row._state.adding or any(getattr(row, field) != value for field, value in facts.items()):
            for field, value in facts.items():
                setattr(row, field, value)
            row.revision, row.changed_at = row.revision + 1, timezone.now()
            row.save()
    look_again()


@transaction.atomic
def update_facility(*, facility_id: int, changes: Mapping[str, Any], scope: Scope, reason: str = "") -> Facility:
    """Change what a facility says of itself, and return it. Needs ``facilities.edit`` over its region or organisation.

    ``changes`` may hold name, address_text, phone, attributes (those given are changed, ``None`` removes one) and hours (all
    seven days). What is changed is kept as a correction, so that no import of the source takes it back. The point of a
    facility is not changed here: it comes from its source. Raises ``BadInput``, ``Forbidden``, ``NotFound``.
    """
    facility = _lock(facility_id, "facilities.edit", scope)
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise BadInput("field_unknown", f"不能修改：{'、'.join(unknown)}。", fields=unknown)
    before = _said(facility)
    for field in ("name", "address_text", "phone"):
        if field in changes:
            setattr(facility, field, _text(facility, field, changes[field]))
    if "attributes" in changes:
        facility.attributes = _attributes(facility, changes["attributes"])
    if "hours" in changes:
        facility.hours = check_hours(changes["hours"])
        facility.hours_as_of = timezone.localdate()
    _save_edit(facility, scope)
    _keep_corrections(facility, before, reason or "工作人员修改", scope)
    return facility


@transaction.atomic
def clear_edit(*, facility_id: int, field: str, scope: Scope) -> Facility:
    """Take back every edit of one field and return the facility with what its source said; imports fill the field again.

    ``field`` is name, address_text, phone, hours, status or ``attributes.<key>``. Needs ``facilities.edit``. Raises
    ``NotFound`` when the field was not edited.
    """
    facility = _lock(facility_id, "facilities.edit", scope)
    cleared = clear_correction(source=facility.source, ext_id=facility.ext_id, field=field, actor=scope.actor)
    value, (name, _, key) = cleared.old_value, field.partition(".")
    if key:
        kept = {other: said for other, said in facility.attributes.items() if other != key}
        facility.attributes = kept if value is None else {**kept, key: value}
    else:
        setattr(facility, name, value)
    if field == "hours":
        facility.hours_as_of = None  # the next import says it again
    if field == "status":
        _note_status(facility, timezone.localdate(), "撤销人工更正", scope)
    _save_edit(facility, scope)
    return facility


@transaction.atomic
def change_status(
    *, facility_id: int, status: str, scope: Scope, reason: str = "", effective_on: dt.date | None = None
) -> StatusChange:
    """Change whether a facility is open, and return the change. Needs ``facilities.edit``; never effective in the future.

    The status is kept as a correction too: what the source says of it counts again after ``clear_edit``.
    """
    facility = _lock(facility_id, "facilities.edit", scope)
    if status not in FacilityStatus.values:
        raise BadInput(
            "status_unknown", f"状态只能是：{'、'.join(FacilityStatus.values)}。", known=FacilityStatus.values
        )
    if facility.status == status:
        raise Conflict("status_same", f"这家机构已经是“{FacilityStatus(status).label}”。", status=status)
    today = timezone.localdate()
    day = effective_on or today
    if day > today:
        raise BadInput("status_future", "生效日期不能晚于今天，请到那天再改。", effective_on=day.isoformat())
    before = _said(facility)
    facility.status = status
    facility.as_of = today
    change = _note_status(facility, day, reason.strip(), scope)
    _save(facility, scope)
    _keep_corrections(facility, before, reason.strip() or "状态变更", scope)
    return change


@transaction.atomic
def report_capacity(
    *,
    facility_id: int,
    scope: Scope,
    places: int | None = None,
    vacancies: int | None = None,
    as_of: dt.datetime | None = None,
    reported_by: str = "institution",
) -> CapacityReport:
    """Record places and vacancies as of a moment, and return the report; the newest moment wins on the facility itself.

    Needs ``facilities.report`` or ``facilities.edit`` over the facility. ``None`` says that a figure is not known. Raises
    ``BadInput`` for impossible figures and for a moment in the future.
    """
    facility = _lock(facility_id, _reporting_duty(scope), scope)
    if reported_by not in REPORTED_BY:
        raise BadInput("reporter_unknown", f"填报方式只能是：{'、'.join(REPORTED_BY)}。", known=list(REPORTED_BY))
    moment = as_of or timezone.now()
    if timezone.is_naive(moment) or moment > timezone.now() + CLOCK_SLACK:
        raise BadInput("as_of_invalid", "填报时间要带时区，且不能晚于现在。", parameter="as_of")
    _check_figures(places, vacancies, facility.places)
    report = CapacityReport.objects.create(
        facility=facility,
        places=places,
        vacancies=vacancies,
        as_of=moment,
        reported_by=reported_by,
        actor=scope.actor,
    )
    if facility.vacancies_as_of is None or moment >= facility.vacancies_as_of:
        facility.places = facility.places if places is None else places
        facility.vacancies, facility.vacancies_as_of, facility.vacancies_source = vacancies, moment, reported_by
        _save(facility, scope)
    return report


@transaction.atomic
def confirm_hours(*, facility_id: int, scope: Scope) -> Facility:
    """Say that the hours of a facility hold as they stand, as of today, and return it.

    Needs ``facilities.report`` or ``facilities.edit`` over the facility. Raises ``BadInput`` where no hours are known.
    """
    facility = _lock(facility_id, _reporting_duty(scope), scope)
    if not facility.hours:
        raise BadInput("hours_unknown", "还没有登记开放时间，请先填写。", field="hours")
    facility.hours_as_of = timezone.localdate()
    _save(facility, scope)
    return facility


@transaction.atomic
def take_back_confirmation(
    *, facility_id: int, report_id: int | None, before: Mapping[str, Any], scope: Scope
) -> Facility:
    """Undo a confirmation that was a slip: the facility says what it said ``before``, and the report of its capacity goes.

    ``before`` holds places, vacancies, when and by whom, and the day of the hours. What was said in between stays in the history
    of the facility. Needs the duty of reporting.
    """
    facility = _lock(facility_id, _reporting_duty(scope), scope)
    for field in ("places", "vacancies", "vacancies_as_of", "vacancies_source", "hours_as_of"):
        setattr(facility, field, before[field])
    _save(facility, scope)
    if report_id is not None:
        CapacityReport.objects.filter(pk=report_id, facility=facility).delete()
    return facility


@transaction.atomic
def choose_navigation_app(*, app: str, scope: Scope) -> CitySettings:
    """Set which map app a family is offered first, for the whole city and at once; return the settings.

    Needs ``settings.write`` over the city. Choosing what is set already changes nothing. Raises ``BadInput``, ``Forbidden``.
    """
    check_city_duty(scope, "settings.write")
    if app not in NAVIGATION_APPS:
        raise BadInput(
            "app_unknown", f"可选的导航应用：{'、'.join(NAVIGATION_APPS.values())}。", known=list(NAVIGATION_APPS)
        )
    now = timezone.now()
    # The first choice takes the place of what the environment said: a row of that stands before it, set by nobody.
    usual = {"navigation_app": first_navigation_app(scope=scope), "changed_by": "", "changed_at": now}
    row, _ = CitySettings.objects.select_for_update().get_or_create(city=current_city().key, defaults=usual)
    if row.navigation_app != app or not row.changed_by:
        row.navigation_app, row.changed_by, row.changed_at = app, scope.actor, now
        with pghistory.context(actor=scope.actor):
            row.save()
    return row


def bump_edition() -> None:
    """Let answers kept from before be forgotten, once the surrounding transaction has committed."""
    transaction.on_commit(lambda: cache.set(edition_key(), timezone.now().isoformat(), timeout=None))


def edition_key() -> str:
    """Return where the moment of the last change is kept; each database has its own."""
    return f"{EDITION_KEY}:{connection.settings_dict['NAME']}"


def _lock(facility_id: int, duty: str, scope: Scope) -> Facility:
    check_duty(scope, duty)
    facility = Facility.objects.select_for_update().filter(CURRENT, pk=facility_id).first()
    if facility is None:
        raise NotFound("facility_unknown", "没有找到这家机构，它可能已经撤销或换了编号。")
    if not covers(scope, facility):
        raise Forbidden("facility_outside_scope", "这家机构不在您的管辖范围内。需要的话可向上级管理员申请。")
    return facility


def covers(scope: Scope, facility: Facility) -> bool:
    """Say whether a facility lies under a scope, or belongs to one of its organisations."""
    if "" in scope.paths or facility.organisation_id in scope.organisations:
        return True
    paths = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region=facility.region_id)
    return any(scope.covers_path(path) for path in paths.values_list("path", flat=True))


def _save(facility: Facility, scope: Scope) -> None:
    with pghistory.context(actor=scope.actor):
        facility.save()
    bump_edition()


def _save_edit(facility: Facility, scope: Scope) -> None:
    facility.grams = facility_grams(facility.name, facility.address_text)
    facility.as_of = timezone.localdate()
    _save(facility, scope)


def _said(facility: Facility) -> dict[str, Any]:
    """Return what a person may correct, by the field's name in a correction; attributes one by one."""
    plain = {name: getattr(facility, name) for name in ("name", "address_text", "phone", "hours", "status")}
    return plain | {f"attributes.{key}": value for key, value in facility.attributes.items()}


def _keep_corrections(facility: Facility, before: Mapping[str, Any], reason: str, scope: Scope) -> None:
    """Keep every field that is other than before as a correction of the facility's source."""
    now = _said(facility)
    for field in sorted(before.keys() | now.keys()):
        old, new = before.get(field), now.get(field)
        if old != new:
            correct_row(
                source=facility.source,
                ext_id=facility.ext_id,
                field=field,
                old_value=old,
                new_value=new,
                reason=reason[:300],
                actor=scope.actor,
            )


def _note_status(facility: Facility, day: dt.date, reason: str, scope: Scope) -> StatusChange:
    return StatusChange.objects.create(
        facility=facility, status=facility.status, effective_on=day, reason=reason[:200], actor=scope.actor
    )


def _text(facility: Facility, field: str, value: Any) -> str:
    limit = LONGEST_TEXT[field]
    text = str(value or "").strip()
    if len(text) > limit or (field == "name" and not text):
        raise BadInput(
            "text_invalid", f"{'名称不能为空，且' if field == 'name' else ''}最多 {limit} 个字。", field=field
        )
    return text


def _attributes(facility: Facility, changes: Any) -> dict[str, Any]:
    if not isinstance(changes, Mapping):
        raise BadInput("attributes_invalid", "属性要按名称逐项填写。")
    kind = kind_of(facility.kind_id)
    merged = dict(facility.attributes)
    for key, value in changes.items():
        attribute = kind.attribute(str(key))
        if attribute is None:
            known = [declared.key for declared in kind.attributes]
            raise BadInput(
                "attribute_unknown", f"“{kind.name}”没有“{str(key)[:40]}”这一项。", attribute=key, known=known
            )
        if value is None:
            merged.pop(key, None)
        elif not attribute.accepts(value):
            raise BadInput("attribute_invalid", f"“{attribute.label}”填得不对，请核对。", attribute=key)
        else:
            merged[key] = value
    first, last = merged.get("age_from_months"), merged.get("age_to_months")
    if first is not None and last is not None and first > last:
        raise BadInput("attribute_invalid", "收托月龄的起点大于终点，请核对。", attribute="age_from_months")
    return merged


def _reporting_duty(scope: Scope) -> str:
    return "facilities.report" if scope.holds("facilities.report") else "facilities.edit"


def _check_figures(places: int | None, vacancies: int | None, known_places: int | None) -> None:
    for label, figure in (("名额", places), ("余位", vacancies)):
        if figure is not None and not 0 <= figure <= MOST_PLACES:
            raise BadInput("capacity_invalid", f"{label}要在 0 到 {MOST_PLACES} 之间。")
    limit = places if places is not None else known_places
    if vacancies is not None and limit is not None and vacancies > limit:
        raise BadInput(
            "capacity_invalid", f"余位 {vacancies} 多于名额 {limit}，请核对。", places=limit, vacancies=vacancies
        )
