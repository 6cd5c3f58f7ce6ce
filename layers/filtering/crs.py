"""The system that positions in a request are given in, and the order of its axes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from geo.crs import System


@dataclass(frozen=True, slots=True)
class FilterCrs:
    """``swapped`` says that the system declares latitude (or north) first: positions then come as (y, x)."""

    system: System = System.WGS84
    swapped: bool = False
