"""Fairness of an edition: walks by single searches too, medians by hand, children and places; on the tiny city."""

from __future__ import annotations

import csv
import io
import math
import uuid
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.scope import Scope
from routing.directions import route
from routing.snap import snap
from services.catchments.areas.district import District, district_of
from services.catchments.fairness import jobs, walking
from services.catchments.fairness.actions import delete_fairness, go_on, start_fairness, stop_fairness
from services.catchments.fairness.exporting import write_csv, write_workbook
from services.catchments.fairness.measuring import FAR_S, FARTHEST_S, Walked, ranked, shortest
from services.catchments.fairness.models import FairnessCommittee, FairnessRun, FairnessSite
from services.catchments.fairness.queries import (
    committees_of,
    finding_of,
    progress_of,
    run_seen,
    runs_of,
    shapes_of,
    sites_of,
    sum_of,
    total_of,
    validations_for,
)
from services.catchments.models import CatchmentEdition
from services.catchments.validating.actions import delete_register, start_validation, take_register
from services.catchments.validating.models import Validation
from services.facilities.ground import current_graph
from services.facilities.models import Facility
from tests.services.catchments.districts import HUANGPU, STAFF, edition, kindergartens, names, region, rule, street_of
from tests.services.catchments.test_answering import bare

__all__ = ["bare"]
ELSEWHERE = Scope(paths=("310000.310110.",), duties=STAFF.duties, actor="other")
READER = Scope(paths=STAFF.paths, duties=frozenset({"catchments.view"}), actor="reader")


def district() -> District:
    return district_of(region(HUANGPU).id)


def by_road() -> dict[str, list[int]]:
    """Return the doors of the district by road, the roads with most doors first."""
    found: dict[str, list[int]] = defaultdict(list)
    for at, home in enumerate(district().homes):
        assert home.door is not None
        found[home.door.road].append(at)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


@pytest.fixture
def draft(bare: None) -> CatchmentEdition:
    """Return a draft: one road to the first kindergarten, one to the second, one to either; the others to none."""
    own, (first, second, *_) = edition(published=False, steps=["address"]), kindergartens()
    one, two, either = list(by_road())[:3]
    rule(own, "address", first, written=f"{one}全路")
    rule(own, "address", second, written=f"{two}全路")
    for site in (first, second):
        rule(own, "address", site, written=f"{either}全路")
    return own


def goals_by_hand() -> list[tuple[int, ...]]:
    first, second = (site.pk for site in kindergartens()[:2])
    going = dict(zip(list(by_road())[:3], [(first,), (second,), (first, second)], strict=True))
    return [going.get(home.door.road, ()) if home.door else () for home in district().homes]


def measured(own: CatchmentEdition, validation: Validation | None = None, grades: int = 1) -> FairnessRun:
    begun = start_fairness(
        edition_id=own.pk,
        validation_id=validation.pk if validation else None,
        grades=grades,
        key=uuid.uuid4(),
        scope=STAFF,
    )
    assert begun.job is not None
    done = run_job(job_id=begun.job)
    assert done.state == JobState.DONE, done.error
    return run_seen(begun.pk, scope=STAFF)


def walk(at: int, site: Facility) -> float:
    """Return the seconds from a door to a kindergarten by a search of its own; infinite beyond the limit."""
    graph, own = current_graph(), next(one for one in sites_on_the_plane() if one[0] == site.pk)
    x, y = district().doors[at]
    start, target = (snap(graph, float(a), float(b), walking.WALK) for a, b in ((x, y), own[1]))
    found = route(graph, start, target).seconds
    return found if found <= FARTHEST_S else math.inf


def sites_on_the_plane() -> list[tuple[int, tuple[float, float]]]:
    from geo.regions.queries import current_city

    found = []
    for site in kindergartens():
        east, north = current_city().plane.forward(np.array([site.geom.x]), np.array([site.geom.y]))
        found.append((site.pk, (float(east[0]), float(north[0]))))
    return found


