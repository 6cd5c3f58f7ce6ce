"""Importing on real PostGIS: reasons for refused rows, what changes, what is guarded, what is retired, what is corrected."""

import csv
import datetime
import io
import json

import pytest
import time_machine
from django.core.management import call_command

from geo.addresses.models import Address, Community
from geo.crs import Coordinate, System, convert
from geo.errors import BadInput, NotFound
from geo.imports.actions import clear_correction, correct_row, draft_source, publish_runs
from geo.imports.importer import IMPORT_ORDER, importers
from geo.imports.models import Correction, DraftRow, Family, ImportRun, Refusal, RunState, Source
from geo.imports.queries import shows_invented
from geo.imports.reasons import ROW_REASONS
from geo.imports.spec import manifest_of
from services.facilities.models import CapacityReport, Facility, StatusChange
from tests.geo.imports.worlds import PLACES, bring, place, places, spec_of, write_rows

pytestmark = pytest.mark.django_db
LONG = "长" * 301


def refusals(report):
    return {(r.row, r.code) for r in Refusal.objects.filter(run_id=report.run)}


def test_every_family_of_the_map_has_an_importer():
    assert set(importers()) == set(IMPORT_ORDER) == set(Family) - {Family.LEDGER}  # sheets go to the owners of ledgers


@pytest.mark.parametrize(
    ("fault", "code", "column"),
    [
        ({"name": ""}, "missing_value", "name"),
        ({"name": "　"}, "missing_value", "name"),
        ({"id": ""}, "missing_value", "id"),
        ({"kind": "托儿所(旧)"}, "unknown_kind", "kind"),
        ({"address": LONG}, "too_long", "address"),
        ({"lon": "121°28′25″"}, "bad_position", ""),
        ({"lat": ""}, "bad_position", ""),
        ({"lon": "", "lat": ""}, "no_position", "address_text"),
        ({"lon": 0, "lat": 0}, "outside_city", ""),
        ({"lon": 120.16, "lat": 30.25}, "outside_city", ""),
        ({"lon": 31.2, "lat": 121.4}, "axes_swapped", ""),
        ({"id": "p1"}, "duplicate_id", ""),
    ],
)
def test_a_faulty_row_is_refused_with_its_number_and_the_others_are_taken(tmp_path, fault, code, column):
    rows = [*places(40), place(40, **fault)]
    report = bring(tmp_path, rows)
    assert (report.rows_read, report.rows_accepted, report.rows_refused) == (41, 40, 1)
    refusal = Refusal.objects.get(run_id=report.run)
    assert (refusal.row, refusal.code, refusal.column) == (41, code, column)
    assert refusal.message.startswith(ROW_REASONS[code])
    assert refusal.raw
    assert Facility.objects.count() == 40


@pytest.mark.parametrize(
    ("columns", "fault", "code"),
    [
        ({"places": "n"}, {"n": "二十"}, "not_a_number"),
        ({"places": "n"}, {"n": "-2"}, "out_of_range"),
        ({"places": "n", "vacancies": "m", "vacancies_as_of": "t"}, {"n": 3, "m": 9}, "capacity_contradiction"),
        ({"vacancies": "m", "vacancies_as_of": "t"}, {"m": 1, "t": "上个月"}, "not_a_date"),
        ({"as_of": "t"}, {"t": "2024-13-01"}, "not_a_date"),
        ({"status": "t"}, {"t": "也许"}, "unknown_value"),
        ({"attributes.step_free": "t"}, {"t": "也许"}, "not_a_flag"),
        ({"hours": "t"}, {"t": "早到晚"}, "bad_hours"),
    ],
)
def test_a_facility_that_contradicts_itself_is_refused(tmp_path, columns, fault, code):
    blank = dict.fromkeys(("n", "m", "t"), "")
    kind = {"kind": "park"}
    rows = [place(1, **kind, **blank), place(2, **kind, **{**blank, **fault})]
    report = bring(tmp_path, rows, columns={**PLACES["columns"], **columns})
    assert refusals(report) == {(2, code)}


