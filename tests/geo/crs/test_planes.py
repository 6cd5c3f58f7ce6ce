"""City planes: the default 上海2000 grid, the traps it refuses, proof by control points, and its row for the database."""

import json
import math
import subprocess
import sys

import numpy as np
import pyproj
import pytest

from geo.crs import (
    CITIES,
    PLANES,
    SHANGHAI,
    SHENGZHOU,
    BadGrid,
    ControlPoint,
    OutOfRange,
    System,
    read_control_points,
    shanghai_grid,
)
from geo.crs.planes import PARK_HOTEL, _configured_shanghai_2000

DEFAULT = {
    "central_meridian": 121.464444444444,
    "scale": 1.00000256185,
    "false_easting": -257.85859273,
    "false_northing": -3457087.73141366,
    "provenance": "测试",
}
EARTH = pyproj.Geod(ellps="GRS80")
MARKS = [
    ("人民广场", 121.4737, 31.2304),
    ("崇明", 121.40, 31.62),
    ("金山", 121.34, 30.74),
    ("临港", 121.92, 30.90),
    ("青浦", 121.12, 31.15),
]


def control_points(east=0.0, north=0.0, turn=0.0, stretch=0.0, marks=MARKS):
    """Marks whose official coordinates differ from the default grid by a shift, a turn in radians and a stretch."""
    points = []
    for name, lon, lat in marks:
        e, n = (float(v) for v in SHANGHAI.plane.forward(lon, lat))
        points.append(
            ControlPoint(name, lon, lat, e + east + stretch * e - turn * n, n + north + stretch * n + turn * e)
        )
    return points


def test_the_origin_is_the_park_hotel():
    lon, lat = SHANGHAI.plane.inverse(0.0, 0.0)
    assert EARTH.inv(float(lon), float(lat), *PARK_HOTEL)[2] < 1.0


def test_the_default_says_where_it_comes_from_and_that_it_is_unproven():
    plane = SHANGHAI.plane
    assert plane.label == "未经控制点验证，±1 米"
    assert not plane.is_verified
    assert plane.effective is not None
    assert plane.effective.isoformat() == "2021-01-01"
    assert "0.55–0.97" in plane.provenance


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"false_northing": -3457147.81}, "grid_former_northing"),
        ({"central_meridian": 121.2751921}, "grid_meridian_packed"),
        ({"central_meridian": 121.2752}, "grid_meridian_packed"),
        ({"central_meridian": 121.5}, "grid_meridian"),
        # the origin truncated to 121°28′01″, 31°14′07″
        ({"false_easting": -257.85859273 + 19.6, "false_northing": -3457087.73141366 + 18.8}, "grid_origin"),
        # a map shift added by hand
        ({"false_easting": -257.85859273 + 1100.0}, "grid_origin"),
        # the axes of the false origin exchanged
        ({"false_easting": -3457087.73141366, "false_northing": -257.85859273}, "grid_origin"),
        ({"scale": 0.9996}, "grid_scale"),
        ({"scale": math.nan}, "grid_scale"),
        ({"false_easting": math.nan}, "grid_origin"),
        ({"central_meridian": math.nan}, "grid_meridian"),
        ({"scale": "k"}, "grid_incomplete"),
        ({"provenance": " "}, "grid_without_provenance"),
        ({"accuracy_m": -1}, "grid_accuracy"),
    ],
)
def test_wrong_parameters_seen_in_public_code_are_refused_by_name(change, code):
    with pytest.raises(BadGrid) as refusal:
        shanghai_grid(DEFAULT | change)
    assert refusal.value.code == code
    assert refusal.value.message.endswith("。")


def test_missing_parameters_are_refused():
    for name in ("central_meridian", "provenance", "false_easting"):
        with pytest.raises(BadGrid):
            shanghai_grid({key: value for key, value in DEFAULT.items() if key != name})


def test_official_parameters_close_to_the_default_are_accepted_but_unproven():
    grid = shanghai_grid(DEFAULT | {"false_easting": -257.3, "provenance": "测绘院 2024 函"})
    assert grid.provenance == "测绘院 2024 函"
    assert grid.label == "未经控制点验证，±1 米"


def test_a_deployment_names_its_own_parameters_in_a_file(tmp_path):
    path = tmp_path / "grid.json"
    path.write_text(json.dumps(DEFAULT | {"false_easting": -257.5}), encoding="utf-8")
    code = "from geo.crs import SHANGHAI, PLANES, System; print(SHANGHAI.plane.false_easting, PLANES[System.SH2000].provenance)"
    run = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={"QUANTU_SH2000_FILE": str(path), "PATH": "/usr/bin:/bin"},
    )
    assert run.stdout.split() == ["-257.5", "测试"]


