"""Rows others can trust: every row comes back, says how far to trust it, and its standard text is its own standard text."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.city import generate
from fixtures.city.misspelling import misspell
from geo.addresses.gazetteer import Names, names_of, published_now
from geo.addresses.geocode import geocode
from geo.addresses.lookups import metres_between
from geo.addresses.models import Address
from geo.addresses.parsing import Gazetteer, parse, roads_of
from geo.addresses.standardising.outcomes import Item, Standardised, Status
from geo.addresses.standardising.standard import district_named, standard_text, standardise
from geo.imports.models import CURRENT
from geo.scope import Scope
from tests.geo.addresses.test_parsing_rendering import in_estates, in_villages, on_roads

PUBLIC = Scope.public()


def rows_of(*texts: str | Item) -> list[Standardised]:
    return standardise([Item(text) if isinstance(text, str) else text for text in texts], scope=PUBLIC)


def codes(row: Standardised) -> set[str]:
    return {reason.code for reason in row.reasons}


def dirty(count: int = 400) -> list[tuple[int, str]]:
    table = generate("tiny", 2025).addresses
    return [(row, text) for row, text, _ in misspell(table, seed=4, count=count, keeping_meaning=False)]


@pytest.fixture
def door(city: None) -> Address:
    """Return a door in a lane that is the only one of its name in the city."""
    rows = (
        Address.objects.filter(CURRENT, room="", building="", suffix="", sub_lane="")
        .exclude(lane="")
        .exclude(number="")
    )
    names = Counter(rows.values_list("road", "lane", "number"))
    return next(row for row in rows.order_by("id") if names[row.road, row.lane, row.number] == 1)


def district_of(row: Address, names: Names) -> str:
    region = names.region(row.region_id)
    above = names.above(region, "district") if region else None
    return above.name if above else ""


def short(door: Address) -> str:
    return f"{door.road}{door.lane}弄{door.number}号"


def test_a_door_is_matched_and_its_district_added(door: Address) -> None:
    (row,) = rows_of(f"{short(door)}")
    assert (row.row, row.status, row.spot.level if row.spot else "") == (1, Status.MATCHED, "door")
    assert row.spot
    assert metres_between(row.spot.lon, row.spot.lat, door.geom.x, door.geom.y) < 1
    assert row.where.district
    assert row.where.committee
    assert row.standard == f"上海市{row.where.district}{short(door)}"
    assert codes(row) == {"district_added"}
    assert (row.parts.lane, row.parts.number) == (door.lane, door.number)


def test_dirty_lists_come_back_whole_in_order_and_true(city: None) -> None:
    table = generate("tiny", 2025).addresses
    asked = dirty()
    rows = rows_of(*(text for _, text in asked))
    assert [(row.row, row.written) for row in rows] == [(at, text) for at, (_, text) in enumerate(asked, start=1)]
    assert {row.status for row in rows} >= {Status.MATCHED, Status.APPROXIMATE, Status.AMBIGUOUS}
    for row, (true, text) in zip(rows, asked, strict=True):
        assert (row.spot is not None) == (row.status in (Status.MATCHED, Status.APPROXIMATE)), text
        if row.status == Status.MATCHED and row.spot:
            away = metres_between(row.spot.lon, row.spot.lat, float(table.lon[true]), float(table.lat[true]))
            assert away <= 50, (text, row)
    matched = sum(row.status == Status.MATCHED for row in rows)
    assert matched / len(rows) > 0.6


def test_standardising_the_standard_text_changes_nothing(city: None) -> None:
    rows = [row for row in rows_of(*(text for _, text in dirty())) if row.standard]
    again = rows_of(*(row.standard for row in rows))
    assert [row.standard for row in again] == [row.standard for row in rows]
    for row, second in zip(rows, again, strict=True):
        if row.spot:
            assert second.spot
            assert metres_between(second.spot.lon, second.spot.lat, row.spot.lon, row.spot.lat) < 0.01, row.written


@given(
    parts=on_roads() | in_villages() | in_estates(), place=st.sampled_from(["", "云杉厂", "张三", "苏州", "望舒大厦"])
)
def test_the_standard_text_of_generated_addresses_is_its_own(parts: object, place: str) -> None:
    known = Gazetteer(roads=roads_of(["云杉路", "广东路"]))
    text = standard_text(parts._replace(place=place), known)  # type: ignore[attr-defined]
    assert standard_text(parse(text, known), known) == text


@given(
    text=st.text(
        alphabet="上海市杨浦区云杉望舒路弄支号楼幢单元室村组新一二十甲之至近口镇苑0123456789-，；()（） 😀和",
        max_size=40,
    )
)
@settings(deadline=None, max_examples=300)
def test_the_standard_text_of_anything_is_its_own(text: str) -> None:
    known = Gazetteer(roads=roads_of(["云杉路", "望舒路"]))
    once = standard_text(parse(text, known), known)
    assert standard_text(parse(once, known), known) == once


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    ["eldercare/shanghai_elderly_activity_rooms_2016.csv.gz", "addresses/shanghai_rental_addresses_2016.csv"],
)
def test_the_standard_text_of_real_messy_lists_is_its_own(data_folder: Path, name: str) -> None:
    written = (data_folder / name).read_bytes()
    text = (gzip.decompress(written) if name.endswith(".gz") else written).decode()
    known = Gazetteer(roads=roads_of(["国权路", "番禺路"]))
    checked = 0
    for row in csv.DictReader(io.StringIO(text, newline="")):
        once = standard_text(parse(row["address"], known), known)
        assert standard_text(parse(once, known), known) == once, row["address"]
        checked += 1
    assert checked > 1_000


def test_the_place_is_that_of_the_geocoder(city: None) -> None:
    for row in rows_of(*(text for _, text in dirty(120))):
        best = geocode(row.written, scope=PUBLIC)
        if row.spot:
            assert row.spot.level == best[0].level
            assert metres_between(row.spot.lon, row.spot.lat, best[0].lon, best[0].lat) < 0.01
            assert row.spot.uncertainty_m == best[0].uncertainty_m
        elif row.status == Status.PARSED:
            assert best == []
        elif row.status == Status.AMBIGUOUS and best:
            assert row.others[0].spot
            assert metres_between(row.others[0].spot.lon, row.others[0].spot.lat, best[0].lon, best[0].lat) < 0.01


def test_equal_rows_get_equal_answers_and_keep_their_ids(door: Address) -> None:
    one, two, three = rows_of(Item(short(door), "a"), Item("没有的路 9 号", "b"), Item(short(door), "c"))
    assert [one.id, two.id, three.id] == ["a", "b", "c"]
    assert (one.standard, one.spot, one.reasons) == (three.standard, three.spot, three.reasons)


class TestBadInput:
    """Each line of what a list may hold: a clear answer, a reason code, and nothing lost."""

    @pytest.mark.parametrize(
        ("text", "status", "expected"),
        [
            ("", Status.UNUSABLE, {"empty"}),
            ("   　", Status.UNUSABLE, {"empty"}),
            ("😀🏠", Status.UNUSABLE, {"empty", "symbol"}),
            ("无此名路5号", Status.PARSED, {"road_unknown", "not_on_record"}),
            ("无此名路120-100号", Status.PARSED, {"road_unknown", "range_backwards", "not_on_record"}),
            ("江苏省苏州市云杉路5号", Status.PARSED, {"other_city", "road_unknown"}),
            ("无此名路5号 13800138000", Status.PARSED, {"road_unknown", "phone", "not_on_record"}),
            ("无此名路5号 310110198001011234", Status.PARSED, {"road_unknown", "long_number", "not_on_record"}),
            ("无此名路5号；无此名街7号", Status.AMBIGUOUS, {"several", "road_unknown", "not_on_record"}),
            ("无此名路5号😀", Status.PARSED, {"road_unknown", "symbol", "not_on_record"}),
            ("苏州无此名路5号", Status.PARSED, {"city_or_name", "road_unknown", "not_on_record"}),
        ],
    )
    def test_each_says_what_is_wrong(self, city: None, text: str, status: Status, expected: set[str]) -> None:
        (row,) = rows_of(text)
        assert (row.status, row.written) == (status, text)
        assert codes(row) == expected
        assert all(reason.reason for reason in row.reasons)

    def test_ten_thousand_characters(self, door: Address) -> None:
        long = f"{short(door)}{'杉' * 10_000}"
        rows = rows_of(long, short(door) * 1_000, "路" * 10_000, short(door))
        assert [row.row for row in rows] == [1, 2, 3, 4]
        assert all("too_long" in codes(row) for row in rows[:3])
        assert [row.spot for row in rows[:3]] == [None, None, None]
        assert rows[0].written == long
        assert rows[3].status == Status.MATCHED

    def test_several_addresses_are_told_and_each_is_listed(self, city: None, door: Address) -> None:
        other = Address.objects.filter(CURRENT).exclude(road=door.road).order_by("-id")[0]
        (row,) = rows_of(f"{door.text}；{other.text}；无此名路9号")
        assert row.status == Status.AMBIGUOUS
        assert row.spot is None
        assert "several" in codes(row)
        assert len(row.others) == 3
        places = [other.spot for other in row.others]
        assert places[0]
        assert metres_between(places[0].lon, places[0].lat, door.geom.x, door.geom.y) < 1
        assert places[1]
        assert metres_between(places[1].lon, places[1].lat, other.geom.x, other.geom.y) < 60
        assert (row.others[2].text, places[2]) == ("上海市" + "无此名路9号", None) or "无此名路9号" in row.others[
            2
        ].text

    def test_hundreds_of_addresses_in_one_field_are_cut_short_and_say_so(self, door: Address) -> None:
        (row,) = rows_of("、".join([short(door), *(f"无此名路{number}号" for number in range(1, 400))]))
        assert {"several", "more_addresses", "too_long"} <= codes(row)
        assert 1 < len(row.others) <= 20

    def test_a_phone_is_named_and_never_repeated(self, door: Address) -> None:
        for number in ("13800138000", "+86 138-0013-8000", "021-65650000", "310110198001011234"):
            (row,) = rows_of(f"{short(door)} 张杉 {number}")
            said = repr((row.standard, row.said, row.reasons, row.others, row.ignored, row.spot))
            digits = "".join(char for char in number if char.isdecimal())
            assert digits not in "".join(char for char in said if char.isdecimal() or char == " ").replace(" ", "")
            assert row.status == Status.MATCHED
            assert codes(row) & {"phone", "long_number"}

    def test_a_wrong_district_is_not_matched(self, city: None, door: Address) -> None:
        names = names_of(published_now())
        true = names.above(names.regions[door.region_id], "district")  # type: ignore[index]
        assert true
        roads = set(Address.objects.filter(CURRENT, road=door.road).values_list("region_id", flat=True))
        wrong = next(
            region
            for region in names.regions.values()
            if region.level == "district"
            and not any(names.regions[one].path.startswith(region.path) for one in roads if one)
        )
        (row,) = rows_of(f"{wrong.name}{short(door)}")
        assert row.status == Status.AMBIGUOUS
        assert "district_differs" in codes(row)
        assert row.spot is None
        assert row.others[0].spot
        assert row.standard.startswith(f"上海市{wrong.name}")

    def test_a_street_of_another_district(self, city: None) -> None:
        (row,) = rows_of("徐汇区五角场街道无此名路5号")
        assert "district_other" in codes(row)

    def test_signs_no_database_can_hold(self, door: Address) -> None:
        rows = rows_of(f"{short(door)}\x00", "\x00", "\ud800", f"\ud83d{short(door)}")
        assert [row.row for row in rows] == [1, 2, 3, 4]
        assert rows[1].status == Status.UNUSABLE

    @given(texts=st.lists(st.text(max_size=25), min_size=1, max_size=5))
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def test_whatever_is_written_every_row_comes_back(self, city: None, texts: list[str]) -> None:
        rows = rows_of(*texts)
        assert [row.written for row in rows] == texts
        assert all(row.reasons or row.status in (Status.MATCHED, Status.APPROXIMATE) for row in rows)


class TestDistrictBeside:
    def test_it_settles_what_the_text_leaves_open(self, door: Address) -> None:
        names = names_of(published_now())
        home = names.above(names.regions[door.region_id], "district")  # type: ignore[index]
        assert home
        twin = next(
            one for one in Address.objects.filter(CURRENT).order_by("id") if district_of(one, names) != home.name
        )
        there = district_of(twin, names)
        for name in ("road", "lane", "sub_lane", "number", "suffix", "building", "unit", "floor", "room", "text", "normal"):  # fmt: skip
            setattr(twin, name, getattr(door, name))
        twin.save()
        (alone,) = rows_of(short(door))
        assert (alone.status, "several_places" in codes(alone), len(alone.others)) == (Status.AMBIGUOUS, True, 2)
        for name in (home.name, there):
            (told,) = rows_of(Item(short(door), None, name.removesuffix("新区").removesuffix("区")))
            assert (told.status, told.where.district) == (Status.MATCHED, name)
            assert told.standard == f"上海市{name}{short(door)}"

    def test_it_may_contradict_or_be_none(self, door: Address) -> None:
        names = names_of(published_now())
        home = names.above(names.regions[door.region_id], "district")  # type: ignore[index]
        assert home
        other = next(one.name for one in names.regions.values() if one.level == "district" and one.name != home.name)
        contradicting, unknown, agreeing = rows_of(
            Item(f"{home.name}{short(door)}", None, other),
            Item(short(door), None, "火星"),
            Item(f"上海市{home.name}{short(door)}", None, home.name),
        )
        assert (contradicting.status, "hint_differs" in codes(contradicting)) == (Status.AMBIGUOUS, True)
        assert (unknown.status, "hint_unknown" in codes(unknown)) == (Status.MATCHED, True)
        assert (agreeing.status, codes(agreeing)) == (Status.MATCHED, set())

    @pytest.mark.parametrize(
        ("written", "name"),
        [
            ("杨浦", "杨浦区"),
            ("浦东", "浦东新区"),
            ("浦东区", "浦东新区"),
            ("上海市黄浦区", "黄浦区"),
            ("闸北区", "静安区"),
            ("区", ""),
            ("", ""),
        ],
    )
    def test_districts_as_people_write_them(self, city: None, written: str, name: str) -> None:
        assert district_named(written, names_of(published_now())) == name


def test_ten_thousand_and_no_more(city: None) -> None:
    from geo.errors import BadInput

    with pytest.raises(BadInput):
        rows_of(*(f"无此名路{number}号" for number in range(10_001)))


def test_a_list_costs_a_handful_of_questions(city: None, django_assert_max_num_queries: object) -> None:
    texts = [text for _, text in dirty(300)]
    random.Random(1).shuffle(texts)
    rows_of(texts[0])
    with django_assert_max_num_queries(120):  # type: ignore[operator]
        rows_of(*texts)
