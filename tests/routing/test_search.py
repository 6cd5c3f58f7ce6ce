from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.graph import Graph
from routing.search import BadSearch, Budget, Cut, SearchCancelled, SearchTooLarge, labels, reach
from routing.snap import Empty, snap
from routing.travellers import TRAVELLERS
from tests.routing.brute import Truth
from tests.routing.drawing import Drawing, graph_of, road_edges

WALK, CAR, BICYCLE, WHEELCHAIR = (TRAVELLERS[key] for key in ("walk", "car", "bicycle", "wheelchair"))


def seconds_by_name(graph: Graph, edges_from: np.ndarray, edges_to: np.ndarray, found) -> dict[int, float]:
    """Return the seconds to every reached node, by the node's name in the input."""
    cost = graph.travel(found.traveller).cost
    names = {}
    for i, ext in enumerate(graph.ext_id):
        names[int(cost["u"][i])] = int(edges_from[ext])
        names[int(cost["v"][i])] = int(edges_to[ext])
    return {names[int(node)]: ms / 1000 for node, ms in zip(found.node, found.ms, strict=True)}


coordinate = st.integers(0, 40).map(lambda value: value * 25.0)


@st.composite
def random_roads(draw):
    """Any small tangle: one way, parallel, looping, bent, of no length, in several parts."""
    places = draw(st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=9, unique=True))
    number = st.integers(0, len(places) - 1)
    lines, ends, oneway = [], [], []
    for _ in range(draw(st.integers(1, 14))):
        a, b = draw(number), draw(number)
        bends = draw(st.lists(st.tuples(coordinate, coordinate), max_size=2))
        lines.append(np.array([places[a], *bends, places[b]], dtype=float))
        ends.append((a, b))
        oneway.append(draw(st.sampled_from([0, 0, 1, -1])))
    steps = np.array(draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines))))
    return road_edges(lines, ends, oneway=np.array(oneway, dtype=np.int8), steps=steps & (len(lines) > 3))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    edges=random_roads(),
    starts=st.lists(st.tuples(st.floats(-200, 1200), st.floats(-200, 1200)), min_size=1, max_size=3),
    key=st.sampled_from(sorted(TRAVELLERS)),
    limit=st.sampled_from([60.0, 400.0, 3000.0]),
)
def test_every_junction_is_reached_when_brute_force_says(edges, starts, key, limit):
    traveller = TRAVELLERS[key]
    truth = Truth(edges, traveller)
    with tempfile.TemporaryDirectory() as folder:
        graph = graph_of(edges, Path(folder))
        snaps = [snap(graph, x, y, traveller, limit_m=3000) for x, y in starts]
        if not truth.snappable.any():
            assert not any(item.found for item in snaps)
            return
        origins = []
        for item, (x, y) in zip(snaps, starts, strict=True):
            if not item.found:
                assert item.reason is Empty.OFF_MAP
                continue
            _, _, access = truth.snap(x, y)
            assert item.access_ms / 1000 == pytest.approx(access, abs=0.05)
            # Of equally near roads either will do: brute force starts where we did.
            origins.append((int(graph.ext_id[item.edge]), item.fraction, item.access_ms / 1000))
        found = reach(graph, snaps, traveller, limit)
        ours = seconds_by_name(graph, edges.from_node, edges.to_node, found)
        theirs = truth.node_seconds(origins) if origins else np.full(len(truth.names), np.inf)
        for name, seconds in zip(truth.names, theirs, strict=True):
            if seconds <= limit - 0.05:
                assert ours[int(name)] == pytest.approx(seconds, abs=0.05)
            elif seconds > limit + 0.05:
                assert int(name) not in ours


def test_a_door_on_a_one_way_street_leaves_only_forward(tmp_path):
    town = Drawing("A-->---B\n|      |\nC------D")
    graph = town.graph(tmp_path)
    (ax, ay), (bx, _) = town.at["A"], town.at["B"]
    found = reach(graph, [snap(graph, ax + 100, ay + 10, CAR)], CAR, 3600)
    by_place = {
        (round(graph.node_x[n] + graph.meta.origin[0]), round(graph.node_y[n] + graph.meta.origin[1])): ms
        for n, ms in zip(found.node, found.ms, strict=True)
    }
    # 10 m on foot, then 250 m at 22 km/h to B; A only by way of B, D and C.
    assert by_place[round(bx), round(ay)] == pytest.approx(8000 + 250 / (22 / 3.6) * 1000, abs=5)
    assert by_place[round(ax), round(ay)] == pytest.approx(8000 + (250 + 100 + 350 + 100) / (22 / 3.6) * 1000, abs=5)


