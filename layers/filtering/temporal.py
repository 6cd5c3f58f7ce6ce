"""Allen's relations as CQL2 names them: ``a`` to ``b`` is the first interval, ``c`` to ``d`` the second. Pure."""

from __future__ import annotations

from typing import Final

TEMPORAL: Final = {
    "t_after": "{a} > {d}",
    "t_before": "{b} < {c}",
    "t_disjoint": "{a} > {d} OR {b} < {c}",
    "t_equals": "{a} = {c} AND {b} = {d}",
    "t_intersects": "{a} <= {d} AND {b} >= {c}",
    "t_contains": "{a} < {c} AND {b} > {d}",
    "t_during": "{a} > {c} AND {b} < {d}",
    "t_finishedby": "{a} < {c} AND {b} = {d}",
    "t_finishes": "{a} > {c} AND {b} = {d}",
    "t_meets": "{b} = {c}",
    "t_metby": "{a} = {d}",
    "t_overlappedby": "{a} > {c} AND {a} < {d} AND {b} > {d}",
    "t_overlaps": "{a} < {c} AND {b} > {c} AND {b} < {d}",
    "t_startedby": "{a} = {c} AND {b} > {d}",
    "t_starts": "{a} = {c} AND {b} < {d}",
}
INSTANT_TOO: Final = frozenset({"t_after", "t_before", "t_disjoint", "t_equals", "t_intersects"})
"""The others are between intervals only."""
