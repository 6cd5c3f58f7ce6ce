"""The entries of enrolment whose addresses are matched, and the ways of matching. Pure declarations.

A district orders the modes of each entry and writes their rules; what an entry allows is the city's policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Mode = Literal["override", "address", "community", "committee", "area", "nearest", "open"]
Choice = Literal["", "public", "private"]

MODES: Final[dict[Mode, str]] = {
    "override": "单列地址",
    "address": "详细地址及单双号",
    "community": "街道、居委、小区",
    "committee": "街道、居委",
    "area": "片区边界",
    "nearest": "同街镇最近",
    "open": "开放列表",
}
"""The ways an address finds its kindergarten, from the sharpest to the bluntest; the order a district begins with."""

RULED: Final[tuple[Mode, ...]] = ("override", "address", "community", "committee", "open")
"""The modes whose rules are rows of a table; areas are drawn, the nearest needs no rule."""

CHOICES: Final[dict[Choice, str]] = {"": "指定园所", "public": "公办园", "private": "民办园"}
LONGEST_COMMUNITY: Final = 20
"""Longer names of communities break the parents' list on a phone of 320 px."""


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """An entry: whose address counts (``asks``), and the modes that are allowed for it."""

    key: str
    name: str
    asks: str
    modes: tuple[Mode, ...] = tuple(MODES)


ENTRIES: Final = (
    EntryPoint("local", "本市户籍（人户一致）", "户籍地址"),
    EntryPoint("apart", "本市户籍（人户分离）", "居住地址"),
    EntryPoint("elsewhere", "外省市户籍", "居住地址", ("open",)),
)


def entry_point(key: str) -> EntryPoint | None:
    """Return the entry of that key, or ``None``."""
    return next((entry for entry in ENTRIES if entry.key == key), None)
