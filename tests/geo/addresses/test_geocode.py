"""Geocoding, reverse and suggestions over the tiny invented city."""

from __future__ import annotations

import random
import re

import pytest
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.geocode import LEVELS, Candidate, _doubted, geocode, geocode_many
from geo.addresses.lookups import metres_between, roads_of_addresses
from geo.addresses.models import Address, Community
from geo.addresses.queries import reverse
from geo.addresses.suggestions import suggest
from geo.errors import BadInput
from geo.regions.models import RegionVersion
from geo.roads.actions import name_unmapped_roads, rebuild_names
from geo.roads.models import RoadName, RoadSegment
from geo.scope import Scope

PUBLIC = Scope.public()
pytestmark = pytest.mark.usefixtures("city")


def away(candidate: Candidate, row: Address | Community) -> float:
    return metres_between(candidate.lon, candidate.lat, row.geom.x, row.geom.y)


def some(count: int, **where: str) -> list[Address]:
    rows = list(Address.objects.filter(retired_at=None, **where).order_by("id"))
    return random.Random(2).sample(rows, min(count, len(rows)))


def lane_of(text: str) -> tuple[str, str] | None:
    match = re.search(r"区?([^区]+?)(\d+)弄", text)
    return (match[1], match[2]) if match else None


class TestDoors:
    def test_every_address_is_found_at_its_own_door(self) -> None:
        rows = some(400)
        for row, found in zip(rows, geocode_many([row.text for row in rows], scope=PUBLIC), strict=True):
            assert found, row.text
            assert found[0].level == "door", (row.text, found)
            assert away(found[0], row) < 1, row.text

    @pytest.mark.parametrize(
        "write",
        [
            lambda row: row.text.removeprefix("上海市"),
            lambda row: row.normal,
            lambda row: f" {row.normal.translate(str.maketrans('0123456789', '０１２３４５６７８９'))} ",
            lambda row: row.normal.replace("号", "#"),
            lambda row: f"{row.text}（近菜场）",
            lambda row: row.normal if row.room or row.unit or row.building else f"{row.normal}601室",
        ],
    )
    def test_however_it_is_written(self, write: object) -> None:
        rows = some(60)
        texts = [write(row) for row in rows]  # type: ignore[operator]
        for row, text, found in zip(rows, texts, geocode_many(texts, scope=PUBLIC), strict=True):
            assert found, text
            assert min(away(candidate, row) for candidate in found) < 1, text

    def test_one_by_one_and_all_together_are_the_same(self) -> None:
        texts = [row.normal for row in some(20)] + ["不存在路99999号", "", "黄浦区", "九九九新村"]
        together = geocode_many(texts, scope=PUBLIC)
        assert together == [geocode(text, scope=PUBLIC, limit=50) if text else [] for text in texts]

    @pytest.mark.parametrize("plan", ["enable_hashagg", "enable_sort", "enable_indexscan", "enable_hashjoin"])
    def test_the_plan_of_the_database_changes_nothing(self, plan: str) -> None:
        doors = some(300)
        texts = [row.text.replace(row.number, f"{int(row.number) + 1}") for row in doors if row.number.isdecimal()]
        texts += [f"{row.road}{int(row.lane) + 3}弄" for row in doors if row.lane.isdecimal()]
        usual = geocode_many(texts, scope=PUBLIC)
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL {plan} = off")
        assert geocode_many(texts, scope=PUBLIC) == usual