def test_a_line_with_a_field_too_many_is_refused(tmp_path):
    path = write_rows(tmp_path, places(3))
    path.write_text(path.read_text().replace("第1药店", "第1,药店"))
    report = publish_runs(runs=[draft_source(spec=spec_of(), files=[path])])[0]
    assert refusals(report) == {(2, "ragged_row")}


def test_importing_twice_changes_nothing(tmp_path):
    first, second = bring(tmp_path, places(30)), bring(tmp_path, places(30))
    assert (first.counts.added, first.counts.unchanged) == (30, 0)
    assert (second.counts.added, second.counts.changed, second.counts.removed, second.counts.unchanged) == (0, 0, 0, 30)
    assert Facility.objects.count() == 30


def test_the_report_tells_added_changed_removed_and_unchanged(tmp_path):
    bring(tmp_path, places(30))
    rows = [place(0, name="新名药店"), place(1, lon=121.4999), *[place(n) for n in range(2, 28)], place(99)]
    counts = bring(tmp_path, rows).counts
    assert (counts.added, counts.changed, counts.removed, counts.unchanged) == (1, 2, 2, 26)
    gone = Facility.objects.filter(retired_at__isnull=False)
    assert sorted(gone.values_list("ext_id", flat=True)) == ["p28", "p29"]


def test_a_row_that_comes_back_is_current_again(tmp_path):
    bring(tmp_path, places(30))
    bring(tmp_path, places(29))
    counts = bring(tmp_path, places(30)).counts
    assert (counts.added, counts.changed, counts.unchanged) == (0, 1, 29)
    assert not Facility.objects.filter(retired_at__isnull=False).exists()


def test_a_rehearsal_says_what_would_happen_and_changes_nothing(tmp_path):
    report = bring(tmp_path, places(10), commit=False)
    assert report.counts.added == 10
    assert not report.published
    assert not Facility.objects.exists()
    run = ImportRun.objects.get(pk=report.run)
    assert (run.state, run.report["added"], run.drafts.count()) == (RunState.REPORTED, 10, 10)
    published = publish_runs(runs=[run])[0]
    assert published.counts == report.counts
    assert Facility.objects.count() == 10
    assert not DraftRow.objects.exists()


def test_a_run_rehearsed_and_then_published_keeps_each_refusal_once(tmp_path):
    run = draft_source(spec=spec_of(), files=[write_rows(tmp_path, [*places(5), place(6, lon="", lat="")])])
    for commit in (False, False, True):
        report = publish_runs(runs=[run], commit=commit)[0]
        assert (report.rows_accepted, report.refused_by) == (5, {"no_position": 1})
        assert Refusal.objects.filter(run=run).count() == 1


def test_removing_more_than_a_fifth_is_refused_unless_told(tmp_path):
    bring(tmp_path, places(50))
    doubtful = bring(tmp_path, places(39))
    assert [doubt["code"] for doubt in doubtful.doubts] == ["deletion_guard"]
    assert Facility.objects.filter(retired_at=None).count() == 50
    assert bring(tmp_path, places(40)).counts.removed == 10
    assert bring(tmp_path, places(5), allow_removal=True).counts.removed == 35


def test_a_file_without_a_usable_row_is_refused_and_its_rows_explained(tmp_path):
    report = bring(tmp_path, [place(n, name="") for n in range(4)])
    assert [doubt["code"] for doubt in report.doubts] == ["nothing_accepted"]
    assert report.refused_by == {"missing_value": 4}
    assert Refusal.objects.filter(run_id=report.run).count() == 4


def test_a_missing_column_is_named(tmp_path):
    report = bring(tmp_path, places(3), columns={**PLACES["columns"], "phone": "电话"})
    assert [doubt["code"] for doubt in report.doubts] == ["column_missing"]
    assert "电话" in report.doubts[0]["message"]