def test_every_door_walks_as_a_search_of_its_own_says_and_medians_are_those_by_hand(draft: CatchmentEdition) -> None:
    run, goals, sites = measured(draft), goals_by_hand(), kindergartens()[:2]
    answered = [at for at, goal in enumerate(goals) if goal]
    seconds = {(at, site.pk): walk(at, site) for at in answered for site in sites}
    by_committee: dict[int, list[int]] = defaultdict(list)
    for at in answered:
        by_committee[district().committees[at]].append(at)
    assert len(by_committee) > 1
    for committee, doors in by_committee.items():
        row = run.committees.get(committee=committee)
        matched = sorted(min(seconds[at, site] for site in goals[at]) for at in doors)
        nearest = sorted(min(seconds[at, site.pk] for site in sites) for at in doors)
        extra = sorted(
            min(seconds[at, site] for site in goals[at]) - min(seconds[at, site.pk] for site in sites) for at in doors
        )
        middle, ninth = math.ceil(len(doors) / 2) - 1, math.ceil(0.9 * len(doors)) - 1
        assert row.matched_s == pytest.approx(matched[middle], abs=1)
        assert row.matched_90_s == pytest.approx(matched[ninth], abs=1)
        assert row.nearest_s == pytest.approx(nearest[middle], abs=1)
        assert row.nearest_90_s == pytest.approx(nearest[ninth], abs=1)
        assert row.extra_s == pytest.approx(extra[middle], abs=1)
        assert abs(row.far - sum(away > FAR_S for away in matched)) <= sum(abs(away - FAR_S) < 0.1 for away in matched)
        own = sum(each == committee for each in district().committees)
        assert (row.doors, row.unmatched, row.unclear, row.lost) == (own, own - len(doors), 0, 0)
    total = total_of(run)
    assert (total.figures.doors, total.timed) == (len(goals), len(answered))
    assert sum(row.doors for row in run.committees.all()) == len(goals)
    first, second = run.sites.get(site=sites[0]), run.sites.get(site=sites[1])
    assert run.sites.count() == 2
    assert (first.doors, second.doors) == tuple(goals.count((site.pk,)) for site in sites)
    assert first.doors_shared == second.doors_shared == sum(len(goal) == 2 for goal in goals)
    assert (first.children, first.children_shared, run.totals.get("children")) == (None, None, None)


def test_the_nearest_is_looked_for_among_all_that_the_edition_leads_to(draft: CatchmentEdition) -> None:
    before = measured(draft)
    every = kindergartens()
    far = max(every[2:], key=lambda site: mean(walk(at, site) for at in range(0, len(district().homes), 40)))
    rule(draft, "address", far, written="没有这条路全路")
    after = measured(draft)
    assert after.sites.count() == 3
    assert all(row.extra_s >= before.committees.get(committee=row.committee).extra_s
               for row in after.committees.exclude(extra_s=None) if row.committee)  # fmt: skip
    # a rule of a step that is not tried leads nowhere; public ones to choose are all open public ones of the district
    rule(draft, "open", None, choice="public")
    assert measured(draft).sites.count() == 3
    draft.steps = ["address", "open"]
    draft.revision += 1
    draft.save(update_fields=["steps", "revision"])
    chosen = measured(draft)
    public = {site.pk for site in every if site.attributes.get("ownership") == "public" and site.status == "open"}
    assert set(chosen.sites.values_list("site", flat=True)) == public | {every[0].pk, every[1].pk, far.pk}
    assert total_of(chosen).figures.unmatched == 0
    assert chosen.sites.filter(site__in=public - {every[0].pk, every[1].pk}).first().doors_shared == sum(  # type: ignore[union-attr]
        not goal for goal in goals_by_hand()
    )


