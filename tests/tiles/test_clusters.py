"""Points counted together, against counting by hand, whether the process holds them or the database counts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import mapbox_vector_tile
import pytest
from django.db import connection

from tiles import held as memory
from tiles.clusters import cluster_tile
from tiles.schemes import CGCS2000_QUAD, SCHEMES, WEB_MERCATOR_QUAD, Scheme, Tile, tile_at
from tiles.source import Column, TileSource

pytestmark = pytest.mark.django_db
LON, LAT = 121.4737, 31.2304
SOURCE = TileSource(
    layer="points",
    geometry="point",
    table="tile_points",
    columns=[Column("id", "t.id"), Column("kind", "t.kind"), Column("beds", "t.beds")],
    cluster_px=64,
    cluster_below=16,
    counted="kind",
    figures=["beds"],
)
Point = tuple[int, float, float, str, float | None]


@pytest.fixture
def points() -> Iterator[list[Point]]:
    chance = random.Random(8)
    rows: list[Point] = []
    for number in range(600):
        near = chance.random() < 0.7
        wide = 0.01 if near else 0.3
        lon, lat = LON + chance.gauss(0, wide), LAT + chance.gauss(0, wide)
        rows.append((number, lon, lat, chance.choice("甲乙丙"), chance.choice([None, 1.5, 20.0])))
    rows += [(600 + number, LON, LAT, "丁", 7.0) for number in range(5)]  # in one house
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE tile_points (id bigint, geom geometry(Point, 4490), kind text, beds float8)")
        cursor.executemany("INSERT INTO tile_points VALUES (%s, ST_SetSRID(ST_MakePoint(%s, %s), 4490), %s, %s)", rows)
    memory._HELD.clear()
    yield rows
    memory._HELD.clear()


def read(content: bytes) -> list[dict[str, Any]]:
    found = mapbox_vector_tile.decode(content, default_options={"y_coord_down": True}) if content else {}
    return [one for layer in found.values() for one in layer["features"]]


def tiles_of(points: list[Point], z: int, scheme: Scheme) -> dict[Tile, list[Point]]:
    found: dict[Tile, list[Point]] = {}
    for point in points:
        found.setdefault(tile_at(point[1], point[2], z, scheme), []).append(point)
    return found


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=list(SCHEMES))
@pytest.mark.parametrize("z", [7, 10, 13, 15])
def test_held_or_asked_a_tile_says_the_same_and_counts_each_point_once(
    points: list[Point], z: int, scheme: Scheme
) -> None:
    held = replace(SOURCE, name=f"held {scheme.id}")
    for tile, inside in tiles_of(points, z, scheme).items():
        found, asked = read(cluster_tile(held, tile)), read(cluster_tile(SOURCE, tile))
        told = lambda rows: sorted((one["geometry"]["coordinates"], sorted(one["properties"].items())) for one in rows)  # noqa: E731
        assert told(found) == told(asked)
        said = [one["properties"] for one in found]
        assert sum(one.get("count", 1) for one in said) == len(inside)
        kinds = Counter[str]()
        for one in said:
            kinds.update(
                {one["kind"]: 1} if "count" not in one else {k[5:]: v for k, v in one.items() if k[:5] == "kind:"}
            )
        assert kinds == Counter(point[3] for point in inside)
        beds = [one.get("beds:sum", one.get("beds", 0)) for one in said]
        assert sum(beds) == pytest.approx(sum(point[4] or 0 for point in inside))
    assert memory._HELD


def test_a_cluster_comes_apart_at_the_zoom_it_says_and_not_before(points: list[Point]) -> None:
    source = replace(SOURCE, name="apart")

    def cells(z: int) -> dict[frozenset[int], int]:
        found: dict[tuple[int, int], set[int]] = {}
        for number, lon, lat, *_ in points:
            x, y = WEB_MERCATOR_QUAD.project(lon, lat)
            side = WEB_MERCATOR_QUAD.side(z) / 8
            found.setdefault((int(x // side), int(y // side)), set()).add(number)
        return {frozenset(members): len(members) for members in found.values()}

    by_zoom = {z: cells(z) for z in range(9, 16)}
    for z in range(9, 15):
        wanted = Counter()
        for members, many in by_zoom[z].items():
            if many > 1:
                parts = next((zoom for zoom in range(z + 1, 16) if members not in by_zoom[zoom]), 16)
                wanted[many, parts] += 1
        said = [
            one["properties"]
            for tile in tiles_of(points, z, WEB_MERCATOR_QUAD)
            for one in read(cluster_tile(source, tile))
        ]
        assert Counter((one["count"], one["expansion_zoom"]) for one in said if "count" in one) == wanted
    assert any(parts == 16 for _, parts in wanted)  # the five in one house never part


def test_a_tile_where_nothing_stands_is_empty_and_too_many_points_are_not_held(
    points: list[Point], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cluster_tile(replace(SOURCE, name="sea"), tile_at(123.9, 30.0, 12)) == b""
    monkeypatch.setattr(memory, "HOLD_POINTS", 100)
    tile = tile_at(LON, LAT, 10)
    assert read(cluster_tile(replace(SOURCE, name="many"), tile)) == read(cluster_tile(SOURCE, tile))
    assert [name for name, _ in memory._HELD] == ["sea"]


def test_the_longest_unused_are_let_go(points: list[Point], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "HOLD_ALL", 4_000)
    for name in ("a", "b", "a", "c"):
        cluster_tile(replace(SOURCE, name=name), tile_at(LON, LAT, 10, CGCS2000_QUAD))
    assert [name for name, _ in memory._HELD] == ["a", "c"]
