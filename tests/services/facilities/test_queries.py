"""Lists, the nearest, details and counts of facilities on real PostGIS."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL
from hypothesis import given
from hypothesis import strategies as st

from geo.addresses.gazetteer import published_now
from geo.calendars.working import WorkingDays
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, NotFound
from geo.scope import Scope
from services.facilities.filters import Filters, filters_from, open_at
from services.facilities.hours import DAYS, HOLIDAY, opening_at
from services.facilities.models import Facility
from services.facilities.nearest import facilities_near
from services.facilities.queries import counts_by_kind, facilities_in, facility_detail, places_by_id
from tests.services.facilities.conftest import World

PUBLIC = Scope.public()
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = dt.datetime(2026, 11, 18, 12, 0, tzinfo=SHANGHAI)


def names(page: Any) -> list[str]:
    return [place.name for place in page.places]


def everything(**question: Any) -> list[str]:
    """Walk all pages and return the names in order."""
    found: list[str] = []
    cursor = ""
    for _ in range(1000):
        page = facilities_in(scope=PUBLIC, cursor=cursor, **question)
        found += names(page)
        if page.next is None:
            return found
        assert len(page.places) == question.get("limit", 50)
        cursor = page.next
    raise AssertionError("the pages never end")


class TestFacilitiesIn:
    @pytest.mark.parametrize("order", ["name", "distance", "relevance"])
    @pytest.mark.parametrize("limit", [1, 3, 7, 20, 21, 200])
    def test_pages_hold_every_row_once_in_order(self, world: World, order: str, limit: int) -> None:
        chance = random.Random(5)
        for n in range(20):
            # Equal names and equal places: only the id tells them apart.
            world.facility(f"托育{n % 4}", lon=121.47 + 0.001 * chance.randrange(3))
        question = {"near": (121.47, 31.23), "q": "托育", "order": order}
        whole = everything(limit=200, **question)
        assert len(whole) == 20
        assert everything(limit=limit, **question) == whole

    def test_a_page_that_ends_exactly_has_no_next(self, world: World) -> None:
        for _ in range(4):
            world.facility()
        assert facilities_in(scope=PUBLIC, limit=4).next is None
        assert facilities_in(scope=PUBLIC, limit=3).next is not None

    @pytest.mark.parametrize("cursor", ["x", "!!!", "W10", "WyJuYW1lIiwxLDJd", "bnVsbA", "W1tbW1tbW1tb", "é"])
    def test_a_cursor_of_another_list_is_refused(self, world: World, cursor: str) -> None:
        with pytest.raises(BadInput) as caught:
            facilities_in(scope=PUBLIC, cursor=cursor)
        assert caught.value.code == "cursor_invalid"

    def test_rows_that_are_retired_unpublished_or_not_open_are_not_found(self, world: World) -> None:
        shown = world.facility("在")
        world.facility("撤", retired_at=NOON)
        world.facility("关", status="closed")
        world.facility("筹", status="preparing")
        world.facility("稿", source=world.publish("facilities", published=False))
        gone = world.publish("facilities")
        gone.retired_at = NOON
        gone.save()
        world.facility("旧", source=gone)
        assert names(facilities_in(scope=PUBLIC)) == [shown.name]
        assert names(facilities_in(scope=PUBLIC, statuses=["closed"])) == ["关"]
        assert counts_by_kind(scope=PUBLIC) == {"nursery": 1}

    def test_a_facility_in_preparation_is_seen_with_the_duty_over_its_region(self, world: World) -> None:
        inside = world.region("310101", "黄浦区", "district", "310000.310101.")
        outside = world.region("310106", "静安区", "district", "310000.310106.")
        for name, region in (("里", inside), ("外", outside)):
            world.facility(name, status="preparing", region=region)
        asked = {"statuses": ["preparing"]}
        own = Scope(paths=("310000.310101.",), duties=frozenset({"facilities.view"}))
        without = Scope(paths=("310000.310101.",))
        assert names(facilities_in(scope=own, **asked)) == ["里"]
        assert names(facilities_in(scope=without, **asked)) == []
        assert names(facilities_in(scope=PUBLIC, **asked)) == []
        assert len(names(facilities_in(scope=Scope.system("test"), **asked))) == 2

    def test_read_by_id_a_place_is_the_same_as_in_the_list(self, world: World) -> None:
        street = world.region("310101002", "老西门街道", "street", "310000.310101002.")
        said = {"fee_month_yuan": 3200, "rate": 1.25, "meals": True, "grade": "一级", "note": "“托”\n", "none": None}
        week = {day: [["08:00", "17:30"]] for day in DAYS[:5]}
        world.facility("满", region=street, attributes=said, hours=week, hours_as_of=NOON.date(), vacancies=3, places=40,
                       vacancies_as_of=NOON, vacancies_source="institution", as_of=NOON.date(), lon=121.4712345678901)  # fmt: skip
        world.facility("空")
        hidden = [world.facility("关", status="closed"), world.facility("撤", retired_at=NOON),
                  world.facility("筹", status="preparing"),
                  world.facility("稿", source=world.publish("facilities", published=False))]  # fmt: skip
        listed = {place.id: place for place in facilities_in(scope=PUBLIC, now=NOON).places}
        ids = [*listed, *(row.pk for row in hidden)]
        for scope in (PUBLIC, Scope.system("test")):
            assert places_by_id(ids, scope=scope, published=published_now(), now=NOON) == listed
            some = places_by_id(ids, scope=scope, published=published_now(), now=NOON, only=Q(name="满"))
            assert [place.name for place in some.values()] == ["满"]
        assert len(listed) == 2

    def test_region_and_box_narrow_the_list(self, world: World) -> None:
        district = world.region("310101", "黄浦区", "district", "310000.310101.")
        street = world.region("310101002", "老西门街道", "street", "310000.310101.310101002.")
        world.facility("区里", region=district, lon=121.40)
        world.facility("街里", region=street, lon=121.48)
        assert names(facilities_in(scope=PUBLIC, region="310101")) == ["区里", "街里"]
        assert names(facilities_in(scope=PUBLIC, region="310101002")) == ["街里"]
        assert facilities_in(scope=PUBLIC, region="310101002").places[0].region.full_name == "黄浦区老西门街道"
        assert names(facilities_in(scope=PUBLIC, bbox=(121.3, 31.0, 121.45, 31.5))) == ["区里"]
        with pytest.raises(NotFound):
            facilities_in(scope=PUBLIC, region="999999")

    @pytest.mark.parametrize(
        "q",
        ["石库门", "小石库门托育园", "xskm", "xiaoshiku", "库门", "艾家弄", "黄浦 托育", "石", "ＸＳＫＭ", "艾家弄86"],
    )
    def test_a_name_is_found_by_characters_pinyin_initials_and_address(self, world: World, q: str) -> None:
        world.facility("小石库门托育园", address_text="黄浦区艾家弄86号")
        world.facility("方浜社区宝宝屋", address_text="方浜中路2号")
        assert names(facilities_in(scope=PUBLIC, q=q)) == ["小石库门托育园"]

    def test_the_best_match_stands_first(self, world: World) -> None:
        for name in ("大国权托育", "国权托育分园", "国权托育", "某园"):
            world.facility(name, address_text="国权托育路" if name == "某园" else "")
        assert names(facilities_in(scope=PUBLIC, q="国权托育")) == ["国权托育", "国权托育分园", "大国权托育", "某园"]

    @pytest.mark.parametrize("q", ["，。", "国" * 201])
    def test_what_cannot_be_searched_is_said(self, world: World, q: str) -> None:
        with pytest.raises(BadInput):
            facilities_in(scope=PUBLIC, q=q)

    def test_filters(self, world: World) -> None:
        fresh, stale = NOON - dt.timedelta(days=29), NOON - dt.timedelta(days=31)
        world.facility(
            "余", vacancies=3, vacancies_as_of=fresh, attributes={"age_from_months": 18, "age_to_months": 36}
        )
        world.facility("旧", vacancies=3, vacancies_as_of=stale, attributes={"inclusive": True})
        world.facility("满", vacancies=0, vacancies_as_of=fresh, attributes={"service_form": "full_day"})
        world.facility("开", hours={"wed": [["08:00", "17:00"]]}, attributes={"inclusive": False})

        def found(**params: Any) -> list[str]:
            return names(facilities_in(scope=PUBLIC, filters=filters_from(params), now=NOON))

        assert found(has_vacancy="1") == ["余"]
        assert found(open_now="true") == ["开"]
        assert found(age_months="18") == found(age_months=36) == ["余"]
        assert found(age_months=37) == found(age_months=17) == []
        assert found(inclusive="true") == ["旧"]
        assert found(inclusive="false") == ["开"]
        assert found(service_form="full_day") == ["满"]
        assert found(service_form="") == ["余", "开", "旧", "满"]

    @pytest.mark.parametrize(
        "params", [{"age_months": "x"}, {"age_months": "999"}, {"service_form": "weekly"}, {"inclusive": "maybe"}]
    )
    def test_a_filter_that_cannot_be_meant_is_refused(self, params: dict[str, str]) -> None:
        with pytest.raises(BadInput):
            filters_from(params)

    def test_filters_can_be_said_and_taken_apart(self) -> None:
        filters = filters_from({"has_vacancy": "1", "service_form": "full_day", "inclusive": "1", "age_months": "20"})
        assert filters.spoken() == ["有余位", "收 20 个月的孩子", "全日托", "普惠"]
        for part in filters.parts:
            filters = filters.without(part)
        assert filters == Filters()


CLOCKS = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.integers(0, 59))
SPANS = st.lists(
    st.tuples(CLOCKS, CLOCKS | st.just("24:00")).filter(lambda span: span[0] != span[1]).map(list), max_size=3
)


WEEK = st.frozensets(st.dates(dt.date(2026, 11, 15), dt.date(2026, 11, 22)))


class TestOpenNowInSql:
    @pytest.mark.django_db
    @given(
        hours=st.dictionaries(st.sampled_from((*DAYS, HOLIDAY)), SPANS),
        minutes=st.integers(0, 7 * 24 * 60 - 1),
        days=st.builds(WorkingDays, off=WEEK, work=WEEK),
    )
    def test_the_database_and_the_pure_rule_agree(self, hours: dict[str, Any], minutes: int, days: WorkingDays) -> None:
        at = dt.datetime(2026, 11, 16, tzinfo=SHANGHAI) + dt.timedelta(minutes=minutes)
        sql, params = Facility.objects.filter(open_at(at, days)).values("id").query.sql_with_params()
        condition = sql.partition(" WHERE ")[2].replace('"facilities_facility"."hours"', "said.hours")
        from json import dumps

        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT coalesce({condition}, false) FROM (SELECT %s::jsonb AS hours) AS said", [*params, dumps(hours)]
            )
            assert cursor.fetchone()[0] == bool(opening_at(hours, at, days).open)


class TestFacilitiesNear:
    def brute(self, lon: float, lat: float, k: int, **where: Any) -> list[int]:
        metres = RawSQL(
            "ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(%s, %s), %s)::geography)", (lon, lat, CGCS2000)
        )
        rows = Facility.objects.filter(retired_at=None, status="open", **where).annotate(metres=metres)
        return list(rows.order_by("metres", "id").values_list("id", flat=True)[:k])

    def test_equal_to_brute_force_by_metres(self, world: World) -> None:
        chance = random.Random(11)
        for n in range(400):
            world.facility(
                lon=round(121.2 + 0.5 * chance.random(), 3),
                lat=round(31.0 + 0.4 * chance.random(), 3),
                kind=("nursery", "canteen", "park")[n % 3],
            )
        for _ in range(60):
            lon, lat, k = 121.0 + chance.random(), 30.9 + 0.7 * chance.random(), chance.choice([1, 3, 10, 40])
            kinds = chance.choice([(), ("canteen",), ("canteen", "park")])
            found = [near.place.id for near in facilities_near(lon, lat, scope=PUBLIC, kinds=kinds, k=k)]
            assert found == self.brute(lon, lat, k, **({"kind__in": kinds} if kinds else {}))

    def test_many_at_one_spot_are_told_apart_by_id(self, world: World) -> None:
        for _ in range(100):
            world.facility()
        found = [near.place.id for near in facilities_near(121.47, 31.23, scope=PUBLIC, k=10)]
        assert found == self.brute(121.47, 31.23, 10)

    def test_metres_are_those_of_the_ellipsoid(self, world: World) -> None:
        world.facility(lon=121.48, lat=31.2304)
        (near,) = facilities_near(121.47, 31.2304, scope=PUBLIC)
        assert near.metres == pytest.approx(952.85, abs=0.5)

    @pytest.mark.parametrize("kinds", [(), ("nursery",), ("nursery", "canteen")])
    def test_where_nothing_is_published_nothing_is_near(self, db: None, kinds: tuple[str, ...]) -> None:
        assert facilities_near(121.47, 31.23, scope=PUBLIC, kinds=kinds) == []

    @pytest.mark.parametrize("k", [0, 101])
    def test_k_has_limits(self, db: None, k: int) -> None:
        with pytest.raises(BadInput):
            facilities_near(121.47, 31.23, scope=PUBLIC, k=k)


class TestDetail:
    def test_says_what_the_kind_declares(self, world: World) -> None:
        made = world.facility(
            "小石库门托育园",
            attributes={"service_form": "full_day", "inclusive": True, "fee_month_yuan": 1800, "unheard": 1},
            hours={"mon": [["08:00", "17:30"]], "tue": [["08:00", "17:30"]]},
            vacancies=2,
            vacancies_as_of=NOON - dt.timedelta(days=1),
            vacancies_source="institution",
        )
        detail = facility_detail(made.pk, scope=PUBLIC, now=NOON)
        assert detail.said == [("服务形式", "全日托"), ("普惠", "是"), ("每月收费", "1800 元")]
        assert detail.week == [("周一至周二", "08:00–17:30"), ("周三至周日", "休息")]
        assert (detail.place.vacancies.text, detail.place.vacancies.said) == ("余位 2", "11月17日 机构填报")

    def test_a_closed_one_is_still_shown_as_closed(self, world: World) -> None:
        assert facility_detail(world.facility(status="closed").pk, scope=PUBLIC).place.status_name == "已关闭"

    def test_what_may_not_be_seen_is_not_there(self, world: World) -> None:
        for pk in (world.facility(status="preparing").pk, world.facility(retired_at=NOON).pk, 10**9, 2**70):
            with pytest.raises(NotFound):
                facility_detail(pk, scope=PUBLIC)
