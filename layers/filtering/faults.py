"""What is wrong with a condition."""

from __future__ import annotations

from geo.errors import BadInput


class BadFilter(BadInput):
    """The condition cannot be read, or names what the layer does not have."""


def too_deep(limit: int) -> BadFilter:
    """Return the error for a condition that nests too deep."""
    return BadFilter("filter_depth", f"筛选条件的括号套了 {limit} 层以上，请拆开或简化。", most=limit)
