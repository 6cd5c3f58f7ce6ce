"""Sources that disagree: what is found, what is no conflict, what a decision writes, and when it is asked again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.gis.geos import Point

from geo.addresses import jobs
from geo.addresses.models import Address, AddressConflict, ConflictKind
from geo.addresses.upkeep import conflicts
from geo.addresses.upkeep.actions import undo_change
from geo.addresses.upkeep.deciding import conflicts_in, decide_conflict
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Conflict, Forbidden
from geo.imports.models import Source
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.scope import Scope
from services.facilities.actions import declare_kinds
from services.facilities.models import Facility
from tests.geo.addresses.upkeep.worlds import (
    CLERK,
    DISTRICT,
    EAST_STREET,
    bring,
    clerk,
    door,
    doors,
    make_regions,
    row,
)

pytestmark = pytest.mark.django_db
WHY = "现场核实"
DISTRICT_CLERK = Scope(paths=(DISTRICT,), duties=frozenset({"addresses.edit", "facilities.edit"}), actor="qu")


def search() -> dict[str, Any]:
    job = run_job(job_id=Job.objects.create(kind=jobs.CONFLICTS).pk)
    assert job.state == JobState.DONE, job.error
    return dict(job.result)


def open_ones() -> set[tuple[str, str]]:
    return {(each.kind, each.subject) for each in AddressConflict.objects.filter(state="open")}


@pytest.fixture
def two_lists(tmp_path: Path) -> Path:
    """Bring one list, and a second one that says other things of three doors."""
    make_regions()
    bring(tmp_path, doors())
    other = [
        door(1, lat=31.22005),  # 5.5 m away, both within 10 m: the same
        door(2, lat=31.2210),  # 111 m away
        door(3, lon=121.4899),  # in the eastern street: 1.8 km, still one district
        door(30),  # a door only here
    ]
    bring(tmp_path, other, key="more", title="另一份门牌")
    return tmp_path


class TestWhatIsFound:
    def test_doors_further_apart_than_their_radii_are_found_and_others_are_not(self, two_lists: Path) -> None:
        assert search() == {"open": 2, "gone": 0}
        assert open_ones() == {("apart", "310101 国权路2号"), ("apart", "310101 国权路3号")}
        near = AddressConflict.objects.get(subject="310101 国权路2号")
        assert near.metres == pytest.approx(111, abs=1)
        assert {one["source"] for one in near.facts["statements"]} == {"测试门牌", "另一份门牌"}
        assert near.region_id == row("d2").region_id

    def test_a_search_again_finds_the_same_once(self, two_lists: Path) -> None:
        search()
        assert search() == {"open": 2, "gone": 0}
        assert AddressConflict.objects.count() == 2

    def test_what_the_sources_mend_is_gone_and_comes_back_with_the_fault(self, two_lists: Path) -> None:
        search()
        bring(two_lists, [door(2), door(3, lon=121.4899)], key="more", title="另一份门牌")
        assert search() == {"open": 1, "gone": 1}
        bring(two_lists, [door(2, lat=31.2210), door(3, lon=121.4899)], key="more", title="另一份门牌")
        assert search() == {"open": 2, "gone": 0}
        assert AddressConflict.objects.count() == 2

    def test_it_goes_on_after_a_crash(self, two_lists: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(conflicts, "BATCH", 1)
        keep, calls = jobs.keep_found, []

        def dies(**asked: Any) -> int:
            calls.append(asked)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return keep(**asked)

        monkeypatch.setattr(jobs, "keep_found", dies)
        job = Job.objects.create(kind=jobs.CONFLICTS)
        with pytest.raises(KeyboardInterrupt):
            run_job(job_id=job.pk)
        assert len(open_ones()) == 1 or AddressConflict.objects.count() == 0
        Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)
        assert run_job(job_id=job.pk).result == {"open": 2, "gone": 0}
        assert len(open_ones()) == 2

    def test_a_facility_far_from_its_door_is_found(self, two_lists: Path) -> None:
        facility("到处幼儿园", "国权路9号", 121.4718, 31.2201)
        facility("远处幼儿园", "黄浦区国权路9号", 121.4718, 31.2300)
        facility("别处幼儿园", "静安区国权路9号", 121.4718, 31.2300)
        search()
        (found,) = AddressConflict.objects.filter(kind=ConflictKind.FACILITY)
        assert "远处幼儿园" in found.title
        assert found.metres == pytest.approx(1109, rel=0.005)


def facility(name: str, address: str, lon: float, lat: float) -> Facility:
    declare_kinds()
    source, _ = Source.objects.get_or_create(
        key="places", defaults={"title": "机构", "family": "facilities", "provenance": "real"}
    )
    Source.objects.filter(pk=source.pk).update(published_at="2026-01-01T00:00Z")
    from geo.regions.queries import assign_regions

    return Facility.objects.create(
        source=source,
        ext_id=name,
        kind_id="kindergarten",
        name=name,
        address_text=address,
        geom=Point(lon, lat, srid=CGCS2000),
        uncertainty_m=10,
        cell=1,
        region_id=int(assign_regions([lon], [lat])[0]) or None,
    )


def statement(number: int, region: int | None, **changes: Any) -> conflicts.Statement:
    said = {"lon": 121.47, "lat": 31.22, "uncertainty_m": 10.0, "community_id": None, "community": ""}
    return conflicts.Statement(
        what="address", id=number, label="甲路1号", source="源", region_id=region, region="", **{**said, **changes}
    )


class TestRegionsAndCommunities:
    @pytest.fixture
    def names(self) -> Any:
        from geo.addresses.gazetteer import NamedRegion, Names

        regions = {
            pk: NamedRegion(pk, code, "district", name, f"310000.{code}.", name)
            for pk, code, name in ((1, "310101", "黄浦区"), (2, "310106", "静安区"))
        }
        return Names(regions, {each.code: each for each in regions.values()})

    @pytest.mark.parametrize(
        ("group", "kinds"),
        [
            ([statement(1, 1), statement(2, 1)], []),
            ([statement(1, 1), statement(2, 2, lon=121.4701)], ["regions"]),
            ([statement(1, 1), statement(2, 2, lon=121.4790)], ["regions"]),
            ([statement(1, 1), statement(2, 2, lon=121.4890)], []),  # 1.8 km: two roads of one name
            ([statement(1, 1, community_id=1, community="甲"), statement(2, 1, community_id=2, community="乙")], ["communities"]),
            ([statement(1, 1, community_id=1, community="甲"), statement(2, 1, community_id=2, community="甲")], []),
            ([statement(1, 1, community_id=1, community="甲"), statement(2, 1)], []),
            ([statement(1, 1), statement(2, 1, lon=121.4703, uncertainty_m=20.0)], []),  # 28.6 m, within 30 m
            ([statement(1, 1), statement(2, 1, lon=121.4703, uncertainty_m=18.0)], ["apart"]),
            ([statement(1, None), statement(2, None, lat=31.23)], ["apart"]),
            ([statement(1, 1), statement(2, 1, lat=31.23), statement(3, 2)], ["apart", "regions"]),
        ],
    )  # fmt: skip
    def test_each_kind_is_told_apart(self, names: Any, group: list[conflicts.Statement], kinds: list[str]) -> None:
        found = conflicts.disagreements("甲路1号", group, names)
        assert [one.kind for one in found] == kinds
        assert conflicts.disagreements("甲路1号", group[::-1], names) == found


class TestDecisions:
    def test_keeping_one_merges_the_others_into_it_for_good(self, two_lists: Path) -> None:
        search()
        (conflict,) = conflicts_in(scope=clerk(DISTRICT)).filter(subject="310101 国权路2号")
        at = [one["source"] for one in conflict.facts["statements"]].index("另一份门牌")
        decided = decide_conflict(conflict_id=conflict.pk, choice="keep", keep=at, scope=CLERK, reason=WHY)
        assert (decided.state, decided.decisions[-1]["actor"], decided.decisions[-1]["reason"]) == (
            "decided",
            "li",
            WHY,
        )
        assert [each.source.key for each in Address.objects.filter(normal="国权路2号", retired_at=None)] == ["more"]
        bring(two_lists, doors())
        assert [each.source.key for each in Address.objects.filter(normal="国权路2号", retired_at=None)] == ["more"]
        search()
        assert open_ones() == {("apart", "310101 国权路3号")}
        # the correction is undone: the same two statements stand against each other again
        undo_change(change_id=decided.decisions[-1]["change"], scope=CLERK)
        search()
        assert ("apart", "310101 国权路2号") in open_ones()

    def test_what_is_true_of_both_comes_back_only_with_other_facts(self, two_lists: Path) -> None:
        search()
        for conflict in conflicts_in(scope=clerk(DISTRICT)):
            decide_conflict(
                conflict_id=conflict.pk, choice="both", scope=DISTRICT_CLERK, reason=WHY, digest=conflict.digest
            )
        search()
        assert open_ones() == set()
        bring(two_lists, [door(2, lat=31.2215), door(3, lon=121.4899)], key="more", title="另一份门牌")
        search()
        assert open_ones() == {("apart", "310101 国权路2号")}
        again = AddressConflict.objects.get(state="open")
        assert again.decisions[0]["choice"] == "both"

    @pytest.mark.parametrize("right", ["facility", "address"])
    def test_a_facility_and_its_door_are_put_together(self, two_lists: Path, right: str) -> None:
        far = facility("远处幼儿园", "国权路9号", 121.4718, 31.2300)
        search()
        conflict = AddressConflict.objects.get(kind=ConflictKind.FACILITY)
        keep = [one["what"] for one in conflict.facts["statements"]].index(right)
        decide_conflict(conflict_id=conflict.pk, choice="keep", keep=keep, scope=DISTRICT_CLERK, reason=WHY)
        far.refresh_from_db()
        assert (far.geom.x, far.geom.y) == (row("d9").geom.x, row("d9").geom.y)
        assert far.geom.y == (31.23 if right == "facility" else 31.22)
        assert (far.point_source, row("d9").point_source)[right == "facility"] == "survey"
        search()
        assert not AddressConflict.objects.filter(kind=ConflictKind.FACILITY, state="open").exists()

    def test_who_may_and_what_is_refused(self, two_lists: Path) -> None:
        search()
        conflict = AddressConflict.objects.get(subject="310101 国权路2号")
        asked = {"conflict_id": conflict.pk, "reason": WHY}
        with pytest.raises(Forbidden):
            decide_conflict(**asked, choice="both", scope=clerk(EAST_STREET))
        with pytest.raises(Forbidden):
            conflicts_in(scope=Scope.public())
        assert not conflicts_in(scope=clerk(EAST_STREET)).filter(pk=conflict.pk).exists()
        for wrong in ({"choice": "keep"}, {"choice": "keep", "keep": 5}, {"choice": "perhaps"}):
            with pytest.raises(BadInput):
                decide_conflict(**asked, scope=CLERK, **wrong)
        with pytest.raises(Conflict):
            decide_conflict(**asked, choice="both", scope=CLERK, digest="another")
        decide_conflict(**asked, choice="both", scope=CLERK)
        with pytest.raises(Conflict):
            decide_conflict(**asked, choice="both", scope=CLERK)


def test_a_search_follows_a_publishing(
    two_lists: Path, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr("geo.jobs.actions.enqueue_job", lambda **asked: sent.append(asked))
    with django_capture_on_commit_callbacks(execute=True):
        bring(two_lists, doors())
    assert [job.kind for job in Job.objects.all()] == [jobs.CONFLICTS]
    assert sent == [{"job_id": Job.objects.get().pk}]
