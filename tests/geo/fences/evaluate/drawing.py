"""Invented fences for tests and benchmarks of evaluation, in metres."""

from __future__ import annotations

import numpy as np
import shapely

from geo.fences.evaluate.index import Hits


def star(rng, vertices: int, size: float, extent: float = 0.0, centre=None) -> shapely.Polygon:
    """Return a jagged area around a centre: ``size`` is its largest radius."""
    return stars(rng, 1, vertices, size, extent, None if centre is None else np.array([centre]))[0]


def stars(rng, count: int, vertices: int, size: float, extent: float = 0.0, centres=None) -> np.ndarray:
    """Return many jagged areas, each vertex at half the largest radius or more, about centres in a square of ``extent``."""
    middle = rng.uniform(0, extent, (count, 2)) if centres is None else centres
    step = 2 * np.pi / vertices
    angle = (np.arange(vertices) + rng.uniform(0.1, 0.9, (count, vertices))) * step
    radius = size * rng.uniform(0.5, 1.0, (count, vertices))
    xy = np.stack((middle[:, :1] + radius * np.cos(angle), middle[:, 1:] + radius * np.sin(angle)), axis=2)
    return shapely.polygons(xy)


def named(count: int) -> list[str]:
    return [f"f{number}" for number in range(count)]


def pairs_of(hits: Hits) -> set[tuple[int, int]]:
    """Return (point, row of the fence) of each hit."""
    return set(zip(hits.points.tolist(), hits.fences.tolist(), strict=True))
