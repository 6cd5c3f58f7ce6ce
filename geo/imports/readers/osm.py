"""Roads of an OpenStreetMap extract: every way tagged ``highway`` (or a ferry) cut at the nodes it shares with another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import Coordinates, System, inside
from geo.geometry import to_stored
from geo.imports.faults import SourceRefused
from geo.imports.readers.reading import Reading

WRITTEN: Final = ("osm_id", "segment", "from_node", "to_node")
"""Columns the reader adds to the tags of the way."""


def read_osm_roads(path: Path, datum: System) -> Reading:
    """Read the roads of a PBF extract as segments between nodes: tags, ``osm_id``, ``segment``, ``from_node``, ``to_node``.

    A way through an unknown position, or with fewer than two, is a fault of its row.
    """
    if not path.is_file():
        raise SourceRefused("file_missing", path.name)
    try:
        ways = [way for way in map(_way, osmium.FileProcessor(str(path)).with_locations()) if way]
    except (RuntimeError, ValueError, KeyError, OSError) as fault:
        broken = "truncated" in str(fault).lower() or "end of file" in str(fault).lower()
        raise SourceRefused("file_truncated" if broken else "file_unreadable", path.name) from fault
    uses = Counter(ref for _, _, refs, _ in ways for ref in refs)
    for _, _, refs, _ in ways:
        uses.update((refs[0], refs[-1]))
    records: list[dict[str, Any]] = []
    lines: list[np.ndarray[Any, Any]] = []
    faults: dict[int, str] = {}
    for osm_id, tags, refs, positions in ways:
        for segment, (first, last) in enumerate(_cuts(refs, uses)):
            written = {"osm_id": osm_id, "segment": segment, "from_node": refs[first], "to_node": refs[last]}
            line = positions[first : last + 1]
            known = np.isfinite(line).all()
            if not known or not inside(Coordinates(line[:, 0], line[:, 1], datum)).all():
                faults[len(records)] = "outside_system" if known else "bad_position"
                line = line[:0]
            records.append({**tags, **written})
            lines.append(line)
    shapes = _lines(lines, datum)
    columns = tuple(dict.fromkeys([*WRITTEN, *(tag for record in records for tag in record)]))
    return Reading(columns, records, shapes, "utf-8", faults)


def _way(entity: Any) -> tuple[int, dict[str, str], list[int], np.ndarray[Any, Any]] | None:
    if not entity.is_way() or not ("highway" in entity.tags or entity.tags.get("route") == "ferry"):
        return None
    refs: list[int] = []
    positions: list[tuple[float, float]] = []
    for node in entity.nodes:
        if refs and refs[-1] == node.ref:
            continue
        refs.append(node.ref)
        held = node.location.valid()
        positions.append((node.location.lon, node.location.lat) if held else (np.nan, np.nan))
    if len(refs) < 2:
        return None
    return entity.id, {tag.k: tag.v for tag in entity.tags}, refs, np.array(positions)


def _cuts(refs: list[int], uses: Counter[int]) -> list[tuple[int, int]]:
    """Return the index ranges between consecutive shared nodes, both ends included."""
    shared = [at for at, ref in enumerate(refs) if uses[ref] > 1]
    return list(zip(shared, shared[1:], strict=False))


def _lines(lines: list[np.ndarray[Any, Any]], datum: System) -> list[BaseGeometry | None]:
    """Return the sound lines in CGCS2000, None for those emptied because of a fault."""
    shapes: list[BaseGeometry | None] = [None] * len(lines)
    sound = [at for at, line in enumerate(lines) if len(line)]
    if sound:
        counts = [len(lines[at]) for at in sound]
        made = shapely.linestrings(
            np.concatenate([lines[at] for at in sound]), indices=np.repeat(np.arange(len(sound)), counts)
        )
        for at, shape in zip(sound, to_stored(made, datum), strict=True):
            shapes[at] = shape
    return shapes
