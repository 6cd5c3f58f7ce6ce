"""Gaps measured on the tiny city, and the same figures found the long way."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from django.utils import timezone

from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.models import Address, Community
from geo.imports.models import CURRENT, Family
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.regions.models import Population
from geo.regions.queries import current_city
from geo.scope import Scope
from layers.disclosure import tellable
from routing.places import PlaceIndex, costs_to
from routing.search import reach
from routing.snap import snap
from routing.travellers import TRAVELLERS
from services.facilities.ground import current_graph
from services.facilities.kinds.current import look_again
from services.facilities.models import Facility, FacilityKind
from services.gaps.actions import start_measuring
from services.gaps.ground import Ground
from services.gaps.measuring import Walks
from services.gaps.models import GapWalk

HUANGPU = "310101"
KIND = "kindergarten"
KINDS = ("nursery", KIND, "canteen")
STAFF = Scope(paths=("",), duties=frozenset({"gaps.view"}), actor="test")
BANDS = ((0, 2), (3, 5), (6, 59), (60, 79), (80, 200))
WALK = TRAVELLERS["walk"]


def few_kinds() -> None:
    """Leave three kinds on offer, so that measuring all of them is quick."""
    FacilityKind.objects.exclude(key__in=KINDS).update(retired_at=timezone.now())
    look_again()


def measure() -> Job:
    """Measure what is stale and return the finished job."""
    job = run_job(job_id=start_measuring(scope=STAFF).pk)
    assert job.state == JobState.DONE, job.error
    return job


def held(kind: str = KIND) -> tuple[Ground, Walks]:
    row = GapWalk.objects.select_related("ground").get(kind=kind)
    return Ground.of(row.ground.arrays), Walks.of(row.arrays)


def plane(lon: float, lat: float) -> tuple[float, float]:
    east, north = current_city().plane.forward(np.array([lon]), np.array([lat]))
    return float(east[0]), float(north[0])


def seconds_one_by_one(points: list[tuple[float, float]], kind: str = KIND) -> list[float]:
    """Search from each point (degrees) by itself and return the seconds to the first open place, infinite without one."""
    graph = current_graph()
    rows = list(Facility.objects.filter(CURRENT, kind=kind, status="open").order_by("pk"))
    spots = np.array([plane(row.geom.x, row.geom.y) for row in rows]).reshape(-1, 2)
    index = PlaceIndex.build(graph, np.arange(len(rows), dtype=np.int64), spots[:, 0], spots[:, 1])
    found = []
    for point in points:
        search = reach(graph, [snap(graph, *plane(*point), WALK)], WALK, 7_200.0)
        costs = costs_to(search, index) if search.reason is None else None
        found.append(float(costs.seconds[0]) if costs is not None and len(costs.seconds) else np.inf)
    return found


def homes_by_hand(region: int) -> dict[int, float]:
    """Return the homes of a committee by cell, door by door."""
    published = published_now()
    estates = {row.pk: row for row in Community.objects.filter(CURRENT, source__in=published.ids(Family.COMMUNITIES))}
    doors: dict[int, set[tuple[object, ...]]] = defaultdict(set)
    for row in Address.objects.filter(CURRENT, source__in=published.ids(Family.ADDRESSES)).exclude(number=""):
        if row.road and row.region_id:
            doors[row.community_id or 0].add(
                (row.region_id, row.cell, row.road, row.lane, row.sub_lane, row.number, row.suffix)
            )
    known = [pk for pk in doors if pk and pk in estates and estates[pk].households]
    typical = sum(estates[pk].households or 0 for pk in known) / sum(len(doors[pk]) for pk in known) if known else 1.0
    found: dict[int, float] = defaultdict(float)
    for pk, every in doors.items():
        for door in every:
            if door[0] != region:
                continue
            if pk not in estates:
                found[int(str(door[1]))] += 1.0
            elif estates[pk].kind == "residential":
                households = estates[pk].households
                found[int(str(door[1]))] += households / len(every) if households else typical
    for pk, estate in estates.items():
        if pk not in doors and estate.region_id == region and estate.kind == "residential" and estate.households:
            found[estate.cell] += estate.households
    return found


def persons_by_hand() -> dict[int, list[int]]:
    """Return the residents of each committee by band."""
    names = names_of(published_now())
    found: dict[int, list[int]] = defaultdict(lambda: [0] * len(BANDS))
    for row in Population.objects.filter(retired_at=None):
        if names.regions[row.region_id].level == "committee":
            (band,) = [at for at, (low, high) in enumerate(BANDS) if low <= row.age_from and row.age_to <= high]
            found[row.region_id][band] += row.persons
    return found


def told_by_hand() -> dict[int, list[int]]:
    """Return those that may be told of."""
    persons, names = persons_by_hand(), names_of(published_now())
    streets = [names.above(names.regions[each], "street") for each in persons]
    may = tellable(np.array(list(persons.values())), np.array([each.id if each else 0 for each in streets]))
    return {region: bands for (region, bands), one in zip(persons.items(), may, strict=True) if one}
