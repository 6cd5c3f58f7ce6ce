"""An institution with two nurseries in 黄浦, its head, managers of its district and of another one, and short messages as they went."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from geo.regions.models import Region, RegionVersion
from services.access.actions import grant_role
from services.access.demo import make_demo_accounts
from services.access.models import Organisation, User
from services.crypto.sealing import unseal
from services.facilities.models import Facility
from services.kernel.messages.actions import TEXT_FIELD, keep_phone
from services.kernel.messages.models import Delivery
from services.kernel.messages.phones import PHONE_FIELD

HERE = "310000.310101."
PHONE = "13812345678"
HEAD_PHONE = "13912340000"
WEEK = {day: [["08:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")} | {"sat": [], "sun": []}


class House:
    """The institution, its two places, and devices of the people about it."""

    def __init__(self) -> None:
        make_demo_accounts()
        self.head = User.objects.get(username="jigou")
        self.organisation = Organisation.objects.get(name__startswith="小石库门托育园")
        published = RegionVersion.objects.filter(edition__state="published", path__startswith=HERE)
        rows = Facility.objects.filter(
            kind="nursery", status="open", retired_at=None, region__in=published.values("region")
        )
        self.first, self.second = rows.order_by("pk")[:2]
        lately = timezone.now() - dt.timedelta(days=40)
        for place, places, vacancies in ((self.first, 60, 3), (self.second, 40, 0)):
            place.organisation, place.places, place.vacancies = self.organisation, places, vacancies
            place.vacancies_as_of, place.vacancies_source = lately, "institution"
            place.hours, place.hours_as_of = WEEK, lately.date()
            place.save()
        other = User.objects.create(username="yangpu", display_name="杨浦管理员")
        region = Region.objects.get(versions__code="310110", versions__edition__state="published")
        grant_role(user=other, role="district_manager", granted_by="shi", region=region)
        self.elsewhere = other

    def keep_head_phone(self) -> None:
        keep_phone(user=self.head, phone=HEAD_PHONE)


@pytest.fixture
def house(city: None) -> House:
    cache.clear()
    return House()


def device() -> Client:
    """Return a browser nobody signed in on."""
    return Client(headers={"host": "localhost"})


def staff(username: str) -> Client:
    client = device()
    client.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    return client


def said(answer: Any) -> str:
    return str(answer.content.decode())


def hidden(page: str, name: str, nth: int = 0) -> str:
    """Return the value of the nth hidden field of a name on a page."""
    return re.findall(rf'name="{re.escape(name)}" value="([^"]*)"', page)[nth]


def sent_texts(phone: str) -> list[str]:
    """Return the texts of the short messages to a number, in the order they were written."""
    rows = Delivery.objects.order_by("made_at", "pk")
    return [
        unseal(row.text, field=TEXT_FIELD, owner=row.pk)
        for row in rows
        if unseal(row.phone, field=PHONE_FIELD, owner=row.pk) == phone
    ]
