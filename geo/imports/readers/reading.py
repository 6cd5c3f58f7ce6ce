"""What every reader answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True)
class Reading:
    """The records of a file, in order, with their shapes in CGCS2000 (None where a record has none).

    ``faults`` holds, by index, the reason a record's shape or line could not be read; ``encoding`` is how text was read.
    ``corners`` are first positions of shapes as the file has them, by which swapped axes are recognised; ``said`` is what the
    file itself says of its coordinate system, a name or a definition in WKT, '' where it says nothing.
    """

    columns: tuple[str, ...]
    records: Sequence[dict[str, Any]]
    shapes: Sequence[BaseGeometry | None] = ()
    encoding: str = "utf-8"
    faults: dict[int, str] = field(default_factory=dict)
    corners: Sequence[tuple[float, float]] = ()
    said: str = ""
