"""The contract with servers of imagery, held by our client and the simulator over real HTTP."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache
from PIL import Image

from geo.errors import BadInput
from services.integrations.basemaps.client import check_offered, fetch_offered, fetch_tile
from services.integrations.basemaps.schemas import Imagery, Kind, checked_address
from services.integrations.basemaps.simulator import Simulator
from services.integrations.faults import AnswerUnclear, NotReached

TILE = (12, 3429, 1673)
KEY = "k3y-of-the-city"


@pytest.fixture
def running(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    settings.INSIDE_HOSTS, settings.BASE_MAP_TIMEOUT_S = ["127.0.0.1"], 1.0
    with Simulator(key=KEY) as simulator:
        yield simulator


def wmts(running: Simulator, **over: Any) -> Imagery:
    made = Imagery(
        key="img",
        name="卫星影像",
        kind=Kind.WMTS,
        address=f"{running.url}/img_w/wmts",
        layer="img",
        secret_name="tk",
        secret=KEY,
    )
    return replace(made, **over)


def template(running: Simulator, path: str) -> Imagery:
    return wmts(running, kind=Kind.TEMPLATE, address=running.url + path)


def test_one_tile_by_wmts_kvp_by_wmts_rest_and_by_xyz(running: Simulator) -> None:
    by_kvp = fetch_tile(wmts(running), *TILE)
    by_rest = fetch_tile(template(running, "/rest/img/default/w/{z}/{y}/{x}.png"), *TILE)
    by_xyz = fetch_tile(template(running, "/xyz/img/{z}/{x}/{y}.png"), *TILE)
    from_the_south = fetch_tile(template(running, "/xyz/img/{z}/{x}/{-y}.png"), TILE[0], TILE[1], 2**12 - 1 - TILE[2])
    assert by_kvp == by_rest == by_xyz == from_the_south
    assert by_kvp.kind == "image/png"
    assert Image.open(io.BytesIO(by_kvp.content)).size == (256, 256)
    assert fetch_tile(template(running, "/xyz/oblique/{z}/{x}/{y}.jpg"), *TILE).kind == "image/jpeg"
    assert fetch_tile(wmts(running), 20, 0, 0).content == b""  # deeper than there are tiles
    assert running.asked[0] == "/img_w/wmts GetTile"


def test_what_a_server_offers_is_read_before_it_is_trusted(running: Simulator) -> None:
    offered = check_offered(wmts(running))
    assert offered is not None
    assert offered.layers == ("img", "cia", "oblique")
    assert offered.zooms == tuple(range(1, 19))  # though its scales are those of 96 dpi
    assert check_offered(template(running, "/xyz/img/{z}/{x}/{y}.png")) is None
    with pytest.raises(AnswerUnclear, match="没有图层 ter"):
        check_offered(wmts(running, layer="ter"))
    with pytest.raises(AnswerUnclear, match="画不上去"):
        check_offered(wmts(running, matrix_set="c"))  # degrees: no map of ours draws it
    with pytest.raises(AnswerUnclear, match="画不上去"):
        check_offered(wmts(running, matrix="EPSG:3857:{z}"))
    running.fails = "page"
    with pytest.raises(AnswerUnclear) as fault:
        fetch_offered(wmts(running))
    assert fault.value.code in {"answer_unclear", "matrix_missing"}


@pytest.mark.parametrize(
    ("fails", "code"),
    [
        ("broken", "refused"), ("page", "not_a_picture"), ("redirect", "redirected"), ("slow", "answer_missing"),
        ("wrong", "not_a_picture"), ("giant", "answer_too_large"), ("bomb", "not_a_picture"), ("gone", "answer_missing"),
    ],
)  # fmt: skip
def test_what_is_no_tile_is_not_taken(running: Simulator, fails: Any, code: str) -> None:
    running.fails = fails
    with pytest.raises(AnswerUnclear) as fault:
        fetch_tile(wmts(running), *TILE)
    assert fault.value.code == code


def test_a_key_is_sent_and_told_to_nobody(running: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert fetch_tile(wmts(running), *TILE).content
    with pytest.raises(AnswerUnclear) as fault:
        fetch_tile(wmts(running, secret="wrong-key"), *TILE)
    assert fault.value.code == "key_refused"
    running.fails = "redirect"
    with pytest.raises(AnswerUnclear) as led_away:
        fetch_tile(wmts(running), *TILE)
    said = [record.getMessage() for record in caplog.records]
    assert said
    for text in (*said, str(fault.value), str(led_away.value), repr(wmts(running))):
        assert KEY not in text
        assert "wrong-key" not in text


def test_nothing_inside_is_asked_that_the_operator_did_not_name(running: Simulator, settings: Any) -> None:
    settings.INSIDE_HOSTS = []
    with pytest.raises(NotReached) as fault:
        fetch_tile(wmts(running), *TILE)
    assert fault.value.code == "address_refused"
    assert running.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "http://t0.tianditu.gov.cn/img_w/wmts", "https://10.0.0.8/wmts", "https://127.0.0.1/wmts", "https://localhost/wmts",
        "https://user@t0.tianditu.gov.cn/wmts", "https://t0.tianditu.gov.cn:8443/wmts", "https://t0.tianditu.gov.cn/a/../wmts",
        "https://t0.tianditu.gov.cn/wmts?tk=1", "https://t0.tianditu.gov.cn/{z}/{x}/{y}", "https://wprd01.is.autonavi.com/wmts",
        "https://t0.tianditu.gov.cn/wm ts", "ftp://t0.tianditu.gov.cn/wmts", "", "https://[::1]/wmts", "https://t0。cn/wmts",
    ],
)  # fmt: skip
def test_addresses_that_are_not_asked(address: str) -> None:
    with pytest.raises(BadInput):
        checked_address(address, kind=Kind.WMTS, inside_hosts=[])


def test_addresses_that_are_asked() -> None:
    plain = "https://t0.tianditu.gov.cn/img_w/wmts"
    assert checked_address(f" {plain} ", kind=Kind.WMTS, inside_hosts=[]) == plain
    template = "https://maps.example.gov.cn/tiles/{z}/{x}/{-y}.jpg?v=3"
    assert checked_address(template, kind=Kind.TEMPLATE, inside_hosts=[]) == template
    inside = "http://onemap.inside:8080/img/{z}/{y}/{x}"
    assert checked_address(inside, kind=Kind.TEMPLATE, inside_hosts=["onemap.inside"]) == inside
    for wrong in (
        "https://{x}.example.cn/{z}/{x}/{y}",
        "https://example.cn/{z}/{x}",
        "https://example.cn/{z}/{x}/{y}/{-y}",
    ):
        with pytest.raises(BadInput):
            checked_address(wrong, kind=Kind.TEMPLATE, inside_hosts=[])
