"""What is rendered is read back as the same parts, and rendering that again changes nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geo.addresses.parsing import Parts, full_text, normal_form, parse, short_text

DISTRICTS = {
    "杨浦区": "五角场街道",
    "浦东新区": "惠南镇",
    "静安区": "彭浦镇",
    "黄浦区": "南京东路街道",
    "崇明区": "横沙乡",
}
ROADS = [
    "云杉路", "广东路", "陕西南路", "四川北路", "桂林路", "南京东路", "镇宁路", "浦东大道", "中山东一路", "沪青平公路",
    "长宁支路", "环湖西三路", "新村路", "花园石桥路", "三门路", "八一路", "江苏路", "宝山路", "上海路",
]  # fmt: skip
ESTATES = ["鞍山五村", "云杉新村", "望舒小区", "云杉坊", "望舒公寓", "云杉家园望舒苑"]
VILLAGES = ["望舒村", "三灶村", "新丰村"]

small, large = st.integers(1, 99).map(str), st.integers(1, 9999).map(str)
rooms = st.integers(101, 3312).map(str)


def maybe(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | values


@st.composite
def regions(draw: st.DrawFn) -> dict[str, str]:
    district = draw(st.sampled_from(["", *DISTRICTS]))
    return {"district": district, "street": draw(maybe(st.just(DISTRICTS.get(district, ""))))}


@st.composite
def doors(draw: st.DrawFn) -> dict[str, str]:
    """Return lane, number and what lies below it, any of them missing, ranges and sides included."""
    said = {"lane": draw(maybe(large)), "number": draw(maybe(small))}
    if said["lane"]:
        said["sub_lane"] = draw(maybe(small))
    if said["number"]:
        more = draw(st.sampled_from(["", "upto", "suffix", "parity"]))
        if more == "upto":
            said["upto"] = str(int(said["number"]) + draw(st.integers(1, 50)))
        elif more == "suffix":
            said["suffix"] = draw(st.sampled_from(["甲", "乙", "之2", "-3", "A", "临"]))
        elif more == "parity":
            said["parity"] = draw(st.sampled_from(["odd", "even"]))
    elif said["lane"] and not said["sub_lane"] and draw(st.booleans()):
        return {**said, "lane_upto": str(int(said["lane"]) + draw(st.integers(1, 50)))}
    if said["lane"] or said["number"]:
        said |= {"building": draw(maybe(small)), "unit": draw(maybe(small)), "floor": draw(maybe(small))}
        said["room"] = draw(maybe(rooms))
    return said


@st.composite
def on_roads(draw: st.DrawFn) -> Parts:
    return Parts(road=draw(st.sampled_from(ROADS)), **draw(regions()), **draw(doors()))


@st.composite
def in_villages(draw: st.DrawFn) -> Parts:
    return Parts(
        village=draw(st.sampled_from(VILLAGES)), group=draw(maybe(small)), number=draw(small), **draw(regions())
    )


@st.composite
def in_estates(draw: st.DrawFn) -> Parts:
    return Parts(
        estate=draw(st.sampled_from(ESTATES)),
        block=draw(maybe(st.sampled_from(["三街坊", "南区", "二期", "A区"]))),
        building=draw(small),
        unit=draw(maybe(small)),
        room=draw(maybe(rooms)),
        **draw(regions()),
    )


@given(on_roads() | in_villages() | in_estates())
def test_the_canonical_text_is_read_back(parts: Parts) -> None:
    text = full_text(parts)
    assert parse(text)._replace(text="") == parts
    assert full_text(parse(text)) == text


@given(on_roads() | in_villages() | in_estates())
def test_the_short_text_means_the_same_door(parts: Parts) -> None:
    read_back = parse(short_text(parts))
    assert normal_form(read_back) == normal_form(parts._replace(floor=parts.floor if not parts.room else ""))


@given(on_roads() | in_villages() | in_estates())
def test_the_normal_form_is_its_own_normal_form(parts: Parts) -> None:
    form = normal_form(parts)
    assert normal_form(parse(form)) == form
