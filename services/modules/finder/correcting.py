"""A report answered by setting the place right: one act, so that nothing is corrected unanswered or answered uncorrected."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from geo.errors import BadInput
from geo.scope import Scope
from services.facilities.upkeep.actions import Values, edit_facility
from services.facilities.upkeep.models import FacilityChange
from services.modules.finder.models import ReportState
from services.modules.finder.queries import report_seen
from services.modules.finder.reports import settle_report


@transaction.atomic
def correct_reported(
    *,
    report_id: int,
    seen: str,
    answer: str,
    together: bool,
    facility_id: int,
    changes: Values,
    key: UUID,
    version: str,
    scope: Scope,
    reason: str,
    why: str = "",
) -> FacilityChange:
    """Change a place as somebody reported it, and answer the report as corrected; ``together`` with all others that wait there.

    The same ``key`` again does nothing. Raises what ``edit_facility`` and ``settle_report`` raise; then neither is done.
    """
    report = report_seen(report_id, scope=scope)
    if report.facility_id != facility_id:
        raise BadInput("report_elsewhere", "这条报告说的是另一家，请从报告里再打开一次。")
    repeated = FacilityChange.objects.filter(key=key).exists()
    change = edit_facility(
        facility_id=facility_id, changes=changes, key=key, version=version, scope=scope, reason=reason, why=why
    )
    if not repeated:
        settle_report(
            pk=report_id, seen=seen, state=ReportState.CORRECTED, answer=answer, scope=scope, together=together
        )
    return change
