"""What a source says about regions, as plain values: records, and the findings of a check. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from shapely.geometry.base import BaseGeometry

LEVELS: Final = ("city", "district", "street", "committee")
"""From the coarsest to the finest; a parent is always coarser than its child."""

LEVEL_NAMES: Final[Mapping[str, str]] = {"city": "市", "district": "区", "street": "街镇", "committee": "居委"}

Severity = Literal["error", "warning"]


class Record(Protocol):
    """What any source of regions must say; polygons in CGCS2000 degrees (longitude, latitude)."""

    @property
    def code(self) -> str: ...

    @property
    def level(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def parent_code(self) -> str | None: ...

    @property
    def polygon(self) -> BaseGeometry: ...


@dataclass(frozen=True, slots=True)
class RegionRecord:
    """One region of a draft edition. ``label`` (longitude, latitude) is where its name stands, if the source says so."""

    code: str
    level: str
    name: str
    parent_code: str | None
    polygon: BaseGeometry
    label: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a check found: a stable code, a Chinese sentence, the codes of the regions, and how many square metres.

    Errors forbid publishing; warnings are published with the report. ``at`` is (longitude, latitude) of the worst place.
    """

    code: str
    severity: Severity
    message: str
    regions: tuple[str, ...]
    area_m2: float | None = None
    at: tuple[float, float] | None = None


def path_of(code: str, parents: Mapping[str, str | None]) -> str | None:
    """Return the path of a region, its ancestors' codes and its own each ended by a dot.

    None when an ancestor is missing or the parents run in a circle.
    """
    chain: list[str] = []
    at: str | None = code
    while at:
        if at in chain or at not in parents:
            return None
        chain.append(at)
        at = parents[at]
    return "".join(f"{each}." for each in reversed(chain))
