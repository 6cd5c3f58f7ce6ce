"""Builders: a small world in a few lines, on an empty real database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.gis.geos import MultiPolygon, Point, Polygon
from django.utils import timezone

from geo.crs.codes import CGCS2000
from geo.grids import cell_at
from geo.imports.models import Source
from geo.regions.models import Edition, Region, RegionCode, RegionVersion
from services.facilities.actions import declare_kinds
from services.facilities.models import Facility
from services.facilities.naming import facility_grams

PEOPLE_SQUARE = (121.4737, 31.2304)


class World:
    """Builds published rows one by one."""

    def __init__(self) -> None:
        declare_kinds()
        self.source = self.publish("facilities")
        self.count = 0
        self._edition: Edition | None = None

    def publish(self, family: str, *, provenance: str = "invented", published: bool = True) -> Source:
        number = Source.objects.count() + 1
        return Source.objects.create(
            key=f"{family}-{number}",
            title=f"{family} {number}",
            family=family,
            provenance=provenance,
            as_of=dt.date(2026, 10, 1),
            published_at=timezone.now() if published else None,
        )

    def region(
        self, code: str, name: str, level: str, path: str, box: tuple[float, float, float, float] | None = None
    ) -> Region:
        if self._edition is None:
            self._edition = Edition.objects.create(
                name="测试版", source=self.publish("regions"), state="published", published_at=timezone.now()
            )
        region = Region.objects.create(level=level)
        RegionCode.objects.create(region=region, code=code)
        west, south, east, north = box or (121.4, 31.2, 121.5, 31.3)
        shape = MultiPolygon(Polygon.from_bbox((west, south, east, north)), srid=CGCS2000)
        RegionVersion.objects.create(
            region=region,
            edition=self._edition,
            level=level,
            code=code,
            name=name,
            path=path,
            geom=shape,
            label=Point((west + east) / 2, (south + north) / 2, srid=CGCS2000),
            area_m2=1.0,
        )
        return region

    def facility(
        self, name: str = "", lon: float = PEOPLE_SQUARE[0], lat: float = PEOPLE_SQUARE[1], **fields: Any
    ) -> Facility:
        self.count += 1
        name = name or f"机构{self.count:04d}"
        given = {
            "kind_id": fields.pop("kind", "nursery"),
            "source": fields.pop("source", self.source),
            "ext_id": f"f{self.count}",
            "grams": facility_grams(name, fields.get("address_text", "")),
            "cell": cell_at(lon, lat),
        }
        return Facility.objects.create(name=name, geom=Point(lon, lat, srid=CGCS2000), **given, **fields)


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def build(world: World) -> Callable[..., Facility]:
    return world.facility
