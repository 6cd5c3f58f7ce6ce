"""Boundaries and population through the import framework: editions made, nothing twice, parents fitted, the real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.db import connection
from django.test.utils import CaptureQueriesContext

from geo.crs import SHANGHAI, Coordinates, System, convert
from geo.imports.actions import draft_source, publish_runs
from geo.imports.discovery import find_sources
from geo.imports.models import Provenance, Refusal
from geo.imports.report import RunReport
from geo.imports.spec import manifest_of
from geo.regions.checks import check_regions
from geo.regions.fitting import fit_parents
from geo.regions.models import Edition, Population, RegionVersion
from geo.regions.queries import published_edition, records_of, regions_at
from geo.regions.records import RegionRecord
from tests.geo.regions.builders import PUBLIC, cells, centre, code, draft, drawn, published

pytestmark = pytest.mark.django_db


def regions_file(folder: Path, records: list[RegionRecord], name: str = "regions.geojson") -> Path:
    path = folder / name
    features = [
        {
            "type": "Feature",
            "properties": {"code": each.code, "name": each.name},
            "geometry": json.loads(shapely.to_geojson(each.polygon)),
        }
        for each in records
        if each.level != "city"
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), encoding="utf-8"
    )
    return path


def run_import(
    folder: Path, source: dict[str, Any], files: list[str], *, commit: bool = True, **options: Any
) -> RunReport:
    [spec] = manifest_of({"source": [{"key": "test", "title": "测试来源", **source}]}).sources
    run = draft_source(spec=spec, files=[folder / file for file in files])
    [report] = publish_runs(runs=[run], commit=commit, **options)
    return report


REGIONS = {"family": "regions", "file": "regions.geojson", "datum": "cgcs2000", "ext_id": ["code"]}


def test_a_file_of_regions_becomes_the_published_edition_and_the_city_is_joined(tmp_path: Path) -> None:
    regions_file(tmp_path, drawn("AAB\nCCB"))
    report = run_import(tmp_path, REGIONS, ["regions.geojson"])
    assert (report.counts.added, report.counts.removed, report.doubts) == (5, 0, [])
    assert [each.name for each in regions_at(*centre(2, 1), scope=PUBLIC)] == ["上海市", "黄浦区", "B街道"]


def test_importing_twice_changes_nothing_and_makes_no_second_edition(tmp_path: Path) -> None:
    regions_file(tmp_path, drawn("AAB\nCCB"))
    run_import(tmp_path, REGIONS, ["regions.geojson"])
    report = run_import(tmp_path, REGIONS, ["regions.geojson"])
    assert (report.counts.added, report.counts.changed, report.counts.removed, report.counts.unchanged) == (0, 0, 0, 5)
    assert Edition.objects.count() == 1


def test_a_rehearsal_tells_all_and_leaves_nothing(tmp_path: Path) -> None:
    regions_file(tmp_path, drawn("AAB\nCCB"))
    report = run_import(tmp_path, REGIONS, ["regions.geojson"], commit=False)
    assert report.counts.added == 5
    assert published_edition() is None
    assert not Edition.objects.exists()


def test_a_renamed_street_is_one_change_in_a_new_edition(tmp_path: Path) -> None:
    regions_file(tmp_path, drawn("AAB\nCCB"))
    run_import(tmp_path, REGIONS, ["regions.geojson"])
    regions_file(tmp_path, drawn("AAB\nCCB", {"C": "改名镇"}))
    report = run_import(tmp_path, REGIONS, ["regions.geojson"])
    assert (report.counts.added, report.counts.changed, report.counts.removed) == (0, 1, 0)
    assert Edition.objects.count() == 2


def test_losing_most_regions_is_refused_until_told(tmp_path: Path) -> None:
    regions_file(tmp_path, drawn("ABCD"))
    run_import(tmp_path, REGIONS, ["regions.geojson"])
    regions_file(tmp_path, drawn("AB"))
    report = run_import(tmp_path, REGIONS, ["regions.geojson"])
    assert [each["code"] for each in report.doubts] == ["deletion_guard"]
    assert RegionVersion.objects.filter(edition__state="published").count() == 6
    run_import(tmp_path, REGIONS, ["regions.geojson"], allow_removal=True)
    assert RegionVersion.objects.filter(edition__state="published").count() == 4


def test_a_real_edition_puts_the_invented_one_away(tmp_path: Path) -> None:
    invented = published(drawn("AABB"), provenance=Provenance.INVENTED)
    regions_file(tmp_path, drawn("CCDD"))
    report = run_import(tmp_path, REGIONS, ["regions.geojson"])
    invented.refresh_from_db()
    assert report.retired_invented == 4
    assert invented.state == "superseded"
    assert invented.source.retired_at is not None or not Edition.objects.filter(
        source=invented.source, state="published"
    )


def test_boundaries_in_gcj02_land_where_they_are(tmp_path: Path) -> None:
    records = drawn("AAB\nCCB")

    def shifted(x: Any, y: Any) -> tuple[Any, Any]:
        there = convert(Coordinates(x, y, System.CGCS2000), System.GCJ02)
        return there.x, there.y

    moved = [
        RegionRecord(r.code, r.level, r.name, r.parent_code, shapely.transform(r.polygon, shifted, interleaved=False))
        for r in records
    ]
    regions_file(tmp_path, moved)
    run_import(tmp_path, {**REGIONS, "datum": "gcj02"}, ["regions.geojson"])
    edition = published_edition()
    assert edition is not None
    kept = {each.code: each.polygon for each in records_of(edition)}
    for record in records:
        assert shapely.hausdorff_distance(kept[record.code], record.polygon) < 1e-8


def test_a_source_of_one_area_replaces_only_what_lies_there(tmp_path: Path) -> None:
    first = drawn("AABB")
    second = [
        RegionRecord("310104", "district", "徐汇区", "310000", cells("....EF", "EF")),
        RegionRecord("310104001", "street", "E街道", "310104", cells("....E.", "E")),
        RegionRecord("310104002", "street", "F街道", "310104", cells(".....F", "F")),
    ]
    regions_file(tmp_path, [*first, *second])
    run_import(tmp_path, REGIONS, ["regions.geojson"])
    joined = [second[0], RegionRecord("310104003", "street", "G街道", "310104", second[0].polygon)]
    regions_file(tmp_path, joined)
    report = run_import(
        tmp_path, {**REGIONS, "key": "xuhui", "area": "310104"}, ["regions.geojson"], allow_removal=True
    )
    assert report.doubts == []
    codes = set(RegionVersion.objects.filter(edition__state="published").values_list("code", flat=True))
    assert codes == {"310000", "310101", code("A"), code("B"), "310104", "310104003"}


def test_an_unknown_level_and_a_point_are_refused_with_their_reasons(tmp_path: Path) -> None:
    path = regions_file(tmp_path, drawn("AAB\nCCB"))
    data = json.loads(path.read_text(encoding="utf-8"))
    data["features"] += [
        {"type": "Feature", "properties": {"code": "31", "name": "怪"}, "geometry": data["features"][0]["geometry"]},
        {
            "type": "Feature",
            "properties": {"code": "310101999", "name": "点"},
            "geometry": {"type": "Point", "coordinates": [121.4, 31.2]},
        },
        {
            "type": "Feature",
            "properties": {"code": "310101998", "name": ""},
            "geometry": data["features"][0]["geometry"],
        },
    ]
    path.write_text(json.dumps(data), encoding="utf-8")
    run_import(tmp_path, REGIONS, ["regions.geojson"])
    assert set(Refusal.objects.values_list("row", "code")) == {
        (5, "unknown_value"),
        (6, "wrong_shape"),
        (7, "missing_value"),
    }


def test_a_region_without_its_parent_is_refused_and_what_hangs_below_it_too(tmp_path: Path) -> None:
    square = cells("....X", "X")
    strays = [
        RegionRecord("310199001", "street", "孤儿街道", "310199", square),
        RegionRecord("310199001001", "committee", "孤儿居委", "310199001", square),
        RegionRecord(code("A"), "street", "重名街道", "310101", square),
    ]
    path = regions_file(tmp_path, [*drawn("AAB\nCCB"), *strays])
    data = json.loads(path.read_text(encoding="utf-8"))
    for number, feature in enumerate(data["features"]):
        feature["properties"]["id"] = number
    path.write_text(json.dumps(data), encoding="utf-8")
    report = run_import(tmp_path, {**REGIONS, "ext_id": ["id"]}, ["regions.geojson"])
    assert report.doubts == []
    assert report.refused_late == {"unknown_parent": 2, "duplicate_id": 1}
    assert RegionVersion.objects.filter(edition__state="published").count() == 5


# Fitting


def test_a_set_that_tiles_is_left_as_it_is() -> None:
    records = drawn("AAB\nCCB")
    assert all(one.polygon is other.polygon for one, other in zip(records, fit_parents(records), strict=True))


def test_a_parent_follows_its_children_and_keeps_what_nobody_else_has() -> None:
    left, right = cells("AA.....", "A"), cells("...DDD.", "D")
    records = [
        RegionRecord("310000", "city", "上海市", None, cells("XXXXXXX", "X")),
        # drawn by another hand: the border is one square too far east, and the last square has no street
        RegionRecord("310101", "district", "甲区", "310000", cells("XXXX...", "X")),
        RegionRecord("310104", "district", "乙区", "310000", cells("....XXX", "X")),
        RegionRecord("310101001", "street", "A街道", "310101", left),
        RegionRecord("310104001", "street", "D街道", "310104", right),
    ]
    fitted = {each.code: each.polygon for each in fit_parents(records)}
    assert fitted["310101"].symmetric_difference(cells("XXX....", "X")).area < 1e-12
    assert fitted["310104"].symmetric_difference(cells("...XXXX", "X")).area < 1e-12
    found = check_regions(fit_parents(records), SHANGHAI)
    assert "region_beyond_parent" not in {each.code for each in found}


# Population


POPULATION = {
    "key": "census",
    "family": "population",
    "file": "census.csv",
    "datum": "cgcs2000",
    "ext_id": ["code"],
    "columns": {"region_code": "code", "persons": "resident_population"},
    "constants": {"year": 2020},
}


def test_a_census_is_published_once_and_names_unknown_regions(tmp_path: Path) -> None:
    published(drawn("AABB"))
    census = tmp_path / "census.csv"
    census.write_text(f"code,resident_population\n{code('A')},1000\n{code('B')},2000\n319999,5\n", encoding="utf-8")
    report = run_import(tmp_path, POPULATION, ["census.csv"])
    assert (report.counts.added, report.rows_refused) == (2, 1)
    assert Refusal.objects.get().code == "unknown_region"
    again = run_import(tmp_path, POPULATION, ["census.csv"])
    assert (again.counts.added, again.counts.changed, again.counts.unchanged, again.counts.removed) == (0, 0, 2, 0)
    row = Population.objects.get(persons=1000)
    assert (row.age_from, row.age_to, row.sex, row.year) == (0, 150, "a", 2020)


def test_a_changed_and_a_lost_figure_are_counted(tmp_path: Path) -> None:
    published(drawn("AABB"))
    census = tmp_path / "census.csv"
    census.write_text(f"code,resident_population\n{code('A')},1000\n{code('B')},2000\n", encoding="utf-8")
    run_import(tmp_path, POPULATION, ["census.csv"])
    census.write_text(f"code,resident_population\n{code('A')},1100\n", encoding="utf-8")
    report = run_import(tmp_path, POPULATION, ["census.csv"], allow_removal=True)
    assert (report.counts.added, report.counts.changed, report.counts.removed) == (0, 1, 1)
    assert list(Population.objects.filter(retired_at=None).values_list("persons", flat=True)) == [1100]


def test_a_draft_edition_alone_gives_population_no_region(tmp_path: Path) -> None:
    draft(drawn("AABB"))
    (tmp_path / "census.csv").write_text(f"code,resident_population\n{code('A')},1000\n", encoding="utf-8")
    assert run_import(tmp_path, POPULATION, ["census.csv"]).counts.added == 0


# The real files


@pytest.mark.data
def test_the_real_boundaries_make_one_edition(data_folder: Path) -> None:
    found = find_sources([data_folder / "admin", data_folder / "population"])
    declared = {source.spec.key: source for source in found.sources if source.spec.family in ("regions", "population")}
    regions = declared["shanghai-regions"]
    [report] = publish_runs(runs=[draft_source(spec=regions.spec, files=regions.files)])
    assert report.doubts == []
    assert report.counts.added == 1 + 16 + 216
    # 娄塘镇 is a former town without a code
    assert list(Refusal.objects.values_list("code", flat=True)) == ["no_code"]
    assert [each.name for each in regions_at(121.4737, 31.2304, scope=PUBLIC)][:2] == ["上海市", "黄浦区"]
    edition = published_edition()
    assert edition is not None
    findings = check_regions(records_of(edition), SHANGHAI)
    assert {each.code for each in findings} <= {"region_overlap", "region_gap"}
    [again] = publish_runs(runs=[draft_source(spec=regions.spec, files=regions.files)])
    assert (again.counts.added, again.counts.changed, again.counts.removed) == (0, 0, 0)
    census = [source for source in declared.values() if source.spec.family == "population"]
    assert census
    reports = publish_runs(runs=[draft_source(spec=source.spec, files=source.files) for source in census])
    assert [each.doubts for each in reports] == [[]] * len(census)
    by_district = Population.objects.filter(region__level="district", retired_at=None)
    assert sum(by_district.values_list("persons", flat=True)) == 24_870_895


@pytest.mark.parametrize("count", [1, 400])
def test_figures_of_unknown_regions_are_refused_in_as_many_questions_however_many_rows(
    tmp_path: Path, count: int
) -> None:
    published(drawn("AABB"))
    rows = [{"code": code("A"), "age": age, "n": age} for age in range(count)]
    rows += [{"code": code("Z"), "age": age, "n": 1} for age in range(count)]
    lines = [
        "code,year,age,n",
        *(f"{row['code']},{2021 + row['age'] // 100},{row['age'] % 100},{row['n']}" for row in rows),
    ]
    (tmp_path / "people.csv").write_text("\n".join(lines))
    columns = {"region_code": "code", "year": "year", "age_from": "age", "age_to": "age", "persons": "n"}
    source = {"family": "population", "file": "people.csv", "datum": "cgcs2000", "columns": columns}
    with CaptureQueriesContext(connection) as asked:
        report = run_import(tmp_path, source, ["people.csv"])
    assert (report.counts.added, report.refused_by) == (count, {"unknown_region": count})
    assert Population.objects.filter(region__versions__code=code("A")).count() == count
    assert len(asked) < 100