@pytest.mark.parametrize("declared", ["wgs84", "cgcs2000", "gcj02", "bd09", "sh2000"])
def test_positions_are_stored_in_cgcs2000_whatever_the_declared_datum(tmp_path, declared):
    there = convert(Coordinate(121.4737, 31.2304, System.CGCS2000), System.parse(declared))
    bring(tmp_path, [place(1, lon=there.x, lat=there.y)], datum=declared)
    point = Facility.objects.get().geom
    assert (point.x, point.y) == pytest.approx((121.4737, 31.2304), abs=2e-8)
    assert point.srid == Facility._meta.get_field("geom").srid


def shifted(rows, true, pretended):
    def one(row):
        there = convert(Coordinate(row["lon"], row["lat"], System.parse(true)), System.parse(pretended))
        return {**row, "lon": there.x, "lat": there.y}

    return [one(row) for row in rows]


@pytest.mark.parametrize(("true", "declared"), [("gcj02", "wgs84"), ("bd09", "wgs84"), ("wgs84", "gcj02")])
def test_a_file_in_the_wrong_datum_is_refused_by_its_namesakes(tmp_path, true, declared):
    bring(tmp_path, places(60))
    report = bring(tmp_path, shifted(places(60), "wgs84", true), key="others", datum=declared)
    assert [doubt["code"] for doubt in report.doubts] == ["wrong_datum"]
    assert "60" in report.doubts[0]["message"]
    assert Facility.objects.filter(source__key="others").count() == 0
    assert Source.objects.get(key="others").published_at is None


@pytest.mark.parametrize("declared", ["wgs84", "gcj02", "bd09"])
def test_a_file_in_its_declared_datum_is_not_doubted(tmp_path, declared):
    bring(tmp_path, places(60))
    rows = [{**row, "id": f"x{row['id']}"} for row in shifted(places(60), "wgs84", declared)]
    assert bring(tmp_path, rows, key="others", datum=declared).doubts == []


def test_a_file_with_swapped_axes_is_refused_whole(tmp_path):
    rows = [{**row, "lon": row["lat"], "lat": row["lon"]} for row in places(30)]
    report = bring(tmp_path, rows)
    assert [doubt["code"] for doubt in report.doubts] == ["axes_swapped_batch"]
    assert not Facility.objects.exists()


def test_one_doubtful_source_holds_back_the_whole_set(tmp_path):
    (tmp_path / "bad").mkdir()
    good = draft_source(spec=spec_of(), files=[write_rows(tmp_path, places(5))])
    bad = draft_source(spec=spec_of(key="bad"), files=[write_rows(tmp_path / "bad", [place(1, name="")])])
    reports = publish_runs(runs=[good, bad])
    assert [bool(report.doubts) for report in reports] == [False, True]
    assert not Facility.objects.exists()


def test_a_correction_outlives_the_next_import(tmp_path):
    bring(tmp_path, places(10))
    source = Source.objects.get(key="places")
    correct_row(
        source=source,
        ext_id="p3",
        field="name",
        old_value="第3药店",
        new_value="益民药店",
        reason="门头已改",
        actor="区",
    )
    correct_row(
        source=source,
        ext_id="p4",
        field="position",
        old_value=None,
        new_value=[121.5, 31.25],
        reason="实地",
        actor="区",
    )
    report = bring(tmp_path, places(10))
    assert (report.counts.changed, report.corrected, report.as_data()["corrected"]) == (2, 2, 2)
    right = Facility.objects.get(ext_id="p3")
    assert right.name == "益民药店"
    assert "益民" in right.grams
    moved = Facility.objects.get(ext_id="p4")
    assert (moved.geom.x, moved.geom.y, moved.point_source) == (121.5, 31.25, "survey")
    again = bring(tmp_path, places(10))
    assert (again.counts.changed, again.corrected, again.warnings) == (0, 2, {})


