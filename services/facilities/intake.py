"""Facilities from a spreadsheet: which place a row means, where it lies, whether the clerk may say so, and writing it.

A row with a number changes that facility; one without is the facility of its kind and name close by, or a new one. What people
say of facilities of other sources is kept as corrections, exactly as an edit at the desk is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pghistory
from django.contrib.gis.geos import Point
from django.db import connection
from django.utils import timezone

from geo.addresses.geocode import LONGEST, MOST_TEXTS, geocode_many
from geo.addresses.models import PointSource
from geo.addresses.placing import SHARP, single_place
from geo.crs.codes import CGCS2000
from geo.grids import cells_at
from geo.imports.actions import declare_source
from geo.imports.models import CURRENT, Correction, Family, Provenance, Source
from geo.imports.queries import published_sources
from geo.imports.sheets import Fate, SheetRow, WrittenRow
from geo.imports.spec import SourceSpec
from geo.regions.models import EditionState, Level, RegionVersion
from geo.regions.queries import assign_regions
from geo.scope import Scope
from services.facilities.actions import LONGEST_TEXT, MOST_PLACES, bump_edition
from services.facilities.importing import SAME_PLACE_M
from services.facilities.kinds import KIND, Kind
from services.facilities.models import Facility, FacilityStatus, StatusChange
from services.facilities.naming import facility_grams
from services.facilities.roadside import NAMING, tell_roads

DESK_SOURCE: Final = "desk-facilities"
ATTRIBUTE: Final = "attributes__"
SAME_DEGREES: Final = 1e-7
_PLAIN: Final = ("name", "address_text", "phone", "status")
_SAVED: Final = (
    *("name", "address_text", "phone", "status", "attributes", "places", "vacancies", "vacancies_as_of"),
    *("vacancies_source", "as_of", "geom", "point_source", "region", "cell", "grams", "updated_at"),
)
_COPIED: Final = (
    *("id", "source_id", "ext_id", "kind_id", "name", "address_text", "phone", "status", "places", "vacancies"),
    *("vacancies_as_of", "vacancies_source", "as_of", "point_source", "uncertainty_m", "region_id", "cell", "grams"),
)
_SAME_PLACE: Final = """
    SELECT DISTINCT ON (v.at) v.at, f.id
    FROM unnest(%s::int[], %s::text[], %s::text[], %s::float8[], %s::float8[]) v(at, kind, name, lon, lat)
    JOIN facilities_facility f ON f.kind_id = v.kind AND f.name = v.name AND f.retired_at IS NULL
    WHERE ST_DWithin(f.geom::geography, ST_SetSRID(ST_MakePoint(v.lon, v.lat), %s)::geography, %s)
    ORDER BY v.at, ST_Distance(f.geom::geography, ST_SetSRID(ST_MakePoint(v.lon, v.lat), %s)::geography), f.id"""


@dataclass(frozen=True, slots=True)
class _Ground:
    """The published regions that matter: by id, the path of each and the name of its district."""

    paths: Mapping[int, str]
    districts: Mapping[int, str]

    @classmethod
    def of(cls, region_ids: Iterable[int]) -> _Ground:
        published = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED)
        paths = dict(published.filter(region__in=set(region_ids)).values_list("region_id", "path"))
        names = dict(published.filter(level=Level.DISTRICT).values_list("path", "name"))
        districts = {pk: names.get(".".join(path.split(".")[:2]) + ".", "") for pk, path in paths.items()}
        return cls(paths, districts)

    def covers(self, scope: Scope, region_id: int | None) -> bool:
        if "" in scope.paths:
            return True
        path = self.paths.get(region_id or 0)
        return path is not None and scope.covers_path(path)


def check_sheet_rows(rows: Sequence[SheetRow], *, scope: Scope) -> None:
    """See ``geo.imports.sheets.Checks``: find the facility, the place and the region of every row, and judge it by the scope."""
    named = {row.values["id"] for row in rows if "id" in row.values}
    known = _facilities(named)
    for row in rows:
        _check_named(row, known)
        _check_facts(row, known.get(row.values.get("id", 0)))
    _locate([row for row in rows if not row.faults and "id" not in row.values and "lon" not in row.found], scope)
    placed = [row for row in rows if not row.faults and "lon" in row.found]
    regions = assign_regions([row.found["lon"] for row in placed], [row.found["lat"] for row in placed])
    for row, region in zip(placed, regions.tolist(), strict=True):
        row.found["region"] = region or None
    _match([row for row in placed if not row.faults and "id" not in row.values])
    known |= _facilities({row.target for row in rows if row.target} - named)
    ground = _Ground.of(
        [row.found["region"] for row in placed if row.found["region"]]
        + [facility.region_id for facility in known.values() if facility.region_id]
    )
    for row in rows:
        if not row.faults:
            _judge(row, known.get(row.target or 0), ground, scope)


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


def _facilities(ids: Iterable[int]) -> dict[int, Facility]:
    return Facility.objects.filter(CURRENT).select_related("source").in_bulk(list(ids))


def _check_named(row: SheetRow, known: Mapping[int, Facility]) -> None:
    row.target = None
    if "id" not in row.values:
        return
    facility = known.get(row.values["id"])
    if facility is None:
        row.refuse("unknown_record", "id", str(row.values["id"]))
        return
    row.target = facility.pk
    kind = row.values.get("kind_id", facility.kind_id)
    if kind != facility.kind_id:
        row.refuse("kind_differs", "kind_id", f"它是{KIND[facility.kind_id].name}")


def _check_facts(row: SheetRow, facility: Facility | None) -> None:
    """Refuse what cannot be, taken together with what an existing facility says."""
    values = row.values
    _check_attributes(row, KIND.get(facility.kind_id if facility else values.get("kind_id", "")))
    places = values.get("places", facility.places if facility else None)
    for key in ("places", "vacancies"):
        if values.get(key, 0) > MOST_PLACES:
            row.refuse("out_of_range", key, str(values[key]))
    if places is not None and values.get("vacancies", 0) > places:
        row.refuse("capacity_contradiction", "vacancies", f"{values['vacancies']} > {places}")
    if values.get("as_of", "") > timezone.localdate().isoformat():
        row.refuse("in_future", "as_of", values["as_of"])
    for key, most in LONGEST_TEXT.items():
        if len(values.get(key, "")) > most:
            row.refuse("too_long", key, f"最多 {most} 字")


def _check_attributes(row: SheetRow, kind: Kind | None) -> None:
    """Refuse attributes that the kind does not have, and fees that end before they begin; no kind is the fault of its own cell."""
    if kind is None:
        return
    for key in [key for key in row.values if key.startswith(ATTRIBUTE)]:
        attribute = kind.attribute(key.removeprefix(ATTRIBUTE))
        if attribute is None:
            row.refuse("not_for_kind", key, kind.name)
        elif not attribute.accepts(row.values[key]):
            row.refuse("unknown_value", key, str(row.values[key])[:40])
    low, high = (row.values.get(f"{ATTRIBUTE}fee_{end}_yuan") for end in ("from", "to"))
    if low is not None and high is not None and low > high:
        row.refuse("out_of_range", f"{ATTRIBUTE}fee_to_yuan", f"{high:g} 小于 {low:g}")


def _locate(rows: Sequence[SheetRow], scope: Scope) -> None:
    """Find the point of new rows by their address; where no single sharp place is found the row is refused."""
    for begin in range(0, len(rows), MOST_TEXTS):
        batch = rows[begin : begin + MOST_TEXTS]
        answers = geocode_many([_written(row) for row in batch], scope=scope)
        for row, candidates in zip(batch, answers, strict=True):
            sure = single_place(candidates)
            if sure is None:
                row.refuse("no_position", "address_text")
                continue
            row.found |= {
                "lon": round(sure.lon, 7),
                "lat": round(sure.lat, 7),
                "point_source": str(SHARP[sure.level]),
                "uncertainty_m": float(round(sure.uncertainty_m)),
            }


def _written(row: SheetRow) -> str:
    text, district = str(row.values.get("address_text", "")), str(row.values.get("district", ""))
    return (text if not text or district in text else f"{district}{text}")[:LONGEST]


def _match(rows: Sequence[SheetRow]) -> None:
    """Find for rows without a number the facility of the same kind and name that lies close by."""
    if not rows:
        return
    columns = [
        list(range(len(rows))),
        [row.values["kind_id"] for row in rows],
        [row.values["name"] for row in rows],
        [row.found["lon"] for row in rows],
        [row.found["lat"] for row in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SAME_PLACE, [*columns, CGCS2000, SAME_PLACE_M, CGCS2000])
        for at, pk in cursor.fetchall():
            rows[at].target = pk


def _judge(row: SheetRow, facility: Facility | None, ground: _Ground, scope: Scope) -> None:
    """Refuse what lies outside the scope or in another district than written; else say what the row does, and to what."""
    owned = facility is not None and facility.organisation_id in scope.organisations
    if facility is not None and not owned and not ground.covers(scope, facility.region_id):
        row.refuse("outside_scope", "id" if "id" in row.values else "name")
    elif "region" in row.found and (facility is None or _moves(row)):
        key = "lon" if row.cells.get("lon") else "address_text"
        if not owned and not ground.covers(scope, row.found["region"]):
            row.refuse("outside_scope", key)
        stated, found = row.values.get("district", ""), ground.districts.get(row.found["region"] or 0, "")
        if stated and found and stated.removesuffix("区") != found.removesuffix("区"):
            row.refuse("other_district", "district", f"位置在{found}")
    if facility is None:
        said = f"{row.values['kind_id']}|{row.values['name']}"
        row.twin, row.apart_m = f"new:{hashlib.sha256(said.encode()).hexdigest()[:24]}", SAME_PLACE_M
        row.fate = Fate.ADDED
        return
    row.twin, row.apart_m = f"id:{facility.pk}", 0.0
    row.fate = Fate.CHANGED if _differs(row, facility) else Fate.UNCHANGED


def _moves(row: SheetRow) -> bool:
    """Say whether a row gives a position of its own; one that was found by the address moves no facility."""
    return bool(row.cells.get("lon") and row.cells.get("lat"))


def _differs(row: SheetRow, facility: Facility) -> bool:
    newer = row.values.get("as_of", "") > (facility.as_of.isoformat() if facility.as_of else "")
    return bool(newer or _corrections(row, facility) or _capacity(row, facility))


def _corrections(row: SheetRow, facility: Facility) -> dict[str, tuple[Any, Any]]:
    """Return by the field's name in a correction what the facility says now and what the row says instead."""
    found: dict[str, tuple[Any, Any]] = {}
    for key in _PLAIN:
        if key in row.values and row.values[key] != getattr(facility, key):
            found[key] = getattr(facility, key), row.values[key]
    for key in (key for key in row.values if key.startswith(ATTRIBUTE)):
        name = key.removeprefix(ATTRIBUTE)
        if facility.attributes.get(name) != row.values[key]:
            found[f"attributes.{name}"] = facility.attributes.get(name), row.values[key]
    if _moves(row):
        here, there = (facility.geom.x, facility.geom.y), (row.found["lon"], row.found["lat"])
        if max(abs(here[0] - there[0]), abs(here[1] - there[1])) >= SAME_DEGREES:
            found["position"] = list(here), list(there)
    return found


