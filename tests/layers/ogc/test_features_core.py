"""OGC API - Features - Part 1 (17-069r4) and the parts of Common it stands on, abstract test by abstract test."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import pytest
import shapely
from django.test import Client
from shapely.geometry import box, shape

from geo.scope import Scope
from layers.ogc.conformance import declared
from layers.reading import count_if_cheap, count_rows, read_one
from layers.registry import layer, visible_layers
from services.facilities.models import Facility
from tests.layers.ogc.conftest import ROOT, Ask

PUBLIC = Scope.public()


def rels(document: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for one in document["links"]:
        found.setdefault(one["rel"], []).append(one)
    return found


# A.2.1 general, A.2.2 landing page, A.2.3 API definition, A.2.4 conformance


def test_the_landing_page_leads_to_all_else(ask: Ask) -> None:
    links = rels(ask("/"))
    assert {"self", "alternate", "service-desc", "service-doc", "conformance", "data"} <= set(links)
    for rel in ("service-desc", "conformance", "data"):
        for one in links[rel]:
            ask(one["href"], accept=one["type"])


def test_the_api_document_names_every_path_there_is(ask: Ask, client: Client) -> None:
    from web.doors.ogc.routes import ROUTES

    document = ask("/api")
    assert document["openapi"].startswith("3.0")
    assert client.get("/ogc/api")["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    routes = {str(one.pattern).removeprefix("ogc") for one in ROUTES if str(one.pattern).startswith("ogc")} - {"", "/"}
    assert {path.count("/") for path in document["paths"]} >= {path.count("/") for path in routes}
    assert len(document["paths"]) >= len(routes)
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    for _, item in document["paths"].items():
        for operation in item.values():
            for one in operation.get("parameters", []):
                if "$ref" in one:
                    assert one["$ref"].removeprefix("#/components/parameters/") in document["components"]["parameters"]


def test_conformance_is_told(ask: Ask) -> None:
    told = ask("/conformance")["conformsTo"]
    assert told == declared()
    for name in ("core", "oas30", "html", "geojson"):
        assert f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{name}" in told


# A.2.5 and A.2.6 feature collections


def test_collections_are_the_layers_everyone_may_see(ask: Ask) -> None:
    document = ask("/collections")
    assert [one["id"] for one in document["collections"]] == [one.key for one in visible_layers(scope=PUBLIC)]
    assert "staff_fences" not in {one["id"] for one in document["collections"]}
    assert {"self", "alternate"} <= set(rels(document))
    for listed in document["collections"]:
        alone = ask(f"/collections/{listed['id']}")
        assert {key: alone[key] for key in listed if key != "links"} == {
            key: listed[key] for key in listed if key != "links"
        }
        links = rels(alone)
        assert {"self", "alternate", "items", "describedby"} <= set(links)
        assert {one["type"] for one in links["items"]} == {"application/geo+json", "text/html"}
        assert rels(listed)["self"][0]["href"] == f"{ROOT}/collections/{listed['id']}"


def test_extents_hold_every_feature(ask: Ask, keys: list[str], everything: Any) -> None:
    for key in keys:
        extent = ask(f"/collections/{key}")["extent"]
        found = everything(key, limit=10_000)
        if not found:
            assert "spatial" not in extent
            continue
        [bbox] = extent["spatial"]["bbox"]
        assert extent["spatial"]["crs"] == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
        assert all(box(*bbox).covers(shape(one["geometry"])) for one in found)


def test_an_unknown_collection_and_a_hidden_one_are_the_same(ask: Ask) -> None:
    answers = [
        ask(f"/collections/{key}{rest}", 404)
        for key in ("nothing", "staff_fences")
        for rest in ("", "/items", "/schema")
    ]
    assert len({(one["code"], one["detail"]) for one in answers}) == 1


# A.2.7 features


def test_features_are_complete_and_as_the_layer_has_them(ask: Ask, keys: list[str], everything: Any) -> None:
    for key in keys:
        found = everything(key, limit=1_000)
        spec = layer(key)
        assert len(found) == count_rows(spec, scope=PUBLIC, exact_up_to=1_000_000).number
        assert len({one["id"] for one in found}) == len(found)
        for one in found[:3]:
            row = read_one(spec, one["id"], scope=PUBLIC)
            drift = shapely.hausdorff_distance(shape(one["geometry"]), shapely.from_wkb(row.geometry))
            assert drift < 1.1e-7
            assert list(one["properties"]) == [attribute.name for attribute in spec.attributes]
            assert one["properties"] == orjson.loads(orjson.dumps(row.properties)) or spec.moment


def test_a_page_says_what_it_is(client: Client, ask: Ask) -> None:
    answer = client.get("/ogc/collections/places/items?limit=7")
    assert answer["Content-Type"] == "application/geo+json"
    page = answer.json()
    assert page["type"] == "FeatureCollection"
    assert page["numberReturned"] == len(page["features"]) == 7
    assert page["numberMatched"] == count_rows(layer("places"), scope=PUBLIC).number
    stamp = dt.datetime.fromisoformat(page["timeStamp"])
    assert abs((dt.datetime.now(dt.UTC) - stamp).total_seconds()) < 30
    links = rels(page)
    assert links["self"][0]["type"] == "application/geo+json"
    assert links["alternate"][0]["type"] == "text/html"
    assert links["collection"][0]["href"] == f"{ROOT}/collections/places"
    decimals = [str(number).rpartition(".")[2] for one in page["features"] for number in one["geometry"]["coordinates"]]
    assert max(map(len, decimals)) <= 7


def test_how_many_match_is_told_once_and_only_where_counting_is_cheap(client: Client, ask: Ask) -> None:
    first = client.get("/ogc/collections/places/items?limit=7").json()
    onward = client.get(rels(first)["next"][0]["href"]).json()
    assert "numberMatched" in first
    assert "numberMatched" not in onward
    assert count_if_cheap(layer("roads"), scope=PUBLIC, most=10) is None
    assert (
        count_if_cheap(layer("roads"), scope=PUBLIC, most=100_000)
        == count_rows(layer("roads"), scope=PUBLIC, exact_up_to=100_000).number
    )


@pytest.mark.parametrize(("given", "got"), [({}, 100), ({"limit": 3}, 3), ({"limit": 10**30}, None)])
def test_limit_is_kept(ask: Ask, given: dict[str, int], got: int | None) -> None:
    page = ask("/collections/buildings/items", **given)
    total = count_rows(layer("buildings"), scope=PUBLIC, exact_up_to=1_000_000).number
    assert total > 100
    assert page["numberReturned"] == min(got or 10_000, total)


def test_pages_give_every_feature_once_whatever_changes_between_them(ask: Ask) -> None:
    ids = sorted(Facility.objects.filter(status="open", retired_at=None).values_list("pk", flat=True))
    page = ask("/collections/places/items", limit=5)
    seen = [one["id"] for one in page["features"]]
    Facility.objects.filter(pk=ids[2]).update(status="closed")
    Facility.objects.filter(pk=ids[7]).update(status="closed")
    copied = Facility.objects.get(pk=ids[0])
    copied.pk, copied.ext_id = None, "another"
    copied.save()
    while following := rels(page).get("next"):
        page = ask(following[0]["href"])
        seen += [one["id"] for one in page["features"]]
    assert seen == [*(pk for pk in ids if pk != ids[7]), copied.pk]


@pytest.mark.parametrize("key", ["places", "roads", "buildings", "regions"])
def test_a_box_finds_what_meets_it_and_nothing_else(ask: Ask, everything: Any, key: str) -> None:
    found = everything(key, limit=10_000)
    west, south, east, north = shapely.total_bounds([shape(one["geometry"]) for one in found])
    middle = shape(found[len(found) // 2]["geometry"]).representative_point()
    wide, high = (east - west) / 5, (north - south) / 5
    part = (middle.x - wide, middle.y - high, middle.x + wide, middle.y + high)
    text = ",".join(str(number) for number in part)
    expected = {one["id"] for one in found if shape(one["geometry"]).intersects(box(*part))}
    assert 0 < len(expected) < len(found) or key == "regions"
    assert {one["id"] for one in everything(key, limit=10_000, bbox=text)} == expected
    raised = ",".join(str(number) for number in (*part[:2], -5, *part[2:], 9_000))
    assert {one["id"] for one in everything(key, limit=10_000, bbox=raised)} == expected
    over = f"{part[0]},{part[1]},-170,{part[3]}"
    around = {one["id"] for one in found if shape(one["geometry"]).intersects(box(part[0], part[1], 180, part[3]))}
    assert {one["id"] for one in everything(key, limit=10_000, bbox=over)} == around


def test_datetime_narrows_layers_whose_features_hold_from_a_moment(ask: Ask, everything: Any) -> None:
    found = everything("catchments", limit=10_000)
    days = sorted({one["properties"]["since"] for one in found})
    assert days, "the tiny city has no catchment: the test would prove nothing"
    day = days[0]
    for text, holds in {
        day: lambda since: since == day,
        f"{day}T12:00:00+08:00": lambda since: since == day,
        f"../{day}": lambda since: since <= day,
        f"/{day}": lambda since: since <= day,
        f"{day}/..": lambda since: since >= day,
        f"1999-01-01/{day}": lambda since: since <= day,
        "1999-01-01T00:00:00Z/1999-12-31t23:59:59z": lambda since: False,
    }.items():
        expected = {one["id"] for one in found if holds(one["properties"]["since"])}
        assert {one["id"] for one in everything("catchments", limit=10_000, datetime=text)} == expected, text
    assert ask("/collections/places/items", datetime="1999-01-01")["numberReturned"] > 0


def test_an_attribute_can_be_asked_for_by_its_name(everything: Any) -> None:
    found = everything("places", limit=10_000)
    kind, name = found[0]["properties"]["kind"], found[0]["properties"]["name"]
    assert {one["id"] for one in everything("places", kind=kind, name=name)} == {
        one["id"] for one in found if (one["properties"]["kind"], one["properties"]["name"]) == (kind, name)
    }
    bridges = everything("roads", limit=10_000, bridge="true")
    assert {one["properties"]["bridge"] for one in bridges} <= {True}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "x"},
        {"limit": "1e3"},
        {"bbox": "1,2,3"},
        {"bbox": "a,b,c,d"},
        {"bbox": "121,31,122,nan"},
        {"bbox": "121,32,122,31"},
        {"bbox": "1000000,1000000,2000000,2000000"},
        {"datetime": "yesterday"},
        {"datetime": "2026-02-30"},
        {"datetime": "../.."},
        {"datetime": "2026-01-01/2025-01-01"},
        {"datetime": "2026-01-01'; DROP TABLE x --"},
        {"after": "5"},
        {"after": "AAAAAAAAAA"},
        {"after": "' OR 1=1"},
        {"nothing": "1"},
        {'name"; DROP TABLE x; --': "1"},
        {"id": "1 OR 1=1"},
        {"f": "xml"},
        {"crs": "EPSG:4326"},
        {"name": "a\x00b"},
    ],
)
def test_what_cannot_be_meant_is_refused(ask: Ask, query: dict[str, str]) -> None:
    told = ask("/collections/places/items", 400, **query)
    assert told["code"]
    assert any("一" <= letter <= "鿿" for letter in told["detail"])


def test_a_parameter_given_twice_is_refused(client: Client, city: None) -> None:
    assert client.get("/ogc/collections/places/items?limit=1&limit=2").json()["code"] == "parameter_twice"
    for path in ("", "/conformance", "/collections", "/collections/places", "/collections/places/queryables"):
        assert client.get(f"/ogc{path}?nothing=1").status_code == 400


# A.2.8 feature


def test_one_feature_is_the_one_of_the_page(ask: Ask) -> None:
    listed = ask("/collections/places/items", limit=1)["features"][0]
    alone = ask(f"/collections/places/items/{listed['id']}")
    assert {key: alone[key] for key in listed} == listed
    assert {"self", "alternate", "collection"} <= set(rels(alone))
    for wrong in ("0", "999999999", "x", "1;2", "９"):
        assert ask(f"/collections/places/items/{wrong}", 404)["code"] == "feature_unknown"


# the ways of HTTP


def test_an_unchanged_answer_is_not_sent_again(client: Client, city: None) -> None:
    for path in (
        "",
        "/conformance",
        "/collections",
        "/collections/places",
        "/collections/places/items?limit=2",
        "/api",
    ):
        first = client.get(f"/ogc{path}")
        again = client.get(f"/ogc{path}", headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    before = client.get("/ogc/collections/places/items?limit=2")["ETag"]
    Facility.objects.filter(status="open", retired_at=None).order_by("pk").first().__class__.objects.filter(
        pk=client.get("/ogc/collections/places/items?limit=2").json()["features"][0]["id"]
    ).update(name="改了名")
    assert client.get("/ogc/collections/places/items?limit=2")["ETag"] != before


def test_head_and_options_are_answered_and_others_are_not(client: Client, city: None) -> None:
    head = client.head("/ogc/collections/places/items?limit=1")
    assert (head.status_code, head["Content-Type"], head.content) == (200, "application/geo+json", b"")
    assert client.options("/ogc/collections")["Allow"] == "GET, HEAD, OPTIONS"
    assert client.post("/ogc/collections").status_code == 405


def test_other_hosts_may_read_when_they_are_listed(client: Client, city: None, settings: Any) -> None:
    settings.CORS_ORIGINS = ["https://map.example"]
    listed = client.get("/ogc", headers={"Origin": "https://map.example"})
    assert listed["Access-Control-Allow-Origin"] == "https://map.example"
    assert "Access-Control-Allow-Origin" not in client.get("/ogc", headers={"Origin": "https://other.example"})


# HTML


def test_a_browser_gets_a_page_and_a_program_gets_json(client: Client, ask: Ask) -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    feature = ask("/collections/places/items", limit=1)["features"][0]["id"]
    for path in (
        "",
        "/api",
        "/conformance",
        "/crs/sh2000",
        "/collections",
        "/collections/places",
        "/collections/places/queryables",
        "/collections/places/items",
        "/collections/roads/items",
        "/collections/regions/items",
        f"/collections/places/items/{feature}",
    ):
        page = client.get(f"/ogc{path}", headers={"Accept": browser})
        assert page["Content-Type"].startswith("text/html"), path
        assert "<h1>" in page.content.decode()
        assert "style=" not in page.content.decode()
        assert client.get(f"/ogc{path}?f=html", headers={"Accept": "application/json"}).content.startswith(b"<!doctype")
        for accept in ("*/*", "application/json", "application/geo+json, text/html;q=0.5", ""):
            assert "json" in client.get(f"/ogc{path}", headers={"Accept": accept})["Content-Type"], (path, accept)
        assert "json" in client.get(f"/ogc{path}?f=json", headers={"Accept": browser})["Content-Type"]


def test_names_are_shown_as_text_on_pages(client: Client, city: None) -> None:
    first = Facility.objects.filter(status="open", retired_at=None).order_by("pk")[0]
    Facility.objects.filter(pk=first.pk).update(name="<script>alert(1)</script>")
    page = client.get("/ogc/collections/places/items?f=html&limit=2").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
