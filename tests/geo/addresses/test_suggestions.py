"""What the search box offers over the tiny invented city: names, half addresses, corrections, and their order."""

from __future__ import annotations

import datetime as dt
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.contrib.gis.geos import Point
from django.test import Client

from geo.addresses.completion import complete, split_at_number
from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.lookups import metres_between
from geo.addresses.models import Address, AddressAlias, Community
from geo.addresses.suggesting.named import NameList, list_of
from geo.addresses.suggesting.ranking import SAME_M, Fit, Suggestion, best
from geo.addresses.suggestions import FEW, kept_list, questions_in, suggest
from geo.imports.models import Correction, Source
from geo.regions.models import RegionVersion
from geo.roads.models import RoadName
from geo.scope import Scope

METRE = 1 / 111_000
PUBLIC = Scope.public()


def stop(id_: int, metres_north: float, *, where: str = "公交站 · 杨浦区五角场街道") -> Suggestion:
    return Suggestion("facility", id_, "国权路四平路", where, 121.5, 31.29 + metres_north * METRE, 10.0, 1)


class TestOnce:
    def test_what_reads_the_same_and_stands_together_is_offered_once(self) -> None:
        found = [stop(1, 0), stop(2, SAME_M * 0.9), stop(3, SAME_M * 1.2), stop(4, 10, where="公交站 · 虹口区")]
        assert [one.id for one in best(found, None, 10)] == [1, 3, 4]

    def test_the_nearest_of_those_that_read_the_same_is_the_one_offered_and_the_others_leave_their_places_free(
        self,
    ) -> None:
        found = [stop(1, SAME_M * 0.9), stop(2, 0), *(stop(at, 1_000.0 * at) for at in range(3, 6))]
        here = (121.5, 31.29 - 1_000 * METRE)
        assert [one.id for one in best(found, here, 3)] == [2, 3, 4]

    def test_a_lane_known_as_a_road_and_by_its_doors_is_offered_once_and_roads_once_for_each_district(self) -> None:
        def lane(what: str, id_: int, where: str) -> Suggestion:
            return Suggestion(what, id_, "国权路39弄", where, 121.5, 31.29, 100.0, 1)

        found = [lane("road", 1, "杨浦区"), lane("address", 2, "杨浦区五角场街道"), lane("road", 3, "虹口区")]
        assert sorted(one.id for one in best(found, None, 10)) == [1, 3]


def labels(q: str, **options: object) -> list[str]:
    return [one.label for one in suggest(q, scope=PUBLIC, limit=30, **options)]  # type: ignore[arg-type]


def road_with(condition: str) -> str:
    """Return a road whose doors are as a condition on their numbers asks."""
    rows = Address.objects.filter(retired_at=None, lane="").exclude(number="").order_by("id")
    by_road: dict[str, set[str]] = {}
    for road, number in rows.values_list("road", "number"):
        by_road.setdefault(road, set()).add(number)
    return next(road for road, numbers in sorted(by_road.items()) if any(re.fullmatch(condition, n) for n in numbers))


