"""What is checked when an application for a service is handed in: that the place offers what is applied for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from geo.errors import NotFound
from geo.scope import Scope
from services.facilities.queries import facility_detail
from services.kernel.forms.answering import Fault
from services.kernel.forms.models import Submission
from services.modules.careservice.words import KINDS_SERVED


def check_place(*, submission: Submission, answers: Mapping[str, Any], scope: Scope) -> Iterator[Fault]:
    """Yield that the place is gone, or of a kind that is not applied for here."""
    number = answers.get("care_place")
    if number is None:
        return
    try:
        place = facility_detail(int(number), scope=Scope.public()).place
    except NotFound:
        yield Fault("care_place", "place_gone", "这家机构已经不在了，请换一家。")
        return
    if place.kind not in KINDS_SERVED:
        yield Fault("care_place", "place_kind", f"{place.kind_name}的服务不在这里申请，请直接问机构，或换一家。")
