"""What the planner's table shows: areas with colours and counts, checks with repairs, what changes, the line of versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from django.utils import timezone
from shapely.geometry.base import BaseGeometry

from geo.crs import System
from geo.fences.areas import shape_of
from geo.fences.topology import REPAIR_WORDS, Drawn, Flaw, FlawKind, Level, Table, measure
from geo.geometry import feature, feature_collection, from_plane
from geo.regions.queries import current_city
from geo.scope import Scope
from services.catchments.areas.queries import (
    Impact,
    areas_of,
    before_of,
    flaws_in,
    impacts,
    table_of,
    undo_and_redo,
)
from services.catchments.editing import may_edit
from services.catchments.ground import ground_of
from services.catchments.models import CatchmentArea, CatchmentEdition, EditionState
from services.catchments.queries import versions_beside

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
    (("overlap",), "片区之间没有重叠"),
    (("outside",), "不超出区界"),
    (("gap",), "片区之间没有漏掉门牌"),
    (("sliver", "vertices"), "没有细碎，顶点不多"),
)


@dataclass(frozen=True, slots=True)
class AreaLine:
    """An area as the list shows it."""

    same: str
    name: str
    target: str
    target_id: int
    doors: int | None
    places: int | None
    size: str
    colour: int
    errors: int
    chosen: bool


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


def lines_of(edition: CatchmentEdition, chosen: str, flaws: Sequence[Flaw]) -> list[AreaLine]:
    """Return the areas of an edition as the list shows them."""
    table, found = table_of(edition), impacts(edition)
    colours = colours_of(table)
    wrong = [flaw for flaw in flaws if flaw.level == "error"]
    return [
        AreaLine(
            str(area.same), area.name, area.target.name, area.target_id, found[str(area.same)].doors,
            found[str(area.same)].places, measure(table.areas[str(area.same)].shape.area), colours[str(area.same)],
            sum(str(area.same) in (flaw.area, flaw.other) for flaw in wrong), str(area.same) == chosen,
        )
        for area in areas_of(edition)
    ]  # fmt: skip


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


def passed(flaws: Iterable[Flaw]) -> list[str]:
    """Return the checks that found nothing."""
    kinds = {flaw.kind for flaw in flaws}
    return [words for about, words in _PASSED if not kinds & set(about)]


def compared(now: Impact | None, before: Impact | None) -> list[Compared]:
    """Return what an area changes for families against the edition before."""
    pairs = (("门牌（个）", "doors"), ("对口园名额（个）", "places"), ("最远门牌，直线（米）", "farthest_m"))
    return [Compared(label, getattr(before, name, None), getattr(now, name, None)) for label, name in pairs]


def state_of(edition: CatchmentEdition, *, scope: Scope, chosen: str = "") -> dict[str, Any]:
    """Return everything the table shows of an edition."""
    flaws = flaws_in(edition)
    lines = lines_of(edition, chosen, flaws)
    area = next((line for line in lines if line.chosen), None)
    table = table_of(edition)
    own = table.flaws_of(table.areas[area.same]) if area else flaws
    before = before_of(edition)
    back, again = undo_and_redo(edition, actor=scope.actor)
    return {
        "edition": edition, "lines": lines, "area": area, "may_edit": may_edit(edition, scope=scope),
        "checks": checks_of(own[:SHOWN_FIRST]), "flaws": own, "tallies": tallies(own), "passed": passed(own),
        "errors": sum(flaw.level == "error" for flaw in flaws), "before": before,
        "compared": figures(edition, before, area.same) if area else [],
        "undoing": [("undo", "撤销", "undo-2", back), ("redo", "重做", "redo-2", again)], "shaping": SHAPING,
        "sites": ground_of(edition.district_id).open_sites(), "saved_at": timezone.localtime(edition.changed_at),
    }  # fmt: skip


def figures(
    edition: CatchmentEdition, before: CatchmentEdition | None, same: str, drawn: Drawn | None = None
) -> list[Compared]:
    """Return what an area, as it is kept or drawn, changes for families against the edition before."""
    now = impacts(edition, [drawn] if drawn else None).get(same)
    return compared(now, impacts(before).get(same) if before else None)


@dataclass(frozen=True, slots=True)
class VersionStep:
    """A version on the line at the foot of the page."""

    number: int
    label: str
    day: str
    now: bool
    draft: bool


def versions_line(edition: CatchmentEdition) -> list[VersionStep]:
    """Return the last versions of the same year, district and entry."""
    today = timezone.localdate()
    rows = list(versions_beside(edition))
    begun = [row for row in rows if row.from_day and row.from_day <= today and row.state == EditionState.PUBLISHED]
    current = max(begun, key=lambda row: (row.from_day, row.number), default=None)
    return [
        VersionStep(
            row.number,
            "草稿" if row.state != EditionState.PUBLISHED else "现行" if row == current else "已发布",
            f"{row.from_day:%Y年%-m月%-d日}起" if row.from_day else f"{timezone.localtime(row.changed_at):%-m月%-d日 %H:%M} 改过",
            row.pk == edition.pk,
            row.state != EditionState.PUBLISHED,
        )
        for row in rows[-5:]
    ]  # fmt: skip


def areas_drawn(edition: CatchmentEdition) -> dict[str, Any]:
    """Return the areas of an edition for the map, each with how large it is and how many doors it has."""
    table = table_of(edition)
    colours, found = colours_of(table), impacts(edition)
    features = []
    for area in areas_of(edition):
        same = str(area.same)
        told = {
            "same": same, "name": area.name, "target": area.target.name, "colour": colours[same],
            "size": measure(table.areas[same].shape.area), "doors": found[same].doors,
        }  # fmt: skip
        features.append(feature(shape_of(area), told, System.CGCS2000))
    return feature_collection(features)


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


def properties_of(area: CatchmentArea) -> dict[str, Any]:
    """Return what a file says of an area beside its shape."""
    return {"名称": area.name, "对口园": area.target.name, "对口园编号": area.target_id}
