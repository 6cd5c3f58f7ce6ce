"""Two editions held against each other door by door, and the rules of one against its areas.

Every standard address of the district is asked of both. Many doors are work for a job; what it finds is kept for a day, and can
be found again at any time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import shapely
from django.core.cache import cache

from geo.addresses.gazetteer import published_now
from geo.jobs.actions import start_job
from geo.jobs.models import Job
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.scope import Scope
from services.catchments.areas.district import District, district_of
from services.catchments.areas.queries import table_of
from services.catchments.book import Book, Home, Match
from services.catchments.books import Kept, kept_of
from services.catchments.entries import CHOICES, RULED, Mode
from services.catchments.models import CatchmentEdition
from services.facilities.models import Facility

AT_ONCE: Final = 20_000
"""Districts with more doors are compared by a job."""
KEPT_S: Final = 24 * 3600
COMPARE_JOB: Final = "catchments.compare"
NOBODY: Final = "没有对口园"
NOT_SURE: Final = "分不清"
Row = tuple[int, str, str]
"""A door (its place in the district), where it went and where it goes, in words."""


@dataclass(frozen=True, slots=True)
class DoorChange:
    """A door that goes elsewhere than before: how it is written, where it lies (CGCS2000 degrees), its committee."""

    label: str
    lon: float
    lat: float
    committee: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changes for the doors of a district from one edition to another."""

    doors: int
    changes: tuple[DoorChange, ...]

    @property
    def moves(self) -> list[tuple[str, str, int]]:
        """Return from where to where how many doors go, the most first."""
        counted = Counter((change.before, change.after) for change in self.changes)
        return [(*pair, count) for pair, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]

    @property
    def committees(self) -> list[tuple[str, int]]:
        """Return by committee how many doors change, the most first."""
        counted = Counter(change.committee or "没有居委" for change in self.changes)
        return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A door that the rules send to one kindergarten and the area it lies in to another.

    ``border_m`` is how far the border of that area is away: a few metres hint at the drawing, many at the rule.
    """

    label: str
    lon: float
    lat: float
    committee: str
    by_rule: str
    by_area: str
    area: str
    border_m: float


def compared_at_once(edition: CatchmentEdition) -> bool:
    """Say whether the district is small enough to be compared while somebody waits."""
    return len(district_of(edition.district_id).homes) <= AT_ONCE


def comparison(before: CatchmentEdition, after: CatchmentEdition) -> Comparison | None:
    """Return what changes from one edition to another; ``None`` where a job has to find it first."""
    rows = cache.get(_key(before, after))
    if rows is None:
        if not compared_at_once(after):
            return None
        rows = compare(before, after)
    district = district_of(after.district_id)
    return Comparison(len(district.homes), tuple(_change(row, district) for row in rows))


def start_comparison(before: CatchmentEdition, after: CatchmentEdition, *, scope: Scope) -> Job:
    """Ask for a comparison of many doors, and return the job."""
    return start_job(kind=COMPARE_JOB, params={"before": str(before.pk), "after": str(after.pk)}, actor=scope.actor)


@job(COMPARE_JOB)
def run_comparison(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Compare two editions and return how many doors change."""
    before, after = (CatchmentEdition.objects.get(pk=params[name]) for name in ("before", "after"))
    return {"changes": len(compare(before, after, progress.step))}


def compare(
    before: CatchmentEdition, after: CatchmentEdition, step: Callable[[float], object] = lambda share: None
) -> list[Row]:
    """Find the doors that change and keep them for a day; ``step`` hears how far it is."""
    district = district_of(after.district_id)
    olds = _Reader(kept_of(before))
    news = _Reader(kept_of(after))
    found: list[Row] = []
    for at, home in enumerate(district.homes):
        if at % 2_000 == 0:
            step(at / max(1, len(district.homes)))
        old, new = olds.goal(home), news.goal(home)
        if old != new:
            found.append((at, olds.words(old), news.words(new)))
    cache.set(_key(before, after), found, KEPT_S)
    return found


def disagreements(edition: CatchmentEdition) -> list[Disagreement]:
    """Return the doors whose rule and whose area name different kindergartens, the farthest from the border first.

    Doors that either does not know for sure say nothing.
    """
    kept = kept_of(edition)
    steps = cast("list[Mode]", [step for step in edition.steps if step in RULED and step != "open"])
    ruled = _Reader(kept, kept.book.trying(steps))
    drawn = _Reader(kept, kept.book.trying(["area"]))
    district = district_of(edition.district_id)
    areas = _Areas(edition)
    found = []
    for at, home in enumerate(district.homes):
        one, other = ruled.goal(home), drawn.goal(home)
        if one != other and len(one) == len(other) == 1 and NOT_SURE not in (one[0], other[0]):
            name, border_m = areas.around(home)
            lon, lat = district.degrees[at]
            found.append(
                Disagreement(
                    district.ground.labels[at], float(lon), float(lat), district.committee_name(at), ruled.words(one),
                    drawn.words(other), name, border_m,
                )
            )  # fmt: skip
    return sorted(found, key=lambda each: (-each.border_m, each.label))


class _Reader:
    """Asks an edition of homes: the goal is a tuple of kindergartens by id or of choices in words, () for nobody."""

    def __init__(self, kept: Kept, book: Book | None = None) -> None:
        self._kept = kept
        self._book = book or kept.book
        self.words = lru_cache(maxsize=None)(_said)

    def goal(self, home: Home) -> tuple[int | str, ...]:
        """Return where a home goes."""
        match = self._book.match(home)
        if match.found == "unclear":
            return (NOT_SURE,)
        return self._goals(match)

    def _goals(self, match: Match) -> tuple[int | str, ...]:
        choices = sorted({CHOICES[goal[1]] for goal in match.goals if goal[0] == "choice"})
        return (*sorted(set(self._kept.sites(match.goals))), *choices)


def _said(goal: tuple[int | str, ...]) -> str:
    """Return a goal in words."""
    ids = [each for each in goal if isinstance(each, int)]
    names = dict(Facility.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    said = [names.get(each, f"机构 {each}") if isinstance(each, int) else each for each in goal]
    return "、".join(said) or NOBODY


class _Areas:
    """The areas of an edition by what lies in them."""

    def __init__(self, edition: CatchmentEdition) -> None:
        self._areas = list(table_of(edition).areas.values())
        self._tree = shapely.STRtree([area.shape for area in self._areas])

    def around(self, home: Home) -> tuple[str, float]:
        """Return the area a home lies in and how far its border is, in metres; '' for none."""
        if home.point is None:
            return "", 0.0
        point = shapely.Point(home.point)
        held = [self._areas[at] for at in self._tree.query(point, predicate="intersects")]
        if not held:
            return "", 0.0
        area = min(held, key=lambda each: (each.shape.boundary.distance(point), each.name))
        return area.name, float(area.shape.boundary.distance(point))


def _change(row: Row, district: District) -> DoorChange:
    at, before, after = row
    lon, lat = district.degrees[at]
    return DoorChange(
        district.ground.labels[at], float(lon), float(lat), district.committee_name(at), before, after
    )  # fmt: skip


def _key(before: CatchmentEdition, after: CatchmentEdition) -> str:
    said = (before.pk, before.revision, after.pk, after.revision, published_now().key)
    return f"catchments:compare:{hashlib.sha256(repr(said).encode()).hexdigest()[:32]}"
