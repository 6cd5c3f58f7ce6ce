"""Regions over HTTP: at a point in any system, lists, boundaries, and what is said to mistakes."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from django.test import Client

from geo.crs import Coordinate, System, convert
from geo.imports.models import Provenance, Source
from geo.regions.queries import records_of
from tests.geo.regions.builders import cells, centre, code, draft, drawn, published

pytestmark = pytest.mark.django_db
MAP = "AABB\nACCB"


def get(path: str, **query: Any) -> Any:
    response = Client().get(f"/api/v1/{path}", query)
    return response.status_code, response.json()


@pytest.mark.parametrize("system", ["wgs84", "cgcs2000", "gcj02", "bd09", "sh2000", "webmercator", "epsg:4549"])
def test_a_point_in_any_system_is_in_the_same_regions(system: str) -> None:
    published(drawn(MAP))
    point = convert(Coordinate(*centre(1, 1), System.CGCS2000), System.parse(system))
    status, body = get("regions/at", lon=point.x, lat=point.y, crs=system)
    assert status == 200
    assert [each["name"] for each in body["regions"]] == ["上海市", "黄浦区", "C街道"]
    assert (body["crs"], body["edition"]["name"], body["demo"]) == (system, "试验版", False)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"lon": 31.29, "lat": 121.41}, "axes_swapped"),
        ({"lon": 116.4, "lat": 39.9}, "off_map"),
        ({"lon": "nan", "lat": 31.2}, "coordinates_not_finite"),
        ({"lon": 121.4, "lat": 31.2, "crs": "mars"}, "crs_unknown"),
        ({"lon": 121.4, "lat": 31.2, "crs": "epsg:4214"}, "crs_unsupported"),
        ({"lon": "abc", "lat": 31.2}, "parameter_invalid"),
        ({"lon": 121.4}, "parameter_invalid"),
    ],
)
def test_a_mistaken_point_is_told_in_chinese(query: dict[str, Any], expected: str) -> None:
    status, body = get("regions/at", **query)
    assert (status, body["code"]) == (400, expected)
    assert any("一" <= sign <= "鿿" for sign in body["detail"])


def test_on_the_water_nothing_is_found_and_the_answer_says_so() -> None:
    published(drawn(MAP))
    status, body = get("regions/at", lon=122.0, lat=31.0)
    assert (status, body["regions"], body["edition"]) == (200, [], None)
    assert "不在" in body["reason"]


def test_lists_by_parent_level_and_name() -> None:
    published(drawn(MAP, {"B": "外滩街道"}))
    assert [each["code"] for each in get("regions")[1]["regions"]] == ["310101"]
    streets = get("regions", parent="310101")[1]["regions"]
    assert [each["code"] for each in streets] == [code(letter) for letter in "ABC"]
    assert [each["code"] for each in get("regions", parent="310000", level="street")[1]["regions"]] == [
        code(letter) for letter in "ABC"
    ]
    assert [each["name"] for each in get("regions", q="外滩")[1]["regions"]] == ["外滩街道"]
    assert get("regions", q="%")[1]["regions"] == []
    assert get("regions", parent="999999")[0] == 404
    assert streets[0]["parent_code"] == "310101"


def test_pages_follow_each_other_without_repeating() -> None:
    published(drawn("ABCDE"))
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        body = get("regions", parent="310101", limit=2, cursor=cursor)[1]
        seen += [each["code"] for each in body["regions"]]
        cursor = body["next"]
    assert seen == [code(letter) for letter in "ABCDE"]


def test_boundaries_come_as_geojson_in_the_asked_system() -> None:
    edition = published(drawn(MAP))
    body = get("regions", parent="310101", format="geojson")[1]
    kept = {each.code: each.polygon for each in records_of(edition)}
    assert body["type"] == "FeatureCollection"
    for feature in body["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        assert shapely.hausdorff_distance(shape, kept[feature["properties"]["code"]]) < 1e-7
        flat = shapely.get_coordinates(shape).ravel().tolist()
        assert all(round(number, 7) == number for number in flat)
    shifted = get("regions", parent="310101", format="geojson", crs="gcj02")[1]
    first = shapely.geometry.shape(shifted["features"][0]["geometry"])
    assert 0.004 < shapely.hausdorff_distance(first, kept[shifted["features"][0]["properties"]["code"]]) < 0.008


def test_a_draft_is_nobodys_answer() -> None:
    draft(drawn(MAP))
    assert get("regions")[1]["regions"] == []
    assert get("regions/at", lon=centre(0, 0)[0], lat=centre(0, 0)[1])[1]["regions"] == []


def test_invented_regions_are_called_so() -> None:
    from django.utils import timezone

    published(drawn(MAP), provenance=Provenance.INVENTED)
    Source.objects.update(published_at=timezone.now())
    body = get("regions")[1]
    assert body["demo"] is True
    assert "演示数据" in body["note"]


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 10_000}, {"level": "村"}, {"format": "kml"}, {"q": "外" * 10_000}]
)
def test_parameters_out_of_range_are_refused(query: dict[str, Any]) -> None:
    assert get("regions", **query)[0] == 400


def test_the_centre_of_a_square_is_where_the_test_thinks() -> None:
    assert shapely.intersects_xy(cells(MAP, "C"), *centre(1, 1))
