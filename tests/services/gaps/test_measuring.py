"""Measuring on the tiny city: held against a search from every sampled cell by itself, and against adding homes up door by door."""

from __future__ import annotations

import h3
import numpy as np
import pytest
from django.utils import timezone

from geo.addresses.models import Address, Community
from geo.imports.models import CURRENT
from geo.jobs.actions import cancel_job, run_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import Progress
from geo.regions.models import RegionVersion
from geo.scope import Scope
from routing.nearest import reach_of_many, seconds_at
from routing.places import doors_at
from routing.travellers import TRAVELLERS
from services.facilities.actions import change_status
from services.facilities.ground import current_graph
from services.facilities.kinds import all_kinds
from services.facilities.models import Facility
from services.gaps.actions import PAUSE, start_measuring, start_stale
from services.gaps.measuring import NOWHERE
from services.gaps.models import GapGround, GapWalk
from tests.services.gaps.measured import KIND, STAFF, few_kinds, held, homes_by_hand, measure, plane, seconds_one_by_one

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture(autouse=True)
def _few(city: None) -> None:
    few_kinds()


def centre(cell: int) -> tuple[float, float]:
    lat, lon = h3.cell_to_latlng(h3.int_to_str(cell))
    return lon, lat


def test_every_sampled_cell_takes_as_long_as_a_search_from_it_alone() -> None:
    measure()
    ground, walks = held()
    doors = np.unique(ground.spread_cell[ground.homes[ground.spread_unit] > 0])
    every = np.arange(len(ground.cells))
    sampled = sorted({*doors[:: max(1, len(doors) // 150)].tolist(), *every[:: len(every) // 100].tolist()})
    alone = seconds_one_by_one([centre(int(ground.cells[at])) for at in sampled])
    said = walks.seconds[sampled].astype(float)
    wanted = np.array([np.ceil(one) if np.isfinite(one) else NOWHERE for one in alone])
    assert np.abs(said - wanted).max() <= 1, "a thousandth here and there may turn the last second"
    assert np.isfinite(alone).sum() > 100
    assert (said < 900).sum() > 20


def test_a_place_on_the_road_of_a_point_is_reached_along_it_and_not_round_the_block() -> None:
    graph = current_graph()
    place = Facility.objects.filter(CURRENT, kind=KIND, status="open").order_by("pk")[0]
    x, y = plane(place.geom.x, place.geom.y)
    walk = TRAVELLERS["walk"]
    found = reach_of_many(graph, np.array([x]), np.array([y]), walk, 600.0)
    away = seconds_at(found, doors_at(graph, np.array([x + 5e6, x]), np.array([y, y]), walk))
    assert np.isinf(away[0])
    assert away[1] < 2 * 75 / 1.25
    with pytest.raises(ValueError, match="go back"):
        reach_of_many(graph, np.array([x]), np.array([y]), TRAVELLERS["car"], 600.0)


def test_homes_of_a_committee_lie_where_its_doors_are_and_add_up_to_the_whole() -> None:
    measure()
    ground, _ = held()
    sums = np.bincount(ground.spread_unit, weights=ground.spread, minlength=len(ground.units))
    assert np.abs(sums - 1).max() < 1e-9
    richest = np.argsort(ground.homes)[-3:]
    for row in richest.tolist():
        by_hand = homes_by_hand(int(ground.units[row]))
        total = sum(by_hand.values())
        assert ground.homes[row] == pytest.approx(total)
        own = ground.spread_unit == row
        cells = ground.cells[ground.spread_cell[own]].tolist()
        said = dict(zip(cells, ground.spread[own].tolist(), strict=True))
        assert said == pytest.approx({cell: count / total for cell, count in by_hand.items() if count})


def test_a_committee_without_homes_is_spread_over_its_land() -> None:
    region = RegionVersion.objects.filter(edition__state="published", level="committee").order_by("-area_m2")[0].region
    Address.objects.filter(region=region).update(region=None)
    Community.objects.filter(region=region).update(region=None)
    measure()
    ground, _ = held()
    (row,) = np.flatnonzero(ground.units == region.pk)
    own = ground.spread_unit == row
    assert ground.homes[row] == 0
    assert sorted(ground.spread_cell[own].tolist()) == np.flatnonzero(ground.land == row).tolist()
    assert np.ptp(ground.spread[own]) == 0


def test_shares_within_minutes_are_those_of_the_homes() -> None:
    measure()
    ground, walks = held()
    for row in np.argsort(ground.homes)[-5:].tolist():
        own = ground.spread_unit == row
        seconds = walks.seconds[ground.spread_cell[own]].astype(float)
        shares = ground.spread[own]
        for at, minutes in enumerate((5, 10, 15)):
            assert walks.within[row, at] == pytest.approx(shares[seconds <= 60 * minutes].sum())
        reached = seconds < NOWHERE
        if shares[reached].sum() >= 0.5:
            mean = (seconds * shares)[reached].sum() / shares[reached].sum()
            assert walks.mean_s[row] == pytest.approx(mean)
        else:
            assert np.isnan(walks.mean_s[row])
    assert (np.diff(walks.within, axis=1) >= 0).all()
    assert walks.within[:, 2].max() > 0.5


def test_only_the_kind_that_changed_is_measured_again() -> None:
    assert measure().result["kinds"] == len(all_kinds())  # type: ignore[index]
    assert start_stale() == 0
    assert not Job.objects.filter(kind="gaps.measure", state=JobState.QUEUED).exists()
    before = dict(GapWalk.objects.values_list("kind_id", "measured_at"))
    _, walks = held()
    edit = Scope(paths=("",), duties=frozenset({"facilities.edit"}), actor="test")
    place = Facility.objects.filter(CURRENT, kind=KIND, status="open").order_by("pk")[0]
    change_status(facility_id=place.pk, status="closed", scope=edit)
    assert start_stale() == 1
    assert start_stale() == 1
    (job,) = Job.objects.filter(kind="gaps.measure", state=JobState.QUEUED)
    assert run_job(job_id=job.pk).result == {"kinds": 1, "cells": len(held()[0].cells)}
    after = dict(GapWalk.objects.values_list("kind_id", "measured_at"))
    assert {kind for kind in after if after[kind] != before[kind]} == {KIND}
    assert (held()[1].seconds >= walks.seconds).all()
    assert (held()[1].seconds > walks.seconds).any()
    # A move is a change as well, by whatever hand.
    other = Facility.objects.filter(CURRENT, kind=KIND, status="open").order_by("pk")[0]
    Facility.objects.filter(pk=other.pk).update(geom=place.geom)
    assert start_stale() == 1


def test_a_kind_without_an_open_place_is_reached_from_nowhere() -> None:
    Facility.objects.filter(kind=KIND).update(status="closed")
    measure()
    _, walks = held()
    assert (walks.seconds == NOWHERE).all()
    assert walks.within.max() == 0
    assert np.isnan(walks.mean_s).all()


def test_nothing_is_measured_by_the_clock_before_somebody_asked() -> None:
    assert start_stale() == 0
    assert not Job.objects.filter(kind="gaps.measure").exists()


def test_a_stopped_run_keeps_what_is_done_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    job = start_measuring(scope=STAFF)
    assert start_measuring(scope=STAFF).pk == job.pk, "what waits is not begun twice"
    monkeypatch.setattr("geo.jobs.progress.REPORT_EVERY_S", 0.0)
    step, seen = Progress.step, []

    def stopping(self: Progress, share: float, message: str = "") -> None:
        if "最近" in message:
            seen.append(message)
            if len(seen) == 2:
                cancel_job(job_id=job.pk)
        step(self, share, message)

    monkeypatch.setattr(Progress, "step", stopping)
    assert run_job(job_id=job.pk).state == JobState.CANCELLED
    assert GapWalk.objects.count() == 1
    monkeypatch.setattr(Progress, "step", step)
    assert start_stale() == 0, "what a person stopped the clock does not begin again at once"
    Job.objects.filter(pk=job.pk).update(finished_at=timezone.now() - PAUSE)
    assert start_stale() == len(all_kinds()) - 1
    assert measure().result["kinds"] == len(all_kinds()) - 1  # type: ignore[index]


def test_a_ground_that_nothing_stands_on_goes() -> None:
    measure()
    (first,) = GapGround.objects.all()
    GapGround.objects.filter(pk=first.pk).update(stamp="an older map")
    assert start_stale() == len(all_kinds())
    measure()
    (second,) = GapGround.objects.all()
    assert second.pk != first.pk
    assert GapWalk.objects.filter(ground=second).count() == len(all_kinds())
