"""Acts on a draft: done once, taken back exactly, told to whoever else edits; versions that never change."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
import shapely
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import BadInput, CityError, Conflict, Forbidden, NotFound
from geo.scope import Scope
from layers.datasets.actions import (
    add_attribute,
    change_attribute,
    copy_dataset,
    create_dataset,
    describe,
    filled,
    publish,
    remove_attribute,
    restore_dataset,
    retire,
    unpublished,
    withdraw,
)
from layers.datasets.editing import (
    Sent,
    add_feature,
    change_feature,
    change_many,
    delete_features,
    redo,
    roll_back,
    undo,
)
from layers.datasets.models import DatasetAct, Feature
from layers.datasets.queries import dataset_seen, steps, version_at
from layers.datasets.revisions import differences, held_now, tally_between
from layers.reading import read_page
from layers.registry import layer, visible_layers
from tests.layers.datasets.making import EDITOR, ELSEWHERE, OTHER, made, point, sent, square, state

pytestmark = pytest.mark.usefixtures("city")


def keys(scope: Scope) -> list[str]:
    return [one.key for one in visible_layers(scope=scope)]


def test_a_feature_is_added_changed_and_deleted_and_each_act_is_told() -> None:
    dataset = made()
    first = add_feature(sent(dataset), shape=point(), said={"mingcheng": "一号椅", "leixing": "木", "zuowei": "3"})
    assert first is not None
    assert (first.said, first.made_by, first.added) == ("新增了“一号椅”", "张三", 1)
    changed = change_feature(sent(dataset), number=1, shape=point(1), said={"mingcheng": "一号椅", "zuowei": "4"})
    assert changed is not None
    assert changed.said == "改了“一号椅”的图形和内容"
    row = held_now(dataset).get()
    assert row.properties == {"mingcheng": "一号椅", "zuowei": 4}
    assert row.geom.x == pytest.approx(121.4747)
    gone = delete_features(sent(dataset), numbers=[1])
    assert gone is not None
    assert (gone.said, gone.gone) == ("删除了“一号椅”", 1)
    assert not held_now(dataset).exists()


def test_an_act_that_is_sent_twice_is_done_once_and_one_without_effect_is_none() -> None:
    dataset = made()
    same = sent(dataset)
    first = add_feature(same, shape=point(), said={"mingcheng": "一号椅"})
    assert add_feature(same, shape=point(), said={"mingcheng": "一号椅"}) == first
    assert held_now(dataset).count() == 1
    assert change_feature(sent(dataset), number=1, shape=None, said={"mingcheng": "一号椅"}) is None
    assert change_feature(sent(dataset), number=1, shape=point(), said=None) is None


def test_two_people_on_one_feature_are_told_and_on_two_features_both_stand() -> None:
    dataset = made()
    add_feature(sent(dataset), shape=point(), said={"mingcheng": "一号椅"})
    add_feature(sent(dataset), shape=point(1), said={"mingcheng": "二号椅"})
    seen = sent(dataset).seen
    change_feature(sent(dataset, OTHER), number=1, shape=None, said={"mingcheng": "首椅"})
    with pytest.raises(Conflict, match="李四 刚才改了“首椅”的内容"):
        change_feature(sent(dataset, seen=seen), number=1, shape=None, said={"mingcheng": "甲椅"})
    with pytest.raises(Conflict, match="李四"):
        delete_features(sent(dataset, seen=seen), numbers=[1, 2])
    change_feature(sent(dataset, seen=seen), number=2, shape=None, said={"mingcheng": "乙椅"})
    assert [row.properties["mingcheng"] for row in held_now(dataset).order_by("number")] == ["首椅", "乙椅"]
    delete_features(sent(dataset), numbers=[1])
    with pytest.raises(NotFound, match="可能已被删除"):
        change_feature(sent(dataset), number=1, shape=None, said={"mingcheng": "甲椅"})


@pytest.mark.parametrize(
    ("said", "name", "message"),
    [
        ({"leixing": "铁"}, "leixing", "要从这些里选：木、石"),
        ({"zuowei": "三"}, "zuowei", "要填整数"),
        ({"zuowei": "1e400"}, "zuowei", "要填整数"),
        ({"anzhuang": "2026-02-30"}, "anzhuang", "要写成 2026-09-01"),
        ({"mingcheng": "长" * 1001}, "mingcheng", "最多 1000 个字"),
    ],
)
def test_values_that_do_not_fit_are_refused_at_their_field(said: dict[str, str], name: str, message: str) -> None:
    dataset = made()
    with pytest.raises(BadInput) as refused:
        add_feature(sent(dataset), shape=point(), said=said)
    assert message in refused.value.detail["fields"][name]
    assert not held_now(dataset).exists()


def test_shapes_are_of_the_kind_valid_and_of_this_city_and_a_crossing_area_can_be_mended() -> None:
    dataset = made("polygon")
    bow = shapely.Polygon([(121.47, 31.23), (121.48, 31.24), (121.48, 31.23), (121.47, 31.24)])
    with pytest.raises(BadInput, match="边界自相交") as crossing:
        add_feature(sent(dataset), shape=bow, said={})
    assert crossing.value.detail["mendable"] is True
    add_feature(sent(dataset), shape=bow, said={}, mend=True)
    assert held_now(dataset).get().geom.valid
    refused = (
        (point(), "图形是点"),
        (shapely.box(2, 48, 2.1, 48.1), "不在本市范围内"),
        (shapely.Point(121.47, 31.23).buffer(0.01, quad_segs=6000), "最多 20,000 个顶点"),
        (shapely.Polygon(), "还没有图形"),
    )
    for shape, said in refused:
        with pytest.raises(BadInput, match=said):
            add_feature(sent(dataset), shape=shape, said={})
    with pytest.raises(BadInput, match="线没有长度"):
        add_feature(sent(made("line")), shape=shapely.LineString([(121.47, 31.23), (121.47, 31.23)]), said={})


def test_many_features_say_one_value_and_what_stands_otherwise_stays() -> None:
    dataset = made()
    for at in range(5):
        add_feature(sent(dataset), shape=point(at), said={"mingcheng": f"{at} 号", "zuowei": str(at)})
    act = change_many(sent(dataset), numbers=[1, 2, 3], name="leixing", value="石")
    assert act is not None
    assert (act.said, act.changed) == ("把 3 个要素的“类型”改成“石”", 3)
    assert [row.properties.get("leixing") for row in held_now(dataset).order_by("number")] == ["石"] * 3 + [None] * 2
    with pytest.raises(BadInput, match="要从这些里选"):
        change_many(sent(dataset), numbers=[1], name="leixing", value="铁")
    with pytest.raises(BadInput, match="没有这个字段"):
        change_many(sent(dataset), numbers=[1], name="x'; DROP TABLE datasets_feature; --", value="1")
    with pytest.raises(BadInput, match="请先勾选"):
        change_many(sent(dataset), numbers=[], name="leixing", value="石")


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 9)),
        st.tuples(st.just("change"), st.integers(0, 9)),
        st.tuples(st.just("delete"), st.integers(0, 9)),
        st.tuples(st.just("bulk"), st.integers(0, 9)),
        st.tuples(st.just("attribute"), st.integers(0, 9)),
        st.tuples(st.just("publish"), st.integers(0, 9)),
        st.tuples(st.just("undo"), st.integers(0, 9)),
        st.tuples(st.just("redo"), st.integers(0, 9)),
        st.tuples(st.just("back"), st.integers(0, 9)),
    ),
    min_size=1,
    max_size=14,
)


def _edit(dataset: Any, act: str, at: int, one: Sent) -> None:
    there = list(held_now(dataset).order_by("number").values_list("number", flat=True))
    number = there[at % len(there)] if there else 0
    if act == "add":
        add_feature(one, shape=point(at), said={"mingcheng": f"椅 {at}"})
    elif act == "change" and there:
        change_feature(one, number=number, shape=point(at, at), said={"mingcheng": f"改 {at}", "zuowei": str(at)})
    elif act == "delete" and there:
        delete_features(one, numbers=[number])
    elif act == "bulk" and there:
        change_many(one, numbers=there[: at + 1], name="leixing", value="木" if at % 2 else "")
    elif act == "attribute":
        own = next((each["name"] for each in dataset.attributes if each["title"] == f"栏 {at}"), None)
        remove_attribute(one, name=own) if own else add_attribute(one, title=f"栏 {at}", kind="text")


def _do(dataset: Any, act: str, at: int, scope: Scope) -> None:
    one = sent(dataset, scope)
    back, again = steps(dataset)
    if act == "publish" and unpublished(dataset):
        publish(one)
    elif act == "undo" and back:
        undo(one, act_id=back.pk)
    elif act == "redo" and again:
        redo(one, act_id=again.pk)
    elif act == "back" and (version := version_at(dataset)) is not None:
        with contextlib.suppress(Conflict):  # the draft holds that already
            roll_back(one, number=version.number)
    else:
        _edit(dataset, act, at, one)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(acts=ACTS)
def test_undoing_every_act_ends_at_the_beginning_redoing_at_the_end_and_versions_stay(
    acts: list[tuple[str, int]],
) -> None:
    dataset = made()
    begin = state(dataset)
    published: dict[int, tuple[int, str]] = {}
    for turn, (act, at) in enumerate(acts):
        _do(dataset, act, at, OTHER if turn % 2 else EDITOR)
        version = version_at(dataset)
        if version is not None:
            published.setdefault(version.number, (version.revision, state(dataset, version.revision)))
    end = state(dataset)
    undone = 0
    while (back := steps(dataset)[0]) is not None:
        undo(sent(dataset), act_id=back.pk)
        undone += 1
    assert state(dataset) == begin
    for _ in range(undone):
        again = steps(dataset)[1]
        assert again is not None
        redo(sent(dataset, OTHER), act_id=again.pk)
    assert state(dataset) == end
    for revision, held in published.values():
        assert state(dataset, revision) == held


def test_undo_names_the_last_act_of_anybody_and_refuses_an_older_one() -> None:
    dataset = made()
    first = add_feature(sent(dataset), shape=point(), said={"mingcheng": "一号椅"})
    assert first is not None
    add_feature(sent(dataset, OTHER), shape=point(1), said={"mingcheng": "二号椅"})
    back, _ = steps(dataset)
    assert back is not None
    assert (back.made_by, back.said) == ("李四", "新增了“二号椅”")
    with pytest.raises(Conflict, match="在您之后又有改动"):
        undo(sent(dataset), act_id=first.pk)
    undo(sent(dataset), act_id=back.pk)
    with pytest.raises(Conflict, match="已经撤销过"):
        undo(sent(dataset), act_id=back.pk)
    assert [row.properties["mingcheng"] for row in held_now(dataset)] == ["一号椅"]


def test_what_is_published_is_a_layer_and_edits_show_only_after_the_next_publishing() -> None:
    dataset = made()
    add_feature(sent(dataset), shape=point(), said={"mingcheng": "一号椅", "zuowei": "3", "anzhuang": "2026-03-01"})
    assert dataset.key not in keys(Scope.public())
    with pytest.raises(NotFound):
        layer(dataset.key)
    version = publish(sent(dataset), note="第一次")
    spec = layer(dataset.key)
    assert (spec.title, spec.category, spec.edition, spec.moment) == ("长椅", "own", "v1", "anzhuang")
    change_feature(sent(dataset), number=1, shape=None, said={"mingcheng": "改了的"})
    (row,) = read_page(layer(dataset.key), scope=Scope.public(), limit=10).rows
    assert row.properties == {"mingcheng": "一号椅", "leixing": None, "zuowei": 3, "anzhuang": dt.date(2026, 3, 1)}
    dataset.refresh_from_db()
    assert unpublished(dataset)
    publish(sent(dataset))
    assert layer(dataset.key).edition == "v2"
    (row,) = read_page(layer(dataset.key), scope=Scope.public(), limit=10).rows
    assert row.properties["mingcheng"] == "改了的"
    with pytest.raises(Conflict, match="没有可以发布的改动"):
        publish(sent(dataset))
    roll_back(sent(dataset), number=version.number)
    publish(sent(dataset))
    (row,) = read_page(layer(dataset.key), scope=Scope.public(), limit=10).rows
    assert row.properties["mingcheng"] == "一号椅"


def test_publishing_from_a_moment_waits_and_can_be_withdrawn() -> None:
    dataset = made()
    add_feature(sent(dataset), shape=point(), said={})
    later = timezone.now() + dt.timedelta(days=2)
    version = publish(sent(dataset), from_moment=later)
    assert version_at(dataset) is None
    assert version_at(dataset, later) == version
    with pytest.raises(Conflict, match="定时生效"):
        publish(sent(dataset))
    withdraw(sent(dataset), number=version.number)
    assert publish(sent(dataset)).number == 1
    with pytest.raises(Conflict, match="已经生效"):
        withdraw(sent(dataset), number=1)
    add_feature(sent(dataset), shape=point(), said={})
    for moment in (timezone.now() - dt.timedelta(days=1), timezone.now() + dt.timedelta(days=900)):
        with pytest.raises(BadInput, match="两年以内"):
            publish(sent(dataset), from_moment=moment)
    stale = sent(dataset)
    add_feature(sent(dataset, OTHER), shape=point(1), said={})
    with pytest.raises(Conflict, match="草稿又有改动"):
        publish(stale)


def test_attributes_change_without_losing_what_was_said_and_their_names_are_never_given_twice() -> None:
    dataset = made()
    add_feature(sent(dataset), shape=point(), said={"mingcheng": "一号椅", "zuowei": "3"})
    assert filled(dataset) == {"mingcheng": 1, "leixing": 0, "zuowei": 1, "anzhuang": 0}
    removed = remove_attribute(sent(dataset), name="zuowei")
    add_attribute(sent(dataset), title="座位", kind="text")
    dataset.refresh_from_db()
    assert [one["name"] for one in dataset.attributes] == ["mingcheng", "leixing", "anzhuang", "zuo_wei"]
    remove_attribute(sent(dataset), name="zuo_wei")
    add_attribute(sent(dataset), title="座位", kind="whole")
    dataset.refresh_from_db()
    assert dataset.attributes[-1]["name"] == "zuo_wei_2"
    for _ in range(4):
        back, _ = steps(dataset)
        assert back is not None
        undo(sent(dataset), act_id=back.pk)
    assert removed is not None
    dataset.refresh_from_db()
    assert filled(dataset)["zuowei"] == 1
    change_attribute(sent(dataset), name="zuowei", title="座位数", required=True, choices="", place=0)
    dataset.refresh_from_db()
    assert dataset.attributes[0] == {
        "name": "zuowei", "title": "座位数", "kind": "whole", "required": True, "choices": [],
    }  # fmt: skip
    with pytest.raises(BadInput, match="已经有叫“名称”的字段"):
        add_attribute(sent(dataset), title="名称", kind="text")
    with pytest.raises(BadInput, match="请看标出来的地方"):
        add_feature(sent(dataset), shape=point(), said={"mingcheng": "没有座位"})
    stale = sent(dataset)
    add_attribute(sent(dataset, OTHER), title="备注", kind="text")
    with pytest.raises(Conflict, match="李四 刚才新增了字段“备注”"):
        change_attribute(stale, name="zuowei", title="座", required=False, choices="", place=0)


def test_other_regions_and_those_without_the_duty_neither_see_nor_change_a_dataset() -> None:
    dataset = made(audience="staff")
    add_feature(sent(dataset), shape=point(), said={"mingcheng": "内部椅"})
    publish(sent(dataset))
    viewer = Scope(paths=EDITOR.paths, duties=frozenset({"layers.view"}), actor="看客")
    city = Scope(paths=("310000.",), duties=frozenset({"layers.view"}), actor="市里")
    assert [dataset.key in keys(scope) for scope in (EDITOR, viewer, city, ELSEWHERE, Scope.public())] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert len(read_page(layer(dataset.key, scope=viewer), scope=viewer, limit=5).rows) == 1
    assert read_page(layer(dataset.key, scope=viewer), scope=ELSEWHERE, limit=5).rows == []
    with pytest.raises(NotFound):
        layer(dataset.key, scope=ELSEWHERE)
    with pytest.raises(NotFound):
        dataset_seen(dataset.key, scope=ELSEWHERE)
    with pytest.raises(NotFound):
        add_feature(sent(dataset, ELSEWHERE), shape=point(), said={})
    with pytest.raises(Forbidden):
        add_feature(sent(dataset, viewer), shape=point(), said={})
    with pytest.raises(Forbidden):
        publish(sent(dataset, viewer))
    with pytest.raises(Forbidden, match="您管理的区域"):
        create_dataset(title="别区", geometry="point", region="310110", key=uuid4(), scope=EDITOR)


def test_a_retired_dataset_is_on_no_map_and_takes_no_edits_until_it_is_restored() -> None:
    dataset = made()
    add_feature(sent(dataset), shape=point(), said={})
    publish(sent(dataset))
    retire(sent(dataset))
    with pytest.raises(NotFound):
        layer(dataset.key)
    for act in (lambda: add_feature(sent(dataset), shape=point(), said={}), lambda: publish(sent(dataset))):
        with pytest.raises(Conflict, match="已停用"):
            act()
    restore_dataset(sent(dataset))
    assert layer(dataset.key).edition == "v1"


def test_a_copy_holds_the_same_and_goes_its_own_way() -> None:
    dataset = made()
    add_feature(sent(dataset), shape=point(), said={"mingcheng": "一号椅"})
    same = sent(dataset)
    copy = copy_dataset(same, title="长椅（试）")
    assert copy_dataset(same, title="长椅（试）") == copy
    assert state(copy) == state(dataset)
    change_feature(Sent(copy.key, copy.revision, uuid4(), EDITOR), number=1, shape=None, said={"mingcheng": "乙"})
    assert state(copy) != state(dataset)


def test_describing_is_kept_and_two_who_describe_are_told() -> None:
    dataset = made()
    stale = sent(dataset)
    about = {"summary": "公园里的", "source": "绿化所 2026", "category": "themes", "audience": "everyone"}
    describe(sent(dataset, OTHER), title="公园长椅", **about)
    with pytest.raises(Conflict, match="李四 刚才改了图层说明"):
        describe(stale, title="长凳", **about)
    assert DatasetAct.objects.filter(dataset=dataset).first().said == "改了图层的名称、说明、来源、分类"  # type: ignore[union-attr]
    with pytest.raises(BadInput) as refused:
        describe(sent(dataset), title="", summary="", source="", category="?", audience="?")
    assert set(refused.value.detail["fields"]) == {"title", "category", "audience"}


def test_versions_are_compared_feature_by_feature() -> None:
    dataset = made("polygon")
    for at in range(3):
        add_feature(sent(dataset), shape=square(at), said={"mingcheng": f"{at}"})
    first = publish(sent(dataset))
    change_feature(sent(dataset), number=1, shape=square(5), said=None)
    delete_features(sent(dataset), numbers=[2])
    add_feature(sent(dataset), shape=square(7), said={})
    change_feature(sent(dataset), number=3, shape=square(8), said=None)
    change_feature(sent(dataset), number=3, shape=square(2), said=None)
    second = publish(sent(dataset))
    found = differences(dataset, before=first.revision, after=second.revision, limit=10)
    assert [(one.number, one.kind) for one in found] == [(1, "changed"), (2, "gone"), (4, "added")]
    tally = tally_between(dataset, before=first.revision, after=second.revision)
    assert (tally.added, tally.changed, tally.gone) == (1, 1, 1)
    assert Feature.objects.filter(pk=found[1].before).get().properties == {"mingcheng": "1"}


def test_no_error_is_other_than_one_with_a_sentence() -> None:
    dataset = made()
    for act in (
        lambda: undo(sent(dataset), act_id=1),
        lambda: redo(sent(dataset), act_id=1),
        lambda: roll_back(sent(dataset), number=9),
    ):
        with pytest.raises(CityError, match=r"[\u4e00-\u9fff]"):
            act()
