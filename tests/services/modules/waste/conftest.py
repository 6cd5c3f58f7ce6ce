"""A resident of 黄浦, an address of the tiny city, 片区 that hold it, and a back end of 一张图."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import shapely
from django.core.cache import cache
from django.utils import timezone

from geo.addresses.geocode import Candidate, geocode
from geo.addresses.land import land_of
from geo.addresses.models import Address
from geo.fences.models import FenceEdition
from geo.geometry import from_plane
from geo.imports.models import CURRENT
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.demo import make_demo_accounts
from services.access.models import User
from services.access.queries import Caller, scope_of
from services.integrations.onemap.client import metres_of
from services.integrations.onemap.simulator import Door, Simulator
from services.modules.waste.actions import make_appointment
from services.modules.waste.models import Appointment
from services.modules.waste.placing import Spot
from tests.services.fencing.sets import HUANGPU, district, draft, drawn, published

NAME, PHONE = "王小明", "13812345678"


def scope(username: str) -> Scope:
    return scope_of(Caller(User.objects.get(username=username)))


def resident() -> User:
    make_demo_accounts()
    return User.objects.get(username="jumin")


def door_of_huangpu() -> Candidate:
    """Return a door of 黄浦 that is found by its address and by nothing else."""
    rows = Address.objects.filter(CURRENT, region__versions__path__contains=f".{HUANGPU}.").exclude(number="")
    for row in rows.filter(room="", community__isnull=False).order_by("pk")[:200]:
        found = geocode(row.text, scope=Scope.public())
        if len(found) == 1 and found[0].level == "door" and not found[0].penalties:
            return found[0]
    raise AssertionError("the tiny city has no such door")


def two_areas(west: str = "西片", east: str = "东片", *, cut: float = 0.0, owner: str = "环卫所") -> FenceEdition:
    """Publish 片区 of waste that halve 黄浦 where the door stands, ``cut`` metres east of it."""
    edition = draft("waste")
    edition.areas.all().delete()
    ground = land_of(district()).district
    assert ground is not None
    door = door_of_huangpu()
    x, _ = metres_of(door.lon, door.lat)
    low, bottom, high, top = ground.bounds
    for name, box in (
        (west, shapely.box(low - 1, bottom - 1, x + cut, top + 1)),
        (east, shapely.box(x + cut, bottom - 1, high + 1, top + 1)),
    ):
        drawn(edition, name, from_plane(shapely.intersection(ground, box), current_city()), owner=f"{name}{owner}")
    return published(edition)


def answers(**over: Any) -> dict[str, Any]:
    return {
        "address": "黄浦区某路1号", "site": "演示小区", "area": "home", "amount": Decimal(12), "unit": "bags",
        "day": (timezone.localdate() + dt.timedelta(days=5)).isoformat(), "name": NAME, "phone": PHONE,
    } | over  # fmt: skip


def made(spot: Spot, **over: Any) -> Appointment:
    return make_appointment(
        key=uuid4(), user=User.objects.get(username="jumin"), answers=answers(**over), spot=spot, scope=scope("jumin")
    )


@pytest.fixture
def one_map(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    with Simulator(app="quantu", secret="s3cret") as simulator:
        settings.ONE_MAP_URL, settings.ONE_MAP_APP, settings.ONE_MAP_SECRET = simulator.url, "quantu", "s3cret"
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        yield simulator


def known_there(simulator: Simulator, found: Candidate, *, east: float = 0.0) -> None:
    """Let the back end know a door, so many metres east of where we know it."""
    x, y = metres_of(found.lon, found.lat)
    simulator.doors.append(Door(found.label, x + east, y))
