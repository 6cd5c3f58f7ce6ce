"""What nginx keeps of tiles, with the very configuration of ./run: fetched once, old at once while the new comes, never what is one's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from geo.jobs.actions import run_job
from geo.scope import Scope
from layers.datasets.actions import describe, publish, restore_dataset, retire
from layers.datasets.editing import add_feature
from layers.datasets.models import Audience
from services.access.demo import make_demo_accounts
from services.access.models import User
from services.facilities.actions import update_facility
from services.facilities.models import Facility
from services.facilities.preloading.archives import start_archive
from tests.layers.datasets.making import LAT, LON, made, point, sent
from tests.web.test_sending import ask, nginx
from tiles.schemes import tile_at
from web.doors.maps import tiles as door

__all__ = ["nginx"]
pytestmark = pytest.mark.usefixtures("live_city")


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    cache.clear()
    door._KNOWN.clear()
    yield
    cache.clear()


class Fetches:
    """Counts the tiles that the application is asked for, and can hold them back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.free = threading.Event()
        self.free.set()
        answer = door.answer_tile

        def counted(*given: Any, **named: Any) -> Any:
            self.count += 1
            assert self.free.wait(20)
            return answer(*given, **named)

        monkeypatch.setattr(door, "answer_tile", counted)


@pytest.fixture
def fetches(monkeypatch: pytest.MonkeyPatch) -> Fetches:
    return Fetches(monkeypatch)


def place() -> Facility:
    return Facility.objects.filter(status="open", retired_at=None).earliest("id")


def path(zoom: int = 15) -> str:
    tile = tile_at(*place().geom.coords, zoom)
    return f"/tiles/places/{tile.z}/{tile.x}/{tile.y}.mvt"


def renamed() -> bytes:
    """Give the place a name that it never had, and return it as tiles hold it."""
    name = f"新名字{time.monotonic_ns()}"
    update_facility(facility_id=place().pk, changes={"name": name}, scope=Scope.system("test"))
    return name.encode()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_tile_is_fetched_once_for_everyone_who_is_nobody_in_particular(nginx: int, fetches: Fetches) -> None:
    where, answers = path(), list[Any]()
    fetches.free.clear()
    people = [threading.Thread(target=lambda: answers.append(ask(nginx, where))) for _ in range(6)]
    for person in people:
        person.start()
    until(lambda: fetches.count > 0)
    time.sleep(0.3)
    fetches.free.set()
    for person in people:
        person.join()
    assert fetches.count == 1
    assert {(answer.status, body) for answer, body in answers} == {(200, answers[0][1])}
    assert sorted(answer.headers["X-Cache"] for answer, _ in answers) == ["HIT"] * 5 + ["MISS"]
    answer, body = ask(nginx, where, **{"If-None-Match": answers[0][0].headers["ETag"]})
    assert (answer.status, body, answer.headers["X-Cache"], fetches.count) == (304, b"", "HIT", 1)

    # who is signed in or has a key passes by, and leaves nothing
    make_demo_accounts()
    signed_in = Client(headers={"host": "localhost"})
    signed_in.force_login(User.objects.get(username="jumin"), backend="django.contrib.auth.backends.ModelBackend")
    cookie = {"Cookie": f"sessionid={signed_in.cookies['sessionid'].value}"}
    for _ in range(2):
        answer, _ = ask(nginx, path(16), **cookie)
        assert (answer.status, answer.headers["X-Cache"]) == (200, "BYPASS")
    large = path(13).replace("places", "roads")
    packed, _ = ask(nginx, large, **cookie, **{"Accept-Encoding": "gzip"})
    assert (packed.headers["Content-Encoding"], packed.headers["ETag"][:2]) == ("gzip", "W/")
    again, _ = ask(nginx, large, **cookie, **{"If-None-Match": packed.headers["ETag"]})
    assert (again.status, again.headers["X-Cache"]) == (304, "BYPASS")
    assert ask(nginx, path(16), **{"X-API-Key": "nothing"})[0].status == 401
    assert fetches.count == 5
    assert ask(nginx, path(16))[0].headers["X-Cache"] == "MISS"


