"""The list against brute force: what every filter lets through, what every value counts, how pages and changes are seen."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geo.addresses.gazetteer import names_of, published_now
from geo.calendars.working import WorkingDays
from geo.errors import BadInput
from geo.scope import Scope
from services.facilities.browsing.queries import Browsed, browse
from services.facilities.browsing.questions import Question, read_question
from services.facilities.browsing.specs import Arrangement, specs_for
from services.facilities.filters import Filters, months_since, read_filters
from services.facilities.hours import DAYS, HOLIDAY, is_open_at, opening_at
from services.facilities.kinds import kind_of, kinds_named
from services.facilities.models import Facility
from tests.services.facilities.conftest import PEOPLE_SQUARE, World
from tests.services.facilities.test_queries import SPANS, WEEK

PUBLIC = Scope.public()
NOON = dt.datetime(2026, 11, 18, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
CHILDCARE = kinds_named("childcare")
HERE = PEOPLE_SQUARE


def people_at(world: World) -> list[Facility]:
    """Return a hundred nurseries that differ in everything a list is narrowed by, some of it unknown."""
    chance = random.Random(5)
    regions = [
        (world.region("310101", "黄浦区", "district", "310000.310101."), "310101", ""),
        (world.region("310101002", "南京东路街道", "street", "310000.310101.310101002."), "310101", "310101002"),
        (world.region("310101013", "外滩街道", "street", "310000.310101.310101013."), "310101", "310101013"),
        (world.region("310104", "徐汇区", "district", "310000.310104."), "310104", ""),
        (world.region("310104003", "天平路街道", "street", "310000.310104.310104003."), "310104", "310104003"),
    ]
    made = []
    for number in range(100):
        said: dict[str, Any] = {}
        for key, values in {
            "service_form": ["full_day", "half_day", "hourly"],
            "meals": [True, False],
            "grade": ["示范", "一级", "二级"],
            "inclusive": [True, False],
            "fee_month_yuan": [0, 1500, 2999.5, 6000],
        }.items():
            if chance.random() < 0.8:
                said[key] = chance.choice(values)
        if chance.random() < 0.8:
            said |= {"age_from_months": chance.choice([3, 12, 18]), "age_to_months": chance.choice([24, 36])}
        spans = [
            [["08:00", "17:00"]],
            [["07:30", "18:30"]],
            [["08:00", "11:30"], ["13:00", "17:00"]],
            [["20:00", "06:00"]],
            [],
        ]
        hours = {day: chance.choice(spans) for day in DAYS if chance.random() < 0.9} if chance.random() < 0.9 else {}
        if hours and chance.random() < 0.4:
            hours["holiday"] = chance.choice(spans)
        region = chance.choice(regions)
        made.append(
            world.facility(
                f"机构{chance.randrange(40):03d}",
                HERE[0] + chance.uniform(-0.03, 0.03),
                HERE[1] + chance.uniform(-0.03, 0.03),
                kind=chance.choice(CHILDCARE),
                region=region[0],
                attributes=said,
                hours=hours,
                vacancies=chance.choice([None, 0, 1, 7]),
                vacancies_as_of=NOON - dt.timedelta(days=chance.choice([1, 29, 31, 90])),
                vacancies_source="institution",
                as_of=dt.date(2026, 10, 1) - dt.timedelta(days=chance.randrange(300)),
                status="open" if number % 25 else "suspended",
            )
        )
        made[-1].district, made[-1].street = region[1], region[2]  # type: ignore[attr-defined]
    return made


def truly(one: Any, asked: Question) -> bool:
    """Say by the plain meaning of the words whether a facility is meant; written apart from the masks and the conditions."""
    said, filters, hours = one.attributes, asked.filters, one.hours
    far = Geod(ellps="GRS80").inv(*HERE, one.geom.x, one.geom.y)[2]
    ages = filters.ages(NOON.date())
    fee = said.get("fee_month_yuan")
    opens = hours.get("holiday") if "holiday" in hours else hours.get("sun")
    wanted = [
        one.status == "open",
        not asked.types or one.kind_id in asked.types,
        not asked.district or one.district == asked.district,
        not asked.street or one.street == asked.street,
        asked.within_m is None or far <= asked.within_m,
        not filters.has_vacancy or ((one.vacancies or 0) > 0 and NOON - one.vacancies_as_of <= dt.timedelta(days=30)),
        not filters.open_now or bool(opening_at(hours, NOON, WorkingDays()).open),
        filters.open_at is None or bool(opening_at(hours, filters.open_at, WorkingDays()).open),
        not filters.open_holiday or bool(opens),
        ages is None
        or ("age_from_months" in said and said["age_from_months"] <= ages[0] and ages[1] <= said["age_to_months"]),
        filters.fee_min is None or (fee is not None and fee >= filters.fee_min),
        filters.fee_max is None or (fee is not None and fee <= filters.fee_max),
        all(day_suits(hours.get(day, []), filters) for day in filters.needed_days),
    ]
    keys = {key for key, _ in filters.attributes}
    return all(wanted) and all(said.get(key) in filters.values_of(key) and key in said for key in keys)


def day_suits(spans: Sequence[Sequence[str]], filters: Filters) -> bool:
    for begin, end in spans:
        last = end if end > begin else "99:99"
        first, until = filters.from_time or filters.until_time, filters.until_time or filters.from_time
        if not first:
            return True
        if filters.from_time and filters.until_time:
            held = begin <= first and until <= last
        elif filters.from_time:
            held = begin <= first < last
        else:
            held = begin < until <= last
        if held:
            return True
    return False


def some_questions(count: int) -> list[Question]:
    chance = random.Random(7)
    questions = []
    for _ in range(count):
        params: dict[str, list[str]] = {}

        def perhaps(key: str, *values: str, most: int = 1, odds: float = 0.16, into: Any = params) -> None:
            if chance.random() < odds:
                into[key] = chance.sample(values, min(len(values), chance.randint(1, most)))

        perhaps("has_vacancy", "1")
        perhaps("open_now", "1")
        perhaps("open_holiday", "1")
        perhaps("open_at", "2026-11-21T09:30", "2026-11-19T23:00", "2027-02-01T05:59")
        perhaps("age_months", "2", "12", "18", "30", odds=0.3)
        perhaps("age_until", "36")
        perhaps("born", "2025-03-18", "2024-01-31", odds=0.1)
        perhaps("fee_min", "1", "2000")
        perhaps("fee_max", "0", "2999", "3000")
        perhaps("days", *DAYS, most=2)
        perhaps("from_time", "07:30", "08:00", "12:00")
        perhaps("until_time", "17:00", "18:30", "24:00")
        perhaps("service_form", "full_day", "half_day", "hourly", most=2)
        perhaps("meals", "1", "0", most=2)
        perhaps("grade", "示范", "一级", "没有的", most=2)
        perhaps("inclusive", "1", "0")
        filters, _ = read_filters(params, NOON.date())
        street = chance.choice(["", "", "", "310101002", "310104003"])
        district = street[:6] or chance.choice(["", "", "310101"])
        questions.append(
            Question(
                CHILDCARE,
                types=tuple(chance.sample(CHILDCARE, 2)) if chance.random() < 0.3 else (),
                district=district,
                street=street,
                near=HERE,
                within_m=chance.choice([None, None, 500, 1000, 2000]),
                filters=filters,
            )
        )
    return questions


def found(question: Question, **more: Any) -> Browsed:
    return browse(question, scope=PUBLIC, now=NOON, limit=200, **more)


class TestAgainstBruteForce:
    def test_every_question_finds_and_counts_what_is_true(self, world: World) -> None:
        made = people_at(world)
        met = 0
        for question in some_questions(50):
            answer = found(question)
            assert {row.place.id for row in answer.rows} == {one.pk for one in made if truly(one, question)}, question
            met += 0 < answer.total < 90
            for facet in answer.facets:
                for option in facet.options:
                    assert option.count == counted(made, question, facet.spec.key, option.value), (question, option)
            for way in answer.loosened:
                assert way.count == sum(truly(one, question.without(way.part)) for one in made)
        assert met > 20  # questions that all or none of the places answer would prove little

    def test_the_database_and_the_table_let_the_same_through(self, world: World) -> None:
        people_at(world)
        for question in some_questions(60):
            condition = question.filters.condition(NOON, WorkingDays())
            by_sql = set(Facility.objects.filter(condition, status="open").values_list("id", flat=True))
            plain = Question(CHILDCARE, filters=question.filters)
            assert {row.place.id for row in found(plain).rows} == by_sql, question.filters


def counted(made: list[Facility], question: Question, key: str, value: str) -> int:
    """Return how many places a value would leave together with all other filters, by asking for just that."""
    from dataclasses import replace

    if key == "within":
        asked = replace(question, within_m=int(value))
    elif key == "district":
        asked = replace(question, district=value, street="")
    elif key == "street":
        asked = replace(question, street=value)
    elif key == "type":
        asked = replace(question, types=(value,))
    elif key == "hours":
        # Days add up: the family needs them all.
        days = tuple(day for day in DAYS if day in {*question.filters.days, value})
        asked = replace(question, filters=replace(question.filters, days=days))
    else:
        other = question.filters.without(key)
        extra, faults = read_filters({key: value}, NOON.date())
        assert not faults
        asked = replace(
            question,
            filters=replace(
                other,
                attributes=(*other.attributes, *extra.attributes),
                **{
                    name: True
                    for name in ("has_vacancy", "open_now", "open_holiday")
                    if getattr(extra, name) or getattr(other, name)
                },
            ),
        )
    return sum(truly(one, asked) for one in made)


def read(**params: str) -> tuple[Question, list[str]]:
    return read_question(
        lambda key: [params[key]] if key in params else [],
        kinds=CHILDCARE,
        near=HERE if params.get("near") else None,
        names=names_of(published_now()),
        today=NOON.date(),
    )


class TestReading:
    @pytest.mark.parametrize(
        ("params", "sentence"),
        [
            ({"age_months": "30", "age_until": "12"}, "前后颠倒"),
            ({"fee_min": "5000", "fee_max": "100"}, "前后颠倒"),
            ({"from_time": "18:00", "until_time": "08:00"}, "要晚于"),
            ({"district": "310104", "street": "310101002"}, "不在徐汇区"),
            ({"district": "999999"}, "没有代码"),
            ({"born": "2030-01-01"}, "生日"),
            ({"born": "2025-03-18", "age_months": "5"}, "按生日"),
            ({"within": "1000"}, "您的位置"),
            ({"within": "-3", "near": "1"}, "距离要填"),
            ({"type": "canteen"}, "机构类型"),
            ({"order": "weight"}, "没有这种排序"),
            ({"w_fee": "9"}, "轻重"),
            ({"open_at": "2031-01-01T08:00"}, "一年以内"),
            ({"open_at": "noon"}, "时刻要写成"),
            ({"days": "someday"}, "要开门的日子"),
            ({"service_form": "weekly"}, "服务形式"),
            ({"grade": "x" * 300}, "等级"),
        ],
    )
    def test_what_cannot_be_meant_is_said_and_left_out(
        self, world: World, params: dict[str, str], sentence: str
    ) -> None:
        people_at(world)
        question, faults = read(**params)
        assert len(faults) == 1
        assert sentence in faults[0]
        assert found(question).total > 0

    def test_an_address_says_the_question_again(self, world: World) -> None:
        people_at(world)
        for question in some_questions(40):
            params = question.params()
            again, faults = read(near="1", **params)
            assert (again, faults) == (question, [])

    def test_an_old_address_with_a_region_still_means_it(self, world: World) -> None:
        people_at(world)
        assert read(region="310104003")[0] == Question(CHILDCARE, district="310104", street="310104003")
        assert read(region="310101")[0].district == "310101"

    def test_months_are_whole(self) -> None:
        assert months_since(dt.date(2025, 3, 18), dt.date(2026, 11, 18)) == 20
        assert months_since(dt.date(2025, 3, 19), dt.date(2026, 11, 18)) == 19


class TestList:
    def test_pages_follow_without_a_gap_or_a_double(self, world: World) -> None:
        people_at(world)
        question = Question(CHILDCARE, near=HERE, order="fee")
        whole = [row.place.id for row in found(question).rows]
        seen, mark = [], ""
        while True:
            page = browse(question, scope=PUBLIC, now=NOON, limit=7, mark=mark)
            seen += [row.place.id for row in page.rows]
            mark = page.next
            if not mark:
                break
        assert seen == whole
        # The row the mark names is gone: the list goes on where it stood.
        first = browse(question, scope=PUBLIC, now=NOON, limit=7)
        Facility.objects.filter(pk=first.rows[-1].place.id).update(status="closed")
        assert [
            row.place.id for row in browse(question, scope=PUBLIC, now=NOON, limit=7, mark=first.next).rows
        ] == whole[7:14]
        for mark in ("x", "1", "1.x", "9" * 40, "1." + "9" * 25):
            with pytest.raises(BadInput):
                browse(question, scope=PUBLIC, now=NOON, mark=mark)

    def test_orders_put_the_unknown_last_and_equals_by_name(self, world: World) -> None:
        made = {one.pk: one for one in people_at(world)}
        by_fee = [made[row.place.id] for row in found(Question(CHILDCARE, order="fee")).rows]
        key = [(one.attributes.get("fee_month_yuan", 1e9), one.name, one.pk) for one in by_fee]
        assert key == sorted(key)
        by_age = [made[row.place.id] for row in found(Question(CHILDCARE, order="fresh")).rows]
        assert [one.as_of for one in by_age] == sorted((one.as_of for one in by_age), reverse=True)
        near = [row.metres for row in found(Question(CHILDCARE, near=HERE)).rows]
        assert near == sorted(near)

    def test_a_change_is_seen_with_the_next_question(self, world: World) -> None:
        made = people_at(world)
        question = Question(CHILDCARE, filters=Filters(has_vacancy=True))
        before = found(question).total
        full = next(one for one in made if one.status == "open" and one.vacancies == 0)
        Facility.objects.filter(pk=full.pk).update(vacancies=2, vacancies_as_of=NOON)
        assert found(question).total == before + 1
        Facility.objects.filter(pk=full.pk).update(name="啊改了名字")
        assert "啊改了名字" in {row.place.name for row in found(question).rows}
        Facility.objects.filter(pk=full.pk).update(status="closed")
        assert found(question).total == before
        world.facility("新开的", vacancies=1, vacancies_as_of=NOON)
        assert found(question).total == before + 1
        Facility.objects.filter(name="新开的").delete()
        assert found(question).total == before

    def test_words_pinyin_and_initials_find_a_name(self, world: World) -> None:
        people_at(world)
        wanted = world.facility("小石库门托育园")
        for q in ("石库门", "xiaoshiku", "xskm", "小石 托育"):
            rows = found(Question(CHILDCARE, q=q)).rows
            assert wanted.pk in {row.place.id for row in rows}
            assert len(rows) < 10
        with pytest.raises(BadInput):
            found(Question(CHILDCARE, q="，。"))

    def test_an_empty_list_says_what_to_loosen(self, world: World) -> None:
        world.facility("甲", attributes={"meals": True, "inclusive": True})
        world.facility("乙", attributes={"meals": True})
        world.facility("丙", attributes={"inclusive": True, "meals": False})
        filters, _ = read_filters({"meals": "0", "inclusive": "1", "service_form": "hourly"})
        assert found(Question(CHILDCARE, filters=filters)).total == 0
        answer = found(Question(CHILDCARE, filters=filters.without("service_form"), q="甲"))
        assert [(way.label, way.count) for way in answer.loosened] == [("供餐情况", 1), ("甲", 1)]

    def test_elders_are_offered_what_their_kinds_declare(self, world: World) -> None:
        keys = [spec.key for spec in specs_for(kinds_named("eldercare"))]
        assert {"medical_insurance", "memory_care", "delivers", "step_free", "fee", "grade", "ownership"} <= set(keys)
        assert not {"age_months", "service_form", "inclusive"} & set(keys)
        world.facility("有", kind="care_home", attributes={"memory_care": True, "fee_from_yuan": 4000, "grade": "三级"})
        world.facility("无", kind="canteen", attributes={"delivers": True})
        filters, _ = read_filters({"memory_care": "1", "fee_max": "5000"})
        assert [row.place.name for row in found(Question(kinds_named("eldercare"), filters=filters)).rows] == ["有"]
        assert kind_of("care_home").attribute("memory_care") is not None


class TestArrangement:
    def test_staff_hide_rename_reorder_and_cut_without_changing_what_filters_do(self, world: World) -> None:
        people_at(world)
        laid = Arrangement(
            hidden=frozenset({"fee"}),
            labels={"within": "离我多远"},
            words={("service_form", "hourly"): "临时托"},
            values={"within": ("300", "800"), "service_form": ("hourly", "full_day")},
            order=("age_months", "within"),
        )
        answer = found(Question(CHILDCARE, near=HERE, filters=Filters(fee_max=0)), arrangement=laid)
        keys = [facet.spec.key for facet in answer.facets]
        assert keys[:2] == ["age_months", "within"]
        assert "fee" not in keys
        assert answer.total == found(Question(CHILDCARE, near=HERE)).total  # what is hidden narrows nothing
        facets = {facet.spec.key: facet for facet in answer.facets}
        assert facets["within"].spec.label == "离我多远"
        assert [option.label for option in facets["within"].options] == ["300 米内", "800 米内"]
        assert [option.label for option in facets["service_form"].options] == ["临时托", "全日托"]
        # What somebody chose before stays to be taken back.
        held = found(Question(CHILDCARE, near=HERE, within_m=2000), arrangement=laid)
        within = next(facet for facet in held.facets if facet.spec.key == "within")
        assert [option.value for option in within.options if option.on] == ["2000"]


@given(
    hours=st.dictionaries(st.sampled_from((*DAYS, HOLIDAY)), SPANS),
    minutes=st.integers(0, 7 * 24 * 60 - 1),
    days=st.builds(WorkingDays, off=WEEK, work=WEEK),
)
def test_the_short_rule_of_being_open_says_what_the_long_one_does(
    hours: dict[str, Any], minutes: int, days: WorkingDays
) -> None:
    at = NOON.replace(day=16, hour=0) + dt.timedelta(minutes=minutes)
    assert is_open_at(hours, at, days) is (opening_at(hours, at, days).open is True)