def test_a_committee_without_doors_and_doors_out_of_reach_are_told_and_never_zero(
    draft: CatchmentEdition, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = next(
        (one for one in names().regions.values()
         if one.level == "committee" and one.path.startswith(region(HUANGPU).path) and one.id not in district().committees),
        None,
    )  # fmt: skip
    monkeypatch.setattr(walking, "FARTHEST_S", 60.0)
    run = measured(draft)
    total = total_of(run)
    assert 0 < total.figures.lost <= total.figures.far == total.figures.lost
    lost = next(line for line in committees_of(run, "matched") if line.timed and line.figures.matched_s is None)
    assert (lost.matched, lost.class_of("matched"), lost.far_percent) != ("0", 0, 0)
    assert lost.matched.startswith("超过 60 分钟")
    assert lost.class_of("matched") == 3
    unasked = next(line for line in committees_of(run) if not line.timed)
    assert (unasked.matched, unasked.nearest, unasked.extra, unasked.class_of("extra")) == ("—", "—", "—", None)
    if empty is not None:
        assert run.committees.get(committee=empty.id).doors == 0
    assert not committees_of(run)[-1].timed or all(line.timed for line in committees_of(run))
    ids = {line.id for line in committees_of(run) if line.id}
    assert set(shapes_of(run)) == ids


def registered(own: CatchmentEdition, folder: Path, doors: list[int]) -> Validation:
    """Return a finished validation of children at these doors and of one whom nobody can place."""
    source = folder / "册.csv"
    with source.open("w", encoding="utf-8") as file:
        file.write("登记编号,街道,居委,户籍地址\n")
        for number, at in enumerate(doors):
            committee = names().regions[district().committees[at]]
            street = street_of(committee.id)
            assert street is not None
            file.write(f"D{number},{street.name},{committee.name},黄浦区{district().ground.labels[at]}\n")
        file.write("D900,,,黄浦区没有这条路5号\n")
    register = take_register(edition_id=own.pk, source=source, name="黄浦登记", key=uuid.uuid4(), scope=STAFF)
    run = start_validation(edition_id=own.pk, register_id=register.pk, key=uuid.uuid4(), scope=STAFF)
    assert run.job is not None
    done = run_job(job_id=run.job)
    assert done.state == JobState.DONE, done.error
    run.refresh_from_db()
    return run


def test_children_stand_against_places_and_those_who_may_choose_are_shared_equally(
    draft: CatchmentEdition, tmp_path: Path
) -> None:
    one, two, either, without = (doors for doors in list(by_road().values())[:4])
    kids = [*one[:5], *one[:1], *two[:3], *either[:3], *without[:2]]
    first, second = kindergartens()[:2]
    Facility.objects.filter(pk=first.pk).update(places=16)
    Facility.objects.filter(pk=second.pk).update(places=None)
    validation = registered(draft, tmp_path, kids)
    assert validation.counts["one"] == {"address": 9}
    assert validations_for(draft, scope=STAFF) == [validation]
    run = measured(draft, validation)
    lines = {line.name: line for line in sites_of(run)}
    own, other = lines[first.name], lines[second.name]
    # a third of 16 places for the one grade of the register, rounded down; 6 children of its own and half of 3
    assert (own.all_places, own.places, own.own, own.shared, own.children) == (16, 5, 6, 1.5, 7.5)
    assert (own.short, own.spare, own.percent) == (3, None, 150.0)
    assert (other.places, other.own, other.children, other.short, other.percent) == (None, 3, 4.5, None, None)
    assert [line.name for line in sites_of(run)] == [first.name, second.name]
    assert sum_of(sites_of(run)).children == 12
    assert run.totals["children"] == len(kids) + 1
    assert run.totals["children_unmatched"] == 3
    assert run.totals["children_timed"] == 12
    goals = goals_by_hand()
    far = [
        at
        for at in kids
        if goals[at] and min(walk(at, site) for site in (first, second) if site.pk in goals[at]) > FAR_S
    ]
    assert run.totals["children_far"] == len(far)
    by_committee = {line.id: line for line in committees_of(run)}
    for committee in {district().committees[at] for at in kids}:
        here = [at for at in kids if district().committees[at] == committee]
        assert by_committee[committee].children == len(here)
        assert by_committee[committee].children_far == sum(at in here for at in far)
    assert by_committee[None].name == "居委不明"
    assert (by_committee[None].children, by_committee[None].timed) == (1, 0)
    found = finding_of(committees_of(run), sites_of(run))
    assert found.said.endswith("；1 所园学位不够，最多缺 3 个")
    whole = measured(draft, validation, grades=3)
    assert {line.name: line.short for line in sites_of(whole)} == {first.name: -8, second.name: None}
    assert finding_of(committees_of(whole), sites_of(whole)).said.endswith("；知道学位的园都够")

    rows = list(csv.reader(io.StringIO(write_csv(run, "sites")[0].decode("utf-8-sig"))))
    assert rows[1] == [first.name, "16", "5", own.places_as_of.isoformat() if own.places_as_of else "",
                       str(own.doors), str(own.doors_shared), "6", "1.5", "7.5", "150.0", "3", ""]  # fmt: skip
    assert rows[2][1:3] == ["", ""]
    # known places stand in the sum, but not against the children of all
    assert (rows[-1][0], rows[-1][2], rows[-1][8:]) == ("合计", "5", ["12.0", "", "", ""])
    body, count = write_workbook(run)
    (tmp_path / "out.xlsx").write_bytes(body)
    book = CalamineWorkbook.from_path(str(tmp_path / "out.xlsx"))
    assert book.sheet_names == ["居委", "幼儿园"]
    sheet = book.get_sheet_by_name("居委").to_python()
    assert len(sheet) == 2 + run.committees.count()
    assert sheet[-1][0] == "全区"
    assert count == run.committees.count() + 1 + run.sites.count() + 1

    # the results go with the register
    delete_register(register_id=validation.register_id, scope=STAFF)
    assert (FairnessRun.objects.count(), FairnessSite.objects.count(), FairnessCommittee.objects.count()) == (0, 0, 0)


def test_a_validation_of_older_rules_is_refused_and_so_is_one_of_another_edition(
    draft: CatchmentEdition, tmp_path: Path
) -> None:
    validation = registered(draft, tmp_path, [0, 1])
    begun = start_fairness(edition_id=draft.pk, validation_id=validation.pk, grades=1, key=uuid.uuid4(), scope=STAFF)
    CatchmentEdition.objects.filter(pk=draft.pk).update(revision=draft.revision + 1)
    assert begun.job is not None
    late = run_job(job_id=begun.job)
    assert (late.state, late.error["code"]) == (JobState.FAILED, "validation_stale")
    draft.refresh_from_db()
    assert validations_for(draft, scope=STAFF) == []
    with pytest.raises(Conflict, match="再核对一次"):
        start_fairness(edition_id=draft.pk, validation_id=validation.pk, grades=1, key=uuid.uuid4(), scope=STAFF)
    other = edition(published=False, year=2030)
    with pytest.raises(Conflict) as fault:
        start_fairness(edition_id=other.pk, validation_id=validation.pk, grades=1, key=uuid.uuid4(), scope=STAFF)
    assert fault.value.code == "validation_elsewhere"
    with pytest.raises(BadInput):
        start_fairness(edition_id=draft.pk, validation_id=None, grades=4, key=uuid.uuid4(), scope=STAFF)


def test_an_edition_changed_under_a_run_is_measured_anew(
    draft: CatchmentEdition, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = jobs.measured_of, []

    def meddled(run: FairnessRun, progress: Any) -> jobs.Measured:
        found = real(run, progress)
        seen.append(run.edition.revision)
        if len(seen) == 1:  # a colleague adds a rule while the first measurement runs
            rule(draft, "address", kindergartens()[2], written="没有这条路全路")
            CatchmentEdition.objects.filter(pk=draft.pk).update(revision=draft.revision + 1)
        return found

    monkeypatch.setattr(jobs, "measured_of", meddled)
    run = measured(draft)
    assert seen == [draft.revision, draft.revision + 1]
    assert run.revision == draft.revision + 1
    assert run.sites.count() == 3


def test_it_is_run_once_stopped_gone_on_with_and_seen_by_its_district_only(draft: CatchmentEdition) -> None:
    key = uuid.uuid4()
    told: dict[str, Any] = {"edition_id": draft.pk, "validation_id": None, "grades": 1}
    begun = start_fairness(**told, key=key, scope=STAFF)
    assert start_fairness(**told, key=key, scope=STAFF) == begun
    assert start_fairness(**told, key=uuid.uuid4(), scope=STAFF) == begun
    assert (progress_of(begun).state, Job.objects.get(pk=begun.job).actor) == (JobState.QUEUED, "qu")
    with pytest.raises(Conflict):
        go_on(run_id=begun.pk, scope=STAFF)
    with pytest.raises(Conflict):
        delete_fairness(run_id=begun.pk, scope=STAFF)
    stop_fairness(run_id=begun.pk, scope=STAFF)
    assert progress_of(begun).state == JobState.CANCELLED
    again = go_on(run_id=begun.pk, scope=STAFF)
    assert again.job is not None
    assert run_job(job_id=again.job).state == JobState.DONE
    assert run_seen(begun.pk, scope=READER).done_at is not None
    for refused in (lambda: run_seen(begun.pk, scope=ELSEWHERE), lambda: stop_fairness(run_id=begun.pk, scope=ELSEWHERE),
                    lambda: delete_fairness(run_id=begun.pk, scope=ELSEWHERE),
                    lambda: start_fairness(**told, key=uuid.uuid4(), scope=ELSEWHERE)):  # fmt: skip
        with pytest.raises(NotFound):
            refused()
    assert list(runs_of(draft, scope=ELSEWHERE)) == []
    for forbidden in (lambda: start_fairness(**told, key=uuid.uuid4(), scope=READER),
                      lambda: delete_fairness(run_id=begun.pk, scope=READER), lambda: go_on(run_id=begun.pk, scope=READER),
                      lambda: stop_fairness(run_id=begun.pk, scope=READER),
                      lambda: run_seen(begun.pk, scope=Scope(paths=("",), actor="nobody"))):  # fmt: skip
        with pytest.raises(Forbidden):
            forbidden()
    delete_fairness(run_id=begun.pk, scope=STAFF)
    assert not FairnessRun.objects.exists()


def test_seconds_are_ranked_and_an_unreached_walk_is_the_longest() -> None:
    walks = np.array([300.0, 60.0, math.inf, 120.0])
    assert [ranked(walks, share) for share in (0.25, 0.5, 0.75, 0.9, 1.0)] == [60, 120, 300, None, None]
    assert ranked(np.array([]), 0.5) is None
    away = {7: np.array([100.0, math.inf, 900.0]), 9: np.array([50.0, 400.0, math.inf])}
    matched, nearest = shortest(3, [(7,), (7, 9), (9,)], iter(away.items()))
    assert matched.tolist() == [100, 400, math.inf]
    assert nearest.tolist() == [50, 400, 900]
    none = np.zeros(3, dtype=np.bool_)
    found = Walked(matched, nearest, none, none).figures(np.arange(3))
    assert (found.far, found.lost, found.matched_s, found.nearest_s, found.extra_s) == (1, 1, 400, 400, 50)


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60), st.sampled_from([0.5, 0.9]))
def test_at_least_the_share_of_the_walks_is_within_the_ranked_one(walks: list[int], share: float) -> None:
    found = ranked(np.array(walks, dtype=np.float64), share)
    assert found in walks
    assert sum(each <= found for each in walks) >= share * len(walks)
    assert sum(each < found for each in walks) < share * len(walks)
