"""Fences of an edition, all or some, as a file in any format and system that reads in again as the same fences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson

from geo.addresses.land import land_of
from geo.crs import System
from geo.errors import BadInput
from geo.fences.areas import shape_of
from geo.fences.files.reading import SYSTEMS
from geo.fences.files.writing import OPTIONAL, Leaving, format_of, write_areas
from geo.fences.models import Fence, FenceEdition
from geo.fences.purposes import ShapeKind
from geo.scope import Scope
from services.fencing.files.columns import KIND, LABELS, hours_text
from services.fencing.files.judging import definition_in
from services.fencing.queries import edition_seen, fences_of, purpose_for

SHORT: Final = {
    System.WGS84: "WGS84", System.CGCS2000: "CGCS2000", System.GCJ02: "GCJ02", System.BD09: "BD09", System.SH2000: "上海2000",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FenceFile:
    """A file of fences: its name, media type and content."""

    name: str
    media: str
    content: bytes


def export_fences(*, edition_id: UUID, format: str, crs: str, scope: Scope, sames: Sequence[UUID] = ()) -> FenceFile:
    """Return an edition as a file; with ``sames`` those fences only.

    Raises ``BadInput`` for an unknown format or system, and for fences that the edition does not hold.
    """
    edition = edition_seen(edition_id, scope=scope)
    kind, system = format_of(format), _system(crs)
    fences = fences_of(edition)
    if sames:
        chosen = set(sames)
        fences = [fence for fence in fences if fence.same in chosen]
        if len(fences) != len(chosen):
            raise BadInput("fences_gone", "选的围栏有的已经不在这一版里，请刷新后再选。")
    title = f"{land_of(edition.district_id).name}{purpose_for(edition).name}第 {edition.number} 版"
    leaving = [_leaving(fence, edition, system) for fence in fences]
    name = f"{title.replace(' ', '')}-{SHORT[system]}.{kind.ending}"
    return FenceFile(name, kind.media, write_areas(leaving, format=kind, system=system, title=title))


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


def _system(crs: str) -> System:
    system = System.parse(crs)
    if system not in SYSTEMS:
        raise BadInput("datum_unknown", f"请用这几种坐标系：{'、'.join(SYSTEMS)}。", parameter="crs")
    return system
