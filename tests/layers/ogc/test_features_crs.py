"""OGC API - Features - Part 2: Coordinate Reference Systems by Reference (18-058r1), abstract test by abstract test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from django.test import Client
from shapely.geometry import shape

from geo.crs import SHANGHAI, SHENGZHOU, System
from geo.scope import Scope
from layers.ogc.systems import systems_of
from layers.reading import read_one
from layers.registry import layer
from tests.layers.ogc.conftest import ROOT, Ask

SYSTEMS = systems_of(SHANGHAI)
OWN = f"{ROOT}/crs/sh2000"


def transformer(uri: str) -> pyproj.Transformer:
    """Return PROJ's own way from CGCS2000 (lon, lat) to a system in the order it declares."""
    target = SHANGHAI.plane.spatial_reference().proj4text if uri == OWN else uri
    return pyproj.Transformer.from_pipeline(_pipeline(uri)) if "CRS84" in uri else _between(target)


def _between(target: str) -> pyproj.Transformer:
    declared = pyproj.CRS(target)
    same = declared.is_geographic
    source = "EPSG:4490" if not same else target
    return pyproj.Transformer.from_crs(source, declared)


def _pipeline(uri: str) -> str:
    return "+proj=axisswap +order=2,1"


def test_the_systems_are_those_of_the_city() -> None:
    names = [one.name.rpartition("/")[2] for one in SYSTEMS]
    assert names == ["CRS84", "4490", "4326", "3857", "4510", "4549", "4550", "sh2000"]
    elsewhere = [one.name.rpartition("/")[2] for one in systems_of(SHENGZHOU)]
    assert "4549" in elsewhere
    assert "sh2000" not in elsewhere


@pytest.mark.parametrize("one", SYSTEMS, ids=lambda one: one.name.rpartition("/")[2])
def test_the_order_of_axes_is_the_declared_one(one: Any) -> None:
    if one.name.startswith("http"):
        first = pyproj.CRS(one.name).axis_info[0].direction
        assert one.swapped == (first == "north")


def test_collections_list_the_systems_and_that_of_storage(ask: Ask, keys: list[str]) -> None:
    every = ask("/collections")
    for key in keys:
        told = ask(f"/collections/{key}")
        assert told["crs"] == every["crs"] == [one.uri(ROOT) for one in SYSTEMS]
        assert told["crs"][0] == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
        assert told["storageCrs"] == "http://www.opengis.net/def/crs/EPSG/0/4490"
        assert told["storageCrs"] in told["crs"]


@pytest.mark.parametrize("one", SYSTEMS, ids=lambda one: one.name.rpartition("/")[2])
@pytest.mark.parametrize("key", ["places", "roads", "buildings", "regions"])
def test_positions_are_those_of_proj_in_every_system(client: Client, ask: Ask, key: str, one: Any) -> None:
    uri = one.uri(ROOT)
    answer = client.get(f"/ogc/collections/{key}/items", {"crs": uri, "limit": "5"})
    assert answer["Content-Crs"] == f"<{uri}>"
    assert answer.json()["features"]
    moved = transformer(uri)
    for feature in answer.json()["features"]:
        stored = shapely.from_wkb(read_one(layer(key), feature["id"], scope=Scope.public()).geometry)
        lon, lat = shapely.get_coordinates(stored).T
        expected = np.column_stack(moved.transform(lat, lon))
        got = shapely.get_coordinates(shape(feature["geometry"]))
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() < (1e-7 if one.system.is_geographic else 1e-3)
        alone = client.get(f"/ogc/collections/{key}/items/{feature['id']}", {"crs": uri})
        assert alone["Content-Crs"] == f"<{uri}>"
        assert alone.json()["geometry"] == feature["geometry"]


def test_without_crs_positions_are_longitude_and_latitude(client: Client, ask: Ask) -> None:
    answer = client.get("/ogc/collections/places/items?limit=1")
    assert answer["Content-Crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    lon, lat = answer.json()["features"][0]["geometry"]["coordinates"]
    assert (120 < lon < 123, 30 < lat < 32) == (True, True)


@pytest.mark.parametrize("parameter", ["crs", "bbox-crs", "filter-crs"])
def test_systems_that_are_not_listed_are_refused(ask: Ask, parameter: str) -> None:
    for uri in ("http://www.opengis.net/def/crs/EPSG/0/2436", "EPSG:4490", "", "http://other.example/ogc/crs/sh2000"):
        query = {parameter: uri, "bbox": "121,31,122,32", "filter": "true"}
        assert ask("/collections/places/items", 400, **query)["code"] == "crs_unknown"
    one = ask("/collections/places/items", limit=1)["features"][0]["id"]
    if parameter == "crs":
        assert ask(f"/collections/places/items/{one}", 400, crs="EPSG:4490")["code"] == "crs_unknown"


@pytest.mark.parametrize("one", SYSTEMS, ids=lambda one: one.name.rpartition("/")[2])
def test_the_same_box_in_any_system_finds_the_same(ask: Ask, everything: Any, one: Any) -> None:
    uri = one.uri(ROOT)
    found = everything("places", limit=10_000)
    middle = shape(found[len(found) // 2]["geometry"])
    corners = np.array([[middle.x - 0.03, middle.y - 0.03], [middle.x + 0.03, middle.y + 0.03]])
    first, second = transformer(uri).transform(corners[:, 1], corners[:, 0])
    text = ",".join(str(number) for number in (first[0], second[0], first[1], second[1]))
    moved = {
        feature["id"]: transformer(uri).transform(
            feature["geometry"]["coordinates"][1], feature["geometry"]["coordinates"][0]
        )
        for feature in found
    }
    expected = {pk for pk, (x, y) in moved.items() if first[0] <= x <= first[1] and second[0] <= y <= second[1]}
    assert 0 < len(expected) < len(found)
    assert {feature["id"] for feature in everything("places", bbox=text, bbox_crs=uri)} == expected
    area = f"s_intersects(geometry, BBOX({text}))"
    assert {feature["id"] for feature in everything("places", filter=area, filter_crs=uri)} == expected


def test_the_uri_of_our_own_plane_tells_what_it_is(ask: Ask) -> None:
    told = ask("/crs/sh2000")
    assert told["id"] == OWN
    assert told["axes"] == ["E", "N"]
    assert told["accuracy"] == "未经控制点验证，±1 米"
    for text in (told["wkt2"], told["proj"]):
        plane = pyproj.Transformer.from_crs("EPSG:4490", pyproj.CRS(text), always_xy=True)
        assert np.allclose(
            plane.transform(121.4737, 31.2304),
            [a[0] for a in SHANGHAI.plane.forward(np.array([121.4737]), np.array([31.2304]))],
            atol=1e-3,
        )
    assert pyproj.CRS.from_json_dict(told["projjson"]) == pyproj.CRS(told["wkt2"])
    assert ask("/crs/nothing", 404)["code"] == "crs_unknown"
    assert System.SH2000 in {one.system for one in SYSTEMS}