class TestWhatIsNotOnRecord:
    def test_an_unknown_number_of_a_known_lane_is_that_lane(self) -> None:
        for row in some(30, sub_lane=""):
            if not row.lane:
                continue
            (found,) = geocode(f"{row.road}{row.lane}弄9876号", scope=PUBLIC)[:1]
            assert found.level == "lane"
            assert lane_of(found.label) == (row.road, row.lane)
            assert [penalty.code for penalty in found.penalties] == ["number_unknown"]
            assert away(found, row) <= 2.5 * found.uncertainty_m + 50

    def test_a_lane_left_out_is_never_answered_by_another_lane(self) -> None:
        lanes = Address.objects.exclude(lane="").values("road", "lane").annotate(n=Count("id")).order_by("road", "lane")
        for lane in random.Random(4).sample(list(lanes), 25):
            rows = Address.objects.filter(road=lane["road"], lane=lane["lane"])
            sites = Community.objects.filter(id__in=rows.values("community_id"))
            Community.objects.filter(address_text__contains=f"{lane['road']}{lane['lane']}弄").update(address_text="")
            sites.update(address_text="")
            rows.update(road="另外路")
            for candidate in geocode(f"{lane['road']}{lane['lane']}弄1号", scope=PUBLIC):
                assert candidate.level not in ("door", "lane"), candidate
                assert candidate.penalties

    def test_an_unknown_number_is_guessed_between_its_neighbours(self) -> None:
        guessed = inside = 0
        for row in some(300, lane=""):
            same = Address.objects.filter(road=row.road, lane="", number=row.number)
            ids = list(same.values_list("id", flat=True))
            same.update(road="另外路")
            found = geocode(row.normal, scope=PUBLIC)
            if found and found[0].level == "interpolated":
                guessed += 1
                inside += away(found[0], row) <= found[0].uncertainty_m
            Address.objects.filter(id__in=ids).update(road=row.road)
        assert guessed >= 15
        assert inside >= 0.8 * guessed

    def test_a_number_far_beyond_the_last_is_unknown_or_with_its_district_only_the_road(self) -> None:
        road = RoadName.objects.filter(mapped=True, length_m__lt=1_000, region__isnull=False).order_by("name").first()
        assert road is not None
        district = names_of(published_now()).region(road.region_id)
        assert district is not None
        assert geocode(f"{road.name}99999号", scope=PUBLIC) == []
        found = geocode(f"{district.name}{road.name}99999号", scope=PUBLIC)
        assert found[0].level == "road"
        assert "99999号" in found[0].penalties[0].reason

    def test_a_road_a_street_and_a_district(self) -> None:
        road = RoadName.objects.order_by("-length_m").first()
        assert road is not None
        assert {candidate.level for candidate in geocode(road.name, scope=PUBLIC)} == {"road"}
        for level in ("street", "district"):
            region = RegionVersion.objects.filter(level=level).order_by("code").first()
            assert region is not None
            assert [(c.level, c.label.endswith(region.name)) for c in geocode(region.name, scope=PUBLIC)] == [
                (level, True)
            ]

    def test_a_community_by_name(self) -> None:
        for row in Community.objects.filter(kind="residential").order_by("id")[:20]:
            found = geocode(row.name, scope=PUBLIC)
            assert any(c.level in ("community", "road") and away(c, row) < max(1.0, c.uncertainty_m) for c in found), (
                row.name
            )

    @pytest.mark.parametrize(
        "text", ["不存在的地方", "火星大道一号", "12345", "？？？", "abc", "号弄室", "'; DROP TABLE x; --", "%_%"]
    )
    def test_the_unknown_is_unknown(self, text: str) -> None:
        assert geocode(text, scope=PUBLIC) == []

    def test_another_district_is_never_answered_when_the_written_one_has_the_road(self) -> None:
        row = next(row for row in some(50) if row.lane)
        other = RegionVersion.objects.filter(level="district").exclude(name__in=row.text).first()
        assert other is not None
        found = geocode(f"{other.name}{row.normal}", scope=PUBLIC)
        for candidate in found:
            assert candidate.region is not None
            mismatch = not candidate.region.path.startswith(other.path)
            assert not mismatch or "district_differs" in [penalty.code for penalty in candidate.penalties]

    @pytest.mark.parametrize("text", ["", "   ", "路" * 201, "路" * 10_000])
    def test_what_cannot_be_an_address_is_refused(self, text: str) -> None:
        with pytest.raises(BadInput):
            geocode(text, scope=PUBLIC)

    def test_answers_stand_from_sharp_to_blunt(self) -> None:
        for found in geocode_many([row.normal for row in some(50)], scope=PUBLIC):
            levels = [LEVELS.index(candidate.level) for candidate in found]
            assert levels == sorted(levels)


class TestReverse:
    def test_at_a_door_the_door_is_named_with_its_metres(self) -> None:
        for row in some(30):
            first = reverse(row.geom.x, row.geom.y, scope=PUBLIC)[0]
            assert first.level == "door"
            assert first.metres == pytest.approx(0, abs=0.5)

    def test_the_nearest_door_is_the_nearest_by_metres(self) -> None:
        rows = list(Address.objects.filter(retired_at=None))
        chance = random.Random(9)
        for row in some(15):
            lon, lat = row.geom.x + chance.uniform(-5e-4, 5e-4), row.geom.y + chance.uniform(-5e-4, 5e-4)
            least = min(metres_between(lon, lat, other.geom.x, other.geom.y) for other in rows)
            found = [c for c in reverse(lon, lat, scope=PUBLIC) if c.level == "door"]
            if least < 149:
                assert found[0].metres == pytest.approx(least, rel=0.01, abs=0.2)
            elif least > 151:
                assert found == []

    def test_at_sea_nothing_is_known(self) -> None:
        assert [c for c in reverse(122.2, 30.75, scope=PUBLIC) if c.level != "city"] == []


