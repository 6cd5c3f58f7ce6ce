"""What staff set right stands against every later import, until somebody takes it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from geo.errors import Forbidden, NotFound
from geo.imports.models import Correction
from geo.scope import Scope
from services.facilities.actions import change_status, clear_edit, report_capacity, update_facility
from services.facilities.models import Facility, StatusChange
from tests.geo.imports.worlds import PLACES, bring, place

pytestmark = pytest.mark.django_db
STAFF = Scope(paths=("",), duties=frozenset({"facilities.edit"}), actor="wang")
COLUMNS = {
    **PLACES["columns"],
    "phone": "phone",
    "status": "status",
    "hours_as_of": "on",
    "as_of": "on",
    "attributes.beds": "beds",
    "attributes.grade": "grade",
}
HOURS = {day: [["08:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
EDITS: dict[str, Any] = {
    "name": "安康养老院",
    "address_text": "国权路2号",
    "phone": "021-12345678",
    "attributes": {"beds": 88, "grade": None, "step_free": True},
    "hours": {**HOURS, "sun": []},
}


def rows(**more: Any) -> list[dict[str, Any]]:
    home = {
        "kind": "care_home", "name": "康乐养老院", "address": "国权路1号", "phone": "110", "status": "open",
        "on": "2024-05-01", "beds": 90, "grade": "三级",
    }  # fmt: skip
    return [place(n, **{**home, "name": f"康乐养老院{n}", **more}) for n in range(1, 4)]


def again(folder: Path, **more: Any) -> Any:
    hours = {"hours": {"mon": [["09:00", "17:00"]]}}
    return bring(folder, rows(**more), columns=COLUMNS, constants=hours)


def said(ext_id: str) -> dict[str, Any]:
    facility = Facility.objects.get(ext_id=ext_id)
    fields = ("name", "address_text", "phone", "attributes", "hours", "hours_as_of", "status", "as_of", "grams")
    return {field: getattr(facility, field) for field in fields}


@pytest.fixture
def home(tmp_path: Path) -> Facility:
    assert again(tmp_path).rows_refused == 0
    return Facility.objects.get(ext_id="p2")


def test_an_edit_stands_when_the_same_file_comes_again_and_the_report_counts_it(home: Facility, tmp_path: Path) -> None:
    update_facility(facility_id=home.pk, changes=EDITS, scope=STAFF, reason="电话核实")
    change_status(facility_id=home.pk, status="suspended", scope=STAFF)
    edited, other = said("p2"), said("p1")
    report = again(tmp_path)
    # name, address, phone, three attributes, hours, status
    assert (report.corrected, report.counts.changed, report.counts.unchanged, report.warnings) == (8, 0, 3, {})
    assert said("p2") == edited
    assert (edited["name"], edited["attributes"]) == ("安康养老院", {"beds": 88, "step_free": True})
    assert edited["hours_as_of"] == edited["as_of"] == timezone.localdate()
    assert said("p1") == other
    assert set(Correction.objects.values_list("actor", "ext_id")) == {("wang", "p2")}
    assert StatusChange.objects.count() == 1


def test_what_was_not_edited_still_follows_the_source(home: Facility, tmp_path: Path) -> None:
    update_facility(facility_id=home.pk, changes={"attributes": {"beds": 88}}, scope=STAFF)
    report = again(tmp_path, phone="119", beds=70, grade="二级")
    facility = Facility.objects.get(ext_id="p2")
    assert (facility.phone, facility.attributes) == ("119", {"beds": 88, "grade": "二级"})
    assert report.warnings == {"correction_stale": 1}


def test_an_edit_that_changes_nothing_leaves_no_correction(home: Facility) -> None:
    update_facility(facility_id=home.pk, changes={"phone": "110", "attributes": {"beds": 90}}, scope=STAFF)
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    "field",
    ["name", "address_text", "phone", "hours", "status", "attributes.beds", "attributes.grade", "attributes.step_free"],
)
def test_taking_an_edit_back_returns_what_the_source_says(home: Facility, tmp_path: Path, field: str) -> None:
    before = said("p2")
    update_facility(facility_id=home.pk, changes=EDITS, scope=STAFF)
    update_facility(facility_id=home.pk, changes={"name": "再改一次", "attributes": {"beds": 87}}, scope=STAFF)
    change_status(facility_id=home.pk, status="closed", scope=STAFF)
    clear_edit(facility_id=home.pk, field=field, scope=STAFF)

    def value(state: dict[str, Any]) -> Any:
        name, _, key = field.partition(".")
        return state[name].get(key) if key else state[name]

    assert value(said("p2")) == value(before)
    report = again(tmp_path)
    assert report.corrected == 7
    assert value(said("p2")) == value(before)
    if field == "hours":
        assert said("p2")["hours_as_of"] == before["hours_as_of"]
    with pytest.raises(NotFound):
        clear_edit(facility_id=home.pk, field=field, scope=STAFF)


def test_taking_back_needs_the_duty(home: Facility) -> None:
    update_facility(facility_id=home.pk, changes={"phone": "119"}, scope=STAFF)
    with pytest.raises(Forbidden):
        clear_edit(facility_id=home.pk, field="phone", scope=Scope(paths=("",), actor="x"))
    assert Correction.objects.filter(cleared_at=None).count() == 1


def test_a_capacity_report_is_no_correction_the_newest_figure_wins_anyway(home: Facility) -> None:
    report_capacity(facility_id=home.pk, vacancies=3, places=80, scope=STAFF)
    assert not Correction.objects.exists()