@pytest.mark.usefixtures("city")
class TestNames:
    def test_every_beginning_of_a_name_finds_it_or_so_many_others_that_fit_as_well(self) -> None:
        for row in RoadName.objects.order_by("id")[::9]:
            near = (row.geom.x, row.geom.y)
            for size in range(1, len(row.name) + 1):
                found = suggest(row.name[:size], scope=PUBLIC, near=near, limit=10)
                ours = [one for one in found if one.label == row.name]
                if not ours:
                    assert len(found) == 10
                    assert all(one.fit <= Fit.BEGINS for one in found), (row.name, size)
                elif size == len(row.name):
                    assert (ours[0].fit, found[0].label) == (Fit.WHOLE, row.name)

    def test_one_character_gives_important_things_before_small_ones(self) -> None:
        longest = RoadName.objects.order_by("-length_m").first()
        assert longest is not None
        found = [one for one in suggest(longest.name[0], scope=PUBLIC, limit=30) if one.what == "road" and one.fit == 1]
        lengths = dict(RoadName.objects.values_list("id", "length_m"))
        assert longest.name in [one.label for one in found]
        steps = [min(2000.0, max(250.0, lengths[one.id])) for one in found]
        assert all(before >= after - 1e-6 for before, after in pairwise(steps))

    def test_a_former_district_leads_to_the_one_of_today_and_says_so(self) -> None:
        today = RegionVersion.objects.filter(level="district", name="黄浦区").first()
        assert today is not None
        first = suggest("卢湾区", scope=PUBLIC)[0]
        assert (first.what, first.id, first.label, first.said) == ("region", today.region_id, "黄浦区", "原卢湾区")

    def test_a_road_is_asked_for_in_a_district_by_any_of_its_names(self) -> None:
        names = names_of(published_now())
        district = next(region for region in names.regions.values() if region.name == "黄浦区")
        road = RoadName.objects.filter(region=district.id, mapped=True).order_by("-length_m").first()
        assert road is not None
        for before in ("黄浦区", "上海市黄浦区", "上海黄浦区 ", "黄浦", "卢湾区", "卢湾"):
            first = suggest(f"{before}{road.name}", scope=PUBLIC)[0]
            assert (first.what, first.label, first.where, first.fit) == ("road", road.name, "黄浦区", Fit.WHOLE), before

    def test_the_text_as_it_stands_is_asked_for_before_a_part_of_it(self) -> None:
        names = names_of(published_now())
        asked = questions_in("上海市黄浦区人民路", names)
        assert [(one.words, bool(one.regions)) for one in asked] == [
            ("上海市黄浦区人民路", False), ("黄浦区人民路", False), ("人民路", True), ("人民路", False),
        ]  # fmt: skip
        assert [one.words for one in questions_in("黄浦区", names)] == ["黄浦区"]
        assert [one.words for one in questions_in("黄浦路", names)] == ["黄浦路"]
        assert [one.words for one in questions_in("南京东路300号", names)] == ["南京东路300号"]

    def test_a_community_is_found_by_an_alias_which_is_said(self) -> None:
        row = next(row for row in Community.objects.order_by("id") if row.aliases)
        found = next(one for one in suggest(row.aliases[0], scope=PUBLIC, limit=30) if one.id == row.pk)
        assert (found.what, found.label, found.said) == ("community", row.name, f"又名{row.aliases[0]}")

    def test_a_name_that_people_change_is_found_from_then_on(self) -> None:
        row = Community.objects.order_by("id")[0]
        assert row.name in labels(row.name)
        Community.objects.filter(pk=row.pk).update(name="碧落黄泉苑")
        Source.objects.filter(pk=row.source_id).update(revision=99)
        assert "碧落黄泉苑" in labels("碧落")
        assert row.name not in labels(row.name)

    @pytest.mark.parametrize("q", ["😀" * 3, "%_%", "\x00", "——", "（）", "'; DROP TABLE roads_roadname; --"])
    def test_odd_input_is_answered(self, q: str) -> None:
        assert suggest(q, scope=PUBLIC) == []

    def test_width_case_and_blanks_make_no_difference(self) -> None:
        road = RoadName.objects.order_by("-length_m")[0].name
        assert labels(f" {road} ") == labels(road) == labels("　".join(road))
        assert labels("ＬＵ") == labels("lu") == labels("LU")


@pytest.mark.usefixtures("city")
class TestCorrections:
    def misspelt(self, name: str, chance: random.Random) -> str:
        at = chance.randrange(len(name) - 1)
        edits = (
            name[:at] + name[at + 1 :],
            name[:at] + "璧" + name[at + 1 :],
            name[:at] + "璧" + name[at:],
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        )
        return chance.choice(edits)

    def test_a_mistyped_road_is_among_the_first_unless_something_is_called_that(self) -> None:
        chance, missed, asked = random.Random(4), [], 0
        for row in RoadName.objects.exclude(name__regex=r"\d").order_by("id")[::11]:
            if len(row.name) < 4:
                continue
            typed = self.misspelt(row.name, chance)
            found = suggest(typed, scope=PUBLIC, near=(row.geom.x, row.geom.y), limit=10)
            exact = [one for one in found if not one.corrected]
            if sum(one.fit <= Fit.HOLDS for one in exact) >= FEW or any(one.fit == Fit.WHOLE for one in exact):
                assert len(exact) == len(found)
                continue
            asked += 1
            missed += [typed] if row.name not in [one.label for one in found] else []
        assert asked > 20
        assert len(missed) <= asked * 0.05, missed

    def test_a_correction_never_stands_before_what_was_typed(self) -> None:
        chance = random.Random(6)
        names = list(RoadName.objects.order_by("id").values_list("name", flat=True))
        for name in chance.sample(names, 60):
            for typed in (name[:2], name[1:], self.misspelt(name, chance)):
                found = suggest(typed, scope=PUBLIC, limit=30)
                flags = [one.corrected for one in found]
                assert flags == sorted(flags), typed
                assert [one.rank for one in found] == sorted(one.rank for one in found)

    def test_a_number_on_a_mistyped_road_is_completed_there(self) -> None:
        road = road_with(r"[1-9]\d")
        door = Address.objects.filter(retired_at=None, road=road, lane="", number__regex=r"^[1-9]\d$").order_by("id")[0]
        typed = f"{road[1]}{road[0]}{road[2:]}{door.number}号"
        found = suggest(typed, scope=PUBLIC, limit=30)
        assert f"{road}{door.number}号" in [one.label for one in found]
        assert all(one.corrected for one in found)

    def test_a_known_road_without_that_number_is_not_taken_for_another(self) -> None:
        road = road_with(r"\d+")
        found = suggest(f"{road}98765号", scope=PUBLIC, limit=30)
        assert {(one.what, one.label, one.said) for one in found} == {("road", road, "没有收录“98765号”")}


