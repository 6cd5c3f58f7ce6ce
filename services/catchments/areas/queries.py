"""Reads of the planner's table: the areas of an edition with what is wrong with them, and what they change against another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geo.addresses.gazetteer import published_now
from geo.addresses.land import kept
from geo.fences.areas import ACTS, drawn_of
from geo.fences.topology import Drawn, Flaw, Table
from geo.geometry import to_plane
from geo.regions.queries import current_city
from services.catchments.areas.district import District, district_of
from services.catchments.changes import DRAFTS
from services.catchments.models import CatchmentArea, CatchmentEdition, EditionChange
from services.catchments.queries import edition_in_force

_KEPT: Final = 12
_tables: dict[tuple[str, int, str], Table] = {}


@dataclass(frozen=True, slots=True)
class Impact:
    """What an area means for families, now and in another edition; ``None`` where it is not known.

    ``farthest_m`` is in a straight line from the kindergarten to the farthest of its doors.
    """

    doors: int | None
    places: int | None
    farthest_m: int | None


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
        found[area.key] = Impact(
            len(inside) if len(doors) else None, target.places if target else None, _farthest(target, inside, doors)
        )
    return found


def _farthest(target: object, inside: Sequence[int], doors: np.ndarray) -> int | None:
    geom = getattr(target, "geom", None)
    if geom is None or not inside:
        return None
    ((x, y),) = shapely.get_coordinates(to_plane(shapely.Point(geom.x, geom.y), current_city()))
    return round(float(np.hypot(doors[list(inside), 0] - x, doors[list(inside), 1] - y).max()))


def undo_and_redo(edition: CatchmentEdition, *, actor: str) -> tuple[EditionChange | None, EditionChange | None]:
    """Return the act on areas that 撤销 takes back for somebody, and the undoing that 重做 takes back."""
    return DRAFTS.undo_and_redo(edition, actor=actor, acts=ACTS)
