"""The fences that count, ready to be asked: equal to asking each shape, from the moment they count, as far as the scope goes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
import shapely
from django.utils import timezone

from geo.fences.areas import shape_of
from geo.fences.models import Fence
from geo.geometry import from_plane
from geo.regions.queries import current_city
from geo.scope import Scope
from services.fencing.actions import FENCES, withdraw_edition
from services.fencing.live import live_fences
from tests.services.fencing.sets import STAFF, act, district, draft, drawn, middle, published, square

pytestmark = pytest.mark.usefixtures("city")


def ms(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


def names_at(where: tuple[float, float], at: dt.datetime) -> set[str]:
    live = live_fences(at=at)
    return {live.fences[row].name for row in live.at(where[:1], where[1:], ms(at)).fences}


def spot(east: float, north: float) -> tuple[float, float]:
    x, y = middle()
    point = from_plane(shapely.Point(x - 150 + east, y - 150 + north), current_city())
    return point.x, point.y


def test_what_holds_a_position_is_what_asking_each_shape_gives() -> None:
    zones = draft("service")
    for number in range(12):
        drawn(zones, f"围栏{number}", square(30.0 * number, 20.0 * number, 90 + 10 * number, 140))
    other = draft("alert")
    drawn(other, "告警", square(50, 50, 200, 60))
    published(zones)
    published(other)

    random = np.random.default_rng(20261122)
    corner, end = spot(-100, -100), spot(700, 600)
    lon, lat = random.uniform(corner[0], end[0], 400), random.uniform(corner[1], end[1], 400)
    live = live_fences()
    hits = live.at(lon, lat, ms(timezone.now()))
    found = {(int(point), live.fences[row].same) for point, row in zip(hits.points, hits.fences, strict=True)}
    rows = list(Fence.objects.all())
    truth = {
        (point, row.same)
        for row in rows
        for point in np.flatnonzero(shapely.intersects_xy(shape_of(row), lon, lat)).tolist()
    }
    assert found == truth
    assert len({point for point, _ in truth}) > 50
    assert not len(live.at([np.nan, 0.0], [31.0, 0.0], 0).fences)


def test_an_edition_holds_from_its_moment_and_the_earlier_answers_for_its_time() -> None:
    first = draft("service")
    old = drawn(first, "旧", square(0, 0))
    published(first)
    then, soon = timezone.now(), timezone.now() + dt.timedelta(hours=3)
    second = draft("service")
    FENCES.say_about(act(second), same=old.same, name="新", about={"owner": "华新物业"})
    drawn(second, "又一个", square(0, 0))
    published(second, at=soon)
    inside = spot(50, 50)
    assert names_at(inside, then) == names_at(inside, soon - dt.timedelta(seconds=1)) == {"旧"}
    assert names_at(inside, soon) == {"新", "又一个"}
    assert names_at(inside, then - dt.timedelta(days=1)) == set()
    told = next(fence for fence in live_fences(at=soon).fences if fence.name == "新")
    assert (told.same, told.owner, told.purpose, told.number, told.district_id) == (
        old.same, "华新物业", "service", 2, district(),
    )  # fmt: skip


def test_days_and_hours_of_a_fence_are_those_of_the_moment_asked() -> None:
    zones = draft("service")
    drawn(
        zones, "周一上午", square(0, 0), hours={"mon": [["08:00", "12:00"]]}, from_day="2026-11-01", to_day="2099-12-31"
    )
    published(zones)
    now = timezone.localtime()
    monday = now.replace(hour=9, minute=0) + dt.timedelta(days=7 - now.weekday())
    inside = spot(50, 50)
    assert names_at(inside, monday) == {"周一上午"}
    assert names_at(inside, monday.replace(hour=12)) == names_at(inside, monday + dt.timedelta(days=1)) == set()


def test_what_stands_is_read_once_and_only_a_changed_edition_is_read_again(django_assert_num_queries: Any) -> None:
    zones, other = draft("service"), draft("alert")
    for edition in (zones, other):
        drawn(edition, "一处", square(0, 0))
        published(edition)
    first = live_fences()
    with django_assert_num_queries(1):
        assert live_fences() is first
    again = draft("alert")
    drawn(again, "两处", square(200, 0))
    published(again)
    with django_assert_num_queries(2):
        second = live_fences()
    assert {fence.name for fence in second.fences} == {"一处", "两处"}
    assert len(second.fences) == 3
    assert first.index.ids != second.index.ids


def test_an_edition_taken_back_and_changed_before_it_began_is_read_again() -> None:
    soon = timezone.now() + dt.timedelta(hours=3)
    zones = draft("service")
    first = drawn(zones, "旧", square(0, 0))
    published(zones, at=soon)
    inside = spot(50, 50)
    assert names_at(inside, soon) == {"旧"}
    withdraw_edition(edition_id=zones.pk, scope=STAFF)
    FENCES.delete(act(zones), same=first.same)
    drawn(zones, "新", square(0, 0))
    published(zones, at=soon)
    assert names_at(inside, soon) == {"新"}


def test_public_purposes_are_everyone_s_the_others_of_who_may_see_fences_in_the_district() -> None:
    for purpose in ("waste", "alert"):
        edition = draft(purpose)
        drawn(edition, purpose, square(0, 0))
        published(edition)
    live = live_fences()

    def seen(scope: Scope, *purposes: str) -> set[str]:
        rows = live.rows_for(scope=scope, purposes=purposes)
        return {fence.name for fence, row in zip(live.fences, rows, strict=True) if row}

    assert seen(STAFF) == {"waste", "alert"}
    assert seen(STAFF, "alert") == {"alert"}
    assert seen(Scope.public()) == {"waste"}
    assert seen(Scope.public(), "alert") == set()
    assert seen(Scope(paths=STAFF.paths, actor="no duty")) == {"waste"}
    assert seen(Scope(paths=("310000.310115.",), duties=frozenset({"fences.view"}), actor="elsewhere")) == {"waste"}
