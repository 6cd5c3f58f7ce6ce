"""Measuring as a job: nothing is kept before all is measured; an edition changed meanwhile is measured anew."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.utils import timezone

from geo.addresses.gazetteer import Names, names_of, published_now
from geo.errors import Conflict, NotFound
from geo.jobs.models import Job
from geo.jobs.progress import JobCancelled, Progress
from geo.jobs.registry import job
from geo.regions.models import Level
from services.catchments.areas.district import District, district_of
from services.catchments.books import kept_of
from services.catchments.fairness.actions import KIND, check_validation
from services.catchments.fairness.asking import Children, Site, Step, children_of, goals_of_doors, sites_of
from services.catchments.fairness.measuring import FAR_S, Seconds, Walked, shortest
from services.catchments.fairness.models import FairnessCommittee, FairnessRun, FairnessSite
from services.catchments.fairness.walking import seconds_from
from services.catchments.models import CatchmentEdition
from services.facilities.ground import current_graph

ANEW: Final = 5
"""How often an edition may be changed under a run before it is given up."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run keeps: lines of committees and kindergartens, the sums, and as of when the roads are."""

    committees: list[FairnessCommittee]
    sites: list[FairnessSite]
    totals: dict[str, Any]
    roads_as_of: str


@job(KIND)
def measure(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Measure an edition. One that is changed meanwhile is measured anew, unless its validation is too old by then."""
    for _ in range(ANEW):
        run = FairnessRun.objects.select_related("validation__register", "edition").filter(pk=params["run"]).first()
        if run is None:
            raise NotFound("fairness_unknown", "这次分析已被删除。")
        if run.validation is not None:
            check_validation(run.validation, run.edition)
        measured = measured_of(run, progress)
        if _keep(run, measured, progress):
            return {"committees": len(measured.committees), "sites": len(measured.sites)}
        progress.step(0.0, "规则刚刚改过，重新计算")
    raise Conflict("edition_busy", "计算的时候规则一直在改。请等同事改完，再点“重新计算”。")


def _keep(run: FairnessRun, measured: Measured, progress: Progress) -> bool:
    """Write what was measured, unless the edition says something else by now; return whether it was written."""
    with transaction.atomic():
        now = CatchmentEdition.objects.select_for_update().get(pk=run.edition_id)
        own = progress.job
        if not Job.objects.select_for_update().filter(pk=own.pk, attempts=own.attempts).exists():
            raise JobCancelled("job_taken_over", "这次分析已由别的进程接手。")
        if now.revision != run.edition.revision:
            return False
        run.committees.all().delete()
        run.sites.all().delete()
        FairnessCommittee.objects.bulk_create(measured.committees)
        FairnessSite.objects.bulk_create(measured.sites)
        run.revision, run.totals, run.roads_as_of = now.revision, measured.totals, measured.roads_as_of
        run.done_at = timezone.now()
        run.save(update_fields=["revision", "totals", "roads_as_of", "done_at"])
    return True


def measured_of(run: FairnessRun, progress: Progress) -> Measured:
    """Ask every door of the district, walk from every kindergarten, and count."""
    published, graph = published_now(), current_graph()
    names, edition = names_of(published), run.edition
    district, kept = district_of(edition.district_id, published), kept_of(edition, published)
    sites = sites_of(edition, kept, district, published)
    goals, unclear = goals_of_doors(district, kept, sites, _part(progress, 0.0, 0.3, "逐个门牌问对口园"))
    children = None
    if run.validation is not None:
        step = _part(progress, 0.3, 0.5, "把名册里的孩子放到门牌上")
        children = children_of(run.validation, district, sites, names, published, step)
    timed = [at for at, door in enumerate(children.doors) if door >= 0 and children.goals[at]] if children else []
    # a child is one more walk from its door
    doors = np.array([*range(len(goals)), *(children.doors[at] for at in timed if children)], dtype=np.intp)
    step = _part(progress, 0.5, 1.0, "算走路的时间")
    away = ((site, seconds[doors]) for site, seconds in seconds_from(graph, district.doors, sites, step))
    asked = [*goals, *(children.goals[at] for at in timed if children)]
    matched, nearest = shortest(len(doors), asked, away)
    count = len(goals)
    unmatched = np.array([not each for each in goals], dtype=np.bool_) & ~unclear
    walked = Walked(matched[:count], nearest[:count], unmatched, unclear)
    tally = _Tally.of(children, timed, matched[count:]) if children else None
    return Measured(
        _committees(run, district, walked, tally, names), _sites(run, list(sites.by_id.values()), goals, children),
        asdict(walked.figures(np.arange(count))) | (tally.totals() if tally else {}), graph.meta.as_of,
    )  # fmt: skip


def _part(progress: Progress, begin: float, end: float, said: str) -> Step:
    return lambda share: progress.step(begin + (end - begin) * share, said)


@dataclass(frozen=True, slots=True)
class _Tally:
    """Children by committee: all of them, those whose walk is known, those whose walk is far; those without an answer."""

    every: Counter[int]
    timed: Counter[int]
    far: Counter[int]
    unmatched: int

    @classmethod
    def of(cls, children: Children, timed: Sequence[int], seconds: Seconds) -> _Tally:
        """Count children; ``seconds`` are those of the walks of the ``timed`` ones."""
        own = children.committees
        far = [at for at, away in zip(timed, seconds, strict=True) if away > FAR_S]
        return cls(
            Counter(own), Counter(own[at] for at in timed), Counter(own[at] for at in far),
            sum(not goals for goals in children.goals),
        )  # fmt: skip

    def totals(self) -> dict[str, int]:
        """Return the sums over the district."""
        return {
            "children": self.every.total(), "children_timed": self.timed.total(), "children_far": self.far.total(),
            "children_unmatched": self.unmatched,
        }  # fmt: skip


def _committees(
    run: FairnessRun, district: District, walked: Walked, tally: _Tally | None, names: Names
) -> list[FairnessCommittee]:
    """Return a line for every committee of the district, and one for what lies in none that is known."""
    inside = [
        region for region in names.regions.values()
        if region.level == Level.COMMITTEE and district.path and region.path.startswith(district.path)
    ]  # fmt: skip
    own = np.array(district.committees, dtype=np.int64)
    lines = [_committee(run, region.id, _called(region.id, names), own, walked, tally) for region in inside]
    known = {region.id for region in inside}
    strays = sum(count for committee, count in tally.every.items() if committee not in known) if tally else 0
    if strays or not known.issuperset(district.committees):
        own = np.where(np.isin(own, list(known)), -1, 0)
        lines.append(_committee(run, 0, "居委不明", own, walked, tally and _strays(tally, known)))
    return lines


def _committee(
    run: FairnessRun, committee: int, name: str, own: np.ndarray, walked: Walked, tally: _Tally | None
) -> FairnessCommittee:
    return FairnessCommittee(
        run=run, committee_id=committee or None, name=name, **asdict(walked.figures(np.flatnonzero(own == committee))),
        children=tally.every[committee] if tally else None, children_far=tally.far[committee] if tally else None,
    )  # fmt: skip


def _strays(tally: _Tally, known: set[int]) -> _Tally:
    """Return children of committees that are not of the district as children of none."""

    def outside(counts: Counter[int]) -> Counter[int]:
        return Counter({0: sum(count for committee, count in counts.items() if committee not in known)})

    return _Tally(outside(tally.every), outside(tally.timed), outside(tally.far), 0)


def _called(committee: int, names: Names) -> str:
    region = names.region(committee)
    street = names.above(region, Level.STREET) if region else None
    return f"{street.name if street and street != region else ''}{region.name}"[:120] if region else ""


def _sites(
    run: FairnessRun, sites: list[Site], goals: Sequence[tuple[int, ...]], children: Children | None
) -> list[FairnessSite]:
    alone, shared, _ = _gathered(goals)
    kids, _, parts = _gathered(children.goals if children else ())
    return [
        FairnessSite(
            run=run, site_id=site.id, name=site.name, places=site.places, places_as_of=site.places_as_of,
            doors=alone[site.id], doors_shared=shared[site.id],
            children=kids[site.id] if children else None,
            children_shared=round(parts[site.id], 6) if children else None,
        )
        for site in sites
    ]  # fmt: skip


def _gathered(goals: Sequence[tuple[int, ...]]) -> tuple[Counter[int], Counter[int], dict[int, float]]:
    """Return by site how many go to it alone, how many may choose it, and the sum of their equal parts."""
    alone = Counter(each[0] for each in goals if len(each) == 1)
    shared = Counter(site for each in goals if len(each) > 1 for site in each)
    parts: dict[int, float] = defaultdict(float)
    for each in goals:
        if len(each) > 1:
            for site in each:
                parts[site] += 1 / len(each)
    return alone, shared, parts
