"""Many features at once: which are new, which change which, which go; one act that is taken back whole."""

from __future__ import annotations

from typing import Any

import pytest
import shapely

from geo.errors import Conflict
from layers.datasets.arriving import BY_ORIGIN, Arrival, Matching, take_in, weigh
from layers.datasets.editing import add_feature, undo
from layers.datasets.models import Dataset
from layers.datasets.queries import steps
from layers.datasets.revisions import held_now
from tests.layers.datasets.making import EDITOR, OTHER, made, point, sent, state

pytestmark = pytest.mark.usefixtures("city")


def arrival(at: int, origin: str = "", **properties: Any) -> Arrival:
    return Arrival(shapely.to_wkb(point(at), byte_order=1), properties, origin)


def benches() -> Dataset:
    dataset = made()
    for at in range(3):
        add_feature(sent(dataset), shape=point(at), said={"mingcheng": f"{at} 号", "zuowei": str(at)})
    return dataset


def test_by_a_key_the_same_features_change_others_are_added_and_replaced_ones_go() -> None:
    dataset = benches()
    arrivals = [arrival(0, mingcheng="0 号"), arrival(9, mingcheng="1 号", leixing="木"), arrival(5, mingcheng="新")]
    weighed = weigh(dataset.key, arrivals=arrivals, matching=Matching("mingcheng", replace=True), scope=EDITOR)
    assert (weighed.tally.added, weighed.tally.changed, weighed.tally.gone, weighed.same) == (1, 1, 1, 1)
    before = state(dataset)
    act = take_in(sent(dataset), arrivals=arrivals, matching=Matching("mingcheng", replace=True), said="导入")
    assert act is not None
    assert act.said == "导入：新增 1 个、修改 1 个、删除 1 个"
    rows = {row.number: row.properties for row in held_now(dataset)}
    assert rows == {
        1: {"mingcheng": "0 号", "zuowei": 0}, 2: {"mingcheng": "1 号", "zuowei": 1, "leixing": "木"}, 4: {"mingcheng": "新"},
    }  # fmt: skip
    back, _ = steps(dataset)
    assert back is not None
    undo(sent(dataset), act_id=back.pk)
    assert state(dataset) == before


def test_without_a_key_everything_is_new_and_what_is_there_stays_or_goes() -> None:
    dataset = benches()
    take_in(sent(dataset), arrivals=[arrival(7)], matching=Matching(), said="导入")
    assert held_now(dataset).count() == 4
    take_in(sent(dataset), arrivals=[arrival(8, mingcheng="只有它")], matching=Matching(replace=True), said="导入")
    assert [row.properties for row in held_now(dataset)] == [{"mingcheng": "只有它"}]


def test_by_origin_what_did_not_arrive_goes_too_and_the_same_twice_changes_nothing() -> None:
    dataset = made()
    matching = Matching(BY_ORIGIN, replace=True, over=True)
    take_in(sent(dataset), arrivals=[arrival(1, "7", mingcheng="甲", zuowei=3)], matching=matching, said="更新")
    assert (
        take_in(sent(dataset), arrivals=[arrival(1, "7", mingcheng="甲", zuowei=3)], matching=matching, said="更新")
        is None
    )
    take_in(sent(dataset), arrivals=[arrival(1, "7", mingcheng="甲")], matching=matching, said="更新")
    (row,) = held_now(dataset)
    assert (row.number, row.properties, row.origin) == (1, {"mingcheng": "甲"}, "7")


def test_a_key_that_several_features_share_and_a_draft_that_moved_are_refused() -> None:
    dataset = benches()
    with pytest.raises(Conflict, match="文件里有几个要素的“名称”相同（甲）"):
        take_in(
            sent(dataset), arrivals=[arrival(1, mingcheng="甲"), arrival(2, mingcheng="甲")], matching=Matching("mingcheng"),
            said="导入",
        )  # fmt: skip
    add_feature(sent(dataset), shape=point(8), said={"mingcheng": "1 号"})
    with pytest.raises(Conflict, match="图层里有几个要素的“名称”相同（1 号）"):
        take_in(sent(dataset), arrivals=[arrival(1, mingcheng="1 号")], matching=Matching("mingcheng"), said="导入")
    stale = sent(dataset)
    add_feature(sent(dataset, OTHER), shape=point(8), said={})
    with pytest.raises(Conflict, match="核对以后图层又有改动"):
        take_in(stale, arrivals=[arrival(1)], matching=Matching(), said="导入")


def test_whole_numbers_and_yes_or_no_are_keys_too() -> None:
    dataset = benches()
    take_in(sent(dataset), arrivals=[arrival(4, zuowei=2, leixing="石")], matching=Matching("zuowei"), said="导入")
    assert held_now(dataset).get(number=3).properties == {"mingcheng": "2 号", "zuowei": 2, "leixing": "石"}
