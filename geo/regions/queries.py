"""Reads of regions: which are at a point, what lies under what, and what became of them.

Boundaries that are or were published are public; a draft edition is answered only to those who may edit regions.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from django.conf import settings
from django.contrib.gis.geos import Point
from django.db.models import Case, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When

from geo.crs import CITIES, City
from geo.crs.codes import CGCS2000
from geo.errors import Forbidden, NotFound
from geo.names import plain
from geo.regions.checks import check_regions
from geo.regions.index import RegionIndex
from geo.regions.models import Edition, EditionState, RegionPart, RegionSuccession, RegionVersion
from geo.regions.records import LEVELS, Finding, RegionRecord
from geo.regions.succession import Succeeded, follow
from geo.scope import Scope

EDIT: Final = "regions.edit"


def current_city() -> City:
    """Return the profile of the city this installation serves."""
    return CITIES[settings.CITY]


_HELD: ContextVar[list[Edition | None] | None] = ContextVar("held_edition", default=None)


@contextmanager
def one_edition() -> Iterator[None]:
    """Let everything inside ask the same published edition, read once: for one act of somebody, never for longer."""
    if _HELD.get() is not None:
        yield
        return
    token = _HELD.set([])
    try:
        yield
    finally:
        _HELD.reset(token)


def published_edition() -> Edition | None:
    """Return the edition that answers now; None before the first is published."""
    held = _HELD.get()
    if held:
        return held[0]
    found = Edition.objects.filter(state=EditionState.PUBLISHED).first()
    if held is not None:
        held.append(found)
    return found


def edition_on(day: datetime.date) -> Edition | None:
    """Return the edition in force on a day: of those that took effect by then, the last; None before the first."""
    return (
        Edition.objects.exclude(state=EditionState.DRAFT)
        .filter(effective_on__lte=day)
        .order_by("-effective_on", "-published_at", "-pk")
        .first()
    )


def versions_of(*, scope: Scope, edition: Edition | None = None) -> QuerySet[RegionVersion]:
    """Return the regions of an edition, the published one by default, from the city down, without their boundaries.

    Raises ``Forbidden`` when a draft is asked for without ``regions.edit``.
    """
    versions = RegionVersion.objects.select_related("edition").defer("geom").order_by(_rank(), "code")
    if edition is None:
        return versions.filter(edition__state=EditionState.PUBLISHED)
    if edition.state == EditionState.DRAFT and not scope.holds(EDIT):
        raise Forbidden("edition_draft", "这一版区划还是草稿，只有区划维护人员可以查看。")
    return versions.filter(edition=edition)


def regions_at(lon: float, lat: float, *, scope: Scope, edition: Edition | None = None) -> list[RegionVersion]:
    """Return the regions that hold a point (CGCS2000 degrees, borders included), from the city to the finest.

    The finest region decides and its parents follow, so the answer is one chain. On a border or an overlap the lowest code
    answers, always the same. Empty outside all regions.
    """
    versions = versions_of(scope=scope, edition=edition)
    point = Point(float(lon), float(lat), srid=CGCS2000)
    # two steps on purpose: joined, a planner without fresh statistics tries the point against every version
    near = list(RegionPart.objects.filter(geom__covers=point).values_list("version_id", flat=True))
    hits = versions.filter(pk__in=near).order_by().values_list("level", "code", "path")
    finest = min(hits, key=lambda hit: (-LEVELS.index(hit[0]), hit[1]), default=None)
    if finest is None:
        return []
    path = finest[2]
    return list(versions.filter(code__in=path.rstrip(".").split(".")))


def assign_regions(lon: npt.ArrayLike, lat: npt.ArrayLike, *, edition: Edition | None = None) -> npt.NDArray[np.int64]:
    """Return the id of the finest region at each point in CGCS2000 degrees, as ``regions_at`` would; 0 where there is none.

    For writers of points: in bulk, some hundred thousand points a second. All zero before an edition is published.
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    edition = edition or published_edition()
    if edition is None:
        return np.zeros(len(x), dtype=np.int64)
    return region_index(edition).at(x, y)


def region_index(edition: Edition, level: str | None = None) -> RegionIndex:
    """Return the in-memory index of an edition, or of one level of it; kept per process while the edition cannot change."""
    if edition.state == EditionState.DRAFT or edition.published_at is None:
        return _read_index(edition.pk, level)
    return _kept_index(edition.pk, edition.published_at, level)


def region_by_code(code: str, *, scope: Scope, edition: Edition | None = None) -> RegionVersion:
    """Return a region by its code in an edition; raises ``NotFound``."""
    version = versions_of(scope=scope, edition=edition).filter(code=code).first()
    if version is None:
        raise NotFound("region_unknown", f"没有代码为“{code[:20]}”的区划，请核对代码。", region=code[:20])
    return version


def children_of(code: str, *, scope: Scope, edition: Edition | None = None) -> QuerySet[RegionVersion]:
    """Return the regions directly under one, by code."""
    parent = region_by_code(code, scope=scope, edition=edition)
    return versions_of(scope=scope, edition=edition).filter(parent_id=parent.region_id)