def _capacity(row: SheetRow, facility: Facility) -> tuple[int | None, int | None] | None:
    """Return the places and vacancies that a row reports; ``None`` when it says nothing new, or somebody reported later."""
    if not {"places", "vacancies"} & row.values.keys():
        return None
    said = row.values.get("places", facility.places), row.values.get("vacancies", facility.vacancies)
    older = facility.vacancies_as_of is not None and _moment(row) < facility.vacancies_as_of
    return None if older or said == (facility.places, facility.vacancies) else said


def _moment(row: SheetRow) -> dt.datetime:
    """Return as of when the figures of a row hold: the end of the day it states, never later than now."""
    now = timezone.now()
    if "as_of" not in row.values:
        return now
    day = dt.datetime.fromisoformat(row.values["as_of"])
    return min(now, timezone.make_aware(day.replace(hour=23, minute=59, second=59)))


def _day(row: SheetRow) -> dt.date:
    return dt.date.fromisoformat(row.values["as_of"]) if "as_of" in row.values else timezone.localdate()


def _add(rows: Sequence[SheetRow], scope: Scope, mark: str) -> list[WrittenRow]:
    """Write new facilities to the desk's own source. Their ids hold the import and the row: none can be there twice."""
    if not rows:
        return []
    source = _desk_source()
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
        with cursor.copy(
            f"COPY facilities_facility ({', '.join(_COPIED)}, geom, attributes, hours, updated_at) FROM STDIN"
        ) as copy:
            now = timezone.now()
            for facility in made:
                said = (getattr(facility, name) for name in _COPIED)
                copy.write_row(
                    (*said, facility.geom.hexewkb.decode(), orjson.dumps(facility.attributes).decode(), "{}", now)
                )


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
        vacancies_as_of=_moment(row) if known else None,
        vacancies_source="import" if known else "",
        as_of=_day(row),
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
        changes, capacity = _corrections(row, facility), _capacity(row, facility)
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
                    facility=facility, status=facility.status, effective_on=_day(row), reason=reason, actor=scope.actor
                )
            )
        if capacity:
            facility.places, facility.vacancies = capacity
            facility.vacancies_as_of, facility.vacancies_source = _moment(row), "import"
            reports.append((row, facility))
        facility.as_of = max(facility.as_of or dt.date.min, _day(row))
        facility.grams = facility_grams(facility.name, facility.address_text)
    Facility.objects.bulk_create(
        list(by_id.values()), update_conflicts=True, unique_fields=["id"], update_fields=list(_SAVED), batch_size=500
    )
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
        facility.point_source = PointSource.SURVEY
        facility.region_id = row.found["region"]
        facility.cell = int(cells_at([lon], [lat])[0])
    else:
        setattr(facility, name, value)


def _report(reports: Iterable[tuple[SheetRow, Facility]], scope: Scope) -> None:
    """Keep the reported places and vacancies in the history of capacity."""
    columns = "facility_id, places, vacancies, as_of, reported_by, actor"
    with connection.cursor() as cursor, cursor.copy(f"COPY facilities_capacityreport ({columns}) FROM STDIN") as copy:
        for row, facility in reports:
            moment = facility.vacancies_as_of or _moment(row)
            copy.write_row((facility.pk, facility.places, facility.vacancies, moment, "import", scope.actor))


def _desk_source() -> Source:
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
