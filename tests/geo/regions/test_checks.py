"""What a check of regions finds, drawn in letters."""

import pytest
import shapely

from geo.crs import SHANGHAI, SHENGZHOU
from geo.regions.checks import check_regions
from geo.regions.records import Finding, RegionRecord
from tests.geo.regions.builders import STEP, cells, centre, code, drawn

SQUARE_M2 = 1_057_000
"""A square of 0.01° at 31.3°N is some 952 m by 1,109 m."""


def with_polygons(records: list[RegionRecord], **polygons: shapely.Geometry) -> list[RegionRecord]:
    """Return records with other polygons for the streets of some letters, or for ``whole`` (city and district)."""
    new = {code(letter): shape for letter, shape in polygons.items() if letter != "whole"}
    whole = polygons.get("whole")
    return [
        RegionRecord(
            each.code,
            each.level,
            each.name,
            each.parent_code,
            whole if whole is not None and each.level != "street" else new.get(each.code, each.polygon),
        )
        for each in records
    ]


def codes(findings: list[Finding]) -> list[str]:
    return [each.code for each in findings]


def test_streets_that_tile_their_district_pass() -> None:
    assert check_regions(drawn("AAB\nCBB"), SHANGHAI) == []


def test_an_overlap_says_who_and_how_many_square_metres() -> None:
    bad = with_polygons(drawn("AAB\nCCB"), A=cells("AAA\n...", "A"))
    [finding] = check_regions(bad, SHANGHAI)
    assert (finding.code, finding.severity, finding.regions) == ("region_overlap", "warning", (code("A"), code("B")))
    assert finding.area_m2 == pytest.approx(SQUARE_M2, rel=0.01)
    assert finding.at == pytest.approx(centre(2, 0), abs=STEP / 2)


def test_a_gap_says_how_much_of_the_parent_nobody_has() -> None:
    bad = with_polygons(drawn("AB\nAB"), whole=cells("AAB\nABB", "AB"))
    [finding] = check_regions(with_polygons(bad, B=cells(".BB\n...", "B")), SHANGHAI)[:1]
    assert finding.code == "region_gap"
    assert finding.area_m2 == pytest.approx(2 * SQUARE_M2, rel=0.01)


def test_a_child_beyond_its_parent_is_found() -> None:
    found = check_regions(with_polygons(drawn("AB"), whole=cells("A", "A")), SHANGHAI)
    assert {(each.code, each.regions) for each in found} == {("region_beyond_parent", (code("B"), "310101"))}


def test_slivers_below_the_tolerance_are_no_faults() -> None:
    records = drawn("AB")
    wider = shapely.box(*cells("A", "A").bounds).union(shapely.box(*cells(".B", "B").bounds).buffer(1e-8))
    assert (
        check_regions(with_polygons(records, A=shapely.intersection(wider, cells("A", "A").buffer(1e-8))), SHANGHAI)
        == []
    )


def test_a_bow_tie_is_repaired_and_reported() -> None:
    west, south, east, north = cells("A", "A").bounds
    bow = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    found = check_regions(with_polygons(drawn("AB"), A=bow), SHANGHAI)
    assert "region_repaired" in codes(found)
    assert "自相交" in next(each.message for each in found if each.code == "region_repaired")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"code": "310101066"}, "region_code_twice"),
        ({"parent_code": None}, "region_parent_missing"),
        ({"parent_code": "310199"}, "region_parent_missing"),
        ({"parent_code": "310101066"}, "region_parent_level"),
        ({"level": "村"}, "region_level"),
        ({"name": ""}, "region_nameless"),
        ({"polygon": shapely.transform(cells("A", "A"), lambda p: p[:, ::-1])}, "region_outside_city"),
        ({"polygon": shapely.Polygon()}, "region_outside_city"),
        ({"polygon": shapely.Polygon([(121.4, 31.2), (121.5, 31.3), (121.4, 31.2)])}, "region_shape"),
    ],
)
def test_what_cannot_be_published_is_an_error(change: dict[str, object], expected: str) -> None:
    records = drawn("AB")
    at = next(i for i, each in enumerate(records) if each.code == code("A"))
    fields = {name: getattr(records[at], name) for name in ("code", "level", "name", "parent_code", "polygon")}
    records[at] = RegionRecord(**{**fields, **change})  # type: ignore[arg-type]
    errors = [each.code for each in check_regions(records, SHANGHAI) if each.severity == "error"]
    assert expected in errors


def test_a_circle_of_parents_is_an_error() -> None:
    square = cells("A", "A")
    records = [RegionRecord("1", "street", "甲", "2", square), RegionRecord("2", "district", "乙", "1", square)]
    assert {"region_parent_missing", "region_parent_level"} & set(codes(check_regions(records, SHANGHAI)))


def test_a_label_outside_its_region_is_told() -> None:
    records = drawn("AB")
    records[-1] = RegionRecord(code("B"), "street", "B街道", "310101", records[-1].polygon, label=centre(0, 0))
    assert codes(check_regions(records, SHANGHAI)) == ["region_label_outside"]


def test_another_city_is_measured_on_its_own_plane() -> None:
    moved = [
        RegionRecord(
            each.code,
            each.level,
            each.name,
            each.parent_code,
            shapely.transform(each.polygon, lambda p: p - [0.6, 1.7]),
        )
        for each in drawn("AB\nAB")
    ]
    assert check_regions(moved, SHENGZHOU) == []
    assert set(codes(check_regions(moved, SHANGHAI))) == {"region_outside_city"}
