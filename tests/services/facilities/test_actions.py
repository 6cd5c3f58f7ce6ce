"""Writes of facilities: scope, history, and the newest figure winning."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.scope import Scope
from services.access.models import Organisation
from services.facilities.actions import change_status, declare_kinds, report_capacity, update_facility
from services.facilities.kinds import GROUPS, UnknownKind, all_kinds, kinds_named, spoken_kinds
from services.facilities.kinds.declared import DECLARED
from services.facilities.models import CapacityReport, Facility, FacilityKind, StatusChange
from tests.services.facilities.conftest import World

ALL = Scope(paths=("",), duties=frozenset({"*"}), actor="system")
EDITOR = Scope(paths=("310000.310101.",), duties=frozenset({"facilities.edit"}), actor="qu")


@pytest.fixture
def nursery(world: World) -> Facility:
    region = world.region("310101", "黄浦区", "district", "310000.310101.")
    return world.facility("小石库门托育园", region=region, places=20)


class TestKinds:
    def test_declaring_twice_changes_nothing(self, db: None) -> None:
        declare_kinds()
        FacilityKind.objects.filter(key="nursery").update(name="旧名")
        declare_kinds()
        assert FacilityKind.objects.count() == len(DECLARED)
        assert FacilityKind.objects.get(key="nursery").name == "托育机构"

    def test_words_name_kinds_and_groups(self) -> None:
        assert kinds_named("childcare, canteen") == (
            "kindergarten_nursery",
            "nursery",
            "creche",
            "early_centre",
            "baby_house",
            "parenting_station",
            "canteen",
        )
        assert kinds_named("canteen，nursery,nursery") == ("nursery", "canteen")
        assert kinds_named("") == ()
        assert {kind.group for kind in all_kinds()} == set(GROUPS)
        with pytest.raises(UnknownKind) as caught:
            kinds_named("nursery,rocket")
        assert "nursery" in caught.value.detail["known"]

    def test_a_choice_is_said_as_people_say_it(self) -> None:
        assert spoken_kinds(kinds_named("childcare")) == "托育"
        assert spoken_kinds(["canteen"]) == "长者食堂"
        assert spoken_kinds([]) == spoken_kinds(kind.key for kind in all_kinds()) == "服务设施"


class TestUpdate:
    def test_changes_are_kept_with_who_and_what_was_before(self, nursery: Facility) -> None:
        update_facility(
            facility_id=nursery.pk,
            changes={"name": "新名托育园", "attributes": {"inclusive": True}, "hours": {"mon": [["08:00", "17:00"]]}},
            scope=EDITOR,
        )
        nursery.refresh_from_db()
        assert (nursery.name, nursery.attributes, nursery.hours_as_of) == (
            "新名托育园",
            {"inclusive": True},
            timezone.localdate(),
        )
        assert "新名" in nursery.grams
        (before,) = nursery.events.all()
        assert (before.name, before.attributes, before.pgh_label) == ("小石库门托育园", {}, "update")
        assert before.pgh_context.metadata["actor"] == "qu"

    def test_an_attribute_is_removed_by_none_and_the_others_stay(self, nursery: Facility) -> None:
        for changes in ({"inclusive": True, "age_from_months": 6}, {"inclusive": None}):
            update_facility(facility_id=nursery.pk, changes={"attributes": changes}, scope=ALL)
        nursery.refresh_from_db()
        assert nursery.attributes == {"age_from_months": 6}

    @pytest.mark.parametrize(
        "changes",
        [
            {"status": "closed"},
            {"geom": None},
            {"name": ""},
            {"name": "长" * 121},
            {"attributes": {"beds": 3}},
            {"attributes": {"inclusive": "yes"}},
            {"attributes": {"service_form": "weekly"}},
            {"attributes": {"age_from_months": -1}},
            {"attributes": {"age_from_months": 36, "age_to_months": 18}},
            {"attributes": []},
            {"hours": {"mon": "always"}},
        ],
    )
    def test_what_cannot_be_meant_changes_nothing(self, nursery: Facility, changes: dict[str, Any]) -> None:
        with pytest.raises(BadInput):
            update_facility(facility_id=nursery.pk, changes={"phone": "12345"} | changes, scope=ALL)
        nursery.refresh_from_db()
        assert nursery.phone == ""


class TestScope:
    @pytest.mark.parametrize(
        "scope",
        [
            Scope.public(),
            Scope(paths=("310000.310101.",)),
            Scope(paths=("310000.310106.",), duties=frozenset({"facilities.edit"})),
            Scope(organisations=frozenset({987654}), duties=frozenset({"facilities.edit"})),
            Scope(duties=frozenset({"facilities.edit"})),
        ],
    )
    def test_duty_and_place_are_both_needed(self, nursery: Facility, scope: Scope) -> None:
        for act in (
            lambda: update_facility(facility_id=nursery.pk, changes={"phone": "1"}, scope=scope),
            lambda: change_status(facility_id=nursery.pk, status="closed", scope=scope),
            lambda: report_capacity(facility_id=nursery.pk, vacancies=1, scope=scope),
        ):
            with pytest.raises(Forbidden):
                act()
        assert not StatusChange.objects.exists()
        assert not CapacityReport.objects.exists()

    def test_the_head_of_an_institution_reports_for_her_own_only(self, world: World, nursery: Facility) -> None:
        own = Organisation.objects.create(name="石库门托育有限公司")
        mine = world.facility(organisation=own, places=10)
        head = Scope(organisations=frozenset({own.pk}), duties=frozenset({"facilities.report"}), actor="head")
        assert report_capacity(facility_id=mine.pk, vacancies=3, scope=head).actor == "head"
        with pytest.raises(Forbidden):
            report_capacity(facility_id=nursery.pk, vacancies=3, scope=head)
        with pytest.raises(Forbidden):
            update_facility(facility_id=mine.pk, changes={"phone": "1"}, scope=head)

    def test_what_is_not_there_is_not_found(self, world: World) -> None:
        gone = world.facility(retired_at=timezone.now())
        with pytest.raises(NotFound):
            change_status(facility_id=gone.pk, status="closed", scope=ALL)


class TestStatus:
    def test_a_change_is_recorded_with_its_day_and_reason(self, nursery: Facility) -> None:
        change_status(facility_id=nursery.pk, status="suspended", reason="装修", scope=EDITOR)
        nursery.refresh_from_db()
        change = nursery.status_changes.get()
        assert (nursery.status, change.reason, change.actor) == ("suspended", "装修", "qu")
        with pytest.raises(Conflict):
            change_status(facility_id=nursery.pk, status="suspended", scope=EDITOR)

    def test_no_status_that_is_none_and_no_day_to_come(self, nursery: Facility) -> None:
        tomorrow = timezone.localdate() + dt.timedelta(days=1)
        for question in ({"status": "asleep"}, {"status": "closed", "effective_on": tomorrow}):
            with pytest.raises(BadInput):
                change_status(facility_id=nursery.pk, scope=ALL, **question)


class TestCapacity:
    def test_whatever_the_order_of_arrival_the_newest_figure_stands(self, nursery: Facility) -> None:
        now = timezone.now()
        reports = [(now - dt.timedelta(hours=n), n) for n in range(8)]
        random.Random(1).shuffle(reports)
        for as_of, vacancies in reports:
            report_capacity(facility_id=nursery.pk, vacancies=vacancies, as_of=as_of, scope=ALL)
        nursery.refresh_from_db()
        assert (nursery.vacancies, nursery.vacancies_as_of, nursery.places) == (0, now, 20)
        assert nursery.capacity_reports.count() == 8

    @pytest.mark.parametrize(
        "question",
        [
            {"vacancies": -1},
            {"vacancies": 21},
            {"places": 5, "vacancies": 6},
            {"places": 10**9},
            {"vacancies": 1, "reported_by": "rumour"},
            {"vacancies": 1, "as_of": dt.datetime(2026, 1, 1)},
            {"vacancies": 1, "as_of": dt.datetime(2999, 1, 1, tzinfo=dt.UTC)},
        ],
    )
    def test_impossible_figures_are_refused(self, nursery: Facility, question: dict[str, Any]) -> None:
        with pytest.raises(BadInput):
            report_capacity(facility_id=nursery.pk, scope=ALL, **question)
        assert not CapacityReport.objects.exists()
