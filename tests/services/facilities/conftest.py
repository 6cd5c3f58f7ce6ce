"""Builders: a small world in a few lines, on an empty real database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.contrib.gis.geos import MultiPolygon, Point, Polygon
from django.core.cache import cache
from django.utils import timezone

from geo.crs import SHANGHAI
from geo.crs.codes import CGCS2000
from geo.grids import cell_at
from geo.imports.models import Source
from geo.regions.models import Edition, Region, RegionCode, RegionVersion
from routing.edges import RoadEdges
from routing.graph import build_graph
from routing.versions import VersionedFolder
from services.facilities.actions import declare_kinds, edition_key
from services.facilities.models import Facility
from services.facilities.naming import facility_grams
from tests.routing.drawing import road_edges

PEOPLE_SQUARE = (121.4737, 31.2304)


class World:
    """Builds published rows one by one."""

    def __init__(self) -> None:
        cache.set(edition_key(), uuid4().hex)  # answers kept for the world of another test are not of this one
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


BLOCK_M = 100.0
BLOCKS = 24
"""A chessboard of residential streets, 2.4 km square, around the origin of the plane (the Park Hotel)."""


def chessboard() -> RoadEdges:
    """Return the streets of the chessboard, noded at every crossing."""
    half, side = BLOCKS // 2, BLOCKS + 1
    lines, ends = [], []
    for row in range(side):
        for column in range(side):
            x, y = (column - half) * BLOCK_M, (row - half) * BLOCK_M
            for dx, dy in ((1, 0), (0, 1)):
                if column + dx < side and row + dy < side:
                    lines.append(np.array([[x, y], [x + dx * BLOCK_M, y + dy * BLOCK_M]]))
                    ends.append((row * side + column, (row + dy) * side + column + dx))
    return road_edges(lines, ends)


def spot(east: float, north: float) -> tuple[float, float]:
    """Return (lon, lat) of a point on the chessboard, in metres from its middle."""
    lon, lat = SHANGHAI.plane.inverse(np.array([east]), np.array([north]))
    return round(float(lon[0]), 7), round(float(lat[0]), 7)


@pytest.fixture(scope="session")
def chessboard_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("graphs")
    build_graph(chessboard(), SHANGHAI.plane, VersionedFolder(root), source="测试路网", as_of="2026-10-01")
    return root


@pytest.fixture
def roads(chessboard_root: Path, settings: Any) -> Path:
    """Let the current road graph be the chessboard."""
    settings.GRAPH_ROOT = chessboard_root
    return chessboard_root
