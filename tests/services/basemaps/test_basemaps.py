"""Base maps: connected by managers, the key kept to ourselves, tiles kept, asked for once, and given to whom they are for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client

from geo.errors import BadInput, Conflict, Forbidden, NotFound, Unavailable
from geo.scope import Scope
from services.basemaps.actions import Wanted, delete_base_map, keep_base_map, try_base_map
from services.basemaps.models import BaseMap
from services.basemaps.queries import base_map, base_maps, changes_of, leading_base_map
from services.basemaps.serving import Kept, tile_of
from services.crypto.models import Secret
from services.integrations.basemaps.simulator import Simulator
from services.integrations.faults import AnswerUnclear
from tiles.schemes import Tile, tile_at

pytestmark = pytest.mark.django_db
KEY = "a-key-of-ours"
MANAGER = Scope(paths=("310000.",), duties=frozenset({"settings.write"}), actor="shi")
DISTRICT = Scope(paths=("310000.310101.",), duties=frozenset({"settings.write"}), actor="qu")
HERE = tile_at(121.4852, 31.2231, 13)
AT = f"{HERE.z}/{HERE.x}/{HERE.y}"


@pytest.fixture
def running(settings: Any, tmp_path: Any) -> Iterator[Simulator]:
    settings.INSIDE_HOSTS, settings.BASE_MAP_TIMEOUT_S = ["127.0.0.1"], 2.0
    cache.clear()
    with Simulator(key=KEY, slow_s=1.0) as simulator:
        yield simulator
    caches["basemaps"].clear()


def wanted(running: Simulator, **over: Any) -> Wanted:
    made = Wanted(
        key="img", title="卫星影像", view="satellite", kind="wmts", address=f"{running.url}/img_w/wmts", layer="img", secret=KEY,
        attribution="© 模拟影像", on=True,
    )  # fmt: skip
    return replace(made, **over)


def kept(running: Simulator, **over: Any) -> BaseMap:
    return keep_base_map(wanted=wanted(running, **over), scope=MANAGER)


def tiles_asked(running: Simulator) -> int:
    return sum(each.endswith("GetTile") for each in running.asked)


def test_a_key_is_sealed_stays_when_nothing_is_typed_and_never_goes_to_another_host(
    running: Simulator, settings: Any
) -> None:
    row = kept(running)
    assert KEY not in Secret.objects.get(owner=row.uid).ciphertext
    changed = keep_base_map(wanted=wanted(running, secret="", title="卫星"), scope=MANAGER, pk=row.pk, seen=1)
    assert tile_of(changed, "ground", HERE).kind == "image/png"
    settings.INSIDE_HOSTS = ["127.0.0.1", "localhost"]
    elsewhere = wanted(running, secret="", address=running.url.replace("127.0.0.1", "localhost") + "/img_w/wmts")
    with pytest.raises(BadInput) as fault:
        keep_base_map(wanted=elsewhere, scope=MANAGER, pk=row.pk, seen=2)
    assert fault.value.detail["field"] == "secret"
    keep_base_map(wanted=wanted(running, secret="", forget=True), scope=MANAGER, pk=row.pk, seen=2)
    assert not Secret.objects.filter(owner=row.uid).exists()
    told = json.dumps([vars(each) for each in changes_of(BaseMap.objects.get(), scope=MANAGER)], default=str)
    assert KEY not in told


def test_a_stale_form_a_taken_name_and_a_stranger_change_nothing(running: Simulator) -> None:
    row = kept(running)
    with pytest.raises(Conflict):
        keep_base_map(wanted=wanted(running, title="别的"), scope=MANAGER, pk=row.pk, seen=0)
    with pytest.raises(Conflict):
        kept(running, key="img2")  # the same title
    with pytest.raises(Conflict):
        delete_base_map(pk=row.pk, seen=7, scope=MANAGER)
    for scope in (DISTRICT, Scope.public()):
        with pytest.raises(Forbidden):
            keep_base_map(wanted=wanted(running, key="x"), scope=scope)
        with pytest.raises(Forbidden):
            try_base_map(pk=row.pk, scope=scope)
    assert list(BaseMap.objects.values_list("title", "revision")) == [("卫星影像", 1)]
    delete_base_map(pk=row.pk, seen=1, scope=MANAGER)
    assert not Secret.objects.filter(owner=row.uid).exists()


def test_one_base_map_leads_and_hands_it_to_the_next(running: Simulator) -> None:
    assert leading_base_map(scope=Scope.public()) is None
    first = kept(running, leads=True)
    second = kept(running, key="map", title="一张图", view="map", leads=True, staff_only=True)
    assert list(BaseMap.objects.filter(leads=True)) == [second]
    assert leading_base_map(scope=Scope.public()) is None, "it is for staff only"
    assert leading_base_map(scope=DISTRICT) == second
    with pytest.raises(Conflict):  # the form of the first still has it ticked
        keep_base_map(wanted=wanted(running, secret="", leads=True), scope=MANAGER, pk=first.pk, seen=1)
    first.refresh_from_db()
    assert [each.leads for each in changes_of(first, scope=MANAGER)] == [False, True]
    keep_base_map(wanted=wanted(running, secret="", leads=True, on=False), scope=MANAGER, pk=first.pk, seen=2)
    assert leading_base_map(scope=DISTRICT) is None, "what is off leads nobody"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("datum", "gcj02"), ("datum", "bd09"), ("title", " "), ("key", "A b"), ("view", "moon"), ("kind", "wfs"), ("layer", "a b"),
        ("attribution", ""), ("max_zoom", 30), ("secret", "two words"), ("matrix", "z"), ("address", "https://wprd01.is.autonavi.com/x"),
        ("names_address", "https://t1.tianditu.gov.cn/cia_w/wmts"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_beside_its_field(running: Simulator, field: str, value: Any) -> None:
    with pytest.raises(BadInput) as fault:
        kept(running, **{field: value})
    assert fault.value.detail["field"] == field
    assert not BaseMap.objects.exists()


def test_trying_says_what_is_wrong(running: Simulator) -> None:
    good = kept(running, names_address=f"{running.url}/cia_w/wmts", names_layer="cia")
    assert [each.kind for each in try_base_map(pk=good.pk, scope=MANAGER)] == ["image/png", "image/png"]
    assert [each.rpartition(" ")[2] for each in running.asked] == ["GetCapabilities", "GetTile"] * 2
    degrees = kept(running, key="c", title="经纬度", matrix_set="c")
    with pytest.raises(AnswerUnclear, match="画不上去"):
        try_base_map(pk=degrees.pk, scope=MANAGER)
    keyless = kept(running, key="k", title="错密钥", secret="wrong")
    with pytest.raises(AnswerUnclear):
        try_base_map(pk=keyless.pk, scope=MANAGER)


def test_a_tile_is_kept_asked_for_anew_when_old_and_stays_while_the_server_is_away(
    running: Simulator, settings: Any
) -> None:
    row = kept(running)
    first = tile_of(row, "ground", HERE)
    assert tile_of(row, "ground", HERE) == first
    assert tiles_asked(running) == 1
    settings.BASE_MAP_FRESH_S = 0
    running.fails = "broken"
    stale = tile_of(row, "ground", HERE)
    assert (stale.content, stale.stale, tiles_asked(running)) == (first.content, True, 2)
    tile_of(row, "ground", HERE)
    assert tiles_asked(running) == 2  # it rests
    with pytest.raises(Unavailable):
        tile_of(row, "ground", Tile(HERE.z, HERE.x + 1, HERE.y))
    running.fails = ""
    cache.clear()
    assert tile_of(row, "ground", HERE).at > first.at


@pytest.mark.django_db(transaction=True)
def test_however_many_wait_one_asks(running: Simulator) -> None:
    row = kept(running)
    answer, running_kvp = running._kvp, threading.Semaphore(1)

    def slowly(query: Any) -> Any:
        with running_kvp:
            time.sleep(0.4)
            return answer(query)

    running._kvp = slowly  # type: ignore[method-assign]
    found: list[Kept] = []

    def ask() -> None:
        found.append(tile_of(row, "ground", HERE))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({each.content for each in found}) == 1
    assert (len(found), tiles_asked(running)) == (6, 1)


def test_tiles_go_out_over_http_with_their_tag_and_only_those_of_the_city(running: Simulator, client: Client) -> None:
    kept(running)
    answer = client.get(f"/basemaps/img/{AT}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["Cache-Control"] == "public, max-age=86400"
    assert client.get(f"/basemaps/img/{AT}", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert client.get("/basemaps/img/6/53/26").status_code == 200  # the whole region from afar
    beijing = tile_at(116.39, 39.91, 13)
    for outside in (f"img/13/{beijing.x}/{beijing.y}", "img/19/439062/214152", f"img/names/{AT}", f"other/{AT}"):
        assert client.get(f"/basemaps/{outside}").status_code == 404, outside
    assert client.get("/basemaps/img/13/9000/1").status_code == 400
    assert tiles_asked(running) == 2
    running.fails = "page"
    failed = client.get(f"/basemaps/img/13/{HERE.x}/{HERE.y + 1}")
    assert failed.status_code == 503
    assert failed["Content-Type"].startswith("application/problem+json")
    assert KEY not in failed.content.decode()


def test_what_is_for_staff_is_not_for_everyone(running: Simulator, client: Client) -> None:
    kept(running, staff_only=True)
    off = kept(running, key="off", title="停用", on=False)
    assert base_maps(scope=Scope.public()) == []
    assert [row.key for row in base_maps(scope=DISTRICT)] == ["img"]
    for address in (f"/basemaps/img/{AT}", f"/basemaps/{off.key}/{AT}", "/style/light.json?base=img"):
        assert client.get(address).status_code == 404
    assert [each["key"] for each in client.get("/basemaps").json()["basemaps"]] == [""]
    with pytest.raises(NotFound):
        base_map("off", scope=MANAGER)
