"""What an address asks of a ledger: read, refused in words, and written back the same."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from geo.errors import BadInput
from services.kernel.ledger.asking import MOST_IDS, Asked, read_asked
from services.kernel.spec import Column, LedgerSpec

SPEC = LedgerSpec(
    key="things",
    title="东西",
    model="facilities.Facility",
    counter="件",
    icon="list",
    duty="things.view",
    point="geom",
    columns=(
        Column("name", "名称", sorts=True, filters=True),
        Column("status", "状态", "choice", (("open", "开放"), ("closed", "关闭")), filters=True),
        Column("inclusive", "普惠", "flag", filters=True),
        Column("places", "名额", "integer", sorts=True, filters=True),
        Column("fee", "收费", "number", filters=True),
        Column("as_of", "日期", "day", filters=True),
        Column("seen_at", "时间", "moment", filters=True),
        Column("phone", "电话", masked="phone"),
    ),
)


def asked(query: str) -> Asked:
    return read_asked(QueryDict(query), SPEC)


def test_every_part_of_an_address_is_read_and_written_back() -> None:
    query = (
        "q=%E5%B0%8F+%E7%9F%B3&sort=-places&region=310101&region=310110&f.status=open&f.status=closed&f.inclusive=1"
        "&f.places.from=3&f.places.to=20&f.as_of.from=2026-01-01&f.name=%E5%9B%AD&col=name&col=status&id=4&id=9"
        "&area=121.4,31.2;121.5,31.2;121.45,31.3"
    )
    found = asked(query)
    assert found == Asked(
        text="小 石",
        regions=("310101", "310110"),
        chosen={"status": ("open", "closed"), "inclusive": ("1",)},
        ranges={"places": ("3", "20"), "as_of": ("2026-01-01", "")},
        holding={"name": "园"},
        sort="-places",
        columns=("name", "status"),
        ids=(4, 9),
        area=((121.4, 31.2), (121.5, 31.2), (121.45, 31.3)),
    )
    assert asked(found.query()) == found
    assert found.narrows
    assert not asked("sort=name&col=name").narrows


def test_what_is_left_empty_asks_nothing() -> None:
    assert asked("q=+&f.status=&f.places.from=&f.places.to=&f.name=&view=map&anything=1") == Asked()


def test_one_thing_is_taken_back_and_the_rest_stays() -> None:
    found = asked("q=a&f.status=open&f.places.from=3&f.name=b")
    assert asked(found.without("places")) == asked("q=a&f.status=open&f.name=b")
    assert asked(found.without("status")) == asked("q=a&f.places.from=3&f.name=b")
    assert asked(found.query(text="")) == asked("f.status=open&f.places.from=3&f.name=b")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("f.nothing=1", "filter_unknown"),
        ("f.phone=138", "filter_unknown"),
        ("f.places.most=3", "filter_unknown"),
        ("f.source__password=1", "filter_unknown"),
        ("f.status=gone", "filter_invalid"),
        ("f.inclusive=maybe", "filter_invalid"),
        ("f.places.from=three", "filter_invalid"),
        ("f.places.from=99999999999", "filter_invalid"),
        ("f.fee.to=nan", "filter_invalid"),
        ("f.fee.to=inf", "filter_invalid"),
        ("f.as_of.from=yesterday", "filter_invalid"),
        ("f.seen_at.to=2026-02-30", "filter_invalid"),
        ("f.places.from=9&f.places.to=3", "filter_backwards"),
        ("sort=phone", "sort_unknown"),
        ("sort=--places", "sort_unknown"),
        ("sort=id", "sort_unknown"),
        ("id=x", "ids_invalid"),
        ("id=-4", "ids_invalid"),
        ("id=99999999999999999999", "ids_invalid"),
        ("area=121.4,31.2;121.5,31.2", "area_invalid"),
        ("area=121.4,31.2;121.5;121.45,31.3", "area_invalid"),
        ("area=121.4,31.2;121.5,91;121.45,31.3", "area_invalid"),
        ("area=121.4,31.2;121.5,31.3;121.5,31.2;121.4,31.3", "area_invalid"),
        ("area=1,1;1,1;1,1", "area_invalid"),
        ("area=nan,31.2;121.5,31.2;121.45,31.3", "area_invalid"),
        ("area=" + ";".join("121.4,31.2" for _ in range(101)), "area_invalid"),
        ("q=" + "x" * 101, "query_too_long"),
        ("&".join(f"id={pk}" for pk in range(MOST_IDS + 1)), "ids_too_many"),
        ("&".join(f"region={pk}" for pk in range(201)), "filter_too_long"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(query: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        asked(query)
    assert caught.value.code == code
    assert caught.value.message.endswith(("。", "？"))


def test_signs_that_no_database_takes_are_dropped() -> None:
    assert asked("q=a%00b").text == "ab"