def test_a_correction_of_what_changed_since_or_is_gone_is_reported(tmp_path):
    bring(tmp_path, places(10))
    source = Source.objects.get(key="places")
    for ext_id in ("p3", "p9"):
        correct_row(
            source=source,
            ext_id=ext_id,
            field="name",
            old_value=f"第{ext_id[1:]}药店",
            new_value="益民药店",
            reason="x",
            actor="区",
        )
    rows = [place(3, name="第三大药店") if n == 3 else place(n) for n in range(9)]
    report = bring(tmp_path, rows)
    assert report.warnings == {"correction_stale": 1, "correction_lost": 1}
    assert Facility.objects.get(ext_id="p3").name == "益民药店"


def test_the_last_of_several_corrections_stands_until_all_are_cleared(tmp_path):
    bring(tmp_path, places(2))
    named = {"source": Source.objects.get(key="places"), "ext_id": "p1", "field": "name", "actor": "区"}
    correct_row(**named, old_value="第1药店", new_value="甲药店", reason="一")
    correct_row(**named, old_value="甲药店", new_value="乙药店", reason="二")
    report = bring(tmp_path, places(2))
    assert (Facility.objects.get(ext_id="p1").name, report.corrected, report.warnings) == ("乙药店", 1, {})
    assert clear_correction(**named).old_value == "第1药店"
    report = bring(tmp_path, places(2))
    assert (Facility.objects.get(ext_id="p1").name, report.corrected, report.counts.changed) == ("第1药店", 0, 1)
    assert [c.cleared_by for c in Correction.objects.exclude(cleared_at=None)] == ["区", "区"]
    with pytest.raises(NotFound):
        clear_correction(**named)


def test_one_entry_of_an_object_is_corrected_and_the_others_stay_the_sources(tmp_path):
    columns = {**PLACES["columns"], "attributes.beds": "beds", "attributes.grade": "grade"}
    rows = [place(1, kind="care_home", beds=90, grade="三级")]
    bring(tmp_path, rows, columns=columns)
    named = {"source": Source.objects.get(), "ext_id": "p1", "reason": "核实", "actor": "区"}
    correct_row(**named, field="attributes.beds", old_value=90, new_value=88)
    bring(tmp_path, [{**rows[0], "grade": "四级"}], columns=columns)
    assert Facility.objects.get().attributes == {"beds": 88, "grade": "四级"}
    correct_row(**named, field="attributes.grade", old_value="四级", new_value=None)
    bring(tmp_path, [{**rows[0], "grade": "四级"}], columns=columns)
    assert Facility.objects.get().attributes == {"beds": 88}


@pytest.mark.parametrize(
    ("field", "value"), [("owner", "x"), ("owner.name", "x"), ("position", [1, 2]), ("position", "here")]
)
def test_a_correction_that_cannot_be_meant_is_refused(tmp_path, field, value):
    bring(tmp_path, places(2))
    with pytest.raises(BadInput):
        correct_row(
            source=Source.objects.get(),
            ext_id="p1",
            field=field,
            old_value=None,
            new_value=value,
            reason="x",
            actor="x",
        )


def test_the_same_place_from_a_second_source_is_not_taken_twice(tmp_path):
    bring(tmp_path, places(5))
    rows = [place(1, id="q1"), place(2, id="q2", lon=121.6), place(3, id="q3", kind="clinic")]
    report = bring(tmp_path, rows, key="others")
    assert refusals(report) == {(1, "same_as_other")}


