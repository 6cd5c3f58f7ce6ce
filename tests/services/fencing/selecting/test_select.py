"""圈选 over HTTP on the tiny city: by regions, fences, shapes and minutes of travel, held against asking each facility."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
import shapely
from django.test import Client
from python_calamine import CalamineWorkbook

from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.models import Address, Community
from geo.crs import Coordinate, System
from geo.fences.areas import shape_of
from geo.fences.models import Fence
from geo.geometry import from_stored, to_plane
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.models import AuditAct, AuditEntry
from services.facilities.circle import circle
from services.facilities.models import Facility
from services.facilities.queries import visible
from services.fencing.selecting import schemas
from tests.services.fencing.serving.asking import planner_of
from tests.services.fencing.sets import HUANGPU, draft, drawn, published, square

pytestmark = pytest.mark.usefixtures("city")
SELECT = "/api/v1/select"


@pytest.fixture
def planner(client: Client) -> Client:
    client.force_login(planner_of(HUANGPU))
    return client


def post(client: Client, body: Any, *, status: int = 200) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    response = client.post(SELECT, text, content_type="application/json")
    assert response.status_code == status, response.content
    found = json.loads(response.content)
    if status == 200:
        schemas.SelectOut.model_validate(found)
        assert response["Cache-Control"] == "no-store"
    return found


def everything() -> list[Facility]:
    return list(Facility.objects.filter(visible(Scope.public(), published_now())))


def ids(body: Any) -> set[int]:
    return {one["id"] for one in body["facilities"]}


def within(shape: Any) -> set[int]:
    """Return the facilities that shapely finds in a shape (CGCS2000 degrees)."""
    return {one.pk for one in everything() if shape.intersects(shapely.Point(one.geom.x, one.geom.y))}


def require_counts(body: Any, wanted: Iterable[int]) -> None:
    """Hold every count of an answer against its facilities asked one by one."""
    names = names_of(published_now())
    rows = [one for one in everything() if one.pk in set(wanted)]
    assert (ids(body), body["total"]) == ({one.pk for one in rows}, len(rows))
    for kind in body["kinds"]:
        own = [one for one in rows if one.kind_id == kind["key"]]
        places = [one.places for one in own if one.places is not None]
        spare = [one.vacancies for one in own if one.vacancies is not None]
        told = (kind["count"], kind["places"], kind["places_known"], kind["vacancies"], kind["vacancies_known"])
        assert told == (len(own), sum(places), len(places), sum(spare), len(spare))
    assert {kind["key"] for kind in body["kinds"]} == {one.kind_id for one in rows}

    def counted(level: str) -> Counter[str | None]:
        own = [names.region(one.region_id) for one in rows]
        above = [names.above(region, level) if region else None for region in own]
        return Counter(region.code if region else None for region in above)

    told_regions = {each["code"]: each["count"] for each in body["regions"]}
    assert told_regions == counted("street" if len(counted("district")) == 1 else "district")


def some_box(width: float = 0.02, height: float = 0.016) -> Any:
    """Return a box around the middle of the facilities, in degrees."""
    middle = shapely.MultiPoint([(one.geom.x, one.geom.y) for one in everything()]).centroid
    return shapely.box(middle.x - width, middle.y - height, middle.x + width, middle.y + height)


@pytest.mark.covers("ELD-MAP-08a", via="services.fencing.selecting.counting:select")
def test_what_lies_in_districts_streets_and_committees_is_listed_and_counted(planner: Client) -> None:
    names = names_of(published_now())
    regions = [names.region(one.region_id) for one in everything()]
    streets = Counter(names.above(region, "street") for region in regions if region)
    street = next(
        region for region, _ in streets.most_common() if region and not region.path.startswith(f"310000.{HUANGPU}.")
    )
    committee = next(
        region
        for region in regions
        if region and region.level == "committee" and not region.path.startswith(street.path)
    )
    own = [one for one in everything() if one.region_id is not None]

    def under(*paths: str) -> set[int]:
        return {one.pk for one in own if names.regions[one.region_id or 0].path.startswith(paths)}

    for asked, paths in (
        (["黄浦区"], (names.by_code[HUANGPU].path,)),
        ([street.code], (street.path,)),
        ([committee.code], (committee.path,)),
        (["黄浦区", HUANGPU, street.code, committee.code], (names.by_code[HUANGPU].path, street.path, committee.path)),
    ):
        body = post(planner, {"regions": asked, "limit": 2000})
        require_counts(body, under(*paths))
        below = [region.id for region in names.regions.values() if region.path.startswith(paths)]
        assert body["ground"]["communities"] == Community.objects.filter(retired_at=None, region__in=below).count()
        assert body["ground"]["addresses"] == Address.objects.filter(retired_at=None, region__in=below).count()
        levels = Counter(names.regions[each].level for each in below)
        assert body["ground"]["committees_whole"] == body["ground"]["committees_met"] == levels["committee"]
    assert body["total"] > 0
    district = RegionVersion.objects.get(edition__state="published", code=HUANGPU)
    alone = post(planner, {"regions": [HUANGPU], "kinds": ["eldercare"], "limit": 2000})
    assert alone["ground"]["area_km2"] == pytest.approx(district.area_m2 / 1e6, rel=1e-3)
    assert alone["parts"] == ["黄浦区"]
    assert 0 < alone["total"] < len(under(names.by_code[HUANGPU].path))


@pytest.mark.covers("ELD-MAP-08b", via="services.fencing.selecting.counting:select")
def test_what_lies_in_a_shape_of_one_s_own_in_any_system_is_listed_and_counted(planner: Client) -> None:
    box = some_box()
    nearest = min(everything(), key=lambda one: box.centroid.distance(shapely.Point(*one.geom.coords)))
    hole = shapely.box(*shapely.Point(*nearest.geom.coords).buffer(0.004).bounds)
    shapes = {
        "box": box,
        "ring": shapely.difference(box, hole),
        "two": shapely.MultiPolygon(
            [shapely.affinity.translate(hole, 0.01), shapely.affinity.translate(hole, -0.008, 0.005)]
        ),
    }
    found = {name: within(shape) for name, shape in shapes.items()}
    assert 0 < len(found["ring"]) < len(found["box"])
    for name, shape in shapes.items():
        for system in (System.WGS84, System.BD09, System.SH2000):
            written = json.loads(shapely.to_geojson(from_stored(shape, system)))
            body = post(planner, {"shape": written, "crs": str(system), "limit": 2000})
            require_counts(body, found[name])
            assert body["crs"] == str(system)
            metres = to_plane(shape, current_city())
            assert body["ground"]["area_km2"] == pytest.approx(metres.area / 1e6, rel=1e-3)
    addresses = [
        one for one in Address.objects.filter(retired_at=None) if box.intersects(shapely.Point(*one.geom.coords))
    ]
    whole = post(planner, {"shape": json.loads(shapely.to_geojson(box)), "limit": 0})
    assert (whole["ground"]["addresses"], whole["facilities"]) == (len(addresses), [])
    rows = RegionVersion.objects.filter(edition__state="published", level="committee")
    boundaries = [shapely.from_wkb(bytes(row.geom.wkb)) for row in rows]
    assert whole["ground"]["committees_met"] == sum(box.intersects(each) for each in boundaries)
    assert whole["ground"]["committees_whole"] == sum(box.covers(each) for each in boundaries)

    middle = box.centroid
    body = post(
        planner, {"circle": {"lon": middle.x, "lat": middle.y, "radius_m": 900}, "crs": "cgcs2000", "limit": 2000}
    )
    east, north = current_city().plane.forward(middle.x, middle.y)
    near = {
        one.pk
        for one in everything()
        if to_plane(shapely.Point(*one.geom.coords), current_city()).distance(shapely.Point(east, north)) <= 900
    }
    require_counts(body, near)


@pytest.mark.covers("ELD-MAP-08c", via="services.fencing.selecting.counting:select")
@pytest.mark.parametrize(
    ("mode", "minutes"), [("walk", 12), ("elder", 15), ("pram", 12), ("wheelchair", 15), ("bicycle", 6), ("car", 4)]
)
def test_what_is_reached_in_some_minutes_by_each_way_of_travel_is_listed_and_counted(
    planner: Client, mode: str, minutes: int
) -> None:
    middle = some_box().centroid
    door = min(
        Address.objects.filter(retired_at=None)[:400],
        key=lambda one: middle.distance(shapely.Point(one.geom.x, one.geom.y)),
    )
    origin = Coordinate(door.geom.x, door.geom.y, System.CGCS2000)
    asked = circle(scope=Scope.public(), origin=origin, minutes=minutes, mode=mode, limit=500, bands=False)
    wanted = {one.place.id for one in asked.places}
    assert 0 < asked.total == len(wanted)
    reach = {"lon": origin.x, "lat": origin.y, "mode": mode, "minutes": minutes}
    body = post(planner, {"reach": [reach], "crs": "cgcs2000", "limit": 2000})
    require_counts(body, wanted)
    assert f"{minutes} 分钟" in body["parts"][0]
    fewer = post(planner, {"reach": [{**reach, "minutes": 1}], "crs": "cgcs2000", "limit": 2000})
    assert ids(fewer) < wanted
    assert fewer["ground"]["area_km2"] < body["ground"]["area_km2"]


def test_fences_are_marked_by_who_may_ask_them_and_what_overlaps_counts_once(planner: Client) -> None:
    for purpose in ("service", "duty"):
        edition = draft(purpose)
        drawn(edition, purpose, square(-400, -400, 900, 900))
        published(edition)
    shapes = {fence.edition.purpose: fence for fence in Fence.objects.select_related("edition")}
    inside = within(shape_of(shapes["service"]))
    asked = {"fences": [str(shapes["service"].same), str(shapes["duty"].same)], "limit": 2000}
    body = post(planner, asked)
    require_counts(body, inside)
    assert body["parts"] == ["围栏“service”", "围栏“duty”"]
    assert body["ground"]["area_km2"] == pytest.approx(0.81, abs=0.01)
    both = post(planner, asked | {"regions": [HUANGPU]})
    require_counts(both, inside | ids(post(planner, {"regions": [HUANGPU], "limit": 2000})))
    planner.force_login(planner_of("310110"))
    assert post(planner, asked, status=404)["code"] == "fence_unknown"
    require_counts(post(planner, {"fences": asked["fences"][:1], "limit": 2000}), inside)


def test_the_list_is_taken_as_csv_and_excel_and_that_is_written_down(planner: Client) -> None:
    Facility.objects.filter(pk=everything()[0].pk).update(name="=HYPERLINK(1)")
    box = shapely.box(*shapely.MultiPoint([(one.geom.x, one.geom.y) for one in everything()]).bounds).buffer(0.001)
    asked = {"shape": json.loads(shapely.to_geojson(box)), "crs": "sh2000"}
    asked["shape"] = json.loads(shapely.to_geojson(from_stored(box, System.SH2000)))
    body = post(planner, asked | {"limit": 2000})
    text = planner.post(SELECT, json.dumps(asked | {"format": "csv"}), content_type="application/json")
    rows = list(csv.DictReader(io.StringIO(text.content.decode("utf-8-sig"))))
    assert Counter(row["名称"].lstrip("'") for row in rows) == Counter(one["name"] for one in body["facilities"])
    assert any(row["名称"] == "'=HYPERLINK(1)" for row in rows)
    assert {(float(row["东坐标"]), float(row["北坐标"])) for row in rows} == {
        (one["lon"], one["lat"]) for one in body["facilities"]
    }
    book = planner.post(SELECT, json.dumps(asked | {"format": "xlsx"}), content_type="application/json")
    sheets = CalamineWorkbook.from_filelike(io.BytesIO(book.content))
    assert sheets.sheet_names == ["机构", "统计", "说明"]
    assert len(sheets.get_sheet_by_name("机构").to_python()) == body["total"] + 1
    counts = [row[:2] for row in sheets.get_sheet_by_name("统计").to_python()[1:]]
    assert counts == [[kind["name"], kind["count"]] for kind in body["kinds"]]
    taken = AuditEntry.objects.filter(act=AuditAct.LEDGER_EXPORTED)
    assert sorted(entry.detail["format"] for entry in taken) == ["csv", "xlsx"]
    assert all(entry.detail["rows"] == body["total"] for entry in taken)


def test_it_is_for_who_holds_the_duty(client: Client) -> None:
    assert post(client, {"regions": [HUANGPU]}, status=401)["code"] == "sign_in_required"
    user = planner_of(HUANGPU)
    user.grants.update(from_day="2099-01-01")
    client.force_login(user)
    assert post(client, {"regions": [HUANGPU]}, status=403)["code"] == "duty_missing"


BAD_SHAPE = {"type": "LineString", "coordinates": [[121.47, 31.22], [121.48, 31.22]]}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "json_invalid"),
        ("[]", 400, "parameter_invalid"),
        ({}, 400, "nothing_marked"),
        ({"regions": ["火星区"]}, 400, "region_unknown"),
        ({"regions": ["a"] * 1001}, 400, "parameter_invalid"),
        ({"regions": ["310101"] * 301}, 413, "regions_too_many"),
        ({"fences": ["x"]}, 400, "parameter_invalid"),
        ({"fences": [str(uuid.UUID(int=7))]}, 404, "fence_unknown"),
        ({"shape": BAD_SHAPE}, 400, "geometry_no_area"),
        ({"shape": {"type": "Polygon", "coordinates": "x"}}, 400, "geometry_coordinates"),
        ({"circle": {"lon": 121.48, "lat": 31.23, "radius_m": 1e9}}, 400, "radius_invalid"),
        ({"circle": {"lon": 31.23, "lat": 121.48, "radius_m": 100}}, 400, "axes_swapped"),
        ({"reach": [{"mode": "rocket", "lon": 121.48, "lat": 31.23}]}, 400, "mode_unknown"),
        ({"reach": [{"minutes": 600, "lon": 121.48, "lat": 31.23}]}, 400, "minutes_out_of_range"),
        ({"reach": [{"mode": "walk"}]}, 400, "isochrone_nowhere"),
        ({"regions": [HUANGPU], "kinds": ["dragons"]}, 400, "kind_unknown"),
        ({"regions": [HUANGPU], "crs": "mars"}, 400, "crs_unknown"),
        ({"regions": [HUANGPU], "format": "pdf"}, 400, "parameter_invalid"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(planner: Client, body: Any, status: int, code: str) -> None:
    problem = post(planner, body, status=status)
    assert problem["code"] == code
    assert any("一" <= letter <= "鿿" for letter in problem["detail"])
