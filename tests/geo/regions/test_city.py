"""Regions and roads of the invented city: it loads through the same importers, and every point knows where it lies."""

from __future__ import annotations

import pytest
import shapely

from geo.addresses.models import Community
from geo.crs import SHANGHAI
from geo.imports.models import Provenance
from geo.regions.checks import check_regions
from geo.regions.models import RegionPart, RegionVersion
from geo.regions.queries import assign_regions, children_of, published_edition, records_of, regions_at
from geo.roads.models import RoadName
from geo.roads.queries import current_segments
from tests.geo.regions.builders import PUBLIC


@pytest.mark.usefixtures("city")
def test_the_invented_city_tiles_from_the_city_to_the_committee() -> None:
    edition = published_edition()
    assert edition is not None
    assert edition.source.provenance == Provenance.INVENTED
    assert check_regions(records_of(edition), SHANGHAI) == []
    assert len(children_of("310000", scope=PUBLIC)) == 16
    assert RegionPart.objects.count() >= RegionVersion.objects.count()


@pytest.mark.usefixtures("city")
def test_points_of_the_city_carry_the_region_that_answers_at_them() -> None:
    rows = list(Community.objects.filter(retired_at=None).order_by("pk")[:200])
    assert rows
    found = assign_regions([row.geom.x for row in rows], [row.geom.y for row in rows])
    assert [row.region_id or 0 for row in rows] == found.tolist()
    at = regions_at(rows[0].geom.x, rows[0].geom.y, scope=PUBLIC)
    assert [each.level for each in at] == ["city", "district", "street", "committee"]


@pytest.mark.usefixtures("city")
def test_roads_of_the_city_have_names_with_points_on_them() -> None:
    roads = current_segments()
    assert len(roads) > 1000
    tree = shapely.STRtree(roads.lines)
    names = list(RoadName.objects.order_by("-length_m")[:50])
    assert names
    for name in names:
        nearest = tree.query(shapely.Point(name.geom.x, name.geom.y).buffer(1e-9))
        assert name.name in set(roads.name[nearest])
        at = regions_at(name.geom.x, name.geom.y, scope=PUBLIC)
        # a ferry's middle is on the water, in no district
        assert name.region_id == (at[1].region_id if at else None)