def test_status_and_capacity_enter_the_history_and_an_older_figure_does_not_win(tmp_path):
    columns = {**PLACES["columns"], "status": "status", "places": "n", "vacancies": "m", "vacancies_as_of": "t"}

    def nursery(**more):
        return place(
            1, **{"kind": "nursery", "status": "open", "n": 20, "m": 5, "t": "2026-03-01T08:00:00+08:00", **more}
        )

    bring(tmp_path, [nursery()], columns=columns)
    bring(tmp_path, [nursery(status="suspended", m=3, t="2026-04-01 08:00")], columns=columns)
    facility = Facility.objects.get()
    assert (facility.status, facility.vacancies, facility.vacancies_source) == ("suspended", 3, "import")
    assert [change.status for change in StatusChange.objects.all()] == ["suspended"]
    assert sorted(CapacityReport.objects.values_list("vacancies", flat=True)) == [3, 5]
    Facility.objects.update(vacancies=1, vacancies_as_of=datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC))
    report = bring(tmp_path, [nursery(status="suspended", m=3, t="2026-04-01 08:00")], columns=columns)
    assert report.counts.unchanged == 1
    assert Facility.objects.get().vacancies == 1


def test_a_status_imported_soon_after_midnight_counts_from_the_day_of_the_city(tmp_path):
    columns = {**PLACES["columns"], "status": "status"}
    bring(tmp_path, [place(1, status="open")], columns=columns)
    with time_machine.travel("2027-01-01T00:05:00+08:00"):
        bring(tmp_path, [place(1, status="suspended")], columns=columns)
    change = StatusChange.objects.get()
    assert (change.status, change.effective_on) == ("suspended", datetime.date(2027, 1, 1))


def test_words_rules_and_templates_of_a_declaration(tmp_path):
    rows = [
        {"id": 1, "k": "园", "n": "彩虹托育园", "s": "甲路", "h": 1, "lon": 121.4, "lat": 31.2},
        {"id": 2, "k": "园", "n": "彩虹幼儿园", "s": "甲路", "h": "", "lon": 121.4, "lat": 31.2},
        {"id": 3, "k": "馆", "n": "图书馆", "s": "", "h": "", "lon": 121.4, "lat": 31.2},
    ]
    report = bring(
        tmp_path,
        rows,
        columns={"kind": "k", "name": "n", "street": "s", "house": "h"},
        templates={"address_text": "{street}{house}号"},
        values={"kind": {"map": {"园": "kindergarten"}, "otherwise": "refuse:not_used"}},
        rules=[{"field": "name", "when": {"kind": "kindergarten"}, "contains": ["托育"], "set": {"kind": "nursery"}}],
    )
    assert refusals(report) == {(3, "not_used")}
    found = list(Facility.objects.order_by("ext_id").values_list("kind_id", "address_text"))
    assert found == [("nursery", "甲路1号"), ("kindergarten", "")]


def test_a_lookup_takes_the_one_answer_and_never_guesses(tmp_path):
    (tmp_path / "codes.csv").write_text("town,code\n甲镇,1\n乙镇,2\n乙镇,3\n")
    rows = [place(n, town=town) for n, town in enumerate(["甲镇", "乙镇", "丙镇"])]
    report = bring(
        tmp_path,
        rows,
        columns={**PLACES["columns"], "town": "town"},
        lookups=[{"field": "phone", "file": "codes.csv", "match": {"town": "town"}, "take": "code"}],
    )
    assert refusals(report) == {(2, "no_code"), (3, "no_code")}
    assert Facility.objects.get().phone == "1"


def test_a_lookup_outside_the_folder_is_refused(tmp_path):
    lookup = {"field": "phone", "file": "../codes.csv", "match": {"name": "name"}, "take": "code"}
    report = bring(tmp_path, places(1), lookups=[lookup])
    assert [doubt["code"] for doubt in report.doubts] == ["manifest_invalid"]


def addresses(**more):
    plain = {
        "key": "doors",
        "family": "addresses",
        "file": "places.csv",
        "datum": "wgs84",
        "x": "lon",
        "y": "lat",
        "ext_id": ["id"],
    }
    return manifest_of({"source": [{**plain, **more}]}).sources[0]


