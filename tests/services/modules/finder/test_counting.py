"""Uses of the finder are counted by street, filter and hour: nothing lost, nothing twice, nobody known, nothing small told."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from geo.errors import BadInput, Forbidden
from geo.regions.models import RegionVersion
from geo.scope import Scope
from layers.facts.registry import fact
from layers.heat.periods import block_at
from layers.heat.regional import region_heat
from services.access.demo import make_demo_accounts
from services.access.models import AuditAct, AuditEntry, User
from services.facilities.models import Facility
from services.modules.finder import counting
from services.modules.finder.counting import count_use, flush_counts, uses
from services.modules.finder.models import Act, UseBatch, UseCount

HOST = {"host": "localhost"}
NOON = dt.datetime(2026, 9, 18, 4, 20, tzinfo=dt.UTC)
MONTH = {"since": dt.datetime(2026, 8, 31, 16, tzinfo=dt.UTC), "until": dt.datetime(2026, 9, 30, 16, tzinfo=dt.UTC)}
"""September 2026 in Shanghai."""
SEPTEMBER = block_at("month", NOON.date())


@pytest.fixture
def store(city: Any) -> redis.Redis:
    """Return the store of the counters, empty of ours."""
    client = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    for key in client.scan_iter(f"finder:uses:{connection.settings_dict['NAME']}*"):
        client.delete(key)
    return client


def streets() -> list[int]:
    found = RegionVersion.objects.filter(edition__state="published", level="street").order_by("code")
    return list(found.values_list("region_id", flat=True))


def cells() -> dict[tuple[str, int | None, str], int]:
    return {(row.act, row.region_id, row.filter): row.count for row in UseCount.objects.all()}


def test_counts_add_up_in_the_hour_and_the_street(store: redis.Redis) -> None:
    first = streets()[0]
    for _ in range(3):
        count_use(Act.SEARCH, region_id=first, filters=["meals", "age_months", "meals"], now=NOON)
    count_use(Act.CALL, region_id=None, now=NOON)
    assert flush_counts() == 4
    count_use(Act.SEARCH, region_id=first, now=NOON)
    flush_counts()
    assert cells() == {
        ("search", first, ""): 4,
        ("search", first, "meals"): 3,
        ("search", first, "age_months"): 3,
        ("call", None, ""): 1,
    }
    assert {row.hour for row in UseCount.objects.all()} == {NOON.replace(minute=0)}
    assert flush_counts() == 0


@pytest.mark.parametrize("moment", ["before_writing", "before_forgetting"])
def test_a_worker_that_is_killed_loses_nothing_and_counts_nothing_twice(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    first = streets()[0]
    for _ in range(5):
        count_use(Act.DETAIL, region_id=first, now=NOON)

    class Killed(BaseException):
        pass

    def killed(*given: Any, **named: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "before_writing":
            patch.setattr(counting, "_add", killed)
        else:
            patch.setattr(redis.Redis, "delete", killed)
        with pytest.raises(Killed):
            flush_counts()
    assert len(list(store.scan_iter(f"finder:uses:{connection.settings_dict['NAME']}:batch:*"))) == 1
    count_use(Act.DETAIL, region_id=first, now=NOON)
    flush_counts()
    assert cells() == {("detail", first, ""): 6}
    assert list(store.scan_iter(f"finder:uses:{connection.settings_dict['NAME']}*")) == []
    assert UseBatch.objects.count() == 2


def test_without_a_store_the_page_is_shown_all_the_same(city: Any, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert Client(headers=HOST).get("/places", {"kinds": "childcare"}).status_code == 200
    assert not UseCount.objects.exists()


class TestPages:
    def test_search_detail_call_and_navigation_are_counted_where_they_belong(self, store: redis.Redis) -> None:
        place = Facility.objects.filter(status="open", kind="nursery", region__isnull=False).order_by("pk").first()
        assert place is not None
        street = counting.street_of(place.region_id)
        browser = Client(headers=HOST | {"user-agent": "Mozilla/5.0 (iPhone)"})
        where = {"lon": f"{place.geom.x:.6f}", "lat": f"{place.geom.y:.6f}"}
        assert browser.get("/places", {"kinds": "childcare", "meals": "1", "q": "托"} | where).status_code == 200
        assert browser.get(f"/places/{place.pk}").status_code == 200
        assert browser.get(f"/places/{place.pk}/card").status_code == 200
        ours = {"Sec-Fetch-Site": "same-origin"}
        for act in ("call", "navigate"):
            assert browser.post(f"/places/{place.pk}/used", {"act": act}, headers=ours).status_code == 204
        # What is no use: a robot, our own check, a page fetched ahead, the next page of the same list.
        for headers in ({"user-agent": "Baiduspider/2.0"}, {"X-Quantu-Test": "1"}, {"Sec-Purpose": "prefetch"}):
            Client(headers=HOST | {"user-agent": "Mozilla/5.0"} | headers).get(f"/places/{place.pk}")
        flush_counts()
        at = counting.street_at(place.geom.x, place.geom.y)
        assert cells() == {
            ("search", at, ""): 1,
            ("search", at, "q"): 1,
            ("search", at, "meals"): 1,
            ("detail", street, ""): 2,
            ("call", street, ""): 1,
            ("navigate", street, ""): 1,
        }

    def test_a_region_asked_about_goes_before_where_one_stands(self, store: redis.Redis) -> None:
        version = RegionVersion.objects.filter(edition__state="published", level="district").order_by("code").first()
        assert version is not None
        Client(headers=HOST).get(
            "/places", {"kinds": "childcare", "district": version.code, "lon": 121.47, "lat": 31.23}
        )
        flush_counts()
        assert ("search", version.region_id, "district") in cells()
        assert {region for _, region, _ in cells()} == {version.region_id}

    def test_a_circle_is_a_search_where_it_begins(self, store: redis.Redis) -> None:
        place = Facility.objects.filter(status="open", kind="nursery").order_by("pk").first()
        assert place is not None
        where = {"lon": f"{place.geom.x:.6f}", "lat": f"{place.geom.y:.6f}", "kinds": "childcare", "open_now": "1"}
        assert Client(headers=HOST).get("/", where).status_code == 200
        flush_counts()
        at = counting.street_at(place.geom.x, place.geom.y)
        assert cells() == {("search", at, part): 1 for part in ("", "minutes", "mode", "type", "open_now")}

    @pytest.mark.parametrize(
        ("body", "headers", "status"),
        [
            ({"act": "call"}, {"Sec-Fetch-Site": "cross-site"}, 403),
            ({"act": "call"}, {}, 403),
            ({"act": "buy"}, {"Sec-Fetch-Site": "same-origin"}, 422),
        ],
    )
    def test_what_is_not_from_our_pages_is_not_counted(
        self, store: redis.Redis, body: dict[str, str], headers: dict[str, str], status: int
    ) -> None:
        place = Facility.objects.filter(status="open").order_by("pk").first()
        assert place is not None
        answer = Client(headers=HOST).post(f"/places/{place.pk}/used", body, headers=headers)
        assert answer.status_code in {status, 400}
        assert flush_counts() == 0

    def test_nothing_of_a_person_or_a_position_is_held(self, store: redis.Redis) -> None:
        Client(headers=HOST | {"X-Real-IP": "198.51.100.77"}).get(
            "/places", {"kinds": "childcare", "lon": "121.473712", "lat": "31.230412", "at": "我的位置"}
        )
        held = str(store.hgetall(f"finder:uses:{connection.settings_dict['NAME']}"))
        assert "198.51" not in held
        assert "121.47" not in held
        assert "我的" not in held
        assert {field.name for field in UseCount._meta.get_fields()} == {
            "id",
            "hour",
            "act",
            "region",
            "filter",
            "count",
        }


class TestFigures:
    SPAN: dict[str, Any] = {"since": NOON - dt.timedelta(days=1), "until": NOON + dt.timedelta(days=1)}

    def scope(self, name: str = "manager") -> Scope:
        from services.access.queries import Caller, scope_of

        make_demo_accounts()
        found = User.objects.filter(is_active=True)
        holding = [user for user in found if scope_of(Caller(user)).holds("facilities.view")]
        citywide = [
            user for user in holding if "" in scope_of(Caller(user)).paths or len(scope_of(Caller(user)).paths) > 0
        ]
        wide = max(citywide, key=lambda user: -min(len(path) for path in scope_of(Caller(user)).paths))
        return scope_of(Caller(wide))

    def count(self, numbers: dict[int, int], **named: Any) -> None:
        for region, times in numbers.items():
            for _ in range(times):
                count_use(Act.SEARCH, region_id=region, now=NOON, **named)
        flush_counts()

    def test_small_figures_are_withheld_and_cannot_be_worked_out(self, store: redis.Redis) -> None:
        a, b, c, *_ = streets()
        self.count({a: 19, b: 12, c: 2})
        # One small figure alone would be the total less the others: the next smallest goes with it.
        assert [one.count for one in uses(scope=self.scope(), by="street", **MONTH)] == [19, None, None]
        self.count({a: 0, b: 0, c: 8})
        assert [one.count for one in uses(scope=self.scope(), by="street", **MONTH)] == [19, 12, 10]

    def test_by_place_only_whole_months_that_are_over_are_told(self, store: redis.Redis) -> None:
        a, *_ = streets()
        self.count({a: 12})
        path = RegionVersion.objects.get(edition__state="published", region_id=a).path
        narrow = replace(self.scope(), paths=frozenset({path}))
        now = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        running = {"since": now, "until": now + dt.timedelta(days=31)}
        for span in (self.SPAN, MONTH | {"since": NOON}, running):
            for scope, by in ((self.scope(), "street"), (self.scope(), "district"), (narrow, "day")):
                with pytest.raises(BadInput, match="按月公布"):
                    uses(scope=scope, by=by, **span)
        assert [one.count for one in uses(scope=narrow, by="day", **MONTH)] == [12]
        assert [one.count for one in uses(scope=self.scope(), by="day", **self.SPAN)] == [12]

    def test_figures_by_filter_hour_day_act_and_district(self, store: redis.Redis) -> None:
        a, b, *_ = streets()
        self.count({a: 16, b: 18}, filters=["meals"])
        scope = self.scope()
        assert [(one.key, one.count) for one in uses(scope=scope, by="filter", **self.SPAN)] == [("meals", 34)]
        assert [(one.key, one.count) for one in uses(scope=scope, by="hour", **self.SPAN)] == [("2026-09-18T12:00", 34)]
        assert [(one.key, one.count) for one in uses(scope=scope, by="day", **self.SPAN)] == [("2026-09-18", 34)]
        assert [(one.label, one.count) for one in uses(scope=scope, by="act", **self.SPAN)] == [("查询", 34)]
        assert sum(one.count or 0 for one in uses(scope=scope, by="district", **MONTH)) == 34

    @pytest.mark.parametrize("seed", range(4))
    def test_by_place_the_figures_are_those_of_the_heat_map_and_no_others(self, store: redis.Redis, seed: int) -> None:
        """Two ways of telling, each with gaps of its own, would fill each other's."""
        chance = random.Random(seed)
        for region in streets():
            for act, most in ((Act.SEARCH, 40), (Act.CALL, 4)):
                count = chance.randint(0, most)
                UseCount.objects.create(hour=NOON, act=act, region_id=region, filter="", count=count)
        scope, hidden = self.scope(), 0
        for level in ("district", "street"):
            heat = region_heat(fact("finder_uses", scope=scope), scope=scope, level=level, period=SEPTEMBER)
            told = {one.key: one.count for one in uses(scope=scope, by=level, **MONTH)}
            assert told == {path.split(".")[-2]: value for path, value in heat.values.items() if value != 0}
            hidden += list(told.values()).count(None)
        assert hidden

    def test_no_difference_of_two_answers_by_place_is_one_of_few(self, store: redis.Redis) -> None:
        a, b, *_ = streets()
        self.count({a: 19, b: 18})
        path = RegionVersion.objects.get(edition__state="published", region_id=a).path
        narrow = replace(self.scope(), paths=frozenset({path}))
        quarter = MONTH | {"since": dt.datetime(2026, 6, 30, 16, tzinfo=dt.UTC)}
        for scope, by in ((self.scope(), "street"), (self.scope(), "district"), (narrow, "day"), (narrow, "act")):
            with pytest.raises(BadInput, match="一次看一个月"):  # three months less two are the third
                uses(scope=scope, by=by, **quarter)
            for one in ({"act": "search"}, {"filter_key": "meals"}):  # all less the searches are the calls
                with pytest.raises(BadInput, match="只看全部行为"):
                    uses(scope=scope, by=by, **one, **MONTH)

    def test_only_staff_see_figures_and_only_of_their_regions(self, store: redis.Redis) -> None:
        a, b, *_ = streets()
        self.count({a: 16, b: 18})
        with pytest.raises(Forbidden):
            uses(scope=Scope.public(), by="street", **MONTH)
        path = RegionVersion.objects.get(edition__state="published", region_id=a).path
        narrow = replace(self.scope(), paths=frozenset({path}))
        assert [one.count for one in uses(scope=narrow, by="street", **MONTH)] == [16]
        with pytest.raises(BadInput):
            uses(scope=narrow, by="street", since=NOON, until=NOON)

    def test_staff_take_the_figures_away_as_a_table_and_it_is_written_down(self, store: redis.Redis) -> None:
        scope = self.scope()
        last_month = timezone.localtime().replace(day=1) - dt.timedelta(days=1)
        a, b = streets()[:2]
        for region, times in ((a, 11), (b, 10)):
            for _ in range(times):
                count_use(Act.SEARCH, region_id=region, now=last_month)
        flush_counts()
        client = Client(headers=HOST)
        assert client.get("/desk/finder/uses.csv").status_code in {302, 403}
        client.force_login(User.objects.get(username=scope.actor), backend="django.contrib.auth.backends.ModelBackend")
        answer = client.get("/desk/finder/uses.csv", {"by": "street"})
        assert answer.status_code == 200
        figures = [line.split(",")[-1] for line in answer.content.decode().split()]
        assert figures == ["次数", "11", "10"]
        assert AuditEntry.objects.filter(act=AuditAct.LEDGER_EXPORTED, path="/desk/finder/uses.csv").count() == 1
        assert client.get("/desk/finder/uses.csv", {"by": "person"}).status_code in {400, 422}
