"""The photo that may come with a report: staff who keep the place see it, nobody changes it."""

from __future__ import annotations

from typing import Final

from geo.errors import NotFound
from geo.scope import Scope
from services.kernel.documents.spec import IMAGES, MEGABYTE, Owner, OwnerKind, Purpose
from services.modules.finder.queries import report_seen

KIND: Final = "place-reports"
PHOTO: Final = "photo"


def find_report(owner_id: str, scope: Scope) -> Owner:
    """Return a report as an owner of files. Raises ``NotFound`` when there is none, or none the scope may see."""
    if not (owner_id.isascii() and owner_id.isdecimal() and len(owner_id) < 19):
        raise NotFound("report_unknown", "没有找到这份报告，它可能不在您的管辖范围内。")
    row = report_seen(int(owner_id), scope=scope)
    return Owner(
        title=f"{row.facility.name}：{row.get_what_display()}",
        href=f"/desk/place-reports/{row.pk}",
        region_id=row.region_id,
        may_edit=scope.actor == "system",  # it comes with the report and stays as it came
        staff=True,
        names_people=False,
    )


OWNERS: Final = (
    OwnerKind(
        key=KIND,
        name="机构纠错",
        find=find_report,
        purposes=(Purpose(PHOTO, "照片", IMAGES, most_bytes=10 * MEGABYTE, most_files=1),),
    ),
)
