"""What a package declares in its ``watch.py`` to have its rows counted on the map of supervisors: frozen values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["bad", "warn", "notice"]
LEVELS: tuple[Level, ...] = ("bad", "warn", "notice")
"""From the most urgent; each has a shape of its own: octagon, triangle, diamond."""


@dataclass(frozen=True, slots=True)
class Theme:
    """One map of supervisors at ``/watch/KEY``: the places of a group of kinds, and everything that stands against them.

    ``places`` is the ledger of the places, ``kind`` its column of kinds, ``open`` what is asked of it for those in service.
    ``public`` names the page that the public sees.
    """

    key: str
    title: str
    group: str
    counter: str
    public: str
    places: str
    kind: str
    open: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Indicator:
    """Rows of a ledger that a supervisor acts on. The question that counts them is the address that lists them.

    ``asks`` are parameters of the ledger's address; a value ``{90}`` is the day ninety days ago, ``{1}`` yesterday.
    ``place`` is the field of a row that names the place, ``kind`` the column that narrows to the kinds of a theme, '' where the
    rows are of one theme by themselves. ``meaning`` defines the number in words, ``act`` is what the officer does with a row,
    ``tells`` are the columns that a row is told by. ``most_percent`` is how many of the places in service may have one before
    the number is marked; ``None`` marks from the first. Without ``themes`` it belongs to all of them.
    """

    key: str
    title: str
    level: Level
    meaning: str
    ledger: str
    asks: tuple[tuple[str, str], ...]
    act: str
    tells: tuple[str, ...]
    place: str = "facility_id"
    kind: str = "facility__kind_id"
    most_percent: int | None = None
    themes: tuple[str, ...] = ()
    order: int = 100
