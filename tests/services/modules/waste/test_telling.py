"""一张图 is told: the newest of each appointment, every edition of 片区, once, until it takes them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from geo.errors import Conflict, Forbidden, NotFound
from services.integrations.outbox import MOST_ATTEMPTS
from services.modules.waste.actions import cancel_appointment, change_appointment
from services.modules.waste.models import Appointment, OneMapPush, PushState
from services.modules.waste.placing import Spot
from services.modules.waste.queries import push_standing
from services.modules.waste.telling import DIFFERS, send_again, tell_one_map
from tests.services.fencing.sets import HUANGPU
from tests.services.modules.waste.conftest import answers, door_of_huangpu, made, resident, scope, two_areas


@pytest.fixture
def row(city: None) -> Appointment:
    resident()
    door = door_of_huangpu()
    return made(Spot(door.lon, door.lat))


def due() -> None:
    OneMapPush.objects.filter(state=PushState.WAITING).update(next_at=timezone.now())


def test_each_change_is_told_and_the_newest_wins(row: Appointment, one_map: Any) -> None:
    assert tell_one_map() == 1
    told = one_map.appointments[row.number]
    assert (told.version, told.state, told.address) == (1, "submitted", row.address_text)
    change_appointment(
        uid=row.uid, user=row.user, answers=answers(amount=3), spot=Spot(row.geom.x, row.geom.y), seen=1,
        scope=scope("jumin"),
    )  # fmt: skip
    cancel_appointment(uid=row.uid, user=row.user, scope=scope("jumin"))
    assert tell_one_map() == 1
    assert (one_map.appointments[row.number].version, one_map.appointments[row.number].state) == (3, "cancelled")
    assert [push.state for push in row.pushes.order_by("pk")] == ["sent", "replaced", "sent"]
    assert tell_one_map() == 0


def test_a_back_end_that_is_away_is_told_later_and_in_the_end_given_up_until_somebody_sends_again(
    row: Appointment, one_map: Any
) -> None:
    one_map.fails = "busy"
    assert tell_one_map() == 0
    push = row.pushes.get()
    assert (push.state, push.attempts, push.code) == ("waiting", 1, "busy")
    assert push.next_at > timezone.now() + dt.timedelta(seconds=30)
    one_map.fails = "silent"  # it takes it, and we do not know
    due()
    tell_one_map()
    assert row.number in one_map.appointments
    OneMapPush.objects.update(attempts=MOST_ATTEMPTS - 1)
    due()
    assert tell_one_map() == 1
    push.refresh_from_db()
    assert push.state == PushState.GIVEN_UP
    one_map.fails = ""
    send_again(pk=push.pk, scope=scope("qu"))
    assert tell_one_map() == 1
    assert len(one_map.told) == 1  # the one it had taken all along
    standing = push_standing(scope=scope("qu"))
    assert ({key: count for key, _, count in standing.counts}["sent"], standing.waits_since) == (1, None)
    with pytest.raises(Conflict):
        send_again(pk=push.pk, scope=scope("qu"))
    with pytest.raises(Forbidden):
        send_again(pk=push.pk, scope=scope("jumin"))
    OneMapPush.objects.update(region=None)
    with pytest.raises(NotFound):
        send_again(pk=push.pk, scope=scope("qu"))


def test_without_a_back_end_everything_waits(row: Appointment, settings: Any) -> None:
    settings.ONE_MAP_URL = ""
    assert tell_one_map() == 0
    assert row.pushes.get().attempts == 0


def test_an_edition_of_areas_is_told_and_held_against_what_they_hold(city: None, one_map: Any) -> None:
    resident()
    edition = two_areas()
    assert tell_one_map() == 1
    told = one_map.fences["waste", HUANGPU]
    assert (told.number, sorted(fence.name for fence in told.fences)) == (edition.number, ["东片", "西片"])
    (low, high), *_ = [sorted(fence.area_m2 for fence in told.fences)]
    assert low > 100_000
    assert high < 30_000_000  # metres, and of a district
    assert tell_one_map() == 0
    # What still waits of an edition that counts no more is never told.
    OneMapPush.objects.update(state=PushState.WAITING, next_at=timezone.now() + dt.timedelta(hours=1))
    two_areas(cut=20)
    assert tell_one_map() == 1
    assert OneMapPush.objects.get(edition=edition).state == PushState.REPLACED
    # Published anew it is told anew; what they hold otherwise is found out.
    newer = two_areas(cut=50)
    keep = one_map.fences["waste", HUANGPU]
    one_map._held = lambda asked: type(one_map)._held(one_map, asked).model_copy(update={"number": keep.number})
    assert tell_one_map() == 0
    push = OneMapPush.objects.get(edition=newer)
    assert (push.state, push.code) == ("waiting", DIFFERS)
    del one_map._held
    due()
    assert tell_one_map() == 1
    assert one_map.fences["waste", HUANGPU].number == newer.number
