"""Reads of the planner's table: the areas of an edition with what is wrong with them, and what they change against another."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import shapely

from geo.addresses.gazetteer import published_now
from geo.addresses.land import kept
from geo.fences.areas import ACTS, drawn_of
from geo.fences.topology import Drawn, Flaw, Table
from geo.geometry import to_plane
from geo.regions.queries import current_city
from services.catchments.areas.district import District, district_of
from services.catchments.areas.walks import longest_walk_s
from services.catchments.changes import DRAFTS
from services.catchments.models import CatchmentArea, CatchmentEdition, EditionChange
from services.catchments.queries import edition_in_force

_KEPT: Final = 12
_tables: dict[tuple[str, int, str], Table] = {}


@dataclass(frozen=True, slots=True)
class Impact:
    """What an area means for families, now and in another edition; ``None`` where it is not known."""

    doors: int | None
    places: int | None


def areas_of(edition: CatchmentEdition) -> list[CatchmentArea]:
    """Return the areas of an edition with their kindergartens, by name."""
    return list(edition.areas.select_related("target").order_by("name", "id"))


def table_of(edition: CatchmentEdition) -> Table:
    """Return the areas of an edition on the table, against its district; made once for each revision and state of the data."""
    published = published_now()

    def read() -> Table:
        return Table(drawn_of(areas_of(edition)), district_of(edition.district_id, published).ground)

    table: Table = kept(_tables, (str(edition.pk), edition.revision, published.key), read, _KEPT)
    return table


def district_for(edition: CatchmentEdition) -> District:
    """Return the district of an edition."""
    return district_of(edition.district_id)


def flaws_in(edition: CatchmentEdition) -> list[Flaw]:
    """Return what is wrong with the areas of an edition, errors first."""
    return table_of(edition).flaws() if edition.areas.exists() else []


def before_of(edition: CatchmentEdition) -> CatchmentEdition | None:
    """Return the edition that a draft is held against: the one in force, else what it was begun from."""
    found = edition_in_force(year=edition.year, district_id=edition.district_id, entry=edition.entry)
    if found is not None and found.pk != edition.pk:
        return found
    return edition.begun_from


def impacts(edition: CatchmentEdition, drawn: Iterable[Drawn] | None = None) -> dict[str, Impact]:
    """Return what each area means for families, by its ``same``; ``drawn`` stands in for what is kept while it is drawn."""
    table = table_of(edition)
    rows = {str(area.same): area for area in areas_of(edition)}
    doors = district_for(edition).doors
    shown = list(drawn) if drawn is not None else list(table.areas.values())
    found = {}
    for area in shown:
        inside = table.doors_in(area.shape)
        target = rows[area.key].target if area.key in rows else None
        found[area.key] = Impact(len(inside) if len(doors) else None, target.places if target else None)
    return found


def longest_walk_min(edition: CatchmentEdition, same: str, drawn: Drawn | None = None) -> int | None:
    """Return the minutes with a pram from an area's kindergarten to the farthest of its doors, as it is kept or drawn.

    At most an hour; ``None`` where there is no such area, no doors or no roads.
    """
    row = edition.areas.select_related("target").filter(same=same).first() if same else None
    area = drawn or table_of(edition).areas.get(same)
    if row is None or area is None or row.target.geom is None:
        return None
    inside = list(table_of(edition).doors_in(area.shape)) if area.shape.is_valid else []
    (point,) = shapely.get_coordinates(to_plane(shapely.Point(row.target.geom.x, row.target.geom.y), current_city()))
    seconds = longest_walk_s((float(point[0]), float(point[1])), district_for(edition).doors[inside])
    return None if seconds is None else math.ceil(seconds / 60)


def undo_and_redo(edition: CatchmentEdition, *, actor: str) -> tuple[EditionChange | None, EditionChange | None]:
    """Return the act on areas that 撤销 takes back for somebody, and the undoing that 重做 takes back."""
    return DRAFTS.undo_and_redo(edition, actor=actor, acts=ACTS)
