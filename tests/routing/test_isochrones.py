from __future__ import annotations

import numpy as np
import pytest
import shapely

from routing.isochrones import MAX_VERTICES, MIN_HOLE_M2, isochrone
from routing.places import PlaceIndex, costs_to
from routing.search import BadSearch, Budget, SearchTooLarge, reach
from routing.snap import Empty, snap
from routing.travellers import TRAVELLERS
from tests.routing import mosaic
from tests.routing.brute import Truth
from tests.routing.drawing import PLANE, Drawing, graph_of, road_edges

WALK, CAR = TRAVELLERS["walk"], TRAVELLERS["car"]
CENTRE = (121.452, 31.212, 121.498, 31.245)

RIVER = """
A--+--+--+--B--+--+--+
|  |  |  |  |  |  |  |
+--+--+--+--C--+--+--+
            =
            =
            =
            =
+--+--+--+--D--+--+--+
|  |  |  |  |  |  |  |
E--+--+--+--F--+--+--+
"""


def town(seed: int, side: int = 14, step: float = 120.0):
    """Return a town of crooked streets with gaps, dead ends and lanes of several bends."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1) * step + rng.uniform(
        -35, 35, (side, side, 2)
    )
    lines, ends = [], []
    for r in range(side):
        for c in range(side):
            for dr, dc in ((0, 1), (1, 0)):
                if r + dr < side and c + dc < side and rng.random() < 0.75:
                    a, b = places[r, c], places[r + dr, c + dc]
                    lines.append(np.array([a, (a + b) / 2 + rng.uniform(-20, 20, 2), b]))
                    ends.append((r * side + c, (r + dr) * side + c + dc))
    return road_edges(lines, ends)


@pytest.mark.parametrize("key", ["walk", "elder", "wheelchair", "bicycle"])
def test_doors_lie_on_the_side_that_brute_force_says(tmp_path, key):
    traveller = TRAVELLERS[key]
    right: dict[bool, list[bool]] = {True: [], False: []}
    for seed in (1, 2, 3, 4):
        edges = town(seed, side=20)
        graph = graph_of(edges, tmp_path / str(seed))
        truth = Truth(edges, traveller)
        start = snap(graph, 1200.0, 1150.0, traveller)
        seconds = 750 / graph.travel(traveller).fastest_mps
        circle = isochrone(reach(graph, [start], traveller, seconds), [seconds / 60])[0].polygon
        origin = [(int(graph.ext_id[start.edge]), start.fraction, start.access_ms / 1000)]
        nodes = truth.node_seconds(origin)
        doors = np.random.default_rng(seed).uniform(400, 1900, (500, 2))
        for door, inside in zip(doors, shapely.covers(circle, shapely.points(doors)), strict=True):
            reached = truth.point_seconds(origin, *door, nodes) <= seconds
            right[reached].append(bool(inside) == reached)
    assert len(right[True]) > 200
    assert len(right[False]) > 200
    assert np.mean(right[True]) >= 0.98
    assert np.mean(right[False]) >= 0.95


@pytest.mark.data
def test_the_real_centre_is_drawn_true():
    """A small B5: doors inside the circle and up to 500 m outside, brute force as the judge."""
    import tempfile
    from pathlib import Path

    edges = mosaic.read_edges(CENTRE)
    rows = {int(ext): row for row, ext in enumerate(edges.ext_id)}
    truth = Truth(edges, WALK)
    rng = np.random.default_rng(5)
    right_in, right_out = [], []
    with tempfile.TemporaryDirectory() as folder:
        graph = graph_of(edges, Path(folder))
        for lon, lat in ((121.475, 31.225), (121.468, 31.231), (121.482, 31.219)):
            x, y = (float(value[0]) for value in PLANE.forward(np.array([lon]), np.array([lat])))
            start = snap(graph, x, y, WALK)
            circle = isochrone(reach(graph, [start], WALK, 600), [10])[0]
            assert circle.polygon.is_valid
            origin = [(rows[int(graph.ext_id[start.edge])], start.fraction, start.access_ms / 1000)]
            nodes = truth.node_seconds(origin)
            around = circle.polygon.buffer(300)
            west, south, east, north = around.bounds
            points = shapely.points(rng.uniform((west, south), (east, north), (500, 2)))
            for door in points[shapely.covers(around, points)]:
                reached = truth.point_seconds(origin, door.x, door.y, nodes) <= 600
                (right_in if reached else right_out).append(circle.polygon.covers(door) == reached)
    assert len(right_in) > 200
    assert len(right_out) > 200
    assert np.mean(right_in) >= 0.98
    assert np.mean(right_out) >= 0.95


def test_a_river_is_crossed_only_by_the_bridge(tmp_path):
    drawing = Drawing(RIVER)
    graph = drawing.graph(tmp_path)
    x, y = drawing.at["A"]
    minutes = 1100 / 1.25 / 60
    circle = isochrone(reach(graph, [snap(graph, x, y, WALK)], WALK, minutes * 60), [minutes])[0].polygon
    bank, opposite = drawing.at["E"], drawing.at["D"]
    assert circle.covers(shapely.Point(opposite[0], opposite[1]))
    # Straight across the water E is 450 m away, on foot 1,300 m.
    assert not circle.covers(shapely.Point(bank[0], bank[1]))
    assert not circle.covers(shapely.Point(bank[0] + 10, bank[1] + 80))


def test_bands_come_from_one_search_and_lie_in_each_other(tmp_path):
    graph = graph_of(town(4), tmp_path)
    found = reach(graph, [snap(graph, 800, 800, WALK)], WALK, 900)
    fifteen, five, ten = isochrone(found, [15, 5, 10])
    assert [band.minutes for band in (five, ten, fifteen)] == [5, 10, 15]
    assert 0 < five.polygon.area < ten.polygon.area < fifteen.polygon.area
    assert five.polygon.difference(ten.polygon).area < 1e-6
    assert ten.polygon.difference(fifteen.polygon).area < 1e-6
    alone = isochrone(reach(graph, [snap(graph, 800, 800, WALK)], WALK, 300), [5])[0]
    assert alone.polygon.symmetric_difference(five.polygon).area < 0.02 * alone.polygon.area


@pytest.mark.parametrize("seed", range(6))
def test_the_line_is_valid_small_and_without_pinholes(tmp_path, seed):
    graph = graph_of(town(seed, side=40), tmp_path)
    for key in ("walk", "car"):
        found = reach(graph, [snap(graph, 2400, 2400, TRAVELLERS[key])], TRAVELLERS[key], 900)
        circle = isochrone(found, [15])[0]
        assert circle.polygon.is_valid
        assert 3 < circle.vertices <= MAX_VERTICES
        holes = [shapely.Polygon(ring).area for part in circle.polygon.geoms for ring in part.interiors]
        assert all(area >= MIN_HOLE_M2 for area in holes)


@pytest.mark.parametrize("key", ["walk", "elder", "bicycle"])
def test_map_and_list_agree_about_every_place_near_the_line(tmp_path, key):
    traveller = TRAVELLERS[key]
    before = after = total = 0
    for seed in (7, 8, 9):
        graph = graph_of(town(seed, side=30), tmp_path / str(seed))
        x, y = np.random.default_rng(seed).uniform(-100, 3700, (2, 8000))
        places = PlaceIndex.build(graph, np.arange(8000), x, y)
        found = reach(graph, [snap(graph, 1800, 1800, traveller)], traveller, 420)
        plain, mended = isochrone(found, [7])[0], isochrone(found, [7], places)[0]
        listed = np.zeros(8000, dtype=bool)
        listed[costs_to(found, places).place] = True
        points = shapely.points(x, y)
        before += int((shapely.covers(plain.polygon, points) != listed).sum())
        after += int((shapely.covers(mended.polygon, points) != listed).sum())
        total += int(listed.sum())
        assert mended.polygon.is_valid
        assert mended.polygon.symmetric_difference(plain.polygon).area < 0.01 * plain.polygon.area
    assert after < before
    assert after <= 0.005 * total


def test_several_origins_draw_one_ground(tmp_path):
    graph = graph_of(town(9, side=30), tmp_path)
    starts = [snap(graph, 600, 600, WALK), snap(graph, 3000, 3000, WALK), snap(graph, 650, 640, WALK)]
    together = isochrone(reach(graph, starts, WALK, 300), [5])[0].polygon
    alone = shapely.union_all([isochrone(reach(graph, [start], WALK, 300), [5])[0].polygon for start in starts])
    assert len(together.geoms) >= 2
    assert together.symmetric_difference(alone).area < 0.03 * alone.area
    many = [snap(graph, 600 + 10 * i, 600 + 7 * i, WALK) for i in range(60)]
    assert isochrone(reach(graph, many, WALK, 120), [2])[0].polygon.is_valid


def test_an_origin_in_the_middle_of_a_long_road_has_a_circle(tmp_path):
    graph = Drawing("A" + "-" * 60 + "B").graph(tmp_path)
    circle = isochrone(reach(graph, [snap(graph, 1500, 20, WALK)], WALK, 300), [5])[0].polygon
    west, _, east, _ = circle.bounds
    assert circle.covers(shapely.Point(1500, 20))
    # 16 s to the road, 284 s along it.
    assert west == pytest.approx(1500 - 284 * 1.25, abs=3)
    assert east == pytest.approx(1500 + 284 * 1.25, abs=3)


def test_a_closed_bridge_is_not_crossed(tmp_path):
    drawing = Drawing(RIVER)
    edges = drawing.edges()
    graph = graph_of(edges, tmp_path)
    closed = graph.closures(np.flatnonzero(edges.bridge).tolist())
    start = snap(graph, *drawing.at["A"], WALK, closed=closed)
    shut = isochrone(reach(graph, [start], WALK, 880, closed=closed), [14])[0].polygon
    open_ = isochrone(reach(graph, [start], WALK, 880), [14])[0].polygon
    far_bank, near_bank = shapely.Point(drawing.at["D"]), shapely.Point(drawing.at["C"])
    assert open_.covers(far_bank)
    assert not shut.covers(far_bank)
    assert shut.covers(near_bank)
    # The middle of the bridge is now nearest to the bank, not to the closed bridge.
    assert shut.covers(shapely.Point(near_bank.x, near_bank.y - 20))
    assert shut.area < open_.area


def test_nothing_reached_is_an_empty_polygon(tmp_path):
    graph = Drawing("A-----B").graph(tmp_path)
    found = reach(graph, [snap(graph, 1e7, 0, WALK)], WALK, 300)
    circle = isochrone(found, [5])[0]
    assert found.reason is Empty.OFF_MAP
    assert circle.polygon.is_empty
    assert circle.vertices == 0


def test_minutes_must_have_been_searched(tmp_path):
    graph = Drawing("A-----B").graph(tmp_path)
    found = reach(graph, [snap(graph, 10, 0, WALK)], WALK, 300)
    for minutes in ([6], [], [0], [5, -1], [float("nan")]):
        with pytest.raises(BadSearch):
            isochrone(found, minutes)


def test_a_cut_search_draws_only_what_it_knows(tmp_path):
    graph = graph_of(town(3), tmp_path)
    found = reach(graph, [snap(graph, 800, 800, WALK)], WALK, 900, budget=Budget(nodes=40))
    with pytest.raises(SearchTooLarge):
        isochrone(found, [15])
    known = found.complete_ms / 60_000
    whole = reach(graph, [snap(graph, 800, 800, WALK)], WALK, 900)
    assert isochrone(found, [known])[0].polygon.equals(isochrone(whole, [known])[0].polygon)


def test_degrees_come_back_to_the_same_metres(tmp_path):
    graph = graph_of(town(3), tmp_path)
    circle = isochrone(reach(graph, [snap(graph, 800, 800, WALK)], WALK, 300), [5])[0]
    degrees = circle.degrees(PLANE)
    coordinates = shapely.get_coordinates(degrees)
    east, north = PLANE.forward(coordinates[:, 0].copy(), coordinates[:, 1].copy())
    assert np.allclose(np.stack((east, north), axis=1), shapely.get_coordinates(circle.polygon), atol=0.02)
    assert degrees.bounds[0] > 121
