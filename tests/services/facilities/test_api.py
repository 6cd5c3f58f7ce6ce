"""The HTTP API of facilities: shapes, systems, errors that teach, caching and limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from shapely.geometry import Point, shape

from geo.crs import Coordinate, System, convert
from geo.imports.importer import tell_followers
from geo.imports.models import Family, Source
from services.facilities import schemas
from services.facilities.queries import city_now
from tests.services.facilities.conftest import World, spot

CENTRE = spot(0, 0)


class Api:
    """Asks the API and insists on JSON and a status."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, path: str, *, status: int = 200, headers: dict[str, str] | None = None, **params: Any) -> Any:
        response = self.client.get(f"/api/v1{path}", params, headers=headers or {})
        assert response.status_code == status, response.content
        kind = "application/json" if status == 200 else "application/problem+json"
        assert response["Content-Type"].startswith(kind)
        return json.loads(response.content)

    def circle(self, **params: Any) -> Any:
        return self("/circle", **({"lon": CENTRE[0], "lat": CENTRE[1]} | params))


@pytest.fixture
def api(client: Client) -> Api:
    return Api(client)


@pytest.fixture
def town(world: World, roads: Any) -> World:
    for n, kind in enumerate(["nursery", "nursery", "canteen"]):
        lon, lat = spot(300 * (n + 1), 0)
        world.facility(f"第{n + 1}家", lon=lon, lat=lat, kind=kind, hours={"mon": [["08:00", "17:00"]]})
    return world


