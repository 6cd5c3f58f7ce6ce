"""Pasted points: the forms people write, and what is said when a row cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.crs import BadPoint, System, looks_like_point, parse_point, parse_points

DMS = (121 + 28 / 60 + 25 / 3600, 31 + 13 / 60 + 49 / 3600)
DECIMAL = (121.4737, 31.2304)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("121.4737,31.2304", DECIMAL),
        ("121.4737 31.2304", DECIMAL),
        ("121.4737\t31.2304\r\n", DECIMAL),
        ("  121.4737 ; 31.2304  ", DECIMAL),
        ("１２１．４７３７，３１．２３０４", DECIMAL),
        ("121。4737、31。2304", DECIMAL),
        ("(121.4737, 31.2304)", DECIMAL),
        ("[121.4737,31.2304]", DECIMAL),
        ("POINT (121.4737 31.2304)", DECIMAL),
        ("geo:31.2304,121.4737;u=35", DECIMAL),
        ("经度：121.4737，纬度：31.2304", DECIMAL),
        ("纬度31.2304 经度121.4737", DECIMAL),
        ("lat=31.2304, lng=121.4737", DECIMAL),
        ("31.2304N 121.4737E", DECIMAL),
        ("E121.4737 N31.2304", DECIMAL),
        ("121.4737°, 31.2304°", DECIMAL),
        ("经度121.4737E 纬度31.2304N", DECIMAL),
        ("121°28′25″E 31°13′49″N", DMS),
        ("31°13′49″N 121°28′25″E", DMS),
        ("121°28'25\" 31°13'49\"", DMS),
        ("121º28’25” , 31º13’49”", DMS),
        ("121°28''25 31", None),
        ("东经121度28分25秒，北纬31度13分49秒", DMS),
        ("东经 121° 28′ 25″ 北纬 31° 13′ 49″", DMS),
        ("121°28.416666666667′ 31°13.816666666667′", DMS),
    ],
)
def test_common_forms_of_a_point_in_degrees(text, expected):
    if expected is None:
        with pytest.raises(BadPoint):
            parse_point(text, System.WGS84)
        return
    point = parse_point(text, System.WGS84)
    assert (point.x, point.y) == pytest.approx(expected, abs=1e-9)
    assert point.system is System.WGS84


@pytest.mark.parametrize(
    ("text", "system", "order", "expected"),
    [
        ("-1200.5, 3400.25", System.SH2000, "east_first", (-1200.5, 3400.25)),
        ("3400.25米 -1200.5米", System.SH2000, "north_first", (-1200.5, 3400.25)),
        ("X=3400.25 Y=-1200.5", System.SH2000, "north_first", (-1200.5, 3400.25)),
        ("Y=3400.25 X=-1200.5", System.SH2000, "east_first", (-1200.5, 3400.25)),
        ("纵坐标 3400.25 横坐标 -1200.5", System.SH2000, "east_first", (-1200.5, 3400.25)),
        ("N 3400.25 E -1200.5", System.SH2000, "east_first", (-1200.5, 3400.25)),
        ("40545000.1 3456000.2", System.GK3_ZONE40, "east_first", (40545000.1, 3456000.2)),
        ("3456000.2 545000.1", System.GK3_CM120E, "north_first", (545000.1, 3456000.2)),
        ("31.2304,121.4737", System.GCJ02, "north_first", DECIMAL),
        ("121.4737E, 31.2304N", System.BD09, "north_first", DECIMAL),
        ("13522190.5m,3662700m", System.WEB_MERCATOR, "east_first", (13522190.5, 3662700.0)),
    ],
)
def test_the_declared_system_and_order_decide_what_numbers_mean(text, system, order, expected):
    point = parse_point(text, system, order)
    assert (point.x, point.y) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "system", "code"),
    [
        ("", System.WGS84, "point_empty"),
        ("　", System.WGS84, "point_empty"),
        ("121.47", System.WGS84, "point_one_number"),
        ("121.47,31.23,4.5", System.WGS84, "point_many_numbers"),
        ("1,234.5 2,345.6", System.SH2000, "point_many_numbers"),
        ("121 28 25 31 13 49", System.WGS84, "point_many_numbers"),
        ("国权路220号", System.WGS84, "point_text"),
        ("121.47,31.23 人民广场", System.WGS84, "point_text"),
        ("121.47.3,31.2", System.WGS84, "point_many_numbers"),
        ("<script>1,2", System.WGS84, "point_text"),
        ("121°60′00″ 31°13′49″", System.WGS84, "point_sexagesimal"),
        ("121°28′61″ 31°13′49″", System.WGS84, "point_sexagesimal"),
        ("121.5°28′ 31°13′", System.WGS84, "point_sexagesimal"),
        ("121°28.5′3″ 31°13′", System.WGS84, "point_sexagesimal"),
        ("121.47E 121.48E", System.WGS84, "point_axes"),
        ("经度121.47N 纬度31.23", System.WGS84, "point_axes"),
        ("-121.47W 31.23N", System.WGS84, "point_axes"),
        ("X1 X2", System.SH2000, "point_axes"),
        ("31.2304,121.4737", System.WGS84, "point_swapped"),
        ("3456000.2 545000.1", System.GK3_CM120E, "point_swapped"),
        ("200,95", System.WGS84, "point_outside"),
        ("2.35,48.86", System.GCJ02, "point_outside"),
        ("500000,3456000", System.GK3_ZONE40, "point_outside"),
        ("121°28′25″ 31°13′49″", System.SH2000, "point_degrees"),
        ("121.4737,31.2304", System.SH2000, "point_degrees"),
        ("31.2304,121.4737", System.SH2000, "point_degrees"),
        ("geo:31.2,121.4", System.GCJ02, "point_geo_uri"),
        ("geo:31.2", System.WGS84, "point_text"),
        ("9" * 190 + ",1", System.SH2000, "point_outside"),
        ("1" * 10_000, System.SH2000, "point_too_long"),
        ("nan,nan", System.WGS84, "point_text"),
        ("inf 1", System.WGS84, "point_text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(text, system, code):
    with pytest.raises(BadPoint) as refusal:
        parse_point(text, system)
    assert refusal.value.code == code
    assert refusal.value.message.endswith("。")
    assert len(refusal.value.message) < 120


def test_rows_keep_their_numbers_and_bad_ones_their_reasons():
    lines = ["121.47,31.23", "", "人民广场", "31.23,121.47", "0,0", "121.48\t31.24"]
    parsed = parse_points(lines, System.GCJ02)
    assert parsed.rows == (1, 6)
    assert parsed.coordinates.x.tolist() == [121.47, 121.48]
    assert parsed.coordinates.system is System.GCJ02
    assert [(fault.row, fault.code) for fault in parsed.faults] == [
        (3, "point_text"),
        (4, "point_swapped"),
        (5, "point_outside"),
    ]


def test_no_lines_give_no_points():
    parsed = parse_points([], System.SH2000)
    assert len(parsed.coordinates) == 0
    assert parsed.faults == ()


@given(st.floats(-179.9, 179.9), st.floats(-89.9, 89.9), st.sampled_from([",", " ", "\t", "，", " ; "]))
def test_whatever_is_printed_is_read_back(lon, lat, separator):
    point = parse_point(f"{lon:.9f}{separator}{lat:.9f}", System.WGS84)
    assert (point.x, point.y) == pytest.approx((lon, lat), abs=1e-9)


@given(st.floats(73, 135), st.floats(3, 54))
def test_sexagesimal_text_is_read_back(lon, lat):
    def sexagesimal(value):
        degrees, rest = divmod(round(value * 36_000_000), 36_000_000)
        minutes, seconds = divmod(rest, 600_000)
        return f"{degrees}°{minutes:02d}′{seconds / 10_000:07.4f}″"

    point = parse_point(f"{sexagesimal(lat)}N {sexagesimal(lon)}E", System.CGCS2000)
    assert (point.x, point.y) == pytest.approx((lon, lat), abs=1e-7)


@given(st.text(max_size=60), st.sampled_from(list(System)))
def test_no_text_breaks_the_reader(text, system):
    looks_like_point(text)
    parsed = parse_points([text], system)
    assert len(parsed.coordinates) + len(parsed.faults) == (1 if text.strip() else 0)
    assert all(fault.message.endswith("。") for fault in parsed.faults)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("121.47,31.23", True),
        ("东经121度28分，北纬31度13分", True),
        ("POINT(1 2)", True),
        ("geo:31,121", True),
        ("国权路220号", False),
        ("上南路1000弄45号601室", False),
        ("12 号线 4 号口", False),
        ("121.47", False),
        ("", False),
    ],
)
def test_a_point_is_told_from_an_address(text, expected):
    assert looks_like_point(text) is expected
