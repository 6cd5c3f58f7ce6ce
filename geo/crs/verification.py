"""Proof of a local grid by control points: pairs of official plane and geographic coordinates of the same mark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verification:
    """How far a grid lies from control points, in metres, and whether that makes it verified."""

    count: int
    rms_m: float
    max_m: float
    verified: bool
