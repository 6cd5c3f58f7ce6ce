"""Rows that stand against places for elders of a district: one of each indicator, at places of one street where there are some."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple
from uuid import uuid4

from django.utils import timezone

from geo.imports.models import CURRENT
from geo.regions.models import EditionState, RegionVersion
from services.access.models import User, UserKind
from services.facilities.models import Facility
from services.facilities.queries import city_now
from services.modules.advisers.models import StaffingAlert
from services.modules.finder.models import PlaceReport
from services.modules.opinions.models import Comment, Suggestion

KEYS = (
    "stopped", "suggestions-late", "short-of-advisers", "unconfirmed", "reports", "low-ratings", "comments-waiting",
    "replies-waiting",
)  # fmt: skip


class Street(NamedTuple):
    """A street with some places for elders, the first of which everything stands against."""

    code: str
    district: str
    name: str
    places: list[Facility]


def street_of(district: str, least: int = 3) -> Street:
    """Return the first street of a district, by code, with so many open places for elders beside any point of advisers."""
    for version in RegionVersion.objects.filter(
        edition__state=EditionState.PUBLISHED, level="street", path__contains=f".{district}."
    ).order_by("code"):
        under = RegionVersion.objects.filter(edition=version.edition, path__startswith=version.path)
        places = Facility.objects.filter(
            CURRENT, status="open", kind__group="eldercare", region__in=under.values("region")
        ).exclude(kind="adviser_site")
        if places.count() >= least:
            return Street(version.code, district, version.name, list(places.order_by("pk")))
    raise AssertionError(f"{district} has no street with {least} places: the test would prove nothing")


def settle_all(district: str = "") -> None:
    """Let nothing stand against any place: everything confirmed, nothing said."""
    Facility.objects.filter(kind__group="eldercare").update(status="open", vacancies_as_of=timezone.now())
    for model in (PlaceReport, Comment, Suggestion, StaffingAlert):
        model.objects.all().delete()


def stand_against(place: Facility, name: str = "watch") -> dict[str, Any]:
    """Let one row of every indicator stand against a place but that it stopped; return the rows by indicator."""
    now = timezone.now()
    today = city_now().date()
    user, _ = User.objects.get_or_create(username=f"{name}-{place.pk}", kind=UserKind.RESIDENT)
    other, _ = User.objects.get_or_create(username=f"{name}-other-{place.pk}", kind=UserKind.RESIDENT)
    Facility.objects.filter(pk=place.pk).update(places=20, vacancies=3, vacancies_as_of=now - dt.timedelta(days=40))
    comment = {"facility": place, "region": place.region, "author": "张**", "written_at": now}
    return {
        "unconfirmed": place,
        "reports": PlaceReport.objects.create(
            mark=uuid4(), facility=place, region=place.region, what="phone", text="电话打不通", due_on=today
        ),
        "suggestions-late": Suggestion.objects.create(
            facility=place, region=place.region, about="place", text="门口加扶手", due_on=today - dt.timedelta(days=2)
        ),
        "short-of-advisers": StaffingAlert.objects.create(site=place, least=2, present=1, opened_at=now),
        "low-ratings": Comment.objects.create(
            user=user, overall=1, text="没有人接待", state="published", reply="正在改", reply_state="new", **comment
        ),
        "comments-waiting": Comment.objects.create(user=other, overall=5, text="饭菜软", state="new", **comment),
    }
