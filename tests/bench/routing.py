"""B1: how fast a circle is drawn, beside Valhalla on the same roads; B5: how true it is, door by door, by brute force."""

from __future__ import annotations

import csv
import gzip
import io
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.ops import transform

from geo.crs import SHANGHAI
from routing.edges import RoadEdges
from routing.graph import NO_WATER, Graph, GraphStore, build_graph
from routing.isochrones import MAX_VERTICES, MIN_HOLE_M2, Isochrone, isochrone
from routing.places import PlaceIndex, costs_to
from routing.search import reach
from routing.snap import snap
from routing.travellers import TRAVELLERS, Traveller
from tests.bench._valhalla import serving
from tests.bench.report import Bar
from tests.routing import mosaic
from tests.routing.brute import Truth

PLANE = SHANGHAI.plane
MINUTES = 15.0
ORIGINS = 200
TURN = 25
CIRCLES = 50
DOORS = 2000
OUTSIDE_M = 500.0
SEED = 15
COSTING: dict[str, tuple[str, dict[str, Any]]] = {
    "walk": ("pedestrian", {"walking_speed": 4.5}),
    "bicycle": ("bicycle", {"cycling_speed": 15}),
    "car": ("auto", {}),
}
FACTOR = {"walk": 5.0, "bicycle": 3.0, "car": 3.0}
Times = list[float]
Drawn = tuple[Graph, PlaceIndex]
"""What circles are drawn on."""


@dataclass(frozen=True)
class Ground:
    """Roads, doors (plane metres) and how many of the doors, the first ones, are facilities."""

    edges: RoadEdges
    x: np.ndarray
    y: np.ndarray
    facilities: int
    name: str
    water: np.ndarray = field(default_factory=lambda: NO_WATER)

    def places(self, graph: Graph) -> PlaceIndex:
        """Put the facilities on the roads of a graph."""
        return PlaceIndex.build(graph, np.arange(self.facilities), self.x[: self.facilities], self.y[: self.facilities])


def run() -> list[Bar]:
    """Return B1 for three travellers and B5 for the figures it asks of the walking circle, then of the others.

    The real data have no water. What cutting it costs is measured on the real roads with the invented rivers laid over them,
    and what the circles are worth beside it in the invented city.
    """
    ground = real() if mosaic.EDGES.exists() else replace(invented("demo"), water=NO_WATER)
    town = invented("demo")
    with graph_of(ground) as graph, graph_of(replace(ground, water=town.water)) as wet, graph_of(town) as small:
        _say(f"{graph.meta.edges} edges, {len(ground.x)} doors of {ground.name}")
        origins = _origins(graph, ground)
        dry_and_wet = ((graph, ground.places(graph)), (wet, ground.places(wet)))
        bars = _speed(*dry_and_wet, origins, real=mosaic.EDGES.exists())
        bars += _truths(graph, ground, ("walk", "elder", "pram", "wheelchair", "bicycle", "car"))
        return [*bars, *_truths(small, town, ("walk", "pram", "bicycle"))]


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")


@contextmanager
def graph_of(ground: Ground) -> Iterator[Graph]:
    with tempfile.TemporaryDirectory() as folder:
        store = GraphStore(Path(folder))
        began = time.perf_counter()
        build_graph(ground.edges, PLANE, store.versions, source="bench", as_of="", water=ground.water)
        _say(f"graph built in {time.perf_counter() - began:.1f} s")
        yield store.current()


def real() -> Ground:
    """Return the real mosaic, with points of interest, addresses and communities that lie on it as doors."""
    facilities = _read_points(mosaic.DATA / "osm-poi" / "shanghai_osm_poi_2026-05.csv.gz", "lon", "lat")
    addresses = _read_points(mosaic.DATA / "addresses" / "osm_addresses_2026-05.csv", "lon", "lat")
    places = mosaic.DATA / "communities" / "shanghai_residential_communities_2019.csv.gz"
    communities = _read_points(places, "lon_wgs84", "lat_wgs84")
    x, y = _project(np.concatenate((facilities, addresses, communities)))
    return Ground(mosaic.read_edges(), x, y, len(facilities), "the real mosaic")


def invented(scale: Literal["tiny", "demo"]) -> Ground:
    from fixtures.city import generate

    city = generate(scale)
    facilities = np.array([(item.lon, item.lat) for item in city.facilities])
    addresses = np.stack((city.addresses.lon, city.addresses.lat), axis=1)
    x, y = _project(np.concatenate((facilities, addresses)))
    water = np.array([each.polygon for each in city.basemap if each.kind in {"water", "river"}], dtype=object)
    return Ground(edges_of(city.roads), x, y, len(facilities), f"the invented city ({scale})", water)


