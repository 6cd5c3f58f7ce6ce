"""The graph that is built from what is published: roads of one provenance, and water of no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.utils import timezone

from geo.basemap.models import BasemapFeature
from geo.basemap.queries import water_surfaces
from geo.crs import SHANGHAI
from geo.crs.codes import CGCS2000
from geo.imports.importer import tell_followers
from geo.imports.models import Family, Provenance, Source
from geo.jobs.models import Job
from geo.regions.records import RegionRecord
from routing.actions import rebuild_graph
from routing.graph import Graph
from routing.isochrones import isochrone
from routing.search import reach
from routing.snap import snap
from routing.travellers import TRAVELLERS
from tests.geo.regions.builders import cells, published
from tests.geo.roads.worlds import segment

pytestmark = pytest.mark.django_db
WALK = TRAVELLERS["walk"]
LON, LAT = 121.40, 31.20


@pytest.fixture(autouse=True)
def _city(settings: Any, tmp_path: Path) -> None:
    settings.GRAPH_ROOT = tmp_path
    published([RegionRecord("310000", "city", "上海市", None, cells("A", "A"))])


def source(key: str, family: Family, provenance: Provenance) -> Source:
    now = timezone.now()
    return Source.objects.create(key=key, title=key, family=family, provenance=provenance, published_at=now)


def area(of: Source, ext_id: str, kind: str, south: float, north: float, **fields: Any) -> BasemapFeature:
    box = Polygon.from_bbox((LON - 0.05, south, LON + 0.05, north))
    geom = MultiPolygon(box, srid=CGCS2000)
    return BasemapFeature.objects.create(
        source=of, ext_id=ext_id, kind=kind, geom=geom, **({"area_m2": 1_000_000} | fields)
    )


def street(of: Source) -> None:
    segment(of, "1", shapely.LineString([(LON, LAT), (LON + 0.01, LAT)]))


def drawn() -> tuple[Graph, Any]:
    graph = Graph.open(rebuild_graph())
    x, y = (float(value[0]) for value in SHANGHAI.plane.forward(*shapely.get_coordinates(MIDDLE).T.copy()))
    found = reach(graph, [snap(graph, x, y, WALK)], WALK, 300)
    return graph, isochrone(found, [5])[0].degrees(SHANGHAI.plane)


MIDDLE = shapely.Point(LON + 0.005, LAT)
RIVER = shapely.box(LON - 0.05, LAT + 0.0008, LON + 0.05, LAT + 0.003)


def test_published_water_cuts_the_circle_once_the_graph_is_built() -> None:
    street(source("roads", Family.ROADS, Provenance.INVENTED))
    _, before = drawn()
    area(source("ground", Family.BASEMAP, Provenance.INVENTED), "1", "river", LAT + 0.0008, LAT + 0.003)
    graph, after = drawn()
    assert graph.water is not None
    assert before.intersection(RIVER).area > 0.1 * before.area
    assert after.intersection(RIVER).area < 0.01 * after.area


def test_real_roads_are_not_cut_by_invented_water() -> None:
    street(source("roads", Family.ROADS, Provenance.REAL))
    area(source("ground", Family.BASEMAP, Provenance.INVENTED), "1", "river", LAT + 0.0008, LAT + 0.003)
    assert drawn()[0].water is None
    area(source("real", Family.BASEMAP, Provenance.REAL), "1", "water", LAT + 0.0008, LAT + 0.003)
    assert drawn()[0].water is not None


def test_water_is_what_is_published_now_and_wide_enough() -> None:
    of = source("ground", Family.BASEMAP, Provenance.INVENTED)
    river = area(of, "1", "river", LAT, LAT + 0.001)
    area(of, "2", "green", LAT, LAT + 0.001)
    area(of, "3", "water", LAT, LAT + 0.001, area_m2=900)
    area(of, "4", "water", LAT, LAT + 0.001, retired_at=timezone.now())
    gone = source("gone", Family.BASEMAP, Provenance.INVENTED)
    area(gone, "5", "water", LAT, LAT + 0.001)
    Source.objects.filter(pk=gone.pk).update(retired_at=timezone.now())
    (found,) = water_surfaces(provenance=Provenance.INVENTED, least_m2=5000)
    assert found.equals(shapely.from_wkt(river.geom.wkt))
    assert len(water_surfaces(provenance=Provenance.REAL, least_m2=5000)) == 0


def test_publishing_the_base_map_asks_for_one_new_graph() -> None:
    tell_followers(frozenset({Family.ROADS, Family.BASEMAP}))
    assert Job.objects.filter(kind="routing.rebuild_graph").count() == 1
    tell_followers(frozenset({Family.BASEMAP}))
    assert Job.objects.filter(kind="routing.rebuild_graph").count() == 2
