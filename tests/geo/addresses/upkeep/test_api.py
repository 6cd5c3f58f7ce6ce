"""Upkeep over HTTP on the tiny city: who may, what is answered, and that every question about addresses is answered anew at once."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
import pytest
from django.test import Client

from geo.addresses import jobs
from geo.addresses.models import Address, AddressChange
from geo.addresses.upkeep.versions import version_of
from geo.jobs.actions import run_job
from geo.jobs.models import Job
from geo.regions.models import RegionVersion
from services.access.actions import create_api_key, grant_role
from services.access.demo import make_demo_accounts
from services.access.models import User

pytestmark = pytest.mark.usefixtures("city")
WHY = "现场核实"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo.jobs.actions.enqueue_job", lambda **asked: None)


class Caller:
    """A program with the key of a demo account."""

    def __init__(self, username: str) -> None:
        user = User.objects.get(username=username)
        _, token = create_api_key(user=user, name="测试")
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        answer = self.client.get(f"/api/v1{path}", params)
        assert answer.status_code == status, answer.content.decode()
        return answer.json()

    def send(self, method: str, path: str, body: dict[str, Any], status: int = 200, **headers: str) -> Any:
        answer = self.client.generic(method, f"/api/v1{path}", orjson.dumps(body), "application/json", headers=headers)
        assert answer.status_code == status, answer.content.decode()
        return answer.json()

    def post(self, path: str, body: dict[str, Any], status: int = 200, **headers: str) -> Any:
        return self.send("POST", path, body, status, **headers)


STREET = "310000.310101.310101002."
"""南京东路街道: the tiny city has doors there."""


@pytest.fixture
def accounts() -> None:
    make_demo_accounts()
    user = User.objects.create_user("nandong", password="not-a-real-one")
    region = RegionVersion.objects.get(path=STREET, edition__state="published").region
    grant_role(user=user, role="street_clerk", region=region, granted_by="test")


@pytest.fixture
def clerk(accounts: None) -> Caller:
    return Caller("nandong")


@pytest.fixture
def manager(accounts: None) -> Caller:
    return Caller("shi")


@pytest.fixture
def doors(accounts: None) -> list[Address]:
    """Return doors of plain roads in the clerk's street, in the order of their numbers."""
    regions = RegionVersion.objects.filter(path__startswith=STREET, edition__state="published").values("region_id")
    rows = Address.objects.filter(retired_at=None, lane="", suffix="", building="", region__in=regions).exclude(
        number=""
    )
    return list(rows.order_by("road", "normal", "pk")[:8])


def geocoded(text: str) -> list[tuple[str, str]]:
    found = Client().get("/api/v1/geocode", {"q": text}).json()["candidates"]
    return [(one["level"], one["label"]) for one in found]


def suggested(text: str) -> list[str]:
    return [one["label"] for one in Client().get("/api/v1/suggest", {"q": text}).json()["suggestions"]]


def standardised(text: str) -> tuple[str, str]:
    (row,) = (
        Client()
        .post("/api/v1/addresses/standardise", {"items": [text]}, content_type="application/json")
        .json()["items"]
    )
    return row["status"], row["standard"]


class TestAtOnce:
    """After an act every question about addresses is answered with it."""

    def test_a_corrected_number_and_point(self, clerk: Caller, doors: list[Address]) -> None:
        door = doors[0]
        seen = clerk.get(f"/addresses/{door.pk}")
        # one metre to the north is still in the street
        body = {"suffix": "甲", "lon": door.geom.x, "lat": door.geom.y + 0.00001, "reason": WHY}
        answer = clerk.send("PATCH", f"/addresses/{door.pk}", body, **{"If-Match": f'"{seen["version"]}"'})
        new = f"{door.normal}甲"
        assert answer["addresses"][0]["normal"] == new
        assert geocoded(new)[0] == ("door", f"黄浦区{new}")
        assert suggested(new)[0] == new
        assert standardised(new)[0] == "matched"
        here = Client().get("/api/v1/reverse", {"lon": door.geom.x, "lat": door.geom.y + 0.00001}).json()["candidates"]
        assert new in here[0]["label"]

    def test_a_road_that_nobody_knew(self, clerk: Caller, doors: list[Address]) -> None:
        spot = doors[0].geom
        assert geocoded("崭新地名路5号") == []
        body = {"text": "崭新地名路5号", "lon": spot.x, "lat": spot.y, "reason": WHY}
        made = clerk.post("/addresses", body, 201)
        assert geocoded("崭新地名路5号") == [("door", "黄浦区崭新地名路5号")]
        assert "崭新地名路" in suggested("崭新地名")
        assert standardised("崭新地名路5号")[0] == "matched"
        clerk.post(f"/addresses/changes/{made['change']['id']}/undo", {"reason": "看错了"})
        assert geocoded("崭新地名路5号") == []
        assert "崭新地名路" not in suggested("崭新地名")

    def test_a_merged_one_an_alias_and_a_split_one(self, clerk: Caller, doors: list[Address]) -> None:
        stays, goes, split, named = doors[:4]
        clerk.post("/addresses/merge", {"survivor": stays.pk, "merged": [goes.pk], "reason": WHY})
        assert geocoded(goes.normal)[0] == ("door", f"黄浦区{stays.normal}")
        into = [{"suffix": "甲"}, {"suffix": "乙", "lon": split.geom.x, "lat": split.geom.y}]
        clerk.post(f"/addresses/{split.pk}/split", {"into": into, "reason": WHY, "version": version_of(split)})
        assert geocoded(f"{split.normal}乙")[0] == ("door", f"黄浦区{split.normal}乙")
        body = {"text": "从前的路88号", "kind": "old_name", "to_day": "1990-12-31", "reason": WHY}
        clerk.post(f"/addresses/{named.pk}/aliases", {**body, "version": version_of(named)}, 201)
        assert geocoded("从前的路88号")[0] == ("door", f"黄浦区{named.normal}")
        assert suggested("从前的路88号")[0] == named.normal
        gone = clerk.get(f"/addresses/{goes.pk}")
        assert (gone["retired"], gone["successors"]) == (True, [stays.pk])
        assert clerk.get(f"/addresses/{named.pk}")["aliases"][0]["to_day"] == "1990-12-31"

    def test_a_retired_one(self, clerk: Caller, doors: list[Address]) -> None:
        door = doors[0]
        clerk.post(f"/addresses/{door.pk}/retire", {"reason": WHY, "version": version_of(door)})
        assert ("door", f"黄浦区{door.normal}") not in geocoded(door.normal)


