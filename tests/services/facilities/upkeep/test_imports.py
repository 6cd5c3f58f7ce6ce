"""What people did to places stands against every later import of their source, until it is taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.gis.geos import Polygon

from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Conflict
from geo.regions.models import RegionPart
from geo.scope import Scope
from services.facilities.models import Facility
from services.facilities.upkeep.actions import (
    edit_facility,
    merge_facilities,
    retire_facility,
    return_facility,
    undo_change,
)
from services.facilities.upkeep.recording import version_of
from tests.geo.imports.worlds import PLACES, bring, place
from tests.services.facilities.conftest import World

pytestmark = pytest.mark.django_db
STAFF = Scope(paths=("",), duties=frozenset({"facilities.edit"}), actor="wang")
COLUMNS = {**PLACES["columns"], "phone": "phone"}


def again(folder: Path) -> Any:
    rows = [place(n, kind="care_home", name=f"康乐养老院{n}", address=f"国权路{n}号", phone="110") for n in range(1, 4)]
    return bring(folder, rows, columns=COLUMNS)


def home(number: int) -> Facility:
    return Facility.objects.get(ext_id=f"p{number}")


def retire(number: int) -> Any:
    row = home(number)
    return retire_facility(facility_id=row.pk, key=uuid4(), version=version_of(row), scope=STAFF, reason="已倒闭")


@pytest.fixture
def brought(tmp_path: Path, world: World) -> Path:
    box = (121.0, 30.9, 122.0, 31.9)
    region = world.region("310110", "杨浦区", "district", "310000.310110.", box)
    shape = Polygon.from_bbox(box)
    shape.srid = CGCS2000
    RegionPart.objects.create(version=region.versions.get(), geom=shape)
    assert again(tmp_path).rows_refused == 0
    return tmp_path


def test_a_place_taken_down_stays_down_until_it_is_put_up_again(brought: Path) -> None:
    retire(1)
    again(brought)
    assert home(1).retired_at is not None
    return_facility(facility_id=home(1).pk, key=uuid4(), scope=STAFF, reason="又开了")
    again(brought)
    assert home(1).retired_at is None
    with pytest.raises(Conflict, match="没有下线"):
        return_facility(facility_id=home(1).pk, key=uuid4(), scope=STAFF, reason="又开了")


def test_a_retirement_taken_back_lets_the_source_speak_again(brought: Path) -> None:
    change = retire(1)
    undo_change(change_id=change.pk, key=uuid4(), scope=STAFF)
    assert home(1).retired_at is None
    again(brought)
    assert home(1).retired_at is None


def test_a_place_moved_by_hand_stays_where_it_was_put_and_goes_back_when_that_is_undone(brought: Path) -> None:
    row = home(2)
    was = (row.geom.x, row.geom.y)
    there = (round(was[0] + 0.001, 7), was[1])
    changes = {"position": there, "phone": "021-63212345"}
    change = edit_facility(
        facility_id=row.pk,
        changes=changes,
        key=uuid4(),
        version=version_of(row),
        scope=STAFF,
        reason="现场核实",
        why="大门在东侧",
    )
    again(brought)
    moved = home(2)
    assert (moved.geom.x, moved.geom.y, moved.phone, moved.point_source) == (*there, "021-63212345", "survey")
    undo_change(change_id=change.pk, key=uuid4(), scope=STAFF)
    again(brought)
    back = home(2)
    assert (back.geom.x, back.geom.y, back.phone) == (*was, "110")


def test_a_merged_place_is_not_brought_back_by_its_source(brought: Path) -> None:
    stays, gone = home(1), home(2)
    change = merge_facilities(
        survivor_id=stays.pk, merged_id=gone.pk, take={"name": None}, key=uuid4(),
        versions={row.pk: version_of(row) for row in (stays, gone)}, scope=STAFF, reason="同一家",
    )  # fmt: skip
    again(brought)
    assert home(2).retired_at is not None
    assert home(1).name == "康乐养老院2"
    with pytest.raises(Conflict, match="已经并入"):
        return_facility(facility_id=gone.pk, key=uuid4(), scope=STAFF, reason="要回来")
    undo_change(change_id=change.pk, key=uuid4(), scope=STAFF)
    again(brought)
    assert (home(1).name, home(2).retired_at) == ("康乐养老院1", None)


def test_one_key_is_one_act_and_nothing_changed_is_said(brought: Path) -> None:
    row, key = home(3), uuid4()
    asked = {"facility_id": row.pk, "version": version_of(row), "scope": STAFF, "reason": "核实"}
    first = edit_facility(changes={"phone": "12345"}, key=key, **asked)
    assert edit_facility(changes={"phone": "12345"}, key=key, **asked).pk == first.pk
    row = home(3)
    with pytest.raises(BadInput, match="没有改动"):
        edit_facility(changes={"phone": "12345"}, key=uuid4(), **{**asked, "version": version_of(row)})
    with pytest.raises(Conflict, match="已经提交过"):
        edit_facility(
            changes={"phone": "110"}, key=key, **{**asked, "scope": Scope(("",), duties=STAFF.duties, actor="li")}
        )
