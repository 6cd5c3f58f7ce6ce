"""Which counts of persons may be told: none of too few, and none that follows from what else is told. Pure."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

K: Final = 10
"""Counts of fewer persons are told nowhere."""


def tellable(
    counts: npt.NDArray[np.integer[Any]], groups: npt.NDArray[np.integer[Any]], *, least: int = K
) -> npt.NDArray[np.bool_]:
    """Say of each unit, a row of persons by band, whether its row may be told and added to others.

    A row is told whole or not at all, so nothing follows from a total and the other bands. ``groups`` names the larger unit of
    each, whose totals are known from elsewhere: in every group nothing is hidden, or two units at least whose persons come to
    ``least`` in every band (or the whole group is hidden). The answer depends on nothing that is asked: the difference of any
    two sums of told rows tells of told rows only.
    """
    hidden: npt.NDArray[np.bool_] = np.any(counts < least, axis=1)
    by_size = np.argsort(counts.sum(axis=1), kind="stable")
    for group in np.unique(groups[hidden]):
        members = by_size[groups[by_size] == group]
        for unit in members[~hidden[members]]:
            lost = counts[members[hidden[members]]]
            if len(lost) > 1 and (lost.sum(axis=0) >= least).all():
                break
            hidden[unit] = True
    return ~hidden
