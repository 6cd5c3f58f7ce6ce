"""Names are found by their characters, by pinyin, by initials, and by Latin words within them."""

import pytest

from geo.names import LONGEST_GRAM, MOST_GRAMS, grams, plain, query_grams


def found(typed: str, name: str) -> bool:
    """Say whether what was typed finds a name, as the database's array containment does."""
    pieces = query_grams(typed)
    return bool(pieces) and set(pieces) <= set(grams(name))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("南", "南京东路"),
        ("京东", "南京东路"),
        ("南京东路", "南京东路"),
        ("南京 东路", "南京东路"),
        ("nj", "南京东路"),
        ("njdl", "南京东路"),
        ("NanJing", "南京东路"),
        ("nanjingdonglu", "南京东路"),
        ("１２３弄", "延安西路123弄"),
        ("A座", "恒隆广场Ａ座"),
        ("kfc", "肯德基KFC南京店"),
        ("(东)", "复兴路（东）"),
        ("重庆", "重庆中路"),
    ],
)
def test_what_people_type_finds_the_name(typed: str, name: str) -> None:
    assert found(typed, name)


@pytest.mark.parametrize(
    ("typed", "name"),
    [("", "南京路"), ("  ", "南京路"), ("%", "南京路"), ("北京", "南京路"), ("zz", "南京路"), ("路南", "南京路")],
)
def test_what_is_not_in_the_name_does_not_find_it(typed: str, name: str) -> None:
    assert not found(typed, name)


def test_pieces_are_few_short_unique_and_stable() -> None:
    long = "上海市浦东新区世纪大道一百号环球金融中心" * 40
    pieces = grams(long)
    assert len(pieces) == len(set(pieces)) <= MOST_GRAMS
    assert max(map(len, pieces)) <= LONGEST_GRAM
    assert grams(long) == pieces
    assert grams("") == []


def test_a_caller_may_change_its_list() -> None:
    grams("长乐路").append("x")
    assert "x" not in grams("长乐路")


def test_plain_text_has_no_width_case_or_punctuation() -> None:
    assert plain("ＡＢ－１２ 号（东）") == "ab12号东"
