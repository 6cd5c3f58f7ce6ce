"""The contract with 一张图, held by our client and the simulator over real HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from geo.crs import Coordinate, System, convert
from services.integrations.breaker import FAILURES
from services.integrations.faults import RESTING, AnswerUnclear, NotConnected, NotReached
from services.integrations.http import Upstream
from services.integrations.onemap.client import OneMap, is_connected, metres_of, one_map
from services.integrations.onemap.schemas import AppointmentPushed, Code, FencePushed, FencesPushed
from services.integrations.onemap.simulator import Door, Simulator

NOON = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)
LON, LAT = 121.4852, 31.2231
DOOR = "黄浦区河南南路33号"


def appointment(push_id: str = "p1", version: int = 1, **over: Any) -> AppointmentPushed:
    x, y = metres_of(LON, LAT)
    return AppointmentPushed(
        push_id=push_id, number="ZX1", version=version, state="submitted", wanted_on=dt.date(2026, 11, 25), x=x, y=y,
        uncertainty_m=20, address=DOOR, changed_at=NOON,
    ).model_copy(update=over)  # fmt: skip


def edition(number: int = 1, side: float = 200) -> FencesPushed:
    corners = [[0, 0], [side, 0], [side, 100], [0, 100], [0, 0]]
    fence = FencePushed(
        mark="f1", name="一片", owner="环卫所", area_m2=side * 100, shape={"type": "Polygon", "coordinates": [corners]}
    )
    return FencesPushed(
        push_id=f"e{number}", purpose="waste", district="310101", number=number, begins=NOON, fences=[fence]
    )


@pytest.fixture
def running(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    x, y = metres_of(LON, LAT)
    with Simulator(app="quantu", secret="s3cret", doors=[Door(DOOR, x, y, "外滩苑", "外滩街道")]) as simulator:
        settings.ONE_MAP_URL, settings.ONE_MAP_APP, settings.ONE_MAP_SECRET = simulator.url, "quantu", "s3cret"
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        yield simulator


def test_addresses_and_positions_go_over_in_metres_of_the_city(running: Simulator) -> None:
    assert is_connected()
    (place,) = one_map().places_of(DOOR)
    assert (place.label, place.uncertainty_m) == (DOOR, 20.0)
    assert abs(place.lon - LON) + abs(place.lat - LAT) < 2e-7  # millimetres there and back
    assert one_map().places_of("没有这条路9号") == []
    said = one_map().address_at(LON, LAT)
    assert (said.address, said.community, said.street) == (DOOR, "外滩苑", "外滩街道")
    assert one_map().address_at(LON + 0.1, LAT).address == ""
    back = convert(Coordinate(*metres_of(LON, LAT), System.SH2000), System.CGCS2000)
    assert abs(back.x - LON) < 1e-7


@pytest.mark.parametrize(
    ("fails", "code"),
    [
        ("broken", "refused"), ("garbage", "answer_unclear"), ("datum", "datum_wrong"), ("degrees", "datum_wrong"),
        ("outside", "answer_outside"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(running: Simulator, fails: Any, code: str) -> None:
    running.fails = fails
    with pytest.raises(AnswerUnclear) as fault:
        one_map().places_of(DOOR)
    assert fault.value.code == code


def test_of_an_appointment_the_highest_version_counts_and_each_push_once(running: Simulator) -> None:
    assert one_map().tell_appointment(appointment("p2", 2, state="cancelled")) == Code.TAKEN
    assert one_map().tell_appointment(appointment("p1", 1)) == Code.TAKEN  # it was late
    assert one_map().tell_appointment(appointment("p2", 2, state="submitted")) == Code.TAKEN  # told before
    assert running.appointments["ZX1"].state == "cancelled"
    running.fails = "busy"
    assert one_map().tell_appointment(appointment("p3", 3)) == Code.BUSY
    running.fails = "silent"
    with pytest.raises(AnswerUnclear):
        one_map().tell_appointment(appointment("p3", 3))
    running.fails = ""
    assert one_map().tell_appointment(appointment("p3", 3)) == Code.TAKEN
    assert list(running.told) == ["p2", "p1", "p3"]


def test_a_whole_edition_of_fences_replaces_the_one_before(running: Simulator) -> None:
    assert one_map().fences_held(purpose="waste", district="310101").number == 0
    assert one_map().tell_fences(edition()) == Code.TAKEN
    assert one_map().tell_fences(edition(2, side=300)) == Code.TAKEN
    held = one_map().fences_held(purpose="waste", district="310101")
    assert (held.number, [(each.mark, each.area_m2) for each in held.fences]) == (2, [("f1", 30_000)])
    assert one_map().fences_held(purpose="duty", district="310101").fences == []


def test_a_back_end_that_is_away_is_left_alone_for_a_while(running: Simulator, settings: Any) -> None:
    stranger = OneMap(Upstream(key="onemap", name="一张图", root=running.url, inside=True), "quantu", "wrong")
    assert stranger.tell_appointment(appointment()) == Code.NOT_SIGNED
    running.fails = "broken"
    for _ in range(FAILURES):
        with pytest.raises(AnswerUnclear):
            one_map().places_of(DOOR)
    asked = len(running.asked)
    with pytest.raises(NotReached) as fault:
        one_map().places_of(DOOR)
    assert (fault.value.code, len(running.asked)) == (RESTING, asked)
    settings.ONE_MAP_URL = ""
    with pytest.raises(NotConnected):
        one_map()
