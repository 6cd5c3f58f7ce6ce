"""What is told of a building that was clicked on the map in three dimensions."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import shapely
from django.test import Client

from geo.basemap.models import BasemapFeature
from geo.basemap.queries import building_at
from layers.scenes.models import SceneVersion
from services.facilities.models import Facility
from web.doors.scenes.page import DOOR_DEG

pytestmark = pytest.mark.usefixtures("city")
BUILDINGS = BasemapFeature.objects.filter(kind="building", retired_at=None)


def asked(client: Client, lon: float, lat: float, **more: str) -> str:
    answer = client.get("/scene/building", {"lon": f"{lon:.7f}", "lat": f"{lat:.7f}", **more})
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def words(fragment: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", fragment))


def shape_of(row: BasemapFeature) -> Any:
    return shapely.from_wkb(bytes(row.geom.wkb))


def housing() -> tuple[BasemapFeature, Any, Facility]:
    """Return a building with an institution in it or at its door."""
    for facility in Facility.objects.filter(retired_at=None, status="open").order_by("id"):
        near = BUILDINGS.filter(geom__bboverlaps=facility.geom.buffer(DOOR_DEG)).order_by("id")
        for row in near:
            if shapely.contains_xy(shapely.buffer(shape_of(row), DOOR_DEG), facility.geom.x, facility.geom.y):
                return row, shape_of(row), facility
    raise AssertionError("no institution stands in a building: the test would prove nothing")


def test_a_building_is_named_by_its_door_its_height_and_the_institutions_in_it() -> None:
    row, shape, facility = housing()
    middle = shapely.point_on_surface(shape)
    said = asked(Client(), middle.x, middle.y)
    grounds = shapely.buffer(shape, DOOR_DEG)
    inside = {
        str(one.pk): one.name
        for one in Facility.objects.filter(retired_at=None, status="open")
        if shapely.contains_xy(grounds, one.geom.x, one.geom.y)
    }
    assert dict(re.findall(r'<a href="/places/(\d+)">([^<]+)</a>', said)) == inside
    assert inside[str(facility.pk)] == facility.name
    assert row.height_m is not None
    assert f"{row.height_m:.1f} 米" in said
    assert row.source.title in said
    assert f"约 {max(1, round(row.height_m / 3))} 层" in words(said)
    assert "不是登记的层数" in said
    assert re.search(r"<h2>[^<]+</h2>", said)


def test_a_name_of_the_base_map_goes_before_an_address_and_a_height_nobody_knows_is_not_made_up() -> None:
    row, shape, _ = housing()
    BUILDINGS.filter(pk=row.pk).update(name="<b>春申楼</b>", height_m=None)
    middle = shapely.point_on_surface(shape)
    answer = Client().get("/scene/building", {"lon": middle.x, "lat": middle.y}).content.decode()
    assert "<h2>&lt;b&gt;春申楼&lt;/b&gt;</h2>" in answer
    assert "没有登记" in answer
    assert "白模按一层 3 米示意" in answer
    assert "约" not in words(answer).split("门牌")[0].split("最近的地址")[0]


def test_institutions_that_are_not_open_yet_are_told_to_nobody_outside() -> None:
    _, shape, facility = housing()
    Facility.objects.filter(pk=facility.pk).update(status="preparing")
    middle = shapely.point_on_surface(shape)
    assert facility.name not in words(asked(Client(), middle.x, middle.y)).split("楼里的机构")[1]


def test_a_model_is_named_by_itself_with_its_own_height_its_twin_and_who_is_in_it() -> None:
    version = SceneVersion.objects.get(scene__key="demo-home", shown_by__isnull=False)
    lon, lat = (version.west + version.east) / 2, (version.south + version.north) / 2
    said = asked(Client(), lon, lat, scene="demo-home")
    assert f"<h2>{version.title}</h2>" in said
    assert f"{version.highest_m - version.lowest_m:.1f} 米" in said
    assert 'href="/twin/demo-home"' in said
    assert re.search(r'href="/places/\d+"', said)
    assert 'href="/twin/demo-home"' in asked(Client(), lon, lat)  # the white model of it leads there as well


def test_a_point_beside_a_wall_belongs_to_the_building_and_one_inside_another_does_not() -> None:
    _, shape, _ = housing()
    west, _, _, _ = shape.bounds
    edge = min(shape.geoms[0].exterior.coords, key=lambda at: at[0] - west)
    beside = building_at(edge[0] - DOOR_DEG / 3, edge[1], within_deg=DOOR_DEG)
    assert beside is not None
    assert shapely.equals(beside.shape, shape)
    assert building_at(edge[0] - 30 * DOOR_DEG, edge[1] - 3000 * DOOR_DEG, within_deg=DOOR_DEG / 100) is None
    for row in BUILDINGS.order_by("id")[:40]:
        middle = shapely.point_on_surface(shape_of(row))
        found = building_at(middle.x, middle.y, within_deg=DOOR_DEG)
        assert found is not None
        assert shapely.covers(found.shape, middle)


def test_open_ground_and_what_is_no_point_are_answered_in_words() -> None:
    client = Client()
    assert "没有登记的建筑" in words(asked(client, 121.9, 31.05))
    for lon, lat in (("", ""), ("121.4", "nan"), ("x", "31"), ("1e400", "31")):
        assert client.get("/scene/building", {"lon": lon, "lat": lat}).status_code == 400
    assert client.get("/scene/building", {"lon": "121.47", "lat": "31.23", "scene": "none"}).status_code == 404
