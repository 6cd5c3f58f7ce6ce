"""The columns of a row that spell an address: one place that says which parts they are and how long each may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from geo.addresses.parsing import Parts, normal_form

PARTS: Final = ("road", "lane", "sub_lane", "number", "suffix", "building", "unit", "floor", "room")
LONGEST: Final[Mapping[str, int]] = {name: 80 if name == "road" else 20 for name in PARTS}


def columns_of(parts: Parts) -> dict[str, str] | None:
    """Return the columns of an address that was read, with its normal form; ``None`` when it names no door, lane or building."""
    if not parts.base or not (parts.lane or parts.number or parts.building):
        return None
    said = {name: getattr(parts, name)[: LONGEST[name]] for name in PARTS}
    return {**said, "road": parts.base[: LONGEST["road"]], "normal": normal_form(parts)}


def normal_of(columns: Mapping[str, str]) -> str:
    """Return the normal form of an address given in columns."""
    return normal_form(Parts(**{name: columns.get(name) or "" for name in PARTS}))
