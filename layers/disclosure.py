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


def tellable_below(
    heads: npt.NDArray[np.integer[Any]],
    parents: npt.NDArray[np.integer[Any]],
    parent_told: npt.NDArray[np.bool_],
    *,
    least: int = K,
) -> npt.NDArray[np.bool_]:
    """Say of each unit of a level whether its figure may be told, where those of the level above are told as ``parent_told``.

    ``parents`` are positions in the level above. Below what is hidden everything is. Below what is told the units of fewer than
    ``least`` heads are hidden, and with them the smallest of the others, at least two in all: what is left when the told are
    taken from their parent is always of ``least`` heads, also where heads of several units are the same persons. Decided from
    the top down, no sum or difference of told figures is one of fewer heads.
    """
    order = np.lexsort((np.arange(len(heads)), heads, parents))
    by_parent, sizes = parents[order], heads[order]
    hidden = sizes < least
    hidden[1:] |= hidden[:-1] & (
        by_parent[1:] == by_parent[:-1]
    )  # the smallest of those large enough follows the last too small
    told = np.empty(len(order), dtype=np.bool_)
    told[order] = ~hidden & parent_told[by_parent]
    return told
