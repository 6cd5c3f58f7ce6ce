"""Reads of workbooks of rules: one of them, its rows that are to be mended, how many of each there are."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from geo.errors import NotFound
from geo.regions.queries import within
from geo.scope import Scope
from services.access.queries import check_duty
from services.catchments.models import CatchmentEdition, RuleImport, RuleImportRow
from services.catchments.queries import EDIT


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows a workbook has: ready, to be mended, left out."""

    ready: int
    faulty: int
    left_out: int


def import_seen(import_id: UUID, *, scope: Scope) -> RuleImport:
    """Return a workbook that was taken in for an edition of the scope's districts. Raises ``NotFound`` for any other."""
    check_duty(scope, EDIT)
    rows = RuleImport.objects.select_related("edition", "change")
    found = rows.filter(within(scope, "edition__district"), pk=import_id).first()
    if found is None:
        raise NotFound("import_unknown", "没有找到这次导入，可能已经放弃，或者不属于您的管辖范围。")
    return found


def imports_open(edition: CatchmentEdition) -> QuerySet[RuleImport]:
    """Return the workbooks of an edition that are not written yet, the latest first."""
    return edition.imports.filter(written_at=None).order_by("-made_at")


def rows_to_mend(taken: RuleImport) -> QuerySet[RuleImportRow]:
    """Return the rows that are faulty, in the order of the workbook."""
    return taken.rows.filter(faulty=True).order_by("number")


def tally_of(taken: RuleImport) -> Tally:
    """Return how many rows are ready, faulty and left out."""
    counted = taken.rows.aggregate(
        all=Count("pk"), faulty=Count("pk", filter=Q(faulty=True)), out=Count("pk", filter=Q(left_out=True))
    )
    return Tally(counted["all"] - counted["faulty"] - counted["out"], counted["faulty"], counted["out"])
