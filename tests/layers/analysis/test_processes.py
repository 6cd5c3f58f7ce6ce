"""Spatial analysis over OGC API – Processes: tens of thousands of features, answers known by arithmetic, bad input, who sees what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import redis
import shapely
from django.test import Client

from geo.geometry import from_plane
from layers.processes.models import ProcessRun
from services.access.models import User
from tests.layers.analysis.grounds import CITY, executed, found, grid, laid, squares, worked

pytestmark = pytest.mark.usefixtures("city", "own_folder")
WIDE: Final = 120
TALL: Final = 100
MANY: Final = WIDE * TALL
EXACT: Final = 1e-3
"""Metres: what nine decimals of a degree leave."""


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


@pytest.fixture
def client() -> Client:
    """Return the city's manager, signed in with both steps."""
    from services.access.demo import make_demo_accounts

    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="shi"), backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["second_step"] = True
    session.save()
    return client


def shape(*drawn: Any) -> dict[str, Any]:
    """Return shapes drawn on the plane as the GeoJSON that comes along with a request."""
    degrees = from_plane(np.array(drawn, dtype=object), CITY)
    features = [
        {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(one))} for one in degrees
    ]
    return {"type": "FeatureCollection", "features": features}


@pytest.mark.covers("ELD-MAP-06a", via="layers.analysis.shapes:prepared")
def test_near_contains_and_crosses_over_tens_of_thousands(client: Client) -> None:
    corners = grid(WIDE, TALL, 100)
    cells = laid("方格", "polygon", squares(corners, 100))
    points = laid("点", "point", shapely.points(corners + 40))
    beside = laid("旁点", "point", shapely.points(corners + [70, 80]))
    lines = laid(
        "竖线", "line", shapely.linestrings([[(x, -50), (x, 100 * TALL + 50)] for x in np.arange(WIDE) * 100 + 50])
    )

    near = found(client, worked(client, "near", {"metres": 60, "layer": points, "with_layer": beside}))
    assert len(near) == MANY
    for one in near:
        assert one["properties"]["metres"] == pytest.approx(50, abs=EXACT)
        assert one["properties"]["a_mingcheng"] == one["properties"]["b_mingcheng"]
    assert not found(client, worked(client, "near", {"metres": 49, "layer": points, "with_layer": beside}))

    contains = found(client, worked(client, "relate", {"relation": "contains", "layer": cells, "with_layer": points}))
    assert len(contains) == MANY
    for one in contains:
        assert (one["properties"]["matches"], one["properties"]["a_shu"]) == (1, one["properties"]["b_shu"])
    inside = found(client, worked(client, "relate", {"relation": "within", "layer": points, "with_layer": cells}))
    assert {one["properties"]["b_shu"] for one in inside} == set(range(1, MANY + 1))

    crossed = found(client, worked(client, "relate", {"relation": "crosses", "layer": lines, "with_layer": cells}))
    assert [one["properties"]["matches"] for one in crossed] == [TALL] * WIDE


@pytest.mark.covers("ELD-MAP-06d", via="layers.analysis.shapes:worth")
def test_overlays_of_tens_of_thousands_of_areas_add_up(client: Client) -> None:
    corners = grid(WIDE, TALL, 100)
    one = laid("甲", "polygon", squares(corners, 90))
    other = laid("乙", "polygon", squares(corners + [60, 30], 80))
    # a square of 甲 meets its own of 乙 (30 × 60), and its neighbours to the west, the south and both
    parts = [(30 * 60, 0, 0), (40 * 60, 1, 0), (30 * 10, 0, 1), (40 * 10, 1, 1)]
    common = sum(area * (WIDE - west) * (TALL - south) for area, west, south in parts)
    pieces = sum((WIDE - west) * (TALL - south) for _, west, south in parts)
    areas: dict[str, float] = {}
    counts: dict[str, int] = {}
    for how in ("intersect", "difference", "union", "symmetric"):
        run = worked(client, "overlay", {"how": how, "layer": one, "with_layer": other})
        features = found(client, run)
        areas[how] = float(shapely.area([each["plane"] for each in features]).sum())
        counts[how] = len(features)
        assert run.about["totals"]["area_m2"] == pytest.approx(areas[how], rel=1e-7)
        if how == "intersect":
            for each in features[:2_000]:
                own, their = each["properties"]["a_shu"] - 1, each["properties"]["b_shu"] - 1
                assert each["plane"].within(shapely.box(*corners[own], *(corners[own] + 90)).buffer(EXACT))
                assert (
                    shapely.box(*(corners[their] + [60, 30]), *(corners[their] + [140, 110]))
                    .buffer(EXACT)
                    .covers(each["plane"])
                )
    assert counts["intersect"] == pieces
    assert areas["intersect"] == pytest.approx(common, rel=1e-7)
    assert areas["difference"] == pytest.approx(MANY * 8100 - common, rel=1e-7)
    assert areas["symmetric"] == pytest.approx(MANY * (8100 + 6400) - 2 * common, rel=1e-7)
    assert areas["union"] == pytest.approx(MANY * (8100 + 6400) - common, rel=1e-7)
    assert counts["union"] == pieces + counts["symmetric"]


