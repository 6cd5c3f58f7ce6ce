"""Reads of the public facts of supervision."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from geo.scope import Scope
from services.facilities.models import Facility
from services.facilities.queries import facility_detail
from services.facilities.supervision.models import SupervisionFacts, SupervisionPull
from services.integrations.supervision.client import NAME, is_connected
from services.integrations.supervision.schemas import CODE_FORM

GROUPS_SHOWN = ("eldercare",)
"""Groups of kinds whose institutions the platform is asked for."""
LONGEST_PULL = dt.timedelta(minutes=30)
"""No asking takes longer, from its first answer to its end."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of a place says of supervision: the facts (none where none are known), their source, and how fresh they are.

    ``numbered`` says that the institution has a sound 统一社会信用代码, ``asked`` that it was asked for with success once,
    ``reached`` that this went well the last time too; ``fetched_at`` is the moment of the last good answer.
    """

    facts: SupervisionFacts | None
    numbered: bool
    asked: bool
    reached: bool
    fetched_at: dt.datetime | None = None
    source: str = NAME


def supervision_of(place_id: int, *, scope: Scope) -> Shown | None:
    """Return what is shown of supervision for a place that a scope sees, ``None`` where there is nothing to say.

    That is for other kinds of places, and while no platform is connected and none ever answered. Raises ``NotFound``.
    """
    place = facility_detail(place_id, scope=scope).place
    if place.group not in GROUPS_SHOWN:
        return None
    row = Facility.objects.select_related("organisation").get(pk=place_id)
    runs = row.organisation
    numbered = runs is not None and runs.active and re.fullmatch(CODE_FORM, runs.credit_code) is not None
    facts = SupervisionFacts.objects.filter(organisation=row.organisation_id).first() if numbered else None
    if facts is None and not is_connected():
        return None
    fetched_at = facts.fetched_at if facts else None
    return Shown(
        facts=facts if facts and facts.listed else None,
        numbered=numbered,
        asked=facts is not None,
        reached=is_connected() and _reached(fetched_at),
        fetched_at=fetched_at,
    )


def _reached(fetched_at: dt.datetime | None) -> bool:
    """Say whether the last asking brought an answer: of an institution asked for before, an answer for this one."""
    last = SupervisionPull.objects.first()
    if last is None:
        return False
    return last.state != "failed" if fetched_at is None else fetched_at > last.at - LONGEST_PULL
