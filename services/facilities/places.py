"""A facility as every surface shows it: one value, read by one list of columns, the same in lists, circles, tiles and pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from geo.addresses.gazetteer import NamedRegion, Names
from geo.calendars.working import WorkingDays
from services.facilities.hours import Opening, opening_at
from services.facilities.kinds import kind_of
from services.facilities.models import FacilityStatus
from services.facilities.vacancies import Vacancies, vacancies_at

COLUMNS: Final = (
    "id",
    "kind_id",
    "name",
    "address_text",
    "phone",
    "status",
    "geom",
    "uncertainty_m",
    "region_id",
    "organisation_id",
    "source_id",
    "attributes",
    "hours",
    "hours_as_of",
    "places",
    "vacancies",
    "vacancies_as_of",
    "vacancies_source",
    "as_of",
)

_READ: Final = (*(column for column in COLUMNS if column != "geom"), "lon", "lat")
_WRITTEN: Final = {"attributes": "attributes::text", "hours": "hours::text", "lon": "ST_X(geom)", "lat": "ST_Y(geom)"}
SELECTED: Final = f"SELECT {', '.join(_WRITTEN.get(name, name) for name in _READ)} FROM facilities_facility"
"""The same columns as SQL, for ``place_read``: where places stand by the dozen this takes a third of the time."""


@dataclass(frozen=True, slots=True)
class Place:
    """One facility at one moment. ``lon`` and ``lat`` are CGCS2000 degrees, true within ``uncertainty_m`` 9 times in 10."""

    id: int
    kind: str
    name: str
    address: str
    phone: str
    status: str
    lon: float
    lat: float
    uncertainty_m: float
    region: NamedRegion | None
    organisation_id: int | None
    source_id: int
    attributes: Mapping[str, Any]
    hours: Mapping[str, Any]
    hours_as_of: dt.date | None
    opening: Opening
    places: int | None
    vacancies: Vacancies
    as_of: dt.date | None

    @property
    def kind_name(self) -> str:
        """Return the Chinese name of the kind."""
        return kind_of(self.kind).name

    @property
    def group(self) -> str:
        """Return the key of the kind's group."""
        return kind_of(self.kind).group

    @property
    def icon(self) -> str:
        """Return the Lucide name of the kind's icon."""
        return kind_of(self.kind).icon

    @property
    def status_name(self) -> str:
        """Return the Chinese word for the status."""
        return str(FacilityStatus(self.status).label)

    def said(self) -> list[tuple[str, str]]:
        """Return what the facility says of itself as (label, words), in the order its kind declares."""
        return [
            (attribute.label, attribute.choice_label(self.attributes[attribute.key]))
            for attribute in kind_of(self.kind).attributes
            if self.attributes.get(attribute.key) not in (None, "")
        ]

    def facts(self) -> list[str]:
        """Return the two or three facts a list shows under the name, such as 全日托, 18–36 月龄 and 普惠."""
        said = self.attributes
        facts = [kind_of(self.kind).name]
        form = kind_of(self.kind).attribute("service_form")
        if form is not None and said.get("service_form"):
            facts = [form.choice_label(said["service_form"])]
        if said.get("age_from_months") is not None and said.get("age_to_months") is not None:
            facts.append(f"{said['age_from_months']}–{said['age_to_months']} 月龄")
        facts += [word for key, word in _SHORT.items() if said.get(key) is True]
        if said.get("free_visits_year"):
            facts.append(f"免费 {said['free_visits_year']} 次")
        if said.get("beds"):
            facts.append(f"{said['beds']} 张床位")
        if said.get("meal_price_yuan"):
            facts.append(f"餐费 {said['meal_price_yuan']} 元")
        return facts[:4]


_SHORT: Final = {
    "inclusive": "普惠",
    "delivers": "可送餐",
    "memory_care": "认知症照护",
    "medical_insurance": "可用医保",
}


def place_of(row: Mapping[str, Any], names: Names, now: dt.datetime, days: WorkingDays) -> Place:
    """Return the place of a row of ``COLUMNS`` as it stands ``now`` (aware, in the city's zone), with the holidays around it."""
    return _place({**row, "lon": row["geom"].x, "lat": row["geom"].y}, names, now, days)


def place_read(row: Sequence[Any], names: Names, now: dt.datetime, days: WorkingDays) -> Place:
    """Return the place of a row of ``SELECTED``, as ``place_of`` does."""
    held = dict(zip(_READ, row, strict=True))
    said = {"attributes": orjson.loads(held["attributes"]), "hours": orjson.loads(held["hours"])}
    return _place(held | said, names, now, days)


def _place(row: Mapping[str, Any], names: Names, now: dt.datetime, days: WorkingDays) -> Place:
    return Place(
        id=row["id"],
        kind=row["kind_id"],
        name=row["name"],
        address=row["address_text"],
        phone=row["phone"],
        status=row["status"],
        lon=row["lon"],
        lat=row["lat"],
        uncertainty_m=row["uncertainty_m"],
        region=names.region(row["region_id"]),
        organisation_id=row["organisation_id"],
        source_id=row["source_id"],
        attributes=row["attributes"],
        hours=row["hours"],
        hours_as_of=row["hours_as_of"],
        opening=opening_at(row["hours"], now, days),
        places=row["places"],
        vacancies=vacancies_at(row["vacancies"], row["vacancies_as_of"], row["vacancies_source"], now),
        as_of=row["as_of"],
    )
