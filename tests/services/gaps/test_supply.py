"""服务供需 over HTTP: ground that anybody marks, held against SQL and adding up by hand; refusals; what nobody may learn."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import shapely
from django.db import connection
from django.test import Client
from django.utils import timezone

from geo.addresses.gazetteer import names_of, published_now
from geo.geometry import to_plane
from geo.imports.models import Family
from geo.regions.models import Population, RegionVersion
from geo.regions.queries import current_city
from geo.scope import Scope
from services.facilities.kinds import kinds_named
from services.facilities.models import Facility
from services.gaps.supply import AMPLE, SHORT, WORDS, Rate
from tests.services.fencing.serving.asking import planner_of
from tests.services.gaps.measured import HUANGPU, few_kinds, held, measure, told_by_hand
from tests.services.gaps.test_telling import republish

pytestmark = pytest.mark.usefixtures("city", "one_district")
PAGE = "/elder/supply"
OF_KIND = """
    SELECT f.kind_id, count(*), sum(f.places)
    FROM facilities_facility f JOIN regions_regionversion v ON v.region_id = f.region_id
    JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published'
    WHERE f.status = 'open' AND f.retired_at IS NULL AND v.level = 'committee' AND v.region_id = ANY(%s) GROUP BY 1"""
STATED = """SELECT kind_id, avg((places IS NOT NULL)::int) FROM facilities_facility
    WHERE status = 'open' AND retired_at IS NULL GROUP BY 1"""


def only_here() -> None:
    """Leave the residents of the streets where the places of the tiny city are: they are the city that ground is held against."""
    rows = RegionVersion.objects.filter(edition__state="published", region__in=Facility.objects.values("region"))
    streets = {
        path[: path.index(".", path.index(".", path.index(".") + 1) + 1) + 1]
        for path in rows.values_list("path", flat=True)
    }
    own = RegionVersion.objects.filter(
        edition__state="published", path__regex=f"^({'|'.join(map(re.escape, streets))})"
    )
    Population.objects.exclude(region__in=own.values("region")).update(retired_at=timezone.now())
    republish(300)


@pytest.fixture
def one_district(city: Any) -> None:
    only_here()


def ask(client: Client, status: int = 200, *, card: bool = False, **asked: object) -> str:
    headers = {"HX-Request": "true"} if card else {}
    response = client.get(f"{PAGE}?{urlencode(asked)}", headers=headers)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


def told(text: str) -> dict[str, dict[str, str]]:
    """Return what is told of each kind: how many, the rates here and in the city, the share of elders, the verdict."""
    found = {}
    for item in re.findall(r'<li data-kind="[^"]+".*?</li>', text, re.DOTALL):
        plain = re.sub(r"<[^>]+>", "", item)
        found[re.search(r'data-kind="([^"]+)"', item)[1]] = {
            "count": (re.search(r"([\d,]+) 家", plain) or [0, "0"])[1],
            "places": (re.search(r"([\d,]+) 个名额", plain) or [0, ""])[1],
            "here": re.search(r"data-here(?:=..)?>([^<]+)", item)[1],
            "city": re.search(r"data-city(?:=..)?>([^<]+)", item)[1],
            "percent": (re.search(r"data-percent(?:=..)?>(\d+)%", item) or [0, ""])[1],
            "verdict": (re.search(r'data-verdict="(\w+)"', item) or [0, ""])[1],
            "words": plain,
        }
    return found


def sql(statement: str, *given: object) -> dict[str, tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return {kind: tuple(rest) for kind, *rest in cursor}


def elders(regions: set[int], low: int = 60) -> int:
    persons = told_by_hand()
    bands = (0, 3, 6, 60, 80)
    return sum(count for each in regions for least, count in zip(bands, persons[each], strict=True) if least >= low)


def half_in(shape: Any) -> set[int]:
    """Return the committees that may be told and of which at least half lies in a shape (degrees)."""
    ground, names = to_plane(shape, current_city()), told_by_hand()
    found = set()
    for row in RegionVersion.objects.filter(edition__state="published", level="committee"):
        own = to_plane(shapely.from_wkb(bytes(row.geom.wkb)), current_city())
        if own.intersection(ground).area >= own.area / 2 and row.region_id in names:
            found.add(row.region_id)
    return found


def require_rates(found: dict[str, dict[str, str]], committees: set[int]) -> None:
    """Hold the rates told against SQL over the very committees, and over all."""
    stated = {kind: float(share) for kind, (share,) in sql(STATED).items()}
    every = set(told_by_hand())
    here, city = (sql(OF_KIND, list(each)) for each in (committees, every))
    seen = set()
    for kind in kinds_named("eldercare"):
        by_places = stated.get(kind, 0) >= 0.8

        def rate(of: dict[str, tuple[Any, ...]], regions: set[int], kind: str = kind, by: bool = by_places) -> float:
            count, places = of.get(kind, (0, 0))
            return 1_000 * (places or 0) / elders(regions) if by else 10_000 * count / elders(regions)

        own, all_of = rate(here, committees), rate(city, every)
        assert found[kind]["here"] == f"{own:.1f}", kind
        assert found[kind]["city"] == f"{all_of:.1f}", kind
        if all_of:
            verdict = "short" if own / all_of < 0.8 else "ample" if own / all_of > 1.25 else "even"
            assert found[kind]["verdict"] == verdict
            assert WORDS[verdict] in found[kind]["words"]
            seen.add(verdict)
    assert len(seen) > 1, f"{seen} alone would prove little"


def a_street() -> RegionVersion:
    """Return the street of the district with the most committees that are told."""
    names, persons = names_of(published_now()), told_by_hand()
    rows = RegionVersion.objects.filter(edition__state="published", level="street", code__startswith=HUANGPU)
    return max(rows, key=lambda row: sum(names.regions[each].path.startswith(row.path) for each in persons))


def test_a_street_is_held_against_the_city_in_its_own_committees(client: Client) -> None:
    street = a_street()
    names = names_of(published_now())
    own = {each for each in told_by_hand() if names.regions[each].path.startswith(street.path)}
    text = ask(client, how="region", region=street.code)
    found = told(text)
    require_rates(found, own)
    assert f"{elders(own):,} 人" in text
    assert f"{elders(own, 80):,} 人" in text
    assert f"{len(own):,} 个居委" in text
    inside = "SELECT kind_id, count(*), sum(places) FROM facilities_facility WHERE status = 'open' AND retired_at IS NULL AND region_id IN (SELECT region_id FROM regions_regionversion WHERE path LIKE %s) GROUP BY 1"
    for kind, (count, places) in sql(inside, f"{street.path}%").items():
        if kind in found:
            assert (found[kind]["count"], found[kind]["places"]) == (
                f"{count:,}",
                f"{places:,}" if places is not None else "",
            ), kind
    assert "服务盲区</a>" not in text.split("<main", 1)[1].split("supply-rows", 1)[0].replace("help/gaps", ""), (
        "that is for supervisors"
    )


def test_drawn_ground_counts_what_lies_in_it_and_whole_committees(client: Client) -> None:
    box = a_street().geom.extent
    west, south, east, north = box[0], box[1], box[2] + 0.004, box[3] + 0.003
    corners = [(west, south), (east, south), (east, north), (west + 0.002, north)]
    text = ask(client, how="polygon", corners=";".join(f"{x:.6f},{y:.6f}" for x, y in corners), card=True)
    shape = shapely.Polygon([(round(x, 6), round(y, 6)) for x, y in corners])
    found = told(text)
    require_rates(found, half_in(shape))
    within = """SELECT kind_id, count(*), sum(places) FROM facilities_facility WHERE status = 'open' AND retired_at IS NULL
        AND ST_Intersects(geom, ST_SetSRID(ST_GeomFromText(%s), 4490)) GROUP BY 1"""
    counts = sql(within, shape.wkt)
    for kind in kinds_named("eldercare"):
        count, places = counts.get(kind, (0, None))
        assert found[kind]["count"] == f"{count:,}"
        assert found[kind]["places"] == (f"{places:,}" if places is not None else "")
    island = json.loads(re.search(r'<script id="ground" type="application/json">(.+?)</script>', text)[1])
    assert len(island["places"]) == sum(counts.get(kind, (0, 0))[0] for kind in kinds_named("eldercare"))
    drawn = shapely.geometry.shape(island["outline"])
    assert drawn.symmetric_difference(shape).area < shape.area / 1000
    # A box is two of its corners, in whatever order.
    other = ask(client, how="box", corners=f"{east:.6f},{south:.6f};{west:.6f},{north:.6f}", card=True)
    assert told(other) == told(
        ask(client, how="box", corners=f"{west:.6f},{north:.6f};{east:.6f},{south:.6f}", card=True)
    )


def test_what_is_missing_is_looked_for_outside_nearest_first(client: Client) -> None:
    from services.facilities.nearest import facilities_near

    street = a_street()
    lon, lat = street.label.x, street.label.y
    text = ask(client, how="circle", lon=f"{lon:.6f}", lat=f"{lat:.6f}", radius=300, card=True)
    assert "300 米的圆" in text
    wanting = [kind for kind, one in told(text).items() if one["count"] == "0" or one["verdict"] == "short"]
    assert wanting
    named = 0
    for kind in wanting:
        item = re.search(rf'<li data-kind="{kind}".*?</li>', text, re.DOTALL)[0]
        place = re.search(r"place=(\d+)", item)
        if place is None:
            continue
        row = Facility.objects.get(pk=place[1])
        assert row.kind_id == kind
        metres = next(
            one.metres
            for one in facilities_near(lon, lat, scope=Scope.public(), kinds=[kind], k=100)
            if one.place.id == row.pk
        )
        assert metres > 299, "it lies outside"
        named += 1
        assert re.search(r"走路 \d+ 分钟|直线 [\d.]+ (米|公里)", item)
    assert named


def test_elders_who_walk_to_the_nearest_are_told_where_gaps_are_measured(client: Client) -> None:
    few_kinds()  # of those for elders only canteens are left
    street = a_street()
    assert "走得到的比例还没有计算" in ask(client, how="region", region=street.code)
    measure()
    ground, walks = held("canteen")
    names, persons = names_of(published_now()), told_by_hand()
    (line,) = told(ask(client, how="region", region=street.code)).values()
    at = [
        place for place, unit in enumerate(ground.units.tolist())
        if unit in persons and names.regions[unit].path.startswith(street.path)
    ]  # fmt: skip
    old = np.array([sum(persons[ground.units[place]][3:]) for place in at])
    assert line["percent"] == str(round(100 * float((old * walks.within[at, 2]).sum() / old.sum())))


def test_too_little_ground_tells_nobody_and_no_rate(client: Client) -> None:
    label = a_street().label
    text = ask(client, how="circle", lon=f"{label.x:.6f}", lat=f"{label.y:.6f}", radius=20, card=True)
    assert "没有一个居委有一半以上在范围内" in text
    assert {one["here"] for one in told(text).values()} == {"—"}
    assert {one["verdict"] for one in told(text).values()} == {""}
    assert "0 人" not in text


def test_a_committee_that_may_not_be_told_is_in_no_figure(client: Client) -> None:
    names = names_of(published_now())
    street = a_street()
    own = [each for each in told_by_hand() if names.regions[each].path.startswith(street.path)]
    Population.objects.filter(region=own[0], age_from=80).update(persons=1)
    republish(1)
    left = {each for each in told_by_hand() if names.regions[each].path.startswith(street.path)}
    assert own[0] not in left
    text = ask(client, how="region", region=street.code)
    require_rates(told(text), left)
    assert f"另有 {len(own) - len(left)} 个居委人数太少" in text
    alone = ask(client, how="region", region=names.regions[own[0]].code)
    assert {one["here"] for one in told(alone).values()} == {"—"}
    Population.objects.filter(source__family=Family.POPULATION).delete()
    republish(1)
    assert "还没有公布分居委的人口" in ask(client, how="region", region=street.code)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"how": "magic"}, "请选怎么圈"),
        ({"how": "region", "region": ""}, "请至少选一种范围"),
        ({"how": "region", "region": "999999"}, "没有叫"),
        ({"how": "box", "corners": "121.47,31.23"}, "两个对角"),
        ({"how": "polygon", "corners": "121.47,31.23;121.48,31.23"}, "至少要三个点"),
        ({"how": "polygon", "corners": "a,b;c,d;e,f"}, "读不懂"),
        ({"how": "polygon", "corners": "nan,31;121.4,31.2;121.5,31.2"}, "有效的数字"),
        ({"how": "polygon", "corners": "1,2;3,4;5,6"}, "请"),
        ({"how": "polygon", "corners": "121.47,31.23;121.48,31.23;121.47,31.23"}, "没有面积"),
        ({"how": "polygon", "corners": "121.47,31.23;121.47001,31.23;121.47,31.23001"}, "太小"),
        ({"how": "polygon", "corners": ";".join(["121.47,31.23"] * 201)}, "最多 200 个点"),
        ({"how": "circle"}, "请写出发的地点"),
        ({"how": "circle", "where": "没有这个地方呀"}, "没有找到"),
        ({"how": "circle", "lon": "121.47", "lat": "31.23", "radius": "5"}, "半径请填"),
        ({"how": "street", "lon": "122.1", "lat": "30.75"}, "不在任何街镇里"),
        ({"how": "street"}, "请在地图上点一下"),
    ],
)  # fmt: skip
def test_what_marks_no_ground_is_refused_with_what_to_do(client: Client, asked: dict[str, str], words: str) -> None:
    page = client.get(PAGE, asked)
    assert 400 <= page.status_code < 500
    text = page.content.decode()
    assert re.search(r'role="alert">([^<]+)', text)[1].count(words) == 1, text[-3000:]
    card = ask(client, card=True, **asked)
    assert words in card
    assert "data-close" in card


def test_a_point_marks_its_street_and_its_district(client: Client) -> None:
    street = a_street()
    at = {"lon": f"{street.label.x:.6f}", "lat": f"{street.label.y:.6f}"}
    assert told(ask(client, how="street", **at)) == told(ask(client, how="region", region=street.code, **at))
    assert told(ask(client, how="district", **at)) == told(ask(client, how="region", region=HUANGPU, **at))


def test_other_words_than_those_of_the_point_are_another_place(client: Client) -> None:
    street = a_street()
    at = {"lon": f"{street.label.x:.6f}", "lat": f"{street.label.y:.6f}", "how": "circle", "radius": "500"}
    there = Facility.objects.filter(kind="canteen", status="open").latest("geom")
    form = ask(client, **at)
    assert f'name="lon" value="{at["lon"]}"' in form
    assert 'name="where" value="地图上选的位置"' in form
    assert told(ask(client, where="地图上选的位置", **at)) == told(form)
    elsewhere = ask(client, where=there.name, **at)
    assert told(elsewhere) == told(
        ask(client, how="circle", radius=500, lon=f"{there.geom.x:.6f}", lat=f"{there.geom.y:.6f}")
    )
    assert told(elsewhere) != told(form)


def test_supervisors_go_on_to_their_own_region_only(client: Client) -> None:
    client.force_login(planner_of(HUANGPU))
    inside = ask(client, how="region", region=HUANGPU)
    assert re.search(rf"/plan/gaps\?kind=\w+&amp;region={HUANGPU}", inside)
    other = RegionVersion.objects.filter(edition__state="published", level="district").exclude(code=HUANGPU).first()
    assert "/plan/gaps?" not in ask(client, how="region", region=other.code)


def test_who_asks_too_often_is_told_when_to_come_back(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from limits import RateLimitItemPerMinute

    from web.doors.eldermap.supply import ASKED

    monkeypatch.setattr(ASKED, "anonymous", RateLimitItemPerMinute(1))
    asked = [client.get(PAGE, {"how": "region", "region": HUANGPU}, headers={"X-Real-IP": "203.0.113.8"}) for _ in "ab"]
    assert [answer.status_code for answer in asked] == [200, 429]
    assert client.get(PAGE, headers={"X-Real-IP": "203.0.113.8"}).status_code == 200, "the form alone is free"


def test_a_rate_is_short_even_or_ample_at_the_declared_bounds() -> None:
    assert [Rate(True, here, 10.0).verdict for here in (0.0, 7.99, 8.0, 12.5, 12.51)] == [
        "short",
        "short",
        "even",
        "even",
        "ample",
    ]
    assert [Rate(True, *each).verdict for each in ((None, 10.0), (5.0, None), (5.0, 0.0))] == ["", "", ""]
    assert (SHORT, AMPLE) == (0.8, 1.25)
