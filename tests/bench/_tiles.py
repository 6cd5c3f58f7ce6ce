"""The parts of the ``tiles`` benchmark that need Django over the scratch database; run as ``python -m tests.bench._tiles PART``.

Each part prints one JSON value on its last line.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import os
import random
import sys
from collections.abc import Iterator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from geo.crs.codes import CGCS2000  # noqa: E402
from tiles.schemes import tile_at  # noqa: E402

MANY = 42_357
REAL = {"shanghai_osm_poi_2026-05.csv.gz": "category", "shanghai_osm_bus_stops_2026-05.csv.gz": None}
ZOOMS = (10, 11, 12, 14)
INNER = (121.36, 31.13, 121.59, 31.33)
"""West, south, east and north of what the outer ring road encloses, in degrees."""
Row = tuple[str, str, float, float]


def prepare() -> dict[str, object]:
    """Make the tables both servers draw from; return where the points are from and the tiles that hold some, by zoom."""
    rows = list(_real()) or list(_invented())
    chance = random.Random(6)
    columns = "id bigint PRIMARY KEY, name text NOT NULL, kind text NOT NULL"
    with connection.cursor() as cursor:
        for table, shape in (("bench_points", "Point"), ("bench_shapes", "Polygon")):
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
            cursor.execute(f"CREATE TABLE {table} ({columns}, geom geometry({shape}, {CGCS2000}) NOT NULL)")
        with cursor.copy("COPY bench_points FROM STDIN") as copy:
            for number, (name, kind, lon, lat) in enumerate(rows, 1):
                copy.write_row((number, name, kind, f"SRID={CGCS2000};POINT({lon} {lat})"))
        with cursor.copy("COPY bench_shapes FROM STDIN") as copy:
            for number, (name, kind, lon, lat) in enumerate(rows, 1):
                copy.write_row((number, name, kind, f"SRID={CGCS2000};POLYGON(({_ring(lon, lat, chance)}))"))
        for table in ("bench_points", "bench_shapes"):
            cursor.execute(f"CREATE INDEX ON {table} USING gist (geom)")
            cursor.execute(f"ANALYZE {table}")
    return {"rows": len(rows), "real": bool(list(_real())), "tiles": {z: _looked_at(rows, z) for z in ZOOMS}}


def _looked_at(rows: list[Row], z: int) -> list[tuple[int, int]]:
    """Return the tiles of a zoom that hold points of the inner city: people look where places are."""
    west, south, east, north = INNER
    held = {tile_at(lon, lat, z) for *_, lon, lat in rows if west < lon < east and south < lat < north}
    return sorted((tile.x, tile.y) for tile in held)


def _real() -> Iterator[Row]:
    for name, column in REAL.items():
        path = settings.DATA / "osm-poi" / name
        if path.is_file():
            with gzip.open(path, "rt", encoding="utf-8-sig") as file:
                for row in csv.DictReader(file):
                    yield row["name"], row[column] if column else "bus_stop", float(row["lon"]), float(row["lat"])


def _invented() -> Iterator[Row]:
    """Yield as many points as the real ones are, thick in the middle of the city and thin at its edge."""
    chance = random.Random(6)
    for number in range(MANY):
        wide = chance.choice((0.03, 0.08, 0.2))
        lon, lat = chance.gauss(121.47, wide), chance.gauss(31.22, wide)
        yield f"地点{number}", chance.choice(("shop", "clinic", "school", "bus_stop", "park")), lon, lat


def _ring(lon: float, lat: float, chance: random.Random) -> str:
    """Return an area around a point: eight to forty corners, some forty metres wide as most houses, some four hundred."""
    corners, size = chance.randrange(8, 40), min(400.0, chance.lognormvariate(3.6, 0.8))
    ring = []
    for number in range(corners):
        angle, far = 2 * math.pi * number / corners, size * chance.uniform(0.7, 1.3)
        ring.append(f"{lon + far * math.cos(angle) / 95_000:.7f} {lat + far * math.sin(angle) / 111_000:.7f}")
    return ",".join([*ring, ring[0]])


if __name__ == "__main__":
    print(json.dumps({"prepare": prepare}[sys.argv[1]]()))
