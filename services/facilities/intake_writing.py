"""Writing facilities from a spreadsheet: new ones into the desk's own source, changes as corrections of their sources.

What people say of facilities of other sources is kept exactly as an edit at the desk is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
import pghistory
from django.contrib.gis.geos import Point
from django.db import connection
from django.utils import timezone

from geo.addresses.models import PointSource
from geo.crs.codes import CGCS2000
from geo.grids import cells_at
from geo.imports.actions import declare_source
from geo.imports.models import Correction, Family, Provenance, Source
from geo.imports.queries import published_sources
from geo.imports.sheets import Fate, SheetRow, WrittenRow
from geo.imports.spec import SourceSpec
from geo.scope import Scope
from services.facilities.actions import bump_edition
from services.facilities.intake import ATTRIBUTE, capacity_of, changes_of, day_of, moment_of
from services.facilities.models import Facility, FacilityStatus, StatusChange
from services.facilities.naming import facility_grams
from services.facilities.roadside import NAMING, tell_roads

DESK_SOURCE: Final = "desk-facilities"
_COPIED: Final = (
    *("id", "source_id", "ext_id", "kind_id", "name", "address_text", "phone", "status", "places", "vacancies"),
    *("vacancies_as_of", "vacancies_source", "as_of", "point_source", "uncertainty_m", "region_id", "cell", "grams"),
)
_COLUMNS: Final = (*_COPIED, "geom", "attributes")
_NAMING_A_ROW: Final = ("id", "source_id", "ext_id", "kind_id")
_CHANGES: Final = f"""CREATE TEMP TABLE IF NOT EXISTS facility_changes ON COMMIT DROP
    AS SELECT {", ".join(_COLUMNS)} FROM facilities_facility WITH NO DATA"""
_APPLY: Final = f"""UPDATE facilities_facility f
    SET {", ".join(f"{name} = c.{name}" for name in _COLUMNS if name not in _NAMING_A_ROW)},
    updated_at = clock_timestamp()
    FROM facility_changes c WHERE c.id = f.id"""


def save_sheet_rows(rows: Sequence[SheetRow], *, scope: Scope, mark: str, reason: str) -> list[WrittenRow]:
    """See ``geo.imports.sheets.Saves``: new facilities belong to the desk's own source, changes are kept as corrections."""
    if not rows:
        return []
    new = [row for row in rows if row.fate is Fate.ADDED]
    changed = [row for row in rows if row.fate is Fate.CHANGED]
    with pghistory.context(actor=scope.actor):
        written = _add(new, scope, mark) + _change(changed, scope, reason)
    bump_edition()
    same = [WrittenRow(row.number, row.target or 0, Fate.UNCHANGED) for row in rows if row.fate is Fate.UNCHANGED]
    return written + same


def _add(rows: Sequence[SheetRow], scope: Scope, mark: str) -> list[WrittenRow]:
    """Write new facilities to the desk's own source. Their ids hold the import and the row: none can be there twice."""
    if not rows:
        return []
    source = desk_source()
    cells = cells_at([row.found["lon"] for row in rows], [row.found["lat"] for row in rows])
    made = [_made(row, int(cell), source, mark) for row, cell in zip(rows, cells, strict=True)]
    _copy(made)
    _report([(row, facility) for row, facility in zip(rows, made, strict=True) if "vacancies" in row.values], scope)
    if any(row.values["kind_id"] in NAMING for row in rows):
        tell_roads(source_id=source.pk)
    return [WrittenRow(row.number, facility.pk, Fate.ADDED) for row, facility in zip(rows, made, strict=True)]