def path_of(region_id: int, *, scope: Scope, edition: Edition | None = None) -> list[RegionVersion]:
    """Return a region and all above it, from the city down; empty when the edition does not know it."""
    versions = versions_of(scope=scope, edition=edition)
    path = versions.filter(region_id=region_id).values_list("path", flat=True).first()
    return list(versions.filter(code__in=path.rstrip(".").split("."))) if path else []


def regions_matching(name: str, *, scope: Scope, limit: int = 10) -> list[RegionVersion]:
    """Return the published regions whose name holds a text: those it equals first, then those it begins, coarse before fine."""
    typed = plain(name[:100])
    if not typed:
        return []
    matched = (
        versions_of(scope=scope)
        .filter(name__icontains=typed)
        .annotate(
            fit=Case(
                When(name__iexact=typed, then=Value(0)),
                When(Q(name__istartswith=typed), then=Value(1)),
                default=Value(2),
                output_field=IntegerField(),
            )
        )
    )
    return list(matched.order_by("fit", _rank(), "code")[:limit])


def regions_under(code: str, *, scope: Scope, edition: Edition | None = None) -> QuerySet[RegionVersion]:
    """Return a region and everything below it; use ``.values("region_id")`` as a filter of rows with a region."""
    return versions_of(scope=scope, edition=edition).filter(
        path__startswith=region_by_code(code, scope=scope, edition=edition).path
    )


def within(scope: Scope, field: str = "region") -> Q:
    """Return the condition that a row's region lies under one of the scope's paths, for a row with a foreign key ``field``."""
    if "" in scope.paths:
        return Q()
    under = Q(pk__in=[])
    for path in scope.paths:
        under |= Q(path__startswith=path)
    covered = RegionVersion.objects.filter(under, edition__state=EditionState.PUBLISHED)
    return Q(**{f"{field}_id__in": covered.values("region_id")})


def published_name(field: str = "region_id") -> Subquery:
    """Return a subquery giving the published name of the region in a column of the outer query."""
    return Subquery(
        RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region_id=OuterRef(field)).values("name")[
            :1
        ]
    )


def as_today(region_ids: Iterable[int]) -> dict[int, dict[int, float]]:
    """Return for each region what it is today: region ids of the published edition with the share that went to each.

    Reports "as then" use a fact's region as it is, named by ``edition_on(day)``; reports "as today" spread the fact by these
    shares, which sum to one. A region nothing is known of stays itself.
    """
    edges: dict[int, list[Succeeded]] = defaultdict(list)
    rows = RegionSuccession.objects.order_by("on", "pk").values_list("origin_id", "successor_id", "share", "on")
    for origin, successor, share, on in rows:
        edges[origin].append(Succeeded(successor, share, on))
    alive = set(RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED).values_list("region_id", flat=True))
    return {region: follow(region, edges, alive) for region in region_ids}


def boundaries(versions: Collection[int]) -> dict[int, shapely.geometry.base.BaseGeometry]:
    """Return the boundaries (CGCS2000 degrees) of versions by their ids."""
    rows = RegionVersion.objects.filter(pk__in=versions).values_list("pk", "geom")
    return {pk: shapely.from_wkb(bytes(geom.wkb)) for pk, geom in rows}


def findings_of(edition: Edition) -> list[Finding]:
    """Check an edition and return what is wrong with it: see ``geo.regions.checks``."""
    return check_regions(records_of(edition), current_city())


def records_of(edition: Edition) -> list[RegionRecord]:
    """Return the regions of an edition as plain records."""
    versions = list(RegionVersion.objects.filter(edition=edition).order_by("code"))
    codes = {version.region_id: version.code for version in versions}
    return [
        RegionRecord(
            code=version.code,
            level=version.level,
            name=version.name,
            parent_code=codes.get(version.parent_id) if version.parent_id else None,
            polygon=shapely.from_wkb(bytes(version.geom.wkb)),
        )
        for version in versions
    ]


def _rank() -> Case:
    return Case(*(When(level=level, then=Value(at)) for at, level in enumerate(LEVELS)), output_field=IntegerField())


@lru_cache(maxsize=4)
def _kept_index(edition_id: int, published_at: datetime.datetime, level: str | None) -> RegionIndex:
    return _read_index(edition_id, level)


def _read_index(edition_id: int, level: str | None) -> RegionIndex:
    parts = RegionPart.objects.filter(version__edition_id=edition_id)
    if level is not None:
        parts = parts.filter(version__level=level)
    rows = list(parts.values_list("geom", "version__region_id", "version__level", "version__code"))
    rank = {code: at for at, code in enumerate(sorted({row[3] for row in rows}))}
    return RegionIndex.build(
        parts=np.array(shapely.from_wkb([bytes(row[0].wkb) for row in rows]), dtype=object),
        regions=np.array([row[1] for row in rows], dtype=np.int64),
        levels=np.array([LEVELS.index(row[2]) for row in rows], dtype=np.int64),
        ranks=np.array([rank[row[3]] for row in rows], dtype=np.int64),
    )
