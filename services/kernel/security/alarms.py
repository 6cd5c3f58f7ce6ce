"""Who is told when something was altered: all who hold ``security.check`` over the whole city."""

from __future__ import annotations

from typing import Final

from geo.regions.queries import current_city
from services.access.queries import users_holding
from services.crypto.identifiers import new_id
from services.crypto.reports import Finding, Section
from services.kernel.messages.actions import send_message
from services.kernel.security.message_events import CHECK_FAILED, TAMPERED

DUTY: Final = "security.check"
PAGE: Final = "/desk/security"
UNSIGNED: Final = "manifest_missing"


def send_alarm(finding: Finding) -> None:
    """Tell of one row."""
    _tell(TAMPERED, {"对象": finding.subject, "情况": finding.text[:180]})


def send_report(sections: list[Section]) -> None:
    """Tell of a check that found something altered; that nobody has signed the programs yet is for the report alone."""
    wrong = {section.title: [each for each in section.findings if each.code != UNSIGNED] for section in sections}
    if count := sum(map(len, wrong.values())):
        _tell(CHECK_FAILED, {"数量": str(count), "部分": "、".join(title for title, found in wrong.items() if found)})


def _tell(event: str, values: dict[str, str]) -> None:
    city = current_city_region()
    if city is not None:
        users = users_holding(DUTY, region_ids=[city])
        send_message(event=event, key=f"{event}:{new_id()}", region_id=city, values=values, users=users, link=PAGE)


def current_city_region() -> int | None:
    """Return the region of the whole city, none before boundaries are published."""
    from geo.regions.models import RegionVersion

    code = current_city().code
    found = RegionVersion.objects.filter(edition__state="published", code=code).values_list("region_id", flat=True)
    return found.first()
