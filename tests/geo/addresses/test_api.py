"""The HTTP API of addresses and of conversion, over the tiny invented city."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from pyproj import Transformer

from fixtures.city.misspelling import chinese_number
from geo.addresses import schemas
from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.models import Address
from geo.crs import SHANGHAI, Coordinate, System, convert
from geo.imports.models import CURRENT

pytestmark = pytest.mark.usefixtures("city")


def get(client: Client, path: str, *, status: int = 200, **params: Any) -> Any:
    response = client.get(f"/api/v1{path}", params)
    assert response.status_code == status, response.content
    return json.loads(response.content)


def post(client: Client, body: Any, *, status: int = 200) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    response = client.post("/api/v1/convert", text, content_type="application/json")
    assert response.status_code == status, response.content
    return json.loads(response.content)


def some(count: int) -> list[Address]:
    return random.Random(6).sample(list(Address.objects.filter(retired_at=None).order_by("id")), count)


def doors(count: int) -> list[Address]:
    """Return doors that no other row shares, with and without a lane."""
    rows = [row for row in Address.objects.filter(CURRENT, suffix="", sub_lane="").order_by("id") if row.number]
    met = Counter((row.road, row.lane, row.number) for row in rows)
    return random.Random(6).sample([row for row in rows if met[row.road, row.lane, row.number] == 1], count)


DIRT: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: text.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    lambda text: text.replace("弄", "巷").replace("号", "＃"),
    lambda text: text.replace("上海市", "上海市 ").replace("号", "号 "),
    lambda text: f"{text}（近路口） 13800138000",
    lambda text: f"中国{text}，联系人：张杉",
    lambda text: text.removeprefix("上海市"),
    lambda text: text.replace("街道", "街道办事处"),
    lambda text: text.removesuffix("室"),
    lambda text: re.sub(r"(\d+)号", lambda match: f"{chinese_number(int(match[1]))}号", text),
)


def written_in_full(row: Address, number: int) -> str:
    """Return 上海市X区X街道X路N弄N号N室 as people write it, each row with another sort of dirt."""
    names = names_of(published_now())
    region = names.region(row.region_id)
    assert region
    street = names.above(region, "street")
    above = street.full_name if street else region.full_name
    room = row.room or "601"
    lane = f"{row.lane}弄" if row.lane else ""
    return DIRT[number % len(DIRT)](f"上海市{above}{row.road}{lane}{row.number}号{room}室")


class TestGeocode:
    def test_the_shape_of_the_answer_in_another_system(self, client: Client) -> None:
        (row,) = some(1)
        body = get(client, "/geocode", q=row.text, crs="gcj02")
        schemas.CandidatesOut.model_validate(body)
        first = body["candidates"][0]
        there = convert(Coordinate(row.geom.x, row.geom.y, System.CGCS2000), System.GCJ02)
        assert (first["lon"], first["lat"]) == (pytest.approx(there.x, abs=1e-6), pytest.approx(there.y, abs=1e-6))
        assert (first["level"], body["crs"], body["demo"]) == ("door", "gcj02", True)
        assert row.text.startswith("上海市" + first["region"]["full_name"][:2])

    def test_the_unknown_is_an_empty_list(self, client: Client) -> None:
        assert get(client, "/geocode", q="火星大道一号")["candidates"] == []

    @pytest.mark.parametrize(
        ("params", "code"),
        [
            ({"q": ""}, "address_empty"),
            ({"q": "路" * 201}, "address_too_long"),
            ({"q": "路" * 10_000}, "address_too_long"),
            ({"q": "国权路", "limit": 0}, "limit_invalid"),
            ({"q": "国权路", "crs": "?"}, "crs_unknown"),
            ({}, "parameter_invalid"),
        ],
    )
    def test_bad_questions(self, client: Client, params: dict[str, Any], code: str) -> None:
        assert get(client, "/geocode", status=400, **params)["code"] == code


class TestReverse:
    def test_a_door_seen_from_where_it_stands(self, client: Client) -> None:
        (row,) = some(1)
        body = get(client, "/reverse", lon=row.geom.x, lat=row.geom.y)
        schemas.CandidatesOut.model_validate(body)
        levels = [candidate["level"] for candidate in body["candidates"]]
        assert levels[0] == "door"
        assert "committee" in levels
        assert body["candidates"][0]["metres"] < 1

    def test_swapped_axes_and_places_elsewhere(self, client: Client) -> None:
        assert get(client, "/reverse", status=400, lon=31.23, lat=121.47)["code"] == "axes_swapped"
        assert get(client, "/reverse", status=400, lon=116.4, lat=39.9)["code"] == "off_map"


class TestSuggest:
    def test_one_box_finds_communities_roads_facilities_and_regions(self, client: Client) -> None:
        from geo.addresses.models import Community
        from services.facilities.models import Facility
        from services.facilities.schemas import SuggestionsOut

        facility = Facility.objects.filter(status="open", kind="nursery").order_by("id")[0]
        community = Community.objects.order_by("id")[0]
        for what, label in (("facility", facility.name), ("community", community.name), ("region", "黄浦区")):
            body = get(client, "/suggest", q=label, limit=30)
            SuggestionsOut.model_validate(body)
            assert (what, label) in [(item["what"], item["label"]) for item in body["suggestions"]]

    def test_limits(self, client: Client) -> None:
        assert get(client, "/suggest", status=400, q="国" * 201)["code"] == "query_too_long"
        assert get(client, "/suggest", status=400, q="国", limit=31)["code"] == "limit_invalid"
        assert get(client, "/suggest", q="，")["suggestions"] == []


class TestConvert:
    @pytest.mark.covers("CM-ISL-11", via="geo.addresses.conversion:convert_items")
    def test_addresses_become_shanghai_2000_coordinates(self, client: Client) -> None:
        rows = doors(300)
        items = [{"id": f"r{n}", "address": written_in_full(row, n)} for n, row in enumerate(rows)]
        items.insert(150, {"id": "wrong", "address": "火星大道一号"})
        body = post(client, {"items": items, "crs": "sh2000"})
        schemas.ConvertOut.model_validate(body)
        assert (body["crs"], body["crs_name"], body["converted"], body["failed"]) == (
            "sh2000",
            "上海2000 平面坐标",
            300,
            1,
        )
        wrong = body["items"].pop(150)
        assert (wrong["id"], wrong["row"], wrong["error"]["code"]) == ("wrong", 151, "address_unknown")
        # An independent projection with the published parameters of the plane.
        plane = Transformer.from_pipeline(
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=tmerc +lat_0=0"
            " +lon_0=121.464444444444 +k=1.00000256185 +x_0=-257.85859273 +y_0=-3457087.73141366 +ellps=GRS80"
        )
        for row, item in zip(rows, body["items"], strict=True):
            east, north = plane.transform(row.geom.x, row.geom.y)
            assert item["level"] == "door", row.text
            assert (item["x"], item["y"]) == (pytest.approx(east, abs=0.005), pytest.approx(north, abs=0.005)), row.text
            assert item["uncertainty_m"] <= 50
        assert any("±1" in note or "控制点" in note for note in body["notes"])
        # The same addresses again give the same coordinates.
        again = post(client, {"items": items, "crs": "sh2000"})
        assert [item for item in again["items"] if item["id"] != "wrong"] == body["items"]

    @pytest.mark.covers("ELD-MAP-06b", via="geo.addresses.conversion:convert_items")
    @pytest.mark.parametrize(
        ("source", "to"), [("wgs84", "webmercator"), ("epsg:4549", "cgcs2000"), ("wgs84", "epsg:4550")]
    )
    def test_ten_thousand_points_at_once_agree_with_proj(self, client: Client, source: str, to: str) -> None:
        chance = np.random.default_rng(1)
        lon, lat = chance.uniform(120.9, 122.1, 10_000), chance.uniform(30.7, 31.8, 10_000)
        # WGS 84 and CGCS2000 are the same numbers, as the platform declares; each plane is projected from its own datum.
        numbers = {"wgs84": (4326, 4326), "cgcs2000": (4490, 4490), "webmercator": (4326, 3857)}
        numbers |= {"epsg:4549": (4490, 4549), "epsg:4550": (4490, 4550)}
        x, y = Transformer.from_crs(*numbers[source], always_xy=True).transform(lon, lat)
        want_x, want_y = Transformer.from_crs(*numbers[to], always_xy=True).transform(lon, lat)
        body = post(
            client, {"items": [{"x": a, "y": b} for a, b in zip(x, y, strict=True)], "crs_from": source, "crs": to}
        )
        assert (body["converted"], body["failed"], body["demo"]) == (10_000, 0, False)
        got = np.array([(item["x"], item["y"]) for item in body["items"]])
        tolerance = 1e-8 if to == "cgcs2000" else 1e-3
        assert np.abs(got[:, 0] - want_x).max() < tolerance
        assert np.abs(got[:, 1] - want_y).max() < tolerance
        assert [item["row"] for item in body["items"]] == list(range(1, 10_001))

    def test_there_and_back_through_shifted_datums(self, client: Client) -> None:
        points = [{"x": 121.4737, "y": 31.2304}, {"x": 121.9, "y": 30.9}]
        for system in ("gcj02", "bd09", "sh2000"):
            there = post(client, {"items": points, "crs": system})["items"]
            back = post(client, {"items": there, "crs_from": system, "crs": "wgs84"})["items"]
            for point, item in zip(points, back, strict=True):
                assert (item["x"], item["y"]) == (
                    pytest.approx(point["x"], abs=2e-9),
                    pytest.approx(point["y"], abs=2e-9),
                )

    def test_a_bad_item_is_named_and_the_others_are_answered(self, client: Client) -> None:
        bad = [
            ({"x": 31.23, "y": 121.47}, "axes_swapped"),
            ({"x": 0, "y": 0}, "outside_system"),
            ({"x": "abc", "y": 1}, "coordinates_invalid"),
            ({"x": True, "y": 1}, "coordinates_invalid"),
            ({"x": 1e300, "y": 1}, "coordinates_invalid"),
            ({"x": 121.4}, "coordinates_invalid"),
            ({}, "coordinates_invalid"),
            ("121.4,31.2", "item_invalid"),
            (None, "item_invalid"),
            ({"address": 5}, "address_invalid"),
            ({"address": "路" * 201}, "address_invalid"),
        ]
        good = {"x": 121.4737, "y": 31.2304, "id": 7}
        body = post(client, {"items": [good, *(item for item, _ in bad), good], "crs": "sh2000"})
        assert [item["error"]["code"] for item in body["items"] if "error" in item] == [code for _, code in bad]
        assert (body["converted"], body["failed"]) == (2, len(bad))
        assert body["items"][0]["id"] == "7"
        east, north = SHANGHAI.plane.forward(121.4737, 31.2304)
        assert (body["items"][-1]["x"], body["items"][-1]["y"]) == (
            pytest.approx(float(east), abs=1e-3),
            pytest.approx(float(north), abs=1e-3),
        )

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ("{", 400, "json_invalid"),
            ("[]", 400, "json_invalid"),
            ("[" * 100_000, 400, "json_invalid"),
            (b"\xff\xfe", 400, "json_invalid"),
            ({"items": {}}, 400, "items_invalid"),
            ({"items": []}, 400, "items_empty"),
            ({"items": [1], "crs": "mars"}, 400, "crs_unknown"),
            ({"items": [1], "crs": 5}, 400, "crs_unknown"),
            ({"items": [1], "crs_from": "beijing54"}, 400, "crs_unsupported"),
            ({"items": [0] * 10_001}, 413, "items_too_many"),
            ({"items": ["x" * 1_100_000]}, 413, "body_too_large"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_read_is_refused(self, client: Client, body: Any, status: int, code: str) -> None:
        assert post(client, body, status=status)["code"] == code
