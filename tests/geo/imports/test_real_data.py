"""The real set of Shanghai, whole: it comes in, every refused row is explained, and nothing invented stays on the map."""

import json

import pytest
from django.core.management import call_command

from geo.imports.models import ImportRun, Provenance, Refusal, Source
from geo.imports.queries import shows_invented
from geo.imports.reasons import ROW_REASONS
from geo.regions.models import EditionState, RegionVersion
from geo.roads.models import RoadName, RoadSegment
from services.facilities.models import Facility

pytestmark = pytest.mark.data

EXPECTED = {
    # source: rows read, and the reasons for which some of them may be refused
    "shanghai-regions": (233, {"no_code"}),
    "shanghai-osm-roads": (75_327, {"not_used"}),
    "shanghai-osm-footprints": (5_278, {"not_used"}),
    "shanghai-communities-2019": (4_403, {"outside_city", "missing_value", "out_of_range", "not_a_number"}),
    "shanghai-public-rental-2024": (112, {"no_position"}),
    "shanghai-osm-addresses": (771, {"missing_value", "no_address"}),
    "shanghai-community-addresses-2019": (4_403, {"outside_city", "no_address", "missing_value"}),
    "shanghai-rental-addresses-2016": (1_459, {"no_address"}),
    "shanghai-osm-places": (13_121, {"not_used", "missing_value"}),
    "yangpu-public-facilities-2024": (116, {"not_used", "same_as_other", "no_position"}),
    "yangpu-canteens-2024": (40, set()),
    "shanghai-metro-stations-2025": (414, set()),
    "shanghai-osm-bus-stops": (29_236, {"missing_value"}),
    "shanghai-elderly-institutions-2016": (785, {"no_position", "missing_value"}),
    "shanghai-activity-rooms-2016": (4_105, {"no_position", "missing_value", "same_as_other"}),
    "shanghai-private-schools-2024": (300, {"no_position"}),
    "shanghai-census-2020": (16, set()),
    "yangpu-census-2020": (12, set()),
}


def run(capsys, folder):
    call_command("import_data", str(folder), "--commit", "--json")
    return json.loads(capsys.readouterr().out)


@pytest.mark.timeout(1_500)
def test_the_real_city_replaces_the_invented_one_and_explains_what_it_left_out(real_city, data_folder, capsys):
    report = real_city.report
    assert report["published"]
    sources = {source["source"]: source for source in report["sources"]}
    assert set(sources) == set(EXPECTED)
    for key, (read, reasons) in EXPECTED.items():
        source = sources[key]
        assert source["rows"]["read"] == read, key
        assert source["rows"]["read"] == source["rows"]["accepted"] + source["rows"]["refused"], key
        assert set(source["refused_by"]) <= reasons, key
        assert source["doubts"] == [], key
        kept = Refusal.objects.filter(run_id=source["run"])
        assert kept.count() == source["rows"]["refused"], key
        assert all(r.code in ROW_REASONS and r.message and r.raw and r.row for r in kept), key
    assert report["not_imported"]
    assert not any("没有声明" in reason for reason in report["not_imported"].values())

    _nothing_invented_is_current()
    _places_lie_where_they_should()

    second = run(capsys, data_folder)
    assert {s["source"]: (s["added"], s["changed"], s["removed"]) for s in second["sources"]} == dict.fromkeys(
        EXPECTED, (0, 0, 0)
    )
    assert ImportRun.objects.filter(source__provenance=Provenance.REAL).count() == 2 * len(EXPECTED)


def _nothing_invented_is_current():
    assert not shows_invented()
    assert not Source.objects.filter(provenance=Provenance.INVENTED, retired_at=None).exists()
    for model in (Facility, RoadSegment):
        assert not model.objects.filter(retired_at=None, source__provenance=Provenance.INVENTED).exists()
    assert not RoadName.objects.filter(provenance=Provenance.INVENTED).exists()
    published = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED)
    assert set(published.values_list("edition__source__provenance", flat=True)) == {Provenance.REAL}


def _places_lie_where_they_should():
    people_square = Facility.objects.get(name="人民广场", kind="metro_station")
    # the file says GCJ-02; the place itself is at about 121.4705, 31.2350
    assert (people_square.geom.x, people_square.geom.y) == pytest.approx((121.4705, 31.235), abs=0.003)
    canteens = Facility.objects.filter(kind="canteen", retired_at=None)
    yangpu = RegionVersion.objects.get(edition__state=EditionState.PUBLISHED, code="310110")
    assert canteens.count() == 40
    inside = canteens.filter(geom__coveredby=yangpu.geom).count()
    assert inside >= 39
    located = Facility.objects.filter(retired_at=None, kind="activity_room")
    assert located.count() > 1_000
    assert not located.filter(point_source="source").exists()
    assert not located.filter(uncertainty_m__gt=1_000).exists()
