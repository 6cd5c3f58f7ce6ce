"""What everybody may read of catchments: the years that are answered, a published edition, and its rules."""

from __future__ import annotations

import datetime as dt
from functools import reduce
from operator import or_
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from geo.errors import NotFound
from geo.regions.queries import published_name
from services.catchments.models import CatchmentEdition, EditionState, MatchRule

MOST_WORDS: Final = 6
_SAID: Final = ("written", "community", "note", "target__name", "street_name", "committee_name")


def years_answered(on: dt.date | None = None) -> list[int]:
    """Return the years with an edition that has begun on a day (today), the newest first."""
    begun = CatchmentEdition.objects.filter(state=EditionState.PUBLISHED, from_day__lte=on or timezone.localdate())
    return list(begun.order_by("-year").values_list("year", flat=True).distinct())


def published_edition(edition_id: UUID) -> CatchmentEdition:
    """Return a published edition with ``district_name``. Raises ``NotFound`` for a draft too: nobody learns that there is one."""
    rows = CatchmentEdition.objects.filter(pk=edition_id, state=EditionState.PUBLISHED)
    found = rows.annotate(district_name=published_name("district_id")).first()
    if found is None:
        raise NotFound("edition_unknown", "没有这个对口版本，或者它还没有发布。请从对口查询结果里再打开一次。")
    return found


def rules_told(edition: CatchmentEdition, *, words: str = "", target: int | None = None) -> QuerySet[MatchRule]:
    """Return the rules of a published edition in their order: those that say every one of ``words``, and of a kindergarten."""
    rows = edition.rules.select_related("target").annotate(
        street_name=published_name("street_id"), committee_name=published_name("committee_id")
    )
    if target is not None:
        rows = rows.filter(target=target)
    for word in words.split()[:MOST_WORDS]:
        rows = rows.filter(reduce(or_, (Q(**{f"{field}__icontains": word}) for field in _SAID)))
    return rows.order_by("line", "id")