class TestLists:
    def test_a_clerk_sees_the_own_street_and_nothing_else(self, clerk: Caller, manager: Caller) -> None:
        ours = RegionVersion.objects.filter(path__startswith=STREET, edition__state="published").values("region_id")
        wanted = set(Address.objects.filter(retired_at=None, region__in=ours).values_list("pk", flat=True))
        seen: list[int] = []
        cursor = ""
        while cursor is not None:
            page = clerk.get("/addresses", limit=100, cursor=cursor)
            seen += [one["id"] for one in page["addresses"]]
            cursor = page["next"]
        assert len(seen) == len(set(seen))
        assert set(seen) == wanted
        foreign = Address.objects.filter(retired_at=None).exclude(pk__in=wanted).first()
        assert foreign
        body = {"reason": WHY, "suffix": "甲", "version": version_of(foreign)}
        refused = clerk.send("PATCH", f"/addresses/{foreign.pk}", body, 403)
        assert refused["code"] == "address_outside_scope"
        assert not clerk.get(f"/addresses/{foreign.pk}")["may_edit"]
        assert manager.get("/addresses", q=str(foreign.pk))["addresses"][0]["id"] == foreign.pk

    def test_it_is_searched_by_its_beginning_an_alias_a_number_and_a_region(
        self, manager: Caller, doors: list[Address]
    ) -> None:
        door = doors[0]
        found = manager.get("/addresses", q=f" {door.normal} ")["addresses"]
        assert door.pk in [one["id"] for one in found]
        assert door.pk in [one["id"] for one in manager.get("/addresses", q=door.road, region="310101")["addresses"]]
        assert manager.get("/addresses", q=door.normal, region="310112")["addresses"] == []
        manager.post(
            f"/addresses/{door.pk}/aliases", {"text": "从前的路88号", "reason": WHY, "version": version_of(door)}, 201
        )
        assert [one["id"] for one in manager.get("/addresses", q="从前的路88号")["addresses"]] == [door.pk]

    def test_points_are_given_in_the_system_asked_for(self, manager: Caller, doors: list[Address]) -> None:
        plain = manager.get(f"/addresses/{doors[0].pk}")
        plane = manager.get(f"/addresses/{doors[0].pk}", crs="sh2000")
        assert (round(plain["lon"]), abs(plane["lon"]) > 200) == (121, True)
        body = {
            "reason": WHY,
            "lon": plane["lon"] + 3,
            "lat": plane["lat"],
            "crs": "sh2000",
            "version": plain["version"],
        }
        moved = manager.send("PATCH", f"/addresses/{doors[0].pk}", body)["addresses"][0]
        assert moved["lon"] == pytest.approx(plane["lon"] + 3, abs=0.1)


