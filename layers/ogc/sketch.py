"""A small drawing of some shapes as SVG paths, for pages that must show where things lie without script or tiles. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

WIDTH: Final = 640
HEIGHT: Final = 360
MARGIN: Final = 12
RADIUS: Final = 3.0

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stroke:
    """One shape: ``kind`` is point, line or area; ``path`` what an SVG path is drawn by."""

    kind: str
    path: str
    label: str


def sketch(shapes: Sequence[tuple[BaseGeometry, str]]) -> list[Stroke]:
    """Return shapes in degrees, each with what it is called, fitted into the drawing with north above; areas come first."""
    known = [(shape, label) for shape, label in shapes if shape is not None and not shape.is_empty]
    if not known:
        return []
    west, south, east, north = shapely.total_bounds([shape for shape, _ in known])
    narrow = math.cos(math.radians((south + north) / 2))
    span = max((east - west) * narrow / (WIDTH - 2 * MARGIN), (north - south) / (HEIGHT - 2 * MARGIN), 1e-5)

    def put(points: FloatArray) -> FloatArray:
        x = WIDTH / 2 + (points[:, 0] - (west + east) / 2) * narrow / span
        y = HEIGHT / 2 - (points[:, 1] - (south + north) / 2) / span
        return np.column_stack([x, y])

    strokes = [_stroke(shapely.simplify(shapely.transform(shape, put), 0.5), label) for shape, label in known]
    return sorted(strokes, key=lambda one: ("area", "line", "point").index(one.kind))


def _stroke(shape: BaseGeometry, label: str) -> Stroke:
    dimension = shapely.get_dimensions(shape)
    parts = shapely.get_parts(shape)
    if dimension == 0:
        return Stroke("point", "".join(_dot(part.x, part.y) for part in parts), label)
    if dimension == 1:
        return Stroke("line", "".join(_line(part) for part in parts), label)
    rings = (ring for part in parts for ring in shapely.get_rings(part))
    return Stroke("area", "".join(_line(ring) + "Z" for ring in rings), label)


def _line(line: BaseGeometry) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in _points(line))


def _points(line: BaseGeometry) -> Iterable[tuple[float, float]]:
    return ((float(x), float(y)) for x, y in shapely.get_coordinates(line))


def _dot(x: float, y: float) -> str:
    r = RADIUS
    return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0"
