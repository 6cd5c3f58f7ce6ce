"""What comes out of an analysis: features of one kind into a file, with what is measured of them and where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from django.utils import timezone

from geo.errors import TooLarge
from geo.geometry import from_plane
from geo.imports.queries import attribution, shows_invented
from layers.analysis.shapes import Shapes
from layers.analysis.sources import Field, Side
from layers.processes.features import Piece, city_of, write_features
from layers.processes.spec import Asked, Made

MOST_RESULTS: Final = 300_000
KINDS: Final = ("point", "line", "polygon")
GEOJSON: Final = "application/geo+json"
DECIMALS: Final = 9
"""A tenth of a millimetre: edges that were one stay one."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some features of a result: ids, what each says, shapes in metres on the plane."""

    ids: list[Any]
    said: list[dict[str, Any]]
    shapes: Shapes


@dataclass(slots=True)
class Outcome:
    """What an operation says of its result: its name, what its features say, their dimension, and ``notes`` made on the way."""

    title: str
    fields: tuple[Field, ...]
    dimension: int
    sides: Sequence[Side]
    said: str = ""
    slivers: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Measured:
    count: int = 0
    area_m2: float = 0.0
    length_m: float = 0.0
    bounds: list[float] | None = None

    def add(self, batch: Batch) -> None:
        self.count += len(batch.shapes)
        self.area_m2 += float(shapely.area(batch.shapes).sum())
        lines = batch.shapes[shapely.get_dimensions(batch.shapes) == 1]
        self.length_m += float(shapely.length(lines).sum())

    def widen(self, shapes: Shapes) -> None:
        if not len(shapes):
            return
        west, south, east, north = (float(edge) for edge in shapely.total_bounds(shapes))
        old = self.bounds or [west, south, east, north]
        self.bounds = [min(old[0], west), min(old[1], south), max(old[2], east), max(old[3], north)]


def write_result(asked: Asked, outcome: Outcome, batches: Iterable[Batch]) -> Made:
    """Write the features of a result (those without a shape left out) and return the file. Raises ``TooLarge`` for too many."""
    measured = _Measured()
    path = asked.folder / "result.geojson"
    written = write_features(path, _placed(batches, measured), degrees=DECIMALS)
    asked.step(0.98, f"正在保存 {written:,} 个")
    about = {
        "crs": "wgs84",
        "fields": [one.told() for one in outcome.fields],
        "geometry": KINDS[outcome.dimension],
        "totals": {"area_m2": measured.area_m2, "length_m": measured.length_m},
        "bounds": measured.bounds,
        "notes": _notes(outcome, written),
        "lineage": {
            "operation": outcome.title,
            "said": outcome.said,
            "sides": [side.source.told() for side in outcome.sides],
            "made": timezone.localtime().isoformat(timespec="seconds"),
        },
        "attribution": attribution() or "圈图",
        "demo": shows_invented(),
    }
    return Made(path, f"{outcome.title}.geojson", GEOJSON, written, about)


def _placed(batches: Iterable[Batch], measured: _Measured) -> Iterator[Piece]:
    for batch in batches:
        there = np.flatnonzero(~(shapely.is_empty(batch.shapes) | shapely.is_missing(batch.shapes)))
        kept = Batch([batch.ids[at] for at in there], [batch.said[at] for at in there], batch.shapes[there])
        measured.add(kept)
        if measured.count > MOST_RESULTS:
            raise TooLarge(
                "result_too_many", f"结果超过 {MOST_RESULTS:,} 个要素，请缩小范围分几次做。", most=MOST_RESULTS
            )
        shapes = from_plane(kept.shapes, city_of()) if len(kept.shapes) else kept.shapes
        measured.widen(shapes)
        yield Piece(kept.ids, kept.said, shapes)


def _notes(outcome: Outcome, written: int) -> list[str]:
    notes = list(outcome.notes)
    for side in outcome.sides:
        if side.mended:
            notes.append(f"“{side.source.title}”有 {side.mended:,} 个图形无效，已修好再算。")
        if side.lost:
            notes.append(f"“{side.source.title}”有 {side.lost:,} 个没有图形，没有计入。")
    if outcome.slivers:
        notes.append(f"去掉了 {outcome.slivers:,} 块碎片。")
    if not written:
        notes.append("没有符合的结果。可以放宽距离或范围，或者换一个图层。")
    return notes
