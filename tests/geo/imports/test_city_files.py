"""Importing over the tiny invented city: places by region, the area rule, and the city's own files, clean and dirty."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from fixtures.city import generate
from fixtures.city.dirt import FACILITY_COLUMNS, soil
from fixtures.city.files import write_files, write_xlsx
from fixtures.city.rows import facility_rows
from geo.addresses.models import Address
from geo.crs import System
from geo.grids import cell_at
from geo.imports.actions import draft_source, publish_runs
from geo.imports.discovery import find_sources
from geo.imports.models import Refusal, Source
from geo.regions.queries import assign_regions
from geo.roads.models import RoadName
from services.access.demo import make_demo_accounts
from services.access.models import User
from services.facilities.models import Facility
from tests.geo.imports.worlds import PLACES, bring, place


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The tiny city of another seed as the files a user would bring, called real."""
    folder = tmp_path_factory.mktemp("city")
    write_files(generate("tiny", 7), folder)
    manifest = folder / "quantu-import.toml"
    manifest.write_text(manifest.read_text().replace('provenance = "invented"', 'provenance = "real"'))
    return folder


def run(capsys, *args):
    code = 0
    try:
        call_command("import_data", *map(str, args), "--json")
    except SystemExit as end:
        code = end.code
    return code, json.loads(capsys.readouterr().out)


def test_a_real_source_of_one_district_retires_only_there(tmp_path, city):
    yangpu = Facility.objects.filter(retired_at=None, region__versions__path__contains=".310110.").distinct()
    inside, everywhere = yangpu.count(), Facility.objects.filter(retired_at=None).count()
    assert 0 < inside < everywhere
    report = bring(tmp_path, [place(1, lon=121.52, lat=31.29)], key="real", area="310110")
    assert report.retired_invented == inside
    assert Facility.objects.filter(retired_at=None).count() == everywhere - inside + 1
    assert Source.objects.get(key="invented-city-facilities").retired_at is None
    assert not yangpu.filter(retired_at=None, source__provenance="invented").exists()


def test_a_published_point_has_the_region_it_lies_in_and_its_cell(tmp_path, city):
    bring(tmp_path, [place(1, lon=121.4737, lat=31.2304)], key="real")
    found = Facility.objects.get(source__key="real")
    assert found.region_id == int(assign_regions([121.4737], [31.2304])[0])
    assert found.region.level == "committee"
    assert found.cell == cell_at(121.4737, 31.2304)


def test_a_row_that_names_another_district_than_it_lies_in_is_counted(tmp_path, city):
    rows = [place(n, lon=121.4737, lat=31.2304, district=name) for n, name in enumerate(["黄浦区", "杨浦区", ""])]
    report = bring(tmp_path, rows, key="real", columns={**PLACES["columns"], "district": "district"})
    assert report.warnings == {"district_differs": 1}


def test_a_whole_city_comes_in_from_every_format_and_a_second_time_changes_nothing(city, files, capsys):
    make_demo_accounts()
    code, first = run(capsys, files, "--commit")
    assert (code, first["published"]) == (0, True), [s["doubts"] for s in first["sources"]]
    assert {s["family"]: s["rows"]["refused"] for s in first["sources"]} == dict.fromkeys(
        ("regions", "roads", "basemap", "communities", "addresses", "facilities", "population"), 0
    )
    assert all(s["added"] == s["rows"]["accepted"] for s in first["sources"])
    assert all(s["retired_invented"] for s in first["sources"])
    assert not Source.objects.filter(provenance="invented", retired_at=None).exists()
    assert [s["notices"] for s in first["sources"]][:-1] == [[]] * 6
    accounts, catchments = sorted(first["sources"][-1]["notices"])
    assert "演示账号已全部停用" in accounts
    assert "演示的对口版本已删除" in catchments
    assert not User.objects.filter(is_active=True).exists()
    assert not Facility.objects.filter(retired_at=None, source__provenance="invented").exists()
    assert not RoadName.objects.filter(provenance="invented").exists()
    assert Address.objects.filter(retired_at=None, community__isnull=False).exists()
    assert not Facility.objects.filter(retired_at=None, region=None).exists()
    _, second = run(capsys, files, "--commit")
    assert [(s["added"], s["changed"], s["removed"]) for s in second["sources"]] == [(0, 0, 0)] * 7


def test_every_fault_put_into_a_file_is_found_on_its_row_and_nothing_else_is(city, files, tmp_path):
    rows = facility_rows(generate("tiny", 7), System.GCJ02)
    dirty = soil(rows, FACILITY_COLUMNS, seed=3, each=2)
    write_xlsx(tmp_path / "facilities.xlsx", dirty.rows)
    (tmp_path / "quantu-import.toml").write_text((files / "quantu-import.toml").read_text())
    [found] = find_sources([tmp_path]).sources
    report = publish_runs(runs=[draft_source(spec=found.spec, files=found.files)])[0]
    assert report.doubts == []
    refused = dict(Refusal.objects.filter(run_id=report.run).values_list("row", "code"))
    expected = dirty.refused()
    assert set(expected.values()) >= {"axes_swapped", "outside_city", "bad_position", "not_a_number", "unknown_kind"}
    located = {fault.row for fault in dirty.faults if fault.code == "no_point"}
    assert {row: code for row, code in refused.items() if row not in located} == expected
    assert all(refused[row] == "no_position" for row in located & set(refused))
