"""Rows of the catalogue about appointments for waste: listed for whom they concern, called off by their owner and by staff."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from geo.regions.models import RegionVersion
from services.access.actions import grant_role
from services.access.models import Organisation, User, UserKind
from services.kernel.logs.models import LogLine
from services.kernel.messages.models import Message
from services.modules.waste.models import Appointment, OneMapPush, Placed
from services.modules.waste.placing import Spot
from tests.services.kernel.logs.conftest import collect_all, logs
from tests.services.modules.waste.conftest import door_of_huangpu, made, resident, two_areas
from tests.web.test_kinds import signed_in
from tests.web.test_log_centre import text

__all__ = ["logs"]
WHY = "重复提交，已与您电话核实"
LIST = "/desk/ledgers/waste-appointments"


@pytest.fixture
def spot(logs: Any) -> Spot:
    resident()
    door = door_of_huangpu()
    return Spot(door.lon, door.lat, Placed.ADDRESS.value, door.uncertainty_m)


EAST, WEST = "东方收运公司", "永安物业公司"


def head_of(name: str) -> Client:
    """Return a client of who stands for an organisation of that name, which is made."""
    unit = Organisation.objects.create(name=name, credit_code=f"9131{len(name)}{ord(name[0])}TEST"[:18])
    user = User.objects.create(username=f"head-{unit.pk}", display_name="负责人", kind=UserKind.STAFF)
    grant_role(user=user, role="institution_head", granted_by="test", organisation=unit)
    return signed_in(user.username)


def listed(who: Client) -> set[str]:
    """Return the numbers of the appointments that the list of the desk shows somebody; its file and its map say the same."""
    page = text(who.get(LIST))
    file = b"".join(who.get(f"{LIST}/export?format=csv").streaming_content).decode("utf-8-sig")
    seen = {number for number in Appointment.objects.values_list("number", flat=True) if number in page}
    assert seen == {number for number in Appointment.objects.values_list("number", flat=True) if number in file}
    return seen


def cancelled(who: Client, row: Appointment, why: str = WHY, seen: int = 1) -> Any:
    return who.post(f"/desk/waste/{row.pk}/cancel", {"why_not": why, "seen": seen}, follow=True)


def state_of(row: Appointment) -> str:
    return str(Appointment.objects.get(pk=row.pk).get_state_display())


def one_with(role: str, code: str) -> Client:
    """Return a client of somebody of staff who holds a role over a region."""
    user = User.objects.create(username=f"{role}-{code}", display_name="经办", kind=UserKind.STAFF)
    region = RegionVersion.objects.get(edition__state="published", code=code).region
    grant_role(user=user, role=role, granted_by="test", region=region)
    return signed_in(user.username)


@pytest.mark.covers("CM-WASTE-21", via="services.modules.waste.actions:cancel_for_owner")
def test_an_appointment_is_called_off_by_who_made_it_and_by_staff(spot: Spot) -> None:
    """预约单取消, by both actors: 预约人 at /waste, 管理员 at the desk with a reason that the first is told."""
    owner, desk = signed_in("jumin"), signed_in("qu")
    # 预约人: asked once more, then called off
    own = made(spot, site="自己取消的")
    assert "取消这个预约？" in text(owner.get(f"/waste/{own.uid}/cancel"))
    assert state_of(own) == "已提交"
    assert "预约已取消。" in text(owner.post(f"/waste/{own.uid}/cancel", follow=True))
    assert state_of(own) == "已取消"
    assert "已取消" in text(owner.get(f"/waste/{own.uid}"))
    assert not Message.objects.filter(recipient__username="jumin").exists()
    # 管理员: offered on the page of the appointment, opened before anything happens
    row = made(spot, site="工作人员取消的")
    page = text(desk.get(f"/desk/waste/{row.pk}"))
    assert f'action="/desk/waste/{row.pk}/cancel"' in page
    assert "取消这个预约" in page
    assert "预约已取消，原因已告诉预约人。" in text(cancelled(desk, row))
    assert state_of(row) == "已取消"
    page = text(desk.get(f"/desk/waste/{row.pk}"))
    assert f"工作人员取消了这个预约。原因：{WHY}" in page
    assert f'action="/desk/waste/{row.pk}/cancel"' not in page
    # its owner is told, in the messages and on the appointment, which is changed no more
    told = Message.objects.get(recipient__username="jumin")
    assert (told.title, told.link) == ("工作人员取消的的清运预约已取消", f"/waste/{row.uid}")
    assert f"原因是“{WHY}”" in told.body
    assert f"原因：{WHY}" in text(owner.get(told.link))
    assert owner.get(f"/waste/{row.uid}/change")["Location"] == f"/waste/{row.uid}"
    # 一张图 is told of both, the ledger shows both, and who did it stands in the log centre
    pushed = OneMapPush.objects.filter(state="waiting").values_list("appointment_id", "what__state")
    assert set(pushed) == {(own.pk, "cancelled"), (row.pk, "cancelled")}
    listed = text(desk.get("/desk/ledgers/waste-appointments?f.state=cancelled"))
    assert [one.number for one in (own, row) if one.number not in listed] == []
    collect_all()
    line = LogLine.objects.filter(object_kind="waste_appointment", object_id=str(row.pk)).latest("at", "id")
    assert (line.actor, line.changes["cancelled_because"]) == ("qu", ["", WHY])


def test_what_is_not_called_off_says_why(spot: Spot) -> None:
    row, desk = made(spot), signed_in("qu")
    for why in ("", "   ", "长" * 201):
        refused = cancelled(desk, row, why)
        assert refused.status_code == 400
        assert "请写为什么取消，最多 200 个字，预约人会看到。" in text(refused)
    stale = cancelled(desk, row, seen=7)
    assert stale.status_code == 409
    assert "这个预约刚被改过" in text(stale)
    assert WHY in text(stale), "what was written stays"
    assert state_of(row) == "已提交"
    assert cancelled(desk, row).status_code == 200
    again = cancelled(desk, row, seen=2)
    assert again.status_code == 409
    assert "已经取消" in text(again)
    assert Message.objects.filter(recipient__username="jumin").count() == 1


def test_nobody_else_calls_it_off(spot: Spot) -> None:
    row = made(spot)
    assert Client().post(f"/desk/waste/{row.pk}/cancel", {"why_not": WHY, "seen": 1}).status_code == 302
    for name, status in (("jumin", 403), ("guihua", 403), ("jigou", 404)):
        assert cancelled(signed_in(name), row).status_code == status
    assert cancelled(one_with("street_clerk", "310101"), row).status_code == 403
    assert cancelled(one_with("district_manager", "310110"), row).status_code == 404
    assert signed_in("qu").get(f"/desk/waste/{row.pk}/cancel").status_code == 405
    assert state_of(row) == "已提交"
    assert not Message.objects.exists()


def test_one_whose_account_is_gone_is_called_off_all_the_same(spot: Spot) -> None:
    row = made(spot)
    Appointment.objects.filter(pk=row.pk).update(user=None)
    assert cancelled(signed_in("qu"), row).status_code == 200
    assert state_of(row) == "已取消"
    assert not Message.objects.exists()


@pytest.mark.covers("CM-WASTE-13", via="services.modules.waste.placing:organisation_of")
def test_everybody_concerned_lists_the_appointments_of_their_own_place(spot: Spot) -> None:
    """预约单列表 of 预约人, 物业/居委, 收运单位 and 区级管理: what is theirs, all of it, and nothing else."""
    carrier, keeper, stranger = head_of(EAST), head_of(WEST), head_of("别处收运公司")
    two_areas(west="永安物业", east="东方收运", cut=-30, owner="公司")
    east, west = made(spot, site="东边小区"), made(replace(spot, lon=spot.lon - 0.0008), site="西边小区")
    assert (east.fence_owner, west.fence_owner) == (EAST, WEST)
    both = {east.number, west.number}
    # 预约人: their own, at their page
    page = text(signed_in("jumin").get("/waste"))
    assert all(word in page for word in (*both, "东边小区", "西边小区", "已提交"))
    other = User.objects.create(username="linju", display_name="邻居", kind=UserKind.RESIDENT)
    page = text(signed_in(other.username).get("/waste"))
    assert not any(number in page for number in both)
    # 区级管理: the district
    assert listed(signed_in("qu")) == both
    assert listed(one_with("district_manager", "310110")) == set()
    # 收运单位, 物业: what lies in the fence they answer for, opened, but not changed
    assert listed(carrier) == {east.number}
    assert listed(keeper) == {west.number}
    assert listed(stranger) == set()
    page = text(carrier.get(f"/desk/waste/{east.pk}"))
    assert all(word in page for word in (east.number, "东边小区", EAST, "王**", "138****5678"))
    assert "13812345678" not in page
    assert "取消这个预约" not in page
    assert carrier.get(f"/desk/waste/{west.pk}").status_code == 404
    assert cancelled(carrier, east).status_code == 403
    # 居委: what lies in their committee
    own = RegionVersion.objects.get(edition__state="published", region=east.region_id)
    assert own.level == "committee"
    next_to = RegionVersion.objects.filter(
        edition__state="published", level="committee", path__startswith="310000.310101."
    )
    far = next_to.exclude(region__in=[east.region_id, west.region_id]).first()
    here = both if west.region_id == east.region_id else {east.number}
    assert listed(one_with("street_clerk", own.code)) == here
    assert listed(one_with("street_clerk", far.code)) == set()


def test_a_name_that_two_organisations_bear_opens_nothing(spot: Spot) -> None:
    head = head_of(EAST)
    Organisation.objects.create(name=EAST, credit_code="91310110TESTTWICE")
    two_areas(west="永安物业", east="东方收运", cut=-30, owner="公司")
    row = made(spot)
    assert (row.fence_owner, row.organisation) == (EAST, None)
    assert listed(head) == set()
    Organisation.objects.filter(credit_code="91310110TESTTWICE").update(active=False)
    assert made(spot).organisation == Organisation.objects.get(name=EAST, active=True)