def test_a_hundred_thousand_areas_are_overlaid(client: Client) -> None:
    wide, tall = 400, 250
    many = laid("很多", "polygon", squares(grid(wide, tall, 100), 90))
    # its edges follow the plane as theirs do; the eastern one halves a column of squares
    half = laid("一半", "polygon", [shapely.segmentize(shapely.box(-50, -50, 200 * 100 + 45, tall * 100), 100)])
    run = worked(client, "overlay", {"how": "intersect", "layer": many, "with_layer": half})
    features = found(client, run)
    assert len(features) == 201 * tall
    areas = shapely.area([each["plane"] for each in features])
    assert areas.sum() == pytest.approx((200 * 8100 + 45 * 90) * tall, rel=1e-6)
    assert run.about["totals"]["area_m2"] == pytest.approx(areas.sum(), rel=1e-7)


@pytest.mark.covers("ELD-MAP-06e", via="layers.analysis.gathering:_grown")
def test_buffers_of_tens_of_thousands_are_metres_on_the_plane(client: Client) -> None:
    points = laid("点", "point", shapely.points(grid(WIDE, TALL, 100)))
    disc = 64 * 0.5 * 900 * np.sin(2 * np.pi / 64)  # a circle of 64 corners
    each = found(client, worked(client, "buffer", {"metres": 30, "layer": points}))
    assert len(each) == MANY
    assert shapely.area([one["plane"] for one in each]) == pytest.approx(np.full(MANY, disc), rel=1e-6)
    assert [one["properties"]["shu"] for one in each] == list(range(1, MANY + 1))
    joined = found(client, worked(client, "buffer", {"metres": 30, "layer": points, "dissolve": True}))
    assert [one["properties"] for one in joined] == [{"count": MANY, "metres": 30.0}]
    assert joined[0]["plane"].area == pytest.approx(MANY * disc, rel=1e-6)
    rings = found(
        client,
        worked(
            client, "buffer", {"metres": 10, "rings": 3, "layer": points, "filter": "shu <= 2000", "dissolve": True}
        ),
    )
    assert [(one["properties"]["from_metres"], one["properties"]["metres"]) for one in rings] == [
        (0, 10),
        (10, 20),
        (20, 30),
    ]
    ratio = [one["plane"].area / rings[0]["plane"].area for one in rings]
    assert ratio == pytest.approx([1, 3, 5], rel=1e-5)
    run = worked(
        client, "buffer", {"metres": 5, "ends": "flat", "features": shape(shapely.LineString([(0, 0), (100, 0)]))}
    )
    assert found(client, run)[0]["plane"].area == pytest.approx(1000, rel=1e-5)


