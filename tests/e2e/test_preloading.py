"""A manager lets the map of elders be drawn before anybody opens it, sees where and how fresh it is, and it follows what changes."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import shapely
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis import Redis

from geo.addresses.gazetteer import published_now
from geo.scope import Scope
from layers import tiling
from services.facilities.actions import update_facility
from services.facilities.kinds import kinds_named
from services.facilities.models import Facility
from services.facilities.preloading.hits import hits_of
from services.facilities.preloading.models import Preload
from services.facilities.preloading.queries import layers_of, pieces_of
from services.facilities.preloading.tasks import freshen
from services.facilities.queries import visible
from tests.e2e.conftest import Spot, faults_of, wait_until_drawn
from tests.e2e.test_desk import sign_in
from tests.e2e.test_map import drawn, look_at
from tiles import held
from tiles.schemes import Tile
from tiles.source import Drawn, TileSource

DRAWING = re.compile(r"ST_AsMVT|SELECT t\.id, \(ST_X\(t\.geom\)", re.IGNORECASE)


def drawings(urls: list[str]) -> int:
    """Open tiles as a browser does and return how many of them had to be drawn."""
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    with CaptureQueriesContext(connection) as asked:
        for url in urls:
            assert client.get(url).status_code in (200, 204)
    return sum(1 for query in asked if DRAWING.search(query["sql"]))


def forget_tiles() -> None:
    """Forget every tile, as on a day without preloading."""
    store = Redis.from_url(settings.REDIS_URL)
    for name in list(store.scan_iter(match="*:tile:*")):
        store.delete(name)
    held._HELD.clear()


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
    page.get_by_label("范围", exact=True).select_option("黄浦区")
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
    before = hits_of(preload)
    assert drawings(every) == 0, "what people open first is there"
    after = hits_of(preload)
    assert (after.there - before.there, after.drawn) == (len(every), before.drawn)
    last = next(url for url in addresses(preload, "places") if "/places/12/" in url)
    z, x, y = (int(each) for each in re.findall(r"/(\d+)/(\d+)/(\d+)", last)[0])
    held._HELD.clear()  # the worker of this test is a thread of the server
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
    of_places = [one.key for one in layers_of(preload) if "facilities_facility" in one.touched]
    assert again.drawn == len(addresses(preload, *of_places))
    assert again.kept == len(every) - again.drawn
    assert drawings(every) == 0
    assert freshen() == 0, "nothing changed since"

    # how long visitors waited stands there, with and without preloading
    forget_tiles()
    assert drawings(every) > 0
    hits = hits_of(preload)
    assert hits.drawn > after.drawn
    assert hits.mean_drawn_ms > hits.mean_there_ms > 0
    page.reload()
    waited = page.get_by_role("region", name="等待时间的数字").locator("tbody tr").all_inner_texts()
    assert [re.findall(r"[\d,.]+", line)[:3] for line in waited] == [
        [f"{hits.there}", f"{hits.share:.1f}", f"{hits.mean_there_ms:.1f}"],
        [f"{hits.drawn}", f"{hits.missed:.1f}", f"{hits.mean_drawn_ms:.1f}"],
    ]
    assert faults_of(page) == []

    # switched off it is left alone; deleted it is gone, and the map is seen all the same
    page.get_by_label("启用，并随变化自动更新").uncheck()
    page.get_by_role("button", name="保存并预加载").click()
    page.get_by_text("已停用").first.wait_for()
    update_facility(facility_id=place.pk, changes={"phone": "021-60000002"}, scope=Scope.system("test"))
    assert freshen() == 0
    page.get_by_text("删除这一项").click()
    page.get_by_role("button", name="删除“养老一张图”").click()
    page.get_by_text("还没有设置").wait_for()
    held._HELD.clear()
    assert drawings(addresses(preload, "places")[:1]) == 1


@pytest.mark.covers("ELD-MAP-10", via="services.facilities.preloading.jobs:pieces_of")
@pytest.mark.usefixtures("worker")
def test_the_topic_of_elders_is_loaded_beforehand_counted_together_on_the_map_and_marked_out(
    open_page: Any, live_city: str, elders: Spot, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = set(kinds_named("eldercare"))
    rows = [row for row in Facility.objects.filter(visible(Scope.public(), published_now())) if row.kind_id in topic]

    # 数据的预先加载: a manager lets the topic be loaded for the whole city, and reads what came of it
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "shi", "/desk/preloads/new")
    desk.get_by_label("名称", exact=True).fill("养老专题")
    for box in desk.get_by_role("group", name="图层").get_by_role("checkbox").all():
        box.set_checked(box.get_attribute("value") == "places")
    desk.get_by_label("最小级别").select_option("8")
    desk.get_by_label("最大级别").select_option("11")
    desk.get_by_role("button", name="保存并开始").click()
    desk.get_by_text("最新", exact=True).wait_for(timeout=120_000)
    preload = Preload.objects.get(title="养老专题")
    loaded = {piece.tile for piece in pieces_of(preload)}
    assert desk.get_by_text(f"{preload.runs.get().drawn} 块").count()

    # 聚合: the map shows the topic from what was loaded; every place is in one cluster, which says of which kinds it is
    late, drawing = list[Tile](), tiling.draw_block
    kept, looking = set[Tile](), tiling._kept_or_drawn

    def noted(source: TileSource, tile: Tile) -> dict[Tile, Drawn]:
        if source.parameters.get("kinds") == ["eldercare"]:
            late.append(tile)
        return drawing(source, tile)

    def looked_up(source: TileSource, tile: Tile, *more: Any) -> Drawn:
        if source.parameters.get("kinds") == ["eldercare"]:
            kept.add(tile)
        return looking(source, tile, *more)

    monkeypatch.setattr(tiling, "draw_block", noted)
    monkeypatch.setattr(tiling, "_kept_or_drawn", looked_up)
    held._HELD.clear()  # the worker of this test is a thread of the server: what it holds in memory is no preloading
    page, asked = open_page(1440, 900), set[Tile]()
    page.on("request", lambda request: asked.update(place_of(request.url)))
    page.goto(f"{live_city}/?kinds=eldercare")
    wait_until_drawn(page)
    look_at(page, elders.lon, elders.lat, 10.2)
    together = {tuple(round(part, 5) for part in one["at"]): one["properties"] for one in drawn(page, "clusters")}
    singles = {one["properties"]["id"]: one["properties"] for one in drawn(page, "points")}
    counted = Counter(one["kind"] for one in singles.values())
    for cluster in together.values():
        kinds = {name.removeprefix("kind:"): many for name, many in cluster.items() if name.startswith("kind:")}
        assert sum(kinds.values()) == cluster["count"] > 1
        counted.update(kinds)
    assert counted == Counter(row.kind_id for row in rows)
    assert together
    assert len(asked & loaded & kept) > 2, "from what was kept, not from what the process holds in memory"
    assert not loaded & set(late), "nothing that was loaded beforehand had to be drawn"

    # 圈选: on the same map staff draw round a part of it and read which places of the topic lie there
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "guihua", "/plan/select")
    desk.locator("#select-map[data-ready=true]").wait_for()
    west, south, east, north = shapely.MultiPoint([row.geom.coords for row in rows]).bounds
    desk.evaluate(
        "box => document.getElementById('select-map').quantu.fitBounds(box, {animate: false, padding: 60})",
        [[west, south], [east, north]],
    )
    middle = desk.evaluate(
        "at => document.getElementById('select-map').quantu.project(at).x",
        [sorted(row.geom.x for row in rows)[len(rows) // 2], (south + north) / 2],
    )
    desk.get_by_role("button", name="画图形").click()
    frame = desk.locator("#select-map canvas").bounding_box()
    for across, down in ((20, 0.05), (middle, 0.05), (middle, 0.9), (20, 0.9)):  # the western half of the topic
        desk.mouse.click(frame["x"] + across, frame["y"] + frame["height"] * down)
        desk.wait_for_timeout(350)
    desk.get_by_role("button", name="画好了").click()
    shape = shapely.from_geojson(desk.locator("#shape").input_value())
    desk.get_by_role("group", name="只看哪些机构").locator("input[value=eldercare]").check()
    desk.get_by_role("button", name="圈选", exact=True).click()
    inside = [row.name for row in rows if shape.intersects(shapely.Point(*row.geom.coords))]
    assert 0 < len(inside) < len(rows)
    assert desk.locator("#answer-title").inner_text() == f"范围内有 {len(inside):,} 家机构"
    assert set(desk.locator("#listed tbody .row-link").all_inner_texts()) <= set(inside)
    assert faults_of(desk) == []


def place_of(url: str) -> list[Tile]:
    """Return the tile of the topic that an address names, in a list; none for any other address."""
    found = re.search(r"/tiles/places/(\d+)/(\d+)/(\d+)\.mvt\?kinds=eldercare", url)
    return [Tile(*map(int, found.groups()))] if found else []
