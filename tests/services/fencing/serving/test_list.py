"""Fences listed over HTTP, one with its shape, and every version of it, on the tiny city."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import pytest
import shapely
from django.test import Client
from django.utils import timezone

from geo.crs import System
from geo.fences.areas import shape_of
from geo.fences.models import Fence
from geo.geometry import from_stored
from services.fencing.actions import FENCES as ACTS
from services.fencing.serving import schemas
from tests.services.fencing.serving.asking import FENCES, at, planner_of, spot
from tests.services.fencing.sets import HUANGPU, act, draft, drawn, published, square

pytestmark = pytest.mark.usefixtures("city")


def get(client: Client, path: str = "", *, status: int = 200, **asked: Any) -> Any:
    response = client.get(f"{FENCES}{path}", asked)
    assert response.status_code == status, response.content
    return json.loads(response.content)


def named(body: Any) -> set[str]:
    return {fence["name"] for fence in body["fences"]}


def set_of(purpose: str, *names: str, owner: str = "", step: float = 200) -> None:
    edition = draft(purpose)
    for number, name in enumerate(names):
        drawn(edition, name, square(step * number, 0), owner=owner)
    published(edition)


def test_those_that_count_are_found_by_purpose_owner_district_box_and_point(client: Client) -> None:
    set_of("service", "一", "二", "三", owner="安康护理站")
    set_of("waste", "片区", owner="外滩环卫所")
    everything = get(client)
    schemas.FencesOut.model_validate(everything)
    assert named(everything) == {"一", "二", "三", "片区"}
    assert everything["total"] == 4
    told = next(fence for fence in everything["fences"] if fence["name"] == "片区")
    assert told["district"] == {"code": HUANGPU, "name": "黄浦区"}
    assert (told["purpose_name"], told["owner"], told["edition"], told["kind_name"]) == (
        "垃圾分类片区", "外滩环卫所", 1, "手绘的面",
    )  # fmt: skip
    assert named(get(client, purpose="waste")) == {"片区"}
    assert named(get(client, purpose="waste,service", owner="安康")) == {"一", "二", "三"}
    assert len(named(get(client, district="黄浦"))) == len(named(get(client, district=HUANGPU))) == 4
    assert named(get(client, district="杨浦区")) == set()
    for system in (System.WGS84, System.BD09, System.SH2000):
        inside = at(250, 50, system)
        assert named(get(client, crs=str(system), purpose="service", **inside)) == {"二"}
    west, south, east, north = *spot(150, -20), *spot(320, 120)
    assert named(get(client, purpose="service", bbox=f"{west},{south},{east},{north}")) == {"二"}
    assert named(get(client, purpose="service", **at(150, 50))) == set()
    assert len(named(get(client, bbox="-180,-85,180,85"))) == 4
    assert named(get(client, bbox="-10,-10,10,10")) == set()


def test_every_fence_comes_once_page_by_page(client: Client) -> None:
    edition = draft("service")
    for number in range(7):
        drawn(edition, f"围栏{number}", square(30 * number, 0))
    published(edition)
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        body = get(client, limit=3, cursor=cursor)
        assert body["total"] == 7
        assert len(body["fences"]) <= 3
        seen += [fence["name"] for fence in body["fences"]]
        cursor = body["next"]
        if cursor is None:
            break
    assert cursor is None
    assert sorted(seen) == [f"围栏{number}" for number in range(7)]


def test_shapes_come_as_geojson_in_the_system_asked_for(client: Client) -> None:
    set_of("service", "一")
    fence = Fence.objects.get()
    for system in (System.WGS84, System.SH2000):
        body = get(client, format="geojson", crs=str(system))
        assert (body["type"], body["crs"], body["total"]) == ("FeatureCollection", str(system), 1)
        drawn_there = shapely.from_geojson(json.dumps(body["features"][0]["geometry"]))
        assert shapely.hausdorff_distance(drawn_there, from_stored(shape_of(fence), system)) < 1e-3
        one = get(client, f"/{fence.same}", crs=str(system))
        schemas.FenceFeatureOut.model_validate(one)
        assert one["geometry"] == body["features"][0]["geometry"]
        assert one["properties"]["name"] == "一"
        assert one["id"] == str(fence.same)


def test_an_unchanged_answer_costs_nothing_until_another_edition_counts(client: Client) -> None:
    set_of("service", "一")
    paths = [
        FENCES,
        f"{FENCES}?format=geojson",
        f"{FENCES}/{Fence.objects.get().same}",
        f"{FENCES}/{Fence.objects.get().same}/versions",
    ]
    tags = [client.get(path)["ETag"] for path in paths]
    for path, tag in zip(paths, tags, strict=True):
        again = client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again["Cache-Control"] == "public, no-cache"
    second = draft("service")
    ACTS.say_about(act(second), same=Fence.objects.first().same, name="改名", about={})  # type: ignore[union-attr]
    published(second)
    for path, tag in zip(paths, tags, strict=True):
        anew = client.get(path, headers={"If-None-Match": tag})
        assert anew.status_code == 200
        assert "改名" in anew.content.decode()
        assert anew["ETag"] != tag


def test_versions_say_from_when_until_when_each_counted(client: Client) -> None:
    set_of("service", "一")
    same = Fence.objects.get().same
    first_at = timezone.now()
    soon = first_at + dt.timedelta(days=3)
    second = draft("service")
    ACTS.say_about(act(second), same=same, name="一（扩大）", about={"owner": "新站"})
    published(second, at=soon)
    body = get(client, f"/{same}/versions")
    schemas.FenceVersionsOut.model_validate(body)
    latest, first = body["versions"]
    assert (latest["name"], latest["owner"], latest["edition"], latest["until"]) == ("一（扩大）", "新站", 2, None)
    assert (first["name"], first["edition"], first["until"]) == ("一", 1, latest["from_moment"])
    assert dt.datetime.fromisoformat(latest["from_moment"]) == soon
    assert get(client, f"/{same}")["properties"]["name"] == "一"
    assert get(client, f"/{same}", at=soon.isoformat())["properties"]["name"] == "一（扩大）"
    assert named(get(client, at=soon.isoformat())) == {"一（扩大）"}
    assert get(client, f"/{same}", at="2020-01-01", status=404)["code"] == "fence_unknown"


def test_drafts_are_nobody_s_and_other_purposes_are_of_who_may_see_them(client: Client) -> None:
    hidden = drawn(draft("waste"), "草稿", square(0, 0))
    set_of("duty", "网格")
    grid = Fence.objects.get(name="网格")
    assert named(get(client)) == set()
    for same in (hidden.same, grid.same, uuid.uuid4()):
        for path in (f"/{same}", f"/{same}/versions"):
            assert get(client, path, status=404)["code"] == "fence_unknown"
    assert get(client, purpose="duty", status=403)["code"] == "duty_missing"
    client.force_login(planner_of("310110"))
    assert named(get(client, purpose="duty")) == set()
    assert get(client, f"/{grid.same}/versions", status=404)["code"] == "fence_unknown"
    client.force_login(planner_of(HUANGPU))
    assert named(get(client, purpose="duty")) == {"网格"}
    assert get(client, f"/{grid.same}")["properties"]["name"] == "网格"
    assert len(get(client, f"/{grid.same}/versions")["versions"]) == 1
    assert client.get(FENCES)["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"purpose": "dogs"}, "purpose_unknown"),
        ({"district": "火星区"}, "district_unknown"),
        ({"bbox": "1,2,3"}, "bbox_invalid"),
        ({"bbox": "nan,2,3,4"}, "bbox_invalid"),
        ({"lon": "121.48"}, "coordinates_not_finite"),
        ({"lon": "31.23", "lat": "121.48"}, "axes_swapped"),
        ({"lon": "x", "lat": "31"}, "parameter_invalid"),
        ({"at": "yesterday"}, "moment_invalid"),
        ({"crs": "mars"}, "crs_unknown"),
        ({"limit": "0"}, "parameter_invalid"),
        ({"limit": "501"}, "parameter_invalid"),
        ({"format": "kml"}, "parameter_invalid"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(client: Client, asked: dict[str, str], code: str) -> None:
    set_of("service", "一")
    assert get(client, status=400, **asked)["code"] == code


def test_an_offset_whose_plus_was_lost_in_the_address_is_read_as_it_was_meant(client: Client) -> None:
    assert get(client, at="2026-12-01T08:00:00 08:00")["at"] == "2026-12-01T08:00:00+08:00"
