"""What people do to addresses: who may, what it leaves, what the next import makes of it, and how it is undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from geo.addresses.geocode import geocode
from geo.addresses.models import Address, AddressAlias, AddressChange
from geo.addresses.upkeep.actions import (
    add_address,
    alias_address,
    correct_address,
    merge_addresses,
    retire_address,
    split_address,
    undo_change,
)
from geo.addresses.upkeep.queries import addresses_in
from geo.addresses.upkeep.snapshots import differences
from geo.addresses.upkeep.versions import version_of
from geo.errors import BadInput, CityError, Conflict, Forbidden, NotFound
from geo.grids import cell_at
from geo.imports.models import Correction, Source
from geo.roads.models import RoadName
from geo.scope import Scope
from tests.geo.addresses.upkeep.worlds import (
    CITY_CLERK,
    CLERK,
    DISTRICT,
    EAST_STREET,
    bring,
    clerk,
    door,
    doors,
    make_regions,
    row,
    standing,
)

pytestmark = pytest.mark.django_db
WHY = "现场核实"


@pytest.fixture
def streets() -> dict[str, Any]:
    return make_regions()


@pytest.fixture
def listed(streets: dict[str, Any], tmp_path: Path) -> Path:
    """Bring twenty doors: 1 to 20号 lie in the western street."""
    bring(tmp_path, doors())
    return tmp_path


def found(text: str) -> list[tuple[str, str, float, float]]:
    return [(one.level, one.label, round(one.lon, 6), round(one.lat, 6)) for one in geocode(text, scope=Scope.public())]


def act_correct() -> AddressChange:
    return correct_address(
        address_id=row("d3").pk,
        changes={"text": "国权路3号甲", "lon": 121.4711, "lat": 31.2207},
        scope=CLERK,
        reason=WHY,
    )


def act_merge() -> AddressChange:
    return merge_addresses(survivor_id=row("d5").pk, merged_ids=[row("d6").pk, row("d7").pk], scope=CLERK, reason=WHY)


def act_split() -> AddressChange:
    into = [
        {"text": "国权路8号甲", "lon": 121.4716, "lat": 31.2201},
        {"text": "国权路8号乙", "lon": 121.4717, "lat": 31.2202},
    ]
    return split_address(address_id=row("d8").pk, into=into, scope=CLERK, reason=WHY)


def act_alias() -> AddressChange:
    return alias_address(
        address_id=row("d9").pk,
        text="旧名路77号",
        kind="old_name",
        from_day="1950-01-01",
        to_day="1980-12-31",
        scope=CLERK,
        reason=WHY,
    )


def act_add() -> AddressChange:
    return add_address(stated={"text": "国权路99号", "lon": 121.4790, "lat": 31.2200}, scope=CLERK, reason=WHY)


def act_retire() -> AddressChange:
    return retire_address(address_id=row("d10").pk, scope=CLERK, reason=WHY)


ACTS: list[Callable[[], AddressChange]] = [act_correct, act_merge, act_split, act_alias, act_add, act_retire]


class TestWhatEachDoes:
    def test_a_correction_rewrites_parts_normal_form_region_and_cell(self, listed: Path) -> None:
        before = row("d3")
        change = act_correct()
        after = row("d3")
        assert (after.road, after.number, after.suffix, after.normal) == ("国权路", "3", "甲", "国权路3号甲")
        assert (after.geom.x, after.geom.y, after.point_source) == (121.4711, 31.2207, "survey")
        assert after.cell == cell_at(121.4711, 31.2207)
        assert after.updated_at > before.updated_at
        said = {
            one.name: (one.before, one.after)
            for one in differences(change.before[str(after.pk)], change.after[str(after.pk)])
        }
        assert said["附号"] == ("（空）", "甲")
        assert said["位置"] == ("121.470600, 31.220000", "121.471100, 31.220700")
        assert (change.actor, change.reason) == ("li", WHY)

    def test_a_point_moved_across_a_border_takes_the_region_it_comes_to(
        self, listed: Path, streets: dict[str, Any]
    ) -> None:
        correct_address(
            address_id=row("d3").pk, changes={"lon": 121.49, "lat": 31.22}, scope=clerk(DISTRICT), reason=WHY
        )
        assert row("d3").region_id == streets["310101002"].pk

    def test_merged_addresses_answer_with_the_one_that_stays(self, listed: Path) -> None:
        act_merge()
        stays = row("d5")
        at = (round(stays.geom.x, 6), round(stays.geom.y, 6))
        assert row("d6").retired_at is not None
        for text in ("国权路5号", "国权路6号", "黄浦区国权路7号"):
            assert found(text) == [("door", "黄浦区国权路5号", *at)]

    def test_a_merged_address_follows_when_its_survivor_is_merged_again_and_comes_back_with_it(
        self, listed: Path
    ) -> None:
        act_merge()
        second = merge_addresses(survivor_id=row("d2").pk, merged_ids=[row("d5").pk], scope=CLERK, reason=WHY)
        assert found("国权路7号")[0][1] == "黄浦区国权路2号"
        undo_change(change_id=second.pk, scope=CLERK)
        assert found("国权路7号")[0][1] == "黄浦区国权路5号"
        assert found("国权路5号")[0][1] == "黄浦区国权路5号"

    def test_a_door_that_really_bears_the_name_comes_before_an_alias(self, listed: Path) -> None:
        act_merge()
        bring(listed, [*doors(), door(6, id="another", lat=31.2215)])
        at = (round(row("another").geom.x, 6), 31.2215)
        assert found("国权路6号") == [("door", "黄浦区国权路6号", *at)]

    def test_a_split_address_leads_to_its_doors(self, listed: Path) -> None:
        change = act_split()
        assert row("d8").retired_at is not None
        assert {normal for normal, _ in standing() if "8号" in normal} == {"国权路8号甲", "国权路8号乙", "国权路18号"}
        assert found("国权路8号乙") == [("door", "黄浦区国权路8号乙", 121.4717, 31.2202)]
        assert found("国权路8号")[0][1] in ("黄浦区国权路8号甲", "黄浦区国权路8号乙")
        assert len(change.addresses) == 3

    def test_an_old_name_is_understood_though_nothing_else_is_on_that_road(self, listed: Path) -> None:
        assert found("旧名路77号") == []
        act_alias()
        assert found("旧名路77号")[0][:2] == ("door", "黄浦区国权路9号")
        assert AddressAlias.objects.get().to_day is not None

    def test_a_name_is_not_answered_to_before_its_first_day(self, listed: Path) -> None:
        alias_address(address_id=row("d9").pk, text="新名路1号", from_day="2999-01-01", scope=CLERK, reason=WHY)
        assert found("新名路1号") == []

    def test_an_added_door_is_found_and_brings_its_road(self, listed: Path) -> None:
        add_address(stated={"text": "从来没有路3号", "lon": 121.4745, "lat": 31.2211}, scope=CLERK, reason=WHY)
        assert found("从来没有路3号") == [("door", "黄浦区从来没有路3号", 121.4745, 31.2211)]
        assert RoadName.objects.filter(name="从来没有路", mapped=False).exists()
        made = Address.objects.get(road="从来没有路")
        assert (made.source.key, made.point_source) == ("doors", "survey")

    def test_a_road_goes_with_its_last_door(self, listed: Path) -> None:
        change = add_address(stated={"text": "从来没有路3号", "lon": 121.4745, "lat": 31.2211}, scope=CLERK, reason=WHY)
        retire_address(address_id=change.addresses[0], scope=CLERK, reason=WHY)
        assert not RoadName.objects.filter(name="从来没有路").exists()

    def test_a_retired_address_is_off_the_map(self, listed: Path) -> None:
        act_retire()
        assert found("国权路10号")[0][0] == "interpolated"


class TestWhatImportsMakeOfIt:
    def test_everything_is_still_there_after_the_same_file_and_a_changed_one(self, listed: Path) -> None:
        for act in ACTS:
            act()
        done = standing()
        aliases = set(AddressAlias.objects.values_list("normal", "address_id", "kind", "from_day", "former_id"))
        assert len(done) == 20 - 2 - 1 + 2 + 1 - 1
        again = bring(listed, doors())
        assert (again.counts.added, again.counts.changed, again.counts.removed) == (0, 0, 0)
        assert again.warnings == {}
        assert standing() == done
        assert set(AddressAlias.objects.values_list("normal", "address_id", "kind", "from_day", "former_id")) == aliases
        # the source brings a new door, moves one that nobody touched, and says other things of those that people touched
        changed = [door(n) for n in range(1, 22)]
        changed[0] |= {"lat": 31.2209}
        changed[2] |= {"lat": 31.2301, "text": "国权路303号"}  # corrected: place, text, number
        changed[9] |= {"text": "国权路1000号"}  # retired
        report = bring(listed, changed)
        assert (report.counts.added, report.counts.changed, report.counts.removed) == (1, 1, 0)
        # number, text and place of 3, the writing of 10
        assert report.warnings == {"correction_stale": 4}
        moved = (("国权路1号", "121.47020,31.22000"), ("国权路1号", "121.47020,31.22090"))
        assert standing() == done - {moved[0]} | {moved[1], ("国权路21号", "121.47420,31.22000")}
        assert found("旧名路77号")[0][1] == "黄浦区国权路9号"
        assert found("国权路6号")[0][1] == "黄浦区国权路5号"

    def test_what_is_said_of_rows_that_are_gone_is_reported_as_lost(self, listed: Path) -> None:
        act_correct()
        act_alias()
        act_merge()
        act_retire()
        gone = {3, 5, 9, 10}
        report = bring(listed, [door(n) for n in range(1, 21) if n not in gone])
        # nine parts, text and place of 3; the alias of 9; what 6 and 7 were merged into. That 10 is gone is what was wanted.
        assert report.warnings == {"correction_lost": 11 + 1 + 2}

    def test_a_door_that_the_source_brings_at_last_is_not_doubled(self, listed: Path) -> None:
        act_add()
        report = bring(listed, [*doors(), door(99, lon=121.4791)])
        assert report.warnings == {"correction_caught_up": 1}
        assert [each for each in standing() if each[0] == "国权路99号"] == [("国权路99号", "121.47910,31.22000")]
        assert (report.counts.added, report.counts.removed) == (1, 1)
        again = bring(listed, [*doors(), door(99, lon=121.4791)])
        assert (again.counts.added, again.counts.changed, again.counts.removed) == (0, 0, 0)

    def test_parts_corrected_in_a_row_that_is_one_line_of_text_stay_corrected(self, listed: Path) -> None:
        correct_address(address_id=row("d4").pk, changes={"number": "400"}, scope=CLERK, reason=WHY)
        assert row("d4").text == "国权路400号"
        report = bring(listed, doors())
        assert (row("d4").normal, report.counts.changed, report.warnings) == ("国权路400号", 0, {})

    def test_twice_corrected_and_then_merged_is_not_stale(self, listed: Path) -> None:
        for lat in (31.2203, 31.2204):
            correct_address(
                address_id=row("d6").pk, changes={"lon": 121.472, "lat": lat, "suffix": "甲" if lat > 31.22035 else "乙"},
                scope=CLERK, reason=WHY,
            )  # fmt: skip
        merge_addresses(survivor_id=row("d5").pk, merged_ids=[row("d6").pk], scope=CLERK, reason=WHY)
        assert bring(listed, doors()).warnings == {}
        assert found("国权路6号甲")[0][1] == "黄浦区国权路5号"

    @pytest.mark.parametrize("act", ACTS)
    def test_what_was_undone_does_not_come_back(self, listed: Path, act: Callable[[], AddressChange]) -> None:
        before = standing()
        undo_change(change_id=act().pk, scope=CLERK)
        assert standing() == before
        report = bring(listed, doors())
        assert standing() == before
        assert (report.counts.added, report.counts.changed, report.counts.removed, report.corrected) == (0, 0, 0, 0)
        assert not AddressAlias.objects.exists()
        assert not Correction.objects.filter(cleared_at=None).exists()


class TestUndo:
    @pytest.mark.parametrize("act", ACTS)
    def test_it_puts_back_every_column(self, listed: Path, act: Callable[[], AddressChange]) -> None:
        def columns() -> list[dict[str, Any]]:
            rows = Address.objects.filter(retired_at=None).order_by("pk").values()
            return [{k: v for k, v in each.items() if k != "updated_at"} for each in rows]

        before = columns()
        change = act()
        undone = undo_change(change_id=change.pk, scope=CLERK, reason="看错了")
        assert columns() == before
        assert (undone.act, undone.undoes_id, undone.reason) == ("undo", change.pk, "看错了")
        with pytest.raises(Conflict, match="已经撤销"):
            undo_change(change_id=change.pk, scope=CLERK)
        with pytest.raises(Conflict, match="撤销本身"):
            undo_change(change_id=undone.pk, scope=CLERK)

    def test_what_was_touched_later_is_undone_from_the_last(self, listed: Path) -> None:
        first = act_correct()
        second = alias_address(address_id=row("d3").pk, text="别名路3号", scope=clerk(name="wang"), reason=WHY)
        with pytest.raises(Conflict, match="wang .*添加别名"):
            undo_change(change_id=first.pk, scope=CLERK)
        undo_change(change_id=second.pk, scope=CLERK)
        undo_change(change_id=first.pk, scope=CLERK)
        assert row("d3").normal == "国权路3号"

    def test_what_an_import_changed_later_is_not_undone(self, listed: Path) -> None:
        change = act_correct()
        bring(listed, [*doors(2), door(3, radius=40), *doors()[3:]])
        # the radius is the source's, and it has changed since
        with pytest.raises(Conflict, match="导入的数据又改了"):
            undo_change(change_id=change.pk, scope=CLERK)


class TestWhoMay:
    @pytest.mark.parametrize("act", ACTS)
    @pytest.mark.parametrize(
        "scope",
        [clerk(EAST_STREET), Scope(paths=("",), duties=frozenset({"facilities.edit"}), actor="x"), Scope.public()],
        ids=["another street", "another duty", "nobody"],
    )
    def test_nobody_else(
        self, listed: Path, act: Callable[[], AddressChange], scope: Scope, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = standing()
        monkeypatch.setitem(act.__globals__, "CLERK", scope)
        with pytest.raises(Forbidden):
            act()
        assert standing() == before
        assert not AddressChange.objects.exists()

    @pytest.mark.parametrize("act", ACTS)
    def test_undoing_needs_the_region_too(self, listed: Path, act: Callable[[], AddressChange]) -> None:
        change = act()
        with pytest.raises(Forbidden):
            undo_change(change_id=change.pk, scope=clerk(EAST_STREET))

    def test_a_point_may_not_leave_the_street_of_the_clerk(self, listed: Path) -> None:
        for lon in (121.49, 121.9):
            with pytest.raises(Forbidden) as refused:
                correct_address(address_id=row("d3").pk, changes={"lon": lon, "lat": 31.22}, scope=CLERK, reason=WHY)
            assert refused.value.code == "position_outside_scope"
        assert row("d3").geom.x == pytest.approx(121.4706)

    def test_what_lies_in_no_region_is_the_citys(self, listed: Path) -> None:
        correct_address(address_id=row("d3").pk, changes={"lon": 121.9, "lat": 31.22}, scope=CITY_CLERK, reason=WHY)
        assert row("d3").region_id is None
        kept = {
            scope: [each.normal for each in addresses_in(scope=scope, q="国权路3号").addresses]
            for scope in (CITY_CLERK, CLERK)
        }
        assert kept == {CITY_CLERK: ["国权路3号"], CLERK: []}
        with pytest.raises(Forbidden):
            retire_address(address_id=row("d3").pk, scope=clerk(DISTRICT), reason=WHY)


class TestTwoAtOnce:
    def test_the_second_is_told_what_the_first_did(self, listed: Path) -> None:
        correct_address(address_id=row("d3").pk, changes={"uncertainty_m": 4}, scope=clerk(name="zhao"), reason=WHY)
        seen = version_of(row("d3"))
        correct_address(
            address_id=row("d3").pk, changes={"suffix": "甲"}, scope=clerk(name="wang"), reason=WHY, version=seen
        )
        with pytest.raises(Conflict) as refused:
            correct_address(address_id=row("d3").pk, changes={"suffix": "乙"}, scope=CLERK, reason=WHY, version=seen)
        assert refused.value.code == "address_changed"
        assert "wang" in refused.value.message
        assert "附号由“（空）”改为“甲”" in refused.value.message
        assert "zhao" not in refused.value.message
        assert refused.value.detail["version"] == version_of(row("d3"))

    def test_an_import_between_is_told_too(self, listed: Path) -> None:
        seen = version_of(row("d3"))
        with connection.cursor() as cursor:  # one transaction has one now(); the next day has another
            cursor.execute("UPDATE addresses_address SET updated_at = updated_at - interval '1 day'")
        older = version_of(row("d3"))
        assert older != seen
        bring(listed, [door(3, lat=31.2205), *(each for each in doors() if each["id"] != "d3")])
        with pytest.raises(Conflict, match="导入的数据更新了它"):
            retire_address(address_id=row("d3").pk, scope=CLERK, reason=WHY, version=older)

    def test_an_alias_or_a_merge_counts_for_the_one_that_stays(self, listed: Path) -> None:
        seen = version_of(row("d5"))
        act_merge()
        with pytest.raises(Conflict):
            alias_address(address_id=row("d5").pk, text="别名路5号", scope=CLERK, reason=WHY, version=seen)


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda: correct_address(address_id=row("d3").pk, changes={}, scope=CLERK, reason=WHY), "nothing_changed"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"number": "3"}, scope=CLERK, reason=WHY), "nothing_changed"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"number": "4"}, scope=CLERK, reason=WHY), "address_exists"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"number": "4"}, scope=CLERK, reason=" "), "reason_missing"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"number": ""}, scope=CLERK, reason=WHY), "address_unclear"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"text": "你好"}, scope=CLERK, reason=WHY), "address_unclear"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"owner": "x"}, scope=CLERK, reason=WHY), "field_unknown"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"lon": 121.47}, scope=CLERK, reason=WHY), "position_incomplete"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"lon": 31.2, "lat": 121.4}, scope=CLERK, reason=WHY), "off_map"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"uncertainty_m": -1}, scope=CLERK, reason=WHY), "uncertainty_invalid"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"community_id": 10**9}, scope=CLERK, reason=WHY), "community_unknown"),
        (lambda: correct_address(address_id=row("d3").pk, changes={"road": "长" * 81}, scope=CLERK, reason=WHY), "text_too_long"),
        (lambda: correct_address(address_id=10**9, changes={"number": "4"}, scope=CLERK, reason=WHY), "address_unknown"),
        (lambda: retire_address(address_id=row("d3").pk, scope=CLERK, reason=WHY, version="x"), "version_invalid"),
        (lambda: merge_addresses(survivor_id=row("d3").pk, merged_ids=[], scope=CLERK, reason=WHY), "merge_invalid"),
        (lambda: merge_addresses(survivor_id=row("d3").pk, merged_ids=[row("d3").pk], scope=CLERK, reason=WHY), "merge_invalid"),
        (lambda: split_address(address_id=row("d3").pk, into=[{"suffix": "甲"}], scope=CLERK, reason=WHY), "split_invalid"),
        (lambda: split_address(address_id=row("d3").pk, into=[{"suffix": "甲"}] * 2, scope=CLERK, reason=WHY), "split_same"),
        (lambda: split_address(address_id=row("d3").pk, into=[{"number": "4"}, {}], scope=CLERK, reason=WHY), "address_exists"),
        (lambda: alias_address(address_id=row("d3").pk, text="国权路3号", scope=CLERK, reason=WHY), "alias_same"),
        (lambda: alias_address(address_id=row("d3").pk, text="国权路4号", scope=CLERK, reason=WHY), "address_exists"),
        (lambda: alias_address(address_id=row("d3").pk, text="甲路4号", kind="x", scope=CLERK, reason=WHY), "alias_kind"),
        (lambda: alias_address(address_id=row("d3").pk, text="甲路4号", from_day="昨天", scope=CLERK, reason=WHY), "day_invalid"),
        (lambda: alias_address(address_id=row("d3").pk, text="甲路4号", from_day="2001-01-01", to_day="2000-01-01", scope=CLERK, reason=WHY), "days_reversed"),
        (lambda: add_address(stated={"text": "国权路88号"}, scope=CLERK, reason=WHY), "position_missing"),
        (lambda: add_address(stated={"lon": 121.47, "lat": 31.22}, scope=CLERK, reason=WHY), "address_missing"),
        (lambda: add_address(stated={"text": "国权路8号", "lon": 121.47, "lat": 31.22}, scope=CLERK, reason=WHY), "address_exists"),
        (lambda: undo_change(change_id=10**9, scope=CLERK), "change_unknown"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    listed: Path, act: Callable[[], AddressChange], code: str
) -> None:
    before = standing()
    with pytest.raises(CityError) as refused:
        act()
    assert refused.value.code == code
    assert isinstance(refused.value, BadInput | Conflict | NotFound)
    assert standing() == before
    assert not Correction.objects.exists()


def test_nothing_is_written_while_an_import_is_published(streets: dict[str, Any]) -> None:
    source = Source.objects.create(
        key="one", title="一", family="addresses", provenance="real", published_at=timezone.now()
    )
    with connections.create_connection("default").cursor() as publishing:
        publishing.execute("SELECT pg_advisory_lock(720115)")
        with pytest.raises(Conflict) as refused:
            act_add()
        assert refused.value.code == "publishing_under_way"
        publishing.execute("SELECT pg_advisory_unlock(720115)")
        publishing.connection.close()
    assert act_add().act == "add"
    assert Address.objects.get().source == source
