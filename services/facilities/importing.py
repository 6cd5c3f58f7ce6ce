"""Importing facilities of every kind, with their attributes, hours, capacity and the history of both."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.db import connection

from geo.addresses.importing import LocatedImporter, located
from geo.errors import BadInput
from geo.imports.importer import Act, Counts, follows, importer
from geo.imports.models import DraftRow, Family
from geo.imports.rows import Draft, RawRow
from services.facilities.actions import bump_edition, declare_kinds
from services.facilities.hours import check_hours
from services.facilities.kinds import Attribute, kind_of, known_kind
from services.facilities.models import CapacityReport, Facility, FacilityStatus, StatusChange
from services.facilities.naming import facility_grams
from services.facilities.roadside import tell_roads
from services.facilities.upkeep.snapshots import MERGED, RETIRED

ATTRIBUTE: Final = "attributes."
SAME_PLACE_M: Final = 250.0
"""Two sources that name a facility of one kind alike, this close together, speak of the same one."""
_NEWER: Final = "coalesce(excluded.vacancies_as_of >= t.vacancies_as_of, t.vacancies_as_of IS NULL)"
_CAPACITY: Final = ("places", "vacancies", "vacancies_as_of", "vacancies_source")


@importer
class FacilityImporter(LocatedImporter):
    """Facilities: a declaration fills ``kind``, ``name`` and, as ``attributes.<key>``, what the kind may say."""

    family = Family.FACILITIES
    model = Facility
    fields = (
        *("kind", "name", "address_text", "phone", "status", "attributes", "hours", "hours_as_of"),
        *_CAPACITY,
        *("as_of", "point_source", "uncertainty_m", "grams"),
    )
    derived = ("grams",)
    leaving = (MERGED, RETIRED)
    owns: ClassVar = (StatusChange, CapacityReport, Facility.pgh_event_model)  # type: ignore[attr-defined]
    kept: ClassVar = {
        # an institution may have reported since: the newest figure stands
        name: f"CASE WHEN {_NEWER} THEN excluded.{name} ELSE t.{name} END"
        for name in _CAPACITY
    }

    def normalise(self, row: RawRow) -> Draft:
        """See ``FamilyImporter.normalise``."""
        kind = row.text("kind", limit=40, required=True)
        if known_kind(kind) is None:
            raise row.refuse("unknown_kind", "kind", kind)
        hours_as_of, as_of = row.date("hours_as_of"), row.date("as_of")
        payload = {
            "kind": kind,
            "name": row.text("name", limit=120, required=True),
            "address_text": row.text("address_text"),
            "phone": row.text("phone", limit=60),
            "status": row.choice("status", FacilityStatus.values, default=FacilityStatus.OPEN),
            "attributes": _attributes(row, kind),
            "hours": _hours(row),
            "hours_as_of": hours_as_of and hours_as_of.isoformat(),
            "as_of": as_of and as_of.isoformat(),
            **_capacity(row),
            **located(row),
        }
        return Draft(payload, row.point())

    def derive(self, payload: dict[str, Any]) -> dict[str, Any]:
        """See ``FamilyImporter.derive``."""
        return {**payload, "grams": facility_grams(payload["name"], payload["address_text"])}

    def corrected(self, payload: dict[str, Any], days: Mapping[str, datetime.date]) -> dict[str, Any]:
        """See ``FamilyImporter.corrected``: whoever corrected a field looked at the facility that day."""
        said = datetime.date.fromisoformat(payload["as_of"]) if payload.get("as_of") else datetime.date.min
        payload = {**payload, "as_of": max(said, *days.values()).isoformat()}
        if "hours" in days:
            payload["hours_as_of"] = days["hours"].isoformat()
        return payload

    def prepare(self, act: Act) -> None:
        """Find points and regions, then leave out what another source has brought already."""
        super().prepare(act)
        act.refuse(_known_elsewhere(act), "same_as_other", "name")

    def publish(self, act: Act) -> Counts:
        """See ``FamilyImporter.publish``; a changed status and a new capacity also enter the history."""
        declare_kinds()
        _record_status(act)
        counts = super().publish(act)
        _record_capacity(act)
        # at once: the next source may be located along these roads
        tell_roads(source_id=act.source.pk)
        return counts

    def kinds(self, payload: Any) -> str:
        """See ``FamilyImporter.kinds``."""
        return kind_of(payload["kind"]).name


@follows(*Family)
def forget_answers(families: frozenset[str]) -> None:
    """Let every process know that answers kept about facilities are old."""
    bump_edition()


def _attributes(row: RawRow, kind: str) -> dict[str, Any]:
    given = {name.removeprefix(ATTRIBUTE): name for name in row.fields if name.startswith(ATTRIBUTE)}
    found = {key: _attribute(row, name, kind_of(kind).attribute(key)) for key, name in given.items()}
    low, high = found.get("fee_from_yuan"), found.get("fee_to_yuan")
    if low is not None and high is not None and low > high:
        row.warn("value_ignored")
        found["fee_from_yuan"] = found["fee_to_yuan"] = None
    return {key: value for key, value in found.items() if value is not None}


def _attribute(row: RawRow, name: str, attribute: Attribute | None) -> Any:
    if row.value(name) is None or attribute is None:
        return None
    value: Any
    match attribute.type:
        case "boolean":
            value = row.flag(name)
        case "integer":
            value = row.integer(name)
        case "number":
            value = row.number_of(name, least=0)
        case "choice":
            words = {label: key for key, label in attribute.choices}
            value = words.get(row.text(name), row.text(name))
        case "text" | "day":
            value = row.text(name, limit=200)
    if attribute.accepts(value):
        return value
    row.warn("value_ignored")
    return None


def _hours(row: RawRow) -> dict[str, list[list[str]]]:
    value = row.value("hours")
    try:
        return check_hours(value) if value else {}
    except BadInput as fault:
        raise row.refuse("bad_hours", "hours", fault.message[:100]) from fault


def _capacity(row: RawRow) -> dict[str, Any]:
    places, vacancies = row.integer("places", most=100_000), row.integer("vacancies", most=100_000)
    if places is not None and vacancies is not None and vacancies > places:
        raise row.refuse("capacity_contradiction", "vacancies", f"{vacancies} > {places}")
    as_of = row.text("vacancies_as_of", limit=40)
    return {
        "places": places,
        "vacancies": vacancies,
        "vacancies_as_of": _moment(row, as_of) if vacancies is not None else None,
        "vacancies_source": "import" if vacancies is not None else "",
    }


def _moment(row: RawRow, text: str) -> str:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as fault:
        raise row.refuse("not_a_date", "vacancies_as_of", text) from fault
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
    return moment.isoformat()


def _known_elsewhere(act: Act) -> list[DraftRow]:
    """Return drafts whose name, kind and place are those of a current facility of another source of the same provenance."""
    return list(
        DraftRow.objects.raw(
            """SELECT d.* FROM imports_draftrow d WHERE d.run_id = %s AND EXISTS (
                SELECT 1 FROM facilities_facility f JOIN imports_source s ON s.id = f.source_id
                WHERE f.kind_id = d.payload->>'kind' AND f.name = d.payload->>'name' AND f.retired_at IS NULL
                AND f.source_id <> %s AND s.provenance = %s
                AND ST_DWithin(f.geom::geography, d.geom::geography, %s))""",
            [act.run.pk, act.source.pk, act.source.provenance, SAME_PLACE_M],
        )
    )


def _record_status(act: Act) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO facilities_statuschange (facility_id, status, effective_on, reason, actor, recorded_at)
               SELECT f.id, d.payload->>'status', coalesce((d.payload->>'as_of')::date, %s), %s, %s, now()
               FROM imports_draftrow d JOIN facilities_facility f ON f.source_id = %s AND f.ext_id = d.ext_id
               WHERE d.run_id = %s AND f.status <> d.payload->>'status'""",
            [act.at.date(), f"导入 {act.source.title}"[:200], act.run.actor, act.source.pk, act.run.pk],
        )


def _record_capacity(act: Act) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO facilities_capacityreport (facility_id, places, vacancies, as_of, reported_by, actor)
               SELECT f.id, f.places, f.vacancies, f.vacancies_as_of, f.vacancies_source, %s
               FROM imports_draftrow d JOIN facilities_facility f ON f.source_id = %s AND f.ext_id = d.ext_id
               WHERE d.run_id = %s AND f.vacancies_as_of = (d.payload->>'vacancies_as_of')::timestamptz
               AND NOT EXISTS (SELECT 1 FROM facilities_capacityreport r
                               WHERE r.facility_id = f.id AND r.as_of = f.vacancies_as_of)""",
            [act.run.actor, act.source.pk, act.run.pk],
        )