@pytest.mark.usefixtures("city")
class TestHalfAddresses:
    def complete(self, text: str, **options: object) -> list[Suggestion]:
        published = published_now()
        return complete(text, published=published, names=names_of(published), **options)  # type: ignore[arg-type]

    def test_a_growing_figure_offers_just_the_doors_and_lanes_that_continue_it_by_number(self) -> None:
        roads = Address.objects.filter(retired_at=None).exclude(road="").order_by("road").values_list("road", flat=True)
        for road in list(roads.distinct())[::7]:
            rows = list(
                Address.objects.filter(retired_at=None, road=road).values_list("lane", "number", "suffix", "building")
            )
            for figure in ("1", "2", "10"):
                expected = {
                    f"{lane}弄" if lane else f"{number}号{suffix}" if number else f"{building}幢"
                    for lane, number, suffix, building in rows
                    if (lane or number or building).startswith(figure)
                }
                found = self.complete(f"{road}{figure}")
                assert {one.label.removeprefix(road) for one in found} == expected or len(found) == 60, (road, figure)
                numbers = [int(re.match(r"\d+", one.label.removeprefix(road))[0]) for one in found]  # type: ignore[index]
                districts = [one.where[:3] for one in found]
                if len(set(districts)) == 1:
                    assert numbers == sorted(numbers), road
                assert {one.fit for one in found} <= {Fit.BEGINS}

    def test_a_lane_offers_itself_and_then_its_doors_by_number(self) -> None:
        lane = next(
            row
            for row in Address.objects.filter(retired_at=None, sub_lane="").exclude(lane="").order_by("id")
            if Address.objects.filter(retired_at=None, road=row.road, lane=row.lane).count() > 10
        )
        text = f"{lane.road}{lane.lane}弄"
        found = self.complete(text)
        assert (found[0].label, found[0].fit) == (text, Fit.WHOLE)
        doors = [one.label.removeprefix(text) for one in found[1:]]
        numbers = [int(re.match(r"\d+", door)[0]) for door in doors]  # type: ignore[index]
        assert numbers == sorted(numbers)
        assert max(numbers) >= 10
        own = Address.objects.filter(retired_at=None, road=lane.road, lane=lane.lane)
        assert all(
            metres_between(found[0].lon, found[0].lat, row.geom.x, row.geom.y) <= 1.1 * found[0].uncertainty_m + 5
            for row in own
        )

    def test_each_door_is_offered_whole_however_much_of_it_follows(self) -> None:
        row = Address.objects.filter(retired_at=None).exclude(room="").exclude(number="").order_by("id").first()
        rows = [row] if row else []
        rows += list(
            Address.objects.filter(retired_at=None, suffix="").exclude(lane="").exclude(number="").order_by("id")[:5]
        )
        for door in rows:
            sub_lane = f"{door.sub_lane}支弄" if door.sub_lane else ""
            text = f"{door.road}{f'{door.lane}弄' if door.lane else ''}{sub_lane}{door.number}号"
            for typed in (text, f"{text} ", f"{text}601室", f"{text}60", f"上海市{text}"):
                first = suggest(typed, scope=PUBLIC)[0]
                assert (first.what, first.fit) == ("address", Fit.WHOLE), typed
                assert first.label.startswith(text)

    def test_letters_and_a_number_complete_too(self) -> None:
        from pypinyin import lazy_pinyin

        road = road_with(r"[1-9]\d")
        door = Address.objects.filter(retired_at=None, road=road, lane="", number__regex=r"^[1-9]\d$").order_by("id")[0]
        assert f"{road}{door.number}号" in labels(f"{''.join(lazy_pinyin(road))}{door.number}")

    def test_a_road_of_two_districts_is_completed_in_the_nearer_first(self) -> None:
        road = road_with(r"[1-9]\d")
        door = Address.objects.filter(
            retired_at=None, road=road, lane="", suffix="", number__regex=r"^[1-9]\d$"
        ).order_by("id")[0]
        names = names_of(published_now())
        here = names.region(door.region_id)
        assert here is not None
        other = next(
            region
            for region in names.regions.values()
            if region.level == "committee" and region.path.split(".")[1] != here.path.split(".")[1]
        )
        Address.objects.create(
            source=door.source, ext_id="elsewhere", road=road, number=door.number, text=door.text, normal=door.normal,
            geom=Point(door.geom.x + 0.05, door.geom.y, srid=door.geom.srid), region_id=other.id, cell=door.cell,
        )  # fmt: skip
        for east, district in ((0.0, here.full_name[:3]), (0.05, other.full_name[:3])):
            found = self.complete(f"{road}{door.number}号", near=(door.geom.x + east, door.geom.y))
            assert len(found) == 2
            assert found[0].where.startswith(district)
            within = self.complete(f"{road}{door.number}号", among=(other.id,))
            assert [one.where[:3] for one in within] == [other.full_name[:3]]

    def test_a_former_address_leads_to_the_one_of_today_and_says_so(self) -> None:
        door = Address.objects.filter(retired_at=None, lane="").exclude(number="").order_by("id")[0]
        correction = Correction.objects.create(
            source=door.source, ext_id=door.ext_id, field="alias", reason="改名", actor="a"
        )
        AddressAlias.objects.create(
            address=door, correction=correction, kind="old_name", road="碧落路", number="77", text="碧落路77号", normal="碧落路77号"
        )  # fmt: skip
        Source.objects.filter(pk=door.source_id).update(revision=1)
        found = suggest("碧落路7", scope=PUBLIC)
        assert [(one.label.startswith(f"{door.road}{door.number}号"), one.said) for one in found] == [
            (True, "原碧落路77号")
        ]
        AddressAlias.objects.update(from_day=dt.date.today() + dt.timedelta(days=9))
        assert suggest("碧落路7", scope=PUBLIC) == []

    @pytest.mark.parametrize(
        ("text", "parts"),
        [("国权路10弄", ("国权路", "10弄")), ("guoquanlu1", ("guoquanlu", "1")), ("10号", ("", "")), ("国权路", ("", "")), ("", ("", ""))],
    )  # fmt: skip
    def test_where_the_number_begins(self, text: str, parts: tuple[str, str]) -> None:
        assert split_at_number(text) == parts


