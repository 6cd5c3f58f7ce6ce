"""Reads of files of fences: one import, its rows with what writing them does, how many of each there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from geo.errors import NotFound
from geo.fences.areas import shape_of
from geo.fences.models import Fence, FenceEdition
from geo.regions.queries import within
from geo.scope import Scope
from services.access.queries import check_duty
from services.fencing.files.judging import meant
from services.fencing.files.models import FenceImport, FenceImportRow
from services.fencing.queries import EDIT, FENCE_ROWS, fences_of

Fate = Literal["new", "replaces", "unchanged", "refused", "left_out"]
FATES: Final[dict[Fate, tuple[str, str]]] = {
    "new": ("新增", "good"),
    "replaces": ("更新同名", "kind"),
    "unchanged": ("没有变化", ""),
    "refused": ("要改", "bad"),
    "left_out": ("不导入", ""),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows a file has: ready, to be mended, left out; and how many could be taken mended."""

    ready: int
    faulty: int
    left_out: int
    mendable: int


def import_seen(import_id: UUID, *, scope: Scope) -> FenceImport:
    """Return a file that was taken in for an edition of the scope's districts. Raises ``NotFound`` for any other."""
    check_duty(scope, EDIT)
    rows = FenceImport.objects.select_related("edition", "change")
    found = rows.filter(within(scope, "edition__district"), pk=import_id).first()
    if found is None:
        raise NotFound("import_unknown", "没有找到这次导入，可能已经放弃，或者不属于您的管辖范围。")
    return found


def imports_of(edition: FenceEdition) -> QuerySet[FenceImport]:
    """Return the files taken in for an edition, the latest first."""
    return FenceImport.objects.filter(edition=edition).select_related("change").order_by("-made_at")


def tally_of(taken: FenceImport) -> Tally:
    """Return how many rows are ready, faulty, left out, and mended but not yet accepted."""
    waits = Q(faulty=True, mended=False, geom__isnull=False) & ~Q(shape_fault="")
    every, faulty, out, mendable = taken.rows.aggregate(
        n=Count("pk"), bad=Count("pk", filter=Q(faulty=True)), out=Count("pk", filter=Q(left_out=True)),
        wait=Count("pk", filter=waits),
    ).values()  # fmt: skip
    return Tally(every - faulty - out, faulty, out, mendable)


def fates_of(rows: Iterable[FenceImportRow], edition: FenceEdition) -> dict[int, Fate]:
    """Return what writing each row does to the draft as it is now, by number."""
    there = {fence.name: fence for fence in fences_of(edition)}
    return {row.number: _fate(row, there) for row in rows}


def _fate(row: FenceImportRow, there: Mapping[str, Fence]) -> Fate:
    if row.left_out:
        return "left_out"
    if row.faulty or row.geom is None:
        return "refused"
    fence = there.get(row.cells["name"])
    if fence is None:
        return "new"
    shape, said = meant(row, fence)
    told = FENCE_ROWS.told(fence)
    same = shape.equals(shape_of(fence)) and all(told[field] == value for field, value in said.items())
    return "unchanged" if same else "replaces"


def names_missing(taken: FenceImport, edition: FenceEdition) -> list[str]:
    """Return the fences of a draft that the file does not hold."""
    held = set(taken.rows.filter(left_out=False).values_list("cells__name", flat=True))
    return [fence.name for fence in fences_of(edition) if fence.name not in held]