class TestSuggest:
    def test_a_community_is_found_by_name_part_and_initials(self) -> None:
        from pypinyin import Style, lazy_pinyin

        for row in Community.objects.filter(retired_at=None).order_by("id")[:15]:
            initials = "".join(lazy_pinyin(row.name, style=Style.FIRST_LETTER))
            for q in (row.name, row.name[:-1], initials):
                assert row.name in [item.label for item in suggest(q, scope=PUBLIC, limit=30)], (row.name, q)

    def test_the_whole_name_stands_first_and_near_ones_before_far_ones(self) -> None:
        road = RoadName.objects.order_by("-length_m").first()
        assert road is not None
        assert suggest(road.name, scope=PUBLIC)[0].label == road.name
        doubled = RoadName.objects.values("name").annotate(n=Count("id")).filter(n__gt=1).order_by("-n").first()
        assert doubled is not None
        for row in RoadName.objects.filter(name=doubled["name"]):
            first = suggest(row.name, scope=PUBLIC, near=(row.geom.x, row.geom.y))[0]
            assert (first.label, first.metres) == (row.name, pytest.approx(0, abs=1))

    def test_a_growing_number_suggests_lanes_and_doors(self) -> None:
        row = next(row for row in some(100) if row.lane and len(row.lane) >= 2 and not row.sub_lane)
        lane = f"{row.road}{row.lane}弄"
        assert lane in [item.label for item in suggest(f"{row.road}{row.lane[:-1]}", scope=PUBLIC, limit=50)]
        assert lane in [item.label for item in suggest(f"{row.road}{row.lane}", scope=PUBLIC, limit=50)]
        doors = [item.label for item in suggest(f"{lane}{row.number}号", scope=PUBLIC, limit=50)]
        assert f"{lane}{row.number}号" in doors

    def test_a_district_before_the_name_narrows_the_search_to_it(self) -> None:
        names = names_of(published_now())
        twice = RoadName.objects.values("name").annotate(n=Count("id")).filter(n__gt=1).order_by("-n").first()
        assert twice is not None
        for row in RoadName.objects.filter(name=twice["name"]):
            district = names.regions[row.region_id or 0]
            for written in (district.name, f"上海市{district.name}", f"{district.name} "):
                found = [item for item in suggest(f"{written}{row.name}", scope=PUBLIC) if item.what == "road"]
                assert [(item.label, item.where) for item in found if item.label == row.name] == [
                    (row.name, district.name)
                ]

    def test_in_the_wrong_district_what_bears_the_name_elsewhere_is_offered(self) -> None:
        names = names_of(published_now())
        once = RoadName.objects.values("name").annotate(n=Count("id")).filter(n=1).order_by("name").first()
        assert once is not None
        row = RoadName.objects.get(name=once["name"])
        wrong = next(r for r in names.regions.values() if r.level == "district" and r.id != row.region_id)
        first = suggest(f"{wrong.name}{row.name}", scope=PUBLIC)[0]
        assert (first.label, first.where) == (row.name, names.regions[row.region_id or 0].full_name)

    @pytest.mark.parametrize("q", ["", "  ", "，", "\x00", "%"])
    def test_nothing_to_search_for_gives_nothing(self, q: str) -> None:
        assert suggest(q, scope=PUBLIC) == []

    def test_too_long_is_said(self) -> None:
        with pytest.raises(BadInput):
            suggest("国" * 201, scope=PUBLIC)


