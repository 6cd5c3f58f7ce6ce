"""The HTTP API of matching, over editions of the tiny invented city."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from geo.addresses.models import Address
from geo.crs import SHANGHAI
from geo.regions.models import Region
from services.access.actions import declare_roles, grant_role
from services.access.models import User
from services.catchments import schemas
from services.catchments.models import CatchmentEdition
from tests.services.catchments.districts import HUANGPU, YEAR, edition, kindergartens, names, region, rule, street_of

ROUTE = "/api/v1/match/kindergarten"


def post(client: Client, body: Any, *, status: int = 200) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    response = client.post(ROUTE, text, content_type="application/json")
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/json" if status == 200 else "application/problem+json")
    assert status != 200 or response["Cache-Control"] == "no-store"
    return json.loads(response.content)


@pytest.fixture
def door(city: None) -> Address:
    """Give the district one road rule, one of a committee and an open list; return a door of the road."""
    CatchmentEdition.objects.update(begun_from=None)
    CatchmentEdition.objects.all().delete()
    path, regions = region(HUANGPU).path, names().regions
    rows = Address.objects.filter(retired_at=None, suffix="", sub_lane="", road__endswith="路").exclude(number="")
    found: Address = next(row for row in rows.order_by("id") if regions[row.region_id or 0].path.startswith(path))
    own, sites = edition(), kindergartens()
    street = street_of(found.region_id)
    assert street is not None
    rule(own, "address", sites[0], written=f"{found.road}全路")
    rule(own, "committee", sites[1], street_id=street.id, committee_id=found.region_id)
    choosing = edition(entry="elsewhere", steps=["open"])
    rule(choosing, "open", None, choice="private")
    rule(choosing, "open", sites[2])
    return found


def test_one_address_with_rule_tokens_edition_point_and_whom_to_ask(door: Address, client: Client) -> None:
    body = post(client, {"entry": "local", "year": YEAR, "address": f"{door.text}301室", "crs": "sh2000"})
    schemas.MatchOut.model_validate(body)
    assert (body["outcome"], body["reason"]) == ("one", "address")
    assert [place["id"] for place in body["places"]] == [kindergartens()[0].pk]
    assert [one["written"] for one in body["rules"]] == [f"{door.road}全路"]
    assert {"road", "room"} <= {token["kind"] for token in body["tokens"]}
    assert (body["edition"]["year"], body["edition"]["district"]["code"]) == (YEAR, HUANGPU)
    assert body["ask"] == {"office": "区教育局学前科", "phone": "021-55500001"}
    east, north = SHANGHAI.plane.forward(door.geom.x, door.geom.y)
    assert (body["lon"], body["lat"]) == (pytest.approx(float(east), abs=0.01), pytest.approx(float(north), abs=0.01))
    assert (body["crs"], body["demo"]) == ("sh2000", True)


def test_many_keep_order_and_ids_and_each_has_its_own_error(door: Address, client: Client) -> None:
    street = street_of(door.region_id)
    committee = names().region(door.region_id)
    assert street is not None
    assert committee is not None
    items = [
        {"id": "A-17", "address": door.text},
        7,
        {"id": 4, "address": "月亮新村8号", "district": "黄浦", "street": street.name, "committee": committee.name},
        "！！",
        {"id": "B", "address": ["不是文字"]},
    ]
    body = post(client, {"entry": "local", "year": YEAR, "items": items})
    schemas.MatchManyOut.model_validate(body)
    assert [(row["row"], row["id"]) for row in body["items"]] == [(1, "A-17"), (2, None), (3, "4"), (4, None), (5, "B")]
    assert [row["outcome"] for row in body["items"]] == ["one", None, "one", "unknown", None]
    assert [place["name"] for place in body["items"][2]["places"]] == [kindergartens()[1].name]
    assert body["items"][1]["error"]["code"] == "item_invalid"
    assert (sum(body["counts"].values()), body["total"], body["counts"]["error"]) == (5, 5, 2)
    assert [one["district"]["name"] for one in body["editions"]] == ["黄浦区"]


def test_editions_by_year_district_and_entry(door: Address, client: Client) -> None:
    body = client.get("/api/v1/match/editions", {"district": "黄浦"}).json()
    schemas.EditionsOut.model_validate(body)
    assert {(one["year"], one["entry"], one["entry_name"]) for one in body["editions"]} == {
        (YEAR, "local", "本市户籍（人户一致）"),
        (YEAR, "elsewhere", "外省市户籍"),
    }
    assert client.get("/api/v1/match/editions", {"year": YEAR, "entry": "apart"}).json()["editions"] == []
    assert client.get("/api/v1/match/editions", {"district": "没有区"}).json()["code"] == "district_unknown"
    newest = post(client, {"entry": "elsewhere", "address": door.text})
    assert (newest["outcome"], newest["edition"]["year"]) == ("several", YEAR)
    assert [one["key"] for one in newest["choices"]] == ["private"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "json_invalid"),
        ("[]", 400, "json_invalid"),
        ({"address": ""}, 400, "address_empty"),
        ({"address": 5}, 400, "parameter_invalid"),
        ({"address": "文庙路1号", "entry": "x"}, 400, "entry_unknown"),
        ({"address": "文庙路1号", "year": "2026"}, 400, "year_invalid"),
        ({"address": "文庙路1号", "on": "明天"}, 400, "day_invalid"),
        ({"address": "文庙路1号", "crs": "moon"}, 400, "crs_unknown"),
        ({"items": []}, 400, "items_invalid"),
        ({"items": ["a"] * 10_001}, 413, "items_too_many"),
        ({"address": "文庙路1号", "edition": "7"}, 400, "edition_invalid"),
        ({"address": "文庙路1号", "entry": "apart"}, 404, "no_edition"),
    ],
)
def test_bad_questions_have_a_code_and_a_sentence(
    door: Address, client: Client, body: Any, status: int, code: str
) -> None:
    problem = post(client, body, status=status)
    assert problem["code"] == code
    assert problem["detail"]


def planner(name: str, district: str) -> User:
    """Let somebody plan for a district."""
    declare_roles()
    user = User.objects.create(username=name)
    grant_role(user=user, role="planner", granted_by="shi", region=Region.objects.get(pk=region(district).id))
    return user


def test_a_draft_is_for_those_who_look_after_it(door: Address, client: Client) -> None:
    qu, elsewhere = planner("qu", HUANGPU), planner("elsewhere", "310110")
    draft = edition(published=False, number=2, steps=["address"])
    asked = {"address": door.text, "edition": str(draft.pk)}
    assert post(client, asked, status=403)["code"] == "duty_missing"
    client.force_login(elsewhere)
    assert post(client, asked, status=404)["code"] == "edition_unknown"
    client.force_login(qu)
    assert post(client, asked)["edition"]["state"] == "draft"