def edges_of(roads: Any) -> RoadEdges:
    """Return the invented city's roads as the graph builder takes them."""
    from routing.edges import highway_codes

    points, owner = shapely.get_coordinates(roads.lines, return_index=True)
    sizes = np.bincount(owner, minlength=len(roads.lines))
    flags = {key: np.asarray(getattr(roads, key), dtype=bool) for key in ("foot", "bicycle", "car", "bridge")}
    flags |= {key: np.asarray(getattr(roads, key), dtype=bool) for key in ("tunnel", "steps", "ferry", "kerb")}
    return RoadEdges(
        ext_id=np.arange(len(sizes), dtype=np.int64),
        from_node=np.asarray(roads.from_node, dtype=np.int64),
        to_node=np.asarray(roads.to_node, dtype=np.int64),
        highway=highway_codes(roads.highway),
        oneway=np.asarray(roads.oneway, dtype=np.int8),
        duration_s=np.full(len(sizes), np.nan),
        offsets=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        lon=points[:, 0].copy(),
        lat=points[:, 1].copy(),
        **flags,
    )


def _read_points(file: Path, lon: str, lat: str) -> np.ndarray:
    packed = file.read_bytes()
    text = (gzip.decompress(packed) if file.suffix == ".gz" else packed).decode("utf-8-sig")
    rows = [(row[lon], row[lat]) for row in csv.DictReader(io.StringIO(text))]
    points = np.array([(float(a), float(b)) for a, b in rows if a and b])
    box = SHANGHAI.bbox
    inside = (
        (points[:, 0] > box.west) & (points[:, 0] < box.east) & (points[:, 1] > box.south) & (points[:, 1] < box.north)
    )
    return points[inside]