class TestRoadsOfAddresses:
    """A road without a single segment is still known by the doors that stand on it."""

    @pytest.fixture
    def road(self) -> str:
        row = next(
            row for row in some(50, lane="") if Address.objects.filter(road=row.road, retired_at=None).count() > 8
        )
        Address.objects.filter(road=row.road).update(road="未测路")
        name_unmapped_roads(roads_of_addresses())
        return "未测路"

    def test_it_is_found_where_its_doors_are(self, road: str) -> None:
        doors = list(Address.objects.filter(road=road, retired_at=None))
        for found in geocode(road, scope=PUBLIC):
            assert found.level == "road"
            assert [penalty.code for penalty in found.penalties] == ["road_unmapped"]
            inside = [metres_between(found.lon, found.lat, door.geom.x, door.geom.y) for door in doors]
            assert min(inside) < 1
            assert sum(metres <= found.uncertainty_m + 1 for metres in inside) >= len(inside) / len(
                geocode(road, scope=PUBLIC)
            )
        assert road in [item.label for item in suggest("未测", scope=PUBLIC)]
        assert road in [item.label for item in suggest("weicelu", scope=PUBLIC)]

    def test_a_mapped_road_takes_its_place(self, road: str) -> None:
        assert RoadName.objects.filter(name=road, mapped=False).exists()
        district = RoadName.objects.filter(name=road).first()
        assert district is not None
        longest = RoadName.objects.filter(region=district.region, mapped=True).order_by("-length_m").first()
        assert longest is not None
        RoadSegment.objects.filter(name=longest.name).update(name=road)
        rebuild_names()
        assert set(RoadName.objects.filter(name=road, region=district.region).values_list("mapped", flat=True)) == {
            True
        }

    def test_few_doors_say_little_of_how_far_it_runs(self, road: str) -> None:
        kept = Address.objects.filter(road=road, retired_at=None).first()
        assert kept is not None
        Address.objects.filter(road=road).exclude(pk=kept.pk).update(road="别路")
        name_unmapped_roads(roads_of_addresses())
        assert [found.uncertainty_m for found in geocode(road, scope=PUBLIC)] == [1200.0]
        assert geocode(f"{road}9876号", scope=PUBLIC) == []


class TestDoubts:
    def test_a_district_that_does_not_exist_here_is_said_to_be_none(self) -> None:
        here = next(row for row in some(50, lane="") if row.road.endswith("路"))
        (right, *_), (odd, *_) = (
            geocode(f"{district}{here.road}{here.number}号", scope=PUBLIC) for district in ("", "瓯海区")
        )
        assert (odd.label, odd.level) == (right.label, right.level) == (odd.label, "door")
        assert [penalty.code for penalty in odd.penalties] == ["district_unknown"]
        assert "瓯海区" in odd.penalties[0].reason

    def test_another_address_in_the_field_tells_of_one_that_is_on_no_record(self) -> None:
        here = next(row for row in some(50, lane="") if row.road.endswith("路"))
        known = f"{here.road}{here.number}号"
        (found, *_) = geocode(f"望舒路98765弄、{known}", scope=PUBLIC)
        assert found.label.endswith(known)
        assert found.level == "door"
        assert [penalty.code for penalty in found.penalties] == ["first_unknown"]

    def test_the_first_address_in_the_field_is_the_one_that_counts_where_it_is_known(self) -> None:
        first, second = [row for row in some(50, lane="") if row.road.endswith("路")][:2]
        text = "、".join(f"{row.road}{row.number}号" for row in (first, second))
        (found, *_) = geocode(text, scope=PUBLIC)
        assert found.label.endswith(f"{first.road}{first.number}号")
        assert found.penalties == ()


