"""Staff of a street and its district in the tiny city, advisory points there, and advisers at them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from geo.regions.models import Region, RegionVersion
from geo.regions.queries import path_of
from geo.scope import Scope
from services.access.actions import declare_roles, grant_role
from services.access.models import User
from services.access.queries import Caller, scope_of
from services.facilities.models import Facility
from services.kernel.rules.actions import open_draft, publish_version, save_sheet
from services.kernel.rules.deciding.sheets import Line, Sheet
from services.modules.advisers.models import Adviser, StaffingAlert

STREET, DISTRICT, CITY, OTHER = "外滩街道", "黄浦区", "上海市", "杨浦区"


def region_named(name: str) -> Region:
    return Region.objects.get(versions__edition__state="published", versions__name=name)


def code_of(name: str) -> str:
    return str(RegionVersion.objects.get(edition__state="published", name=name).code)


def person(username: str, role: str = "", region: str = STREET, **over: Any) -> User:
    declare_roles()
    user, made = User.objects.get_or_create(username=username, defaults={"display_name": username})
    if made and role:
        where = over or {"region": region_named(region)}
        grant_role(user=user, role=role, granted_by="test", from_day=dt.date(2026, 1, 1), **where)
    return user


def client_of(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def scope(user: User) -> Scope:
    return scope_of(Caller(user))


class World:
    """A street clerk, a district manager and a city manager; a point of the street; someone of another district."""

    def __init__(self) -> None:
        self.clerk = person("jz-wang", "street_clerk")
        self.district = person("qu-li", "district_manager", DISTRICT)
        self.city = person("shi-chen", "city_manager", CITY)
        self.other = person("yp-zhao", "district_manager", OTHER)
        self.site = self.site_of(STREET)
        self.street = STREET
        self.made = 0

    def site_of(self, name: str) -> Facility:
        rows = Facility.objects.filter(kind="adviser_site", retired_at=None).order_by("pk")
        found = next(
            row for row in rows if name in {each.name for each in path_of(row.region_id, scope=Scope.public())}
        )
        Facility.objects.filter(pk=found.pk).update(status="open")
        found.refresh_from_db()
        return found

    def adviser(self, name: str = "周明", *, site: Facility | None = None, **more: Any) -> Adviser:
        self.made += 1
        given: dict[str, Any] = {
            "site": site or self.site, "name": name, "engaged": "full", "certificate": f"SH-GW-{self.made:04d}",
            "certified_on": dt.date(2025, 3, 1), "from_day": dt.date(2026, 1, 5),
        }  # fmt: skip
        return Adviser.objects.create(**(given | more))

    def threshold(self, least: int, *, region: str = "", by: User | None = None) -> None:
        """Let staff write that every point needs so many advisers."""
        publish(region, [{"least": str(least)}], scope(by or self.city))

    def alerts(self) -> list[tuple[str, int, int]]:
        rows = StaffingAlert.objects.filter(site=self.site).order_by("pk")
        return list(rows.values_list("state", "present", "least"))


def publish(region: str, lines: list[dict[str, str]], by: Scope) -> None:
    """Publish a table of thresholds; each line holds ``least`` and cells by fact."""
    draft = open_draft(key="advisers.staffing", region=code_of(region) if region else "", scope=by)
    asks = tuple(dict.fromkeys(key for line in lines for key in line if key != "least")) or ("level",)
    rows = [
        Line(f"r{number}", tuple(line.get(key, "") for key in asks), (line["least"],))
        for number, line in enumerate(lines)
    ]
    kept = save_sheet(version_id=draft.pk, sheet=Sheet(asks, ("least",), tuple(rows)), seen=draft.revision, scope=by)
    publish_version(
        version_id=kept.pk, seen=kept.revision, from_day=timezone.localdate(), reason="人员要求", accept=True, scope=by
    )


@pytest.fixture
def world(city: None) -> World:
    return World()