def _project(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return PLANE.forward(points[:, 0].copy(), points[:, 1].copy())


def _origins(graph: Graph, ground: Ground) -> list[tuple[float, float]]:
    """Return random doors with a road within 100 m for every traveller measured: the same for us and for the peer."""
    rng = np.random.default_rng(SEED)
    chosen: list[tuple[float, float]] = []
    for i in rng.permutation(len(ground.x)):
        place = (float(ground.x[i]), float(ground.y[i]))
        if all(snap(graph, *place, TRAVELLERS[key], limit_m=100).found for key in COSTING):
            chosen.append(place)
        if len(chosen) == ORIGINS:
            break
    return chosen


def circle(graph: Graph, x: float, y: float, traveller: Traveller, places: PlaceIndex) -> Isochrone:
    """Draw one circle: snap, search, polygon, the line mended around the facilities: the very one that B5 judges."""
    return isochrone(reach(graph, [snap(graph, x, y, traveller)], traveller, MINUTES * 60), [MINUTES], places)[0]


def _timed(
    graph: Graph, places: PlaceIndex, origins: list[tuple[float, float]], traveller: Traveller, areas: list[float]
) -> Times:
    """Return the seconds each circle takes, and note the areas drawn."""
    times: Times = []
    for x, y in origins:
        began = time.perf_counter()
        drawn = circle(graph, x, y, traveller, places)
        times.append(time.perf_counter() - began)
        areas.append(drawn.polygon.area)
    return times


def _speed(dry: Drawn, wet: Drawn, origins: list[tuple[float, float]], *, real: bool) -> list[Bar]:
    """Time us, the peer and its /status over the same origins, a few at a time in turn: noise falls on all alike.

    The graph without water bears the bar; what the one with rivers costs is told beside it.
    """
    bars = []
    with _peer(real) as service:
        for key in COSTING:
            traveller = TRAVELLERS[key]
            ours: Times = []
            theirs: Times = []
            status: Times = []
            areas: list[float] = []
            others: list[float] = []
            for first in range(-TURN, len(origins), TURN):
                turn = origins[max(0, first) : max(0, first) + TURN]
                if first == 0:
                    # The first turn was to warm up.
                    for column in (ours, theirs, status, areas, others):
                        column.clear()
                ours += _timed(*dry, turn, traveller, areas)
                if service is None:
                    continue
                for question in [_question(key, x, y) for x, y in turn]:
                    took, answer = service.ask("/isochrone", question)
                    theirs.append(took)
                    others.append(_area(answer))
                status += [service.ask("/status")[0] for _ in turn]
            # Apart from the race: another graph in between would leave the first one cold.
            beside = _timed(*wet, origins[:TURN] + origins, traveller, [])[TURN:]
            mine, cut = _ms(ours, 50), _ms(beside, 50)
            if service is None:
                bars.append(Bar("B1", mine, None, None, "ms", f"{key}, p50 of {len(origins)}; peer not to be had"))
                continue
            peer = _ms(theirs, 50) - _ms(status, 50)
            note = (
                f"{key}, p50 of {len(origins)} (p95 {_ms(ours, 95):.2f}); Valhalla {_ms(theirs, 50):.2f} less /status"
                f" {_ms(status, 50):.2f}; bar {FACTOR[key]:.0f}×; median area {np.median(areas) / 1e6:.2f}"
                f" against {np.median(others) / 1e6:.2f} km²"
            )
            bars.append(Bar("B1", mine, peer, peer / mine, "ms", note))
            rivers = (
                f"{key}, the worst case: invented rivers laid over the real roads, thousands of which then run in water"
                f" (p95 {_ms(beside, 95):.2f})"
            )
            bars.append(Bar("B1 rivers", cut, peer, peer / cut, "ms", rivers))
            _say(note)
    return bars


@contextmanager
def _peer(real: bool) -> Iterator[Any]:
    if not real:
        yield None
        return
    with serving(mosaic.PBF) as service:
        yield service


def _question(key: str, x: float, y: float) -> dict[str, Any]:
    costing, options = COSTING[key]
    lon, lat = PLANE.inverse(np.array([x]), np.array([y]))
    return {
        "locations": [{"lon": float(lon[0]), "lat": float(lat[0])}],
        "costing": costing,
        "costing_options": {costing: options},
        "contours": [{"time": MINUTES}],
        "polygons": True,
    }


def _area(answer: dict[str, Any]) -> float:
    features = answer.get("features", [])
    if not features:
        return 0.0
    drawn = shape(features[0]["geometry"])
    return float(transform(lambda a, b: PLANE.forward(np.asarray(a), np.asarray(b)), drawn).area)


def _ms(times: Times, percentile: float) -> float:
    return float(np.percentile(times, percentile)) * 1000


def _truths(graph: Graph, ground: Ground, keys: Sequence[str]) -> list[Bar]:
    places = ground.places(graph)
    bars: list[Bar] = []
    for key in keys:
        bars += _truth(graph, ground, places, TRAVELLERS[key])
    return bars


def _truth(graph: Graph, ground: Ground, places: PlaceIndex, traveller: Traveller) -> list[Bar]:
    """Ask of doors inside the circle and up to 500 m outside whether brute force agrees that they are reached."""
    rng = np.random.default_rng(SEED)
    truth = Truth(ground.edges, traveller)
    doors = shapely.points(ground.x, ground.y)
    tree = shapely.STRtree(doors)
    reached_in = reached = unreached_out = unreached = disagree = listed = 0
    vertices, holes = 0, np.inf
    each = DOORS // CIRCLES
    for x, y in _origins(graph, ground)[:CIRCLES]:
        start = snap(graph, x, y, traveller)
        found = reach(graph, [start], traveller, MINUTES * 60)
        polygon = isochrone(found, [MINUTES], places)[0]
        vertices = max(vertices, polygon.vertices)
        holes = min([holes, *(shapely.Polygon(r).area for part in polygon.polygon.geoms for r in part.interiors)])
        near = tree.query(polygon.polygon, predicate="dwithin", distance=OUTSIDE_M)
        chosen = rng.choice(near, min(each, len(near)), replace=False)
        inside = shapely.covers(polygon.polygon, doors[near])
        row = int(np.flatnonzero(ground.edges.ext_id == graph.ext_id[start.edge])[0])
        origin = [(row, start.fraction, start.access_ms / 1000)]
        nodes = truth.node_seconds(origin)
        covered = set(near[inside].tolist())
        for door in chosen:
            seconds = truth.point_seconds(origin, float(ground.x[door]), float(ground.y[door]), nodes)
            if seconds <= MINUTES * 60:
                reached += 1
                reached_in += int(door) in covered
            else:
                unreached += 1
                unreached_out += int(door) not in covered
        in_list = set(costs_to(found, places).place.tolist())
        drawn = {int(i) for i in covered if i < ground.facilities}
        disagree += len(in_list ^ drawn)
        listed += len(in_list | drawn)
    who = traveller.key if ground.water is NO_WATER else f"{traveller.key} beside water in {ground.name}"
    doors_asked = f"{who}, {reached + unreached} doors of {CIRCLES} circles"
    inside_share, outside_share = 100 * reached_in / max(1, reached), 100 * unreached_out / max(1, unreached)
    apart = 100 * disagree / max(1, listed)
    _say(f"{doors_asked}: {inside_share:.2f} % in, {outside_share:.2f} % out, {apart:.2f} % apart of {listed}")
    return [
        Bar("B5", inside_share, 98.0, inside_share / 98.0, "%", f"{doors_asked}: reachable inside; peer = bar"),
        Bar("B5", outside_share, 95.0, outside_share / 95.0, "%", f"{doors_asked}: unreachable outside; peer = bar"),
        Bar(
            "B5",
            apart,
            0.5,
            0.5 / max(apart, 0.001),
            "%",
            f"{who}: list and polygon disagree, of {listed}; peer = bar",
        ),
        Bar(
            "B5",
            vertices,
            MAX_VERTICES,
            MAX_VERTICES / vertices,
            "vertices",
            f"{who}: most of any circle; peer = bar",
        ),
        Bar(
            "B5",
            float(holes),
            MIN_HOLE_M2,
            float(holes) / MIN_HOLE_M2,
            "m²",
            f"{who}: smallest hole; peer = bar",
        ),
    ]
