"""System names and numbers: what crs= accepts, what it refuses, and that our zone table is EPSG's."""

import subprocess
import sys

import pyproj
import pytest

from geo.crs import System, UnknownSystem, UnsupportedDatum
from geo.crs.codes import ZONES
from geo.errors import BadInput


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("cgcs2000", System.CGCS2000),
        ("EPSG:4490", System.CGCS2000),
        ("4326", System.WGS84),
        ("WGS-84", System.WGS84),
        (" ＧＣＪ－０２ ", System.GCJ02),
        ("BD09", System.BD09),
        ("bd-09", System.BD09),
        ("高德", System.GCJ02),
        ("百度", System.BD09),
        ("上海2000", System.SH2000),
        ("sh2000", System.SH2000),
        ("990001", System.SH2000),
        ("WebMercator", System.WEB_MERCATOR),
        ("epsg:3857", System.WEB_MERCATOR),
        ("epsg:4549", System.GK3_CM120E),
        ("EPSG:4528", System.GK3_ZONE40),
        ("epsg:4510", System.GK6_CM123E),
        ("epsg:4499", System.GK6_ZONE21),
    ],
)
def test_a_system_is_found_by_its_name(text, system):
    assert System.parse(text) is system


def test_every_value_parses_to_itself():
    assert all(System.parse(system) is system for system in System)


@pytest.mark.parametrize("text", ["", "mars", "epsg:32651", "epsg:4548x", "0", "epsg:999999", "x" * 10_000, "44.90.1"])
def test_an_unknown_system_is_refused_with_the_ones_that_exist(text):
    with pytest.raises(UnknownSystem) as refusal:
        System.parse(text)
    assert refusal.value.code == "crs_unknown"
    assert "cgcs2000" in refusal.value.message
    assert len(refusal.value.message) < 200
    assert isinstance(refusal.value, BadInput)


@pytest.mark.parametrize(
    "text",
    [
        "epsg:4214",
        "4610",
        "EPSG:4555",
        "epsg:2437",
        "epsg:2385",
        "epsg:21421",
        "epsg:4796",
        "北京54",
        "西安 80",
        "Beijing 1954",
        "xian80",
        "Xi'an 1980",
        "BJ54",
        "老上海坐标系",
    ],
)
def test_beijing_54_and_xian_80_are_refused_and_the_reader_is_told_what_to_do(text):
    with pytest.raises(UnsupportedDatum) as refusal:
        System.parse(text)
    assert refusal.value.code == "crs_unsupported"
    assert "测绘部门" in refusal.value.message


def test_every_old_datum_of_the_registry_is_refused():
    old = [
        info.code
        for info in pyproj.database.query_crs_info(auth_name="EPSG")
        if ("Beijing" in info.name or "Xian" in info.name) and info.type.name in ("GEOGRAPHIC_2D_CRS", "PROJECTED_CRS")
    ]
    assert len(old) > 150
    for code in old:
        with pytest.raises(UnsupportedDatum):
            System.parse(f"epsg:{code}")


def test_every_gauss_kruger_zone_of_cgcs2000_in_the_registry_is_ours_with_its_parameters():
    registered = {
        int(info.code)
        for info in pyproj.database.query_crs_info(auth_name="EPSG", pj_types=["PROJECTED_CRS"])
        if info.name.startswith("CGCS2000 / ") and "Gauss-Kruger" in info.name
    }
    assert registered == {system.srid for system in ZONES}
    for system, zone in ZONES.items():
        parameters = {p.name: p.value for p in pyproj.CRS(str(system)).coordinate_operation.params}
        assert parameters["Longitude of natural origin"] == zone.central_meridian, system
        assert parameters["False easting"] == zone.false_easting, system
        assert parameters["Scale factor at natural origin"] == 1.0


def test_only_shifted_datums_are_unknown_to_a_database():
    assert [system for system in System if system.srid is None] == [System.GCJ02, System.BD09]


def test_labels_are_chinese_and_distinct():
    labels = [system.label for system in System]
    assert len(set(labels)) == len(labels)
    assert System.GK3_ZONE40.label == "CGCS2000 3 度带高斯投影，中央经线 120°E（横坐标含带号 40）"


def test_importing_stays_light():
    loaded = subprocess.run(
        [sys.executable, "-c", "import geo.crs, sys; print({'numba', 'scipy', 'django', 'pyproj'} & set(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "set()"