def test_dissolving_joins_what_says_the_same_and_adds_up(client: Client) -> None:
    corners = grid(20, 20, 100)
    numbers = [int(y // 100) for _, y in corners]
    cells = laid("方格", "polygon", squares(corners, 100), numbers=numbers)
    rows = found(client, worked(client, "dissolve", {"by": "shu", "sums": ["shu"], "layer": cells}))
    assert [one["properties"] for one in rows] == [{"shu": at, "count": 20, "sum_shu": 20 * at} for at in range(20)]
    for one in rows:
        assert one["plane"].area == pytest.approx(200_000, rel=1e-6)
    whole = found(client, worked(client, "dissolve", {"layer": cells}))
    assert whole[0]["plane"].area == pytest.approx(4_000_000, rel=1e-6)


def test_density_is_per_square_kilometre_in_squares_and_hexagons(client: Client) -> None:
    points = laid("点", "point", shapely.points(grid(40, 40, 100) + 50), numbers=[2] * 1600)
    run = worked(client, "density", {"size_m": 1000, "layer": points, "weight": "shu"})
    cells = found(client, run)
    assert [one["properties"] for one in cells] == [{"count": 100, "total": 200.0, "per_km2": 200.0}] * 16
    hexagons = found(client, worked(client, "density", {"grid": "h3", "resolution": 9, "layer": points}))
    assert sum(one["properties"]["count"] for one in hexagons) == 1600
    for one in hexagons:
        assert one["properties"]["per_km2"] == pytest.approx(
            1e6 * one["properties"]["count"] / one["plane"].area, rel=1e-3
        )
    smooth = found(client, worked(client, "density", {"size_m": 200, "radius_m": 600, "layer": points}))
    middle = {tuple(np.floor(one["plane"].centroid.coords[0])): one["properties"]["per_km2"] for one in smooth}
    places = grid(40, 40, 100) + 50
    for (x, y), told in list(middle.items())[::17]:
        far = np.hypot(*(places - [np.floor(x / 200) * 200 + 100, np.floor(y / 200) * 200 + 100]).T) / 600
        kernel = 3e6 / (np.pi * 600**2) * np.square(1 - far[far < 1] ** 2)
        assert told == pytest.approx(kernel.sum(), abs=0.01)
    whole = sum(one["properties"]["per_km2"] for one in smooth) * 0.04
    assert whole == pytest.approx(1600, rel=0.01)


def test_a_result_is_the_input_of_the_next_step_and_says_what_it_is_made_of(client: Client) -> None:
    points = laid("点", "point", shapely.points(grid(10, 10, 100)))
    grown = worked(client, "buffer", {"metres": 30, "layer": points})
    half = shape(shapely.box(-100, -100, 450, 2000))
    cut = worked(client, "overlay", {"how": "intersect", "run": str(grown.pk), "with_features": half})
    assert len(found(client, cut)) == 50
    assert cut.layers == [points]
    assert [side["source"] for side in cut.about["lineage"]["sides"]] == [f"run/{grown.pk}", "features"]
    assert grown.about["lineage"]["sides"][0] | {"edition": ""} == {
        "source": f"layer/{points}", "title": "点", "edition": "", "taken": "", "rows": 100,
    }  # fmt: skip
    assert grown.about["lineage"]["sides"][0]["edition"] == "v1"


def test_what_is_narrowed_is_all_that_counts_and_nothing_is_said_of_nothing(client: Client) -> None:
    points = laid("点", "point", shapely.points(grid(10, 10, 100)))
    some = worked(client, "buffer", {"metres": 1, "layer": points, "filter": "shu <= 7"})
    assert some.rows == 7
    assert some.about["lineage"]["sides"][0]["taken"] == "符合 shu <= 7"
    none = worked(client, "buffer", {"metres": 1, "layer": points, "filter": "shu > 1000"})
    assert none.rows == 0
    assert "没有符合的结果" in none.about["notes"][0]
    empty = worked(client, "near", {"metres": 1, "layer": points, "with_layer": points, "with_filter": "shu > 1000"})
    assert empty.rows == 0


def test_a_feature_is_not_near_itself(client: Client) -> None:
    points = laid("点", "point", shapely.points(grid(5, 5, 100)))
    near = found(client, worked(client, "near", {"metres": 120, "count": 4, "layer": points, "with_layer": points}))
    assert len(near) == 2 * 2 * 20  # each edge of the grid from both ends
    assert all(one["properties"]["a_shu"] != one["properties"]["b_shu"] for one in near)


def test_invalid_shapes_are_mended_and_slivers_counted(client: Client) -> None:
    bow = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    bows = laid("领结", "polygon", np.array([bow], dtype=object))
    thin = laid(
        "细条", "polygon", np.array([shapely.box(-10, 0, 0.001, 10), shapely.box(40, 0, 110, 110)], dtype=object)
    )
    run = worked(client, "overlay", {"how": "intersect", "layer": bows, "with_layer": thin})
    assert any("1 个图形无效，已修好" in note for note in run.about["notes"])
    assert any("去掉了 1 块碎片" in note for note in run.about["notes"])
    assert len(found(client, run)) == 1


@pytest.mark.parametrize(
    ("process", "inputs", "code"),
    [
        ("near", {"metres": 5, "layer": "places"}, "source_unclear"),
        ("near", {"metres": 0, "layer": "places", "with_layer": "places"}, "input_invalid"),
        ("near", {"metres": 5, "layer": "places", "run": "0" * 36, "with_layer": "places"}, "source_unclear"),
        ("relate", {"relation": "crosses", "layer": "places", "with_layer": "places"}, "relation_never"),
        ("relate", {"relation": "beyond", "layer": "places", "with_layer": "places"}, "input_invalid"),
        ("overlay", {"how": "union", "layer": "places", "with_layer": "regions"}, "overlay_kind"),
        ("overlay", {"how": "intersect", "layer": "regions", "with_layer": "places"}, "overlay_kind"),
        ("dissolve", {"layer": "regions", "by": "1; DROP TABLE"}, "field_unknown"),
        ("dissolve", {"layer": "regions", "sums": ["name"]}, "field_not_number"),
        ("dissolve", {"layer": "places"}, "dissolve_points"),
        ("density", {"layer": "places", "size_m": 500, "radius_m": 20}, "radius_unfit"),
        ("density", {"layer": "places", "weight": "name"}, "field_not_number"),
        ("buffer", {"layer": "places", "metres": -50, "rings": 2}, "rings_unfit"),
        ("buffer", {"layer": "nothing", "metres": 50}, "layer_unknown"),
        ("buffer", {"run": "-" * 36, "metres": 50}, "run_unknown"),
        ("buffer", {"run": "00000000-0000-0000-0000-000000000000", "metres": 50}, "run_unknown"),
        ("buffer", {"features": {"type": "FeatureCollection"}, "metres": 5}, "features_invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_meant_begins_nothing(client: Client, process: str, inputs: dict[str, Any], code: str) -> None:
    answer = executed(client, process, inputs)
    assert answer.status_code in (400, 404), answer.content
    assert answer.json()["code"] == code
    assert not ProcessRun.objects.exists()


def test_mixed_and_bow_tied_shapes_that_come_along_are_refused(client: Client) -> None:
    mixed = {**shape(shapely.Point(0, 0), shapely.box(0, 0, 5, 5))}
    run = worked(client, "buffer", {"metres": 5, "features": mixed})
    assert "混着点、面" in client.get(f"/ogc/jobs/{run.pk}").json()["message"]
    bow = shape(shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)]))
    assert executed(client, "buffer", {"metres": 5, "features": bow}).json()["code"] == "geometry_invalid"


def test_only_who_may_see_all_sides_gets_a_result(client: Client) -> None:
    points = laid("内部点", "point", shapely.points(grid(3, 3, 100)), audience="staff")
    cells = laid("方格", "polygon", squares(grid(3, 3, 100), 90))
    run = worked(client, "relate", {"relation": "within", "layer": points, "with_layer": cells})
    closed = worked(client, "relate", {"relation": "contains", "layer": cells, "with_layer": points})
    assert run.rows == closed.rows == 9
    assert (closed.layers, closed.paths) == ([cells, points], ["310000."])
    nobody = Client(headers={"host": "localhost"})
    assert nobody.get(f"/ogc/jobs/{closed.pk}").status_code == 404
    assert executed(nobody, "relate", {"relation": "within", "layer": cells, "with_layer": cells}).status_code == 404
    assert executed(nobody, "buffer", {"metres": 5, "layer": points}).status_code == 404
    User.objects.get(username="shi").grants.all().delete()
    assert client.get(f"/ogc/jobs/{closed.pk}/results").status_code in (403, 404)
