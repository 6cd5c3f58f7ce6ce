"""What a self-report makes of a place: really, when staff approve it, or as a rehearsal that leaves nothing behind."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from geo.answering import each_time
from geo.errors import BadInput
from geo.regions.models import EditionState, RegionVersion
from geo.scope import Scope
from services.facilities.actions import confirm_hours, report_capacity
from services.facilities.known import Known, known_of
from services.facilities.models import Facility
from services.facilities.queries import Detail, facility_detail
from services.facilities.upkeep.actions import add_facility, edit_facility
from services.facilities.upkeep.position import Stated, look_at
from services.facilities.upkeep.recording import version_of
from services.modules.selfreport.models import SelfReport
from services.modules.selfreport.sheet import FIGURES, HOURS, POSITION, read_answers, said_by

REASON: Final = "机构自主填报"


class Unfinished(BadInput):
    """A form that cannot be handed in as it is; ``faults`` are words by the key of an item."""

    def __init__(self, faults: dict[str, str]) -> None:
        more = f"（共 {len(faults)} 处）" if len(faults) > 1 else ""
        super().__init__("form_unfinished", f"{next(iter(faults.values()))}{more}")
        self.faults = faults


def filled(report: SelfReport) -> dict[str, str]:
    """Return what the form of a report holds: what the place said, and over it what was typed."""
    return {**report.base, **report.answers}


def apply_report(report: SelfReport, *, scope: Scope, why: str = "") -> Facility:
    """Let a place say what a report says of it, or add the new one, and return it.

    Only what the institution changed is changed; vacancies and hours count as confirmed when it was handed in. Written through
    the actions of upkeep: imports do not take it back, and staff may undo it. Raises ``Unfinished``, and what those raise.
    """
    values, faults = read_answers(report.kind, filled(report))
    if faults:
        raise Unfinished(faults)
    key = uuid5(report.uid, f"{report.issue}:{report.version}")
    write = _add if report.facility_id is None else _edit
    facility = write(report, values, key, scope, why)
    if values.get("vacancies") is not None:
        places = values.get("places")
        at = report.submitted_at or timezone.now()
        report_capacity(facility_id=facility.pk, places=places, vacancies=values["vacancies"], as_of=at, scope=scope)
    if values["hours"]:
        confirm_hours(facility_id=facility.pk, scope=scope)
    facility.refresh_from_db()
    return facility


def _edit(report: SelfReport, values: dict[str, Any], key: UUID, scope: Scope, why: str) -> Facility:
    assert report.facility_id is not None
    facility = Facility.objects.get(pk=report.facility_id)
    now = said_by(facility)
    touched = [item for item, text in report.answers.items() if text != now.get(item, "") and item not in FIGURES]
    changes = {_entry(item): values[_entry(item)] for item in touched}
    if changes.get(POSITION) is None:
        changes.pop(POSITION, None)  # a mark that was taken away says nothing
    if "address_text" in changes and POSITION not in changes:
        spot = look_at(Stated(address=changes["address_text"], facility_id=facility.pk), scope=scope)
        if spot.door is not None:
            changes[POSITION] = (spot.lon, spot.lat)
    if changes:
        edit_facility(
            facility_id=facility.pk,
            changes=changes,
            key=key,
            version=version_of(facility),
            scope=scope,
            reason=REASON,
            why=why,
        )
    return facility


def _add(report: SelfReport, values: dict[str, Any], key: UUID, scope: Scope, why: str) -> Facility:
    said = {name: value for name, value in values.items() if name not in FIGURES and value is not None}
    said |= {"kind_id": report.kind}
    spot = look_at(Stated(address=said["address_text"], kind=report.kind, name=said["name"]), scope=scope)
    if spot.door is None and POSITION not in said:
        # nobody knows the door: it stands in the middle of the street that staff chose until somebody moves it
        said[POSITION] = middle_of_street(report)
    change = add_facility(values=said, key=key, scope=scope, reason=REASON, why=why)
    return Facility.objects.get(pk=change.facilities[0])


def middle_of_street(report: SelfReport) -> tuple[float, float]:
    """Return the middle of the street that a report is about, longitude and latitude."""
    label = RegionVersion.objects.get(edition__state=EditionState.PUBLISHED, region=report.region_id).label
    return round(label.x, 7), round(label.y, 7)


def _entry(item: str) -> str:
    """Return the entry of a place that an item belongs to: hours are one entry."""
    return "hours" if item.startswith(HOURS) else item


def door_unknown(report: SelfReport) -> bool:
    """Say whether a new place would stand in the middle of its street, because nobody knows the door it wrote."""
    said = filled(report)
    if report.facility_id is not None or said.get(POSITION):
        return False
    ours = Scope.system("the preview of a self-report")
    return look_at(Stated(address=said.get("address_text", ""), kind=report.kind), scope=ours).door is None


def rehearse(report: SelfReport) -> tuple[Detail, list[Known]]:
    """Return the place as everybody would see it if the report were approved now; nothing of it is kept.

    Raises what approving would raise, less what staff may let stand with a reason.
    """
    ours = Scope.system("a rehearsal of a self-report, taken back at once")
    with each_time(), transaction.atomic():
        facility = apply_report(report, scope=ours, why="预览")
        detail = facility_detail(facility.pk, scope=ours)
        facts = known_of(detail)
        transaction.set_rollback(True)
    return detail, facts
