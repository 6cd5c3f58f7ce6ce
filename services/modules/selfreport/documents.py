"""The photos that come with a self-report: staff who keep its region see them, only the link adds and removes them."""

from __future__ import annotations

from typing import Final

from geo.errors import NotFound
from geo.scope import Scope
from services.kernel.documents.spec import IMAGES, MEGABYTE, Owner, OwnerKind, Purpose
from services.modules.selfreport.models import SelfReport
from services.modules.selfreport.queries import KIND, PHOTO, report_seen

MOST_PHOTOS: Final = 6


def find_report(owner_id: str, scope: Scope) -> Owner:
    """Return a report as an owner of files. Raises ``NotFound`` when there is none, or none the scope may see."""
    if not (owner_id.isascii() and owner_id.isdecimal() and len(owner_id) < 19):
        raise NotFound("self_report_unknown", "没有找到这份填报，它可能不在您的管辖范围内。")
    return owner_of(report_seen(int(owner_id), scope=scope), changes=scope.actor == "system")


def owner_of(report: SelfReport, *, changes: bool = False) -> Owner:
    """Return a report as an owner of files, for whoever was let in to it."""
    return Owner(
        title=report.name,
        href=f"/desk/self-reports/{report.pk}",
        region_id=report.region_id,
        may_edit=changes,
        staff=True,
        names_people=False,
    )


OWNERS: Final = (
    OwnerKind(
        key=KIND,
        name="自主填报",
        find=find_report,
        purposes=(Purpose(PHOTO, "照片", IMAGES, most_bytes=10 * MEGABYTE, most_files=MOST_PHOTOS),),
    ),
)
