"""Reads of favourites and of reports: always of one account, or of what a scope may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db.models import QuerySet
from django.utils import timezone

from geo.addresses.gazetteer import names_of, published_now
from geo.errors import NotFound
from geo.regions.queries import within
from geo.scope import Scope
from services.access.models import User
from services.crypto.queries import reveal_secrets
from services.facilities.kinds import kind_of
from services.facilities.models import Facility, FacilityStatus
from services.facilities.places import COLUMNS, Place, place_of
from services.facilities.queries import city_now, days_around, visible
from services.modules.finder.models import WAITING, Favourite, PlaceReport

MOVED_WITHIN: Final = dt.timedelta(days=180)
"""For how long a favourite that moved says where it was."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A marked place as it stands today: shown in full, or only its name once the city no longer lists it."""

    id: int
    name: str
    kind: str
    place: Place | None
    changed: str = ""
    note: str = ""

    @property
    def kind_name(self) -> str:
        """Return the Chinese name of its kind."""
        return kind_of(self.kind).name


def favourite_ids(user: User) -> list[int]:
    """Return the ids of the places an account marked, in its own order."""
    return list(Favourite.objects.filter(user=user).values_list("facility_id", flat=True))


def notes_of(user: User) -> dict[int, str]:
    """Return the notes of an account by the id of the place."""
    rows = Favourite.objects.filter(user=user, noted=True).values_list("facility_id", "uid")
    return {place: reveal_secrets(owner=uid, fields=["note"]).get("note", "") for place, uid in rows}


def marked_places(ids: Sequence[int], *, scope: Scope, notes: dict[int, str] | None = None) -> list[Marked]:
    """Return the places of these ids in their order; unknown ones, and those the scope may not see, are left out.

    A place that closed, paused, moved within half a year or was taken off the list says so in ``changed``.
    """
    published, now = published_now(), city_now()
    names, days = names_of(published), days_around(now)
    rows = Facility.objects.filter(visible(scope, published, FacilityStatus.values), pk__in=ids).values(*COLUMNS)
    shown = {row["id"]: place_of(row, names, now, days) for row in rows}
    left = [one for one in ids if one not in shown]
    gone = {row.pk: row for row in Facility.objects.filter(pk__in=left, retired_at__isnull=False)} if left else {}
    before = _addresses_before(list(shown))
    said = notes or {}
    found = []
    for one in ids:
        place = shown.get(one)
        if place is not None:
            changed = _changed(place, before.get(one, ""))
            found.append(Marked(one, place.name, place.kind, place, changed, said.get(one, "")))
        elif one in gone and gone[one].status != FacilityStatus.PREPARING:
            row = gone[one]
            found.append(
                Marked(one, row.name, row.kind_id, None, "已不在本市目录里，可能关闭了或换了编号", said.get(one, ""))
            )
    return found


def _changed(place: Place, before: str) -> str:
    if place.status == FacilityStatus.CLOSED:
        return "已经关闭"
    if place.status != FacilityStatus.OPEN:
        return f"现在{place.status_name}"
    if before and before != place.address:
        return f"地址变了，原来在 {before}"
    return ""


def _addresses_before(ids: Sequence[int]) -> dict[int, str]:
    """Return the address each place had before the first change of the last half year, of those that changed at all."""
    kept: Any = apps.get_model("facilities", "FacilityEvent")
    events = kept.objects.filter(pgh_obj_id__in=ids, pgh_created_at__gte=timezone.now() - MOVED_WITHIN)
    rows = events.order_by("-pgh_created_at", "-pgh_id").values_list("pgh_obj_id", "address_text")
    return dict(rows)  # the oldest comes last and stays


def reports_seen(scope: Scope) -> QuerySet[PlaceReport]:
    """Return the reports of places that a scope keeps."""
    if not scope.holds("facilities.edit"):
        return PlaceReport.objects.none()
    return PlaceReport.objects.filter(within(scope)).select_related("facility")


def report_seen(pk: int, *, scope: Scope) -> PlaceReport:
    """Return one report. Raises ``NotFound`` alike for one that is not there and one that is not for the scope."""
    row = reports_seen(scope).filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("report_unknown", "没有找到这份报告，它可能不在您的管辖范围内。")
    return row


def waiting_at(facility_id: int, *, scope: Scope) -> QuerySet[PlaceReport]:
    """Return the reports of a place that nobody has answered yet, for those who keep it."""
    return reports_seen(scope).filter(WAITING, facility=facility_id)
