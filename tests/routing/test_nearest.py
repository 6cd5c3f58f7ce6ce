from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.nearest import reach_of_many, seconds_at
from routing.places import doors_at
from routing.search import reach
from routing.snap import Empty, Snaps, snap, snap_all, snap_many
from routing.travellers import TRAVELLERS
from tests.routing.brute import Truth
from tests.routing.drawing import graph_of, road_edges
from tests.routing.test_search import random_roads

ON_FOOT = sorted(key for key, traveller in TRAVELLERS.items() if not traveller.obeys_oneway)
# Every other point on the grid that the roads lie on: ties between roads, ends of roads and roads themselves.
metre = st.one_of(st.floats(-200, 1200), st.integers(-8, 48).map(lambda step: step * 12.5))
spots = st.lists(st.tuples(metre, metre), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    edges=random_roads(),
    points=spots,
    key=st.sampled_from(sorted(TRAVELLERS)),
    limit=st.sampled_from([20.0, 500.0, 3000.0]),
    shut=st.sets(st.integers(0, 13), max_size=4),
)
def test_many_are_snapped_as_each_is_alone_and_as_brute_force_says(edges, points, key, limit, shut):
    traveller = TRAVELLERS[key]
    x, y = np.array([*points, (np.nan, 0.0), (1e7, 0.0)]).T
    with tempfile.TemporaryDirectory() as folder:
        graph = graph_of(edges, Path(folder))
        closed = graph.closures(shut)
        alone = [
            snap(graph, *point, traveller, limit_m=limit, closed=closed)
            for point in zip(x.tolist(), y.tolist(), strict=True)
        ]
        many = snap_all(graph, x, y, traveller, limit_m=limit, closed=closed)
        assert repr(list(many)) == repr(alone)  # not ==: one is nowhere
        assert [one.reason for one in many[-2:]] == [Empty.OFF_MAP] * 2
        found = [one for one in alone if one.found and one.access_ms <= 10_000]
        assert list(many.within(10_000)) == found
        usable = Truth(edges, traveller)
        lines = [usable.lines[e] for e in np.flatnonzero(usable.snappable) if e not in shut]
        for one in alone[: len(points)]:
            if one.reason is Empty.OFF_MAP:
                continue
            away = min((line.distance(shapely.Point(one.x, one.y)) for line in lines), default=np.inf)
            assert one.metres == pytest.approx(away, abs=0.02) if one.found else away > limit - 0.02


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    edges=random_roads(),
    places=spots,
    points=spots,
    key=st.sampled_from(ON_FOOT),
    limit=st.sampled_from([60.0, 400.0, 3000.0]),
)
def test_points_are_as_far_from_the_nearest_of_many_places_as_brute_force_says(edges, places, points, key, limit):
    traveller = TRAVELLERS[key]
    truth = Truth(edges, traveller)
    (x, y), (to_x, to_y) = np.array(points).T, np.array(places).T
    with tempfile.TemporaryDirectory() as folder:
        graph = graph_of(edges, Path(folder))
        doors = doors_at(graph, x, y, traveller)
        found = reach_of_many(graph, to_x, to_y, traveller, limit)
        said = seconds_at(found, doors)
        placed = [one for one in (snap(graph, *place, traveller) for place in places) if one.found]
        alone = [seconds_at(reach(graph, [one], traveller, limit), doors) for one in placed]
        assert said == pytest.approx(np.min([np.full(len(points), np.inf), *alone], axis=0), abs=0.002)
        origins = [(int(graph.ext_id[one.edge]), one.fraction, one.access_ms / 1000) for one in placed]
        nodes = truth.node_seconds(origins) if origins else np.full(len(truth.names), np.inf)
        starts = [snap(graph, *point, traveller) for point in points]
        for one, seconds in zip(starts, said, strict=True):
            if not one.found:
                assert np.isinf(seconds)
                continue
            wanted = _seconds(truth, origins, (int(graph.ext_id[one.edge]), one.fraction, one.access_ms / 1000), nodes)
            if wanted <= limit - 0.05:
                assert seconds == pytest.approx(wanted, abs=0.05)
            elif wanted > limit + 0.05:
                assert np.isinf(seconds)


def _seconds(truth: Truth, origins: list, at: tuple[int, float, float], nodes: np.ndarray) -> float:
    """Return the brute-force seconds from origins to a point that is put on a road as we did: either of equally near ones will do."""
    edge, fraction, access = at
    there, back = truth.there[edge], truth.back[edge]
    ways = [nodes[truth.u[edge]] + fraction * there, nodes[truth.v[edge]] + (1 - fraction) * back]
    ways += [leg + abs(fraction - own) * min(there, back) for other, own, leg in origins if other == edge]
    return float(min(ways)) + access


@pytest.fixture(scope="module")
def two_towns(tmp_path_factory):
    """Two tangles of roads eight kilometres apart, with nothing between them."""
    chance = np.random.default_rng(16)
    lines, ends = [], []
    for town, east in enumerate((0.0, 8_000.0)):
        at = chance.uniform(0, 1_200, (40, 2)) + (east, east / 4)
        for _ in range(70):
            a, b = chance.choice(40, 2, replace=False)
            lines.append(at[[a, b]])
            ends.append((town * 40 + int(a), town * 40 + int(b)))
    edges = road_edges(lines, ends)
    return edges, graph_of(edges, tmp_path_factory.mktemp("towns"))


def test_where_no_road_is_far_around_nothing_is_found_and_elsewhere_the_nearest(two_towns):
    edges, graph = two_towns
    walk = TRAVELLERS["walk"]
    truth = Truth(edges, walk)
    chance = np.random.default_rng(17)
    low, high = np.array(graph.meta.origin), np.array(graph.meta.origin) + graph.meta.size
    x, y = np.concatenate(
        (chance.uniform(low, high, (3_000, 2)), chance.uniform((-500, -500), (1_700, 1_700), (500, 2)))
    ).T
    many = snap_all(graph, x, y, walk)
    away = np.array(
        [min(truth.lines[e].distance(shapely.Point(*at)) for e in range(140)) for at in zip(x, y, strict=True)]
    )
    inside = many.on_map
    assert (away > 2_000).any()
    assert (np.abs(away - 500) < 20).any()
    clear = np.abs(away - 500) > 0.02
    assert ((many.edge >= 0) == (inside & (away < 500)))[clear].all()
    assert many.metres[many.edge >= 0] == pytest.approx(away[many.edge >= 0], abs=0.02)
    edge, fraction, metres = snap_many(graph, graph.travel(walk), x, y)
    assert (edge == many.edge).all()
    assert (fraction == many.fraction.astype(np.float32)).all()
    assert (metres == many.metres.astype(np.float32)).all()


def test_a_search_from_many_is_the_search_from_each_of_them_put_together(two_towns):
    _, graph = two_towns
    walk = TRAVELLERS["walk"]
    x, y = np.random.default_rng(18).uniform(-100, 1_300, (50, 2)).T
    many = snap_all(graph, x, y, walk)
    assert isinstance(many, Snaps)
    whole, parts = reach(graph, many, walk, 600.0), reach(graph, list(many), walk, 600.0)
    assert (whole.origin_records() == parts.origin_records()).all()
    assert (whole.node == parts.node).all()
    assert (whole.ms == parts.ms).all()
    assert (whole.arc == parts.arc).all()
    nothing = reach(graph, snap_all(graph, np.array([4_000.0]), np.array([1_000.0]), walk), walk, 600.0)
    assert nothing.reason is Empty.NO_ROAD_NEAR