def test_a_list_is_read_once_however_many_ask_for_it_and_the_last_two_are_kept() -> None:
    read: list[str] = []

    def reading(mark: str) -> Callable[[], NameList]:
        def slowly() -> NameList:
            read.append(mark)
            time.sleep(0.05)
            return list_of("road", [])

        return slowly

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(kept_list, "unheard-of", "a", reading("a")) for _ in range(8)]
        assert len({id(one.result()) for one in asked}) == 1
    assert read == ["a"]
    for mark in ("b", "a", "b", "c", "c", "b", "a"):
        kept_list("unheard-of", mark, reading(mark))
    assert read == ["a", "b", "c", "a"]


@pytest.mark.usefixtures("city")
class TestBox:
    """The fragment under the search box of the finder."""

    @pytest.mark.parametrize(
        "middle", ["", "121.5,31.29", "121.5", "x,y", "nan,nan", "31.29,121.5", "116.4,39.9", "1e400,0"]
    )
    def test_a_middle_that_cannot_be_read_is_as_good_as_none(self, client: Client, middle: str) -> None:
        response = client.get("/find/suggest", {"q": "路", "middle": middle})
        assert response.status_code == 200
        assert response.content.decode().count('role="option"') == 8

    def test_corrections_stand_under_their_question_and_lead_nowhere_by_themselves(self, client: Client) -> None:
        name = next(
            row.name for row in RoadName.objects.order_by("-length_m", "id") if row.name.isalpha() and len(row.name) > 3
        )
        typed = f"{name[1]}{name[0]}{name[2:]}"
        body = client.get("/find/suggest", {"q": typed}).content.decode()
        assert body.index("您是不是要找") < body.index(f"<b>{name}</b>")
        assert body.count('role="group"') == 1
        page = client.get("/", {"q": typed})
        assert page.status_code == 200
        assert f"没有“{typed}”，您是不是要找" in page.content.decode()
        assert client.get("/", {"q": name}).status_code in (200, 302)

    def test_what_is_typed_is_shown_as_text(self, client: Client) -> None:
        body = client.get("/find/suggest", {"q": "<script>alert(1)</script>"}).content.decode()
        assert "<script>" not in body
