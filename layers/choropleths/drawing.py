"""A map of regions as vectors: outlines in units of the drawing, where names stand, a magnified part, a scale. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

LONGER: Final = 600.0
"""Units of the longer side of a map; on a phone a unit is about 0.6 px."""
MARGIN: Final = 10.0
TEXT: Final = 18.0
CROWDED: Final = 3
"""From how many regions on that are too small for their names a part is magnified."""
INSET: Final = 480.0
ROOM: Final = 2.0
"""How many times as wide as its name a region is at least that is large enough for it."""
ASIDE: Final = (
    (0, 0),
    (0, 0.8),
    (0, -0.8),
    (-0.8, 0),
    (0.8, 0),
    (0, 1.6),
    (0, -1.6),
    (-1.6, 0),
    (1.6, 0),
    (0, 2.4),
    (0, -2.4),
)
"""How far a label may be moved right and up to find room, in heights of its letters."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """A region in metres (east, north) and where its name stands."""

    path: str
    polygon: BaseGeometry
    label: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """Where the name and the figure of a region stand, in units: the middle of the line of the name."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """A region: its outline as the data of an SVG path, and its label where it has room."""

    path: str
    outline: str
    label: Label | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """A map: its size in units, its regions, what of it is magnified (x, y, width, height), and a scale in units and metres."""

    width: float
    height: float
    regions: tuple[Drawn, ...]
    magnified: Box | None
    scale: tuple[float, int]
    box: Box
    """West, south, east, north in metres of the city's plane."""

    def at(self, east: float, north: float) -> tuple[float, float]:
        """Return where a point of the plane stands, in units."""
        return _Frame(self.box, self.width, self.height).at(east, north)


@dataclass(frozen=True, slots=True)
class _Frame:
    box: Box
    width: float
    height: float

    @property
    def unit(self) -> float:
        """Return how many units a metre is."""
        return self.width / (self.box[2] - self.box[0])

    def at(self, east: float, north: float) -> tuple[float, float]:
        return (east - self.box[0]) * self.unit, (self.box[3] - north) * self.unit


def draw(
    shapes: Sequence[Shape], figures: Mapping[str, str], names: Mapping[str, str]
) -> tuple[Drawing, Drawing | None]:
    """Return the map of some regions and of its crowded part, where there is one.

    ``names`` and ``figures`` are the two lines of the label of each path.
    """
    frame = _framed(_around([shape.polygon for shape in shapes], LONGER), LONGER)
    crowd = _crowd(
        [each for each in shapes if math.sqrt(each.polygon.area) * frame.unit < ROOM * len(names[each.path]) * TEXT]
    )
    inset_box = _around(crowd, INSET) if crowd else None
    if inset_box and (inset_box[2] - inset_box[0]) > 0.6 * (frame.box[2] - frame.box[0]):
        inset_box = None  # magnified it would be no larger
    hidden = _members(shapes, inset_box) if inset_box else set()
    whole = _drawing(frame, shapes, names, figures, without=hidden, inset=inset_box)
    if inset_box is None:
        return whole, None
    part = _framed(inset_box, INSET)
    window = [
        Shape(shape.path, clipped, shape.label)
        for shape in shapes
        if not (clipped := shapely.clip_by_rect(shape.polygon, *inset_box)).is_empty
    ]
    others = {shape.path for shape in shapes} - hidden
    return whole, _drawing(part, window, names, figures, without=others, inset=None)


def _drawing(
    frame: _Frame,
    shapes: Sequence[Shape],
    names: Mapping[str, str],
    figures: Mapping[str, str],
    *,
    without: set[str],
    inset: Box | None,
) -> Drawing:
    labels = _labels(frame, [shape for shape in shapes if shape.path not in without], names, figures)
    magnified = None
    if inset:
        left, top = frame.at(inset[0], inset[3])
        right, bottom = frame.at(inset[2], inset[1])
        magnified = (round(left, 1), round(top, 1), round(right - left, 1), round(bottom - top, 1))
    drawn = tuple(Drawn(shape.path, _outline(frame, shape.polygon), labels.get(shape.path)) for shape in shapes)
    return Drawing(frame.width, frame.height, drawn, magnified, _scale(frame), frame.box)


