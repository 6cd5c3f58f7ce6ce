"""Appointments: at one position, once, with the fence that holds it; changed by their owner, corrected by staff."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from geo.addresses.geocode import Candidate
from geo.errors import BadInput, Conflict, Forbidden, NotFound, TooMany
from services.access.models import User, UserKind
from services.crypto.models import Secret
from services.crypto.queries import reveal_secrets
from services.modules.waste.actions import (
    MOST_OPEN,
    cancel_appointment,
    change_appointment,
    correct_position,
    forget_contacts,
    make_appointment,
)
from services.modules.waste.models import Appointment, OneMapPush, Placed
from services.modules.waste.personal_data import appointments, forget_appointments, still_open
from services.modules.waste.placing import AWAY, Spot, places_of, spot_at, spot_of, where_is
from services.modules.waste.queries import appointment_seen, fence_now, own_appointment, spot_kept
from services.modules.waste.sheet import check_sheet
from tests.services.modules.waste.conftest import (
    NAME,
    PHONE,
    answers,
    door_of_huangpu,
    known_there,
    made,
    resident,
    scope,
    two_areas,
)


@pytest.fixture
def door(city: None) -> Candidate:
    resident()
    return door_of_huangpu()


@pytest.fixture
def spot(door: Candidate) -> Spot:
    return Spot(door.lon, door.lat, Placed.ADDRESS.value, door.uncertainty_m)


def test_an_appointment_keeps_the_fence_of_its_day_and_tells_when_it_changed(spot: Spot) -> None:
    two_areas(cut=5)
    row = made(spot)
    assert (row.fence_name, row.fence_owner, row.version) == ("西片", "西片环卫所", 1)
    assert not fence_now(row).changed
    two_areas(cut=-5)
    row.refresh_from_db()
    now = fence_now(row)
    assert (row.fence_name, now.changed) == ("西片", True)
    assert now.fence is not None
    assert now.fence.name == "东片"
    # What is written anew takes the fence of that moment.
    row = change_appointment(
        uid=row.uid, user=row.user, answers=answers(site="另一处"), spot=spot, seen=1, scope=scope("jumin")
    )
    assert (row.fence_name, row.fence_number, fence_now(row).changed) == ("东片", now.fence.number, False)


def test_contacts_are_sealed_and_shown_in_part(spot: Spot) -> None:
    row = made(spot)
    assert (row.contact_name, row.contact_phone) == ("王**", "138****5678")
    assert reveal_secrets(owner=row.uid) == {"name": NAME, "phone": PHONE}
    kept = str(list(Appointment.objects.values())) + str(list(OneMapPush.objects.values()))
    assert NAME not in kept
    assert PHONE not in kept
    assert forget_contacts(today=row.wanted_on + dt.timedelta(days=92)) == 0
    assert forget_contacts(today=row.wanted_on + dt.timedelta(days=93)) == 2
    assert reveal_secrets(owner=row.uid) == {}


def test_the_same_form_is_one_appointment_and_never_somebody_elses(spot: Spot) -> None:
    user, key = User.objects.get(username="jumin"), uuid4()
    given: dict[str, Any] = {"answers": answers(), "spot": spot, "scope": scope("jumin")}
    first = make_appointment(key=key, user=user, **given)
    assert make_appointment(key=key, user=user, **given).pk == first.pk
    assert Appointment.objects.count() == OneMapPush.objects.count() == 1
    other = User.objects.create(username="linju", display_name="邻居", kind=UserKind.RESIDENT)
    with pytest.raises(NotFound):
        make_appointment(key=key, user=other, **given)
    with pytest.raises(NotFound):
        own_appointment(key, user=other)
    for _ in range(MOST_OPEN - 1):
        made(spot)
    with pytest.raises(TooMany):
        made(spot)


def test_a_stale_form_is_refused_and_one_that_says_the_same_changes_nothing(spot: Spot) -> None:
    row = made(spot)
    given: dict[str, Any] = {"uid": row.uid, "user": row.user, "spot": spot, "scope": scope("jumin")}
    assert change_appointment(answers=answers(), seen=7, **given).version == 1
    assert change_appointment(answers=answers(amount=20), seen=1, **given).version == 2
    with pytest.raises(Conflict, match="刚被改过"):
        change_appointment(answers=answers(amount=30), seen=1, **given)
    assert cancel_appointment(uid=row.uid, user=row.user, scope=scope("jumin")).version == 3
    assert cancel_appointment(uid=row.uid, user=row.user, scope=scope("jumin")).version == 3
    with pytest.raises(Conflict, match="已经取消"):
        change_appointment(answers=answers(amount=30), seen=3, **given)
    assert list(row.events.order_by("pgh_id").values_list("version", "state")) == [(1, "submitted"), (2, "submitted")]


def test_staff_of_the_district_correct_a_position_with_a_reason(spot: Spot) -> None:
    two_areas(cut=5)
    row = made(spot)
    there = spot_at(spot.lon + 0.0002, spot.lat)  # some 19 m to the east, beyond the cut
    moved = correct_position(pk=row.pk, spot=there, why="垃圾在北门", seen=1, scope=scope("qu"))
    assert (moved.fence_name, moved.placed, moved.moved_because) == ("东片", Placed.STAFF, "垃圾在北门")
    assert moved.events.get().pgh_context.metadata["actor"] == "qu"
    with pytest.raises(Conflict):
        correct_position(pk=row.pk, spot=there, why="再改", seen=1, scope=scope("qu"))
    # It stays theirs while who made it changes other things; nobody else makes a position theirs.
    given: dict[str, Any] = {"uid": row.uid, "user": row.user, "scope": scope("jumin")}
    kept = change_appointment(answers=answers(amount=3), spot=spot_kept(moved), seen=2, **given)
    assert (kept.placed, kept.moved_because) == (Placed.STAFF, "垃圾在北门")
    forged = replace(spot, placed=Placed.STAFF.value)
    assert change_appointment(answers=answers(amount=3), spot=forged, seen=3, **given).placed == Placed.PICKED
    assert made(forged).placed == Placed.PICKED
    with pytest.raises(BadInput, match="为什么"):
        correct_position(pk=row.pk, spot=there, why=" ", seen=4, scope=scope("qu"))
    with pytest.raises(Forbidden):
        correct_position(pk=row.pk, spot=there, why="看看", seen=4, scope=scope("jumin"))
    Appointment.objects.filter(pk=row.pk).update(region=None)
    with pytest.raises(NotFound):
        appointment_seen(row.pk, scope=scope("qu"))


def test_a_second_opinion_says_how_far_it_is_and_stands_in_where_ours_know_nothing(
    door: Candidate, one_map: Any
) -> None:
    known_there(one_map, door, east=12)
    found = places_of(door.label, scope=scope("jumin"))
    assert found.sure
    assert "与“一张图”相差 12 米" in found.options[0].note
    one_map.doors.clear()
    known_there(one_map, door, east=900)
    found = places_of(door.label, scope=scope("jumin"))
    assert (found.sure, [one.spot.placed for one in found.options]) == (False, ["address", "onemap"])
    assert "米外，请核对" in found.options[0].note
    unknown = "未名新路77号"
    one_map.doors[:] = [type(one_map.doors[0])(unknown, one_map.doors[0].x, one_map.doors[0].y)]
    found = places_of(unknown, scope=scope("jumin"))
    assert [(one.spot.placed, one.label) for one in found.options] == [("onemap", unknown)]
    one_map.fails = "degrees"
    found = places_of(unknown, scope=scope("jumin"))
    assert (found.options, found.fault) == ((), "“一张图”给的像是经纬度，不是上海2000的米，没有采用。")
    one_map.fails = "garbage"
    assert places_of(door.label, scope=scope("jumin")).fault == AWAY


def test_what_is_at_a_position(spot: Spot, door: Candidate) -> None:
    edition = two_areas()
    where = where_is(spot, scope=scope("jumin"))
    assert (where.address, where.district) == (door.label, "黄浦区")
    assert where.street
    assert where.fence is not None
    assert where.fence.edition_id == edition.pk
    assert where.shapes["fence"]["type"] in {"Polygon", "MultiPolygon"}
    for wrong in ("", "121.48", "x,y,picked,10", "121.48,31.22,nowhere,10"):
        with pytest.raises(BadInput, match="选位置"):
            spot_of(wrong)
    with pytest.raises(BadInput):
        spot_at(116.4, 39.9)


def test_the_sheet_says_what_is_wrong_at_its_item() -> None:
    today = timezone.localdate()
    far = {"day": (today + dt.timedelta(days=61)).isoformat(), "amount": "2.5"}
    found = check_sheet(answers(phone="123") | far, today=today)
    assert {fault.field for fault in found.faults} == {"day", "amount", "phone"}
    assert check_sheet({key: str(value) for key, value in answers().items()}, today=today).good


def test_an_account_takes_its_appointments_with_it_and_forgets_them(spot: Spot) -> None:
    row = made(spot)
    user = User.objects.get(username="jumin")
    (told,) = appointments(user)
    assert (told["联系人"], told["联系手机"]) == (NAME, PHONE)
    assert "1 个装修垃圾预约没有运" in still_open(user)
    cancel_appointment(uid=row.uid, user=user, scope=scope("jumin"))
    assert still_open(user) == ""
    assert forget_appointments(user) == 1
    assert not Appointment.objects.exists()
    assert not Secret.objects.filter(owner=row.uid).exists()
