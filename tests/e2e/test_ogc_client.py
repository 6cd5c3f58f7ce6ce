"""Journey 8: a GIS officer adds ``/ogc``; layers, paging, filters and coordinate systems work, asked for as QGIS asks."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import quote, urlencode

import pyproj
from shapely.geometry import shape

from tests.e2e.conftest import faults_of


def get(address: str, accept: str = "application/geo+json, application/json") -> Any:
    """Return a document as QGIS gets it: by the links it was given and what it accepts."""
    request = urllib.request.Request(address, headers={"Accept": accept, "User-Agent": "QGIS/34000"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def rel(document: dict[str, Any], name: str) -> str:
    return str(
        next(one["href"] for one in document["links"] if one["rel"] == name and "html" not in one.get("type", ""))
    )


def test_a_gis_officer_adds_the_service_and_works_with_it(live_city: str) -> None:
    landing = get(f"{live_city}/ogc", "application/json")
    api = get(rel(landing, "service-desc"), "application/vnd.oai.openapi+json;version=3.0")
    assert api["paths"]["/collections/{collectionId}/items"]["get"]
    told = get(rel(landing, "conformance"))["conformsTo"]
    assert any(uri.endswith("ogcapi-features-2/1.0/conf/crs") for uri in told)
    assert any(uri.endswith("cql2/1.0/conf/basic-cql2") for uri in told)
    layers = {one["id"]: one for one in get(rel(landing, "data"))["collections"]}
    places = layers["places"]
    assert places["title"] == "服务设施"

    # paging
    page = get(rel(places, "items") + "&limit=10")
    everything, matched = list(page["features"]), page["numberMatched"]
    while following := [one["href"] for one in page["links"] if one["rel"] == "next"]:
        page = get(following[0])
        everything += page["features"]
    assert len({one["id"] for one in everything}) == len(everything) == matched > 10

    # what is seen in the window of the map, narrowed by a condition
    items = f"{live_city}/ogc/collections/places/items"
    lon, lat = everything[0]["geometry"]["coordinates"]
    kind = everything[0]["properties"]["kind"]
    window = (lon - 0.02, lat - 0.02, lon + 0.02, lat + 0.02)
    query = {
        "bbox": ",".join(map(str, window)),
        "filter": f"(\"kind\" = '{kind}')",
        "filter-lang": "cql2-text",
        "limit": "1000",
    }
    seen = {one["id"] for one in get(f"{items}?{urlencode(query)}")["features"]}
    assert seen == {
        one["id"]
        for one in everything
        if one["properties"]["kind"] == kind
        and window[0] <= one["geometry"]["coordinates"][0] <= window[2]
        and window[1] <= one["geometry"]["coordinates"][1] <= window[3]
    }

    # systems, in the order their authority declares
    for uri in places["crs"]:
        if not uri.startswith("http://www.opengis.net"):
            continue
        answer = get(f"{items}/{everything[0]['id']}?crs={quote(uri, safe='')}")
        moved = pyproj.Transformer.from_crs("OGC:CRS84", pyproj.CRS(uri)).transform(lon, lat)
        drift = shape(answer["geometry"]).distance(shape({"type": "Point", "coordinates": moved}))
        assert drift < (1e-6 if max(moved) < 360 else 0.02), uri


def test_the_pages_of_the_service_are_for_people_too(live_city: str, open_page: Any) -> None:
    for width in (390, 1440):
        page = open_page(width, 900)
        page.goto(f"{live_city}/ogc?f=html")
        page.get_by_role("link", name="有哪些图层").click()
        page.get_by_role("link", name="服务设施", exact=True).click()
        page.get_by_role("link", name="翻看要素").click()
        first = page.locator("tbody tr a").first.text_content()
        assert page.locator("svg path.point").count() == 20
        assert faults_of(page) == []
        page.get_by_role("link", name="下一页").click()
        assert page.locator("tbody tr a").first.text_content() != first
        page.get_by_role("link", name="回到第一页").click()
        assert page.locator("tbody tr a").first.text_content() == first
        page.locator("tbody tr a").first.click()
        assert page.get_by_text("要素编号").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
