"""Tiles over HTTP on a small world of our own: what is in them, who may ask for what, and when they change."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import mapbox_vector_tile
import pytest
from django.contrib.gis.geos import LineString, MultiPolygon, Point, Polygon
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from geo.basemap.models import BasemapFeature
from geo.grids import cell_at
from geo.imports.models import Family, Provenance, Source
from geo.roads.models import RoadSegment
from layers.registry import layers
from layers.spec import Attribute
from services.facilities.models import Facility, FacilityKind
from tiles import asking, mvt
from tiles.schemes import tile_at

pytestmark = pytest.mark.django_db
LON, LAT = 121.4737, 31.2304
SRID = 4490


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


def source(family: Family, key: str = "") -> Source:
    return Source.objects.create(
        key=key or f"test-{family}",
        title="测试",
        family=family,
        provenance=Provenance.INVENTED,
        published_at=timezone.now(),
    )


def facility(
    of: Source, number: int, kind: FacilityKind, lon: float = LON, lat: float = LAT, **fields: Any
) -> Facility:
    return Facility.objects.create(
        source=of,
        ext_id=str(number),
        kind=kind,
        name=f"第{number}处",
        geom=Point(lon, lat, srid=SRID),
        cell=cell_at(lon, lat),
        **fields,
    )


def url(layer: str, z: int, lon: float = LON, lat: float = LAT) -> str:
    tile = tile_at(lon, lat, z)
    return f"/tiles/{layer}/{tile.z}/{tile.x}/{tile.y}.mvt"


def features(client: Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code in {200, 204}, answer.content
    decoded = mapbox_vector_tile.decode(answer.content) if answer.content else {}
    return [one for layer in decoded.values() for one in layer["features"]]


@pytest.fixture
def nursery() -> FacilityKind:
    return FacilityKind.objects.get_or_create(
        key="nursery", defaults={"group": "childcare", "name": "托育机构", "icon": "baby"}
    )[0]


@pytest.fixture
def canteen() -> FacilityKind:
    return FacilityKind.objects.get_or_create(
        key="canteen", defaults={"group": "eldercare", "name": "长者食堂", "icon": "utensils"}
    )[0]


def test_from_near_every_place_is_a_pin_with_its_name(client: Client, nursery: FacilityKind) -> None:
    place = facility(source(Family.FACILITIES), 1, nursery)
    [pin] = features(client, url("places", 16))
    assert pin["properties"] == {"id": place.pk, "name": "第1处", "kind": "nursery", "group": "childcare"}


def test_clusters_lose_no_place_at_any_zoom(client: Client, nursery: FacilityKind) -> None:
    of = source(Family.FACILITIES)
    for number in range(60):
        facility(of, number, nursery, LON + 0.002 * (number % 8), LAT + 0.0015 * (number // 8))
    counts = {}
    for z in range(8, 13):
        found = features(client, url("places", z))
        inside = [one for one in found if all(0 <= part <= 4096 for part in one["geometry"]["coordinates"])]
        counts[z] = sum(one["properties"].get("count", 1) for one in inside)
    assert counts == dict.fromkeys(range(8, 13), 60)
    assert len(features(client, url("places", 8))) < len(features(client, url("places", 12)))


def test_kinds_and_groups_narrow_the_places(client: Client, nursery: FacilityKind, canteen: FacilityKind) -> None:
    of = source(Family.FACILITIES)
    facility(of, 1, nursery)
    facility(of, 2, canteen)
    kinds = lambda query: {one["properties"]["kind"] for one in features(client, url("places", 16) + query)}  # noqa: E731
    assert kinds("") == {"nursery", "canteen"}
    assert kinds("?kinds=canteen") == {"canteen"}
    assert kinds("?kinds=childcare,canteen") == {"nursery", "canteen"}
    assert kinds("?kinds=nothing") == set()


def test_closed_and_retired_places_are_not_drawn(client: Client, nursery: FacilityKind) -> None:
    of = source(Family.FACILITIES)
    facility(of, 1, nursery, status="closed")
    facility(of, 2, nursery, retired_at=timezone.now())
    assert features(client, url("places", 16)) == []


def test_small_roads_wait_until_one_is_near(client: Client) -> None:
    of = source(Family.ROADS)
    for number, highway in enumerate(("motorway", "secondary", "footway")):
        RoadSegment.objects.create(
            source=of,
            ext_id=str(number),
            from_node=number,
            to_node=number + 9,
            highway=highway,
            length_m=900,
            geom=LineString((LON - 0.004, LAT + 0.0005 * number), (LON + 0.004, LAT + 0.0005 * number), srid=SRID),
        )
    drawn = {z: {one["properties"]["highway"] for one in features(client, url("roads", z))} for z in (6, 8, 11, 14)}
    assert drawn == {
        6: set(),
        8: {"motorway"},
        11: {"motorway", "secondary"},
        14: {"motorway", "secondary", "footway"},
    }


def test_an_unchanged_tile_is_304_and_an_edit_makes_it_new(client: Client, nursery: FacilityKind) -> None:
    place = facility(source(Family.FACILITIES), 1, nursery)
    first = client.get(url("places", 16))
    again = client.get(url("places", 16), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    place.name = "改了名"
    place.save()
    assert [one["properties"]["name"] for one in features(client, url("places", 16))] == ["改了名"]


def test_publishing_a_source_makes_old_tiles_stale(client: Client) -> None:
    of = source(Family.BASEMAP)
    assert features(client, url("green", 14)) == []
    square = Polygon.from_bbox((LON - 0.001, LAT - 0.001, LON + 0.001, LAT + 0.001))
    square.srid = SRID
    BasemapFeature.objects.create(
        source=of, ext_id="1", kind="green", area_m2=40_000, geom=MultiPolygon(square, srid=SRID)
    )
    assert features(client, url("green", 14)) == []
    Source.objects.filter(pk=of.pk).update(published_at=timezone.now() + datetime.timedelta(seconds=1))
    assert len(features(client, url("green", 14))) == 1


def test_a_crowded_tile_stays_under_the_byte_cap_and_keeps_the_great_roads(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = source(Family.ROADS)
    RoadSegment.objects.bulk_create(
        RoadSegment(
            source=of,
            ext_id=str(number),
            from_node=number,
            to_node=number + 1,
            name=f"路{number}",
            highway="motorway" if number % 50 == 0 else "footway",
            length_m=10,
            geom=LineString(
                (LON, LAT), (LON + 0.00001 * (number % 99 + 1), LAT + 0.00001 * (number % 37 + 1)), srid=SRID
            ),
        )
        for number in range(3000)
    )
    cap = 20_000
    assert len(client.get(url("roads", 16)).content) > cap
    cache.clear()
    monkeypatch.setattr(mvt, "BYTE_CAP", cap)
    kept = features(client, url("roads", 16))
    assert len(client.get(url("roads", 16)).content) <= cap
    assert sum(one["properties"]["highway"] == "motorway" for one in kept) == 60


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/tiles/places/23/0/0.mvt", 400, "tile_out_of_range"),
        ("/tiles/places/3/8/0.mvt", 400, "tile_out_of_range"),
        ("/tiles/places/99999999999999999999/0/0.mvt", 400, "tile_out_of_range"),
        ("/tiles/nothing/1/0/0.mvt", 404, "layer_unknown"),
        ("/tiles/places/1/0/0.mvt?color=red", 400, "parameter_unknown"),
        ("/tiles/places/1/0/0.mvt?kinds=" + ",".join(map(str, range(50))), 400, "parameter_too_long"),
        ("/tiles/roads/1/0/0.mvt?kinds=nursery", 400, "parameter_unknown"),
    ],
)
def test_what_cannot_be_drawn_is_a_problem_with_a_code(client: Client, path: str, status: int, code: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_quote_in_a_parameter_is_only_a_word(client: Client, nursery: FacilityKind) -> None:
    facility(source(Family.FACILITIES), 1, nursery)
    assert features(client, url("places", 16) + "?kinds=x%27)%20OR%201=1--") == []


def test_a_slow_tile_gives_up_with_503(client: Client, monkeypatch: pytest.MonkeyPatch, nursery: FacilityKind) -> None:
    of = source(Family.FACILITIES)
    for number in range(20):
        facility(of, number, nursery)
    monkeypatch.setattr(asking, "TIMEOUT_MS", 50)
    slow = replace(layers()["places"], attributes=(Attribute("s", "慢", "text", "pg_sleep(1)::text"),))
    monkeypatch.setitem(layers(), "places", slow)
    answer = client.get(url("places", 16))
    assert (answer.status_code, answer.json()["code"]) == (503, "tile_slow")
    assert answer["Retry-After"] == "5"


def test_every_layer_describes_itself(client: Client) -> None:
    for one in client.get("/tiles").json()["layers"]:
        described = client.get(f"/tiles/{one['key']}.json").json()
        assert described["tilejson"] == "3.0.0"
        assert described["minzoom"] <= described["maxzoom"]
        assert described["vector_layers"][0]["id"] == one["key"]
        assert client.get(url(one["key"], described["maxzoom"])).status_code in {200, 204}
