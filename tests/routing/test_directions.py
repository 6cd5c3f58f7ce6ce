from __future__ import annotations

import numpy as np
import pytest
import shapely

from routing.directions import NoRoute, route
from routing.places import PlaceIndex, costs_to
from routing.search import reach
from routing.snap import snap
from routing.travellers import TRAVELLERS
from tests.routing.brute import Truth
from tests.routing.drawing import PLANE, Drawing, graph_of, road_edges
from tests.routing.test_isochrones import town

WALK, CAR = TRAVELLERS["walk"], TRAVELLERS["car"]


@pytest.mark.parametrize("key", ["walk", "bicycle", "car"])
def test_a_route_takes_as_long_as_the_list_says_and_keeps_to_the_road(tmp_path, key):
    traveller = TRAVELLERS[key]
    edges = town(21, side=20)
    graph = graph_of(edges, tmp_path)
    roads = shapely.union_all(Truth(edges, traveller).lines).buffer(0.05)
    rng = np.random.default_rng(21)
    x, y = rng.uniform(0, 2300, (2, 60))
    start = snap(graph, 1100, 1200, traveller)
    costs = costs_to(reach(graph, [start], traveller, 3600), PlaceIndex.build(graph, np.arange(60), x, y))
    assert len(costs.ids) > 40
    for place, seconds, metres in zip(costs.place, costs.seconds, costs.metres, strict=True):
        target = snap(graph, x[place], y[place], traveller)
        way = route(graph, start, target)
        line = shapely.LineString(way.coords)
        assert way.seconds == pytest.approx(seconds, abs=0.05)
        assert way.metres == pytest.approx(metres, abs=0.2)
        assert line.length == pytest.approx(metres, abs=0.2)
        assert way.coords[0].tolist() == [start.x, start.y]
        assert way.coords[-1].tolist() == [target.x, target.y]
        between = shapely.LineString(way.coords[1:-1]) if len(way.coords) > 3 else None
        assert between is None or roads.covers(between)


def test_one_way_streets_are_driven_forward(tmp_path):
    drawing = Drawing("A-->---B\n|      |\nC------D")
    graph = drawing.graph(tmp_path)
    (ax, ay) = drawing.at["A"]
    there = route(graph, snap(graph, ax + 100, ay, CAR), snap(graph, ax + 200, ay, CAR))
    back = route(graph, snap(graph, ax + 200, ay, CAR), snap(graph, ax + 100, ay, CAR))
    assert there.metres == pytest.approx(100, abs=0.1)
    assert back.metres == pytest.approx(150 + 100 + 350 + 100 + 100, abs=0.2)
    assert shapely.LineString(back.coords).length == pytest.approx(back.metres, abs=0.2)


def test_from_a_loop_the_shorter_way_is_taken(tmp_path):
    loop = np.array([(0.0, 0), (300, 0), (300, 300), (0, 300), (0, 0)])
    spur = np.array([(0.0, 0), (-400.0, 0)])
    graph = graph_of(road_edges([loop, spur], [(1, 1), (1, 2)]), tmp_path)
    target = snap(graph, -200, 0, WALK)
    for x, y, metres in ((0, 100, 300), (100, 0, 300), (300, 200, 700)):
        way = route(graph, snap(graph, x, y, WALK), target)
        assert way.metres == pytest.approx(metres, abs=0.1)
        assert shapely.LineString(way.coords).length == pytest.approx(metres, abs=0.1)


def test_no_way_is_said_plainly(tmp_path):
    graph = Drawing("A---B\n\n\n\n\nC---D").graph(tmp_path)
    start = snap(graph, 0, 0, WALK)
    with pytest.raises(NoRoute):
        route(graph, start, snap(graph, 0, -250, WALK))
    with pytest.raises(NoRoute) as refusal:
        route(graph, start, snap(graph, 1e7, 0, WALK))
    assert refusal.value.detail["reason"] == "off_map"
    with pytest.raises(NoRoute):
        route(graph, start, snap(graph, 200, 0, WALK), seconds=60)


def test_a_route_goes_around_closed_roads(tmp_path):
    drawing = Drawing("A---B\n|   |\nC---D")
    edges = drawing.edges()
    graph = graph_of(edges, tmp_path)
    top = [i for i, line in enumerate(Truth(edges, WALK).lines) if line.bounds[1] > -1]
    closed = graph.closures(top)
    start, target = (snap(graph, *drawing.at[name], WALK, closed=closed) for name in "AB")
    assert route(graph, start, target, closed=closed).metres == pytest.approx(400, abs=0.1)


def test_a_route_in_degrees_is_on_the_map(tmp_path):
    graph = Drawing("A---B").graph(tmp_path)
    way = route(graph, snap(graph, 10, 5, WALK), snap(graph, 150, -5, WALK))
    degrees = way.degrees(PLANE)
    east, north = PLANE.forward(degrees[:, 0].copy(), degrees[:, 1].copy())
    assert np.allclose(np.stack((east, north), axis=1), way.coords, atol=0.02)
