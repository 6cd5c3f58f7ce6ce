"""Questions in people's own words: what is understood, from which words, and what is left over."""

from __future__ import annotations

import pytest

from services.facilities.spoken import LONGEST, understand

SAID = {
    "附近哪里有长者食堂": {"kinds": "canteen", "here": True},
    "15 分钟内能走到的日间照护": {"kinds": "day_care", "minutes": 15, "mode": "elder"},
    "老西门附近哪里有能送餐的食堂": {"kinds": "canteen", "needs": (("delivers", "1"),), "where": "老西门"},
    "国权路边上有没有养老院，要有认知症照护": {"kinds": "care_home", "needs": (("memory_care", "1"),), "where": "国权路"},
    "一刻钟走得到的助餐点": {"kinds": "canteen", "minutes": 15, "mode": "elder"},
    "半小时内坐轮椅能到的护理站": {"kinds": "nursing_station", "minutes": 30, "mode": "wheelchair"},
    "二十五分钟": {"minutes": 25},
    "一个半小时": {"minutes": 90},
    "我家附近有床位的敬老院": {"kinds": "care_home", "needs": (("has_vacancy", "1"),), "here": True},
    "永福里附近买药": {"kinds": "pharmacy", "where": "永福里"},
    "复兴中路100弄5号附近的社区食堂": {"kinds": "canteen", "where": "复兴中路100弄5号"},
    "找一家公办养老院，能刷医保": {
        "kinds": "care_home", "needs": (("medical_insurance", "1"), ("ownership", "public")),
    },
    "老西门附近的居家养老服务机构": {"kinds": "home_care", "where": "老西门"},
    "附近有没有运动健康之家": {"kinds": "exercise_home", "here": True},
    "家门口养老服务站在哪里": {"kinds": "elder_station"},
    "有什么养老服务": {"kinds": "eldercare"},
    "天气怎么样": {"where": "天气怎么样"},
    "": {},
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("said", SAID)
def test_what_is_understood_is_what_was_said(said: str) -> None:
    usual = {"kinds": "", "minutes": None, "mode": "", "needs": (), "where": "", "here": False}
    found = understand(said)
    assert {key: getattr(found, key) for key in usual} == usual | SAID[said]
    assert all(one.words in said for one in found.heard)


@pytest.mark.django_db
def test_what_is_left_over_is_told_and_length_and_markup_do_no_harm() -> None:
    found = understand("老西门附近有食堂吗，顺便唱歌")
    assert (found.kinds, found.where, found.left) == ("canteen", "老西门", ("顺便唱歌",))
    assert understand("<b>食堂</b>" * 100).kinds == "canteen"
    assert len(understand("长" * 1000).where) <= LONGEST
