"""Which regions are at a point: against brute force, on borders, outside, and in drafts."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import Forbidden, NotFound
from geo.regions.models import RegionPart
from geo.regions.queries import (
    assign_regions,
    children_of,
    path_of,
    region_by_code,
    regions_at,
    regions_matching,
    regions_under,
    within,
)
from geo.regions.records import RegionRecord
from geo.scope import Scope
from tests.geo.regions.builders import NORTH, PUBLIC, STEP, WEST, centre, code, draft, drawn, published

pytestmark = pytest.mark.django_db
MAP = """
    AABB
    ACCB
    DDDD
"""


def ragged_city(seed: int, count: int = 40) -> list[RegionRecord]:
    """Return a city of Voronoi streets with wavy borders of many vertices, each of two committees."""
    random = np.random.default_rng(seed)
    frame = shapely.box(121.3, 31.1, 121.6, 31.4)
    sites = shapely.multipoints(
        np.column_stack([random.uniform(121.3, 121.6, count), random.uniform(31.1, 31.4, count)])
    )
    pieces = [
        shapely.intersection(each, frame)
        for each in shapely.get_parts(shapely.voronoi_polygons(sites, extend_to=frame))
    ]
    records = [
        RegionRecord("310000", "city", "上海市", None, frame),
        RegionRecord("310101", "district", "黄浦区", "310000", frame),
    ]
    for number, piece in enumerate(pieces, start=1):
        street = f"310101{number:03d}"
        wavy = shapely.segmentize(piece, 0.0005)
        records.append(RegionRecord(street, "street", f"{number}街道", "310101", wavy))
        west, south, east, north = wavy.bounds
        middle = (west + east) / 2
        for half, box in enumerate([(west, south, middle, north), (middle, south, east, north)], start=1):
            committee = shapely.intersection(wavy, shapely.box(*box))
            records.append(RegionRecord(f"{street}{half:03d}", "committee", f"{number}-{half}居委", street, committee))
    return records


def brute_force(records: list[RegionRecord], lon: float, lat: float) -> str | None:
    """Return the code of the finest region that covers a point, the lowest where several do."""
    for level in ("committee", "street", "district", "city"):
        codes = [each.code for each in records if each.level == level and shapely.intersects_xy(each.polygon, lon, lat)]
        if codes:
            return min(codes)
    return None


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 10_000))
def test_regions_at_a_point_are_those_of_brute_force(seed: int) -> None:
    from django.db import transaction

    records = ragged_city(seed)
    with transaction.atomic():
        edition = published(records)
        assert RegionPart.objects.filter(version__edition=edition).count() > 2 * len(records)
        random = np.random.default_rng(seed + 1)
        lon, lat = random.uniform(121.28, 121.62, 600), random.uniform(31.08, 31.42, 600)
        truth = [brute_force(records, *point) for point in zip(lon, lat, strict=True)]
        codes = dict(edition.versions.values_list("region_id", "code"))
        assert [codes.get(int(region)) for region in assign_regions(lon, lat)] == truth
        for point, expected in list(zip(zip(lon, lat, strict=True), truth, strict=True))[:60]:
            found = regions_at(*point, scope=PUBLIC)
            assert (found[-1].code if found else None) == expected
        transaction.set_rollback(True)


def test_the_answer_is_one_chain_from_the_city_down() -> None:
    published(drawn(MAP))
    assert [each.name for each in regions_at(*centre(1, 1), scope=PUBLIC)] == ["上海市", "黄浦区", "C街道"]


def test_a_vertex_that_four_streets_share_belongs_to_the_lowest_code_always() -> None:
    published(drawn(MAP))
    corner = (WEST + 1 * STEP, NORTH - 2 * STEP)
    assert {regions_at(*corner, scope=PUBLIC)[-1].code for _ in range(5)} == {code("A")}
    assert regions_at(*corner, scope=PUBLIC)[-1].region_id == int(assign_regions([corner[0]], [corner[1]])[0])


def test_outside_every_region_there_is_none() -> None:
    published(drawn(MAP))
    assert regions_at(125.0, 20.0, scope=PUBLIC) == []
    assert assign_regions([125.0, float("nan")], [20.0, float("nan")]).tolist() == [0, 0]


def test_before_anything_is_published_nothing_is_known() -> None:
    assert regions_at(*centre(0, 0), scope=PUBLIC) == []
    assert assign_regions([121.4], [31.2]).tolist() == [0]


def test_where_only_the_district_reaches_the_district_answers() -> None:
    records = drawn("AA\nA.")
    whole = shapely.union_all([each.polygon for each in drawn("AA\nAA")])
    published(
        [RegionRecord(r.code, r.level, r.name, r.parent_code, whole) if r.level != "street" else r for r in records]
    )
    assert [each.level for each in regions_at(*centre(1, 1), scope=PUBLIC)] == ["city", "district"]


def test_a_draft_answers_only_those_who_may_edit() -> None:
    edition = draft(drawn(MAP))
    assert regions_at(*centre(0, 0), scope=PUBLIC) == []
    with pytest.raises(Forbidden):
        regions_at(*centre(0, 0), scope=PUBLIC, edition=edition)
    editor = Scope(duties=frozenset({"regions.edit"}))
    assert regions_at(*centre(0, 0), scope=editor, edition=edition)[-1].code == code("A")


def test_regions_are_found_by_code_parent_path_and_name() -> None:
    published(drawn(MAP, {"B": "外滩街道", "C": "老外滩镇", "D": "外滩"}))
    street = region_by_code(code("B"), scope=PUBLIC)
    assert [each.code for each in path_of(street.region_id, scope=PUBLIC)] == ["310000", "310101", code("B")]
    assert [each.code for each in children_of("310101", scope=PUBLIC)] == [code(letter) for letter in "ABCD"]
    assert regions_under("310000", scope=PUBLIC).count() == 6
    assert [each.name for each in regions_matching("外滩", scope=PUBLIC)] == ["外滩", "外滩街道", "老外滩镇"]
    assert regions_matching("100%", scope=PUBLIC) == []
    with pytest.raises(NotFound):
        region_by_code("319999", scope=PUBLIC)


def test_within_keeps_the_rows_under_the_paths_of_a_scope() -> None:
    from geo.regions.models import RegionVersion

    published(drawn(MAP))
    rows = RegionVersion.objects.all()
    assert rows.filter(within(Scope.system("test"))).count() == 6
    street = Scope(paths=(f"310000.310101.{code('A')}.",))
    assert [each.code for each in rows.filter(within(street))] == [code("A")]
    assert rows.filter(within(PUBLIC)).count() == 0
