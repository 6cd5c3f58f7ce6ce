"""What the planner's table shows of any drawn areas: checks in words, colours, versions, shapes for the map."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from django.utils import timezone
from shapely.geometry.base import BaseGeometry

from geo.crs import System
from geo.fences.drafts import EditionState
from geo.fences.topology import REPAIR_WORDS, Flaw, FlawKind, Ground, Level, Table, measure
from geo.geometry import feature, feature_collection, from_plane
from geo.regions.queries import current_city

COLOURS: Final = 4
"""How many colours neighbours are told apart by, besides that of the chosen area."""
SHOWN_FIRST: Final = 60
LEVEL_WORDS: Final[dict[Level, tuple[str, str]]] = {
    "error": ("错误", "octagon-alert"),
    "warning": ("警告", "triangle-alert"),
    "notice": ("提示", "info"),
}
SHAPING: Final = (
    ("widen", "外扩（负数是内缩）", "5", "外扩"),
    ("thin", "减少顶点，边界最多移动", "0.5", "减少顶点"),
)
_PASSED: Final[tuple[tuple[tuple[FlawKind, ...], str], ...]] = (
    (("empty", "crossing"), "图形有效，没有自相交"),
    (("overlap",), "{}之间没有重叠"),
    (("outside",), "不超出区界"),
    (("gap",), "{}之间没有漏掉门牌"),
    (("sliver", "vertices"), "没有细碎，顶点不多"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """A flaw as the panel shows it: its sign and word, and the repairs that are offered."""

    flaw: Flaw
    word: str
    icon: str
    repairs: list[tuple[str, str]]

    @property
    def level(self) -> Level:
        """Return how grave it is."""
        return self.flaw.level


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of an area, in the edition before and in the draft; ``None`` is not known."""

    label: str
    before: int | None
    now: int | None

    @property
    def change(self) -> int | None:
        """Return by how much it changes."""
        return None if self.before is None or self.now is None else self.now - self.before

    @property
    def fallen(self) -> int:
        """Return by how much it falls, for a minus sign of its own."""
        return -(self.change or 0)


def colours_of(table: Table) -> dict[str, int]:
    """Return a colour for each area, 1 to ``COLOURS``, that no neighbour has where that can be."""
    colours: dict[str, int] = {}
    for key, area in sorted(table.areas.items(), key=lambda item: item[1].name):
        taken = [colours[other.key] for other in table.neighbours(area, within_m=30) if other.key in colours]
        free = [colour for colour in range(1, COLOURS + 1) if colour not in taken]
        colours[key] = free[0] if free else min(range(1, COLOURS + 1), key=lambda colour: (taken.count(colour), colour))
    return colours


def checks_of(flaws: Iterable[Flaw]) -> list[Check]:
    """Return flaws as the panel shows them."""
    return [
        Check(flaw, *LEVEL_WORDS[flaw.level], [(kind, REPAIR_WORDS[kind]) for kind in flaw.repairs]) for flaw in flaws
    ]


def tallies(flaws: Sequence[Flaw]) -> list[tuple[Level, str, int]]:
    """Return how many flaws there are of each level that has any."""
    counted = [(level, word, sum(flaw.level == level for flaw in flaws)) for level, (word, _) in LEVEL_WORDS.items()]
    return [each for each in counted if each[2]]


def passed(flaws: Iterable[Flaw], ground: Ground) -> list[str]:
    """Return the checks that were made and found nothing."""
    kinds = {flaw.kind for flaw in flaws}
    asked = {"overlap": ground.exclusive, "gap": ground.covering}
    return [
        words.format(ground.noun)
        for about, words in _PASSED
        if not kinds & set(about) and all(asked.get(kind, True) for kind in about)
    ]


@dataclass(frozen=True, slots=True)
class VersionStep:
    """A version on the line at the foot of the page."""

    number: int
    label: str
    day: str
    now: bool
    draft: bool


def versions_line(versions: Sequence[Any], edition: Any, *, begins: str, now: Any, said: str) -> list[VersionStep]:
    """Return the last versions beside an edition; ``begins`` names the field of when they count from, ``said`` formats it."""
    begun = [row for row in versions if row.state == EditionState.PUBLISHED and getattr(row, begins) <= now]
    current = max(begun, key=lambda row: (getattr(row, begins), row.number), default=None)
    steps = []
    for row in versions[-5:]:
        draft = row.state != EditionState.PUBLISHED
        label = "草稿" if draft else "现行" if row == current else "已发布"
        changed = f"{timezone.localtime(row.changed_at):%-m月%-d日 %H:%M} 改过"
        day = changed if draft else f"{_local(getattr(row, begins)):{said}}起"
        steps.append(VersionStep(row.number, label, day, row.pk == edition.pk, draft))
    return steps


def _local(moment: Any) -> Any:
    return timezone.localtime(moment) if isinstance(moment, dt.datetime) else moment


def state_of(
    edition: Any, table: Table, flaws: Sequence[Flaw], chosen: str, *, steps: tuple[Any, Any], may_edit: bool
) -> dict[str, Any]:
    """Return what every table shows of an edition: what is wrong with it or with the chosen area, what can be undone."""
    own = list(flaws)
    if chosen in table.areas:
        own = [
            *table.flaws_of(table.areas[chosen]),
            *(each for each in flaws if (each.kind, each.area) == ("roads", chosen)),
        ]
    back, again = steps
    return {
        "edition": edition, "may_edit": may_edit, "checks": checks_of(own[:SHOWN_FIRST]), "flaws": own,
        "tallies": tallies(own), "passed": passed(own, table.ground),
        "errors": sum(flaw.level == "error" for flaw in flaws),
        "undoing": [("undo", "撤销", "undo-2", back), ("redo", "重做", "redo-2", again)], "shaping": SHAPING,
        "saved_at": timezone.localtime(edition.changed_at),
    }  # fmt: skip


def flaws_drawn(flaws: Iterable[Flaw]) -> dict[str, Any]:
    """Return flaws for the map, each with its measure and how wide it is in metres."""
    shown = [flaw for flaw in flaws if not flaw.shape.is_empty and flaw.kind != "undrawn"]
    return feature_collection(
        [
            feature(
                from_plane(flaw.shape, current_city()),
                {
                    "id": flaw.id, "level": flaw.level, "kind": flaw.kind, "area": flaw.area, "other": flaw.other,
"said": f"重叠 {measure(flaw.area_m2)}" if flaw.kind == "overlap" else flaw.title,
                },
                System.CGCS2000,
            )
            for flaw in shown[:SHOWN_FIRST]
        ]
    )  # fmt: skip


def lines_drawn(shapes: Iterable[tuple[str, BaseGeometry]]) -> dict[str, Any]:
    """Return named shapes (degrees) for the map."""
    return feature_collection([feature(shape, {"name": name}, System.CGCS2000) for name, shape in shapes])


def points_drawn(points: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Return named points (degrees) for the map."""
    return lines_drawn(zip(names, shapely.points(points), strict=True))
