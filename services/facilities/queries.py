"""Reads of facilities: lists, the nearest, one in detail, and counts. Every read takes the scope of the one who asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

from django.contrib.gis.geos import Polygon
from django.db import connection
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone

from geo.addresses.distances import ellipsoid_metres
from geo.addresses.gazetteer import Published, names_of, published_now
from geo.answering import once
from geo.calendars.queries import working_days
from geo.calendars.working import WorkingDays
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, NotFound
from geo.imports.models import CURRENT, Family
from geo.regions.queries import current_city, regions_under, within
from geo.scope import Scope
from services.facilities.cursors import after, read_cursor, write_cursor
from services.facilities.filters import CALENDAR_DAYS, Filters
from services.facilities.hours import AHEAD_DAYS, week_lines
from services.facilities.models import CapacityReport, Facility, FacilityStatus, StatusChange
from services.facilities.naming import wanted_grams
from services.facilities.places import COLUMNS, SELECTED, Place, place_of, place_read
from services.facilities.upkeep.models import MergedFacility

Bbox = tuple[float, float, float, float]
"""West, south, east, north in CGCS2000 degrees."""
Order = Literal["name", "distance", "relevance"]
LONGEST_QUERY: Final = 200
MOST_ROWS: Final = 200
OPEN: Final = (FacilityStatus.OPEN.value,)
NO_FILTERS: Final = Filters()


def city_now() -> dt.datetime:
    """Return the present moment in the zone of the city."""
    return timezone.now().astimezone(ZoneInfo(current_city().timezone))


def days_around(now: dt.datetime) -> WorkingDays:
    """Return the holidays that opening hours depend on, around a moment and as far ahead as somebody may ask about."""
    ahead = dt.timedelta(days=CALENDAR_DAYS + AHEAD_DAYS)
    return working_days(since=now.date() - dt.timedelta(days=1), until=now.date() + ahead)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of places; ``next`` is the cursor of the page after it, ``None`` on the last. ``metres`` runs along the places."""

    places: list[Place]
    next: str | None
    metres: list[float] | None
    published: Published


@dataclass(frozen=True, slots=True)
class Detail:
    """All that may be shown of one facility."""

    place: Place
    organisation: str
    source: str
    week: list[tuple[str, str]]
    said: list[tuple[str, str]]
    statuses: list[StatusChange]
    reports: list[CapacityReport]
    published: Published


def visible(scope: Scope, published: Published, statuses: Iterable[str] = OPEN) -> Q:
    """Return the condition that a facility is on the map and may be seen.

    Facilities are public; one in preparation is seen only by those who hold ``facilities.view`` over its region or organisation.
    """
    asked = set(statuses)
    condition = Q(status__in=asked - {FacilityStatus.PREPARING.value})
    if FacilityStatus.PREPARING.value in asked and scope.holds("facilities.view"):
        condition |= Q(status=FacilityStatus.PREPARING.value) & within_scope(scope)
    return CURRENT & Q(source__in=published.ids(Family.FACILITIES)) & condition


def within_scope(scope: Scope) -> Q:
    """Return the condition that a facility lies under the scope's paths or belongs to one of its organisations."""
    if "" in scope.paths:
        return Q()
    return within(scope) | Q(organisation__in=scope.organisations)