def test_addresses_are_read_into_parts_and_lines_that_are_none_are_refused(tmp_path):
    rows = [
        {"id": n, "text": text, "lon": 121.45, "lat": 31.2}
        for n, text in enumerate(["淮海中路1285弄4号101室", "Some Road"], 1)
    ]
    run = draft_source(spec=addresses(columns={"text": "text"}), files=[write_rows(tmp_path, rows)])
    report = publish_runs(runs=[run])[0]
    assert refusals(report) == {(2, "no_address")}
    door = Address.objects.get()
    assert (door.road, door.lane, door.number, door.room) == ("淮海中路", "1285", "4", "101")
    assert door.normal == "淮海中路1285弄4号101室"
    assert door.cell


def test_a_row_without_a_position_is_placed_by_its_address_and_says_so(tmp_path):
    doors = [{"id": n, "text": f"淮海中路{n}号", "lon": 121.45 + n / 1e4, "lat": 31.2} for n in (10, 20, 30)]
    publish_runs(runs=[draft_source(spec=addresses(columns={"text": "text"}), files=[write_rows(tmp_path, doors)])])
    rows = [place(1, address="淮海中路20号", lon="", lat=""), place(2, address="没有路99号", lon="", lat="")]
    report = bring(tmp_path, rows)
    assert refusals(report) == {(2, "no_position")}
    assert report.warnings == {"geocoded": 1}
    found = Facility.objects.get()
    assert (found.geom.x, found.geom.y) == pytest.approx((121.452, 31.2))
    assert found.point_source == "address"
    assert bring(tmp_path, rows).counts.unchanged == 1


def community(row, **more):
    declared = {
        "key": "estates",
        "family": "communities",
        "file": "e.csv",
        "datum": "wgs84",
        "ext_id": ["id"],
        "x": "lon",
        "y": "lat",
    }
    return manifest_of({"source": [{**declared, **more}]}).sources[0]


def test_a_community_keeps_its_aliases_and_drops_an_impossible_year(tmp_path):
    rows = [
        {
            "id": 1,
            "name": "甲小区",
            "aliases": "甲苑、甲新村",
            "built_year": "3年",
            "households": "523户",
            "lon": 121.4,
            "lat": 31.2,
        }
    ]
    columns = {name: name for name in ("name", "aliases", "built_year", "households")}
    report = publish_runs(
        runs=[draft_source(spec=community(rows, columns=columns), files=[write_rows(tmp_path, rows, "e.csv")])]
    )[0]
    found = Community.objects.get()
    assert (found.aliases, found.built_year, found.households) == (["甲苑", "甲新村"], None, 523)
    assert report.warnings == {"value_ignored": 1}
    assert "苑" in found.grams


def test_a_table_in_gb18030_is_taken_and_the_guess_is_told(tmp_path):
    path = write_rows(tmp_path, places(3), encoding="gb18030")
    report = publish_runs(runs=[draft_source(spec=spec_of(), files=[path])])[0]
    assert (report.encodings, report.warnings) == ({"places.csv": "gb18030"}, {"encoding_guessed": 1})
    assert Facility.objects.filter(name="第1药店").exists()


# Retiring what is invented


def test_a_real_source_retires_the_invented_rows_of_its_family_and_no_others(tmp_path):
    bring(tmp_path, places(5), key="pretend", provenance="invented")
    rows = [{"id": 1, "name": "甲小区", "lon": 121.4, "lat": 31.2}]
    estates = community(rows, provenance="invented", columns={"name": "name"})
    publish_runs(runs=[draft_source(spec=estates, files=[write_rows(tmp_path, rows, "e.csv")])])
    assert shows_invented()
    report = bring(tmp_path, [place(n, name=f"真{n}") for n in range(3)], key="real")
    assert report.retired_invented == 5
    assert set(Facility.objects.filter(retired_at=None).values_list("source__key", flat=True)) == {"real"}
    assert Source.objects.get(key="pretend").retired_at is not None
    assert Community.objects.filter(retired_at=None).count() == 1
    assert shows_invented()


