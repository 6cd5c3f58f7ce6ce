"""Names, closures and the columns a graph is built of."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
import shapely

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.roads.actions import close_segment, end_closure, rebuild_names
from geo.roads.models import RoadName, RoadSegment
from geo.roads.queries import closed_segments, closures_at, current_segments, roads_matching
from geo.scope import Scope
from tests.geo.regions.builders import PUBLIC, RegionRecord, cells, published
from tests.geo.roads.worlds import published_source, segment

pytestmark = pytest.mark.django_db
CLOSER = Scope(duties=frozenset({"roads.close"}), actor="路政")
NOON = datetime.datetime(2025, 6, 1, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
MAP = "AAAABBBB"


def two_districts() -> None:
    """Publish two districts side by side, each four squares of 0.01° wide from 121.40°E, 31.29–31.30°N."""
    west, east = cells(MAP, "A"), cells(MAP, "B")
    published(
        [
            RegionRecord("310000", "city", "上海市", None, cells(MAP, "AB")),
            RegionRecord("310101", "district", "黄浦区", "310000", west),
            RegionRecord("310104", "district", "徐汇区", "310000", east),
            RegionRecord("310101001", "street", "甲街道", "310101", west),
        ]
    )


def street(ext_id: str, west: float, east: float, name: str = "长乐路", **attributes: object) -> RoadSegment:
    source = attributes.pop("source", None) or published_source(f"streets-{ext_id}")
    line = shapely.LineString([(west, 31.295), ((west + east) / 2, 31.2952), (east, 31.295)])
    return segment(source, ext_id, line, name=name, length_m=(east - west) * 95_000, **attributes)  # type: ignore[arg-type]


def test_a_name_stands_once_in_each_district_with_a_point_on_the_road() -> None:
    two_districts()
    for number, west in enumerate([121.401, 121.411, 121.421, 121.451]):
        street(str(number), west, west + 0.008)
    street("other", 121.402, 121.404, name="")
    assert rebuild_names() == 2
    huangpu, xuhui = RoadName.objects.order_by("-length_m")
    assert (huangpu.region.codes.get().code, xuhui.region.codes.get().code) == ("310101", "310104")
    assert huangpu.length_m == pytest.approx(3 * 0.008 * 95_000)
    roads = current_segments()
    point = shapely.Point(huangpu.geom.x, huangpu.geom.y)
    assert shapely.distance(roads.lines, point).min() < 1e-9
    assert 121.411 < point.x < 121.419


def test_names_are_made_anew_and_outside_all_districts_without_one() -> None:
    street("1", 121.401, 121.404, name="甲路")
    assert rebuild_names() == 1
    RoadSegment.objects.update(name="乙路")
    assert rebuild_names() == 1
    row = RoadName.objects.get()
    assert (row.name, row.region_id) == ("乙路", None)
    RoadSegment.objects.update(retired_at=NOON)
    assert rebuild_names() == 0


@pytest.mark.parametrize("typed", ["长乐", "长乐路", "chang", "changlelu", "cll", "乐", "　长乐路 "])
def test_roads_are_found_by_characters_pinyin_and_initials(typed: str) -> None:
    street("1", 121.401, 121.404, name="长乐路")
    street("2", 121.401, 121.404, name="常熟路")
    rebuild_names()
    assert "长乐路" in [row.name for row in roads_matching(typed, scope=PUBLIC)]


@pytest.mark.parametrize("typed", ["", "   ", "长沙", "%", "zzz"])
def test_what_names_no_road_finds_none(typed: str) -> None:
    street("1", 121.401, 121.404, name="长乐路")
    rebuild_names()
    assert roads_matching(typed, scope=PUBLIC) == []


def test_current_segments_are_the_published_rows_column_by_column() -> None:
    rows = [
        street("1", 121.401, 121.404, oneway=-1, steps=True, kerb=True),
        street("2", 121.41, 121.42, duration_s=90.0),
    ]
    street("retired", 121.43, 121.44, retired_at=NOON)
    hidden = published_source("draft")
    hidden.published_at = None
    hidden.save()
    street("hidden", 121.43, 121.44, source=hidden)
    roads = current_segments()
    assert roads.ids.tolist() == [row.pk for row in rows]
    assert (roads.oneway.tolist(), roads.steps.tolist(), roads.kerb.tolist()) == ([-1, 0], [True, False], [True, False])
    assert np.isnan(roads.duration_s[0])
    assert roads.duration_s[1] == 90.0
    offsets, lon, lat = roads.points()
    assert offsets.tolist() == [0, 3, 6]
    assert shapely.LineString(np.column_stack([lon[3:], lat[3:]])).wkb == bytes(rows[1].geom.wkb)


def test_no_roads_give_empty_columns() -> None:
    roads = current_segments()
    assert len(roads) == 0
    assert roads.points()[0].tolist() == [0]


def test_a_closed_segment_is_left_out_while_it_is_closed() -> None:
    row = street("1", 121.401, 121.404)
    closure = close_segment(scope=CLOSER, segment_id=row.pk, from_time=NOON, to_time=NOON + HOUR, reason="施工")
    assert list(closures_at(NOON, scope=PUBLIC)) == [closure]
    assert closed_segments(NOON, scope=PUBLIC) == [closure.segment_id]
    assert [len(current_segments(without_closed_at=moment)) for moment in (NOON - HOUR, NOON, NOON + HOUR)] == [1, 0, 1]
    assert closure.actor == "路政"


def test_an_open_ended_closure_lasts_until_it_is_ended() -> None:
    row = street("1", 121.401, 121.404)
    closure = close_segment(scope=CLOSER, segment_id=row.pk, from_time=NOON, to_time=None, reason="塌陷")
    assert len(current_segments(without_closed_at=NOON + 1000 * HOUR)) == 0
    end_closure(scope=CLOSER, closure_id=closure.pk, at=NOON + HOUR)
    assert len(current_segments(without_closed_at=NOON + HOUR)) == 1
    with pytest.raises(Conflict):
        end_closure(scope=CLOSER, closure_id=closure.pk, at=NOON + 2 * HOUR)


def test_closing_needs_the_duty_a_reason_and_times_in_order() -> None:
    row = street("1", 121.401, 121.404)
    said = {"segment_id": row.pk, "from_time": NOON, "to_time": None, "reason": "施工"}
    with pytest.raises(Forbidden):
        close_segment(scope=PUBLIC, **said)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        close_segment(scope=CLOSER, **{**said, "reason": " "})  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        close_segment(scope=CLOSER, **{**said, "to_time": NOON})  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        close_segment(scope=CLOSER, **{**said, "segment_id": 0})  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        end_closure(scope=CLOSER, closure_id=0, at=NOON)
