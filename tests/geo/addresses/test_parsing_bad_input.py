"""Nothing that is written breaks the grammar, nothing of it is lost, and no length makes it slow."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.addresses.parsing import (
    Gazetteer,
    Parsed,
    asides,
    names,
    normal_form,
    note_text,
    numbers,
    read,
    reason_text,
    regions,
    roads_of,
    writing,
)
from geo.addresses.parsing.vocabulary import vocabulary

KNOWN = Gazetteer(roads=roads_of(["云杉路", "望舒路", "广东路", "中山东一路"]))
LETTERS = "上海市杨浦区云杉望舒路弄支号楼幢单双元层室村组队新一二十百廿甲乙之至和近旁口镇街道公寓苑0123456789AFx-－～、，；,;/()（）#＃ 　№🏠\n\t"
HOSTILE: dict[str, Callable[[int], str]] = {
    "one road": lambda n: "路" * n,
    "one digit": lambda n: "1" * n,
    "numerals": lambda n: "一" * n,
    "lanes": lambda n: "1弄" * (n // 2),
    "dashes": lambda n: "1-" * (n // 2),
    "commas": lambda n: "1、" * (n // 2),
    "open brackets": lambda n: "(" * n,
    "brackets": lambda n: "()" * (n // 2),
    "nested": lambda n: "(" * (n // 2) + ")" * (n // 2),
    "no ending": lambda n: "杉" * n,
    "estates": lambda n: "云杉苑" * (n // 3),
    "roads": lambda n: "云杉路" * (n // 3),
    "other roads": lambda n: "".join(f"{chr(0x4E00 + i % 5000)}杉路" for i in range(n // 3)),
    "districts": lambda n: "杨浦区" * (n // 3),
    "towns": lambda n: "云杉镇" * (n // 3),
    "near": lambda n: "近" * n,
    "phones": lambda n: "13800138000," * (n // 12),
    "addresses": lambda n: "云杉路1弄2号;望舒路3号;" * (n // 14),
    "blanks": lambda n: " " * n,
    "pictures": lambda n: "🏠" * n,
    "letters": lambda n: "x" * n,
    "letters and digits": lambda n: "A1" * (n // 2),
    "signs": lambda n: "号" * n,
    "suffixes": lambda n: "1号甲" * (n // 3),
    "villages": lambda n: "杉村1组" * (n // 4),
    "ordinals": lambda n: "云" + "一" * (n - 2) + "村",
}


def written_and_covered(text: str, parsed: Parsed) -> set[int]:
    covered: set[int] = set()
    for piece in [*parsed.ignored, *(token for reading in parsed.addresses for token in reading.tokens)]:
        assert text[piece.start : piece.end] == piece.written
        assert piece.start < piece.end
        covered.update(range(piece.start, piece.end))
    return covered


def check(text: str, gazetteer: Gazetteer) -> Parsed:
    """Return what was read, after checking everything that holds for every text."""
    parsed = read(text, gazetteer)
    assert parsed.text == text
    assert written_and_covered(text, parsed) == set(range(len(text)))
    for reading in parsed.addresses:
        assert 0 < reading.confidence <= 1
        assert [note for note in reading.notes if not note_text(note)] == []
        for token in reading.tokens:
            assert hasattr(reading.parts, token.kind)
        assert all(one.end <= other.start for one, other in pairwise(sorted(reading.tokens, key=lambda t: t.start)))
        assert isinstance(normal_form(reading.parts), str)
        assert all(other.confidence < reading.confidence for other in reading.alternatives)
    assert all(reason_text(piece.reason) for piece in parsed.ignored)
    assert bool(parsed.addresses) == ("empty" not in parsed.notes)
    assert ("too_long" in parsed.notes) == (len(text) > 200)
    return parsed


@given(st.text(alphabet=LETTERS, max_size=60))
def test_every_character_is_accounted_for(text: str) -> None:
    check(text, KNOWN)


@given(st.text(max_size=40))
def test_any_characters_at_all(text: str) -> None:
    check(text, Gazetteer())


@given(st.lists(st.sampled_from(
    ["上海市", "杨浦区", "闸北区", "云杉路", "广东路", "100弄", "3支弄", "5号", "甲", "12、14号", "4-77号", "2幢", "601室", "望舒苑",
     "望舒村", "3组", "（近望舒路）", "13800138000", "，", "；", " ", "对面", "号楼", "一", "之2", "江苏省", "3401层0102", "临", "路口"]
), max_size=14))  # fmt: skip
def test_pieces_of_addresses_in_any_order(pieces: list[str]) -> None:
    check("".join(pieces), KNOWN)


@pytest.mark.parametrize("text", ["", " ", "　\n\t", "🏠🏠", "，，；", "()", "\x00", "\ud800"])
def test_nothing_is_an_empty_answer_with_its_reason(text: str) -> None:
    parsed = check(text, KNOWN)
    assert parsed.addresses == ()
    assert parsed.notes == ("empty",)
    assert parsed.parts.is_empty
    assert parsed.confidence == 0


@pytest.mark.parametrize("name", HOSTILE)
def test_ten_thousand_hostile_characters_are_read_to_the_end(name: str) -> None:
    check(HOSTILE[name](10_000), KNOWN)


def calls(text: str) -> int:
    """Return how many functions, ours and built in, reading a text calls."""
    counted = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        read(text, KNOWN)
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_no_faster_than_the_text(name: str) -> None:
    read(HOSTILE[name](4_000), KNOWN)
    shorter, longer = calls(HOSTILE[name](1_000)), calls(HOSTILE[name](4_000))
    assert longer <= 4.2 * shorter + 200


def patterns() -> list[tuple[str, re.Pattern[str]]]:
    modules = (asides, names, numbers, regions, writing)
    found = [(f"{m.__name__}.{k}", v) for m in modules for k, v in vars(m).items() if isinstance(v, re.Pattern)]
    words = vocabulary()
    return [*found, ("ending", words.ending)]


@pytest.mark.parametrize(("name", "pattern"), patterns(), ids=[name for name, _ in patterns()])
def test_no_pattern_repeats_without_a_bound_inside_a_repetition(name: str, pattern: re.Pattern[str]) -> None:
    """A repetition within a repetition, both open, is what makes regular expressions explode."""
    plain = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "x", pattern.pattern)
    depth_open: list[bool] = []
    for index, sign in enumerate(plain):
        if sign == "(":
            depth_open.append(False)
        elif sign == ")":
            inner = depth_open.pop() if depth_open else False
            outer = plain[index + 1 : index + 2] in ("*", "+")
            assert not (inner and outer), name
            if depth_open and (inner or outer):
                depth_open[-1] = True
        elif sign in "*+" and depth_open and plain[index - 1] != ")":
            depth_open[-1] = True


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("云杉路5号 13800138000 601室", {"blank", "phone"}),
        ("云杉路5号（近望舒路）🏠 200433", {"landmark", "symbol", "postcode"}),
        ("中国云杉路", set()),
        ("云杉路5号云杉路5号", {"repeated"}),
        ("云杉路5号(原望舒厂)", {"note"}),
        ("云杉路100弄5号（望舒路20弄）", {"other_address"}),
    ],
)
def test_what_is_left_out_is_named(text: str, reasons: set[str]) -> None:
    assert {piece.reason for piece in check(text, KNOWN).ignored} == reasons


BAD = [
    ("", {"empty"}),
    ("😀🏠", {"empty", "symbol"}),
    ("云杉路5号😀601室", {"symbol"}),
    ("云杉路5号" + "杉" * 9_995, {"too_long", "unread", "repeated"}),
    ("云杉路5号" * 2_000, {"too_long", "repeated"}),
    ("云杉路100弄5号；望舒路7号", {"several", "punctuation"}),
    ("云杉路5号、7号", {"several", "punctuation"}),
    ("云杉路5号13800138000", {"phone"}),
    ("+86 138 0013 8000 云杉路5号", {"phone", "blank"}),
    ("云杉路5号 电话 021-65650000转802", {"phone", "blank"}),
    ("云杉路5号，联系人：杉望舒，13800138000", {"contact", "phone", "punctuation"}),
    ("徐汇区五角场街道云杉路5号", {"district_other"}),
    ("瓯海区云杉路5号", {"district_unknown"}),
    ("云杉路120-100号", {"range_backwards"}),
    ("云杉路120-100弄", {"range_backwards"}),
    ("云杉路5号610-601室", {"range_backwards"}),
    ("江苏省苏州市云杉路5号", {"other_city"}),
    ("杭州市西湖区云杉路5号", {"other_city"}),
    ("苏州云杉路5号", {"city_or_name"}),
]


@pytest.mark.parametrize(("text", "codes"), BAD, ids=[text[:12] for text, _ in BAD])
def test_bad_input_is_answered_with_its_reason_and_nothing_is_lost(text: str, codes: set[str]) -> None:
    parsed = check(text, Gazetteer())
    notes = {note for reading in parsed.addresses for note in reading.notes}
    assert {*parsed.notes, *notes, *(piece.reason for piece in parsed.ignored)} - {"road_unknown"} == codes
    if "empty" not in codes and "district_unknown" not in codes:
        assert "云杉路" in {parsed.parts.road, *(other.parts.road for other in parsed.addresses[0].alternatives)}


def test_known_names_do_not_hide_a_wrong_district() -> None:
    known = Gazetteer(
        {name: name for name in ("徐汇区", "杨浦区")}, {"五角场街道": "五角场街道"}, roads=roads_of(["云杉路"])
    )
    assert read("徐汇区五角场街道云杉路5号", known).addresses[0].notes == ("district_other",)
    assert read("杨浦区五角场街道云杉路5号", known).addresses[0].notes == ()


def test_a_city_that_may_be_part_of_a_name_is_another_reading() -> None:
    (reading,) = read("苏州云杉路5号").addresses
    assert reading.parts.road == "苏州云杉路"
    assert [(other.parts.city, other.parts.road, other.why) for other in reading.alternatives] == [
        ("苏州市", "云杉路", "city_or_name")
    ]


def test_every_code_has_words() -> None:
    grammar = vocabulary().grammar
    assert set(grammar["confidence"]) == set(grammar["notes"])
    assert all(0 < factor <= 1 for code, factor in grammar["confidence"].items() if code != "empty")
