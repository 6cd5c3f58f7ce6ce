"""The weekly list and urging: each institution once, however often the clock or the staff try, and only by who may."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from services.facilities.models import Facility
from services.facilities.queries import city_now
from services.kernel.messages.models import Delivery, Message
from services.modules.selfreport import urging
from services.modules.selfreport.models import Reminder
from services.modules.selfreport.tasks import tell_every_institution
from services.modules.selfreport.urging import tell_unconfirmed
from tests.services.modules.selfreport.conftest import HEAD_PHONE, House, said, sent_texts, staff


def monday(hour: int = 10, weeks: int = 0) -> dt.datetime:
    now = city_now()
    day = now - dt.timedelta(days=now.weekday() - 7 * weeks)
    return day.replace(hour=hour, minute=0)


def test_every_monday_each_institution_is_told_once_in_app_and_by_short_message(house: House) -> None:
    house.keep_head_phone()
    assert tell_unconfirmed(now=monday(8)) == 0
    assert tell_unconfirmed(now=monday()) == 1
    message = Message.objects.get(recipient=house.head, event="selfreport.unconfirmed")
    assert message.title == "有 2 家的余位待确认"
    assert house.first.name in message.body
    assert message.link == "/my/places"
    (text,) = sent_texts(HEAD_PHONE)
    assert house.second.name in text
    assert tell_unconfirmed(now=monday() + dt.timedelta(days=3)) == 0
    Reminder.objects.all().delete()  # as if the worker had died before it noted that it told
    assert tell_unconfirmed(now=monday() + dt.timedelta(days=3)) == 0
    assert Message.objects.filter(recipient=house.head, event="selfreport.unconfirmed").count() == 1
    assert tell_unconfirmed(now=monday(weeks=1)) == 1
    assert Message.objects.filter(recipient=house.head, event="selfreport.unconfirmed").count() == 2


def test_a_worker_that_dies_between_institutions_goes_on_where_it_stopped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = urging._send, []

    def dies(*args: object, **more: object) -> object:
        calls.append(args)
        real(*args, **more)  # type: ignore[arg-type]
        raise SystemExit

    monkeypatch.setattr(urging, "_send", dies)
    with pytest.raises(SystemExit):
        tell_unconfirmed(now=monday())
    assert calls
    assert not Message.objects.filter(event="selfreport.unconfirmed").exists()
    monkeypatch.undo()
    assert tell_unconfirmed(now=monday()) == 1


def test_who_confirmed_is_not_told_and_the_clock_runs_the_same_code(house: House) -> None:
    Facility.objects.filter(organisation=house.organisation).update(vacancies_as_of=timezone.now())
    assert tell_unconfirmed(now=monday()) == 0
    assert tell_every_institution() == 0


def test_staff_see_what_is_unconfirmed_by_street_and_urge_once_a_day(house: House) -> None:
    clerk = staff("qu")
    page = said(clerk.get("/desk/unconfirmed"))
    assert "黄浦区" in page
    assert "家待确认" in page
    listed = said(clerk.get(f"/desk/ledgers/unconfirmed-places?id={house.first.pk}&id={house.second.pk}"))
    assert house.first.name in listed
    assert 'formaction="/desk/unconfirmed/urge"' in listed
    assert "找到 2 家" in listed
    exported = clerk.get(f"/desk/ledgers/unconfirmed-places/export?format=csv&id={house.first.pk}")
    assert house.first.name in b"".join(exported.streaming_content).decode("utf-8-sig")
    ids = {"id": [house.first.pk, house.second.pk]}
    asked = said(clerk.get("/desk/unconfirmed/urge", ids))
    assert house.first.name in asked
    assert "催了 2 家" in said(clerk.post("/desk/unconfirmed/urge", ids))
    again = said(clerk.post("/desk/unconfirmed/urge", ids))
    assert "今天已经催过 2 家" in again
    assert "没有催出去" in again
    assert Message.objects.filter(recipient=house.head, event="selfreport.urged").count() == 1
    assert Reminder.objects.get(facility=house.first).urged_by == "qu"
    Reminder.objects.update(urged_at=timezone.now() - dt.timedelta(days=1))
    assert "催了 1 家" in said(clerk.post("/desk/unconfirmed/urge", {"id": [house.first.pk]}))


def test_nobody_is_urged_by_another_district_or_in_place_of_nobody(house: House) -> None:
    strange = staff("yangpu")
    ids = {"id": [house.first.pk]}
    assert house.first.name not in said(strange.get("/desk/ledgers/unconfirmed-places"))
    assert house.first.name not in said(strange.get("/desk/unconfirmed/urge", ids))
    assert "1 家已经确认过，或不在您的管辖范围内" in said(strange.post("/desk/unconfirmed/urge", ids))
    assert staff("jigou").get("/desk/unconfirmed/urge", ids).status_code == 403
    assert staff("jigou").get("/desk/unconfirmed").status_code == 403
    Facility.objects.filter(pk=house.first.pk).update(organisation=None)
    assert "没有负责人账号 1 家" in said(staff("qu").post("/desk/unconfirmed/urge", ids))
    assert not Message.objects.filter(event="selfreport.urged").exists()
    assert not Delivery.objects.exists()
