"""Fences of an edition, all or some, as a file in any format and system that reads in again as the same fences."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson

from geo.addresses.land import land_of
from geo.crs import System
from geo.errors import BadInput
from geo.fences.areas import shape_of
from geo.fences.files.writing import OPTIONAL, Leaving, WrittenFile, system_of, written_file
from geo.fences.models import Fence, FenceEdition
from geo.fences.purposes import ShapeKind
from geo.scope import Scope
from services.fencing.files.columns import KIND, LABELS, hours_text
from services.fencing.files.judging import definition_in
from services.fencing.queries import edition_seen, fences_of, purpose_for


def export_fences(*, edition_id: UUID, format: str, crs: str, scope: Scope, sames: Sequence[UUID] = ()) -> WrittenFile:
    """Return an edition as a file; with ``sames`` those fences only.

    Raises ``BadInput`` for an unknown format or system, and for fences that the edition does not hold.
    """
    edition = edition_seen(edition_id, scope=scope)
    system = system_of(crs)
    fences = fences_of(edition)
    if sames:
        chosen = set(sames)
        fences = [fence for fence in fences if fence.same in chosen]
        if len(fences) != len(chosen):
            raise BadInput("fences_gone", "选的围栏有的已经不在这一版里，请刷新后再选。")
    title = f"{land_of(edition.district_id).name}{purpose_for(edition).name}第 {edition.number} 版"
    leaving = [_leaving(fence, edition, system) for fence in fences]
    return written_file(leaving, format=format, crs=crs, title=title)


def _leaving(fence: Fence, edition: FenceEdition, system: System) -> Leaving:
    definition = definition_in(fence.definition, System.CGCS2000, system) if fence.definition else None
    return Leaving(
        {
            LABELS["name"]: fence.name, purpose_for(edition).owner: fence.owner, KIND: ShapeKind(fence.kind).label,
            LABELS["from_day"]: fence.from_day.isoformat() if fence.from_day else "",
            LABELS["to_day"]: fence.to_day.isoformat() if fence.to_day else "", LABELS["hours"]: hours_text(fence.hours),
            OPTIONAL: orjson.dumps(definition).decode() if definition else "",
        },
        shape_of(fence),
    )  # fmt: skip
