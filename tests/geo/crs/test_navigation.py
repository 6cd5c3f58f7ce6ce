"""Navigation links: every one, taken apart as its app would, leads back to the place; no name can break out of its field."""

from urllib.parse import parse_qs, urlsplit

import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import Coordinate, OutOfRange, System, convert, navigation_links
from geo.errors import BadInput

EARTH = pyproj.Geod(ellps="GRS80")
APPS = ["amap_web", "amap_android", "amap_ios", "baidu_web", "baidu_app", "tencent_web", "apple", "geo"]
NASTY = [
    "福州路|latlng:0,0|name:贼",
    "a&to=0,0&mode=car",
    "x#fragment",
    "a,b,c",
    "%7C%26",
    "100%",
    "a b\n\tc",
    "",
    "孔子\u202e学院",
    "名" * 500,
    "a=b;c?d/e\\f",
    "'\"<script>",
]


def fields(url):
    parts = urlsplit(url)
    assert not parts.fragment
    values = parse_qs(parts.query, keep_blank_values=True, strict_parsing=True)
    assert all(len(value) == 1 for value in values.values()), url
    return {key: value[0] for key, value in values.items()}


def destination(app, url):
    """Where an app would go, as a coordinate in the datum the link declares, and the name it would show."""
    if app == "geo":
        lat, lon = url.removeprefix("geo:").split(",")
        return Coordinate(float(lon), float(lat), System.WGS84), None
    got = fields(url)
    if app == "amap_web":
        lon, lat, name = got["to"].split(",")
        assert got["coordinate"] == "gaode"
    elif app.startswith("amap"):
        lon, lat, name = got["dlon"], got["dlat"], got["dname"]
        assert got["dev"] == "0"
    elif app.startswith("baidu"):
        parts = [part.split(":") for part in got["destination"].split("|")]
        assert sorted(part[0] for part in parts) == ["latlng", "name"]
        assert all(len(part) == 2 for part in parts)
        place = dict(parts)
        (lat, lon), name = place["latlng"].split(","), place["name"]
        assert got["coord_type"] == "gcj02"
    elif app == "tencent_web":
        (lat, lon), name = got["tocoord"].split(","), got["to"]
    else:
        (lat, lon), name = got["daddr"].split(","), got["q"]
    return Coordinate(float(lon), float(lat), System.GCJ02), name


def assert_links_lead_to(links, point):
    assert list(links) == APPS
    home = convert(point, System.WGS84)
    for app, url in links.items():
        there, name = destination(app, url)
        there = convert(there, System.WGS84)
        assert EARTH.inv(home.x, home.y, there.x, there.y)[2] < 0.1, app
        assert name is None or name
        assert url.isascii()
        assert not set(url) & set(' |"<>\\^`{}\n\t')


@settings(max_examples=200, deadline=None)
@given(
    lon=st.floats(120.85, 122.2),
    lat=st.floats(30.7, 31.85),
    system=st.sampled_from([System.CGCS2000, System.GCJ02, System.BD09, System.SH2000, System.WGS84]),
    name=st.text(max_size=80) | st.sampled_from(NASTY),
    mode=st.sampled_from(["walk", "elder", "pram", "wheelchair", "bicycle", "car", "transit"]),
)
def test_every_link_lands_within_a_decimetre_whatever_the_name(lon, lat, system, name, mode):
    point = convert(Coordinate(lon, lat, System.CGCS2000), system)
    assert_links_lead_to(navigation_links(name, point, mode), point)


@pytest.mark.parametrize("name", NASTY)
def test_no_name_changes_the_fields_of_a_link(name):
    point = Coordinate(121.4737, 31.2304, System.CGCS2000)
    plain, nasty = navigation_links("甲", point, "walk"), navigation_links(name, point, "walk")
    for app in APPS[:-1]:
        assert fields(plain[app]).keys() == fields(nasty[app]).keys()
    assert_links_lead_to(nasty, point)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("walk", {"amap_web": "walk", "amap_ios": "2", "baidu_web": "walking", "tencent_web": "walk", "apple": "w"}),
        (
            "wheelchair",
            {"amap_web": "walk", "amap_ios": "2", "baidu_web": "walking", "tencent_web": "walk", "apple": "w"},
        ),
        ("bicycle", {"amap_web": "ride", "amap_ios": "3", "baidu_web": "riding", "tencent_web": "bike", "apple": None}),
        ("car", {"amap_web": "car", "amap_ios": "0", "baidu_web": "driving", "tencent_web": "drive", "apple": "d"}),
        ("transit", {"amap_web": "bus", "amap_ios": "1", "baidu_web": "transit", "tencent_web": "bus", "apple": "r"}),
    ],
)
def test_each_app_is_told_the_mode_in_its_own_word(mode, expected):
    links = navigation_links("幼儿园", Coordinate(121.4737, 31.2304, System.CGCS2000), mode)
    keys = {"amap_web": "mode", "amap_ios": "t", "baidu_web": "mode", "tencent_web": "type", "apple": "dirflg"}
    assert {app: fields(links[app]).get(key) for app, key in keys.items()} == expected


def test_an_unknown_mode_is_refused():
    with pytest.raises(BadInput) as refusal:
        navigation_links("甲", Coordinate(121.4737, 31.2304, System.CGCS2000), "rocket" * 1000)
    assert refusal.value.code == "mode_unknown"
    assert len(refusal.value.message) < 120


def test_a_place_abroad_has_no_link():
    with pytest.raises(OutOfRange):
        navigation_links("Paris", Coordinate(2.35, 48.86, System.WGS84), "walk")
