"""Roads through the import framework: cut at shared nodes, deduplicated, noded, retired; and the real mosaic."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path

import pytest
import shapely

from geo.crs import SHANGHAI
from geo.geometry import length_m
from geo.imports.actions import draft_rows, publish_runs
from geo.imports.models import Refusal
from geo.imports.spec import manifest_of
from geo.roads.importing import drafted_segment
from geo.roads.models import RoadName, RoadSegment
from geo.roads.queries import current_segments
from tests.geo.regions.builders import drawn, published
from tests.geo.roads.worlds import at, import_roads, segments, write_lines, write_pbf

pytestmark = pytest.mark.django_db

CROSS = {1: (0, 1), 2: (1, 1), 3: (2, 1), 4: (1, 0), 5: (1, 2), 6: (1, 1.5)}


def test_ways_are_cut_at_shared_nodes_and_only_there(tmp_path: Path) -> None:
    write_pbf(
        tmp_path / "x.osm.pbf",
        CROSS,
        [
            (10, [1, 2, 3], {"highway": "primary", "name": "南京东路", "oneway": "yes"}),
            (11, [4, 2, 6, 5], {"highway": "footway"}),
            (12, [1, 4], {"highway": "proposed"}),
            (13, [1, 5], {"building": "yes"}),
        ],
    )
    report = import_roads(tmp_path, "x.osm.pbf")
    assert (report.counts.added, report.doubts) == (4, [])
    found = segments()
    assert sorted(found) == ["10/0", "10/1", "11/0", "11/1"]
    assert (found["11/1"].from_node, found["11/1"].to_node, len(found["11/1"].geom)) == (2, 5, 3)
    assert (found["10/0"].name, found["10/0"].oneway, found["11/0"].car) == ("南京东路", 1, False)
    assert list(Refusal.objects.values_list("code", flat=True)) == ["not_used"]


def test_lengths_are_metres_on_the_citys_plane(tmp_path: Path) -> None:
    write_pbf(tmp_path / "x.osm.pbf", CROSS, [(10, [1, 2, 3], {"highway": "primary"})])
    import_roads(tmp_path, "x.osm.pbf")
    row = RoadSegment.objects.get()
    assert row.length_m == pytest.approx(
        length_m(shapely.LineString([at(0, 1), at(1, 1), at(2, 1)]), SHANGHAI), abs=1e-3
    )


def test_a_ring_is_cut_where_it_meets_itself_and_others(tmp_path: Path) -> None:
    ring = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (2, 0)}
    write_pbf(
        tmp_path / "x.osm.pbf",
        ring,
        [
            (20, [1, 2, 3, 4, 1], {"highway": "tertiary", "junction": "roundabout"}),
            (21, [2, 5], {"highway": "tertiary"}),
        ],
    )
    import_roads(tmp_path, "x.osm.pbf")
    found = segments()
    assert {key: (row.from_node, row.to_node, row.oneway) for key, row in found.items()} == {
        "20/0": (1, 2, 1),
        "20/1": (2, 1, 1),
        "21/0": (2, 5, 0),
    }


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    write_pbf(
        tmp_path / "x.osm.pbf", CROSS, [(10, [1, 2, 3], {"highway": "primary"}), (11, [4, 2, 5], {"highway": "steps"})]
    )
    import_roads(tmp_path, "x.osm.pbf")
    again = import_roads(tmp_path, "x.osm.pbf")
    assert (again.counts.added, again.counts.changed, again.counts.removed, again.counts.unchanged) == (0, 0, 0, 4)


def test_a_changed_way_changes_its_segments_and_a_lost_one_is_retired(tmp_path: Path) -> None:
    ways = [(10, [1, 2, 3], {"highway": "primary"}), (11, [4, 2, 5], {"highway": "footway"})]
    write_pbf(tmp_path / "x.osm.pbf", CROSS, ways)
    import_roads(tmp_path, "x.osm.pbf")
    write_pbf(tmp_path / "x.osm.pbf", CROSS, [(10, [1, 2, 3], {"highway": "secondary"})])
    report = import_roads(tmp_path, "x.osm.pbf", allow_removal=True)
    assert (report.counts.added, report.counts.changed, report.counts.removed) == (0, 1, 3)
    assert sorted(segments()) == ["10/0"]
    assert RoadSegment.objects.count() == 4


def test_of_overlapping_snapshots_the_newest_way_wins_and_all_meet(tmp_path: Path) -> None:
    """Way 10 is in both files; only the newer is cut where way 11, which is only in the older, crosses it."""
    write_pbf(
        tmp_path / "old.osm.pbf",
        CROSS,
        [
            (10, [1, 2, 3], {"highway": "primary", "name": "旧名路", "x_snapshot": "2021-05-31"}),
            (11, [4, 2, 5], {"highway": "footway", "x_snapshot": "2021-05-31"}),
        ],
    )
    write_pbf(
        tmp_path / "new.osm.pbf",
        CROSS,
        [(10, [1, 2, 3], {"highway": "primary", "name": "新名路", "x_snapshot": "2026-06-08"})],
    )
    for files in (("old.osm.pbf", "new.osm.pbf"), ("new.osm.pbf", "old.osm.pbf")):
        report = import_roads(tmp_path, *files, allow_removal=True)
        assert report.doubts == []
        rows = list(segments().values())
        assert sorted(row.name for row in rows) == ["", "", "新名路", "新名路"]
        uses = Counter(node for row in rows for node in (row.from_node, row.to_node))
        assert sorted(uses.values()) == [1, 1, 1, 1, 4]


def test_a_ferry_shares_its_timetable_among_its_parts(tmp_path: Path) -> None:
    nodes = {1: (0, 0), 2: (1, 0), 3: (4, 0), 4: (1, 1)}
    write_pbf(
        tmp_path / "x.osm.pbf",
        nodes,
        [(30, [1, 2, 3], {"route": "ferry", "duration": "00:08"}), (31, [2, 4], {"highway": "footway"})],
    )
    import_roads(tmp_path, "x.osm.pbf")
    found = segments()
    assert found["30/0"].duration_s == pytest.approx(120, abs=0.2)
    assert found["30/1"].duration_s == pytest.approx(360, abs=0.2)
    assert (found["30/0"].highway, found["30/0"].ferry, found["30/0"].car) == ("ferry", True, False)


def test_lines_without_nodes_are_cut_where_they_share_points_with_a_warning(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "lines.geojson",
        [
            ({"id": "a", "highway": "residential", "name": "甲路"}, [(0, 1), (1, 1), (2, 1)]),
            ({"id": "b", "highway": "residential"}, [(1, 0), (1, 1), (1, 2)]),
            ({"id": "c", "highway": "primary", "bridge": True}, [(0.5, 0), (0.5, 2)]),
        ],
    )
    report = import_roads(tmp_path, "lines.geojson")
    assert report.warnings == {"roads_nodes_derived": 3, "roads_crossing": 1}
    found = segments()
    assert sorted(found) == ["a#0", "a#1", "b#0", "b#1", "c#0"]
    assert found["a#0"].to_node == found["a#1"].from_node == found["b#0"].to_node
    again = import_roads(tmp_path, "lines.geojson")
    assert (again.counts.added, again.counts.changed, again.counts.removed) == (0, 0, 0)


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        ([(0, 0)], "bad_position"),
        ([(0, 0), (0, 0)], "wrong_shape"),
        ([(9000, 0), (9001, 0)], "outside_city"),
    ],
)
def test_a_line_that_is_none_or_lies_elsewhere_is_refused(
    tmp_path: Path, geometry: list[tuple[int, int]], code: str
) -> None:
    write_lines(
        tmp_path / "lines.geojson",
        [({"id": 1, "highway": "service"}, [(0, 0), (1, 0)]), ({"id": 2, "highway": "service"}, geometry)],
    )
    import_roads(tmp_path, "lines.geojson")
    assert list(Refusal.objects.values_list("row", "code")) == [(2, code)]


def test_a_table_that_is_noded_already_goes_in_as_it_is() -> None:
    [spec] = manifest_of(
        {
            "source": [
                {"key": "made", "family": "roads", "provenance": "invented", "file": "made.csv", "datum": "cgcs2000"}
            ]
        }
    ).sources
    rows = [
        drafted_segment(
            part="made",
            number=1,
            ext_id="r1",
            line=shapely.LineString([at(0, 0), at(1, 0)]),
            from_node=7,
            to_node=8,
            attributes={"highway": "steps", "steps": True, "car": False, "bicycle": False, "name": "台阶路"},
        )
    ]
    [report] = publish_runs(runs=[draft_rows(spec=spec, rows=rows, name="made")])
    assert report.counts.added == 1
    row = RoadSegment.objects.get()
    assert (row.from_node, row.to_node, row.steps, row.car, row.foot) == (7, 8, True, False, True)
    with pytest.raises(ValueError, match="surface"):
        drafted_segment(
            part="", number=1, ext_id="", line=rows[0].geom, from_node=1, to_node=2, attributes={"surface": 1}
        )


def test_real_roads_retire_the_invented_of_the_whole_city_or_of_their_area(tmp_path: Path) -> None:
    published(drawn("AB"))  # A is the square from (121.40, 31.29) to (121.41, 31.30), B its eastern neighbour
    place = ((121.405 - 121.47) / 0.001, (31.295 - 31.23) / 0.001)
    west, east = [place, (place[0] + 1, place[1])], [(place[0] + 10, place[1]), (place[0] + 11, place[1])]
    write_lines(
        tmp_path / "made.geojson",
        [({"id": "w", "highway": "service"}, west), ({"id": "e", "highway": "service"}, east)],
    )
    import_roads(tmp_path, "made.geojson", key="made", provenance="invented")
    write_lines(tmp_path / "real.geojson", [({"id": "r", "highway": "service"}, west)])
    report = import_roads(tmp_path, "real.geojson", key="real-a", area="310101065")
    assert report.retired_invented == 1
    assert sorted(segments()) == ["e#0", "r#0"]
    report = import_roads(tmp_path, "real.geojson", key="real-all")
    assert report.retired_invented == 1
    assert "e#0" not in segments()


def test_after_publishing_the_names_follow(tmp_path: Path, django_capture_on_commit_callbacks: object) -> None:
    write_pbf(tmp_path / "x.osm.pbf", CROSS, [(10, [1, 2, 3], {"highway": "primary", "name": "南京东路"})])
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        import_roads(tmp_path, "x.osm.pbf")
    assert RoadName.objects.get().name == "南京东路"


@pytest.mark.data
def test_the_real_mosaic_is_the_graph_that_its_tables_tell(data_folder: Path) -> None:
    """The published tables of the same mosaic have 57,214 nodes and 75,317 edges."""
    report = import_roads(data_folder, "osm-roads/shanghai_roads_mosaic.osm.pbf")
    assert report.doubts == []
    roads = current_segments()
    with gzip.open(data_folder / "osm-roads" / "shanghai_roads_mosaic_edges.csv.gz", "rt", encoding="utf-8") as file:
        theirs = Counter(tuple(sorted((int(edge["u"]), int(edge["v"])))) for edge in csv.DictReader(file))
    ours = Counter(tuple(sorted(pair)) for pair in zip(roads.from_node.tolist(), roads.to_node.tolist(), strict=True))
    # we also cut a way where it passes one of its own nodes twice (ten more segments); the tables do not
    assert sum((ours - theirs).values()) <= 15
    # three segments are rest areas (highway=services), no road
    assert sum((theirs - ours).values()) <= 8
    assert len(roads) == 75_317 + 10 - 3
    assert len({*roads.from_node.tolist(), *roads.to_node.tolist()}) == pytest.approx(57_214, abs=15)
    assert roads.length_m.sum() / 1000 == pytest.approx(16_654, rel=0.005)