def _around(polygons: Sequence[BaseGeometry], longer: float) -> Box:
    west, south, east, north = (float(each) for each in shapely.total_bounds(np.array(polygons, dtype=object)))
    spare = MARGIN * max(east - west, north - south) / (longer - 2 * MARGIN)
    return west - spare, south - spare, east + spare, north + spare


def _framed(box: Box, longer: float) -> _Frame:
    across, up = box[2] - box[0], box[3] - box[1]
    unit = longer / max(across, up)
    return _Frame(box, round(across * unit, 1), round(up * unit, 1))


def _crowd(small: Sequence[Shape]) -> list[BaseGeometry]:
    """Return the largest group of small regions that touch each other, if it is large enough."""
    if len(small) < CROWDED:
        return []
    merged = shapely.union_all(np.array([shape.polygon.buffer(50) for shape in small], dtype=object))
    groups = [
        [shape.polygon for shape in small if part.intersects(shape.polygon)] for part in shapely.get_parts(merged)
    ]
    largest = max(groups, key=len)
    return largest if len(largest) >= CROWDED else []


def _members(shapes: Sequence[Shape], box: Box) -> set[str]:
    """Return the regions whose labels stand in a box."""
    west, south, east, north = box
    return {shape.path for shape in shapes if west <= shape.label[0] <= east and south <= shape.label[1] <= north}


def _width(shape: Shape, names: Mapping[str, str], figures: Mapping[str, str]) -> float:
    return max(len(names[shape.path]) * TEXT, len(figures[shape.path]) * TEXT * 0.58)


def _labels(
    frame: _Frame, shapes: Sequence[Shape], names: Mapping[str, str], figures: Mapping[str, str]
) -> dict[str, Label]:
    """Return the labels that do not stand on each other, those of the largest regions first."""
    taken: list[Box] = []
    found = {}
    for shape in sorted(shapes, key=lambda each: -each.polygon.area):
        half = _width(shape, names, figures) / 2 + 2
        for label in _spots(frame, shape, half):
            box = (label.x - half, label.y - TEXT, label.x + half, label.y + 1.35 * TEXT)
            if not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
                taken.append(box)
                found[shape.path] = label
                break
    return found


def _spots(frame: _Frame, shape: Shape, half: float) -> Iterator[Label]:
    """Yield where the label of a region may stand: at its point, else a little aside but still inside the region."""
    for right, up in ASIDE:
        east, north = shape.label[0] + right * TEXT / frame.unit, shape.label[1] + up * TEXT / frame.unit
        if (right or up) and not shape.polygon.covers(shapely.Point(east, north)):
            continue
        x, y = frame.at(east, north)
        yield Label(
            round(min(max(x, half), frame.width - half), 1),
            round(min(max(y, TEXT), frame.height - 1.6 * TEXT), 1),
        )


def _outline(frame: _Frame, polygon: BaseGeometry) -> str:
    parts = []
    for each in shapely.get_parts(polygon):
        if each.geom_type != "Polygon":
            continue
        for ring in (each.exterior, *each.interiors):
            points = shapely.get_coordinates(ring)[:-1]
            xs = (points[:, 0] - frame.box[0]) * frame.unit
            ys = (frame.box[3] - points[:, 1]) * frame.unit
            parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True)) + "Z")
    return "".join(parts)


def _scale(frame: _Frame) -> tuple[float, int]:
    """Return a round length of at most a fifth of the width, in units and metres."""
    most = frame.width / 5 / frame.unit
    power = 10 ** math.floor(math.log10(most))
    metres = next(step * power for step in (5, 2, 1) if step * power <= most)
    return round(metres * frame.unit, 1), int(metres)
