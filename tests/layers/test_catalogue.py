"""The catalogue as it is asked: words, sounds, classes, moments, and who sees what."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from geo.errors import NotFound
from geo.scope import Scope
from layers.catalogue import Wanted, as_of, entries, find, pages_of, service, services
from layers.registry import layer, visible_layers
from web.doors.catalogue.functions import operation_of

PUBLIC = Scope.public()
STAFF = Scope(paths=("",), duties=frozenset({"*"}))


def keys(wanted: Wanted, scope: Scope = PUBLIC) -> list[str]:
    return [each.key for each in find(wanted, scope=scope).entries]


def test_every_layer_and_function_is_an_entry_for_whom_it_is(city: None) -> None:
    public, staff = entries(scope=PUBLIC), entries(scope=STAFF)
    assert {each.key for each in public if each.kind == "data"} == {one.key for one in visible_layers(scope=PUBLIC)}
    assert {each.key for each in staff if each.kind == "function"} == set(services())
    assert {each.key for each in staff} - {each.key for each in public} >= {"staff_fences", "doors", "select"}
    with pytest.raises(NotFound):
        service("select", scope=PUBLIC)


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("行政区划", "regions"), ("xingzheng", "regions"), ("xzqh", "regions"), ("regions", "regions"), ("对口幼儿园", "catchments"),
        ("ＯＧＣ", "ogc"), ("坐标 转换", "convert"), ("围栏 公开", "fences"), ("/api/v1/reverse", "reverse"),
    ],
)  # fmt: skip
def test_words_find_titles_attributes_sounds_and_paths(city: None, words: str, key: str) -> None:
    assert key in keys(Wanted(words=words))


@pytest.mark.parametrize("words", ["没有这样", "qqqq", "行政区划 没有这样"])
def test_words_that_are_nowhere_find_nothing(city: None, words: str) -> None:
    assert keys(Wanted(words=words)) == []


def test_signs_alone_narrow_nothing(city: None) -> None:
    assert len(keys(Wanted(words="—— ！"))) == len(entries(scope=PUBLIC))


def test_counts_say_what_a_choice_would_list(city: None) -> None:
    for wanted in (Wanted(), Wanted(kind="data"), Wanted(words="崇明", geometry="point"), Wanted(category="plans")):
        counts = find(wanted, scope=STAFF).counts
        for name in ("kind", "category", "geometry", "audience"):
            for value, promised in counts[name].items():
                narrowed = Wanted(
                    **{**{f: getattr(wanted, f) for f in ("words", "kind", "category", "geometry")}, name: value}
                )
                if value:
                    assert len(keys(narrowed, STAFF)) == promised, (wanted, name, value)


def test_what_changed_lately_comes_first_and_alone(city: None) -> None:
    from services.facilities.models import Facility

    later = timezone.now() + dt.timedelta(days=3)
    Facility.objects.filter(pk=Facility.objects.values_list("pk", flat=True)[0]).update(updated_at=later)
    assert as_of(layer("places"), scope=PUBLIC) == later
    newest = find(Wanted(order="newest"), scope=PUBLIC).entries
    moments = [each.updated.timestamp() if each.updated else 0.0 for each in newest]
    assert moments == sorted(moments, reverse=True)
    since = timezone.localtime(later).date()
    assert "places" in keys(Wanted(since=since))
    assert "regions" not in keys(Wanted(since=since))
    assert keys(Wanted(since=since + dt.timedelta(days=1))) == []


def test_pages_are_counted() -> None:
    assert [pages_of([None] * number, 20) for number in (0, 1, 20, 21)] == [1, 1, 1, 2]  # type: ignore[list-item]


def test_functions_of_the_api_are_in_its_document() -> None:
    for one in services().values():
        if one.path.startswith("/api/"):
            assert operation_of(one), one.key
            assert not set(one.example) - _told(one), one.key


def _told(spec: Any) -> set[str]:
    from web.doors.catalogue.functions import parameters_of

    return {each.name for each in parameters_of(spec, operation_of(spec))}


def test_the_same_is_told_to_systems(city: None, client: Client) -> None:
    listed = client.get("/api/v1/layers").json()["layers"]
    assert {one["key"] for one in listed} == {one.key for one in visible_layers(scope=PUBLIC)}
    told = client.get("/api/v1/layers/places").json()
    assert told["features"] > 0
    assert told["features_exact"] is True
    west, south, east, north = told["extent"]
    assert 120 < west < east < 123
    assert 30 < south < north < 32
    assert {"name", "kind"} <= {one["name"] for one in told["attributes"]}
    assert client.get(told["links"]["tilejson"].replace("http://testserver", "")).json()["edition"]
    assert client.get("/api/v1/layers/staff_fences").status_code == 404
    assert client.get("/api/v1/layers/nothing").json()["code"] == "layer_unknown"
