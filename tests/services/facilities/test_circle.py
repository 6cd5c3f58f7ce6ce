"""The circle on a chessboard of streets, where every time and distance can be worked out by hand."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import numpy as np
import pytest
from django.contrib.gis.geos import LineString
from shapely.geometry import Point

from geo.crs import Coordinate, System, convert
from geo.crs.codes import CGCS2000
from geo.errors import BadInput
from geo.roads.models import Closure, RoadSegment
from geo.scope import Scope
from routing.graph import NoGraph
from services.facilities.circle import Circle, circle, nearest_by_road
from services.facilities.filters import filters_from
from services.facilities.ground import current_graph
from tests.services.facilities.conftest import World, spot
from tests.services.facilities.test_queries import NOON

PUBLIC = Scope.public()


def ask(east: float = 0.0, north: float = 0.0, **question: Any) -> Circle:
    lon, lat = spot(east, north)
    given = {"scope": PUBLIC, "origin": Coordinate(lon, lat, System.CGCS2000), "now": NOON}
    return circle(**(given | question))


def found(answer: Circle) -> list[str]:
    return [reached.place.name for reached in answer.places]


@pytest.fixture
def town(world: World, roads: Any) -> World:
    return world


class TestCircle:
    def test_minutes_metres_and_straight_line_are_those_of_the_streets(self, town: World) -> None:
        lon, lat = spot(300, 400)
        town.facility("对角", lon=lon, lat=lat)
        (reached,) = ask(minutes=15).places
        assert reached.metres == pytest.approx(700, abs=0.5)
        assert reached.straight_m == pytest.approx(500, abs=0.5)
        assert reached.seconds == pytest.approx(700 / 1.25, abs=0.5)
        assert reached.minutes == 10  # 9 min 20 s, rounded up

    def test_list_is_ranked_and_agrees_with_the_outline_and_with_brute_force(self, town: World) -> None:
        chance = random.Random(3)
        truth = {}
        for n in range(300):
            # On the streets, so that the way is a sum of two sides.
            along, across = chance.uniform(-1150, 1150), 100.0 * chance.randrange(-11, 12)
            east, north = (along, across) if n % 2 else (across, along)
            lon, lat = spot(east, north)
            town.facility(f"点{n:03d}", lon=lon, lat=lat)
            truth[f"点{n:03d}"] = (abs(east) + abs(north)) / 1.25
        answer = ask(minutes=10)
        within = {name for name, seconds in truth.items() if seconds <= 600}
        # The origin is a crossing: from it a point on a street is reached along the two sides of a rectangle.
        assert set(found(answer)) == within
        seconds = [reached.seconds for reached in answer.places]
        assert seconds == sorted(seconds)
        for reached in answer.places:
            assert reached.seconds == pytest.approx(truth[reached.place.name], abs=0.2)
        inside = {
            r.place.name
            for r in ask(minutes=12).places
            if answer.outline.buffer(1e-6).covers(Point(r.place.lon, r.place.lat))
        }
        assert len(inside ^ within) <= 0.02 * len(within)

    def test_bands_lie_in_each_other_and_end_with_the_circle(self, town: World) -> None:
        answer = ask(minutes=12)
        assert [minutes for minutes, _ in answer.bands] == [5, 10, 12]
        for (_, inner), (_, outer) in zip(answer.bands, answer.bands[1:], strict=False):
            assert outer.buffer(1e-6).covers(inner)
        assert [minutes for minutes, _ in ask(minutes=12, bands=False).bands] == [12]

    def test_an_elder_gets_less_far_and_the_answer_says_how_fast(self, town: World) -> None:
        walker, elder = ask(minutes=10), ask(minutes=10, mode="elder")
        assert elder.outline.area < 0.6 * walker.outline.area
        assert elder.assumptions.traveller.speed_mps == 0.8
        assert walker.assumptions.roads_as_of == "2026-10-01"

    @pytest.mark.parametrize("system", [System.WGS84, System.GCJ02, System.BD09, System.SH2000, System.WEB_MERCATOR])
    def test_the_same_place_in_any_system_has_the_same_circle(self, town: World, system: System) -> None:
        lon, lat = spot(300, 400)
        town.facility(lon=lon, lat=lat)
        straight = ask()
        there = convert(straight.origin, system)
        turned = circle(scope=PUBLIC, origin=there, now=NOON)
        assert turned.places[0].metres == pytest.approx(straight.places[0].metres, abs=0.05)
        assert turned.outline.symmetric_difference(straight.outline).area < 0.001 * straight.outline.area

    def test_kinds_and_filters_narrow_the_list_but_not_the_outline(self, town: World) -> None:
        lon, lat = spot(100, 100)
        town.facility("托", lon=lon, lat=lat, vacancies=2, vacancies_as_of=NOON)
        town.facility("满", lon=lon, lat=lat, vacancies=0, vacancies_as_of=NOON)
        town.facility("食", lon=lon, lat=lat, kind="canteen")
        town.facility("关", lon=lon, lat=lat, status="closed")
        assert found(ask()) == ["托", "满", "食"]
        assert found(ask(kinds=["canteen"])) == ["食"]
        narrow = ask(kinds=["nursery"], filters=filters_from({"has_vacancy": "1"}))
        assert found(narrow) == ["托"]
        assert narrow.outline.equals(ask().outline)

    def test_more_than_are_listed_are_counted(self, town: World) -> None:
        for n in range(7):
            lon, lat = spot(100 * n, 0)
            town.facility(f"第{n}", lon=lon, lat=lat)
        answer = ask(limit=3)
        assert found(answer) == ["第0", "第1", "第2"]
        assert answer.total == 7

    def test_very_many_are_read_in_two_steps_with_the_same_outcome(
        self, town: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for n in range(30):
            lon, lat = spot(20.0 * n, 0)
            town.facility(f"第{n:02d}", lon=lon, lat=lat, status="closed" if n % 3 == 0 else "open")
        whole = ask(limit=7)
        monkeypatch.setattr("services.facilities.circle.READ_WHOLE", 5)
        again = ask(limit=7)
        assert (found(again), again.total) == (found(whole), whole.total)
        assert whole.total == 20


class TestClosures:
    def test_a_closed_street_is_gone_round_until_it_opens(self, town: World) -> None:
        lon, lat = spot(150, 0)
        town.facility("街中", lon=lon, lat=lat)
        assert ask().places[0].metres == pytest.approx(150, abs=1)
        graph = current_graph()
        x, y = graph.node_x + graph.meta.origin[0], graph.node_y + graph.meta.origin[1]
        cost = graph.travels["walk"].cost
        away = np.hypot((x[cost["u"]] + x[cost["v"]]) / 2 - 50, (y[cost["u"]] + y[cost["v"]]) / 2)
        segment = RoadSegment.objects.create(
            id=int(graph.ext_id[int(np.argmin(away))]),  # the graph names its edges by their rows
            source=town.publish("roads"),
            ext_id="closed",
            from_node=1,
            to_node=2,
            highway="residential",
            length_m=100,
            geom=LineString(spot(0, 0), spot(100, 0), srid=CGCS2000),
        )
        Closure.objects.create(segment=segment, from_time=NOON - dt.timedelta(hours=1), reason="施工", actor="test")
        assert ask(50).places[0].metres > 150
        assert ask().places[0].metres == pytest.approx(350, abs=1)
        Closure.objects.update(to_time=NOON)
        assert ask().places[0].metres == pytest.approx(150, abs=1)


class TestNothingFound:
    def test_more_time_and_fewer_filters_are_offered_with_their_counts(self, town: World) -> None:
        for east, vacancies in ((200, 0), (300, 0), (1100, 1), (1150, 4)):
            lon, lat = spot(east, 0)
            town.facility(lon=lon, lat=lat, vacancies=vacancies, vacancies_as_of=NOON)
        filters = filters_from({"has_vacancy": "1"})
        empty = ask(minutes=10, mode="pram", kinds=["nursery"], filters=filters).empty
        assert empty is not None
        assert (
            empty.message
            == "推婴儿车 10 分钟内找不到有余位的托育机构。放宽到 30 分钟有 2 家，或去掉“有余位”看全部 2 家。"
        )
        assert [(dict(step.changes), step.count) for step in empty.steps] == [
            ({"minutes": 30}, 2),
            ({"has_vacancy": None}, 2),
        ]

    def test_what_is_nowhere_is_said_to_be_nowhere(self, town: World) -> None:
        empty = ask(kinds=["cemetery"]).empty
        assert empty is not None
        assert (empty.code, empty.message) == ("kind_absent", "还没有收录公墓。可以换一类服务看看。")

    def test_with_no_way_on_another_journey_is_offered(self, town: World) -> None:
        town.facility("太远", lon=121.9, lat=31.0)
        empty = ask(minutes=30).empty
        assert empty is not None
        assert empty.steps == ()
        assert empty.message == "步行 30 分钟内没有服务设施。放宽到 60 分钟也没有，可以换一种出行方式或换一类服务看看。"

    @pytest.mark.parametrize(("east", "code"), [(30_000, "origin_off_map"), (1_720, "origin_no_road_near")])
    def test_a_place_without_roads_is_explained(self, town: World, east: float, code: str) -> None:
        town.facility()
        answer = ask(east)
        assert answer.empty is not None
        assert answer.empty.code == code
        assert answer.outline.is_empty
        assert answer.places == ()

    def test_a_walk_to_the_road_longer_than_the_time_is_explained(self, town: World) -> None:
        town.facility()
        answer = ask(1450, minutes=1)
        assert answer.empty is not None
        assert answer.empty.code == "origin_access_too_long"
        assert answer.snap_m == pytest.approx(250, abs=1)


class TestBadQuestions:
    @pytest.mark.parametrize(
        ("question", "code"),
        [
            ({"mode": "rocket"}, "mode_unknown"),
            ({"minutes": 0}, "minutes_out_of_range"),
            ({"minutes": 61}, "minutes_out_of_range"),
            ({"minutes": 46, "mode": "car"}, "minutes_out_of_range"),
            ({"limit": 0}, "limit_invalid"),
        ],
    )
    def test_are_refused_by_name(self, town: World, question: dict[str, Any], code: str) -> None:
        with pytest.raises(BadInput) as caught:
            ask(**question)
        assert caught.value.code == code

    def test_without_a_graph_the_answer_is_later(self, world: World, settings: Any, tmp_path: Any) -> None:
        settings.GRAPH_ROOT = tmp_path
        with pytest.raises(NoGraph):
            ask()


class TestNearestByRoad:
    def test_ranks_by_time_over_the_streets(self, town: World) -> None:
        chance = random.Random(7)
        truth = []
        for n in range(80):
            east, north = chance.uniform(-1100, 1100), 100.0 * chance.randrange(-10, 11)
            lon, lat = spot(east, north)
            town.facility(f"点{n:02d}", lon=lon, lat=lat, status="open" if n % 2 else "closed")
            if n % 2:
                truth.append((abs(east) + abs(north), f"点{n:02d}"))
        lon, lat = spot(0, 0)
        origin = Coordinate(lon, lat, System.CGCS2000)
        for k in (1, 10, 39, 60):
            nearest = nearest_by_road(scope=PUBLIC, origin=origin, k=k, now=NOON)
            assert [reached.place.name for reached in nearest.places] == [name for _, name in sorted(truth)[:k]]
        assert np.all(np.diff([reached.seconds for reached in nearest.places]) >= 0)