class TestCircle:
    def test_the_shape_of_the_answer(self, town: World, api: Api) -> None:
        body = api.circle(minutes=15, mode="walk", kinds="nursery", crs="wgs84")
        schemas.CircleOut.model_validate(body, strict=False)
        assert body["origin"] == {
            "lon": pytest.approx(CENTRE[0], abs=1e-6),
            "lat": pytest.approx(CENTRE[1], abs=1e-6),
            "snap_m": pytest.approx(0, abs=0.2),
        }
        assert [(place["name"], place["minutes"], place["metres"]) for place in body["places"]] == [
            ("第1家", 5, pytest.approx(300, abs=1)),
            ("第2家", 9, pytest.approx(600, abs=1)),
        ]
        assert body["isochrone"]["type"] == "Feature"
        assert shape(body["isochrone"]["geometry"]).covers(Point(CENTRE))
        assert body["assumptions"]["speed_mps"] == 1.25
        assert body["assumptions"]["as_of"] == "2026-10-01"
        assert (body["crs"], body["demo"], body["total"], body["empty"]) == ("wgs84", True, 2, None)
        assert "演示数据" in body["note"]
        assert "crs" not in body["isochrone"]

    @pytest.mark.parametrize("crs", ["gcj02", "bd09", "sh2000", "webmercator", "epsg:4550"])
    def test_asked_in_a_system_it_answers_in_that_system(self, town: World, api: Api, crs: str) -> None:
        system = System.parse(crs)
        there = convert(Coordinate(*CENTRE, System.CGCS2000), system)
        plain, body = api.circle(), api.circle(lon=there.x, lat=there.y, crs=crs)
        tolerance = 2e-6 if system.is_geographic else 0.3
        assert body["crs"] == crs
        assert body["isochrone"]["crs"] == {"type": "name", "properties": {"name": crs}}
        assert [place["metres"] for place in body["places"]] == pytest.approx(
            [place["metres"] for place in plain["places"]], abs=1
        )
        place = convert(Coordinate(plain["places"][0]["lon"], plain["places"][0]["lat"], System.WGS84), system)
        assert body["places"][0]["lon"] == pytest.approx(place.x, abs=tolerance)
        assert body["places"][0]["lat"] == pytest.approx(place.y, abs=tolerance)
        ring = body["isochrone"]["geometry"]["coordinates"][0][0]
        assert Point(there.x, there.y).within(shape(body["isochrone"]["geometry"]))
        assert ring[0] == ring[-1]

    def test_bands_are_given_when_asked_for(self, town: World, api: Api) -> None:
        body = api.circle(bands="true", minutes=15)
        assert [feature["properties"]["minutes"] for feature in body["bands"]["features"]] == [5, 10, 15]
        assert body["bands"]["features"][-1] == body["isochrone"]

    def test_nothing_found_says_why_and_what_next(self, town: World, api: Api) -> None:
        empty = api.circle(kinds="canteen", minutes=5)["empty"]
        assert empty["message"] == "步行 5 分钟内没有长者食堂。放宽到 30 分钟有 1 家。"
        assert empty["steps"] == [{"text": "放宽到 30 分钟有 1 家", "changes": {"minutes": 30}, "count": 1}]

    @pytest.mark.parametrize(
        ("params", "code", "words"),
        [
            ({"lon": 31.2304, "lat": 121.4737}, "axes_swapped", "经纬度好像写反了"),
            ({"lon": 116.4, "lat": 39.9}, "off_map", "不在上海市范围内"),
            ({"lon": 999}, "off_map", "范围"),
            ({"lon": "nan"}, "coordinates_not_finite", "数字"),
            ({"lat": "inf"}, "coordinates_not_finite", "数字"),
            ({"lon": "here"}, "parameter_invalid", "lon"),
            ({"lon": ""}, "parameter_invalid", "lon"),
            ({"minutes": 0}, "minutes_out_of_range", "1 到 60 分钟"),
            ({"minutes": 61}, "minutes_out_of_range", "1 到 60 分钟"),
            ({"minutes": -5}, "minutes_out_of_range", "1 到 60 分钟"),
            ({"minutes": 46, "mode": "car"}, "minutes_out_of_range", "1 到 45 分钟"),
            ({"minutes": "1e9"}, "parameter_invalid", "minutes"),
            ({"mode": "fly"}, "mode_unknown", "walk"),
            ({"kinds": "nursery,spaceport"}, "kind_unknown", "spaceport"),
            ({"crs": "mars"}, "crs_unknown", "mars"),
            ({"crs": "epsg:4214"}, "crs_unsupported", "54"),
            ({"limit": 100000}, "limit_invalid", "条数"),
            ({"age_months": "abc"}, "filter_invalid", "月龄"),
            ({"has_vacancy": "perhaps"}, "filter_invalid", "has_vacancy"),
        ],
    )
    def test_what_cannot_be_meant_is_refused_with_words_that_help(
        self, town: World, api: Api, params: dict[str, Any], code: str, words: str
    ) -> None:
        problem = api.circle(status=400, **params)
        assert (problem["code"], problem["status"]) == (code, 400)
        assert words in problem["detail"]

    def test_an_unknown_kind_is_told_the_known_ones(self, town: World, api: Api) -> None:
        assert {"childcare", "nursery", "bus_stop"} <= set(api.circle(status=400, kinds="x")["known"])

    def test_swapped_axes_come_with_the_right_ones(self, town: World, api: Api) -> None:
        problem = api.circle(status=400, lon=31.2304, lat=121.4737)
        assert problem["suggestion"] == {"lon": 121.4737, "lat": 31.2304}

    def test_the_sea_has_no_circle_and_says_so(self, town: World, api: Api) -> None:
        body = api.circle(lon=122.2, lat=30.8)
        assert body["places"] == []
        assert body["isochrone"]["geometry"]["coordinates"] == []
        assert body["origin"]["snap_m"] is None
        assert body["empty"]["code"] == "origin_off_map"


