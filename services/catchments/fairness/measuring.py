"""Figures of many walks: who walks how far to the matched kindergarten and to the nearest one. Pure.

Arrays run parallel, one value for each door; seconds are infinite where nothing is reached within ``FARTHEST_S``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]

FARTHEST_S: Final = 3_600.0
FAR_S: Final = 900.0
"""A walk longer than a quarter of an hour is far: the circle that services of daily life are planned by."""
MUCH_S: Final = 600
"""Half of the doors of a committee walking ten minutes more than to the nearest one is told in the title."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the doors of one committee, or of all, walk; see ``FairnessCommittee``."""

    doors: int
    unmatched: int
    unclear: int
    far: int
    lost: int
    matched_s: int | None
    matched_90_s: int | None
    nearest_s: int | None
    nearest_90_s: int | None
    extra_s: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """By door: the seconds to the matched kindergarten (of several the nearest of them) and to the nearest of all.

    ``unmatched`` and ``unclear`` flag the doors without an answer.
    """

    matched: Seconds
    nearest: Seconds
    unmatched: npt.NDArray[np.bool_]
    unclear: npt.NDArray[np.bool_]

    def figures(self, at: npt.NDArray[np.intp]) -> Figures:
        """Return the figures of the doors at these positions."""
        answered = at[~(self.unmatched[at] | self.unclear[at])]
        matched, nearest = self.matched[answered], self.nearest[answered]
        reached = np.isfinite(nearest)
        return Figures(
            len(at), int(self.unmatched[at].sum()), int(self.unclear[at].sum()),
            int((matched > FAR_S).sum()), int(np.isinf(matched).sum()),
            ranked(matched, 0.5), ranked(matched, 0.9), ranked(nearest, 0.5), ranked(nearest, 0.9),
            ranked(matched[reached] - nearest[reached], 0.5),
        )  # fmt: skip


def ranked(seconds: Seconds, share: float) -> int | None:
    """Return the seconds that at least ``share`` of the walks take at most; always those of one walk, ``None`` out of reach."""
    if not len(seconds):
        return None
    found = float(np.sort(seconds)[max(0, int(np.ceil(share * len(seconds) - 1e-9)) - 1)])
    return round(found) if np.isfinite(found) else None


def shortest(
    count: int, goals: Sequence[Collection[int]], seconds: Iterable[tuple[int, Seconds]]
) -> tuple[Seconds, Seconds]:
    """Return the seconds of ``count`` walks to the nearest of their goals, and to the nearest of all sites.

    ``seconds`` yields a site with the seconds from it to each door, one after the other, so that no table of all is held.
    """
    going = positions_by_site(goals)
    matched, nearest = np.full(count, np.inf), np.full(count, np.inf)
    for site, away in seconds:
        np.minimum(nearest, away, out=nearest)
        at = going.get(site)
        if at is not None:
            matched[at] = np.minimum(matched[at], away[at])
    return matched, nearest


def positions_by_site(goals: Sequence[Collection[int]]) -> Mapping[int, npt.NDArray[np.intp]]:
    """Return by site the positions of those that go to it or may choose it."""
    found: dict[int, list[int]] = {}
    for at, sites in enumerate(goals):
        for site in sites:
            found.setdefault(site, []).append(at)
    return {site: np.array(at, dtype=np.intp) for site, at in found.items()}
