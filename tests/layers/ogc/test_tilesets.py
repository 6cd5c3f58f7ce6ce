"""OGC API - Tiles - Part 1 (20-057), abstract test by abstract test, on the tiles of the tiny city."""

from __future__ import annotations

import mapbox_vector_tile
import pytest
from django.test import Client
from shapely.geometry import shape

from layers.ogc.conformance import declared
from layers.ogc.links import SCHEME, SCHEMES, TILESETS
from layers.ogc.media import MVT
from tests.layers.ogc.conftest import Ask
from tiles.schemes import SCHEMES as MATRIX_SETS
from tiles.schemes import tile_at


@pytest.mark.parametrize("name", ["core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30"])
def test_the_classes_are_declared(ask: Ask, name: str) -> None:
    uri = f"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/{name}"
    assert uri in ask("/conformance")["conformsTo"] == declared()


def test_matrix_sets_are_listed_and_defined(ask: Ask) -> None:
    assert {one["rel"] for one in ask("/")["links"]} >= {SCHEMES}
    listed = ask("/tileMatrixSets")["tileMatrixSets"]
    assert [one["id"] for one in listed] == list(MATRIX_SETS)
    for one in listed:
        [own] = [each["href"] for each in one["links"] if each["rel"] == SCHEME]
        made = ask(own)
        assert made["id"] == one["id"]
        assert made["crs"] == one["crs"]
        assert made["tileMatrices"][0]["cornerOfOrigin"] == "topLeft"
    assert ask("/tileMatrixSets/nothing", 404)["code"] == "tile_scheme_unknown"


def test_every_collection_leads_to_its_tiles(ask: Ask, client: Client, keys: list[str]) -> None:
    for key in keys:
        links = {one["rel"]: one["href"] for one in ask(f"/collections/{key}")["links"]}
        listed = ask(links[TILESETS])["tilesets"]
        assert len(listed) == len(MATRIX_SETS)
        for one in listed:
            assert one["dataType"] == "vector"
            own = {each["rel"]: each["href"] for each in one["links"]}
            made = ask(own["self"])
            assert made["crs"] == one["crs"]
            assert made["layers"][0]["id"] == key
            assert {each["rel"] for each in made["links"]} >= {"self", SCHEME, "item"}
            assert ask(next(each["href"] for each in made["links"] if each["rel"] == SCHEME))["crs"] == made["crs"]
            [template] = [each for each in made["links"] if each["rel"] == "item"]
            assert template["templated"] is True
            assert template["type"] == MVT
            assert "{tileMatrix}/{tileRow}/{tileCol}" in template["href"]


@pytest.mark.parametrize("name", list(MATRIX_SETS))
def test_a_tile_holds_what_lies_in_it(ask: Ask, client: Client, name: str) -> None:
    feature = ask("/collections/places/items", limit=1)["features"][0]
    point = shape(feature["geometry"])
    at = tile_at(point.x, point.y, 16, MATRIX_SETS[name])
    path = f"/ogc/collections/places/tiles/{name}/16/{at.y}/{at.x}"
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, MVT)
    drawn = mapbox_vector_tile.decode(answer.content)["places"]["features"]
    assert feature["properties"]["name"] in {one["properties"].get("name") for one in drawn}
    again = client.get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"/ogc/collections/places/tiles/{name}/16/1/1").status_code == 204


@pytest.mark.parametrize(
    "rest",
    [
        "WebMercatorQuad/3/8/0",
        "WebMercatorQuad/3/0/8",
        "WebMercatorQuad/99/0/0",
        "WebMercatorQuad/-1/0/0",
        "WebMercatorQuad/a/0/0",
        "nothing/0/0/0",
    ],
)
def test_a_tile_that_is_not_there_is_not_found(ask: Ask, rest: str) -> None:
    assert ask(f"/collections/places/tiles/{rest}", 404)["code"] in ("tile_unknown", "tile_scheme_unknown")
    hidden = ask("/collections/staff_fences/tiles/WebMercatorQuad/0/0/0", 404)
    assert hidden["code"] == ask("/collections/nothing/tiles/WebMercatorQuad/0/0/0", 404)["code"]


def test_the_api_document_names_the_operations_as_the_standard_does(ask: Ask) -> None:
    ids = {item["get"]["operationId"] for item in ask("/api")["paths"].values() if "get" in item}
    for suffix in ("getTileSetsList", "getTileSet", "getTile"):
        assert [one for one in ids if one.endswith(f".collection.vector.{suffix}")]
    assert {"getTileMatrixSetsList", "getTileMatrixSet"} <= ids


def test_what_is_not_asked_for_is_refused(ask: Ask) -> None:
    assert ask("/collections/places/tiles/WebMercatorQuad/0/0/0", 400, nothing="1")["code"] == "parameter_unknown"