def _copy(made: Sequence[Facility]) -> None:
    """Give new facilities their keys and copy them into the database, several times faster than inserting them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('facilities_facility', 'id')) FROM generate_series(1, %s)",
            [len(made)],
        )
        for facility, (pk,) in zip(made, cursor.fetchall(), strict=True):
            facility.pk = pk
        now = timezone.now()
        with cursor.copy(f"COPY facilities_facility ({', '.join(_COLUMNS)}, hours, updated_at) FROM STDIN") as copy:
            for facility in made:
                copy.write_row((*_record(facility), "{}", now))


def _update(changed: Iterable[Facility]) -> None:
    """Bring facilities to what they say now, all of them with one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES)
        cursor.execute("TRUNCATE facility_changes")
        with cursor.copy(f"COPY facility_changes ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
            for facility in changed:
                copy.write_row(_record(facility))
        cursor.execute(_APPLY)


def _record(facility: Facility) -> tuple[Any, ...]:
    """Return what ``_COLUMNS`` hold of a facility."""
    said = (getattr(facility, name) for name in _COPIED)
    return (*said, facility.geom.hexewkb.decode(), orjson.dumps(facility.attributes).decode())


def _made(row: SheetRow, cell: int, source: Source, mark: str) -> Facility:
    values, found = row.values, row.found
    address = values.get("address_text", "")
    known = "vacancies" in values
    return Facility(
        source=source,
        ext_id=f"{mark}/{row.number}",
        kind_id=values["kind_id"],
        name=values["name"],
        address_text=address,
        phone=values.get("phone", ""),
        status=values.get("status", FacilityStatus.OPEN.value),
        attributes={key.removeprefix(ATTRIBUTE): value for key, value in values.items() if key.startswith(ATTRIBUTE)},
        places=values.get("places"),
        vacancies=values.get("vacancies"),
        vacancies_as_of=moment_of(row) if known else None,
        vacancies_source="import" if known else "",
        as_of=day_of(row),
        geom=Point(found["lon"], found["lat"], srid=CGCS2000),
        point_source=found.get("point_source", PointSource.SOURCE.value),
        uncertainty_m=found.get("uncertainty_m", 20.0),
        region_id=found["region"],
        cell=cell,
        grams=facility_grams(values["name"], address),
    )


def _change(rows: Sequence[SheetRow], scope: Scope, reason: str) -> list[WrittenRow]:
    """Change facilities under a lock, keep each change as a correction of its source, and tell status and capacity apart."""
    if not rows:
        return []
    by_id = {
        facility.pk: facility
        for facility in Facility.objects.select_for_update(of=("self",))
        .filter(pk__in=[row.target for row in rows])
        .order_by("pk")
    }
    corrections: list[Correction] = []
    statuses: list[StatusChange] = []
    reports: list[tuple[SheetRow, Facility]] = []
    for row in rows:
        facility = by_id[row.target or 0]
        changes, capacity = changes_of(row, facility), capacity_of(row, facility)
        for field, (old, new) in sorted(changes.items()):
            _put(facility, field, new, row)
            corrections.append(
                Correction(
                    source_id=facility.source_id, ext_id=facility.ext_id, field=field, old_value=old, new_value=new,
                    reason=reason, actor=scope.actor,
                )
            )  # fmt: skip
        if "status" in changes:
            statuses.append(
                StatusChange(
                    facility=facility,
                    status=facility.status,
                    effective_on=day_of(row),
                    reason=reason,
                    actor=scope.actor,
                )
            )
        if capacity:
            facility.places, facility.vacancies = capacity
            facility.vacancies_as_of, facility.vacancies_source = moment_of(row), "import"
            reports.append((row, facility))
        facility.as_of = max(facility.as_of or dt.date.min, day_of(row))
        if {"name", "address_text"} & changes.keys():
            facility.grams = facility_grams(facility.name, facility.address_text)
    _update(by_id.values())
    Correction.objects.bulk_create(corrections, batch_size=1_000)
    StatusChange.objects.bulk_create(statuses, batch_size=1_000)
    _report(reports, scope)
    for source_id in {facility.source_id for facility in by_id.values() if facility.kind_id in NAMING}:
        tell_roads(source_id=source_id)
    return [WrittenRow(row.number, row.target or 0, Fate.CHANGED) for row in rows]


def _put(facility: Facility, field: str, value: Any, row: SheetRow) -> None:
    name, _, key = field.partition(".")
    if key:
        facility.attributes = {**facility.attributes, key: value}
    elif field == "position":
        lon, lat = value
        facility.geom = Point(lon, lat, srid=CGCS2000)
        facility.point_source = row.found.get("point_source", PointSource.SURVEY.value)
        facility.uncertainty_m = row.found.get("uncertainty_m", facility.uncertainty_m)
        facility.region_id = row.found["region"]
        facility.cell = int(cells_at([lon], [lat])[0])
    else:
        setattr(facility, name, value)


def _report(reports: Iterable[tuple[SheetRow, Facility]], scope: Scope) -> None:
    """Keep the reported places and vacancies in the history of capacity."""
    columns = "facility_id, places, vacancies, as_of, reported_by, actor"
    with connection.cursor() as cursor, cursor.copy(f"COPY facilities_capacityreport ({columns}) FROM STDIN") as copy:
        for row, facility in reports:
            moment = facility.vacancies_as_of or moment_of(row)
            copy.write_row((facility.pk, facility.places, facility.vacancies, moment, "import", scope.actor))


def desk_source() -> Source:
    """Return the source of what the desk adds: invented beside invented facilities, so that real ones retire both; else real.

    It counts as published from its first row on. Nothing is retired by it: a desk's sheet is a part of the city, never all.
    """
    invented = published_sources(Family.FACILITIES).filter(provenance=Provenance.INVENTED).exists()
    spec = SourceSpec(
        key=f"{DESK_SOURCE}-demo" if invented else DESK_SOURCE,
        title="办理台账录入（演示）" if invented else "办理台账录入",
        family=Family.FACILITIES,
        parts=(),
        provenance=Provenance.INVENTED if invented else Provenance.REAL,
    )
    source = declare_source(spec=spec)
    source.published_at, source.retired_at = timezone.now(), None
    source.save(update_fields=["published_at", "retired_at"])
    return source
