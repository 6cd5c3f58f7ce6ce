"""What follows when a registration ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from geo.addresses.placing import located
from geo.regions.queries import path_of
from geo.scope import Scope
from services.kernel.workflow.models import Case
from services.kernel.workflow.transitions import State
from services.modules.example.models import ServicePoint


def register_point(*, case: Case, answers: Mapping[str, Any], scope: Scope) -> ServicePoint | None:
    """Enter an approved service point, where its address is found in its street, else at the street's label.

    Nothing is entered for a case that was not approved, or that was opened without the form.
    """
    if case.state != State.APPROVED or "point_address" not in answers:
        return None
    street = path_of(case.region_id, scope=scope)[-1]
    return ServicePoint.objects.create(
        case_number=case.number,
        name=case.title,
        address_text=answers["point_address"],
        area_m2=answers.get("area"),
        open_at_night=bool(answers.get("night")),
        registered_on=timezone.localdate(),
        **located(answers["point_address"], scope=scope, inside=street),
    )
