"""Every route of every ledger, walked as roles of another region, another organisation, and nobody: nothing is found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import reduce
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.gis.geos import Point
from django.test import Client
from django.utils import timezone

from geo.addresses.placing import located
from geo.regions.models import Region, RegionVersion
from geo.regions.queries import path_of
from geo.scope import Scope
from services.access.actions import declare_roles, grant_role
from services.access.models import Organisation, User
from services.facilities.models import Facility
from services.fencing.checkins.models import CheckIn, Visit
from services.kernel.ledger.queries import visible
from services.kernel.ledger.registry import ledgers
from services.kernel.workflow.choosing import declared_flow
from services.kernel.workflow.models import Case, CatalogueEntry, MatterTemplate, PoolMember
from services.modules.advisers.ledgers import LEDGERS as ADVISER_LEDGERS
from services.modules.example.models import ServicePoint
from services.modules.finder.models import PlaceReport
from services.modules.opinions.models import Comment, Suggestion
from services.modules.selfreport.models import SelfReport
from services.modules.waste.models import Appointment
from tests.services.modules.advisers.samples import write_rows

pytestmark = pytest.mark.usefixtures("city")
HOME, ELSEWHERE = "310000.310101.", "310000.310110."
ALL = Scope(paths=("",), duties=frozenset({"*"}), actor="test")
ROUTES = ("", "?view=map", "/export?format=csv", "/export?format=geojson", "/print")


def region(path: str) -> Region:
    return RegionVersion.objects.get(edition__state="published", path=path).region


def below(path: str) -> set[int]:
    versions = RegionVersion.objects.filter(edition__state="published", path__startswith=path)
    return set(versions.values_list("region_id", flat=True))


def signed_in(name: str, role: str, **over: Any) -> Client:
    declare_roles()
    user = User.objects.create(username=name)
    grant_role(user=user, role=role, granted_by="test", **over)
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def body(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(content.decode())


def _case_elsewhere() -> None:
    flow = declared_flow("service_point")
    Case.objects.create(
        number="FW-1", matter=flow.matter, duty="cases.view", category="", source="online", title="", flow=flow,
        region=region(ELSEWHERE), opened_by="test",
    )  # fmt: skip


def _member_elsewhere() -> None:
    PoolMember.objects.create(region=region(ELSEWHERE), user=User.objects.create(username="far"), changed_by="test")


def _entry_elsewhere() -> None:
    template = MatterTemplate.objects.create(code="310110-X", name="外区事项", authority="外区", changed_by="test")
    CatalogueEntry.objects.create(template=template, region=region(ELSEWHERE), heading="外区", changed_by="test")


def _point_elsewhere() -> None:
    at = path_of(region(ELSEWHERE).pk, scope=ALL)[-1]
    ServicePoint.objects.create(
        case_number="FW-2", name="外区服务点", registered_on=timezone.localdate(), **located("", scope=ALL, inside=at)
    )


def _report_elsewhere() -> None:
    place = Facility.objects.filter(retired_at=None, region__in=below(ELSEWHERE)).order_by("pk")[0]
    PlaceReport.objects.create(
        mark=uuid4(), facility=place, region=place.region, what="phone", due_on=timezone.localdate()
    )


def _opinions_elsewhere() -> None:
    user = User.objects.create(username="far-author")
    place = Facility.objects.filter(retired_at=None, region__in=below(ELSEWHERE)).order_by("pk")[0]
    Comment.objects.create(
        user=user, facility=place, region=place.region, author="张**", overall=3, written_at=timezone.now()
    )
    Suggestion.objects.create(
        user=user, facility=place, region=place.region, about="place", text="外区", due_on=timezone.localdate()
    )


def _self_report_elsewhere() -> None:
    now = timezone.now()
    SelfReport.objects.create(
        kind="nursery", name="外区", region=region(ELSEWHERE), sent_at=now, expires_at=now + dt.timedelta(days=7),
        made_by="test",
    )  # fmt: skip


def _advice_elsewhere() -> None:
    write_rows(region=region(ELSEWHERE), scope=ALL)


def _taken_down_elsewhere() -> None:
    place = Facility.objects.filter(retired_at=None, region__in=below(ELSEWHERE)).first()
    assert place is not None
    Facility.objects.filter(pk=place.pk).update(retired_at=timezone.now())


def _appointment_elsewhere() -> None:
    at = path_of(region(ELSEWHERE).pk, scope=ALL)[-1]
    told = {"area": "home", "site_name": "外区", "placed": "picked", "amount": 1, "unit": "bags", "changed_by": "test"}
    told |= located("", scope=ALL, inside=at) | {"address_text": "外区", "wanted_on": timezone.localdate()}
    Appointment.objects.create(number="ZX-1", user=User.objects.create(username="far-renovator"), **told)


def _checkin_elsewhere() -> None:
    worker, now = User.objects.create(username="far-worker"), timezone.now()
    centre = Organisation.objects.create(name="外区服务中心", region=region(ELSEWHERE))
    visit = Visit.objects.create(
        number="SM-1", key=uuid4(), kind="care_subsidy", organisation=centre, worker=worker, region=region(ELSEWHERE),
        from_at=now, to_at=now + dt.timedelta(hours=1), details="", tolerance_m=150, made_by="test", changed_by="test",
    )  # fmt: skip
    CheckIn.objects.create(
        key=uuid4(), visit=visit, worker=worker, organisation=centre, region=region(ELSEWHERE), act="in", at=now, counts=True,
        manual=False, verdict="present", said="到位", face="matched", via="phone", position_digest="0" * 64,
    )  # fmt: skip


_MADE_ELSEWHERE: dict[str, Callable[[], None]] = {
    "cases": _case_elsewhere,
    "pool-members": _member_elsewhere,
    "matter-catalogue": _entry_elsewhere,
    **{each.key: _advice_elsewhere for each in ADVISER_LEDGERS},
    "place-reports": _report_elsewhere,
    "place-comments": _opinions_elsewhere,
    "suggestions": _opinions_elsewhere,
    "self-reports": _self_report_elsewhere,
    "service_points": _point_elsewhere,
    "waste-appointments": _appointment_elsewhere,
    "checkins": _checkin_elsewhere,
    "facilities-down": _taken_down_elsewhere,
}


def foreign(key: str) -> Any:
    """Return a row of a ledger that lies elsewhere, marked so that any trace of it is found."""
    spec = ledgers()[key]
    if key == "organisations":
        made = Organisation.objects.create(
            name="外区甲机构", region=region(ELSEWHERE), credit_code="91310110MA1FOREIGN"
        )
        return made, "外区甲机构"
    _MADE_ELSEWHERE.get(key, lambda: None)()
    row = visible(spec, scope=ALL).filter(**{f"{spec.region}__in": below(ELSEWHERE)}).order_by("pk").last()
    assert row is not None
    mark = f"外区标记{row.pk}"
    *way, name = spec.name.split("__")
    named = reduce(getattr, way, row)
    type(named)._default_manager.filter(pk=named.pk).update(**{name: mark})
    return row, mark


PLACED = sorted(key for key, spec in ledgers().items() if spec.region)


@pytest.mark.parametrize("role", ["district_manager", "street_clerk", "planner"])
@pytest.mark.parametrize("key", PLACED)
def test_another_region_finds_nothing(key: str, role: str) -> None:
    row, mark = foreign(key)
    client = signed_in("other", role, region=region(HOME))
    owner = signed_in("owner", "city_manager", region=region("310000."))
    refused = client.get(f"/desk/ledgers/{key}").status_code == 403
    box = "bbox=120,30,123,33"
    asked = [f"?q={mark}", f"?id={row.pk}", f"?open={row.pk}", "?region=310110"]
    for route in [*ROUTES, *asked, f"/pins.json?{box}", f"/pins.json?{box}&id={row.pk}", f"/{row.pk}"]:
        answer = client.get(f"/desk/ledgers/{key}{route}")
        if refused:
            assert answer.status_code == 403, route
        else:
            assert answer.status_code in (200, 400, 404), route
            # what was typed stands in the field of search, and only there
            assert mark not in body(answer).replace(f'value="{mark}"', "").replace(f"“{mark}”", ""), route
    assert client.get(f"/desk/ledgers/{key}/{row.pk}").status_code == (403 if refused else 404)
    assert mark in body(owner.get(f"/desk/ledgers/{key}?id={row.pk}")), "what is looked for must be there to be hidden"


def test_another_organisation_finds_nothing() -> None:
    mine, theirs = Organisation.objects.create(name="甲"), Organisation.objects.create(name="乙")
    rows = list(Facility.objects.filter(retired_at=None).order_by("pk")[:2])
    for row, owner, name in zip(rows, (mine, theirs), ("甲家的园", "乙家的园"), strict=True):
        Facility.objects.filter(pk=row.pk).update(organisation=owner, name=name)
    client = signed_in("head", "institution_head", organisation=mine)
    for route in (*ROUTES, "/pins.json?bbox=120,30,123,33"):
        said = body(client.get(f"/desk/ledgers/facilities{route}"))
        assert "乙家的园" not in said, route
    assert "甲家的园" in body(client.get("/desk/ledgers/facilities"))
    assert client.get(f"/desk/ledgers/facilities/{rows[1].pk}").status_code == 404
    assert body(client.get("/desk/ledgers/organisations")).count("row-link") == 1


@pytest.mark.parametrize("key", sorted(ledgers()))
def test_residents_and_strangers_come_to_no_ledger(key: str) -> None:
    resident = signed_in("resident", "resident", person_id=7)
    stranger = Client(headers={"host": "localhost"})
    for route in (*ROUTES, "/1", "/pins.json?bbox=120,30,123,33"):
        assert resident.get(f"/desk/ledgers/{key}{route}").status_code == 403, route
        answer = stranger.get(f"/desk/ledgers/{key}{route}")
        assert answer.status_code == 302, route
        assert answer["Location"].startswith("/sign-in"), route


def test_a_part_of_the_city_does_not_open_what_belongs_to_all_of_it() -> None:
    client = signed_in("part", "city_manager", region=region(HOME))
    assert client.get("/desk/ledgers/audit").status_code == 403
    assert "审计记录" not in body(client.get("/desk"))
    whole = signed_in("whole", "city_manager", region=region("310000."))
    assert whole.get("/desk/ledgers/audit").status_code == 200


def test_rows_of_no_region_are_for_those_who_see_the_city() -> None:
    one = Facility.objects.filter(retired_at=None).order_by("pk").first()
    assert one is not None
    Facility.objects.filter(pk=one.pk).update(
        region=None, name="无区划的点", geom=Point(121.9, 30.9, srid=one.geom.srid)
    )
    whole = signed_in("whole", "city_manager", region=region("310000."))
    part = signed_in("part", "district_manager", region=region(HOME))
    assert "无区划的点" in body(whole.get(f"/desk/ledgers/facilities?id={one.pk}"))
    assert "无区划的点" not in body(part.get(f"/desk/ledgers/facilities?id={one.pk}"))