class TestInsideALane:
    def test_an_unknown_number_stands_between_its_neighbours_and_surer_than_the_lane_as_a_whole(self) -> None:
        rows = [
            row
            for row in Address.objects.filter(retired_at=None, sub_lane="").exclude(lane="")
            if row.number.isdecimal()
        ]
        lanes: dict[tuple[str, str], dict[int, list[Address]]] = {}
        for row in rows:
            lanes.setdefault((row.road, row.lane), {}).setdefault(int(row.number), []).append(row)
        held = asked = sharper = 0
        for (road, lane), doors in sorted(lanes.items()):
            numbers = sorted(doors)
            if len(numbers) < 9:
                continue
            number = numbers[len(numbers) // 2]
            left_out = Address.objects.filter(road=road, lane=lane, number=str(number), retired_at=None)
            ids = list(left_out.values_list("pk", flat=True))
            left_out.update(retired_at=timezone.now())
            (found, *_) = geocode(f"{road}{lane}弄{number}号", scope=PUBLIC)
            Address.objects.filter(pk__in=ids).update(retired_at=None)
            (whole, *_) = geocode(f"{road}{lane}弄", scope=PUBLIC)
            assert (found.level, found.label) == ("lane", whole.label)
            assert [penalty.code for penalty in found.penalties] == ["number_unknown"]
            asked += 1
            held += away(found, doors[number][0]) <= found.uncertainty_m
            sharper += found.uncertainty_m < whole.uncertainty_m
        assert asked >= 10
        assert held >= 0.9 * asked
        assert sharper >= 0.7 * asked

    def test_beyond_its_last_number_only_the_lane_is_known(self) -> None:
        here = next(row for row in some(60) if row.lane and row.number.isdecimal())
        (found, *_) = geocode(f"{here.road}{here.lane}弄9999号", scope=PUBLIC)
        (whole, *_) = geocode(f"{here.road}{here.lane}弄", scope=PUBLIC)
        assert (found.lon, found.lat, found.uncertainty_m) == (whole.lon, whole.lat, whole.uncertainty_m)


class TestCommittees:
    @pytest.mark.parametrize("ending", ["居委会", "居委", "居民委员会"])
    def test_a_committee_is_found_by_its_name_whatever_it_is_called_besides(self, ending: str) -> None:
        here = RegionVersion.objects.filter(level="committee", edition__state="published", name__endswith="居委会")
        row = here.order_by("code").first()
        assert row is not None
        region = names_of(published_now()).region(row.region_id)
        assert region is not None
        written = region.full_name.removesuffix("居委会") + ending
        (found,) = geocode(f"{written}望舒路98765号", scope=PUBLIC)
        assert (found.level, found.label) == ("committee", region.full_name)
        assert [penalty.code for penalty in found.penalties] == ["only_region"]
        (alone,) = geocode(written, scope=PUBLIC)
        assert (alone.level, alone.penalties) == ("committee", ())

    def test_a_committee_that_is_none_gives_the_street_that_was_named(self) -> None:
        street = RegionVersion.objects.filter(level="street", edition__state="published").order_by("code").first()
        assert street is not None
        assert [one.level for one in geocode(f"{street.name}无此名居委会", scope=PUBLIC)] == ["street"]


class TestSeveralRoads:
    @pytest.fixture
    def twins(self) -> tuple[str, set[str]]:
        """Let two roads far apart bear one name, and return it with the districts they are in."""
        rows = list(Address.objects.filter(retired_at=None).order_by("id"))
        first = rows[0]
        other = max(rows, key=lambda row: metres_between(row.geom.x, row.geom.y, first.geom.x, first.geom.y))
        for row in (first, other):
            row.road, row.lane, row.sub_lane, row.number = "望舒路", "", "", "100"
            row.save()
        assert metres_between(other.geom.x, other.geom.y, first.geom.x, first.geom.y) > 2_000
        names = names_of(published_now())
        regions = [names.region(row.region_id) for row in (first, other)]
        return "望舒路", {region.full_name[:3] for region in regions if region}

    def test_a_number_of_one_of_them_is_any_of_them(self, twins: tuple[str, set[str]]) -> None:
        found = geocode(f"{twins[0]}96号", scope=PUBLIC)
        assert [[penalty.code for penalty in one.penalties] for one in found] == [
            ["number_unknown", "several_roads"]
        ] * 2
        assert min(one.uncertainty_m for one in found) > 2_000

    def test_in_a_district_that_has_neither_it_is_none_of_them(self, twins: tuple[str, set[str]]) -> None:
        districts = RegionVersion.objects.filter(level="district", edition__state="published").order_by("code")
        elsewhere = next(row.name for row in districts if row.name[:3] not in twins[1])
        found = geocode(f"{elsewhere}{twins[0]}96号", scope=PUBLIC)
        assert [(one.level, one.label) for one in found] == [("district", elsewhere)]

    def test_a_guess_on_one_of_several_roads_of_a_name_says_so_and_covers_them_all(self) -> None:
        found = [Candidate("中山路", "road", 121.4 + at, 31.2, 300.0, None, "") for at in (0.0, 0.05)]
        for one in _doubted(found):
            assert [penalty.code for penalty in one.penalties] == ["several_roads"]
            for other in found:
                apart = metres_between(one.lon, one.lat, other.lon, other.lat)
                assert apart + 300 <= one.uncertainty_m + 1
        assert _doubted(found[:1]) == found[:1]


class TestOtherCities:
    def test_an_address_of_another_city_is_unknown_however_well_the_road_is_known_here(self) -> None:
        here = Address.objects.filter(retired_at=None, lane="").exclude(number="").order_by("id").first()
        assert here is not None
        assert geocode(f"{here.road}{here.number}号", scope=PUBLIC)
        assert geocode(f"江苏省苏州市姑苏区{here.road}{here.number}号", scope=PUBLIC) == []
        assert geocode(f"杭州市{here.road}{here.number}号", scope=PUBLIC) == []