def facilities_in(
    *,
    scope: Scope,
    bbox: Bbox | None = None,
    region: str = "",
    kinds: Sequence[str] = (),
    q: str = "",
    filters: Filters = NO_FILTERS,
    statuses: Iterable[str] = OPEN,
    near: tuple[float, float] | None = None,
    order: Order | None = None,
    cursor: str = "",
    limit: int = 50,
    now: dt.datetime | None = None,
) -> Page:
    """Return one page of the facilities in a box and a region (by code), of kinds (keys; none: all), matching text and filters.

    ``near`` is (lon, lat) in CGCS2000: with it metres are given and ``order`` may be ``"distance"``. Without ``order``: by
    distance when ``near`` is given, else by relevance when ``q`` is, else by name. Raises ``BadInput`` and ``NotFound``.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise BadInput("limit_invalid", f"每页条数要在 1 到 {MOST_ROWS} 之间。", parameter="limit")
    now = now or city_now()
    days = days_around(now)
    published = published_now()
    names = names_of(published)
    chosen = order or ("distance" if near else "relevance" if q else "name")
    rows = _chosen(scope, published, bbox, region, kinds, q, filters, statuses, now, days)
    rows = _with_distance(rows, near)
    columns, types, rows = _ordered(rows, chosen, q, near)
    if cursor:
        rows = rows.filter(after(columns, read_cursor(cursor, chosen, types)))
    wanted = {*COLUMNS, *columns, *(["metres"] if near else [])}
    found = list(rows.values(*wanted)[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    return Page(
        places=[place_of(row, names, now, days) for row in found],
        next=write_cursor(chosen, [found[-1][column] for column in columns]) if more else None,
        metres=[row["metres"] for row in found] if near else None,
        published=published,
    )


def counts_by_kind(
    *,
    scope: Scope,
    bbox: Bbox | None = None,
    region: str = "",
    kinds: Sequence[str] = (),
    q: str = "",
    filters: Filters = NO_FILTERS,
    statuses: Iterable[str] = OPEN,
    now: dt.datetime | None = None,
) -> dict[str, int]:
    """Return how many facilities of each kind the same question finds; kinds without any are left out."""
    published = published_now()
    now = now or city_now()
    rows = _chosen(scope, published, bbox, region, kinds, q, filters, statuses, now, days_around(now))
    return dict(rows.order_by().values_list("kind").annotate(Count("id")))


def facility_detail(facility_id: int, *, scope: Scope, now: dt.datetime | None = None) -> Detail:
    """Return one facility, whatever its status. Raises ``NotFound`` when there is none, or none the scope may see."""
    return once(("facility", facility_id, scope, now), lambda: _detail(facility_id, scope, now or city_now()))


def _detail(facility_id: int, scope: Scope, now: dt.datetime) -> Detail:
    published = published_now()
    seen = visible(scope, published, FacilityStatus.values)
    columns = (*COLUMNS, "organisation__name")
    # Beyond the range of the column there is no such facility either.
    known = facility_id < 2**63
    row = Facility.objects.filter(seen, pk=facility_id).values(*columns).first() if known else None
    if row is None:
        if known:
            _lead_on(facility_id, seen)
        raise NotFound("facility_unknown", "没有找到这家机构，它可能已经撤销或换了编号。可以按名称再找一次。")
    place = place_of(row, names_of(published), now, days_around(now))
    return Detail(
        place=place,
        organisation=row["organisation__name"] or "",
        source=published.sources.get(place.source_id, ""),
        week=week_lines(place.hours),
        said=place.said(),
        statuses=list(StatusChange.objects.filter(facility_id=place.id)[:10]),
        reports=list(CapacityReport.objects.filter(facility_id=place.id)[:10]),
        published=published,
    )


def _lead_on(facility_id: int, seen: Q) -> None:
    """Raise ``NotFound`` that names the facility into which one was merged, if it was and that one may be seen."""
    into = Facility.objects.filter(seen, pk__in=MergedFacility.objects.filter(pk=facility_id).values("into")).first()
    if into is not None:
        raise NotFound("facility_merged", f"这家机构已经并入“{into.name}”，请看那一家。", into=into.pk)


def places_by_id(
    ids: Sequence[int],
    *,
    scope: Scope,
    published: Published,
    now: dt.datetime,
    days: WorkingDays | None = None,
    only: Q | None = None,
) -> dict[int, Place]:
    """Return those of the facilities with these ids that are open, visible and meet ``only``, by id."""
    if only:
        ids = list(Facility.objects.filter(visible(scope, published), only, pk__in=ids).values_list("id", flat=True))
    names, days = names_of(published), days or days_around(now)
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_ONES, [list(ids), *OPEN, list(published.ids(Family.FACILITIES))])
        return {row[0]: place_read(row, names, now, days) for row in cursor.fetchall()}


# What ``visible`` means for those that are open, which everybody may see.
_OPEN_ONES: Final = f"{SELECTED} WHERE id = ANY(%s) AND retired_at IS NULL AND status = %s AND source_id = ANY(%s)"


def matching(q: str) -> Q:
    """Return the condition that a facility's name or address holds what was typed: characters, pinyin or initials.

    Raises ``BadInput`` when nothing can be searched for, and beyond 200 characters.
    """
    if len(q) > LONGEST_QUERY:
        raise BadInput(
            "query_too_long", f"搜索内容最多 {LONGEST_QUERY} 个字，请只写名称或地址。", parameter="q", length=len(q)
        )
    pieces = wanted_grams(q)
    if not pieces:
        raise BadInput("query_empty", "请输入名称、地址或拼音首字母。", parameter="q")
    return Q(grams__contains=pieces)


def _chosen(
    scope: Scope,
    published: Published,
    bbox: Bbox | None,
    region: str,
    kinds: Sequence[str],
    q: str,
    filters: Filters,
    statuses: Iterable[str],
    now: dt.datetime,
    days: WorkingDays,
) -> QuerySet[Facility]:
    condition = visible(scope, published, statuses) & filters.condition(now, days)
    if kinds:
        condition &= Q(kind__in=kinds)
    if region:
        if not (region.isascii() and region.isalnum()):
            raise NotFound("region_unknown", f"没有代码为“{region[:20]}”的区划，请核对代码。", region=region[:20])
        condition &= Q(region__in=regions_under(region, scope=scope).values("region_id"))
    if q.strip():
        condition &= matching(q)
    if bbox is not None:
        box = Polygon.from_bbox(bbox)
        box.srid = CGCS2000
        condition &= Q(geom__coveredby=box)
    return Facility.objects.filter(condition)


def _with_distance(rows: QuerySet[Facility], near: tuple[float, float] | None) -> QuerySet[Facility]:
    if near is None:
        return rows
    return rows.annotate(metres=ellipsoid_metres(*near))


def _ordered(
    rows: QuerySet[Facility], order: str, q: str, near: tuple[float, float] | None
) -> tuple[list[str], list[type], QuerySet[Facility]]:
    """Return the ordering columns, the types of their values, and the rows in that order; the id makes it total."""
    if order == "distance":
        if near is None:
            raise BadInput("order_invalid", "按距离排序要给出位置（lon 和 lat）。", parameter="order")
        columns, types = ["metres", "id"], [float, int]
    elif order == "relevance":
        text = "".join(sign for sign in q.strip() if sign.isprintable())
        rank = Case(
            When(name=text, then=Value(0)),
            When(name__startswith=text, then=Value(1)),
            When(name__contains=text, then=Value(2)),
            When(address_text__contains=text, then=Value(3)),
            default=Value(4),
            output_field=IntegerField(),
        )
        rows = rows.annotate(rank=rank)
        columns, types = ["rank", "name", "id"], [int, str, int]
    elif order == "name":
        columns, types = ["name", "id"], [str, int]
    else:
        raise BadInput("order_invalid", "排序方式可选 name、distance、relevance。", parameter="order")
    return columns, types, rows.order_by(*columns)
