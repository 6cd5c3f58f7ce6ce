"""What stops tell of the roads they stand on."""

from __future__ import annotations

import pytest
from django.contrib.gis.geos import Point

from geo.addresses.geocode import geocode
from geo.addresses.lookups import metres_between
from geo.crs.codes import CGCS2000
from geo.imports.models import CURRENT
from geo.roads.models import RoadPoint
from geo.scope import Scope
from services.facilities.models import Facility
from services.facilities.roadside import NAMING, roads_named_in, tell_roads


@pytest.mark.parametrize(
    ("name", "roads"),
    [
        ("云杉路", ["云杉路"]),
        ("云杉路望舒路", ["云杉路", "望舒路"]),
        ("云杉东路望舒公路（招呼站）", ["云杉东路", "望舒公路"]),
        ("云杉大道望舒街", ["云杉大道", "望舒街"]),
        ("云杉路云杉路", ["云杉路"]),
        ("望舒村", []),
        ("", []),
    ],
)
def test_a_stop_names_the_roads_it_stands_at(name: str, roads: list[str]):
    assert roads_named_in(name) == roads


def test_after_facilities_are_published_each_road_runs_where_its_stops_stand(city: None):
    stops = list(Facility.objects.filter(CURRENT, kind__in=NAMING))
    told = {(point.name, round(point.geom.x, 7), round(point.geom.y, 7)) for point in RoadPoint.objects.all()}
    assert told
    places = {(round(stop.geom.x, 7), round(stop.geom.y, 7)): stop.name for stop in stops}
    assert all(road in places[x, y] for road, x, y in told)
    assert {road for road, _, _ in told} == {road for stop in stops for road in roads_named_in(stop.name)}


def test_roads_told_anew_replace_those_told_before_and_a_stop_gone_tells_nothing(city: None):
    before = RoadPoint.objects.count()
    stop = Facility.objects.filter(CURRENT, kind__in=NAMING).order_by("id").first()
    assert stop is not None
    assert tell_roads(source_id=stop.source_id) == before == RoadPoint.objects.count()
    Facility.objects.filter(kind__in=NAMING, name=stop.name).delete()
    assert tell_roads(source_id=stop.source_id) < before


def test_a_number_of_a_road_told_by_stops_alone_lies_where_they_stand(city: None):
    stops = list(Facility.objects.filter(CURRENT, kind__in=NAMING).order_by("id")[:4])
    lon, lat = stops[0].geom.coords
    for step, stop in enumerate(stops):
        stop.name, stop.geom = "望舒东路云杉支路", Point(lon + 0.0026 * step, lat, srid=CGCS2000)
        stop.save()
    tell_roads(source_id=stops[0].source_id)
    (found,) = geocode("望舒东路200弄", scope=Scope.public())
    assert (found.level, [penalty.code for penalty in found.penalties]) == ("road", ["number_unknown"])
    far = max(metres_between(found.lon, found.lat, lon + 0.0026 * step, lat) for step in range(4))
    assert far < 900.0
    assert found.uncertainty_m >= far - 200.0
