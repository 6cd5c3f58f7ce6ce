"""Reads of self-reports: those a scope keeps, the places a link may be sent for, and the photos that came with one."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet

from geo.errors import NotFound
from geo.imports.models import CURRENT
from geo.regions.queries import regions_under, within
from geo.scope import Scope
from services.access.queries import check_duty
from services.facilities.models import Facility
from services.facilities.queries import within_scope
from services.kernel.documents.models import LIVE, Attachment
from services.modules.selfreport.duties import MANAGE
from services.modules.selfreport.models import OPEN, SelfReport

KIND: Final = "self-reports"
PHOTO: Final = "photo"
MOST_OFFERED: Final = 200


def reports_seen(scope: Scope) -> QuerySet[SelfReport]:
    """Return the reports of the regions a scope keeps; none without the duty."""
    if not scope.holds(MANAGE):
        return SelfReport.objects.none()
    return SelfReport.objects.filter(within(scope)).select_related("facility")


def report_seen(pk: int, *, scope: Scope) -> SelfReport:
    """Return one report. Raises ``NotFound`` alike for one that is not there and one that is not for the scope."""
    row = reports_seen(scope).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if row is None:
        raise NotFound("self_report_unknown", "没有找到这份填报，它可能不在您的管辖范围内。")
    return row


def places_to_ask(
    *, scope: Scope, ids: list[int] | None = None, kind: str = "", region: str = ""
) -> list[tuple[Facility, SelfReport | None]]:
    """Return places of the scope, by id or by kind and region, each with its open report. Needs ``selfreport.manage``.

    At most 200, by name. Raises ``NotFound`` for an unknown region.
    """
    check_duty(scope, MANAGE)
    rows = Facility.objects.filter(CURRENT, within_scope(scope)).order_by("name", "pk")
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    if kind:
        rows = rows.filter(kind=kind)
    if region:
        rows = rows.filter(region__in=regions_under(region, scope=scope).values("region_id"))
    places = list(rows[:MOST_OFFERED])
    opened = {row.facility_id: row for row in SelfReport.objects.filter(OPEN, facility__in=places)}
    return [(place, opened.get(place.pk)) for place in places]


def photos_of(report: SelfReport) -> list[Attachment]:
    """Return the photos that came with a report, in the order they came."""
    rows = Attachment.objects.filter(LIVE, owner_kind=KIND, owner_id=str(report.pk), purpose=PHOTO)
    return list(rows.order_by("pk"))
