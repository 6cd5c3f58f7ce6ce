"""What a whole list comes to, counted as the work goes: by status, level and reason, and how wide the radii are. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from geo.addresses.standardising.outcomes import Standardised

EDGES_M: Final = (10, 20, 30, 50, 75, 100, 150, 200, 300, 450, 600, 800, 1000, 1500, 2000, 3000, 5000, 10_000, 100_000)
"""Radii are counted by the first of these that is not smaller."""
SHOWN_M: Final = (20, 50, 100, 200, 450, 1000, 100_000)


@dataclass(slots=True)
class Tally:
    """Counts of rows so far, as JSON in the cursor of a job: what is counted and what is written are one transaction."""

    statuses: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    radii: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, Any] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    """The keys of the published data that answered, in their order: more than one when data was published meanwhile."""

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Return the tally that ``to_json`` wrote, an empty one for an empty mapping."""
        return cls(
            Counter(found.get("statuses", {})),
            Counter(found.get("levels", {})),
            Counter(found.get("reasons", {})),
            Counter(found.get("radii", {})),
            Counter(found.get("seconds", {})),
            dict(found.get("slowest", {})),
            list(found.get("data", [])),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the tally as plain values."""
        return {
            "statuses": dict(self.statuses),
            "levels": dict(self.levels),
            "reasons": dict(self.reasons),
            "radii": dict(self.radii),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "slowest": self.slowest,
            "data": self.data,
        }

    @property
    def rows(self) -> int:
        """Return how many rows were counted."""
        return self.statuses.total()

    def add(self, rows: Iterable[Standardised]) -> None:
        """Count rows."""
        for row in rows:
            self.statuses[str(row.status)] += 1
            if row.spot:
                self.levels[row.spot.level] += 1
                edge = bisect_left(EDGES_M, row.spot.uncertainty_m)
                self.radii[str(EDGES_M[min(edge, len(EDGES_M) - 1)])] += 1
            for reason in row.reasons:
                self.reasons[reason.code] += 1

    def took(self, first: int, last: int, **seconds: float) -> None:
        """Add the seconds of one chunk by step, and remember the slowest chunk by its rows."""
        self.seconds.update(seconds)
        spent = sum(seconds.values())
        if spent > self.slowest.get("seconds", 0.0):
            self.slowest = {"seconds": round(spent, 2), "first": first, "last": last}

    def drew_on(self, key: str) -> None:
        """Remember which published data answered."""
        if self.data[-1:] != [key]:
            self.data.append(key)

    def radius_m(self, share: float) -> int | None:
        """Return an edge that a share of the radii does not exceed, in metres; ``None`` when nothing was located."""
        wanted, passed = share * self.radii.total(), 0
        for edge in EDGES_M:
            passed += self.radii[str(edge)]
            if passed and passed >= wanted:
                return edge
        return None

    def spread(self) -> list[tuple[int, int]]:
        """Return how many rows have a radius up to each of ``SHOWN_M`` and above the one before."""
        found, below = [], 0
        for edge in SHOWN_M:
            found.append((edge, sum(count for at, count in self.radii.items() if below < int(at) <= edge)))
            below = edge
        return found
