"""The way to one place: the very time and length that the circle gives it, on a line that keeps to the streets."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any

import numpy as np
import pytest
from django.contrib.gis.geos import LineString
from django.test import Client
from shapely.geometry import shape

from geo.crs import SHANGHAI, Coordinate, System, convert
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, NotFound
from geo.roads.models import Closure, RoadSegment
from geo.scope import Scope
from services.facilities import schemas
from services.facilities.circle import circle
from services.facilities.ground import current_graph
from services.facilities.journeys import LONGEST
from services.facilities.way import NoWay, Way, way_to
from tests.services.facilities.conftest import World, spot
from tests.services.facilities.test_queries import NOON

PUBLIC = Scope.public()


def point(east: float, north: float) -> Coordinate:
    return Coordinate(*spot(east, north), System.CGCS2000)


def on_plane(way: Way) -> np.ndarray:
    east, north = SHANGHAI.plane.forward(way.line[:, 0].copy(), way.line[:, 1].copy())
    return np.stack((east, north), axis=1)


@pytest.fixture
def town(world: World, roads: Any) -> World:
    return world


def put(town: World, east: float, north: float, **fields: Any) -> int:
    lon, lat = spot(east, north)
    return int(town.facility(lon=lon, lat=lat, **fields).pk)


class TestWay:
    def test_time_and_length_are_those_of_the_streets(self, town: World) -> None:
        place_id = put(town, 300, 430, name="对角")
        way = way_to(scope=PUBLIC, origin=point(0, -20), place_id=place_id, now=NOON)
        assert way.reached.place.name == "对角"
        assert way.reached.metres == pytest.approx(300 + 450, abs=0.5)
        assert way.reached.straight_m == pytest.approx(np.hypot(300, 450), abs=0.5)
        assert way.reached.seconds == pytest.approx(750 / 1.25, abs=0.5)
        assert way.reached.minutes == 10
        steps = np.abs(np.diff(on_plane(way), axis=0))
        assert np.hypot(*steps.T).sum() == pytest.approx(750, abs=0.5)
        # Every stretch runs along one street: east or north, never across a block.
        assert steps.min(axis=1).max() < 0.05
        assert on_plane(way)[0] == pytest.approx([0, -20], abs=0.02)
        assert on_plane(way)[-1] == pytest.approx([300, 430], abs=0.02)

    def test_every_place_of_a_circle_is_as_far_by_its_way(self, town: World) -> None:
        chance = random.Random(11)
        for _ in range(120):
            put(town, chance.uniform(-1150, 1150), chance.uniform(-1150, 1150))
        for mode in ("walk", "elder", "bicycle", "car"):
            origin = point(chance.uniform(-400, 400), chance.uniform(-400, 400))
            found = circle(scope=PUBLIC, origin=origin, minutes=30, mode=mode, now=NOON).places
            assert len(found) > 60
            for one in found:
                way = way_to(scope=PUBLIC, origin=origin, place_id=one.place.id, mode=mode, now=NOON).reached
                assert way.seconds == pytest.approx(one.seconds, abs=0.05)
                assert way.metres == pytest.approx(one.metres, abs=0.2)
                assert way.straight_m == pytest.approx(one.straight_m, abs=0.01)
                assert way.minutes == one.minutes

    def test_beyond_the_circle_the_way_is_still_known(self, town: World) -> None:
        place_id = put(town, 1100, 1100)
        assert circle(scope=PUBLIC, origin=point(0, 0), minutes=15, now=NOON).total == 0
        assert way_to(scope=PUBLIC, origin=point(0, 0), place_id=place_id, now=NOON).reached.minutes == 30

    def test_one_who_stands_at_the_door_has_a_line_of_two_ends(self, town: World) -> None:
        place_id = put(town, 100, 50)
        way = way_to(scope=PUBLIC, origin=point(100, 50), place_id=place_id, now=NOON)
        assert len(way.line) >= 2
        assert np.abs(on_plane(way) - [100, 50]).max() < 0.1
        assert (way.reached.minutes, round(way.reached.metres)) == (1, 0)

    def test_a_closed_street_is_gone_round_as_in_the_list(self, town: World) -> None:
        place_id = put(town, 150, 0)
        graph = current_graph()
        x, y = graph.node_x + graph.meta.origin[0], graph.node_y + graph.meta.origin[1]
        cost = graph.travels["walk"].cost
        away = np.hypot((x[cost["u"]] + x[cost["v"]]) / 2 - 50, (y[cost["u"]] + y[cost["v"]]) / 2)
        segment = RoadSegment.objects.create(
            id=int(graph.ext_id[int(np.argmin(away))]),
            source=town.publish("roads"),
            ext_id="closed",
            from_node=1,
            to_node=2,
            highway="residential",
            length_m=100,
            geom=LineString(spot(0, 0), spot(100, 0), srid=CGCS2000),
        )
        Closure.objects.create(segment=segment, from_time=NOON - dt.timedelta(hours=1), reason="施工", actor="test")
        way = way_to(scope=PUBLIC, origin=point(0, 0), place_id=place_id, now=NOON)
        (listed,) = circle(scope=PUBLIC, origin=point(0, 0), now=NOON).places
        assert way.reached.metres == pytest.approx(350, abs=1)
        assert way.reached.seconds == pytest.approx(listed.seconds, abs=0.05)


class TestNoWay:
    @pytest.mark.parametrize(
        ("east", "code"), [(30_000, "origin_off_map"), (1_720, "origin_no_road_near")], ids=["far out", "no road"]
    )
    def test_from_where_there_is_no_road(self, town: World, east: float, code: str) -> None:
        place_id = put(town, 0, 0)
        with pytest.raises(NoWay) as refusal:
            way_to(scope=PUBLIC, origin=point(east, 0), place_id=place_id, now=NOON)
        assert refusal.value.code == code

    def test_to_a_place_without_a_road(self, town: World) -> None:
        place_id = put(town, 0, 1_720, name="田里")
        with pytest.raises(NoWay) as refusal:
            way_to(scope=PUBLIC, origin=point(0, 0), place_id=place_id, now=NOON)
        assert refusal.value.code == "place_no_road_near"
        assert "“田里”附近没有" in refusal.value.message

    def test_beyond_the_most_minutes_of_the_mode(self, town: World, monkeypatch: pytest.MonkeyPatch) -> None:
        place_id = put(town, 1100, 1100, name="远处")
        monkeypatch.setattr("services.facilities.way.LONGEST", {**LONGEST, "walk": 29})
        with pytest.raises(NoWay) as refusal:
            way_to(scope=PUBLIC, origin=point(0, 0), place_id=place_id, now=NOON)
        assert (refusal.value.code, refusal.value.detail) == ("no_way", {"most": 29})
        assert "29 分钟内走不到“远处”" in refusal.value.message

    def test_to_what_nobody_may_see(self, town: World) -> None:
        hidden = put(town, 0, 0, status="preparing")
        other = town.publish("facilities", published=False)
        unpublished = put(town, 0, 0, source=other)
        for place_id in (hidden, unpublished, 0, -1, 10**30):
            with pytest.raises(NotFound) as refusal:
                way_to(scope=PUBLIC, origin=point(0, 0), place_id=place_id, now=NOON)
            assert refusal.value.code == "facility_unknown"

    def test_by_no_known_mode(self, town: World) -> None:
        with pytest.raises(BadInput) as refusal:
            way_to(scope=PUBLIC, origin=point(0, 0), place_id=1, mode="rocket", now=NOON)
        assert refusal.value.code == "mode_unknown"


@pytest.mark.parametrize("mode", list(LONGEST))
def test_in_the_city_the_way_takes_as_long_as_the_list_says(city: None, mode: str) -> None:
    from geo.addresses.models import Community
    from geo.imports.models import CURRENT

    compared = 0
    for site in Community.objects.filter(CURRENT).order_by("id")[:40:10]:
        origin = Coordinate(site.geom.x, site.geom.y, System.CGCS2000)
        for one in circle(scope=PUBLIC, origin=origin, minutes=30, mode=mode, limit=500, now=NOON).places[::7]:
            way = way_to(scope=PUBLIC, origin=origin, place_id=one.place.id, mode=mode, now=NOON).reached
            assert way.seconds == pytest.approx(one.seconds, abs=0.1)
            assert way.minutes == one.minutes
            assert way.metres == pytest.approx(one.metres, abs=1)
            compared += 1
    assert compared > 10


class TestApi:
    def ask(self, client: Client, status: int = 200, **params: Any) -> Any:
        lon, lat = spot(0, 0)
        answer = client.get("/api/v1/route", {"lon": lon, "lat": lat} | params)
        assert answer.status_code == status, answer.content
        return json.loads(answer.content)

    def test_the_shape_of_the_answer(self, town: World, client: Client) -> None:
        place_id = put(town, 300, 400, name="对角")
        body = self.ask(client, place=place_id)
        schemas.RouteOut.model_validate(body)
        assert (body["minutes"], body["seconds"], body["metres"], body["straight_m"]) == (10, 560, 700, 500)
        assert body["route"]["type"] == "Feature"
        assert body["route"]["geometry"]["type"] == "LineString"
        assert "crs" not in body["route"]
        assert body["place"]["name"] == "对角"
        assert body["assumptions"]["speed_mps"] == 1.25
        assert body["route"]["geometry"]["coordinates"][0] == pytest.approx(spot(0, 0), abs=2e-6)
        assert body["route"]["geometry"]["coordinates"][-1] == pytest.approx(spot(300, 400), abs=2e-6)
        assert (body["demo"], "演示数据" in body["note"]) == (True, True)
        slow = self.ask(client, place=place_id, mode="elder")
        assert slow["minutes"] == 15

    @pytest.mark.parametrize("crs", ["gcj02", "bd09", "sh2000", "epsg:4550"])
    def test_asked_in_a_system_it_answers_in_that_system(self, town: World, client: Client, crs: str) -> None:
        system = System.parse(crs)
        place_id = put(town, 300, 400)
        plain = self.ask(client, place=place_id)
        there = convert(point(0, 0), system)
        body = self.ask(client, place=place_id, lon=there.x, lat=there.y, crs=crs)
        assert body["route"]["crs"] == {"type": "name", "properties": {"name": crs}}
        assert body["metres"] == plain["metres"]
        line = shape(body["route"]["geometry"])
        expected = [convert(Coordinate(*xy, System.WGS84), system) for xy in shape(plain["route"]["geometry"]).coords]
        tolerance = 2e-6 if system.is_geographic else 0.3
        for got, want in zip(line.coords, expected, strict=True):
            assert got == pytest.approx((want.x, want.y), abs=tolerance)

    @pytest.mark.parametrize(
        ("params", "status", "code"),
        [
            ({"place": 999_999_999}, 404, "facility_unknown"),
            ({"place": 10**30}, 404, "facility_unknown"),
            ({"place": "x"}, 400, "parameter_invalid"),
            ({}, 400, "parameter_invalid"),
            ({"place": 1, "mode": "fly"}, 400, "mode_unknown"),
            ({"place": 1, "lon": 31.2304, "lat": 121.4737}, 400, "axes_swapped"),
            ({"place": 1, "lon": "nan"}, 400, "coordinates_not_finite"),
            ({"place": 1, "crs": "mars"}, 400, "crs_unknown"),
        ],
    )
    def test_bad_questions(self, town: World, client: Client, params: dict[str, Any], status: int, code: str) -> None:
        assert self.ask(client, status, **params)["code"] == code

    def test_where_there_is_no_way_it_says_so_in_words(self, town: World, client: Client) -> None:
        place_id = put(town, 0, 0)
        problem = self.ask(client, 404, place=place_id, lon=122.2, lat=30.8)
        assert (problem["code"], problem["status"]) == ("origin_off_map", 404)
        assert "请" in problem["detail"]

    def test_asked_too_often_it_says_when_to_come_back(
        self, town: World, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from limits import RateLimitItemPerMinute

        from web.api.limits import HEAVY

        monkeypatch.setattr(HEAVY, "anonymous", RateLimitItemPerMinute(2))
        lon, lat = spot(0, 0)
        params = {"lon": lon, "lat": lat, "place": put(town, 300, 400)}
        asked = [client.get("/api/v1/route", params, headers={"X-Real-IP": "203.0.113.9"}) for _ in range(3)]
        assert [answer.status_code for answer in asked] == [200, 200, 429]
        assert asked[0]["Cache-Control"] == "public, max-age=60"
        again = client.get("/api/v1/route", params, headers={"If-None-Match": asked[0]["ETag"]})
        assert again.status_code == 304
