"""A manager lets the map of elders be drawn before anybody opens it, sees where and how fresh it is, and it follows what changes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from geo.scope import Scope
from layers.registry import layers
from services.facilities.actions import update_facility
from services.facilities.models import Facility
from services.facilities.preloading.models import Preload
from services.facilities.preloading.queries import pieces_of
from services.facilities.preloading.tasks import freshen
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in

DRAWING = re.compile(r"ST_AsMVT|SELECT t\.id, \(ST_X\(t\.geom\)", re.IGNORECASE)


def drawings(urls: list[str]) -> int:
    """Open tiles as a browser does and return how many of them had to be drawn."""
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    with CaptureQueriesContext(connection) as asked:
        for url in urls:
            assert client.get(url).status_code in (200, 204)
    return sum(1 for query in asked if DRAWING.search(query["sql"]))


def addresses(preload: Preload, *layers: str) -> list[str]:
    found = []
    for piece in pieces_of(preload):
        if not layers or piece.layer.key in layers:
            words = "&".join(f"{name}={','.join(values)}" for name, values in piece.chosen.items())
            found.append(f"/tiles/{piece.layer.key}/{piece.tile.z}/{piece.tile.x}/{piece.tile.y}.mvt?{words}")
    return found


@pytest.mark.covers("ELD-RES-01b", via="services.facilities.preloading.jobs:pieces_of")
@pytest.mark.usefixtures("worker")
def test_the_map_of_elders_is_loaded_before_anybody_opens_it_and_managed(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", "/desk/preloads")
    page.get_by_role("link", name="设置养老一张图的预加载").click()
    assert faults_of(page) == []
    page.get_by_label("名称", exact=True).fill("养老一张图")
    page.get_by_label("范围").select_option("黄浦区")
    page.get_by_label("最大级别").select_option("12")
    page.get_by_role("button", name="保存并开始").click()
    page.get_by_text("最新", exact=True).wait_for(timeout=120_000)
    page.locator("[data-map] canvas").wait_for(timeout=60_000)
    assert faults_of(page) == []
    preload = Preload.objects.get(title="养老一张图")
    run = preload.runs.get()
    every = addresses(preload)
    assert run.drawn + run.kept == len(every) > 20
    assert any("/tiles/places/" in url and url.endswith("kinds=eldercare") for url in every)
    assert drawings(every) == 0, "what people open first is there"
    last = next(url for url in addresses(preload, "places") if "/places/12/" in url)
    z, x, y = (int(each) for each in re.findall(r"/(\d+)/(\d+)/(\d+)", last)[0])
    deeper = [f"/tiles/places/13/{2 * x}/{2 * y}.mvt?kinds=eldercare"]
    assert z == 12
    assert drawings(deeper) == 1, "what was not preloaded is drawn when it is asked for"

    # a place of elders changes: what is shown of places is old, all else stays
    place = Facility.objects.filter(kind__group="eldercare", retired_at=None, status="open").first()
    assert place is not None
    update_facility(facility_id=place.pk, changes={"phone": "021-60000001"}, scope=Scope.system("test"))
    page.reload()
    page.get_by_text("有变化，等待更新").wait_for()
    assert freshen() == 1
    page.reload()
    page.get_by_text("最新", exact=True).wait_for(timeout=120_000)
    again = preload.runs.first()
    assert again is not None
    of_places = [key for key, one in layers().items() if "facilities_facility" in one.touched]
    assert again.drawn == len(addresses(preload, *of_places))
    assert again.kept == len(every) - again.drawn
    assert drawings(every) == 0
    assert freshen() == 0, "nothing changed since"

    # switched off it is left alone; deleted it is gone, and the map is seen all the same
    page.get_by_label("启用，并随变化自动更新").uncheck()
    page.get_by_role("button", name="保存并预加载").click()
    page.get_by_text("已停用").first.wait_for()
    update_facility(facility_id=place.pk, changes={"phone": "021-60000002"}, scope=Scope.system("test"))
    assert freshen() == 0
    page.get_by_text("删除这一项").click()
    page.get_by_role("button", name="删除“养老一张图”").click()
    page.get_by_text("还没有设置").wait_for()
    assert drawings(addresses(preload, "places")[:1]) == 1