def test_the_file_may_hold_control_points_that_prove_the_grid():
    rows = [{"name": p.name, "lon": p.lon, "lat": p.lat, "east": p.east, "north": p.north} for p in control_points()]
    assert shanghai_grid({"control_points": rows}).is_verified
    assert shanghai_grid(DEFAULT | {"control_points": rows}).is_verified
    assert not shanghai_grid({"control_points": rows[:2]}).is_verified
    with pytest.raises(BadGrid) as refusal:
        shanghai_grid({"control_points": [{"name": "甲", "lon": 121.4}]})
    assert refusal.value.code == "control_points_incomplete"


@pytest.mark.parametrize("content", [None, "", "{", "\xff"])
def test_an_unreadable_file_of_parameters_is_named(content, tmp_path, monkeypatch):
    path = tmp_path / "grid.json"
    if content is not None:
        path.write_text(content, encoding="latin-1")
    monkeypatch.setenv("QUANTU_SH2000_FILE", str(path))
    with pytest.raises(BadGrid, match=r"grid\.json"):
        _configured_shanghai_2000()


def test_good_control_points_prove_the_grid():
    rng = np.random.default_rng(5)
    points = [
        ControlPoint(p.name, p.lon, p.lat, p.east + rng.normal(0, 0.02), p.north + rng.normal(0, 0.02))
        for p in control_points()
    ]
    proof = SHANGHAI.plane.verify(points)
    assert proof.verified
    assert 0 < proof.rms_m < 0.06
    by_hand = math.sqrt(sum(r.east_m**2 + r.north_m**2 for r in proof.residuals) / len(points))
    assert proof.rms_m == pytest.approx(by_hand)
    assert proof.max_m == pytest.approx(max(r.distance_m for r in proof.residuals))
    grid = SHANGHAI.plane.verified_by(proof)
    assert grid.is_verified
    assert grid.label.startswith("已用 5 个控制点验证，中误差 0.0")
    assert not SHANGHAI.plane.is_verified


@pytest.mark.parametrize(
    ("points", "word"),
    [
        (control_points(marks=MARKS[:3]), "至少需要 4 个"),
        (control_points(marks=[(str(i), 121.47 + i * 1e-3, 31.23 + i * 1e-3) for i in range(6)]), "过于集中"),
        (control_points(marks=[(str(i), 121.2 + i * 0.1, 31.23) for i in range(6)]), "过于集中"),
        (control_points(east=0.5), "东 +0.500 米、北 +0.000 米"),
        (control_points(turn=1e-5), "旋转 +2.06 角秒"),
        (control_points(stretch=2e-5), "尺度 +20.00 ppm"),
        ([*control_points()[:4], ControlPoint("错点", 121.12, 31.15, 0.0, 0.0)], "最大残差"),
    ],
)
def test_too_few_too_close_or_too_far_points_prove_nothing(points, word):
    proof = SHANGHAI.plane.verify(points)
    assert not proof.verified
    assert any(word in objection for objection in proof.objections)
    grid = SHANGHAI.plane.verified_by(proof)
    assert not grid.is_verified
    assert grid.label in ("未经控制点验证，±1 米", f"控制点验证未通过，最大相差 {proof.max_m:.2f} 米")
    assert ("±1 米" in grid.label) == (proof.max_m <= 1.0)


def test_a_grid_once_proven_can_lose_its_proof():
    proven = SHANGHAI.plane.verified_by(SHANGHAI.plane.verify(control_points()))
    assert proven.is_verified
    lost = proven.verified_by(proven.verify(control_points(east=5.0)))
    assert not lost.is_verified
    assert lost.label == "控制点验证未通过，最大相差 5.00 米"


def test_swapped_columns_of_control_points_are_noticed():
    swapped = [ControlPoint(p.name, p.lon, p.lat, p.north, p.east) for p in control_points()]
    proof = SHANGHAI.plane.verify(swapped)
    assert any("轴序" in objection for objection in proof.objections)


def test_no_control_point_is_no_proof():
    with pytest.raises(BadGrid, match="没有控制点"):
        SHANGHAI.plane.verify([])


def test_a_control_point_outside_the_city_is_refused():
    with pytest.raises(OutOfRange):
        SHANGHAI.plane.verify([ControlPoint("外地", 114.06, 22.54, 0.0, 0.0)])