def test_a_rehearsal_of_a_real_source_retires_nothing(tmp_path):
    bring(tmp_path, places(5), key="pretend", provenance="invented")
    assert bring(tmp_path, places(3), key="real", commit=False).retired_invented == 5
    assert Facility.objects.filter(retired_at=None).count() == 5
    assert Source.objects.get(key="pretend").retired_at is None


def test_nothing_invented_is_published_over_a_real_city(tmp_path):
    bring(tmp_path, places(3), key="real")
    report = bring(tmp_path, places(5), key="pretend", provenance="invented")
    assert [doubt["code"] for doubt in report.doubts] == ["real_published"]
    assert Facility.objects.count() == 3


# The command


def command(capsys, *args):
    code = 0
    try:
        call_command("import_data", *map(str, args))
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr().out


@pytest.fixture
def folder(tmp_path):
    rows = [*places(8), place(9, name="")]
    write_rows(tmp_path, rows)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "quantu-import.toml").write_text(
        """
        [ignored]
        "*.txt" = "说明"
        [[source]]
        key = "mine"
        family = "facilities"
        file = "places.csv"
        datum = "wgs84"
        x = "lon"
        y = "lat"
        ext_id = ["id"]
        columns = { kind = "kind", name = "name" }
        """
    )
    return tmp_path


def test_the_command_reports_and_writes_nothing_without_commit(folder, capsys):
    code, out = command(capsys, folder)
    assert code == 0
    assert "读取 9 行，可用 8，拒绝 1" in out
    assert "missing_value" in out
    assert "places.csv 第 9 行 name 栏" in out
    assert "notes.txt：说明" in out
    assert "尚未写入" in out
    assert not Facility.objects.exists()


def test_the_command_publishes_with_commit_and_speaks_json(folder, capsys):
    code, out = command(capsys, folder / "places.csv", "--commit", "--json")
    data = json.loads(out)
    assert (code, data["published"]) == (0, True)
    assert data["sources"][0]["rows"] == {"read": 9, "accepted": 8, "refused": 1}
    assert Facility.objects.count() == 8


def test_the_command_lists_every_refused_row_in_a_file(folder, capsys):
    faulty = [place(at, name="", phone="=1+1") for at in range(1, 6)]
    write_rows(folder, [*faulty, *(place(at) for at in range(6, 40))])
    code, out = command(capsys, folder)
    assert code == 0
    assert "--refusals" in out
    code, out = command(capsys, folder, "--refusals", folder / "refused.csv")
    assert code == 0
    assert "5 行" in out
    titles, *rows = list(csv.reader(io.StringIO((folder / "refused.csv").read_text(encoding="utf-8-sig"))))
    assert [row[titles.index("行号")] for row in rows] == ["1", "2", "3", "4", "5"]
    assert {row[titles.index("原因代码")] for row in rows} == {"missing_value"}
    assert all(row[titles.index("文件")] == "places.csv" and row[titles.index("原因")] for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_the_command_fails_on_doubt(folder, capsys):
    write_rows(folder, [place(1, name="")])
    code, out = command(capsys, folder, "--commit")
    assert code == 1
    assert "nothing_accepted" in out
    assert "什么都没有发布" in out


def test_the_command_fails_when_nothing_is_declared(tmp_path, capsys):
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    code, out = command(capsys, tmp_path)
    assert code == 1
    assert "table.csv：没有声明" in out


def test_a_source_whose_second_file_is_missing_is_not_imported(tmp_path, capsys):
    (tmp_path / "shanghai_towns_osm_wgs84.geojson").write_text('{"type":"FeatureCollection","features":[]}')
    code, out = command(capsys, tmp_path)
    assert code == 1
    assert "还缺文件：shanghai_districts_datav_gcj02.geojson" in out


def test_an_upload_is_read_apart(folder, capsys):
    code, out = command(capsys, folder, "--commit", "--untrusted", "--json")
    assert (code, json.loads(out)["sources"][0]["added"]) == (0, 8)
