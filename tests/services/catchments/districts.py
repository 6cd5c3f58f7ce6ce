"""A district of the invented city with an edition of its own, for tests that ask addresses of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry

from geo.addresses.gazetteer import NamedRegion, Names, names_of, published_now
from geo.regions.models import Level
from geo.scope import Scope
from services.catchments.models import CatchmentArea, CatchmentEdition, EditionState, MatchRule
from services.facilities.models import Facility

HUANGPU = "310101"
YEAR = 2026
STEPS = ["override", "address", "community", "committee", "area", "nearest", "open"]
STAFF = Scope(
    paths=("310000.310101.",),
    duties=frozenset({"catchments.view", "catchments.edit", "catchments.approve"}),
    actor="qu",
)


def names() -> Names:
    """Return the names of the city."""
    return names_of(published_now())


def region(code: str) -> NamedRegion:
    """Return a region by its code."""
    return names().by_code[code]


def edition(*, district: str = HUANGPU, published: bool = True, **told: Any) -> CatchmentEdition:
    """Keep an edition without rules."""
    said = {
        "year": YEAR, "entry": "local", "number": 1, "steps": STEPS, "office": "区教育局学前科", "office_phone": "021-55500001",
        "made_by": "qu", "changed_by": "qu", "district_id": region(district).id,
        "state": EditionState.PUBLISHED if published else EditionState.DRAFT,
        "from_day": dt.date(2026, 3, 1) if published else None,
    }  # fmt: skip
    return CatchmentEdition.objects.create(**(said | told))


def rule(own: CatchmentEdition, mode: str, target: Facility | None, **told: Any) -> MatchRule:
    """Add a rule to an edition."""
    line = own.rules.count() + 1
    return MatchRule.objects.create(edition=own, line=line, mode=mode, target=target, **told)


def area(own: CatchmentEdition, name: str, target: Facility, shape: shapely.Geometry) -> CatchmentArea:
    """Add an area in CGCS2000 degrees to an edition."""
    whole = shapely.multipolygons([shape])
    return CatchmentArea.objects.create(
        edition=own, name=name, target=target, geom=GEOSGeometry(memoryview(shapely.to_wkb(whole)), srid=4490)
    )


def kindergartens(district: str = HUANGPU) -> list[Facility]:
    """Return the kindergartens of a district by id."""
    path = region(district).path
    inside = [one.id for one in names().regions.values() if one.path.startswith(path)]
    return list(Facility.objects.filter(kind="kindergarten", region__in=inside).order_by("id"))


def street_of(region_id: int | None) -> NamedRegion | None:
    """Return the street that a region lies in."""
    own = names()
    found = own.region(region_id)
    return own.above(found, Level.STREET) if found else None
