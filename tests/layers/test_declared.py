"""Every declared layer keeps its word: what it says of its attributes, its shapes, its ids and who may see it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import shapely
from django.db import connection

from geo.errors import NotFound
from geo.scope import Scope
from layers.reading import count_rows, read_one, read_page, stream_rows
from layers.registry import layer, layers, visible_layers
from layers.spec import CATEGORIES
from layers.tiling import layer_edition

ALL = Scope(paths=("",), duties=frozenset({"*"}))
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "whole": (int,),
    "number": (float, int, Decimal),
    "yes_no": (bool,),
    "day": (dt.date,),
    "moment": (dt.datetime,),
}
SHAPES = {"point": {"Point"}, "line": {"LineString", "MultiLineString"}, "polygon": {"Polygon", "MultiPolygon"}}
KEYS = sorted(layers())


@pytest.mark.parametrize("key", KEYS)
def test_rows_are_of_the_kinds_the_layer_declares(key: str, city: None) -> None:
    spec = layer(key, scope=ALL)
    names = [one.name for one in spec.attributes]
    assert len(names) == len(set(names))
    assert spec.title
    assert spec.summary.endswith("。")
    assert spec.source
    assert spec.category in CATEGORIES
    assert not spec.moment or spec.attribute(spec.moment) is not None
    assert isinstance(layer_edition(spec), str)
    for row in read_page(spec, scope=ALL, limit=200).rows:
        for attribute in spec.attributes:
            value = row.properties[attribute.name]
            assert value is None or (
                isinstance(value, TYPES[attribute.kind]) and (attribute.kind == "yes_no" or not isinstance(value, bool))
            ), (attribute, value)
        assert shapely.from_wkb(row.geometry).geom_type in SHAPES[spec.geometry]


@pytest.mark.parametrize("key", KEYS)
def test_pages_stream_and_count_tell_the_same_rows_once(key: str, city: None) -> None:
    spec = layer(key, scope=ALL)
    streamed = [row.id for rows in stream_rows(spec, scope=ALL, batch=700) for row in rows]
    assert streamed == sorted(set(streamed))
    paged: list[int] = []
    after = None
    while True:
        page = read_page(spec, scope=ALL, limit=997, after=after)
        paged += [row.id for row in page.rows]
        if page.next is None:
            break
        after = page.next
    assert paged == streamed
    count = count_rows(spec, scope=ALL, exact_up_to=len(streamed))
    assert (count.number, count.exact) == (len(streamed), True)


def test_beyond_what_is_counted_an_estimate_is_told_and_says_so(city: None) -> None:
    some = count_rows(layers()["roads"], scope=Scope.public(), exact_up_to=10)
    assert not some.exact
    assert some.number > 10


def test_a_layer_with_a_duty_is_not_there_for_who_does_not_hold_it(city: None) -> None:
    keys = {one.key for one in visible_layers(scope=Scope.public())}
    assert "doors" not in keys
    with pytest.raises(NotFound) as hidden:
        layer("doors")
    with pytest.raises(NotFound) as unknown:
        layer("nothing")
    assert hidden.value.message == unknown.value.message
    assert "doors" not in hidden.value.detail["known"]


def _districts() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.path, count(*) FROM regions_regionversion v JOIN regions_edition e ON e.id = v.edition_id"
            " JOIN regions_regionversion below ON below.edition_id = e.id AND below.path LIKE v.path || '%%'"
            " JOIN addresses_address a ON a.region_id = below.region_id AND a.retired_at IS NULL AND a.room = ''"
            " AND a.unit = '' AND a.floor = '' WHERE e.state = 'published' AND v.level = 'district' GROUP BY 1"
        )
        return cursor.fetchall()


def test_rows_of_another_district_are_not_there(city: None) -> None:
    (own, expected), (_, others), *_ = _districts()
    scope = Scope(paths=(own,), duties=frozenset({"layers.view"}))
    spec = layer("doors", scope=scope)
    seen = [row.id for rows in stream_rows(spec, scope=scope) for row in rows]
    assert len(seen) == expected > 0
    assert others > 0
    hidden = next(row.id for rows in stream_rows(spec, scope=ALL) for row in rows if row.id not in set(seen))
    with pytest.raises(NotFound):
        read_one(spec, hidden, scope=scope)
    assert read_one(spec, seen[0], scope=scope).id == seen[0]


def test_a_path_is_no_pattern(city: None) -> None:
    scope = Scope(paths=("______.",), duties=frozenset({"layers.view"}))
    assert read_page(layer("doors", scope=scope), scope=scope, limit=10).rows == []