def test_an_old_tile_comes_at_once_while_the_new_one_is_fetched_but_not_one_that_is_too_old(
    nginx: int, fetches: Fetches, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "stale-while-revalidate=600" in door.FOR_ALL
    monkeypatch.setattr(door, "FOR_ALL", "public, max-age=3, stale-while-revalidate=600")
    where = path()
    _, old = ask(nginx, where)
    name = renamed()
    assert ask(nginx, where)[1] == old  # for three seconds it need not be asked again
    time.sleep(4.1)
    fetches.free.clear()
    began = time.monotonic()
    told = [ask(nginx, where) for _ in range(4)]
    assert time.monotonic() - began < 10  # nobody waits for the application, which answers no one
    assert {body for _, body in told} == {old}
    assert [answer.headers["X-Cache"] for answer, _ in told] == ["STALE", "UPDATING", "UPDATING", "UPDATING"]
    until(lambda: fetches.count == 2)
    monkeypatch.setattr(door, "FOR_ALL", "public, max-age=60, stale-while-revalidate=600")
    fetches.free.set()
    until(lambda: name in ask(nginx, where)[1])
    assert ask(nginx, where)[0].headers["X-Cache"] == "HIT"
    assert fetches.count == 2

    monkeypatch.setattr(door, "FOR_ALL", "public, max-age=1, stale-while-revalidate=1")
    ask(nginx, path(16))
    name = renamed()
    time.sleep(3.1)
    answer, body = ask(nginx, path(16))
    assert name in body
    assert answer.headers["X-Cache"] == "EXPIRED"
    assert fetches.count == 4


def test_an_edition_is_kept_and_one_that_passed_is_not(nginx: int, fetches: Fetches) -> None:
    edition = Client(headers={"host": "localhost"}).get("/tiles/places.json").json()["edition"]
    where = f"{path()}?edition={edition}"
    before = [ask(nginx, where) for _ in range(2)]
    assert [answer.headers["X-Cache"] for answer, _ in before] == ["MISS", "HIT"]
    assert before[0][0].headers["Cache-Control"] == "public, max-age=604800, immutable"
    name = renamed()
    assert ask(nginx, where)[1] == before[0][1]  # what its name says: the rows of that edition
    for _ in range(2):
        answer, body = ask(nginx, f"{path()}?edition=passed")
        assert (answer.headers["X-Cache"], answer.headers["Cache-Control"]) == ("MISS", "no-store")
        assert name in body


def test_what_staff_withdraw_ends_everywhere(
    nginx: int, fetches: Fetches, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.TILE_ARCHIVES = tmp_path / "archives"
    monkeypatch.setattr(door, "FOR_A_MINUTE", door.FOR_A_MINUTE.replace("60", "3"))
    assert door.FOR_A_MINUTE == "public, max-age=3"
    dataset = made()
    add_feature(sent(dataset), shape=point(), said={"mingcheng": "长椅"})
    publish(sent(dataset))
    anyone = Client(headers={"host": "localhost"})
    described = anyone.get(f"/tiles/{dataset.key}.json").json()
    tile = tile_at(LON, LAT, 15)
    where = f"/tiles/{dataset.key}/15/{tile.x}/{tile.y}.mvt?edition={described['edition']}"
    whole = f"/tiles/{dataset.key}.pmtiles"
    run_job(job_id=start_archive(key=dataset.key, scope=Scope.system("test")).pk)
    assert "长椅".encode() in ask(nginx, where)[1]
    assert [ask(nginx, where)[0].headers[name] for name in ("X-Cache", "Cache-Control")] == ["HIT", "public, max-age=3"]
    part, body = ask(nginx, whole, Range="bytes=0-6")
    assert (part.status, body, part.headers["Accept-Ranges"]) == (206, b"PMTiles", "bytes")

    retire(sent(dataset))
    assert anyone.get(where).status_code == 404
    assert ask(nginx, whole)[0].status == 404
    time.sleep(4.1)
    assert ask(nginx, where)[0].status == 404
    restore_dataset(sent(dataset))
    assert "长椅".encode() in ask(nginx, where)[1]
    about = {"title": dataset.title, "summary": "", "source": "", "category": dataset.category}
    describe(sent(dataset), **about, audience=Audience.STAFF)
    assert anyone.get(where).status_code == 404
    assert ask(nginx, whole)[0].status == 404
    time.sleep(4.1)
    assert ask(nginx, where)[0].status == 404
