"""Water is a barrier of its own: no part of a circle lies on it but where a road crosses, and no unreached bank is coloured."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

from routing.graph import Graph, GraphStore, build_graph
from routing.isochrones import MAX_VERTICES, MIN_HOLE_M2, isochrone
from routing.places import PlaceIndex, costs_to
from routing.search import reach
from routing.snap import snap
from routing.travellers import TRAVELLERS
from routing.water import MIN_AREA_M2, SCALES, STRIP_HALF_WIDTH_M, Ragged, water_arrays
from tests.routing.brute import Truth
from tests.routing.drawing import PLANE, Drawing

WALK = TRAVELLERS["walk"]

TOWN = """
A--+--+--+--+--+--+--+--+--+--+
|  |  |  |  |  |  |  |  |  |  |
+--+--+--+--+--+--+--+--+--+--+
|  |  |  |  |  |  |  |  |  |  |
+--+--+--+--+--C--+--+--+--+--+
               =
               =
               =
               =
               =
+--+--+--+--+--D--+--+--+--+--+
|  |  |  |  |  |  |  |  |  |  |
+--+--+--+--+--+--+--+--+--+--+
|  |  |  |  |  |  |  |  |  |  |
B--+--+--+--+--+--+--+--+--+--+
"""
RIVER = shapely.box(-3000, -480, 5000, -220)
"""Between the rows of C and D, 20 m off either embankment."""


def degrees(shapes):
    """Return shapes of the plane in (lon, lat) degrees, each side in steps of at most 100 m."""

    def unproject(xy):
        lon, lat = PLANE.inverse(np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1]))
        return np.stack((lon, lat), axis=1)

    return shapely.transform(shapely.segmentize(np.array(shapes, dtype=object), 100), unproject)


def wet_graph(edges, folder, *water) -> Graph:
    store = GraphStore(folder)
    build_graph(edges, PLANE, store.versions, source="drawing", as_of="", water=degrees(water), threads=1)
    return store.current()


def circle(graph, x, y, minutes, traveller=WALK, closed=None):
    flags = {} if closed is None else {"closed": closed}
    return isochrone(
        reach(graph, [snap(graph, x, y, traveller, **flags)], traveller, minutes * 60, **flags), [minutes]
    )[0].polygon


def bridge(drawing):
    return shapely.LineString([drawing.at["C"], drawing.at["D"]]).buffer(STRIP_HALF_WIDTH_M + 1)


@pytest.mark.parametrize("key", ["walk", "wheelchair", "bicycle"])
@pytest.mark.parametrize("start", ["C", "A", "D", "B"])
def test_no_part_of_a_circle_lies_on_a_river_but_along_its_bridge(tmp_path, start, key):
    drawing = Drawing(TOWN)
    edges = drawing.edges()
    traveller = TRAVELLERS[key]
    wet, dry = wet_graph(edges, tmp_path / "wet", RIVER), wet_graph(edges, tmp_path / "dry")
    truth = Truth(edges, traveller)
    rng = np.random.default_rng(5)
    on_water = over_the_river = 0.0
    right: dict[bool, list[bool]] = {True: [], False: []}
    for metres in (300, 450, 600, 900, 1300):
        minutes = metres / traveller.speed_mps / 60
        x, y = drawing.at[start]
        drawn, bulging = circle(wet, x, y, minutes, traveller), circle(dry, x, y, minutes, traveller)
        away = RIVER.difference(bridge(drawing))
        on_water += drawn.intersection(away).area / drawn.area
        over_the_river += bulging.intersection(away).area / bulging.area
        assert drawn.is_valid
        origin = [(int(wet.ext_id[(at := snap(wet, x, y, traveller)).edge]), at.fraction, at.access_ms / 1000)]
        nodes = truth.node_seconds(origin)
        doors = rng.uniform((-100, -800), (1600, 100), (400, 2))
        doors = doors[~shapely.intersects(RIVER, shapely.points(doors))]
        for door, inside in zip(doors, shapely.covers(drawn, shapely.points(doors)), strict=True):
            reached = truth.point_seconds(origin, *door, nodes) <= minutes * 60
            right[reached].append(bool(inside) == reached)
    assert over_the_river / 5 > 0.01
    assert on_water / 5 < 0.003
    assert np.mean(right[True]) >= 0.98
    assert np.mean(right[False]) >= 0.95


def test_the_bridge_carries_the_circle_to_the_other_bank(tmp_path):
    drawing = Drawing(TOWN)
    graph = wet_graph(drawing.edges(), tmp_path, RIVER)
    drawn = circle(graph, *drawing.at["C"], 10)
    middle = shapely.LineString([drawing.at["C"], drawing.at["D"]])
    assert drawn.covers(middle)
    assert len(drawn.geoms) == 1
    assert drawn.intersection(RIVER).intersection(bridge(drawing)).area == pytest.approx(260 * 30, rel=0.05)


def test_a_far_bank_without_a_reached_road_is_not_coloured(tmp_path):
    drawing = Drawing("A" + "-" * 30 + "B")
    canal = shapely.box(-900, -100, 2400, -40)
    bulging, drawn = (
        circle(wet_graph(drawing.edges(), tmp_path / name, *water), 750, 0, 8)
        for name, water in (("dry", ()), ("wet", (canal,)))
    )
    beyond = shapely.box(-900, -900, 2400, -100)
    assert bulging.intersection(beyond).area > 10_000
    assert drawn.intersection(beyond).is_empty
    assert drawn.intersection(canal).area < 0.005 * drawn.area
    assert drawn.difference(bulging).area < 1


def test_a_closed_bridge_is_water(tmp_path):
    drawing = Drawing(TOWN)
    edges = drawing.edges()
    graph = wet_graph(edges, tmp_path, RIVER)
    closed = graph.closures(np.flatnonzero(edges.bridge).tolist())
    shut, open_ = circle(graph, *drawing.at["C"], 10, closed=closed), circle(graph, *drawing.at["C"], 10)
    assert shut.intersection(RIVER).area < 0.003 * shut.area
    assert open_.intersection(RIVER).area > 5000
    assert shut.bounds[1] >= -223


def test_a_bridge_for_cars_only_bears_no_circle_on_foot(tmp_path):
    drawing = Drawing(TOWN)
    edges = drawing.edges()
    graph = wet_graph(drawing.edges(foot=~edges.bridge), tmp_path, RIVER)
    walk, car = circle(graph, *drawing.at["C"], 10), circle(graph, *drawing.at["C"], 2, TRAVELLERS["car"])
    assert walk.intersection(RIVER).area < 0.003 * walk.area
    assert car.intersection(RIVER).area > 5000


def test_a_ferry_brings_people_across_and_leaves_the_water_blank(tmp_path):
    drawing = Drawing(TOWN.replace("=", "~"))
    graph = wet_graph(drawing.edges(), tmp_path, RIVER)
    drawn = circle(graph, *drawing.at["C"], 15)
    assert drawn.covers(shapely.Point(drawing.at["D"]))
    assert len(drawn.geoms) == 2
    assert drawn.intersection(RIVER).area < 0.003 * drawn.area


def test_ponds_become_holes_and_puddles_do_not(tmp_path):
    drawing = Drawing(TOWN)
    pond, puddle = shapely.box(20, -85, 130, -15), shapely.box(470, -85, 500, -15)
    drawn = circle(wet_graph(drawing.edges(), tmp_path, pond, puddle), *drawing.at["C"], 30)
    (hole,) = (shapely.Polygon(ring) for part in drawn.geoms for ring in part.interiors if pond.intersects(ring))
    assert hole.symmetric_difference(pond).area < 0.05 * pond.area
    assert drawn.covers(puddle)


def test_shorter_circles_lie_within_longer_ones_beside_water(tmp_path):
    graph = wet_graph(Drawing(TOWN).edges(), tmp_path, RIVER)
    found = reach(graph, [snap(graph, 700, -180, WALK)], WALK, 900)
    five, ten, fifteen = (each.polygon for each in isochrone(found, [5, 10, 15]))
    assert five.difference(ten).area < 1e-6
    assert ten.difference(fifteen).area < 1e-6


def test_a_graph_built_before_water_was_kept_still_answers(tmp_path):
    edges = Drawing(TOWN).edges()
    graph = wet_graph(edges, tmp_path / "now", RIVER)
    plain = wet_graph(edges, tmp_path / "plain")
    folder = GraphStore(tmp_path / "now").versions.current()
    assert folder is not None
    for file in folder.glob("water-*"):
        file.unlink()
    old = Graph.open(folder)
    assert graph.water is not None
    assert old.water is plain.water is None
    assert json.loads((folder / "meta.json").read_text())["format"] == 1
    assert circle(old, 750, -200, 10).equals(circle(plain, 750, -200, 10))


def test_places_by_the_water_are_on_the_side_that_the_list_says(tmp_path):
    """Doors a few metres out on the water, as imprecise points are, keep their notch."""
    drawing = Drawing(TOWN)
    graph = wet_graph(drawing.edges(), tmp_path, RIVER)
    x = np.random.default_rng(2).uniform(0, 1500, 40)
    places = PlaceIndex.build(graph, np.arange(40), x, np.full(40, -228.0))
    found = reach(graph, [snap(graph, *drawing.at["C"], WALK)], WALK, 480)
    listed = set(costs_to(found, places).place.tolist())
    drawn = isochrone(found, [8], places)[0].polygon
    inside = set(np.flatnonzero(shapely.covers(drawn, shapely.points(x, np.full(40, -228.0)))).tolist())
    assert 10 < len(listed) < 40
    assert len(inside ^ listed) <= 1
    assert drawn.is_valid


def blobs(seed):
    rng = np.random.default_rng(seed)
    lines = [shapely.LineString(np.cumsum(rng.normal(0, 300, (12, 2)), axis=0)) for _ in range(5)]
    return [line.buffer(width) for line, width in zip(lines, rng.uniform(4, 120, 5), strict=True)]


@pytest.mark.parametrize("seed", range(4))
def test_water_that_is_kept_never_covers_land_and_lacks_only_its_edge(seed):
    shapes = blobs(seed)
    whole = shapely.union_all(shapes)
    none = np.empty(0, dtype=bool)
    arrays = water_arrays(np.array(shapes, dtype=object), np.empty(0, dtype=object), none, {"foot": none})
    keys = arrays["water-foot-keys"]
    tiles = Ragged(*(arrays[f"water-foot-tile_{part}"] for part in ("points", "rings", "polygons", "shapes"))).take(
        0, len(keys)
    )
    assert shapely.is_valid(tiles).all()
    for number, scale in enumerate(SCALES):
        kept = shapely.union_all(tiles[keys[:, 0] == number])
        # But for the chords that stand for arcs.
        assert kept.difference(whole).area < 0.0005 * whole.area
        wide = whole.buffer(-scale.width_m / 2).buffer(scale.width_m / 2 - 2.2 * scale.tolerance_m)
        parts = shapely.get_parts(wide.difference(kept))
        assert all(part.area < 2 * MIN_AREA_M2 for part in parts)
        # Whatever lies in a box no wider than a step lies in the tile that the box begins in.
        for x, y in np.random.default_rng(seed).uniform(-3000, 3000, (20, 2)):
            box = shapely.box(x, y, x + scale.step_m, y + scale.step_m)
            key = (number, int(x // scale.step_m), int(y // scale.step_m))
            at = np.flatnonzero((keys == key).all(axis=1))
            held = tiles[at[0]] if len(at) else shapely.Polygon()
            assert held.intersection(box).symmetric_difference(kept.intersection(box)).area < 1


@pytest.fixture(scope="module")
def city():
    from fixtures.city import generate

    return generate("tiny")


@pytest.mark.parametrize("key", ["walk", "pram", "bicycle", "car"])
def test_circles_of_the_invented_city_keep_off_its_rivers_and_keep_their_doors(city, tmp_path, key):
    from tests.bench.routing import edges_of

    edges = edges_of(city.roads)
    rivers = np.array([each.polygon for each in city.basemap if each.kind in {"water", "river"}], dtype=object)
    store = GraphStore(tmp_path)
    build_graph(edges, PLANE, store.versions, source="", as_of="", water=rivers)
    graph, traveller = store.current(), TRAVELLERS[key]

    def project(degrees):
        return np.stack(PLANE.forward(degrees[:, 0].copy(), degrees[:, 1].copy()), axis=1)

    water = shapely.union_all(shapely.transform(rivers, project))
    roads = shapely.transform(np.array(city.roads.lines, dtype=object), project)
    crossing = roads[shapely.intersects(water, roads) & traveller.usable(edges) & ~edges.ferry]
    away = water.difference(shapely.union_all(shapely.buffer(crossing, STRIP_HALF_WIDTH_M + 1)))
    x, y = PLANE.forward(city.addresses.lon, city.addresses.lat)
    doors, places = shapely.points(x, y), PlaceIndex.build(graph, np.arange(len(x)), x, y)
    wet, left = [], []
    for at in np.random.default_rng(8).choice(len(x), 24):
        found = reach(graph, [snap(graph, x[at], y[at], traveller)], traveller, 900)
        drawn = isochrone(found, [15])[0]
        assert drawn.polygon.is_valid
        assert drawn.vertices <= MAX_VERTICES
        holes = [shapely.Polygon(ring).area for part in drawn.polygon.geoms for ring in part.interiors]
        assert all(area >= MIN_HOLE_M2 for area in holes)
        wet.append(drawn.polygon.intersection(away).area / drawn.polygon.area)
        listed = costs_to(found, places).place
        left.append(1 - shapely.covers(drawn.polygon, doors[listed]).mean())
    assert np.max(wet) < 0.01
    assert np.mean(wet) < 0.004
    assert np.mean(left) < 0.02
