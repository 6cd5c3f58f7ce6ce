"""Ledgers as files, read back by other programs' readers; and the history of a row, and the views people keep."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from django.http import QueryDict
from python_calamine import CalamineWorkbook

from geo.errors import BadInput, Conflict, NotFound, TooLarge
from geo.scope import Scope
from services.access.models import User
from services.facilities.actions import update_facility
from services.facilities.ledgers import LEDGERS
from services.facilities.models import Facility
from services.kernel.ledger.actions import delete_view, save_view
from services.kernel.ledger.asking import Asked, read_asked
from services.kernel.ledger.cells import cell
from services.kernel.ledger.exports import write_rows
from services.kernel.ledger.history import history_of
from services.kernel.ledger.queries import views_of
from services.kernel.ledger.registry import ledgers
from services.kernel.spec import Column

pytestmark = pytest.mark.usefixtures("city")
SPEC = next(spec for spec in LEDGERS if spec.key == "facilities")
CITY = Scope(paths=("310000.",), duties=frozenset({"facilities.view", "facilities.edit"}), actor="shi")
TRAP = '=HYPERLINK("http://evil.example","x")'


def written(ending: str, query: str = "") -> bytes:
    file, _, _ = write_rows(SPEC, read_asked(QueryDict(query), SPEC), ending, scope=CITY)
    with file:
        return file.read()


@pytest.fixture
def trapped() -> Facility:
    one = Facility.objects.filter(retired_at=None, places__isnull=False).order_by("pk").first()
    assert one is not None
    Facility.objects.filter(pk=one.pk).update(name=TRAP)
    one.refresh_from_db()
    return one


def current() -> int:
    return Facility.objects.filter(retired_at=None).count()


def test_csv_opens_as_utf8_and_holds_no_formula(trapped: Facility) -> None:
    body = written("csv")
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert len(rows) == current()
    (row,) = [row for row in rows if row["编号"] == str(trapped.pk)]
    assert row["名称"] == f"'{TRAP}"
    assert row["名额（个）"] == str(trapped.places)


def test_excel_has_numbers_as_numbers_and_text_as_text(trapped: Facility, tmp_path: Path) -> None:
    path = tmp_path / "ledger.xlsx"
    path.write_bytes(written("xlsx", "col=name&col=places&col=as_of"))
    head, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert head == ["编号", "所属区划", "名称", "名额（个）", "资料日期"]
    assert len(rows) == current()
    (row,) = [row for row in rows if row[0] == trapped.pk]
    assert row[2] == TRAP
    assert row[3] == trapped.places
    assert b"<f>" not in path.read_bytes()


def test_geojson_and_geopackage_hold_every_row_at_its_place(tmp_path: Path) -> None:
    found = json.loads(written("geojson", "f.kind_id=park"))
    parks = {row.pk: row for row in Facility.objects.filter(retired_at=None, kind="park")}
    assert {feature["id"] for feature in found["features"]} == set(parks)
    for feature in found["features"]:
        lon, lat = feature["geometry"]["coordinates"]
        assert (lon, lat) == pytest.approx(parks[feature["id"]].geom.coords, abs=2e-6)
        assert feature["properties"]["名称"] == parks[feature["id"]].name
    path = tmp_path / "ledger.gpkg"
    path.write_bytes(written("gpkg", "f.kind_id=park"))
    frame = pyogrio.read_dataframe(path)
    assert set(frame["编号"]) == set(parks)
    assert frame.crs.to_epsg() == 4326
    assert set(frame["名称"]) == {park.name for park in parks.values()}


def test_a_file_holds_what_was_asked_for_and_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    file, form, count = write_rows(SPEC, read_asked(QueryDict("f.kind_id=park"), SPEC), "csv", scope=CITY)
    file.close()
    assert (form.ending, count) == ("csv", Facility.objects.filter(retired_at=None, kind="park").count())
    monkeypatch.setattr("services.kernel.ledger.exports.MOST_ROWS", 5)
    with pytest.raises(TooLarge):
        write_rows(SPEC, Asked(), "csv", scope=CITY)
    with pytest.raises(BadInput):
        write_rows(SPEC, Asked(), "exe", scope=CITY)


def test_the_history_tells_who_changed_what_newest_first() -> None:
    one = Facility.objects.filter(retired_at=None, kind="nursery").order_by("pk")[0]
    before = one.phone
    update_facility(facility_id=one.pk, changes={"phone": "021-55550001"}, scope=CITY)
    update_facility(facility_id=one.pk, changes={"name": "改名托育园", "attributes": {"inclusive": True}}, scope=CITY)
    one.refresh_from_db()
    newest, older = history_of(SPEC, one)
    assert (newest.actor, older.actor) == ("shi", "shi")
    assert newest.at >= older.at
    said = {each.label: (each.before, each.after) for each in older.differences}
    assert said["电话"] == (before or "–", "021-55550001")
    assert "名称" in {each.label for each in newest.differences}


@pytest.mark.parametrize(
    ("mask", "text", "shown"),
    [
        ("phone", "13812345678", "138****5678"),
        ("phone", "12345", "*****"),
        ("identity", "310101202001011234", "31**************34"),
        ("name", "王小明", "王**"),
        ("name", "王", "*"),
        ("phone", "", ""),
    ],
)
def test_sensitive_values_are_masked_wherever_they_are_written(mask: Any, text: str, shown: str) -> None:
    made = cell(Column("x", "某项", masked=mask), text)
    assert made.text == shown
    assert text == "" or text not in (made.text, made.value)


def test_figures_are_grouped_and_years_are_not() -> None:
    (year,) = [one for one in ledgers()["communities"].columns if one.key == "built_year"]
    assert cell(year, 1987).text == "1987"
    assert cell(Column("households", "户数", "integer"), 1987).text == "1,987"


def test_views_belong_to_those_who_keep_them() -> None:
    one, other = User.objects.create(username="a"), User.objects.create(username="b")
    asked = read_asked(QueryDict("q=%E5%9B%AD&f.kind_id=park&after=x"), SPEC)
    view = save_view(user=one, spec=SPEC, name=" 公园 ", asked=asked)
    assert (view.name, "after" in view.query) == ("公园", False)
    again = save_view(user=one, spec=SPEC, name="公园", asked=Asked(text="改过"))
    assert (again.pk, views_of(one)[0].query) == (view.pk, "q=%E6%94%B9%E8%BF%87")
    assert views_of(other) == []
    with pytest.raises(NotFound):
        delete_view(user=other, view_id=view.pk)
    with pytest.raises(BadInput):
        save_view(user=one, spec=SPEC, name=" ", asked=asked)
    for at in range(49):
        save_view(user=one, spec=SPEC, name=f"视图{at}", asked=asked)
    with pytest.raises(Conflict):
        save_view(user=one, spec=SPEC, name="再来一个", asked=asked)
    delete_view(user=one, view_id=view.pk)
    assert len(views_of(one)) == 49
