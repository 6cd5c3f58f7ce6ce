"""Reads of fairness: runs of the scope's districts, their committees and kindergartens as people read them, the finding."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

import shapely
from django.db.models import QuerySet
from shapely.geometry.base import BaseGeometry

from geo.errors import NotFound
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import within
from geo.scope import Scope
from services.access.queries import check_duty
from services.catchments.fairness.measuring import FARTHEST_S, MUCH_S, Figures
from services.catchments.fairness.models import FairnessCommittee, FairnessRun, FairnessSite
from services.catchments.models import CatchmentEdition
from services.catchments.queries import VIEW
from services.catchments.validating.models import Validation
from services.catchments.validating.queries import Progressed, progress_at, validations_of

GRADES: Final = {1: "一个年级（新小班）", 2: "两个年级", 3: "三个年级（全园）"}
"""How many of the three grades of a kindergarten the children of a register are of."""
ALL_GRADES: Final = 3
Of = Literal["extra", "matched"]
CLASSES: Final[dict[Of, tuple[int, int, int]]] = {"extra": (3, 5, 10), "matched": (10, 15, 20)}
"""The minutes that divide the classes of the map."""
OUT_OF_REACH: Final = f"超过 {FARTHEST_S / 60:.0f} 分钟"
UNKNOWN: Final = "—"


@dataclass(frozen=True, slots=True)
class Line:
    """What the doors of a committee, or of the whole district, walk. Minutes are ``None`` out of reach and without doors."""

    id: int | None
    name: str
    figures: Figures
    children: int | None
    children_far: int | None

    @property
    def timed(self) -> int:
        """Return how many doors have an answer and are walked from."""
        return self.figures.doors - self.figures.unmatched - self.figures.unclear

    @property
    def far_percent(self) -> float | None:
        """Return the share of the doors walked from that are far, in percent; ``None`` without such doors."""
        return 100 * self.figures.far / self.timed if self.timed else None

    @property
    def matched(self) -> str:
        """Return the minutes to the matched kindergarten of the door in the middle."""
        return self._minutes(self.figures.matched_s)

    @property
    def matched_90(self) -> str:
        """Return the minutes within which nine tenths of the doors are at the matched one."""
        return self._minutes(self.figures.matched_90_s)

    @property
    def nearest(self) -> str:
        """Return the minutes to the nearest kindergarten of the door in the middle."""
        return self._minutes(self.figures.nearest_s)

    @property
    def nearest_90(self) -> str:
        """Return the minutes within which nine tenths of the doors are at the nearest one."""
        return self._minutes(self.figures.nearest_90_s)

    @property
    def extra(self) -> str:
        """Return how many whole minutes more than to the nearest one the door in the middle walks."""
        found = self.figures.extra_s
        return f"{found // 60}" if found is not None else self._minutes(None)

    @property
    def much(self) -> bool:
        """Say whether half of the doors walk ten minutes more than to the nearest one."""
        found = self.figures.extra_s
        return bool(self.timed) and (found is None or found >= MUCH_S)

    def class_of(self, of: Of) -> int | None:
        """Return the class of the map, 0 to 3; ``None`` without doors that are walked from."""
        if not self.timed:
            return None
        seconds = self.figures.extra_s if of == "extra" else self.figures.matched_s
        return sum(seconds is None or seconds >= 60 * edge for edge in CLASSES[of])

    def _minutes(self, seconds: int | None) -> str:
        """Return minutes rounded up, for nobody arrives earlier than is said."""
        if not self.timed:
            return UNKNOWN
        return OUT_OF_REACH if seconds is None else f"{max(1, math.ceil(seconds / 60 - 1e-4))}"


@dataclass(frozen=True, slots=True)
class SiteLine:
    """One kindergarten: places of the grades that the register is of (``None`` not known), doors and children.

    ``children`` are all that fall on it: its own, and its parts of those who may choose.
    """

    name: str
    all_places: int | None
    places: int | None
    places_as_of: date | None
    doors: int
    doors_shared: int
    own: int | None
    shared: float | None
    whole: bool = True
    """Whether places are known of all kindergartens of a sum: only then do they stand against children."""

    @property
    def children(self) -> float | None:
        """Return its own children and its parts of those who may choose; ``None`` without a register."""
        return None if self.own is None else self.own + (self.shared or 0.0)

    @property
    def short(self) -> int | None:
        """Return how many places are missing, spare ones below zero; ``None`` where either side is not known."""
        found = self.children
        return None if self.places is None or found is None or not self.whole else math.ceil(found - self.places - 1e-6)

    @property
    def spare(self) -> int | None:
        """Return how many places are left, ``None`` where none is left or it is not known."""
        return -self.short if self.short is not None and self.short < 0 else None

    @property
    def percent(self) -> float | None:
        """Return children by places, in percent; ``None`` where either is not known and where there is no place."""
        found = self.children
        return None if not self.places or found is None or not self.whole else 100 * found / self.places


@dataclass(frozen=True, slots=True)
class Finding:
    """What a run found, in numbers: committees that walk much farther, kindergartens short of places and by how many at most."""

    committees: int
    short_sites: int
    most_short: int
    counted: bool
    unknown_places: int

    @property
    def said(self) -> str:
        """Return the finding in a sentence."""
        minutes = MUCH_S // 60
        walks = (
            f"{self.committees} 个居委走到对口园比走到最近的园多 {minutes} 分钟以上" if self.committees
            else f"没有居委走到对口园要多走 {minutes} 分钟以上"
        )  # fmt: skip
        if not self.counted:
            return walks
        if self.short_sites:
            return f"{walks}；{self.short_sites} 所园学位不够，最多缺 {self.most_short} 个"
        return f"{walks}；{'知道学位的园都够' if self.unknown_places else '各园学位都够'}"


def runs_of(edition: CatchmentEdition, *, scope: Scope) -> QuerySet[FairnessRun]:
    """Return the runs of an edition, the latest first."""
    check_duty(scope, VIEW)
    rows = FairnessRun.objects.filter(within(scope, "edition__district"), edition=edition)
    return rows.select_related("edition", "validation__register").order_by("-made_at")


def run_seen(run_id: UUID, *, scope: Scope, duty: str = VIEW) -> FairnessRun:
    """Return a run of the scope's districts with its edition and validation. Raises ``NotFound`` for any other."""
    check_duty(scope, duty)
    rows = FairnessRun.objects.filter(within(scope, "edition__district"), pk=run_id)
    found = rows.select_related("edition", "validation__register").first()
    if found is None:
        raise NotFound("fairness_unknown", "没有找到这次分析：它可能已被删除、已经到期，或者不属于您的管辖范围。")
    return found


