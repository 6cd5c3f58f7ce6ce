"""Editions held against each other door by door, by brute force too; rules against areas with how far the border is."""

from __future__ import annotations

import datetime as dt

import pytest
import shapely

from geo.geometry import from_plane, to_plane
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.regions.queries import current_city
from services.catchments import comparing
from services.catchments.areas.district import District, district_of
from services.catchments.comparing import NOBODY, compare, comparison, disagreements, start_comparison
from services.catchments.models import CatchmentEdition
from tests.services.catchments.districts import HUANGPU, STAFF, area, edition, kindergartens, region, rule

pytestmark = pytest.mark.usefixtures("city")


def district() -> District:
    return district_of(region(HUANGPU).id)


def halves(share: float) -> tuple[shapely.Geometry, shapely.Geometry]:
    """Return the district cut at a share of its width, in degrees."""
    whole = district().ground.district
    west, south, east, north = whole.bounds
    at = west + share * (east - west)
    left = shapely.intersection(whole, shapely.box(west, south, at, north))
    right = shapely.intersection(whole, shapely.box(at, south, east, north))
    return from_plane(left, current_city()), from_plane(right, current_city())


def cut_at(number: int, share: float) -> CatchmentEdition:
    own = edition(number=number, year=2020, steps=["area"], from_day=dt.date(2020, 3, number))
    for name, site, shape in zip("东西", kindergartens(), halves(share), strict=False):
        for part in shapely.get_parts(shape):
            area(own, f"{name}{own.areas.count()}", site, part)
    return own


def test_every_door_between_two_borders_changes_and_no_other() -> None:
    before, after = cut_at(1, 0.4), cut_at(2, 0.6)
    found = comparison(before, after)
    assert found is not None
    west, _, east, _ = district().ground.district.bounds
    low, high = west + 0.4 * (east - west), west + 0.6 * (east - west)
    between = [
        label
        for label, (x, y) in zip(district().ground.labels, district().doors, strict=True)
        if low < x < high and shapely.intersects_xy(district().ground.district, x, y)
    ]
    assert between
    assert sorted(change.label for change in found.changes) == sorted(between)
    one, other = kindergartens()[:2]
    assert found.moves == [(other.name, one.name, len(between))]
    assert sum(count for _, count in found.committees) == len(between)
    assert found.doors == len(district().homes)
    assert comparison(after, after).changes == ()  # type: ignore[union-attr]


def test_doors_that_nobody_takes_any_more_are_told() -> None:
    before, after = cut_at(1, 0.5), edition(number=2, year=2020, steps=["area"])
    found = comparison(before, after)
    assert found is not None
    assert {change.after for change in found.changes} == {NOBODY}


def test_many_doors_are_compared_by_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = cut_at(1, 0.4), cut_at(2, 0.6)
    monkeypatch.setattr(comparing, "AT_ONCE", 1)
    assert comparison(before, after) is None
    job = start_comparison(before, after, scope=STAFF)
    done = run_job(job_id=job.pk)
    assert (done.state, Job.objects.get(pk=job.pk).actor) == (JobState.DONE, "qu")
    found = comparison(before, after)
    assert found is not None
    assert len(found.changes) == done.result["changes"] == len(compare(before, after))


def test_a_rule_and_an_area_that_disagree_are_told_with_the_border() -> None:
    own = cut_at(1, 0.5)
    CatchmentEdition.objects.filter(pk=own.pk).update(steps=["address", "area"])
    own.refresh_from_db()
    one, other = kindergartens()[:2]
    west, _, east, _ = district().ground.district.bounds
    labels = {}
    for at, home in enumerate(district().homes):
        x, y = district().doors[at]
        if (
            home.door
            and home.door.number
            and home.door.lane is None
            and not home.door.annex
            and x < west + 0.45 * (east - west)
        ) and shapely.intersects_xy(district().ground.district, x, y):
            labels[district().ground.labels[at]] = (x, y)
    label = sorted(labels)[0]
    rule(own, "address", other, written=label)
    found = disagreements(own)
    assert [each.label for each in found if each.label == label] == [label]
    told = next(each for each in found if each.label == label)
    assert (told.by_rule, told.by_area) == (other.name, one.name)
    shapes = [to_plane(shapely.from_wkb(bytes(row.geom.wkb)), current_city()) for row in own.areas.all()]
    holding = [shape for shape in shapes if shapely.intersects_xy(shape, *labels[label])]
    assert told.border_m == pytest.approx(holding[0].boundary.distance(shapely.Point(labels[label])), abs=0.01)
    assert all(each.by_rule != each.by_area for each in found)
