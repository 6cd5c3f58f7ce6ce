"""What a map draws of heat by cell: the cells of a box as GeoJSON, no finer than a screen takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal
from weakref import WeakKeyDictionary

import h3
import numpy as np
import numpy.typing as npt

from layers.facts.counting import RESOLUTIONS
from layers.heat.cells import CellHeat, Floats, centres_of
from layers.heat.classes import Classes
from layers.reading import Box

MOST: Final = 8_000
"""How many cells one drawing holds at most."""
OUTLINES_MOST: Final = 200_000
Shape = Literal["polygon", "point"]
_CENTRES: Final[WeakKeyDictionary[CellHeat, tuple[Floats, Floats]]] = WeakKeyDictionary()
_OUTLINES: Final[dict[int, str]] = {}


def cells_within(heat: CellHeat, box: Box) -> npt.NDArray[np.bool_]:
    """Say of each cell whether it reaches into a box of degrees, or nearly."""
    lon, lat = _centres(heat)
    beyond = 1.2 * h3.average_hexagon_edge_length(heat.resolution, unit="m") / 111_000
    west, south, east, north = box
    wide = beyond / np.cos(np.radians(max(abs(south), abs(north), 1.0))) if abs(north) < 89 else 360.0
    inside: npt.NDArray[np.bool_] = (
        (lon >= west - wide) & (lon <= east + wide) & (lat >= south - beyond) & (lat <= north + beyond)
    )
    return inside


def fitting(make: Callable[[int], CellHeat], box: Box, resolution: int) -> tuple[CellHeat, npt.NDArray[np.bool_]]:
    """Return heat at a resolution, or the next coarser one of which a drawing takes all in a box, with those cells."""
    for coarser in range(resolution, RESOLUTIONS[0] - 1, -1):
        heat = make(coarser)
        inside = cells_within(heat, box)
        if inside.sum() <= MOST:
            break
    return heat, inside


def features(heat: CellHeat, inside: npt.NDArray[np.bool_], classes: Classes, shape: Shape) -> str:
    """Return cells as the text of a GeoJSON collection, each with its cell, figure and class; points stand in their centres."""
    cells, values = heat.cells[inside].tolist(), heat.values[inside]
    steps = classes.of(values).tolist()
    if shape == "point":
        lon, lat = (part[inside].tolist() for part in _centres(heat))
        shapes = [f'"Point","coordinates":[{x:.5f},{y:.5f}]' for x, y in zip(lon, lat, strict=True)]
    else:
        shapes = [f'"Polygon","coordinates":{_outline(cell)}' for cell in cells]
    drawn = (
        f'{{"type":"Feature","geometry":{{"type":{text}}},"properties":{{"cell":"{cell:x}","value":{value:.6g},"class":{step}}}}}'
        for text, cell, value, step in zip(shapes, cells, values.tolist(), steps, strict=True)
    )
    return f'{{"type":"FeatureCollection","features":[{",".join(drawn)}]}}'


def box_of(heat: CellHeat) -> list[float] | None:
    """Return west, south, east and north of all cells, with room around them; none of no cells."""
    lon, lat = _centres(heat)
    if not len(lon):
        return None
    room = 3 * h3.average_hexagon_edge_length(heat.resolution, unit="m") / 111_000
    return [float(lon.min()) - room, float(lat.min()) - room, float(lon.max()) + room, float(lat.max()) + room]


def _centres(heat: CellHeat) -> tuple[Floats, Floats]:
    if heat not in _CENTRES:
        _CENTRES[heat] = centres_of(heat.cells)
    return _CENTRES[heat]


def _outline(cell: int) -> str:
    found = _OUTLINES.get(cell)
    if found is None:
        if len(_OUTLINES) >= OUTLINES_MOST:
            _OUTLINES.clear()
        ring = h3.cell_to_boundary(h3.int_to_str(cell))
        corners = ",".join(f"[{lon:.5f},{lat:.5f}]" for lat, lon in (*ring, ring[0]))
        found = _OUTLINES[cell] = f"[[{corners}]]"
    return found
