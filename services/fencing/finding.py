"""Fences of one edition asked for: by name, by whose they are, how they were drawn, when they hold, by a spot inside them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from django.utils import timezone

from geo.fences.evaluate.hours import Hours, Term, Timetable
from geo.fences.models import Fence, FenceEdition
from geo.geometry import to_plane
from geo.regions.queries import current_city
from services.fencing.queries import fences_of, table_of


class Holding(StrEnum):
    """Whether a fence holds at a moment."""

    NOW = "now"
    PAUSED = "paused"
    LATER = "later"
    OVER = "over"

    @property
    def label(self) -> str:
        """Return its Chinese name."""
        return _LABELS[self]


_LABELS: Final = {
    Holding.NOW: "在时段内",
    Holding.PAUSED: "不在时段内",
    Holding.LATER: "还没开始",
    Holding.OVER: "已经过期",
}


@dataclass(frozen=True, slots=True)
class Sought:
    """What fences are asked for; what is empty asks for nothing. ``spot`` is longitude and latitude in CGCS2000 degrees."""

    name: str = ""
    owner: str = ""
    kind: str = ""
    holding: str = ""
    spot: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A fence, and whether it holds."""

    fence: Fence
    holding: Holding


def find_fences(edition: FenceEdition, sought: Sought, *, at: dt.datetime | None = None) -> list[Found]:
    """Return the fences of an edition that are asked for, by name; borders count as inside, ``at`` is now."""
    name, owner = sought.name.strip().lower(), sought.owner.strip().lower()
    fences = [
        fence
        for fence in fences_of(edition)
        if name in fence.name.lower() and owner in fence.owner.lower() and sought.kind in ("", fence.kind)
    ]
    if sought.spot is not None:
        spot, areas = to_plane(shapely.Point(*sought.spot), current_city()), table_of(edition).areas
        fences = [fence for fence in fences if shapely.intersects(areas[str(fence.same)].shape, spot)]
    found = [Found(fence, holding) for fence, holding in zip(fences, _holding(fences, at), strict=True)]
    return [each for each in found if sought.holding in ("", each.holding)]


def _holding(fences: list[Fence], at: dt.datetime | None) -> list[Holding]:
    now, zone = at or timezone.now(), ZoneInfo(current_city().timezone)
    today = now.astimezone(zone).date()
    terms = [Term(fence.from_day, fence.to_day, Hours.read(fence.hours)) for fence in fences]
    moments = np.full(len(fences), int(now.timestamp() * 1000), dtype=np.int64)
    held = Timetable.build(terms, zone).hold(np.arange(len(fences)), moments)
    return [_of(fence, bool(holds), today) for fence, holds in zip(fences, held, strict=True)]


def _of(fence: Fence, holds: bool, today: dt.date) -> Holding:
    if fence.from_day and fence.from_day > today:
        return Holding.LATER
    if fence.to_day and fence.to_day < today:
        return Holding.OVER
    return Holding.NOW if holds else Holding.PAUSED
