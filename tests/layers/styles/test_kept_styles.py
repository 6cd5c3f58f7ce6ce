"""Styles kept of layers: versions, who may, two at once, what a layer outgrew; values classed by the database."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.scope import Scope
from layers.spec import Attribute, Detail, LayerSpec
from layers.styles.actions import restore_style, save_style
from layers.styles.models import StyleVersion
from layers.styles.queries import counts_of, legend_counted, spread_of, style_for, style_held, versions_of
from layers.styles.spec import usual_style

CITY = Scope(paths=("310000.",), duties=frozenset({"layers.edit"}), actor="shi")
CHONGMING = Scope(paths=("310000.310151.",), duties=frozenset({"layers.edit"}), actor="chong")
BEDS = {"kind": "classes", "attribute": "beds", "breaks": [10, 20], "method": "manual"}


def layer(
    rows: str = "SELECT 1 AS id, 5 AS beds, 'a' AS kind, '310000.310151.' AS path, NULL::geometry AS geom", **more: Any
) -> LayerSpec:
    return LayerSpec(
        key="homes", title="机构", geometry="point", table=f"({rows})", category="themes", summary="", details=(Detail(0),),
        attributes=(Attribute("beds", "床位", "whole", "t.beds"), Attribute("kind", "类别", "text", "t.kind")), **more,
    )  # fmt: skip


def save(
    data: dict[str, Any], seen: int, scope: Scope = CITY, of: LayerSpec | None = None, **more: Any
) -> StyleVersion:
    return save_style(layer=of or layer(), data=data, seen=seen, scope=scope, **{"key": uuid.uuid4(), **more})


@pytest.mark.django_db
def test_versions_hold_one_after_the_other_and_come_back() -> None:
    assert style_for(layer()) == usual_style(layer())
    first = save(BEDS, 0, note="按床位")
    assert style_for(layer()).breaks == (10.0, 20.0)
    save(BEDS | {"breaks": [30]}, 1)
    restore_style(layer=layer(), number=first.number, seen=2, key=uuid.uuid4(), scope=CITY)
    assert style_held(layer()).number == 3
    assert style_for(layer()).breaks == (10.0, 20.0)
    restore_style(layer=layer(), number=0, seen=3, key=uuid.uuid4(), scope=CITY)
    assert style_for(layer()) == usual_style(layer())
    told = [(one.number, one.note, one.made_by) for one in versions_of(layer(), scope=CITY)]
    assert told == [(4, "恢复默认样式", "shi"), (3, "恢复第 1 版", "shi"), (2, "", "shi"), (1, "按床位", "shi")]
    assert versions_of(layer(), scope=Scope.public()) == []
    with pytest.raises(NotFound):
        restore_style(layer=layer(), number=9, seen=4, key=uuid.uuid4(), scope=CITY)


@pytest.mark.django_db
def test_a_form_sent_twice_is_kept_once_and_a_stale_one_is_told() -> None:
    key = uuid.uuid4()
    first = save(BEDS, 0, key=key)
    assert save(BEDS, 0, key=key).pk == first.pk
    with pytest.raises(Conflict, match="shi 刚保存了第 1 版"):
        save(BEDS | {"breaks": [30]}, 0)
    with pytest.raises(Conflict, match="没有改动"):
        save(BEDS, 1)
    assert StyleVersion.objects.count() == 1


@pytest.mark.django_db
def test_who_does_not_keep_the_layer_does_not_style_it() -> None:
    for scope in (Scope.public(), replace(CITY, duties=frozenset()), CHONGMING):
        with pytest.raises(Forbidden):
            save(BEDS, 0, scope)
    of = layer(home="310000.310151.")
    assert save(BEDS, 0, CHONGMING, of).number == 1
    with pytest.raises(Forbidden):
        save(BEDS, 1, replace(CHONGMING, paths=("310000.310101.",)), of)


@pytest.mark.django_db
def test_what_is_no_style_is_refused_with_every_fault() -> None:
    with pytest.raises(BadInput) as caught:
        save(BEDS | {"breaks": [5, 5], "label": "gone"}, 0)
    assert {one["part"] for one in caught.value.detail["faults"]} == {"breaks", "label"}
    assert not StyleVersion.objects.exists()


@pytest.mark.django_db
def test_a_style_the_layer_outgrew_is_not_drawn_and_says_why() -> None:
    StyleVersion.objects.create(
        key=uuid.uuid4(), layer="homes", number=1, data=BEDS | {"attribute": "gone"}, made_by="shi"
    )
    held = style_held(layer())
    assert held.style == usual_style(layer())
    assert "没有属性“gone”" in held.outgrown


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_told() -> None:
    said: list[str] = []

    def go(cut: int) -> None:
        try:
            save(BEDS | {"breaks": [cut]}, 0)
            said.append("kept")
        except Conflict as conflict:
            said.append(conflict.code)
        finally:
            connection.close()

    both = [threading.Thread(target=go, args=(cut,)) for cut in (3, 4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(said) == ["kept", "style_changed"]


@pytest.mark.django_db
def test_values_are_counted_as_they_are_or_by_thousandths() -> None:
    few = layer(
        "SELECT n AS id, CASE WHEN n %% 10 > 0 THEN n %% 3 END AS beds, 'a' AS kind, '' AS path, NULL::geometry AS geom FROM generate_series(1, 100) n"
    )
    beds = few.attributes[0]
    spread = spread_of(few, beds, scope=Scope.public())
    assert (spread.values, sum(spread.counts), spread.missing, spread.exact) == ((0.0, 1.0, 2.0), 90, 10, True)
    many = layer(
        "SELECT n AS id, n AS beds, 'a' AS kind, '' AS path, NULL::geometry AS geom FROM generate_series(1, 50000) n"
    )
    spread = spread_of(many, beds, scope=Scope.public())
    assert not spread.exact
    assert len(spread.values) == 1000
    assert (spread.least, spread.most, spread.rows) == (1.0, 50000.0, 50000)
    assert max(spread.counts) <= 51
    with pytest.raises(ValueError, match="kind"):
        spread_of(few, few.attributes[1], scope=Scope.public())
    none = layer("SELECT 1 AS id, NULL::int AS beds, '' AS kind, '' AS path, NULL::geometry AS geom WHERE false")
    assert spread_of(none, beds, scope=Scope.public()).values == ()


@pytest.mark.django_db
def test_a_legend_counts_only_what_the_scope_sees() -> None:
    rows = """SELECT n AS id, n AS beds, CASE WHEN n < 4 THEN 'a' WHEN n < 6 THEN 'b' ELSE '' END AS kind,
        CASE WHEN n %% 2 = 0 THEN '310000.310151.' ELSE '310000.310101.' END AS path, NULL::geometry AS geom
        FROM generate_series(1, 8) n"""
    of = layer(rows, duty="layers.view", path="t.path")
    kinds = of.attributes[1]
    assert counts_of(of, kinds, scope=Scope(paths=("",))) == {"a": 3, "b": 2, None: 3}
    assert counts_of(of, kinds, scope=CHONGMING) == {"a": 1, "b": 1, None: 2}
    save(BEDS | {"breaks": [3]}, 0, of=of)
    legend = legend_counted(of, style_for(of), scope=CHONGMING)
    assert [(one.words, one.count) for one in legend.entries] == [("< 3", 1), ("≥ 3", 3)]
