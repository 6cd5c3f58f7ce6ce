"""Positions and addresses asked of fences over HTTP, on the tiny city."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from django.test import Client
from django.utils import timezone

from geo.addresses.models import Address
from geo.crs import System
from geo.fences.areas import shape_of
from geo.fences.models import Fence
from geo.geometry import to_plane
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from services.fencing.actions import FENCES as ACTS
from services.fencing.serving import schemas
from services.fencing.serving.asking import MOST, MOST_ADDRESSES
from tests.services.fencing.serving.asking import CHECK, at, planner_of, post, spot
from tests.services.fencing.sets import HUANGPU, act, draft, drawn, middle, published, square

pytestmark = pytest.mark.usefixtures("city")
SYSTEMS = (System.WGS84, System.CGCS2000, System.GCJ02, System.BD09, System.SH2000)


def names(item: dict[str, Any]) -> set[str]:
    return {fence["name"] for fence in item["fences"]}


def zones(purpose: str = "service") -> None:
    """Publish two fences that overlap: 甲 from 0 to 100 metres, 乙 from 60 to 160, both 100 high."""
    edition = draft(purpose)
    drawn(edition, "甲", square(0, 0), owner="华新物业")
    drawn(edition, "乙", square(60, 0), owner="安康护理站")
    published(edition)


def test_every_item_is_answered_in_its_order_with_fence_owner_edition_and_metres_to_the_border(client: Client) -> None:
    zones()
    items = [
        {"id": "a", **at(10, 50)},
        {"id": "b", **at(80, 50)},
        list(spot(130, 30)),
        {"id": 4, **at(300, 300)},
        {"id": "e", "lon": 104.06, "lat": 30.67},
        {"id": "f", "lon": spot(10, 50)[1], "lat": spot(10, 50)[0]},
        {"id": "g", "lon": "121.4", "lat": 31.2},
        {"id": "h"},
        7,
        {"id": "j", **at(10, 50)},
    ]
    body = post(client, {"purpose": "service", "items": items})
    schemas.CheckManyOut.model_validate(body)
    told = [(item["row"], item["id"], item["outcome"]) for item in body["items"]]
    assert told == [
        (1, "a", "inside"), (2, "b", "inside"), (3, None, "inside"), (4, "4", "outside"), (5, "e", "error"),
        (6, "f", "error"), (7, "g", "error"), (8, "h", "error"), (9, None, "error"), (10, "j", "inside"),
    ]  # fmt: skip
    assert [names(item) for item in body["items"][:4]] == [{"甲"}, {"甲", "乙"}, {"乙"}, set()]
    first = body["items"][0]["fences"][0]
    stored = Fence.objects.get(name="甲")
    assert first == {
        "id": str(stored.same), "name": "甲", "purpose": "service", "purpose_name": "服务范围", "owner": "华新物业",
        "district": HUANGPU, "edition": 1, "depth_m": 10.0,
    }  # fmt: skip
    assert {fence["name"]: fence["depth_m"] for fence in body["items"][1]["fences"]} == {"甲": 20.0, "乙": 20.0}
    assert body["items"][2]["fences"][0]["depth_m"] == 30.0
    codes = [item["error"] and item["error"]["code"] for item in body["items"]]
    assert codes[4:9] == ["off_map", "axes_swapped", "coordinates_invalid", "coordinates_invalid", "item_invalid"]
    assert not any(codes[:4])
    assert codes[9] is None
    assert all(item["sure"] for item in body["items"][:4])
    assert body["counts"] == {"inside": 4, "outside": 1, "unknown": 0, "error": 5}
    assert body["total"] == 10
    assert (body["crs"], body["demo"]) == ("wgs84", True)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_same_place_in_any_system_lies_in_the_same_fences_as_deep(client: Client, system: System) -> None:
    zones()
    items = [at(east, 50, system) for east in (-20, 10, 80, 130, 200)]
    body = post(client, {"purpose": "service", "crs": str(system), "items": items})
    assert [names(item) for item in body["items"]] == [set(), {"甲"}, {"甲", "乙"}, {"乙"}, set()]
    assert body["items"][1]["fences"][0]["depth_m"] == pytest.approx(10, abs=0.11)
    assert body["crs"] == str(system) and body["notes"] or system is System.CGCS2000
    wrong = System.WGS84 if system is not System.WGS84 else System.BD09
    if system not in (System.CGCS2000, System.WGS84):
        read = post(client, {"purpose": "service", "crs": str(wrong), "items": items})
        assert [names(item) for item in read["items"]] != [names(item) for item in body["items"]]


def test_columns_answer_as_items_do_and_as_asking_every_shape_does(client: Client) -> None:
    edition = draft("service")
    for number in range(9):
        drawn(edition, f"围栏{number}", square(25.0 * number, 15.0 * number, 80 + 10 * number, 130))
    published(edition)
    chance = np.random.default_rng(7)
    spots = [spot(*pair, System.CGCS2000) for pair in chance.uniform((-80, -80), (420, 380), (300, 2)).tolist()]
    lon, lat = [x for x, _ in spots], [y for _, y in spots]
    asked = {"crs": "cgcs2000", "purpose": "service"}
    columns = post(client, {**asked, "lon": [*lon, None, 104.06], "lat": [*lat, 31.2, 30.67]})
    schemas.CheckColumnsOut.model_validate(columns)
    ids = [str(number) for number in range(300)]
    items = post(
        client, {**asked, "items": [{"id": i, "lon": x, "lat": y} for i, x, y in zip(ids, lon, lat, strict=True)]}
    )
    by_row = [
        [{**columns["fences"][place], "depth_m": depth} for place, depth in zip(places, depths, strict=True)]
        for places, depths in zip(columns["inside"], columns["depth_m"], strict=True)
    ]
    assert by_row[:300] == [item["fences"] for item in items["items"]]
    assert by_row[300:] == [[], []]
    assert [item["id"] for item in items["items"]] == ids
    assert [(one["row"], one["code"]) for one in columns["errors"]] == [(301, "coordinates_invalid"), (302, "off_map")]
    assert columns["counts"]["error"] == 2
    assert sum(columns["counts"].values()) == columns["total"] == 302

    rows = list(Fence.objects.all())
    points = shapely.points(lon, lat)
    flat = to_plane(points, current_city())
    borders = {row.name: shapely.boundary(to_plane(shape_of(row), current_city())) for row in rows}
    for number, answered in enumerate(by_row[:300]):
        truth = {row.name for row in rows if shapely.intersects(shape_of(row), points[number])}
        assert {fence["name"] for fence in answered} == truth
        for fence in answered:
            assert fence["depth_m"] == pytest.approx(shapely.distance(borders[fence["name"]], flat[number]), abs=0.051)
    assert sum(map(len, by_row)) > 150


def test_past_and_future_moments_are_answered_by_the_edition_that_counts_then(client: Client) -> None:
    zones()
    old = Fence.objects.get(name="甲")
    then, soon = timezone.now(), timezone.now() + dt.timedelta(days=2)
    second = draft("service")
    ACTS.say_about(act(second), same=old.same, name="甲（新）", about={"owner": "新主管"})
    published(second, at=soon)
    asked = {"purpose": "service", **at(10, 50)}
    now, later = post(client, asked), post(client, {**asked, "at": (soon + dt.timedelta(minutes=1)).isoformat()})
    for body in (now, later):
        schemas.CheckOneOut.model_validate(body)
    assert [(one["name"], one["owner"], one["edition"]) for one in now["fences"]] == [("甲", "华新物业", 1)]
    assert [(one["name"], one["owner"], one["edition"]) for one in later["fences"]] == [("甲（新）", "新主管", 2)]
    assert now["fences"][0]["id"] == later["fences"][0]["id"]
    assert post(client, {**asked, "at": then.isoformat()})["fences"] == now["fences"]
    assert post(client, {**asked, "at": "2020-01-01"})["outcome"] == "outside"
    assert now["at"].endswith("+08:00")


def test_hours_and_days_of_a_fence_are_those_of_the_moment(client: Client) -> None:
    edition = draft("service")
    drawn(edition, "周一上午", square(0, 0), hours={"mon": [["08:00", "12:00"]]})
    published(edition)
    asked = {"purpose": "service", **at(50, 50)}
    today = timezone.localdate()
    monday = today + dt.timedelta(days=7 - today.weekday())
    for moment, outcome in {
        f"{monday}T09:00:00+08:00": "inside",
        f"{monday}T01:00:00Z": "inside",
        f"{monday}T09:00": "inside",
        f"{monday}T12:00:00+08:00": "outside",
        f"{monday + dt.timedelta(days=1)}T09:00:00+08:00": "outside",
    }.items():
        assert post(client, {**asked, "at": moment})["outcome"] == outcome, moment


def test_other_purposes_are_for_who_holds_the_duty_and_in_their_districts_only(client: Client) -> None:
    for purpose in ("service", "alert"):
        edition = draft(purpose)
        drawn(edition, purpose, square(0, 0))
        published(edition)
    inside = at(50, 50)
    assert names(post(client, inside)) == {"service"}
    assert post(client, {**inside, "purpose": "alert"}, status=403)["code"] == "duty_missing"
    client.force_login(planner_of(HUANGPU))
    assert names(post(client, inside)) == {"service", "alert"}
    assert names(post(client, {**inside, "purpose": "alert"})) == {"alert"}
    client.force_login(planner_of("310110"))
    assert names(post(client, inside)) == {"service"}
    assert names(post(client, {**inside, "purpose": "alert,service"})) == {"service"}


# -- addresses ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def door() -> Address:
    """Return a door of the district, its words led by the name of the district."""
    path = RegionVersion.objects.get(edition__state="published", code=HUANGPU).path
    inside = RegionVersion.objects.filter(edition__state="published", path__startswith=path).values("region_id")
    rows = Address.objects.filter(retired_at=None, suffix="", sub_lane="", region__in=inside).exclude(number="")
    found = rows.order_by("id")[0]
    found.text = f"黄浦区{found.text}"
    return found


def around(door: Address) -> Callable[..., Any]:
    """Return how to draw a box so many metres around a door, moved by so many."""
    x, y = to_plane(shapely.Point(door.geom.x, door.geom.y), current_city()).coords[0]
    corner_x, corner_y = (value - 150 for value in middle())

    def box(half: float, east: float = 0.0) -> Any:
        return square(x - corner_x - half + east, y - corner_y - half, 2 * half, 2 * half)

    return box


def test_an_address_is_sure_only_when_its_whole_circle_lies_in_the_same_fences(client: Client, door: Address) -> None:
    box = around(door)
    radius = post(client, {"address": door.text, "purpose": "service"})["address"]["uncertainty_m"]
    assert 0 < radius < 200
    wide, near = draft("service"), 0.5 * radius
    drawn(wide, "整个", box(3 * radius))
    published(wide)
    asked = {"address": door.text, "purpose": "service", "crs": "sh2000"}
    whole = post(client, asked)
    schemas.CheckOneOut.model_validate(whole)
    assert (whole["outcome"], whole["sure"], names(whole), whole["possible"]) == ("inside", True, {"整个"}, [])
    assert whole["fences"][0]["depth_m"] == pytest.approx(3 * radius, abs=1)
    assert whole["address"]["label"]
    assert whole["address"]["lon"] == pytest.approx(current_city().plane.forward(door.geom.x, door.geom.y)[0], abs=2)

    edition = draft("service")
    drawn(edition, "旁边", box(radius, 2 * radius - near))
    published(edition)
    beside = post(client, asked)
    assert (beside["outcome"], beside["sure"], names(beside)) == ("inside", False, {"整个"})
    assert [fence["name"] for fence in beside["possible"]] == ["旁边"]

    small = draft("alert")
    drawn(small, "半截", box(near))
    published(small)
    client.force_login(planner_of(HUANGPU))
    part = post(client, {**asked, "purpose": "alert"})
    assert (part["outcome"], part["sure"], names(part), part["possible"]) == ("inside", False, {"半截"}, [])


def test_addresses_among_positions_keep_their_rows_and_an_unknown_one_says_what_to_do(
    client: Client, door: Address
) -> None:
    edition = draft("service")
    drawn(edition, "整个", around(door)(80))
    published(edition)
    items = [
        "火星市月亮路8号",
        {"id": "d", "address": door.text},
        at(-4000, 0),
        {"address": ""},
        {"address": ["x"]},
        "黄浦区",
    ]
    body = post(client, {"purpose": "service", "items": items})
    schemas.CheckManyOut.model_validate(body)
    assert [item["outcome"] for item in body["items"]] == ["unknown", "inside", "outside", "error", "error", "unknown"]
    assert body["items"][1]["id"] == "d"
    assert names(body["items"][1]) == {"整个"}
    codes = [item["error"]["code"] for item in body["items"] if item["error"]]
    assert codes == ["address_unknown", "address_invalid", "address_invalid", "address_vague"]
    assert body["items"][5]["address"]["level"] == "district"
    assert body["items"][5]["fences"] == []
    assert body["counts"] == {"inside": 1, "outside": 1, "unknown": 2, "error": 2}


def test_of_several_places_of_one_address_all_count(client: Client, door: Address) -> None:
    """Two districts have a door of that name: the answer is sure only when it is the same at both."""
    box = around(door)
    edition = draft("service")
    drawn(edition, "这里", box(100))
    published(edition)
    asked = {"address": door.text.split("黄浦区")[-1], "purpose": "service"}
    assert post(client, asked)["sure"] is True
    elsewhere = Address.objects.filter(retired_at=None).exclude(number="")
    own = RegionVersion.objects.get(edition__state="published", code=HUANGPU).path
    far = elsewhere.exclude(region__versions__path__startswith=own).order_by("id")[0]
    same = ("road", "lane", "sub_lane", "number", "suffix", "building", "unit", "floor", "room", "normal")
    told = {name: getattr(door, name) for name in same} | {"text": asked["address"]}
    Address.objects.filter(pk=far.pk).update(**told)
    doubtful = post(client, asked)
    assert doubtful["sure"] is False
    assert post(client, {"address": door.text, "purpose": "service"})["sure"] is True


# -- what cannot be answered -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "json_invalid"),
        ('{"lon": NaN, "lat": 31.2}', 400, "json_invalid"),
        ("[]", 400, "json_invalid"),
        ("{}", 400, "json_invalid"),
        ({"items": []}, 400, "items_invalid"),
        ({"items": "x"}, 400, "items_invalid"),
        ({"lon": 121.49}, 400, "coordinates_invalid"),
        ({"lon": "a", "lat": "b"}, 400, "coordinates_invalid"),
        ({"lon": True, "lat": 31.2}, 400, "coordinates_invalid"),
        ({"lon": 1e300, "lat": 31.2}, 400, "coordinates_invalid"),
        ({"lon": 31.23, "lat": 121.48}, 400, "axes_swapped"),
        ({"lon": -180.0, "lat": 31.2}, 400, "off_map"),
        ({"lon": 180.0, "lat": 90.0}, 400, "off_map"),
        ({"lon": 500, "lat": 500}, 400, "off_map"),
        ({"address": 7}, 400, "address_invalid"),
        ({"address": "长" * 201}, 400, "address_invalid"),
        ({"lon": [121.4], "lat": [31.2, 31.3]}, 400, "columns_invalid"),
        ({"lon": [121.4], "lat": 31.2}, 400, "columns_invalid"),
        ({"lon": [], "lat": []}, 400, "columns_invalid"),
        ({"lon": [121.4], "lat": [31.2], "id": ["a", "b"]}, 400, "columns_invalid"),
        ({"lon": 121.48, "lat": 31.23, "crs": "mars"}, 400, "crs_unknown"),
        ({"lon": 121.48, "lat": 31.23, "crs": 4}, 400, "parameter_invalid"),
        ({"lon": 121.48, "lat": 31.23, "purpose": "dogs"}, 400, "purpose_unknown"),
        ({"lon": 121.48, "lat": 31.23, "at": "soon"}, 400, "moment_invalid"),
        ({"lon": 121.48, "lat": 31.23, "at": "2026-02-30"}, 400, "moment_invalid"),
        ({"lon": 121.48, "lat": 31.23, "at": "9999-12-31T23:59:59Z"}, 400, "moment_invalid"),
        ({"items": [0] * (MOST + 1)}, 413, "items_too_many"),
        ({"items": [0] * 100_001}, 413, "items_too_many"),
        ({"lon": [1] * 100_001, "lat": [1] * 100_001}, 413, "items_too_many"),
        ({"items": ["a"] * (MOST_ADDRESSES + 1)}, 413, "addresses_too_many"),
        ({"items": [{"id": "x" * 1_000_000}]}, 413, "body_too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name(client: Client, body: Any, status: int, code: str) -> None:
    problem = post(client, body, status=status)
    assert problem["code"] == code
    assert any("一" <= letter <= "鿿" for letter in problem["detail"])


def test_numbers_beyond_any_in_a_list_harm_no_other_item(client: Client) -> None:
    zones()
    good = json.dumps(at(10, 50))
    text = f'{{"purpose": "service", "items": [{good}, {{"lon": 1e999, "lat": 31}}, {{"lon": {"9" * 400}, "lat": 1}}, {good}]}}'
    response = client.post(CHECK, text, content_type="application/json")
    if response.status_code == 400:  # the reader of JSON knows no such number
        assert response.json()["code"] == "json_invalid"
        return
    items = response.json()["items"]
    assert [item["outcome"] for item in items] == ["inside", "error", "error", "inside"]


def test_whoever_guesses_wrongly_is_told_the_other_way_round(client: Client) -> None:
    lon, lat = spot(10, 50)
    problem = post(client, {"lon": lat, "lat": lon}, status=400)
    assert problem["code"] == "axes_swapped"
    assert problem["suggestion"] == {"lon": lon, "lat": lat}
