"""Small worlds for tests of upkeep: two streets of one district, a list of doors in them, and one call that imports it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.contrib.gis.geos import MultiPolygon, Point, Polygon
from django.utils import timezone

from geo.addresses.models import Address
from geo.crs.codes import CGCS2000
from geo.imports.actions import draft_source, publish_runs
from geo.imports.models import Source
from geo.imports.report import RunReport
from geo.imports.spec import manifest_of
from geo.regions.models import Edition, Region, RegionCode, RegionPart, RegionVersion
from geo.scope import Scope
from tests.geo.imports.worlds import write_rows

CITY = "310000."
DISTRICT = f"{CITY}310101."
WEST_STREET = f"{DISTRICT}310101001."
EAST_STREET = f"{DISTRICT}310101002."
MIDDLE_LON = 121.48
LEFT, RIGHT, SOUTH, NORTH = 121.46, 121.50, 31.20, 31.24

DOORS = {
    "key": "doors",
    "title": "测试门牌",
    "family": "addresses",
    "file": "doors.csv",
    "datum": "cgcs2000",
    "x": "lon",
    "y": "lat",
    "ext_id": ["id"],
    "columns": {"text": "text", "uncertainty_m": "radius"},
}


def clerk(path: str = WEST_STREET, name: str = "li") -> Scope:
    """Return the scope of somebody who keeps the addresses of a region."""
    return Scope(paths=(path,), duties=frozenset({"addresses.edit"}), actor=name)


CLERK = clerk()
CITY_CLERK = clerk(CITY, "shi")


def make_regions() -> dict[str, Region]:
    """Make a published edition: a city, a district, and its western and eastern street."""
    source = Source.objects.create(
        key="regions", title="区划", family="regions", provenance="real", published_at=timezone.now()
    )
    edition = Edition.objects.create(
        name="测试版",
        source=source,
        state="published",
        published_at=timezone.now(),
        effective_on=dt.date(2024, 1, 1),
    )
    boxes = {
        "310000": ("上海市", "city", CITY, (LEFT, SOUTH, RIGHT, NORTH)),
        "310101": ("黄浦区", "district", DISTRICT, (LEFT, SOUTH, RIGHT, NORTH)),
        "310101001": ("西街道", "street", WEST_STREET, (LEFT, SOUTH, MIDDLE_LON, NORTH)),
        "310101002": ("东街道", "street", EAST_STREET, (MIDDLE_LON, SOUTH, RIGHT, NORTH)),
    }
    made: dict[str, Region] = {}
    for code, (name, level, path, box) in boxes.items():
        region = made[code] = Region.objects.create(level=level)
        RegionCode.objects.create(region=region, code=code)
        polygon = Polygon.from_bbox(box)
        version = RegionVersion.objects.create(
            region=region,
            edition=edition,
            parent=made.get(path.split(".")[-3]) if path.count(".") > 1 else None,
            level=level,
            code=code,
            name=name,
            path=path,
            geom=MultiPolygon(polygon, srid=CGCS2000),
            label=Point((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, srid=CGCS2000),
            area_m2=1.0,
        )
        RegionPart.objects.create(version=version, geom=Polygon.from_bbox(box))
    return made


def door(number: int, **changes: Any) -> dict[str, Any]:
    """Return one row of the list: 国权路 from west to east along one latitude, some 19 m from number to number."""
    row = {"id": f"d{number}", "text": f"国权路{number}号", "lon": 121.47 + 0.0002 * number, "lat": 31.22, "radius": 10}
    return {**row, **changes}


def doors(count: int = 20) -> list[dict[str, Any]]:
    return [door(number) for number in range(1, count + 1)]


def bring(folder: Path, rows: Sequence[Mapping[str, Any]], **changes: Any) -> RunReport:
    """Write a list of doors, import it for good and return the report."""
    spec = manifest_of({"source": [{**DOORS, **changes}]}).sources[0]
    path = write_rows(folder, rows, f"{spec.key}.csv")
    run = draft_source(spec=spec, files=[path])
    (report,) = publish_runs(runs=[run], allow_removal=True)
    assert not report.doubts, report.doubts
    return report


def row(ext_id: str, key: str = "doors") -> Address:
    """Return the row of the list with an id."""
    return Address.objects.get(source__key=key, ext_id=ext_id)


def standing() -> set[tuple[str, str]]:
    """Return what stands on the map: the normal form of every current address, with its place to a metre."""
    return {
        (each.normal, f"{each.geom.x:.5f},{each.geom.y:.5f}")
        for each in Address.objects.filter(retired_at__isnull=True)
    }
