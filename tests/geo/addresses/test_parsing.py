"""The grammar of addresses: what people write, and what it means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.addresses.parsing import (
    Gazetteer,
    Parts,
    assembly,
    clean,
    normal_form,
    number_of,
    parse,
    read,
    roads_of,
    short_text,
)

KNOWN = Gazetteer(
    districts={name: name for name in ("杨浦区", "浦东新区", "静安区", "黄浦区", "长宁区", "普陀区")},
    streets={name: name for name in ("五角场街道", "南京东路街道", "老西门街道", "新桥镇")},
    roads=roads_of(
        [
            "国权路",
            "四川北路",
            "浦东南路",
            "浦东大道",
            "广东路",
            "陕西南路",
            "长宁路",
            "中山东一路",
            "艾家弄",
            "镇宁路",
            "御青路",
            "外马路",
            "南京东路",
            "沪青平公路",
        ]
    ),
)


def said(parts: Parts) -> dict[str, Any]:
    """Return what was understood, without the text itself."""
    return {name: value for name, value in parts._asdict().items() if name != "text" and value}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("上海市杨浦区五角场街道国权路100弄5号601室", {"district": "杨浦区", "street": "五角场街道", "road": "国权路", "lane": "100", "number": "5", "room": "601"}),
        ("国权路", {"road": "国权路"}),
        ("国权路１００弄５号", {"road": "国权路", "lane": "100", "number": "5"}),
        ("国权路一百弄五号", {"road": "国权路", "lane": "100", "number": "5"}),
        ("中山东一路十八号", {"road": "中山东一路", "number": "18"}),
        ("国权路#12", {"road": "国权路", "number": "12"}),
        ("国权路12#", {"road": "国权路", "number": "12"}),
        ("国权路No.12", {"road": "国权路", "number": "12"}),
        ("国权路 12 号", {"road": "国权路", "number": "12"}),
        ("国权路012号", {"road": "国权路", "number": "12"}),
        ("国权路12", {"road": "国权路", "number": "12"}),
        ("艾家弄86号", {"road": "艾家弄", "number": "86"}),
        ("四川北路23号", {"road": "四川北路", "number": "23"}),
        ("广东路4-77号", {"road": "广东路", "number": "4", "upto": "77"}),
        ("广东路45-2号", {"road": "广东路", "number": "45", "suffix": "-2"}),
        ("外马路12号甲", {"road": "外马路", "number": "12", "suffix": "甲"}),
        ("外马路12甲号", {"road": "外马路", "number": "12", "suffix": "甲"}),
        ("陕西南路39弄2号之3", {"road": "陕西南路", "lane": "39", "number": "2", "suffix": "之3"}),
        ("国权路100弄3支弄5号", {"road": "国权路", "lane": "100", "sub_lane": "3", "number": "5"}),
        ("国权路100弄5号2幢3单元4层401室", {"road": "国权路", "lane": "100", "number": "5", "building": "2", "unit": "3", "floor": "4", "room": "401"}),
        ("国权路100弄5号楼601", {"road": "国权路", "lane": "100", "building": "5", "room": "601"}),
        ("国权路100巷5号", {"road": "国权路", "lane": "100", "number": "5"}),
        ("南京东路街道外马路12号", {"street": "南京东路街道", "road": "外马路", "number": "12"}),
        ("南京东路12号", {"road": "南京东路", "number": "12"}),
        ("长宁路9弄", {"road": "长宁路", "lane": "9"}),
        ("镇宁路9弄", {"road": "镇宁路", "lane": "9"}),
        ("浦东南路1088号", {"road": "浦东南路", "number": "1088"}),
        ("浦东大道9号", {"road": "浦东大道", "number": "9"}),
        ("浦东和合新村御青路1051弄34号", {"district": "浦东新区", "road": "御青路", "lane": "1051", "number": "34", "estate": "和合新村"}),
        ("御青路1051弄34号和合新村", {"road": "御青路", "lane": "1051", "number": "34", "estate": "和合新村"}),
        ("御青路1051弄34号（中山苑对面）", {"road": "御青路", "lane": "1051", "number": "34"}),
        ("复旦大学国权路100号", {"road": "国权路", "number": "100", "place": "复旦大学"}),
        ("杨浦国权路5号", {"district": "杨浦区", "road": "国权路", "number": "5"}),
        ("闸北区外马路105号", {"district": "静安区", "road": "外马路", "number": "105"}),
        ("卢湾区陕西南路39弄", {"district": "黄浦区", "road": "陕西南路", "lane": "39"}),
        ("上海市崇明县中兴镇富圩村富圩路1607号", {"district": "崇明区", "street": "中兴镇", "village": "富圩村", "road": "富圩路", "number": "1607"}),
        ("新丰村3组12号", {"village": "新丰村", "group": "3", "number": "12"}),
        ("国定小区12号601室", {"number": "12", "room": "601", "estate": "国定小区"}),
        ("鞍山五村33号", {"estate": "鞍山五村", "number": "33"}),
        ("静安寺", {"place": "静安寺"}),
        ("上海中学", {"place": "上海中学"}),
        ("杨浦区", {"district": "杨浦区"}),
        ("", {}),
        ("   ", {}),
    ],
)  # fmt: skip
def test_what_is_written_and_what_is_meant(text: str, meant: dict[str, str]) -> None:
    assert said(parse(text, KNOWN)) == meant


@pytest.mark.parametrize(
    "text",
    ["国权路100弄5号", "国权路一百弄五号", "国权路１００弄５＃", "杨浦区国权路100弄 5号", "上海市国权路100弄05号"],
)
def test_equal_addresses_share_one_form(text: str) -> None:
    assert normal_form(parse(text, KNOWN)) == "国权路100弄5号"


@pytest.mark.parametrize(
    ("text", "number"),
    [("二十三", "23"), ("十", "10"), ("一百零五", "105"), ("一〇五", "105"), ("两千", "2000"), ("一千二百三十九", "1239"), ("007", "7"), ("甲", "甲"), ("", "")],
)  # fmt: skip
def test_numbers(text: str, number: str) -> None:
    assert number_of(text) == number


@given(st.integers(1, 9999))
def test_a_numeral_and_its_digits_are_the_same_number(number: int) -> None:
    digits = "零一二三四五六七八九"
    said, pending = "", False
    for unit, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            said += ("零" if pending and said else "") + digits[digit] + word
            pending = False
        else:
            pending = bool(said)
    assert number_of(said) == str(number)


BEGINNINGS = ["上海市", "杨浦区", "浦东", "闸北区", "徐汇区", "五角场街道", "国权路", "四川北路", "广东路", "艾家弄", "望舒苑", "第", "临", "云杉路", "中国", "口"]  # fmt: skip
DOORS = ["100弄", "5号", "5号601室", "一百弄二号", "3组", "12、14号", "4-77号", "8", "601室", "2幢", "号楼", "弄", "甲号", "，5号", "近国权路", ""]  # fmt: skip


@given(
    st.lists(st.sampled_from(BEGINNINGS), min_size=1, max_size=4),
    st.lists(st.sampled_from(DOORS), min_size=2, max_size=6),
)
def test_an_address_is_read_the_same_after_others_of_its_road(beginning: list[str], doors: list[str]) -> None:
    """How a road begins an address is kept with the names; it changes no reading, whatever number follows."""
    begun, known = "".join(beginning), replace(KNOWN)
    for door in doors:
        assert read(begun + door, known) == read(begun + door, replace(KNOWN))


def test_only_names_of_regions_and_known_roads_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    known = replace(KNOWN)
    others = ("王小明家国权路5号", "小明路5号", "望舒苑5号", "联系人：王小明，国权路5号", "国权路")
    for text in ("杨浦区国权路100弄5号", "杨浦区国权路7号", *others):
        read(text, known)
    assert set(known.openings) == {("杨浦区国权路", "lane"), ("杨浦区国权路", "number")}
    monkeypatch.setattr(assembly, "_MOST_KEPT", 3)
    for road in KNOWN.roads:
        assert read(f"{road}5号", known).parts.road == road
        assert len(known.openings) <= 3


def test_a_field_of_several_addresses_is_split_and_the_road_carried_on() -> None:
    found = read("国权路100弄1-10号、12号;政立路5号").addresses
    assert [short_text(reading.parts) for reading in found] == ["国权路100弄1-10号", "国权路100弄12号", "政立路5号"]
    assert read("").addresses == ()


@given(st.text(alphabet="上海市杨浦区国权路弄号0123456789一二十百之甲-、（）东村组室幢 　＃", max_size=40))
def test_nothing_written_breaks_the_grammar(text: str) -> None:
    parts = parse(text, KNOWN)
    assert isinstance(normal_form(parts), str)
    assert len(clean(text)) <= 3 * len(text)


@given(
    road=st.sampled_from(sorted(KNOWN.roads)),
    lane=st.integers(1, 9999).map(str) | st.just(""),
    number=st.integers(1, 9999).map(str),
    room=st.integers(101, 3309).map(str) | st.just(""),
    district=st.sampled_from(["", "杨浦区", "浦东新区", "上海市静安区"]),
)
def test_what_is_composed_is_read_back(road: str, lane: str, number: str, room: str, district: str) -> None:
    text = f"{district}{road}{f'{lane}弄' if lane else ''}{number}号{f'{room}室' if room else ''}"
    parts = parse(text, KNOWN)
    assert (parts.road, parts.lane, parts.number, parts.room) == (road, lane, number, room)
    assert parts.district == district.removeprefix("上海市")
