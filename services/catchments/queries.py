"""Reads of editions of catchments: those the scope looks after, one of them, the one in force, its rules and its history."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils import timezone

from geo.errors import Conflict, Forbidden, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import published_name, versions_of, within
from geo.scope import Scope
from services.access.queries import check_duty
from services.catchments.models import CatchmentEdition, EditionChange, EditionState, MatchRule

VIEW: Final = "catchments.view"
EDIT: Final = "catchments.edit"
APPROVE: Final = "catchments.approve"
STATE_ACTS: Final = ("begin", "approve", "publish", "withdraw")
"""Acts that change no rule: nothing of them can be undone."""


def districts_seen(*, scope: Scope, duty: str = VIEW) -> list[RegionVersion]:
    """Return the districts whose editions the scope looks after, by code."""
    check_duty(scope, duty)
    return list(versions_of(scope=scope).filter(within(scope), level="district"))


def district_seen(code: str, *, scope: Scope, duty: str = VIEW) -> RegionVersion:
    """Return a district by code, the first of the scope for ''. Raises ``Forbidden`` for any other."""
    for version in districts_seen(scope=scope, duty=duty):
        if code in ("", version.code):
            return version
    raise Forbidden("district_outside_scope", "对口版本按区管理，这个区不在您的管辖范围内。")


def editions_seen(*, scope: Scope) -> QuerySet[CatchmentEdition]:
    """Return the editions of the scope's districts with ``district_name`` and ``rule_count``, the newest first."""
    check_duty(scope, VIEW)
    rows = CatchmentEdition.objects.filter(within(scope, "district")).annotate(
        district_name=published_name("district_id"), rule_count=Count("rules")
    )
    return rows.order_by("-year", "district_name", "entry", "-number")


def edition_seen(edition_id: UUID, *, scope: Scope, duty: str = VIEW) -> CatchmentEdition:
    """Return an edition of the scope's districts with ``district_name``. Raises ``NotFound`` for any other."""
    check_duty(scope, duty)
    rows = CatchmentEdition.objects.filter(within(scope, "district"), pk=edition_id)
    found = rows.annotate(district_name=published_name("district_id")).first()
    if found is None:
        raise NotFound("edition_unknown", "没有找到这个对口版本，或者它不属于您的管辖范围。")
    return found


def edition_in_force(*, year: int, district_id: int, entry: str, on: dt.date | None = None) -> CatchmentEdition | None:
    """Return the published edition that counts on a day (today): of those that have begun, the one that began last."""
    day = on or timezone.localdate()
    rows = CatchmentEdition.objects.filter(
        year=year, district=district_id, entry=entry, state=EditionState.PUBLISHED, from_day__lte=day
    )
    return rows.annotate(district_name=published_name("district_id")).order_by("-from_day", "-number").first()


def editions_in_force(
    *, year: int | None = None, district_id: int | None = None, entry: str = "", on: dt.date | None = None
) -> QuerySet[CatchmentEdition]:
    """Return the published editions that count on a day (today), one for each year, district and entry, the newest year first."""
    rows = CatchmentEdition.objects.filter(state=EditionState.PUBLISHED, from_day__lte=on or timezone.localdate())
    asked = {"year": year, "district": district_id, "entry": entry or None}
    rows = rows.filter(**{name: value for name, value in asked.items() if value is not None})
    order = ("-year", "district", "entry")
    return rows.order_by(*order, "-from_day", "-number").distinct("year", "district", "entry")


def newest_year(*, entry: str) -> int | None:
    """Return the last year of which an entry has an edition in force anywhere, ``None`` for none."""
    return editions_in_force(entry=entry).values_list("year", flat=True).first()


def versions_beside(edition: CatchmentEdition) -> QuerySet[CatchmentEdition]:
    """Return every version of the same year, district and entry, the first one first."""
    rows = CatchmentEdition.objects.filter(year=edition.year, district=edition.district_id, entry=edition.entry)
    return rows.order_by("number")


def sources_for(*, year: int, district_id: int, entry: str) -> list[CatchmentEdition]:
    """Return what a new draft may begin with: the last published version of the year, then those of the years before."""
    rows = CatchmentEdition.objects.filter(
        district=district_id, entry=entry, state=EditionState.PUBLISHED, year__lte=year
    )
    return list(rows.order_by("-year", "-from_day", "-number").distinct("year"))


def rules_of(edition: CatchmentEdition) -> QuerySet[MatchRule]:
    """Return the rules of an edition in their order, with their kindergartens."""
    return edition.rules.select_related("target").order_by("line", "id")


def rule_of(edition: CatchmentEdition, same: UUID) -> MatchRule:
    """Return one rule of an edition. Raises ``Conflict`` where it is gone."""
    found = rules_of(edition).filter(same=same).first()
    if found is None:
        raise Conflict("rule_gone", "这一条规则已经被删除。请刷新列表；删错了可以在“改动记录”里撤销。")
    return found


def changes_of(edition: CatchmentEdition) -> QuerySet[EditionChange]:
    """Return who did what to an edition, the latest first, without the rows."""
    return edition.changes.select_related("undone_by", "undoes").defer("before", "after").order_by("-revision")


def undoable(edition: CatchmentEdition) -> EditionChange | None:
    """Return the last act that stands: not undone, and no undoing of another."""
    rows = changes_of(edition).filter(undone_by=None).exclude(act__in=STATE_ACTS)
    return next((row for row in rows[:20] if not row.said.startswith("撤销“")), None)