class TestRefusals:
    def test_nobody_without_the_duty(self, accounts: None, doors: list[Address]) -> None:
        body = {"reason": WHY, "suffix": "甲", "version": "1"}
        nobody = Client()
        for path in ("/addresses", f"/addresses/{doors[0].pk}", "/addresses/conflicts", "/addresses/audit"):
            answer = nobody.get(f"/api/v1{path}")
            assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")
            assert Caller("jumin").get(path, 403)["code"] == "duty_missing"
        refused = Caller("guihua").send("PATCH", f"/addresses/{doors[0].pk}", body, 403)
        assert refused["code"] == "duty_missing"

    def test_a_browser_writes_only_from_our_own_pages(self, accounts: None, doors: list[Address]) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(User.objects.get(username="shi"))
        path = f"/api/v1/addresses/{doors[0].pk}/retire"
        body = {"reason": WHY, "version": version_of(doors[0])}
        answer = browser.post(path, body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_missing")
        assert browser.get("/api/v1/addresses").status_code == 200
        assert not AddressChange.objects.exists()

    def test_two_clerks_at_one_address(self, clerk: Caller, manager: Caller, doors: list[Address]) -> None:
        path, seen = f"/addresses/{doors[0].pk}", clerk.get(f"/addresses/{doors[0].pk}")["version"]
        manager.send("PATCH", path, {"suffix": "甲", "reason": WHY}, **{"If-Match": f'"{seen}"'})
        refused = clerk.send("PATCH", path, {"suffix": "乙", "reason": WHY, "version": seen}, 409)
        assert refused["code"] == "address_changed"
        assert "shi" in refused["detail"]
        assert refused["version"] == clerk.get(path)["version"]
        assert clerk.send("PATCH", path, {"suffix": "乙", "reason": WHY}, 400)["code"] == "version_missing"

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("GET", "/addresses?cursor=xx", {}, 400),
            ("GET", "/addresses?limit=0", {}, 400),
            ("GET", "/addresses?q=" + "长" * 101, {}, 400),
            ("GET", "/addresses?region=999", {}, 404),
            ("GET", "/addresses?crs=mars", {}, 400),
            ("GET", "/addresses?q=%00", {}, 400),
            ("GET", "/addresses/999999999", {}, 404),
            ("GET", "/addresses/99999999999999999999999", {}, 400),
            ("GET", "/addresses/conflicts?state=x", {}, 400),
            ("POST", "/addresses/conflicts/999999/decide", {"choice": "both", "reason": "x"}, 404),
            ("POST", "/addresses/changes/999999/undo", {}, 404),
            ("POST", "/addresses/merge", {"survivor": 1, "merged": [], "reason": "x"}, 400),
            ("POST", "/addresses/merge", {"survivor": 1, "merged": [2], "versions": {"x": "1"}, "reason": "x"}, 400),
            ("POST", "/addresses", {"text": "甲路1号", "lon": 31.2, "lat": 121.4, "reason": "x"}, 400),
            ("POST", "/addresses", {"reason": "x"}, 400),
        ],
    )
    def test_what_cannot_be_meant(
        self, manager: Caller, method: str, path: str, body: dict[str, Any], status: int
    ) -> None:
        assert manager.send(method, path, body, status)["code"]


def test_a_history_says_who_did_what_when_and_why(clerk: Caller, doors: list[Address]) -> None:
    path = f"/addresses/{doors[0].pk}"
    change = clerk.send("PATCH", path, {"suffix": "甲", "reason": WHY, "version": version_of(doors[0])})["change"]
    clerk.post(f"/addresses/changes/{change['id']}/undo", {})
    undone, done = clerk.get(path)["history"]
    assert (done["actor"], done["reason"], done["title"], done["undone"]) == ("nandong", WHY, "更正", True)
    assert {"address": doors[0].pk, "name": "附号", "before": "（空）", "after": "甲"} in done["differences"]
    assert (undone["title"], undone["undoes"]) == ("撤销", change["id"])
    assert clerk.post(f"/addresses/changes/{change['id']}/undo", {}, 409)["code"] == "change_undone"


def test_conflicts_and_checks_are_asked_for_and_read(
    manager: Caller, clerk: Caller, doors: list[Address], quiet: None
) -> None:
    one, other = doors[:2]
    Address.objects.filter(pk=other.pk).update(normal=one.normal, number=one.number, road=one.road)
    asked = manager.post("/addresses/conflicts/search", {}, 202)
    run_job(job_id=asked["job"])
    (conflict,) = [each for each in clerk.get("/addresses/conflicts")["conflicts"] if one.normal in each["title"]]
    assert {each["id"] for each in conflict["statements"]} == {one.pk, other.pk}
    body = {"choice": "keep", "keep": 0, "digest": conflict["digest"], "reason": WHY}
    assert clerk.post(f"/addresses/conflicts/{conflict['id']}/decide", body)["state"] == "decided"
    assert manager.get("/addresses/audit")["audit"] is None
    asked = manager.post("/addresses/audit", {}, 202)
    assert manager.get("/addresses/audit")["running"]
    run_job(job_id=asked["job"])
    whole = manager.get("/addresses/audit")
    assert whole["total"] >= clerk.get("/addresses/audit")["total"]
    assert whole["looked_at"]["addresses"] == Address.objects.filter(retired_at=None).count()
    assert Job.objects.filter(kind=jobs.AUDIT).count() == 1
    assert manager.get("/addresses/audit", 400, kind=quote("x"))["code"] == "kind_unknown"
