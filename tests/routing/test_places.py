from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.places import PlaceIndex, StalePlaces, costs_to, nearest_places
from routing.search import reach
from routing.snap import snap
from routing.travellers import TRAVELLERS
from routing.versions import VersionedFolder
from tests.routing.brute import Truth
from tests.routing.drawing import Drawing, graph_of
from tests.routing.test_isochrones import town
from tests.routing.test_search import random_roads

WALK, CAR = TRAVELLERS["walk"], TRAVELLERS["car"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    edges=random_roads(),
    starts=st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1000)), min_size=1, max_size=2),
    seed=st.integers(0, 1000),
    key=st.sampled_from(["walk", "wheelchair", "bicycle", "car"]),
)
def test_seconds_to_every_place_are_those_of_brute_force(edges, starts, seed, key):
    traveller = TRAVELLERS[key]
    truth = Truth(edges, traveller)
    if not truth.snappable.any():
        return
    doors = np.random.default_rng(seed).uniform(-100, 1100, (20, 2))
    with tempfile.TemporaryDirectory() as folder:
        graph = graph_of(edges, Path(folder))
        snaps = [snap(graph, x, y, traveller) for x, y in starts]
        found = reach(graph, snaps, traveller, 1500)
        costs = costs_to(found, PlaceIndex.build(graph, np.arange(20) + 100, doors[:, 0], doors[:, 1]))
        ours = dict(zip(costs.ids.tolist(), costs.seconds.tolist(), strict=True))
        origins = [(int(graph.ext_id[s.edge]), s.fraction, s.access_ms / 1000) for s in snaps if s.found]
        nodes = truth.node_seconds(origins) if origins else np.full(len(truth.names), np.inf)
        for i, (x, y) in enumerate(doors):
            ends = snap(graph, x, y, traveller)
            if not ends.found:
                assert i + 100 not in ours
                continue
            # Of equally near roads either will do: brute force arrives where we do.
            edge = int(graph.ext_id[ends.edge])
            truth.snap = lambda *_, at=(edge, ends.fraction, ends.access_ms / 1000): at  # type: ignore[method-assign]
            seconds = truth.point_seconds(origins, x, y, nodes)
            if seconds < 1499.9:
                assert ours[i + 100] == pytest.approx(seconds, abs=0.1)
            elif seconds > 1500.1:
                assert i + 100 not in ours
    assert np.all(np.diff(costs.seconds) >= 0)


def test_metres_are_those_of_the_way_walked(tmp_path):
    drawing = Drawing("A---B---C\n|       |\nD-------E")
    graph = drawing.graph(tmp_path)
    (ax, ay), (ex, ey) = drawing.at["A"], drawing.at["E"]
    places = PlaceIndex.build(
        graph, np.array([7, 8, 9]), np.array([ax + 100, ex - 30, 5e6]), np.array([ay + 20, ey - 40, 0.0])
    )
    costs = costs_to(reach(graph, [snap(graph, ax + 30, ay + 10, WALK)], WALK, 3600), places)
    assert costs.ids.tolist() == [7, 8]
    # 10 m to the road, 70 m along it, 20 m to the door; then the shorter way round: 30 + 100 + 370.
    assert costs.metres.tolist() == pytest.approx([10 + 70 + 20, 10 + 30 + 100 + 370 + 40], abs=0.1)
    assert costs.seconds.tolist() == pytest.approx((costs.metres / 1.25).tolist(), abs=0.05)
    assert costs.first(1).ids.tolist() == [7]


def test_a_city_without_places_has_none_to_reach(tmp_path):
    graph = graph_of(town(11), tmp_path)
    none = PlaceIndex.build(graph, np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
    found = reach(graph, [snap(graph, 500.0, 500.0, WALK)], WALK, 900)
    assert len(costs_to(found, none).ids) == 0


def test_metres_around_a_loop(tmp_path):
    from tests.routing.drawing import road_edges

    loop = np.array([(0.0, 0), (300, 0), (300, 300), (0, 300), (0, 0)])
    spur = np.array([(0.0, 0), (-400.0, 0)])
    graph = graph_of(road_edges([loop, spur], [(1, 1), (1, 2)]), tmp_path)
    places = PlaceIndex.build(graph, np.array([1]), np.array([-200.0]), np.array([0.0]))
    near_end = costs_to(reach(graph, [snap(graph, 0, 100, WALK)], WALK, 3600), places)
    near_start = costs_to(reach(graph, [snap(graph, 100, 0, WALK)], WALK, 3600), places)
    assert near_end.metres[0] == pytest.approx(300, abs=0.1)
    assert near_start.metres[0] == pytest.approx(300, abs=0.1)


def test_the_nearest_few_are_the_first_of_all(tmp_path):
    graph = graph_of(town(11, side=40), tmp_path)
    rng = np.random.default_rng(11)
    x, y = rng.uniform(0, 4700, (2, 400))
    places = PlaceIndex.build(graph, np.arange(400), x, y)
    wanted = rng.random(400) < 0.3
    start = [snap(graph, 700, 3900, WALK)]
    everything = costs_to(reach(graph, start, WALK, 3600), places, wanted=wanted)
    few, found = nearest_places(graph, start, WALK, places, 5, wanted=wanted)
    assert few.ids.tolist() == everything.ids[:5].tolist()
    assert wanted[few.place].all()
    assert found.limit_ms < 3600_000
    all_there_are, _ = nearest_places(graph, start, WALK, places, 1000, wanted=wanted)
    assert all_there_are.ids.tolist() == everything.ids.tolist()


def test_places_on_a_closed_road_are_reached_over_the_next(tmp_path):
    drawing = Drawing("A---B\n|   |\nC---D")
    edges = drawing.edges()
    graph = graph_of(edges, tmp_path)
    ax, ay = drawing.at["A"]
    places = PlaceIndex.build(graph, np.array([1]), np.array([ax + 100.0]), np.array([ay - 10.0]))
    top = [i for i, line in enumerate(Truth(edges, WALK).lines) if line.bounds[1] > -1]
    closed = graph.closures(top)
    start = snap(graph, ax, ay, WALK, closed=closed)
    costs = costs_to(reach(graph, [start], WALK, 3600, closed=closed), places)
    assert costs.metres[0] == pytest.approx(100 + 100 + 90, abs=0.1)
    assert costs_to(reach(graph, [start], WALK, 3600), places).metres[0] == pytest.approx(110, abs=0.1)


def test_an_index_is_saved_mapped_and_refused_for_another_graph(tmp_path):
    graph = graph_of(town(1), tmp_path / "one")
    other = graph_of(town(2), tmp_path / "two")
    rng = np.random.default_rng(3)
    places = PlaceIndex.build(graph, np.arange(50), *rng.uniform(0, 1600, (2, 50)))
    store = VersionedFolder(tmp_path / "places")
    folder = places.save(store, "facilities")
    mapped = PlaceIndex.open(folder, graph)
    found = reach(graph, [snap(graph, 800, 800, CAR)], CAR, 300)
    assert costs_to(found, mapped).ids.tolist() == costs_to(found, places).ids.tolist()
    assert not mapped.x.flags.writeable
    with pytest.raises(StalePlaces):
        PlaceIndex.open(folder, other)
    with pytest.raises(StalePlaces):
        costs_to(reach(other, [snap(other, 800, 800, CAR)], CAR, 300), places)
