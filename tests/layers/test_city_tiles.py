"""The electronic map of the invented city as a service: what a map client asks for, over HTTP."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import pytest
from django.test import Client

from geo.basemap.models import BasemapFeature
from services.facilities.models import Facility
from tiles.schemes import tile_at


def features(client: Client, template: str, z: int, at: tuple[float, float]) -> list[dict[str, Any]]:
    tile = tile_at(*at, z)
    address = template.replace("{z}", str(z)).replace("{x}", str(tile.x)).replace("{y}", str(tile.y))
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.mapbox-vector-tile"
    [layer] = mapbox_vector_tile.decode(answer.content).values()
    return list(layer["features"])


@pytest.mark.covers("ELD-MAP-02", via="layers.tiling:layer_tile")
def test_a_map_client_finds_the_electronic_map_and_its_vector_data(client: Client, city: None) -> None:
    catalogue = {one["key"]: one for one in client.get("/tiles").json()["layers"]}
    assert {"regions", "ground", "green", "buildings", "roads", "places"} <= set(catalogue)
    centre = Facility.objects.order_by("id")[0].geom.coords
    park = BasemapFeature.objects.filter(kind="green").order_by("-area_m2")[0].geom.centroid
    drawn = {}
    for key, z in {"regions": 12, "ground": 12, "green": 15, "buildings": 15, "roads": 14, "places": 16}.items():
        described = client.get(catalogue[key]["tilejson"].removeprefix("http://testserver")).json()
        assert described["minzoom"] <= z <= described["maxzoom"]
        drawn[key] = features(
            client,
            described["tiles"][0].removeprefix("http://testserver"),
            z,
            park.coords if key == "green" else centre,
        )
        assert set(drawn[key][0]["properties"]) <= set(described["vector_layers"][0]["fields"]) | {"count"}
    assert any(one["properties"]["name"] == "黄浦区" for one in drawn["regions"])
    assert {one["properties"]["kind"] for one in drawn["ground"]} >= {"land"}
    assert any(one["properties"].get("name") for one in drawn["roads"])
    assert all(one["geometry"]["type"] in {"Polygon", "MultiPolygon"} for one in drawn["buildings"])
    assert all(one["geometry"]["type"] == "Point" for one in drawn["places"])
