"""A family, staff of its district and of another one, and institutions of the tiny city."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from geo.scope import Scope
from services.access.demo import make_demo_accounts
from services.access.models import User, UserKind
from services.access.queries import Caller, scope_of
from services.facilities.models import Facility

HERE = "310000.310101."


class Family:
    """A resident account with its browser, beside a device that nobody signed in on."""

    def __init__(self) -> None:
        make_demo_accounts()
        self.user = User.objects.create(username="mama", display_name="陈女士", kind=UserKind.RESIDENT)
        self.device = Client(headers={"host": "localhost"})

    def signed_in(self, client: Client | None = None) -> Client:
        client = client or Client(headers={"host": "localhost"})
        client.force_login(self.user, backend="django.contrib.auth.backends.ModelBackend")
        return client


@pytest.fixture
def family(city: None) -> Family:
    cache.clear()
    return Family()


@pytest.fixture
def places(city: None) -> dict[str, Facility]:
    """Return an open institution of some kinds; the nurseries lie in 黄浦."""
    found = {}
    for kind in ("nursery", "parenting_station", "care_home"):
        rows = Facility.objects.filter(kind=kind, status="open", retired_at=None)
        here = rows.filter(region__versions__path__startswith=HERE, region__versions__edition__state="published")
        found[kind] = here.order_by("pk").first() or rows.order_by("pk").first()
    return found


def staff(username: str) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    return client


def scope(username: str) -> Scope:
    return scope_of(Caller(User.objects.get(username=username)))


def said(answer: Any) -> str:
    return str(answer.content.decode())
