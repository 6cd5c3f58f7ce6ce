"""Platforms of service centres report check-ins and read what they came to: signed, of their own centre, without positions."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from geo.scope import Scope
from services.access.clients.actions import Wanted, make_client_key, register_client
from services.fencing.checkins.models import CheckIn, Visit
from services.fencing.checkins.queries import to_review
from services.fencing.checkins.sealing import home_of
from services.integrations.signing import signed_headers
from tests.services.fencing.checkins.visiting import Centre, make_centre, visit_of

PATH = "/api/v1/checkins"
CODE = "52310101MJ4910001A"
HOME = "203.0.113.7"


class Platform:
    """A centre's platform that signs its calls."""

    def __init__(self, app: str, secret: str) -> None:
        self.app, self.secret, self.client = app, secret, Client(raise_request_exception=False)

    def headers(self, method: str, query: str, body: bytes = b"") -> dict[str, str]:
        signed = signed_headers(
            app=self.app, secret=self.secret, method=method, path=PATH, query=query, body=body
        )  # fmt: skip
        return {**signed, "X-Real-IP": HOME}

    def get(self, query: str) -> Any:
        return self.client.get(f"{PATH}?{query}", headers=self.headers("GET", query))

    def post(self, said: Any, query: str = f"organisation={CODE}") -> Any:
        body = json.dumps(said).encode()
        headers = self.headers("POST", query, body)
        return self.client.post(f"{PATH}?{query}", body, content_type="application/json", headers=headers)


@pytest.fixture
def platform(centre: Centre) -> Iterator[Platform]:
    cache.clear()
    centre.organisation.credit_code = CODE
    centre.organisation.save()
    manager = Scope(paths=("310000.",), duties=frozenset({"clients.edit"}), actor="shi")
    wanted = Wanted(
        name="银杏工单平台", keeper="张老师", region="310101", networks=["203.0.113.0/28"],
        operations=["checkins.read", "checkins.report"], regions=["310101"], organisations=[CODE],
    )  # fmt: skip
    client = register_client(wanted=wanted, scope=manager)
    _, secret = make_client_key(app=client.app, scope=manager)
    yield Platform(client.app, secret)
    cache.clear()


def report(visit: Visit, north_m: float = 0.0, **over: Any) -> dict[str, Any]:
    home = home_of(visit)
    position = {"lon": home.lon, "lat": home.lat + north_m * 0.000009, "crs": "cgcs2000", "accuracy": 20}
    said = {
        "key": str(uuid.uuid4()), "visit": visit.number, "act": "in", "at": timezone.now().isoformat(),
        "position": position, "face": "matched", "face_number": "RL-1",
    }  # fmt: skip
    return said | over


def test_a_report_is_judged_once_and_read_again(centre: Centre, platform: Platform) -> None:
    visit = visit_of(centre, external="GD-7")
    said = report(visit, north_m=50) | {"visit": "", "external": "GD-7"}
    first = platform.post(said)
    assert first.status_code == 200
    told = first.json()
    assert (told["verdict"], told["counts"], told["distance_m"], told["face"]) == ("present", True, 50, "matched")
    assert platform.post(said).json()["id"] == told["id"]
    assert CheckIn.objects.get().via.startswith("client:")
    read = platform.get(f"organisation={CODE}").json()
    assert [one["visit"] for one in read["checkins"]] == [visit.number]
    assert str(home_of(visit).lon)[:7] not in json.dumps(read)  # no position goes out
    out = platform.post(report(visit, act="out", at=(timezone.now()).isoformat()))
    assert out.json()["counts"]
    pages = platform.get(f"organisation={CODE}&limit=1").json()
    assert len(pages["checkins"]) == 1
    assert [one["act"] for one in platform.get(f"organisation={CODE}&after={pages['next']}").json()["checkins"]] == [
        "out"
    ]


@pytest.mark.parametrize(
    ("over", "verdict", "counts"),
    [
        ({"face": "different"}, "present", False),
        ({"position": None}, "unlocated", False),
        ({"position": None, "face": "none", "words": "地下室没有信号"}, "unlocated", True),
    ],
)
def test_what_is_not_sure_does_not_count_but_words_do_for_review(
    centre: Centre, platform: Platform, over: dict[str, Any], verdict: str, counts: bool
) -> None:
    told = platform.post(report(visit_of(centre), **over)).json()
    assert (told["verdict"], told["counts"], told["reviewed"]) == (verdict, counts, None)
    assert to_review(scope=centre.scope(centre.keeper)).exists() == counts


def test_a_moment_is_of_the_last_day_and_judged_as_of_then(centre: Centre, platform: Platform) -> None:
    visit = visit_of(centre)
    early = platform.post(report(visit, at=(timezone.now() - dt.timedelta(hours=3)).isoformat())).json()
    assert (early["verdict"], early["counts"]) == ("untimely", False)
    for hours in (-25, 1):
        answer = platform.post(report(visit, at=(timezone.now() + dt.timedelta(hours=hours)).isoformat()))
        assert (answer.status_code, answer.json()["code"]) == (400, "moment_odd")


def test_a_platform_reaches_its_own_centre_only(centre: Centre, platform: Platform) -> None:
    other = visit_of(make_centre("别家中心", "b-"))
    assert platform.post(report(other)).json()["code"] == "visit_unknown"
    assert platform.post(report(other), "organisation=91310000MA1K00000X").json()["code"] == "organisation_not_listed"
    assert platform.get("day=2026-11-22").json()["code"] == "parameter_not_once"
    assert Client().post(f"{PATH}?organisation={CODE}", "{}", content_type="application/json").status_code == 401
    odd = report(other) | {"position": {"lon": 121, "lat": 31, "crs": "bd09", "accuracy": 1}}
    assert platform.post(odd).json()["code"] == "parameter_invalid"
    assert not CheckIn.objects.exists()
