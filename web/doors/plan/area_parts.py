"""What the planner's table shows of catchments: areas with colours and counts, what they change for families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geo.crs import System
from geo.fences.areas import shape_of
from geo.fences.topology import Drawn, Flaw, measure
from geo.geometry import feature, feature_collection
from geo.scope import Scope
from services.catchments.areas.queries import (
    areas_of,
    before_of,
    flaws_in,
    impacts,
    longest_walk_min,
    table_of,
    undo_and_redo,
)
from services.catchments.editing import may_edit
from services.catchments.ground import ground_of
from services.catchments.models import CatchmentEdition
from web.doors.plan import drawing_parts
from web.doors.plan.drawing_parts import Compared, colours_of


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


def state_of(edition: CatchmentEdition, *, scope: Scope, chosen: str = "") -> dict[str, Any]:
    """Return everything the table shows of an edition."""
    flaws = flaws_in(edition)
    lines = lines_of(edition, chosen, flaws)
    area = next((line for line in lines if line.chosen), None)
    before = before_of(edition)
    every = drawing_parts.state_of(
        edition, table_of(edition), flaws, area.same if area else "",
        steps=undo_and_redo(edition, actor=scope.actor), may_edit=may_edit(edition, scope=scope),
    )  # fmt: skip
    return every | {
        "lines": lines, "area": area, "before": before, "compared": figures(edition, before, area.same) if area else [],
        "sites": ground_of(edition.district_id).open_sites(),
    }  # fmt: skip


def figures(
    edition: CatchmentEdition, before: CatchmentEdition | None, same: str, drawn: Drawn | None = None
) -> list[Compared]:
    """Return what an area, as it is kept or drawn, changes for families against the edition before."""
    now = impacts(edition, [drawn] if drawn else None).get(same)
    was = impacts(before).get(same) if before else None
    pairs = (("门牌（个）", "doors"), ("对口园名额（个）", "places"))
    walks = longest_walk_min(before, same) if before else None, longest_walk_min(edition, same, drawn)
    return [
        *(Compared(label, getattr(was, name, None), getattr(now, name, None)) for label, name in pairs),
        Compared("最远步行（分钟）", *walks),
    ]


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