def test_steps_stop_a_wheelchair_and_slow_a_walker(tmp_path):
    town = Drawing("A--##--B--+\n|         |\n+---------C")
    graph = town.graph(tmp_path)
    a, b = town.at["A"], town.at["B"]
    walker = reach(graph, [snap(graph, *a, WALK)], WALK, 3600)
    wheels = reach(graph, [snap(graph, *a, WHEELCHAIR)], WHEELCHAIR, 3600)

    def seconds(found):
        place = np.hypot(
            graph.node_x[found.node] + graph.meta.origin[0] - b[0],
            graph.node_y[found.node] + graph.meta.origin[1] - b[1],
        )
        return found.ms[place.argmin()] / 1000

    assert seconds(walker) == pytest.approx(350 * 1.5 / 1.25, abs=0.01)
    assert seconds(wheels) == pytest.approx((100 + 500 + 100 + 150) / 0.9, abs=0.01)


def test_a_ferry_takes_its_own_time_and_nobody_lives_on_it(tmp_path):
    town = Drawing("A--B~~~~~~~~~~C--D")
    graph = town.graph(tmp_path, duration_s=np.array([np.nan, 600.0, np.nan]))
    a, b, c = town.at["A"], town.at["B"], town.at["C"]
    found = reach(graph, [snap(graph, *a, WALK)], WALK, 3600)
    assert sorted(found.ms.tolist()) == pytest.approx([0, 120_000, 720_000, 840_000], abs=2)
    afloat = snap(graph, (b[0] + c[0]) / 2 - 50, b[1] - 10, WALK)
    assert (afloat.road_x, afloat.road_y) == pytest.approx(b, abs=0.05)


def test_closed_roads_are_gone_around(tmp_path):
    town = Drawing("A---B\n|   |\nC---D")
    edges = town.edges()
    graph = graph_of(edges, tmp_path)
    top = int(
        np.flatnonzero([round(line.length) == 200 and line.bounds[1] > -1 for line in Truth(edges, WALK).lines])[0]
    )
    closed = graph.closures([top])
    x, y = town.at["A"]
    start = snap(graph, x, y, WALK, closed=closed)
    found = reach(graph, [start], WALK, 3600, closed=closed)
    assert sorted(found.ms.tolist()) == pytest.approx([0, 80_000, 240_000, 320_000], abs=2)
    beside = snap(graph, x + 100, y, WALK, closed=closed)
    assert beside.metres == pytest.approx(100, abs=0.05)
    assert graph.closures([]).size == 0


def test_an_island_of_a_few_roads_is_not_where_one_lives(tmp_path):
    wide = "\n".join(["+--" * 20 + "+", "|  " * 20 + "|"] * 4)
    town = Drawing(wide + "\n\n\nA--B")
    graph = town.graph(tmp_path)
    x, y = town.at["A"]
    assert snap(graph, x, y, WALK).metres > 50


def test_off_the_map_and_far_from_roads_the_answer_says_why(tmp_path):
    graph = Drawing("A------------------------------------------B").graph(tmp_path)
    far = snap(graph, 1e6, 0, WALK)
    assert not far.found
    assert far.reason is Empty.OFF_MAP
    off_road = snap(graph, 1000, 550, WALK)
    assert off_road.reason is Empty.NO_ROAD_NEAR
    slow = snap(graph, 1000, 400, WALK)
    assert slow.found
    nothing = reach(graph, [far, slow], WALK, 300)
    assert nothing.reason is Empty.ACCESS_TOO_LONG
    assert "时间" in nothing.reason.message
    assert reach(graph, [far], WALK, 300).reason is Empty.OFF_MAP
    assert snap(graph, float("nan"), 0, WALK).reason is Empty.OFF_MAP
    assert len(nothing.node) == 0


