"""The page that changes whether a facility is open: who may, what is refused in words, what others see at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from geo.regions.models import RegionVersion
from services.access.demo import make_demo_accounts
from services.access.models import User
from services.facilities.models import Facility, StatusChange

pytestmark = pytest.mark.usefixtures("city")


def signed_in(name: str) -> Client:
    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def park(path: str) -> Facility:
    below = RegionVersion.objects.filter(edition__state="published", path__startswith=path).values("region_id")
    found = (
        Facility.objects.filter(retired_at=None, status="open", kind="park", region__in=below).order_by("pk").first()
    )
    assert found is not None
    return found


def said(answer: Any) -> str:
    return str(answer.content.decode())


def parks_near(place: Facility) -> set[int]:
    asked = {"lon": place.geom.x, "lat": place.geom.y, "crs": "cgcs2000", "kinds": "park", "k": 10}
    answer = Client(headers={"host": "localhost"}).get("/api/v1/nearest", asked)
    return {each["id"] for each in answer.json()["places"]}


def test_a_closed_place_is_gone_from_the_map_and_its_history_says_why() -> None:
    place, client = park("310000.310101."), signed_in("qu")
    assert place.pk in parks_near(place)
    assert "去维护" in said(client.get(f"/desk/ledgers/facilities/{place.pk}"))
    answer = client.post(
        f"/desk/facilities/{place.pk}/status",
        {"status": "suspended", "reason": "草坪养护", "effective_on": ""},
        follow=True,
    )
    assert "已改为“暂停服务”" in said(answer)
    assert "<del>开放</del> → <ins>暂停服务</ins>" in said(answer)
    change = StatusChange.objects.get(facility=place)
    assert (change.reason, change.actor) == ("草坪养护", "qu")
    assert "草坪养护" in said(client.get(f"/desk/facilities/{place.pk}/status"))
    assert place.pk not in parks_near(place)


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"status": "open"}, 409, "已经是“开放”"),
        ({"status": "gone"}, 400, "状态只能是"),
        ({"status": "closed", "effective_on": "2999-01-01"}, 400, "生效日期不能晚于今天"),
        ({"status": "closed", "effective_on": "昨天"}, 400, "要写成 2026-09-01 这样"),
        ({"status": "closed", "effective_on": "2026-02-30"}, 400, "要写成 2026-09-01 这样"),
    ],
)
def test_what_is_refused_is_said_beside_the_form(form: dict[str, str], status: int, words: str) -> None:
    place, client = park("310000.310101."), signed_in("qu")
    answer = client.post(f"/desk/facilities/{place.pk}/status", {"reason": "留着的字", **form})
    assert answer.status_code == status
    assert words in said(answer)
    assert "留着的字" in said(answer)
    assert not StatusChange.objects.filter(facility=place).exists()


def test_only_those_who_keep_a_place_may_change_it() -> None:
    ours, theirs = park("310000.310101."), park("310000.310110.")
    assert signed_in("qu").get(f"/desk/facilities/{theirs.pk}/status").status_code == 404
    for name in ("guihua", "jumin"):
        client = signed_in(name)
        assert client.post(f"/desk/facilities/{ours.pk}/status", {"status": "closed"}).status_code == 403
    assert "去维护" not in said(signed_in("guihua").get(f"/desk/ledgers/facilities/{ours.pk}"))
    assert not StatusChange.objects.exists()
