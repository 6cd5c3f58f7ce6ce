"""Lists that people open first are in memory before they ask, again after every change, and managers read what that saves."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.db import connections
from django.test import Client

from geo.addresses.gazetteer import published_now
from geo.scope import Scope
from services.access.demo import make_demo_accounts
from services.access.models import User
from services.facilities.actions import update_facility
from services.facilities.models import Facility
from services.facilities.preloading import hits, lists
from services.facilities.queries import visible
from services.modules.finder.counting import flush_counts
from services.modules.finder.models import UseCount
from web.warming import ListKeeper
from web.wsgi import application

COLUMNS = ("列表", "状态", "没有预热时打开", "预热以后打开", "7 天命中率", "访客平均等待")


@pytest.fixture
def keeper(live_city: str) -> Iterator[Callable[[], ListKeeper]]:
    """Return a function that opens a process of the house over the live city: its lists are not in memory, and then kept warm."""
    hits.flush()  # what tests before this one counted
    cache.clear()
    lists.forget()
    started: list[ListKeeper] = []

    def begin() -> ListKeeper:
        keeper = ListKeeper(application, every_s=0.05, rest_s=0)
        keeper.start()
        started.append(keeper)
        return keeper

    yield begin
    for each in started:
        each.end()
    lists.forget()
    connections.close_all()


def manager() -> Client:
    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="shi"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(client: Client) -> dict[str, dict[str, str]]:
    """Return the table of lists on the page of preloading: the words of each cell, by list and column."""
    page = client.get("/desk/preloads").content.decode()
    table = page[page.index('aria-label="列表的预热"') : page.index('id="archives"')]
    rows = [
        [
            " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<td.*?</td>", row, re.S)
        ]
        for row in re.findall(r"<tr>(?:(?!<tr>).)*?<td.*?</tr>", table, re.S)
    ]
    return {cells[0]: dict(zip(COLUMNS, cells, strict=True)) for cells in rows}


def wait_until(client: Client, holds: Callable[[dict[str, dict[str, str]]], bool]) -> dict[str, dict[str, str]]:
    """Return what the page shows as soon as it is so."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = shown(client)
        if holds(found):
            return found
        time.sleep(0.1)
    raise AssertionError(f"never so: {found}")


def all_fresh(found: dict[str, dict[str, str]]) -> bool:
    return all("最新" in row["状态"] for row in found.values())


def number(words: str) -> float:
    return float(re.findall(r"[\d.]+", words)[0])


def test_lists_are_read_before_anybody_asks_and_again_after_a_change(
    live_city: str, keeper: Callable[[], ListKeeper]
) -> None:
    client = manager()
    before = shown(client)
    assert list(before) == [one.title for one in lists.LISTS]
    assert {row["状态"] for row in before.values()} == {"没有在预热 网页服务启动后自动开始"}
    assert {row["没有预热时打开"] for row in before.values()} == {"—"}
    keeper()
    found = wait_until(client, all_fresh)
    for row in found.values():
        assert row["状态"].endswith("1／1 个网页进程已读好")
        assert number(row["没有预热时打开"]) > 0
        assert number(row["预热以后打开"]) > 0
        assert row["7 天命中率"] == row["访客平均等待"] == "—", "what it asks itself is no visitor's wait"
    saved = {title: (row["没有预热时打开"], row["预热以后打开"]) for title, row in found.items()}

    # a place changes: every list is read again, and what it took without is measured anew
    place = Facility.objects.filter(visible(Scope.public(), published_now()), kind="nursery").first()
    assert place is not None
    mark = lists.mark_now()
    update_facility(facility_id=place.pk, changes={"phone": "021-60000001"}, scope=Scope.system("test"))
    assert lists.mark_now() != mark
    again = wait_until(client, all_fresh)
    assert lists.all_ready(lists.mark_now())
    assert {title: (row["没有预热时打开"], row["预热以后打开"]) for title, row in again.items()} != saved

    # nobody used the finder
    flush_counts()
    assert not UseCount.objects.exists()


def test_how_long_visitors_waited_is_told_by_list(live_city: str, keeper: Callable[[], ListKeeper]) -> None:
    place = Facility.objects.filter(visible(Scope.public(), published_now()), kind="nursery").first()
    assert place is not None
    near = {"lon": f"{place.geom.x:.6f}", "lat": f"{place.geom.y:.6f}"}

    def visit(path: str, **asked: str) -> None:
        assert requests.get(f"{live_city}{path}", params=asked, timeout=60).status_code == 200

    visit("/places", kinds="childcare")  # before any warming: read for who asks
    keeper()
    client = manager()
    wait_until(client, all_fresh)
    visit("/places", kinds="childcare")
    visit("/places", kinds="childcare", meals="1")  # narrowed, from the same rows
    visit("/elder", **near)
    visit("/", kinds="childcare", **near)
    visit("/layers")
    visit("/places", kinds="park")  # no list that is warmed
    visit("/", kinds="childcare")  # nothing is near nowhere
    found = shown(client)
    assert found["托育机构列表"]["7 天命中率"] == "66.7 % 打开 3 次"
    assert re.fullmatch(r"读好的 \d+ 毫秒 当场读的 \d+ 毫秒", found["托育机构列表"]["访客平均等待"])
    for title in ("身边的托育机构", "身边的养老机构", "空间资源目录"):
        assert found[title]["7 天命中率"] == "100.0 % 打开 1 次"
        assert re.fullmatch(r"读好的 \d+ 毫秒", found[title]["访客平均等待"])
    assert found["幼儿园列表"]["7 天命中率"] == found["养老机构列表"]["7 天命中率"] == "—"
    kept = hits.hits_of_lists()["childcare"]
    assert (kept.there, kept.drawn) == (2, 1)
    assert kept.there_ms > 0
    assert kept.drawn_ms > 0


def test_a_house_without_a_city_and_one_that_fell_ill_are_looked_after(
    live_city: str, keeper: Callable[[], ListKeeper], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Facility.objects.update(status="closed")
    keeper()
    client = manager()
    found = wait_until(client, lambda rows: any("网页进程" in row["状态"] for row in rows.values()))
    assert {row["状态"] for row in found.values()} == {"有变化，等待重读 0／1 个网页进程已读好"}
    Facility.objects.update(status="open")
    cache.clear()
    wait_until(client, all_fresh)


def test_a_list_is_told_by_its_page_and_words_alone() -> None:
    assert lists.list_of("/places", {}) is None
    for path, asked, key in (
        ("/places", {"kinds": "childcare", "street": "310101002", "cursor": "20.5"}, "childcare"),
        ("/elder", {"lon": "121.4", "lat": "31.2"}, "near-eldercare"),
        ("/", {"lon": "121.4", "lat": "31.2"}, "near-childcare"),
        ("/layers", {"q": "养老"}, "catalogue"),
    ):
        found = lists.list_of(path, asked)
        assert found is not None
        assert found.key == key
    for path, asked in (("/", {}), ("/elder", {"kinds": "canteen", "lon": "1", "lat": "1"}), ("/places/1", {})):
        assert lists.list_of(path, asked) is None
