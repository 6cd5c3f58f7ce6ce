"""The island map over the tiny city: what a question finds, how well places are kept, how layers are set and by whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.facilities.models import Facility
from services.facilities.upkeep.actions import add_facility
from services.modules.islands.actions import move_layer, set_layer
from services.modules.islands.models import LayerSetting
from services.modules.islands.queries import Question, find_places, layers_shown, quality, standings
from services.modules.islands.words import BY_KEY, HOME, LAYERS

pytestmark = pytest.mark.usefixtures("city")
CITY = Scope(paths=("310000.",), duties=frozenset({"facilities.edit", "islands.layers"}), actor="shi")
ISLAND = Scope(paths=(HOME,), duties=frozenset({"islands.layers"}), actor="chong")
WEEK = {day: [["08:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def enter(kind: str, name: str, at: int, district: str = HOME, **more: Any) -> Facility:
    rows = RegionVersion.objects.filter(edition__state="published", level="committee", path__startswith=district)
    label = rows.order_by("code")[at * 3].label
    values = {"kind_id": kind, "name": name, "address_text": f"{name}路口", "position": (label.x, label.y), **more}
    change = add_facility(values=values, key=uuid4(), scope=CITY, why="核对过")
    return Facility.objects.get(pk=change.facilities[0])


def names(question: Question) -> set[str]:
    return {pin.name for pin in find_places(question, scope=Scope.public()).pins}


def every(**more: Any) -> Question:
    return Question(layers=tuple(BY_KEY), **more)


def test_what_is_asked_of_guesthouses_leaves_others_alone() -> None:
    enter("guesthouse", "甲", 1, **{"attributes.night_from_yuan": 300, "attributes.pets": True})
    enter("guesthouse", "乙", 2, **{"attributes.night_from_yuan": 301, "attributes.pets": False})
    enter("guesthouse", "丙", 3)
    enter("hotel", "酒店", 4, **{"attributes.night_from_yuan": 900})
    enter("guesthouse", "别区", 5, district="310000.310101.", **{"attributes.pets": True})
    assert names(every()) == {"甲", "乙", "丙", "酒店"}
    assert names(every(most_yuan=300)) == {"甲", "酒店"}
    assert names(every(facilities=("pets",))) == {"甲", "酒店"}
    assert names(Question(layers=("hotels",), facilities=("pets",))) == {"酒店"}
    assert names(Question()) == set()
    found = find_places(Question(layers=("hotels",), most_yuan=300), scope=Scope.public())
    assert (found.counts["guesthouses"], found.counts["hotels"], found.counts["food"]) == (1, 1, 0)


def test_the_nearest_come_first_and_towns_narrow_all() -> None:
    places = [enter("guesthouse", f"第{number}家", number) for number in (1, 9, 17)]
    last = places[-1]
    found = find_places(every(near=(last.geom.x, last.geom.y)), scope=Scope.public())
    assert found.pins[0].id == last.pk
    assert found.metres[last.pk] < 1
    assert sorted(found.metres.values()) == [found.metres[pin.id] for pin in found.pins]
    path = RegionVersion.objects.get(edition__state="published", region=last.region_id).path
    assert last.name in names(every(town=path.split(".")[2]))


def test_places_shut_or_taken_down_are_not_shown() -> None:
    place = enter("guesthouse", "甲", 1)
    for change in ({"status": "suspended"}, {"status": "open", "retired_at": place.updated_at}):
        Facility.objects.filter(pk=place.pk).update(**change)
        assert names(every()) == set()


def test_figures_of_quality_are_those_of_the_rows() -> None:
    whole = {"attributes.lodging_type": "farm", "attributes.rooms": 3, "attributes.night_from_yuan": 200,
             "attributes.parking": True, "attributes.pets": False, "attributes.kitchen": True, "attributes.breakfast": False}  # fmt: skip
    enter("guesthouse", "甲", 1, phone="021-55500001", hours=WEEK, **whole)
    old = enter("guesthouse", "乙", 2, phone="021-55500002")
    Facility.objects.filter(pk=old.pk).update(as_of=dt.date(2020, 1, 1), uncertainty_m=300)
    report = quality(scope=Scope.public())
    one = {layer.key: said for layer, said in report.layers}["guesthouses"]
    assert (one.total, one.position, one.phone, one.hours, one.offers, one.whole, one.stale) == (2, 1, 2, 1, 1, 1, 1)
    assert dict(one.shares) == {"位置准确": 50, "有电话": 100, "有开放时间": 50, "设施齐全": 50, "全部齐全": 50}
    assert sum(said.total for _, said in report.towns) == report.whole.total == 2
    assert {layer.key: said for layer, said in report.layers}["food"].shares[0] == ("位置准确", None)


def setting(key: str, **more: Any) -> dict[str, Any]:
    one = BY_KEY[key]
    usual = {"shown": True, "title": one.title, "icon": one.icon, "shape": one.shape, "tone": one.tone, "seen": 0}
    return {"key": key, "scope": ISLAND, **usual, **more}


def test_layers_are_set_against_what_was_seen() -> None:
    set_layer(**setting("food", title="吃"))
    assert next(one for one in standings() if one.key == "food").title == "吃"
    with pytest.raises(Conflict):
        set_layer(**setting("food", title="喝"))
    set_layer(**setting("food", title="吃"))  # what is set already
    assert LayerSetting.objects.get().revision == 1
    for wrong in (
        {"title": " "},
        {"title": "长" * 13},
        {"icon": "skull"},
        {"shape": "star"},
        {"tone": 6},
        {"title": "民宿"},
    ):
        with pytest.raises(BadInput):
            set_layer(**setting("food", seen=1, **wrong))
    guest = BY_KEY["guesthouses"]
    with pytest.raises(BadInput, match="另一个图层已经用了这种标记"):
        set_layer(**setting("food", seen=1, icon=guest.icon, shape=guest.shape, tone=guest.tone))
    with pytest.raises(NotFound):
        set_layer(**setting("food") | {"key": "gone"})


def test_one_layer_at_least_stays() -> None:
    for one in LAYERS[1:]:
        set_layer(**setting(one.key, shown=False))
    assert [one.key for one in layers_shown()] == [LAYERS[0].key]
    with pytest.raises(BadInput, match="至少要留一个"):
        set_layer(**setting(LAYERS[0].key, shown=False))


def test_layers_move_in_the_order_that_was_seen() -> None:
    keys = [one.key for one in LAYERS]
    move_layer(key=keys[1], up=True, seen=",".join(keys), scope=ISLAND)
    assert [one.key for one in standings()] == [keys[1], keys[0], *keys[2:]]
    with pytest.raises(Conflict):
        move_layer(key=keys[1], up=False, seen=",".join(keys), scope=ISLAND)
    assert LayerSetting.objects.filter(changed_by="chong").count() == 2


def test_only_who_keeps_the_island_arranges_it() -> None:
    for scope in (Scope.public(), replace(ISLAND, paths=("310000.310101.",)), replace(ISLAND, duties=frozenset())):
        with pytest.raises(Forbidden):
            set_layer(**setting("food", title="吃", scope=scope))
        with pytest.raises(Forbidden):
            move_layer(key="food", up=True, seen="", scope=scope)


@pytest.mark.parametrize(
    "query",
    ["on=none", "set=1", "q=%00", "q=''", "town=310101", "most=-1", "rooms=9999999", "lon=x&lat=y", "lon=121.4&lat=31.6&crs=mars",
     "page=0", "page=99999", "page=x", "type=<b>", "has=password", "on=guesthouses&on=guesthouses"],
)  # fmt: skip
def test_odd_questions_are_answered_all_the_same(query: str) -> None:
    enter("guesthouse", "甲", 1)
    answer = Client(headers={"host": "localhost"}).get(f"/islands?{query}")
    assert answer.status_code == 200
    assert b"islands-answer" in answer.content


def test_a_pin_is_one_of_ours() -> None:
    client = Client(headers={"host": "localhost"})
    good = client.get("/pins/dark/drop-1-house-heart.svg")
    assert (good.status_code, good["Content-Type"]) == (200, "image/svg+xml")
    for wrong in ("dark/drop-1-nothing", "dark/star-1-tent", "dark/drop-6-tent", "night/drop-1-tent", "dark/drop-tent"):
        assert client.get(f"/pins/{wrong}.svg").status_code == 404
