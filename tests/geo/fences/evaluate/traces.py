"""The real vehicle tracks of ``QUANTU_DATA`` as positions, and invented fences laid along them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely

from geo.crs import SHANGHAI
from geo.fences.evaluate.positions import Position
from tests.geo.fences.evaluate.drawing import star

FILE = Path("traces") / "shanghai_vehicle_tracks_2020.zip"
START = 1_795_392_000_000


def tracks(data: Path) -> Iterator[tuple[int, list[Position]]]:
    """Return number and positions of each track; the file holds seconds from its start and WGS-84 degrees."""
    with zipfile.ZipFile(data / FILE) as packed:
        numbers = sorted(
            int(name[6:-4]) for name in packed.namelist() if name.startswith("track/") and name.endswith(".csv")
        )
        for number in numbers:
            with packed.open(f"track/{number}.csv") as file:
                rows = list(csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")))
            x, y = SHANGHAI.plane.project(*(np.array([float(row[key]) for row in rows]) for key in ("lon", "lat")))
            yield (
                number,
                [
                    Position(
                        START + round(float(row["time_s"]) * 1000), float(east), float(north), float(row["accuracy"]), n
                    )
                    for n, (row, east, north) in enumerate(zip(rows, x, y, strict=True))
                ],
            )


def fences_along(positions: list[Position], rng: np.random.Generator) -> dict[str, shapely.Polygon]:
    """Return circles, lanes across the way, and jagged areas, each about some position of a track."""
    shapes: dict[str, shapely.Polygon] = {}
    for n in range(2):
        for kind in ("circle", "lane", "star"):
            k = int(rng.integers(0, len(positions) - 1))
            here, there = positions[k], positions[k + 1]
            middle = np.array([here.x, here.y])
            if kind == "circle":
                shape = shapely.Point(middle + rng.normal(0, 60, 2)).buffer(rng.uniform(40, 250))
            elif kind == "lane":
                along = np.array([there.x - here.x, there.y - here.y])
                across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1.0) * 150 + (0.1, 0.0)
                shape = shapely.LineString([middle - across, middle + across]).buffer(rng.uniform(6, 20))
            else:
                shape = star(rng, int(rng.integers(5, 60)), rng.uniform(60, 400), centre=middle)
            shapes[f"{kind}{n}"] = shape
    return shapes