class TestKeeping:
    @pytest.fixture(autouse=True)
    def _one_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = city_now()
        monkeypatch.setattr("services.facilities.api.city_now", lambda: now)

    def test_the_same_question_is_answered_the_same_and_304_when_known(self, town: World, client: Client) -> None:
        params = {"lon": CENTRE[0], "lat": CENTRE[1]}
        first = client.get("/api/v1/circle", params)
        again = client.get("/api/v1/circle", params)
        assert first.content == again.content
        assert first["Cache-Control"] == "public, max-age=60"
        known = client.get("/api/v1/circle", params, headers={"If-None-Match": first["ETag"]})
        assert (known.status_code, known.content, known["ETag"]) == (304, b"", first["ETag"])

    def test_a_kept_answer_asks_nothing_of_the_database(self, town: World, client: Client) -> None:
        params = {"lon": CENTRE[0], "lat": CENTRE[1], "kinds": "nursery", "meals": "1"}
        with CaptureQueriesContext(connection) as found:
            first = client.get("/api/v1/circle", params)
        with CaptureQueriesContext(connection) as kept:
            again = client.get("/api/v1/circle", params)
        assert (first.status_code, again.content) == (200, first.content)
        assert len(found) > 0
        assert len(kept) == 0

    def test_what_is_published_is_seen_at_once(
        self, town: World, api: Api, django_capture_on_commit_callbacks: Any
    ) -> None:
        assert api.circle()["demo"] is True
        Source.objects.update(provenance="real")
        assert api.circle()["demo"] is True, "kept: nothing was said to be published"
        with django_capture_on_commit_callbacks(execute=True):
            tell_followers(frozenset({Family.POPULATION}))
        assert api.circle()["demo"] is False

    def test_a_vacancy_reported_is_seen_at_once(
        self, town: World, api: Api, django_capture_on_commit_callbacks: Any
    ) -> None:
        from geo.scope import Scope
        from services.facilities.actions import report_capacity

        place = api.circle(kinds="nursery")["places"][0]
        assert place["vacancies"] is None
        with django_capture_on_commit_callbacks(execute=True):
            report_capacity(facility_id=place["id"], places=20, vacancies=3, scope=Scope.system("test"))
        place = api.circle(kinds="nursery")["places"][0]
        assert (place["vacancies"], place["vacancies_text"], place["vacancies_fresh"]) == (3, "余位 3", True)

    def test_too_many_from_one_address_are_told_when_to_come_back(
        self, town: World, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from limits import RateLimitItemPerMinute

        from web.api.limits import HEAVY

        monkeypatch.setattr(HEAVY, "anonymous", RateLimitItemPerMinute(3))
        params = {"lon": CENTRE[0], "lat": CENTRE[1]}
        ask = {"path": "/api/v1/circle", "data": params}
        statuses = [client.get(**ask, headers={"X-Real-IP": "203.0.113.7"}).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = client.get(**ask, headers={"X-Real-IP": "203.0.113.7"})
        assert refused.json()["code"] == "too_many_requests"
        assert 1 <= int(refused["Retry-After"]) <= 60
        assert client.get(**ask, headers={"X-Real-IP": "203.0.113.8"}).status_code == 200


class TestNearest:
    def test_in_a_straight_line_and_by_road(self, town: World, api: Api) -> None:
        lon, lat = spot(250, 310)
        town.facility("斜", lon=lon, lat=lat)
        ask = {"lon": CENTRE[0], "lat": CENTRE[1], "k": 3}
        straight = api("/nearest", **ask)
        schemas.NearestOut.model_validate(straight)
        assert [(place["name"], place["metres"]) for place in straight["places"]] == [
            ("第1家", 300),
            ("斜", 398),
            ("第2家", 600),
        ]
        by_road = api("/nearest", mode="walk", **ask)
        schemas.NearestOut.model_validate(by_road)
        assert [place["name"] for place in by_road["places"]] == ["第1家", "斜", "第2家"]
        assert by_road["places"][1]["metres"] == pytest.approx(570, abs=12)
        assert by_road["places"][1]["minutes"] == 8

    def test_off_the_roads_says_why(self, town: World, api: Api) -> None:
        body = api("/nearest", lon=122.2, lat=30.8, mode="walk")
        assert (body["places"], body["empty"]["code"]) == ([], "origin_off_map")

    def test_k_is_limited(self, town: World, api: Api) -> None:
        assert api("/nearest", status=400, lon=CENTRE[0], lat=CENTRE[1], k=1000)["code"] == "k_invalid"


class TestPlaces:
    def test_all_pages_hold_every_place_once(self, town: World, api: Api) -> None:
        found, cursor = [], ""
        for _ in range(10):
            body = api("/places", limit=2, cursor=cursor)
            schemas.PlacesOut.model_validate(body)
            found += [place["name"] for place in body["places"]]
            cursor = body["next"]
            if cursor is None:
                break
        assert found == ["第1家", "第2家", "第3家"]

    def test_by_box_kind_words_and_distance(self, town: World, api: Api) -> None:
        west, south = spot(200, -50)
        east, north = spot(700, 50)
        boxed = api("/places", bbox=f"{west},{south},{east},{north}")
        assert [place["name"] for place in boxed["places"]] == ["第1家", "第2家"]
        assert [place["name"] for place in api("/places", kinds="eldercare")["places"]] == ["第3家"]
        assert [place["name"] for place in api("/places", q="第2")["places"]] == ["第2家"]
        lon, lat = spot(900, 0)
        near = api("/places", lon=lon, lat=lat)["places"]
        assert [(place["name"], place["metres"]) for place in near] == [("第3家", 0), ("第2家", 300), ("第1家", 600)]

    @pytest.mark.parametrize(
        ("params", "status", "code"),
        [
            ({"q": "国" * 201}, 400, "query_too_long"),
            ({"q": "国" * 10_000}, 400, "query_too_long"),
            ({"q": "。，"}, 400, "query_empty"),
            ({"bbox": "1,2,3"}, 400, "bbox_invalid"),
            ({"bbox": "121.5,31.2,121.4,31.3"}, 400, "bbox_invalid"),
            ({"bbox": "nan,31.2,121.4,31.3"}, 400, "bbox_invalid"),
            ({"bbox": "31.2,121.4,31.3,121.5"}, 400, "axes_swapped"),
            ({"limit": 201}, 400, "limit_invalid"),
            ({"cursor": "AAAA"}, 400, "cursor_invalid"),
            ({"order": "size"}, 400, "order_invalid"),
            ({"order": "distance"}, 400, "order_invalid"),
            ({"region": "990000"}, 404, "region_unknown"),
            ({"region": "31\x00"}, 404, "region_unknown"),
            ({"cursor": "WyJuYW1lIiwiXHUwMDAwIiwxXQ"}, 400, "cursor_invalid"),
            ({"cursor": "WyJuYW1lIiwiYSIsOTk5OTk5OTk5OTk5OTk5OTk5OTld"}, 400, "cursor_invalid"),
            ({"age_months": "9" * 5000}, 400, "filter_invalid"),
            ({"kinds": "x"}, 400, "kind_unknown"),
        ],
    )
    def test_bad_questions(self, town: World, api: Api, params: dict[str, str], status: int, code: str) -> None:
        assert api("/places", status=status, **params)["code"] == code

    def test_control_characters_are_not_searched_for(self, town: World, api: Api) -> None:
        assert [place["name"] for place in api("/places", q="第\x002")["places"]] == ["第2家"]
        assert api("/suggest", q="第\x002")["suggestions"][0]["label"] == "第2家"
        assert api("/geocode", q="\x00\x01")["candidates"] == []

    def test_one_in_detail(self, town: World, api: Api) -> None:
        place = api("/places", q="第1家")["places"][0]
        detail = api(f"/places/{place['id']}", crs="gcj02")
        schemas.DetailOut.model_validate(detail)
        moved = convert(Coordinate(place["lon"], place["lat"], System.WGS84), System.GCJ02)
        assert (detail["lon"], detail["lat"]) == (pytest.approx(moved.x, abs=2e-7), pytest.approx(moved.y, abs=2e-7))
        assert detail["week"][0] == {"days": "周一", "hours": "08:00–17:00"}
        assert api("/places/999999999", status=404)["code"] == "facility_unknown"

    def test_a_facility_in_preparation_needs_the_duty(self, town: World, client: Client) -> None:
        town.facility("筹备", status="preparing")
        response = client.get("/api/v1/places", {"status": "preparing"})
        assert (response.status_code, response.json()["places"]) == (200, [])
        refused = client.get("/api/v1/places", {"status": "sleeping"})
        assert (refused.status_code, refused.json()["code"]) == (400, "status_unknown")


class TestKinds:
    def test_every_kind_with_its_count(self, town: World, api: Api) -> None:
        body = api("/kinds")
        schemas.KindsOut.model_validate(body)
        counts = {kind["key"]: kind["count"] for group in body["groups"] for kind in group["kinds"]}
        assert (counts["nursery"], counts["canteen"], counts["park"]) == (2, 1, 0)
        assert [group["name"] for group in body["groups"]] == [
            "托育",
            "幼儿园",
            "养老",
            "便民",
            "垃圾分类",
            "民政",
            "交通",
            "旅游",
            "休闲",
        ]


class TestDocumentation:
    def test_every_route_is_described_in_chinese_with_examples(self, client: Client) -> None:
        document = client.get("/api/openapi.json").json()
        paths = {path for path in document["paths"] if path.startswith("/api/v1/")}
        assert {"/api/v1/circle", "/api/v1/nearest", "/api/v1/places", "/api/v1/kinds"} <= paths
        for path in paths:
            for operation in document["paths"][path].values():
                assert any("\u4e00" <= char <= "\u9fff" for char in operation.get("summary", "")), path
                assert any("\u4e00" <= char <= "\u9fff" for char in operation.get("description", "")), path
        circle = document["paths"]["/api/v1/circle"]["get"]
        examples = {p["name"]: p["schema"].get("examples") for p in circle["parameters"]}
        assert examples["lon"] == [121.4737]
