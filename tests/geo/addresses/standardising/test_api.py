"""The HTTP API of standardising a list at once, over the tiny invented city."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from geo.addresses.models import Address
from geo.addresses.standardising import schemas
from geo.addresses.standardising.outcomes import Status
from geo.crs import SHANGHAI
from geo.imports.models import CURRENT

pytestmark = pytest.mark.usefixtures("city")


def post(client: Client, body: Any, *, status: int = 200) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    response = client.post("/api/v1/addresses/standardise", text, content_type="application/json")
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/json" if status == 200 else "application/problem+json")
    return json.loads(response.content)


def a_door() -> Address:
    return Address.objects.filter(CURRENT, suffix="", room="").exclude(lane="").exclude(number="").order_by("id")[0]


def test_rows_counts_and_the_shape_of_the_answer(client: Client) -> None:
    door = a_door()
    items = [
        door.text,
        {"id": "A-17", "address": f"{door.text} 13800138000"},
        "",
        {"id": 4, "address": "无此名路5号"},
        7,
    ]
    body = post(client, {"items": items, "crs": "sh2000"})
    schemas.StandardisedOut.model_validate(body)
    assert [row["row"] for row in body["items"]] == [1, 2, 3, 4, 5]
    assert [row["id"] for row in body["items"]] == [None, "A-17", None, "4", None]
    assert [row["status"] for row in body["items"]] == ["matched", "matched", "unusable", "parsed", "unusable"]
    assert body["items"][4]["reasons"][0]["code"] == "item_invalid"
    assert (sum(body["counts"].values()), body["total"], set(body["counts"])) == (5, 5, set(map(str, Status)))
    assert (body["crs"], body["demo"]) == ("sh2000", True)
    first, second = body["items"][:2]
    east, north = SHANGHAI.plane.forward(door.geom.x, door.geom.y)
    assert (first["lon"], first["lat"]) == (pytest.approx(float(east), abs=0.01), pytest.approx(float(north), abs=0.01))
    assert first["parts"]["lane"] == door.lane
    assert "13800138000" not in json.dumps({key: value for key, value in second.items() if key != "written"})
    assert (second["standard"], second["lon"]) == (first["standard"], first["lon"])


def test_it_says_what_geocode_says(client: Client) -> None:
    doors = Address.objects.filter(CURRENT).order_by("id")[5:400:40]
    body = post(client, {"items": [door.text for door in doors], "crs": "gcj02"})
    for row in body["items"]:
        best = client.get("/api/v1/geocode", {"q": row["written"], "crs": "gcj02"}).json()["candidates"][0]
        told = row if row["lon"] is not None else row["others"][0]
        assert (told["lon"], told["lat"], told["level"]) == (best["lon"], best["lat"], best["level"])


def test_choices_of_an_ambiguous_row_have_places_in_the_asked_system(client: Client) -> None:
    door = a_door()
    body = post(client, {"items": [f"{door.text}；无此名路9号", door.text], "crs": "cgcs2000"})
    several, alone = body["items"]
    assert (several["status"], several["lon"]) == ("ambiguous", None)
    assert several["others"][0]["lon"] == alone["lon"]
    assert [other["level"] for other in several["others"]] == ["door", "district"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "json_invalid"),
        ("[]", 400, "json_invalid"),
        (b"\xff\xfe", 400, "json_invalid"),
        ({}, 400, "items_invalid"),
        ({"items": "云杉路5号"}, 400, "items_invalid"),
        ({"items": []}, 400, "items_empty"),
        ({"items": ["x"] * 10_001}, 413, "items_too_many"),
        ({"items": ["x" * 1_100_000]}, 413, "body_too_large"),
        ({"items": ["x"], "crs": "mars"}, 400, "crs_unknown"),
        ({"items": ["x"], "crs": 5}, 400, "crs_unknown"),
    ],
)
def test_what_cannot_be_read_is_refused(client: Client, body: Any, status: int, code: str) -> None:
    assert post(client, body, status=status)["code"] == code


@pytest.mark.parametrize(
    "item", [None, 5, [], {}, {"address": 5}, {"address": "云杉路5号", "district": 5}, {"district": "杨浦区"}]
)
def test_an_item_that_is_none_is_a_row_of_its_own(client: Client, item: Any) -> None:
    (row,) = post(client, {"items": [item]})["items"]
    assert (row["status"], [reason["code"] for reason in row["reasons"]]) == ("unusable", ["item_invalid"])


def test_strange_signs_are_answered(client: Client) -> None:
    body = post(client, {"items": ["\u0000", "云杉\u0000路5号", "😀", "‮路5号", "a" * 300]})
    assert [row["row"] for row in body["items"]] == [1, 2, 3, 4, 5]