def progress_of(run: FairnessRun) -> Progressed:
    """Return how far a run is."""
    return progress_at(run.job, done=run.done_at is not None)


def validations_for(edition: CatchmentEdition, *, scope: Scope) -> list[Validation]:
    """Return the finished validations of an edition as it is now, the latest first: their children can be counted."""
    rows = validations_of(edition, scope=scope).filter(revision=edition.revision)
    return list(rows.exclude(done_at=None))


def committees_of(run: FairnessRun, of: Of = "extra") -> list[Line]:
    """Return the committees of a run, those whose doors walk most first, those without doors to walk from last."""
    lines = [_line(row) for row in run.committees.order_by("name", "pk")]

    def order(line: Line) -> tuple[bool, float]:
        seconds = line.figures.extra_s if of == "extra" else line.figures.matched_s
        return not line.timed, -math.inf if seconds is None else -seconds

    return sorted(lines, key=order)


def _line(row: FairnessCommittee) -> Line:
    figures = Figures(**{name: getattr(row, name) for name in Figures.__dataclass_fields__})
    return Line(row.committee_id, row.name, figures, row.children, row.children_far)


def shapes_of(run: FairnessRun) -> dict[int, BaseGeometry]:
    """Return the published shapes of the committees of a run by id, in CGCS2000 degrees; those that are no more are left out."""
    rows = RegionVersion.objects.filter(
        edition__state=EditionState.PUBLISHED, region__in=run.committees.exclude(committee=None).values("committee")
    )
    return {region: shapely.from_wkb(bytes(geom.wkb)) for region, geom in rows.values_list("region_id", "geom")}


def total_of(run: FairnessRun) -> Line:
    """Return the line of the whole district."""
    figures = Figures(**{name: run.totals[name] for name in Figures.__dataclass_fields__})
    return Line(None, "全区", figures, run.totals.get("children"), run.totals.get("children_far"))


def sites_of(run: FairnessRun) -> list[SiteLine]:
    """Return the kindergartens of a run, the one that lacks most places first; those of unknown places or children last."""
    lines = [_site(row, run.grades) for row in run.sites.order_by("name", "pk")]
    return sorted(lines, key=lambda line: (line.short is None, -(line.short or 0), -line.doors))


def _site(row: FairnessSite, grades: int) -> SiteLine:
    places = None if row.places is None else row.places * grades // ALL_GRADES
    return SiteLine(
        row.name, row.places, places, row.places_as_of, row.doors, row.doors_shared, row.children, row.children_shared
    )


def sum_of(lines: Sequence[SiteLine]) -> SiteLine:
    """Return the sums of kindergartens; places are those that are known, children all."""
    counted = any(line.own is not None for line in lines)
    return SiteLine(
        "合计", _known(line.all_places for line in lines), _known(line.places for line in lines), None,
        sum(line.doors for line in lines), sum(line.doors_shared for line in lines),
        sum(line.own or 0 for line in lines) if counted else None,
        sum(line.shared or 0.0 for line in lines) if counted else None,
        all(line.places is not None for line in lines),
    )  # fmt: skip


def _known(figures: Iterable[int | None]) -> int | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None


def finding_of(committees: Sequence[Line], sites: Sequence[SiteLine]) -> Finding:
    """Return what a run found."""
    short = [line.short for line in sites if line.short is not None and line.short > 0]
    return Finding(
        sum(line.much for line in committees if line.id is not None), len(short), max(short, default=0),
        any(line.own is not None for line in sites), sum(line.places is None for line in sites),
    )  # fmt: skip
