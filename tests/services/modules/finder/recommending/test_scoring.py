"""The score of a place: parts that add up, each with its words; what is not asked is no part, what is unknown gives nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import BadInput
from services.facilities.browsing.table import Table
from services.modules.finder.recommending.learning import Done, learnt
from services.modules.finder.recommending.scoring import scored
from services.modules.finder.recommending.wishes import CHILD, ELDER, Wishes, read_wishes, side_of, wishes_of

NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
FRESH, STALE = (NOW - dt.timedelta(days=3)).timestamp(), (NOW - dt.timedelta(days=40)).timestamp()


def row(id: int, kind: str = "nursery", *, vacancies: int | None = None, at: float | None = FRESH, **said: Any) -> Any:
    import orjson

    return (id, kind, f"{id:03d}", 121.47, 31.23, 0, orjson.dumps(said).decode(), "{}", vacancies, at, None)


def points(found: Any) -> dict[str, list[float]]:
    return {part.label: [round(float(one), 3) for one in part.points] for part in found.parts}


def test_only_what_is_stated_or_known_counts_and_the_parts_make_a_hundred() -> None:
    table = Table([row(1, vacancies=5), row(2, vacancies=0), row(3), row(4, vacancies=9, at=STALE)])
    alone = scored(table, side=CHILD, now=NOW)
    assert points(alone) == {"余位": [7.5, 0.0, 0.0, 0.0]}
    assert alone.total.tolist() == [50.0, 0.0, 0.0, 0.0]
    wishes = Wishes(born="2025-05", fee_most=3000, needs=("meals", "full_day"))
    full = scored(table, side=CHILD, wishes=wishes, metres=np.zeros(4), now=NOW)
    assert [part.label for part in full.parts] == ["距离", "余位", "月龄", "收费", "需要的服务"]
    for at in range(4):
        shares = list(full.explained(at))
        assert sum(most for *_, most in shares) == pytest.approx(100)
        assert sum(got for *_, got, _ in shares) == pytest.approx(full.total[at], abs=1e-4)
    assert [list(full.explained(at))[1][1] for at in range(4)] == ["有余位", "已满", "余位待确认", "余位待确认"]


@pytest.mark.parametrize(
    ("low", "high", "share", "suits", "words"),
    [
        (12, 36, 1.0, True, "接收 18 月龄"),
        (18, 18, 1.0, True, "接收 18 月龄"),
        (24, 36, 0.0, True, "再过 6 个月就收"),
        (25, 36, 0.0, False, "不收 18 月龄"),
        (3, 17, 0.0, False, "不收 18 月龄"),
        (None, 36, 0.0, True, "月龄没登记"),
    ],
)
def test_who_does_not_take_the_child_is_never_recommended(
    low: int | None, high: int, share: float, suits: bool, words: str
) -> None:
    said = {"age_from_months": low, "age_to_months": high}
    found = scored(Table([row(1, **said)]), side=CHILD, wishes=Wishes(born="2025-05"), now=NOW)
    part = next(part for part in found.parts if part.label == "月龄")
    assert part.points.tolist() == [20.0 * share]
    assert (bool(found.suits[0]), part.say(0)) == (suits, words)


def test_fees_fall_beyond_what_is_stated_and_unknown_gives_nothing() -> None:
    table = Table([row(n, fee_month_yuan=fee) for n, fee in enumerate((2000, 3000, 3750, 4500, 9000, None, 500))])
    found = scored(table, side=CHILD, wishes=Wishes(fee_least=1000, fee_most=3000), now=NOW)
    part = next(part for part in found.parts if part.label == "收费")
    assert part.points.tolist() == [15.0, 15.0, 7.5, 0.0, 0.0, 0.0, 0.0]
    assert [part.say(at) for at in range(6)] == [
        "收费合适", "收费合适", "收费差不多", "收费不在您说的范围", "收费不在您说的范围", "收费没登记",
    ]  # fmt: skip


def test_needs_of_elders_are_kinds_or_what_a_place_says_of_itself() -> None:
    table = Table(
        [
            row(1, "care_home", memory_care=True),
            row(2, "canteen"),
            row(3, "service_centre", delivers=True),
            row(4, "park"),
        ]
    )
    found = scored(table, side=ELDER, wishes=Wishes(needs=("bed", "meals", "memory_care")), now=NOW)
    part = next(part for part in found.parts if part.label == "需要的服务")
    assert [round(one, 2) for one in part.points.tolist()] == [10.0, 5.0, 5.0, 0.0]
    assert [part.say(at) for at in range(4)] == ["长期住、认知症照护", "吃饭送餐", "吃饭送餐", "没有登记您要的服务"]


def test_what_somebody_did_lifts_what_is_like_it_and_old_acts_fade() -> None:
    table = Table(
        [row(n, inclusive=n < 10, meals=n % 2 == 0, ownership="public" if n < 5 else "private") for n in range(40)]
    )
    today = [Done("favourite", 0, 0), Done("call", 0, 2), Done("detail", 1, 4)]
    liking = learnt(today, table, ("nursery",))
    liked = [feature for feature, _ in liking.features]
    assert ("inclusive", True) in liked
    assert ("ownership", "public") in liked
    assert ("ownership", "private") not in liked
    assert 0.4 < liking.sure < 0.6
    assert learnt([Done(one.act, 120, one.place) for one in today], table, ("nursery",)).sure < liking.sure / 5
    found = scored(table, side=CHILD, liking=liking, now=NOW)
    part = next(part for part in found.parts if part.label == "您看过的")
    assert part.say(0).startswith("您关注过，像您看过的（")
    assert part.say(6).startswith("像您看过的（")
    assert "普惠" in part.say(0)
    assert part.say(39) == "和您看过的不像"
    assert found.total[0] > found.total[39]
    # Filters that were set say as much; what is no declared feature says nothing.
    # What was seen all the time and opened no more than the rest is not liked for that.
    often = learnt([Done("click", 0, n) for n in range(40)], table, ("nursery",), dict.fromkeys(range(40), 1))
    assert often.features == ()
    told = learnt([Done("narrow", 0, None, ("meals=1", "fee", "age_months"))] * 3, table, ("nursery",))
    assert [feature for feature, _ in told.features] == [("meals", True)]
    assert learnt([], table, ("nursery",)).features == ()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from(["click", "favourite", "call"]), st.floats(0, 300), st.integers(0, 30)), max_size=30
    ),
    st.integers(0, 100_000),
    st.integers(0, 100_000),
)
def test_points_are_never_below_nothing_nor_above_a_hundred(acts: Any, least: int, most: int) -> None:
    table = Table([row(n, vacancies=n, fee_month_yuan=200 * n, inclusive=n % 3 == 0) for n in range(20)])
    liking = learnt([Done(act, days, place) for act, days, place in acts], table, ("nursery",))
    wishes = Wishes(born="2025-05", fee_least=min(least, most), fee_most=max(least, most), needs=("meals",))
    total = scored(table, side=CHILD, wishes=wishes, liking=liking, metres=np.arange(20.0) * 500, now=NOW).total
    assert (total >= 0).all()
    assert (total <= 100).all()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"born": "2025-13"}, "born"),
        ({"born": "去年"}, "born"),
        ({"born": "2027-01"}, "born"),
        ({"born": "2010-01"}, "born"),
        ({"fee_least": "-1"}, "fee_least"),
        ({"fee_most": "三千"}, "fee_most"),
        ({"fee_least": "4000", "fee_most": "3000"}, "fee_most"),
    ],
)
def test_what_cannot_be_meant_is_named_at_its_field(typed: dict[str, str], field: str) -> None:
    given = {"region": "", "born": "", "fee_least": "", "fee_most": ""} | typed
    with pytest.raises(BadInput) as fault:
        read_wishes(CHILD, needs=(), today=NOW.date(), **given)
    assert fault.value.detail["field"] == field


def test_what_is_stated_is_kept_as_plain_data_and_read_again() -> None:
    wishes = read_wishes(
        CHILD, region="310101002", born="2025-05", fee_least="0", fee_most="3000", needs=["meals", "bed", "无"], today=NOW.date()
    )  # fmt: skip
    assert wishes.needs == ("meals",)
    assert wishes_of(wishes.as_data()) == wishes
    assert wishes.age_months(dt.date(2026, 11, 1)) == 18
    assert wishes_of("broken") == Wishes() == wishes_of({})
    assert (side_of(["nursery", "kindergarten"]), side_of(["canteen"]), side_of(["nursery", "canteen"]), side_of([])) == (
        CHILD, ELDER, "", "",
    )  # fmt: skip
