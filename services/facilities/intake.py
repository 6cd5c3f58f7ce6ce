"""Facilities from a spreadsheet: which place a row means, where it lies, whether the clerk may say so, and what it changes.

A row with a number changes that facility; one without is the facility of its kind and name close by, or a new one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from geo.addresses.geocode import LONGEST, MOST_TEXTS, geocode_many
from geo.addresses.placing import SHARP, single_place
from geo.crs.codes import CGCS2000
from geo.imports.models import CURRENT
from geo.imports.sheets import Fate, SheetRow
from geo.regions.models import EditionState, Level, RegionVersion
from geo.regions.queries import assign_regions
from geo.scope import Scope
from services.facilities.actions import LONGEST_TEXT, MOST_PLACES
from services.facilities.importing import SAME_PLACE_M
from services.facilities.kinds import Kind, kind_of, known_kind
from services.facilities.models import Facility

ATTRIBUTE: Final = "attributes__"
SAME_DEGREES: Final = 1e-7
_PLAIN: Final = ("name", "address_text", "phone", "status")
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


def _facilities(ids: Iterable[int]) -> dict[int, Facility]:
    wanted = list(ids)
    return Facility.objects.filter(CURRENT).defer("grams", "hours").in_bulk(wanted) if wanted else {}


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
        row.refuse("kind_differs", "kind_id", f"它是{kind_of(facility.kind_id).name}")


def _check_facts(row: SheetRow, facility: Facility | None) -> None:
    """Refuse what cannot be, taken together with what an existing facility says."""
    values = row.values
    _check_attributes(row, known_kind(facility.kind_id if facility else values.get("kind_id", "")))
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
    """Refuse attributes that the kind does not have, and fees that end before they begin; a missing kind is its own fault."""
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
    return bool(newer or changes_of(row, facility) or capacity_of(row, facility))


def changes_of(row: SheetRow, facility: Facility) -> dict[str, tuple[Any, Any]]:
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


def capacity_of(row: SheetRow, facility: Facility) -> tuple[int | None, int | None] | None:
    """Return the places and vacancies that a row reports; ``None`` when it says nothing new, or somebody reported later."""
    if not {"places", "vacancies"} & row.values.keys():
        return None
    said = row.values.get("places", facility.places), row.values.get("vacancies", facility.vacancies)
    older = facility.vacancies_as_of is not None and moment_of(row) < facility.vacancies_as_of
    return None if older or said == (facility.places, facility.vacancies) else said


def moment_of(row: SheetRow) -> dt.datetime:
    """Return as of when the figures of a row hold: the end of the day it states, never later than now."""
    now = timezone.now()
    if "as_of" not in row.values:
        return now
    day = dt.datetime.fromisoformat(row.values["as_of"])
    return min(now, timezone.make_aware(day.replace(hour=23, minute=59, second=59)))


def day_of(row: SheetRow) -> dt.date:
    """Return the day a row speaks of, today where it states none."""
    return dt.date.fromisoformat(row.values["as_of"]) if "as_of" in row.values else timezone.localdate()
