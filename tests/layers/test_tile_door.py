"""Tiles at the door: several layers in one, chosen properties, editions in addresses, another scheme, and who sees what."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import mapbox_vector_tile
import pytest
from django.contrib.gis.geos import MultiPolygon, Point, Polygon
from django.core.cache import cache
from django.test import Client

from geo.basemap.models import BasemapFeature
from geo.grids import cell_at
from geo.imports.models import Family
from geo.scope import Scope
from layers.registry import layers
from layers.spec import Attribute, Choice, Detail, LayerSpec
from layers.tiling import layer_tile
from services.access.models import User
from services.facilities.models import Facility, FacilityKind
from tests.layers.test_tiles import LAT, LON, SRID, facility, features, source, url
from tiles import mvt
from tiles.schemes import CGCS2000_QUAD, tile_at
from web.doors.maps import tiles as door

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()
    door._KNOWN.clear()


@pytest.fixture
def nursery() -> FacilityKind:
    return FacilityKind.objects.get_or_create(
        key="nursery", defaults={"group": "childcare", "name": "托育机构", "icon": "baby"}
    )[0]


def square(lon: float, lat: float, half: float) -> MultiPolygon:
    return MultiPolygon(Polygon.from_bbox((lon - half, lat - half, lon + half, lat + half)), srid=SRID)


def park(number: int, half: float = 0.0005, lon: float = LON, lat: float = LAT) -> BasemapFeature:
    of = source(Family.BASEMAP, "parks") if not number else BasemapFeature.objects.earliest("id").source
    return BasemapFeature.objects.create(
        source=of,
        ext_id=str(number),
        kind="green",
        name=f"绿{number}",
        area_m2=4e10 * half**2,
        geom=square(lon, lat, half),
    )


def layers_in(answer: Any) -> dict[str, list[dict[str, Any]]]:
    decoded = mapbox_vector_tile.decode(answer.content) if answer.content else {}
    return {name: [one["properties"] for one in layer["features"]] for name, layer in decoded.items()}


def test_several_layers_come_in_one_tile_with_the_properties_asked_for(client: Client, nursery: FacilityKind) -> None:
    facility(source(Family.FACILITIES), 1, nursery)
    park(0)
    both = client.get(url("places,green", 16) + "?properties=name&kinds=childcare")
    assert layers_in(both) == {"places": [{"name": "第1处"}]}  # green ends at 15
    both = client.get(url("green,places", 15) + "?properties=kind,name")
    assert layers_in(both) == {
        "green": [{"kind": "green", "name": "绿0"}],
        "places": [{"kind": "nursery", "name": "第1处"}],
    }
    assert layers_in(client.get(url("green,places", 15) + "?properties=")) == {"green": [{}], "places": [{}]}
    described = client.get("/tiles/green,places.json").json()
    assert [one["id"] for one in described["vector_layers"]] == ["green", "places"]
    assert (described["minzoom"], described["maxzoom"]) == (0, 16)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/tiles/places,nothing/1/0/0.mvt", 404, "layer_unknown"),
        ("/tiles/a,b,c,d,e,f,g,h,i/1/0/0.mvt", 400, "layers_too_many"),
        ("/tiles/places/1/0/0.mvt?properties=name,secret", 400, "property_unknown"),
        ("/tiles/places/1/0/0.mvt?properties=address", 400, "property_unknown"),  # never in tiles
        ("/tiles/green/1/0/0.mvt?properties=name'", 400, "property_unknown"),
        ("/tiles/places/CGCS2000Quad/0/0/0.mvt", 400, "tile_out_of_range"),
        ("/tiles/places/CGCS2000Quad/1/0/1.mvt", 400, "tile_out_of_range"),
        ("/tiles/places/GoogleMapsCompatible/1/0/0.mvt", 404, "tile_scheme_unknown"),
        ("/tiles/roads,green/1/0/0.mvt?kinds=x", 400, "parameter_unknown"),
        ("/tiles/places/16/0/0.mvt?kinds=nursery%00", 400, "parameter_invalid"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_drawn(
    client: Client, path: str, status: int, code: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_in_the_chinese_scheme_a_point_stands_where_its_degrees_say(client: Client, nursery: FacilityKind) -> None:
    facility(source(Family.FACILITIES), 1, nursery)
    for z in (9, 16):
        tile = tile_at(LON, LAT, z, CGCS2000_QUAD)
        answer = client.get(f"/tiles/places/CGCS2000Quad/{z}/{tile.x}/{tile.y}.mvt")
        [one] = mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})["places"]["features"]
        west, south, east, north = tile.bounds
        x, y = one["geometry"]["coordinates"]
        assert west + x / 4096 * (east - west) == pytest.approx(LON, abs=(east - west) / 4096)
        assert north - y / 4096 * (north - south) == pytest.approx(LAT, abs=(north - south) / 4096)


def test_the_address_with_todays_edition_is_kept_for_long_and_one_of_yesterday_nowhere(
    client: Client, nursery: FacilityKind
) -> None:
    place = facility(source(Family.FACILITIES), 1, nursery)
    tile = tile_at(LON, LAT, 16)

    def of() -> str:
        told: str = client.get("/tiles/places.json").json()["tiles"][0]
        return told.replace("{z}", "16").replace("{x}", str(tile.x)).replace("{y}", str(tile.y))

    first = of()
    answer = client.get(first)
    assert answer["Cache-Control"] == door.FOR_EVER
    assert client.get(url("places", 16))["Cache-Control"] == door.FOR_ALL
    place.name = "改了名"
    place.save()
    assert client.get(first).content == answer.content  # what is kept under an edition is that edition
    cache.clear()
    old = client.get(first)  # what is not cannot be drawn again: it is today's, and kept nowhere
    assert (old["Cache-Control"], layers_in(old)["places"][0]["name"]) == (door.OUTDATED, "改了名")
    assert of() != first
    assert client.get(of())["Cache-Control"] == door.FOR_EVER
    again = client.get(of(), headers={"If-None-Match": old["ETag"]})
    assert (again.status_code, again["Cache-Control"]) == (304, door.FOR_EVER)
    head = client.head(of())
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", old["ETag"])
    nothing = client.get("/tiles/places/16/0/0.mvt")
    assert (nothing.status_code, nothing.content) == (204, b"")
    assert nothing["ETag"]


def test_tiles_of_a_block_drawn_together_are_those_drawn_alone(
    client: Client, nursery: FacilityKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, chance = source(Family.FACILITIES), random.Random(5)
    for number in range(80):
        facility(of, number, nursery, LON + chance.uniform(-0.01, 0.01), LAT + chance.uniform(-0.01, 0.01))
        park(number, 0.0004, LON + chance.uniform(-0.02, 0.02), LAT + chance.uniform(-0.02, 0.02))

    def drawn() -> list[bytes]:
        cache.clear()
        found = []
        for key, z in (("places", 16), ("green", 14)):
            corner = tile_at(LON, LAT, z).above(2)
            places = [(corner.x * 4 + x, corner.y * 4 + y) for x in range(-1, 5) for y in range(-1, 5)]
            found += [client.get(f"/tiles/{key}/{z}/{x}/{y}.mvt").content for x, y in places]
        return found

    together = drawn()
    monkeypatch.setattr(mvt, "BLOCK_FROM", 23)
    assert together == drawn()
    assert sum(map(bool, together)) > 16


@pytest.mark.parametrize("z", [11, 16])  # in clusters, and one by one
def test_a_value_that_looks_like_another_choice_spoils_no_tile_of_others(
    client: Client, nursery: FacilityKind, monkeypatch: pytest.MonkeyPatch, z: int
) -> None:
    groups = Choice("groups", 't."group" = ANY(%(groups)s)')
    places = layers()["places"]
    monkeypatch.setitem(layers(), "places", replace(places, choices=(*places.choices, groups)))
    facility(source(Family.FACILITIES), 1, nursery)
    spoilt = client.get(url("places", z), {"groups": "childcare;kinds=nursery"})
    assert layers_in(spoilt) == {}
    both = client.get(url("places", z), {"groups": "childcare", "kinds": "nursery"})
    assert len(layers_in(both)["places"]) == 1


# A crowd is thinned where it is a crowd.


def test_where_points_crowd_some_go_and_where_they_stand_alone_they_stay(
    client: Client, nursery: FacilityKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, chance = source(Family.FACILITIES), random.Random(3)
    west, south, east, north = tile_at(LON, LAT, 16).bounds
    at = lambda x, y: Point(west + x * (east - west), south + y * (north - south), srid=SRID)  # noqa: E731
    alone = [at(0.05 + 0.1 * number, 0.9) for number in range(9)]
    crowd = [at(0.4 + chance.random() * 0.2, 0.3 + chance.random() * 0.2) for _ in range(1500)]
    Facility.objects.bulk_create(
        Facility(source=of, ext_id=str(number), kind=nursery, name=f"点{number}", geom=geom, cell=cell_at(*geom.coords))
        for number, geom in enumerate(alone + crowd)
    )
    whole = client.get(url("places", 16))
    assert "X-Tile-Dropped" not in whole
    cap = len(whole.content) // 3
    cache.clear()
    monkeypatch.setattr(mvt, "BYTE_CAP", cap)
    answer = client.get(url("places", 16))
    names = {one["name"] for one in layers_in(answer)["places"]}
    assert len(answer.content) <= cap
    assert {f"点{number}" for number in range(9)} <= names
    assert 100 < len(names) < 700
    assert int(answer["X-Tile-Dropped"]) == 1509 - len(names)
    again = client.get(url("places", 16))
    assert (again.content, again["X-Tile-Dropped"]) == (answer.content, answer["X-Tile-Dropped"])
    cache.clear()
    monkeypatch.setattr(mvt, "BYTE_CAP", 500_000)
    monkeypatch.setattr(mvt, "FEATURE_CAP", 60)
    few = layers_in(client.get(url("places", 16)))["places"]
    assert len(few) <= 60
    assert {f"点{number}" for number in range(9)} <= {one["name"] for one in few}


def test_of_areas_the_smallest_go_and_of_dust_the_largest_of_a_place_is_seen(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        park(number, 0.0001 + 0.00001 * number, LON + 0.0007 * (number % 8), LAT + 0.0007 * (number // 8))
    monkeypatch.setattr(mvt, "FEATURE_CAP", 10)
    answer = client.get(url("green", 14, LON + 0.002, LAT + 0.001))
    assert {one["name"] for one in layers_in(answer)["green"]} == {f"绿{number}" for number in range(30, 40)}
    assert int(answer["X-Tile-Dropped"]) == 30
    monkeypatch.setattr(mvt, "FEATURE_CAP", 20_000)
    cache.clear()
    dust = LayerSpec(
        key="dust", title="尘", category="base", summary="尘", geometry="polygon", table="basemap_basemapfeature",
        attributes=(Attribute("name", "名称", "text", "t.name"),), details=(Detail(0),), max_zoom=16,
    )  # fmt: skip
    monkeypatch.setitem(layers(), "dust", dust)
    seen = {z: {one["name"] for one in layers_in(client.get(url("dust", z)))["dust"]} for z in (7, 16)}
    assert "绿39" in seen[7]  # some two or three kilometres are a pixel there: the largest of each stands for all
    assert len(seen[7]) <= 4
    assert len(seen[16]) > 1


# Layers with a duty


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, nursery: FacilityKind) -> LayerSpec:
    spec = LayerSpec(
        key="secret", title="密", category="themes", summary="密", geometry="point", duty="secrets.read", path="t.path",
        table="(SELECT f.id, f.name, f.geom, CASE f.ext_id WHEN '1' THEN '310000.310101.' ELSE '310000.310104.' END AS path "
        "FROM facilities_facility f)",
        attributes=(Attribute("name", "名称", "text", "t.name"),), details=(Detail(0),), cluster_px=64, cluster_below=12,
    )  # fmt: skip
    monkeypatch.setitem(layers(), "secret", spec)
    of = source(Family.FACILITIES)
    facility(of, 1, nursery)
    facility(of, 2, nursery, LON + 0.0001)
    return spec


@pytest.mark.parametrize("z", [9, 16])
def test_each_scope_sees_its_rows_and_nobody_what_another_had_drawn(secret: LayerSpec, z: int) -> None:
    seeing = lambda *paths: Scope(paths=paths, duties=frozenset({"secrets.read"}))  # noqa: E731
    scopes = [seeing(""), seeing("310000.310101."), Scope.public(), seeing("310000.310104."), seeing("310000.310105.")]
    tile = tile_at(LON, LAT, z)

    def names(scope: Scope) -> int:
        found = layer_tile(layer=secret, tile=tile, chosen={}, scope=scope).content
        decoded = mapbox_vector_tile.decode(found) if found else {}
        return sum(one["properties"].get("count", 1) for layer in decoded.values() for one in layer["features"])

    assert [names(scope) for scope in scopes] == [2, 1, 0, 1, 0]
    assert [names(scope) for scope in reversed(scopes)] == [0, 1, 0, 1, 2]


def test_a_layer_with_a_duty_is_not_there_for_others_and_never_kept_in_between(
    secret: LayerSpec, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = client.get(url("secret", 16))
    assert (hidden.status_code, hidden.json()["code"]) == (404, "layer_unknown")
    assert client.get("/tiles/secret.json").status_code == 404
    assert "secret" not in {one["key"] for one in client.get("/tiles").json()["layers"]}
    assert client.get(url("places,secret", 16)).status_code == 404
    scope = Scope(paths=("310000.310101.",), duties=frozenset({"secrets.read"}), actor="甲")
    monkeypatch.setattr(door, "scope_for", lambda request: scope)
    answer = client.get(url("places,secret", 16) + "?edition=any")
    assert answer["Cache-Control"] == door.FOR_ONE
    assert [one["name"] for one in layers_in(answer)["secret"]] == ["第1处"]
    assert "secret" in {one["key"] for one in client.get("/tiles").json()["layers"]}


def test_who_draws_too_many_tiles_is_asked_to_wait_and_kept_ones_are_free(
    client: Client, nursery: FacilityKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    facility(source(Family.FACILITIES), 1, nursery)
    monkeypatch.setattr(door, "DRAWINGS", door.CallerLimit("tiles-tried", anonymous=3, keyed=9))
    got = [client.get(f"/tiles/places/16/{4 * x}/0.mvt").status_code for x in range(5)]
    assert got == [204, 204, 204, 429, 429]
    assert [client.get("/tiles/places/16/1/3.mvt").status_code for _ in range(5)]  # its block is drawn == [204] * 5


def test_who_is_signed_in_asks_as_himself(client: Client, nursery: FacilityKind) -> None:
    facility(source(Family.FACILITIES), 1, nursery)
    client.force_login(User.objects.create(username="甲"), backend="django.contrib.auth.backends.ModelBackend")
    assert len(features(client, url("places", 16))) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [("", 200), ("?kinds=none", 204), ("?kind=x", 400), ("x", 404), ("?edition=of+yesterday", 200)],
)
def test_who_shows_nothing_is_answered_as_one_whose_session_is_nobodys(
    client: Client, nursery: FacilityKind, path: str, status: int
) -> None:
    facility(source(Family.FACILITIES), 1, nursery)
    asked = url("places", 16) + path
    short = client.get(asked)
    client.cookies["sessionid"] = "nobodys"
    long = client.get(asked)
    assert (short.status_code, long.status_code) == (status, status)
    assert short.content == long.content
    assert (short["Vary"], long["Vary"]) == (
        "Origin",
        "Cookie, Origin",
    )  # what all see nginx keeps once for all cookies
    ways = [
        {name: each[name] for name in each.headers if name not in {"X-Request-Id", "Vary"}} for each in (short, long)
    ]
    assert ways[0] == ways[1]
    assert {"Content-Length", "X-Frame-Options", "Content-Security-Policy", "X-Content-Type-Options"} <= set(ways[0])


def test_a_key_that_is_wrong_gets_no_tile(client: Client, nursery: FacilityKind) -> None:
    facility(source(Family.FACILITIES), 1, nursery)
    for header in ({"Authorization": "Bearer qt_wrong"}, {"X-API-Key": "qt_wrong"}):
        answer = client.get(url("places", 16), headers=header)
        assert (answer.status_code, answer.json()["code"]) == (401, "api_key_invalid")