@pytest.mark.parametrize(("order", "columns"), [("east_first", "{e:.4f},{n:.4f}"), ("north_first", "{n:.4f},{e:.4f}")])
def test_control_points_are_read_in_the_declared_order(order, columns):
    lines = ["点名,经度,纬度,坐标一,坐标二"]
    lines += [f"{p.name},{p.lon},{p.lat},{columns.format(e=p.east, n=p.north)}" for p in control_points()]
    points = read_control_points(lines, order)
    assert len(points) == 5
    assert SHANGHAI.plane.verify(points).verified


def test_control_points_may_be_written_in_degrees_minutes_seconds_and_tabs():
    (point,) = read_control_points(["国际饭店\t121°28′01.74″\t31°14′07.61″\t0.0\t0.0", ""], "north_first")
    assert (point.lon, point.lat) == pytest.approx(PARK_HOTEL)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("A,121.4,31.2,1", "control_point_columns"),
        ("A,121.4,31.2,1,北", "control_point_metres"),
        ("A,31.2,121.4,1,2", "control_point_degrees"),
    ],
)
def test_a_bad_row_of_control_points_is_named(line, code):
    with pytest.raises(BadGrid) as refusal:
        read_control_points(["名,经,纬,东,北", line], "east_first")
    assert refusal.value.code == code
    assert "第 2 行" in refusal.value.message


@pytest.mark.parametrize("city", CITIES.values(), ids=CITIES)
def test_every_city_lies_within_its_plane(city):
    box = city.bbox
    east, north = city.plane.forward(np.array([box.west, box.east]), np.array([box.south, box.north]))
    assert np.isfinite(east).all()
    assert np.isfinite(north).all()
    assert city.plane.srid == city.plane.system.srid


def test_shengzhou_uses_the_zone_of_120_degrees_and_shanghai_2000_is_refused_there():
    assert SHENGZHOU.plane.srid == PLANES[System.GK3_CM120E].srid
    assert SHENGZHOU.plane.is_verified
    with pytest.raises(OutOfRange):
        SHANGHAI.plane.forward(120.82, 29.58)


def scale_error_ppm(plane, lon, lat):
    """Length on the plane over length on the ellipsoid of a short line to the north, less one, in parts per million."""
    far_lon, far_lat, _ = EARTH.fwd(lon, lat, 0, 50)
    _, _, length = EARTH.inv(lon, lat, far_lon, far_lat)
    (e1, n1), (e2, n2) = plane.forward(lon, lat), plane.forward(far_lon, far_lat)
    return (math.hypot(e2 - e1, n2 - n1) / length - 1) * 1e6


def test_scale_error_over_the_city_is_as_published():
    # the west and east of the land, and Shengsi's side of the sea
    for lon, lat in [(120.86, 31.1), (121.97, 31.1), (121.47, 31.2), (121.2, 31.6)]:
        assert 0 < scale_error_ppm(SHANGHAI.plane, lon, lat) < 46
    assert scale_error_ppm(SHANGHAI.plane, 122.24, 31.2) == pytest.approx(70, abs=3)
    zone = PLANES[System.GK6_CM123E]
    assert scale_error_ppm(zone, 120.86, 30.8) == pytest.approx(519, abs=5)


def test_plane_and_geodesic_distance_agree_within_3_ppm_in_the_centre():
    rng = np.random.default_rng(6)
    lon, lat = rng.uniform(121.44, 121.50, (2, 500)), rng.uniform(31.20, 31.26, (2, 500))
    _, _, length = EARTH.inv(lon[0], lat[0], lon[1], lat[1])
    east, north = SHANGHAI.plane.forward(lon, lat)
    plane = np.hypot(east[0] - east[1], north[0] - north[1])
    assert np.abs(plane / length - 1).max() < 3.1e-6


@pytest.mark.parametrize("system", [System.SH2000, System.GK3_CM120E, System.GK6_ZONE21])
def test_the_row_for_the_database_says_the_same_in_both_languages(system):
    row = PLANES[system].spatial_reference()
    assert row.srid == system.srid
    lon, lat = np.linspace(120.5, 122.5, 50), np.linspace(30.3, 32.3, 50)
    expected = PLANES[system].forward(lon, lat)
    for text in (row.srtext, row.proj4text):
        got = pyproj.Transformer.from_crs("EPSG:4490", text, always_xy=True).transform(lon, lat)
        assert np.abs(np.array(got) - np.array(expected)).max() < 1e-6
    assert len(row.srtext) <= 2048
    assert len(row.proj4text) <= 2048