@pytest.fixture(scope="module")
def chequered(tmp_path_factory):
    """Return a town of 10,201 junctions."""
    side, step = 101, 50.0
    lines, ends = [], []
    for r in range(side):
        for c in range(side):
            for dr, dc in ((0, 1), (1, 0)):
                if r + dr < side and c + dc < side:
                    lines.append(np.array([(c * step, r * step), ((c + dc) * step, (r + dr) * step)]))
                    ends.append((r * side + c, (r + dr) * side + c + dc))
    return graph_of(road_edges(lines, ends), tmp_path_factory.mktemp("chequered"))


def test_a_spent_budget_is_said_and_what_was_found_is_true(chequered):
    start = [snap(chequered, 2500, 2500, WALK)]
    whole = reach(chequered, start, WALK, 3600)
    part = reach(chequered, start, WALK, 3600, budget=Budget(nodes=500))
    assert whole.cut is None
    assert part.cut is Cut.NODES
    assert len(part.node) == 500
    assert part.complete_ms == part.ms[-1]
    assert np.array_equal(np.sort(part.ms), np.sort(whole.ms)[:500])
    with pytest.raises(SearchTooLarge):
        part.require_complete()
    whole.require_complete()


def test_time_runs_out_between_slices(chequered, monkeypatch):
    monkeypatch.setattr("routing.search.SLICE", 100)
    part = reach(chequered, [snap(chequered, 2500, 2500, WALK)], WALK, 3600, budget=Budget(seconds=0))
    assert part.cut is Cut.TIME
    assert len(part.node) == 100


def test_a_search_nobody_waits_for_stops(chequered, monkeypatch):
    monkeypatch.setattr("routing.search.SLICE", 100)
    asked = []

    def gone() -> bool:
        asked.append(1)
        return len(asked) == 3

    with pytest.raises(SearchCancelled):
        reach(chequered, [snap(chequered, 2500, 2500, WALK)], WALK, 3600, budget=Budget(cancelled=gone))
    assert len(asked) == 3


def test_slicing_changes_nothing(chequered, monkeypatch):
    start = [snap(chequered, 1234, 2345, WALK), snap(chequered, 4000, 60, WALK)]
    whole = reach(chequered, start, WALK, 2000)
    monkeypatch.setattr("routing.search.SLICE", 7)
    sliced = reach(chequered, start, WALK, 2000)
    assert np.array_equal(whole.node, sliced.node)
    assert np.array_equal(whole.ms, sliced.ms)


def test_searches_of_many_threads_do_not_disturb_each_other(chequered):
    starts = [(200.0 + 30 * i, 4800.0 - 25 * i) for i in range(40)]
    alone = [reach(chequered, [snap(chequered, *start, WALK)], WALK, 900) for start in starts]
    together: dict[int, list[bool]] = {}

    def work(number: int) -> None:
        same = []
        for start, expected in zip(starts, alone, strict=True):
            found = reach(chequered, [snap(chequered, *start, WALK)], WALK, 900)
            same.append(np.array_equal(found.node, expected.node) and np.array_equal(found.ms, expected.ms))
        together[number] = same

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(all(same) for same in together.values())
    assert len(together) == 4


def test_labels_survive_another_search_in_the_same_thread(chequered):
    first = reach(chequered, [snap(chequered, 2500, 2500, WALK)], WALK, 600)
    reach(chequered, [snap(chequered, 1000, 1000, WALK)], WALK, 900)
    space = labels(first)
    known = space.label["stamp"] == space.generation
    assert known.sum() == len(first.node)
    assert np.array_equal(space.label["ms"][first.node], first.ms)


def test_generations_begin_again_before_they_overflow(chequered):
    expected = reach(chequered, [snap(chequered, 2500, 2500, WALK)], WALK, 600)
    space = labels(expected)
    space.generation = 2**31 - 2
    again = reach(chequered, [snap(chequered, 2500, 2500, WALK)], WALK, 600)
    assert space.generation == 1
    assert np.array_equal(again.ms, expected.ms)


@pytest.mark.parametrize("seconds", [0, -5, float("nan"), 1e9])
def test_times_out_of_range_are_refused(chequered, seconds):
    with pytest.raises(BadSearch):
        reach(chequered, [snap(chequered, 2500, 2500, WALK)], WALK, seconds)


def test_an_origin_of_another_network_is_refused(chequered):
    with pytest.raises(BadSearch):
        reach(chequered, [snap(chequered, 2500, 2500, CAR)], WALK, 600)
