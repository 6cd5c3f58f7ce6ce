"""The short way of tiles, attacked through nginx: nobody's answer for a signed-in one, no signed-in answer for others, and no way round limits."""

from __future__ import annotations

import http.client
import logging
from typing import Any

import pytest
from django.test import Client
from limits import RateLimitItemPerMinute

from geo.addresses.models import Address
from geo.imports.models import CURRENT
from services.access.demo import make_demo_accounts
from services.access.models import User
from tests.web.test_sending import ask, nginx
from tests.web.test_tile_keeping import nothing_kept, path
from tiles.schemes import tile_at
from web.doors.maps import tiles as door

__all__ = ["nginx", "nothing_kept"]
pytestmark = pytest.mark.usefixtures("live_city")


@pytest.fixture
def session() -> str:
    """Return the session of an account that may see doors, which others may not."""
    make_demo_accounts()
    signed_in = Client(headers={"host": "localhost"})
    signed_in.force_login(User.objects.get(username="shi"), backend="django.contrib.auth.backends.ModelBackend")
    return str(signed_in.cookies["sessionid"].value)


def doors() -> str:
    """Return the address of a tile that holds doors."""
    some = Address.objects.filter(CURRENT).exclude(geom=None).earliest("pk")
    tile = tile_at(*some.geom.coords, 17)
    return f"/tiles/doors/{tile.z}/{tile.x}/{tile.y}.mvt"


def told(port: int, where: str, cookies: list[str]) -> tuple[int, str, bytes]:
    """Return status, ``Cache-Control`` and body of an answer to a request with some headers of cookies."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    line.putrequest("GET", where, skip_host=True)
    line.putheader("Host", "localhost")
    for cookie in cookies:
        line.putheader("Cookie", cookie)
    line.endheaders()
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer.status, answer.headers.get("Cache-Control", ""), body


@pytest.mark.parametrize(
    "cookies",
    [
        ["sessionid={}"],
        ["a=b; ;;=; sessionid={}; c"],
        ["sessionid=; sessionid={}"],  # nginx looks at the first, the application at the last
        ["SESSIONID=; sessionid={}"],
        ['"; sessionid={}'],
    ],
)
def test_a_tile_for_staff_is_for_them_alone_however_a_cookie_is_written(
    nginx: int, session: str, cookies: list[str]
) -> None:
    where, shown = doors(), [each.format(session) for each in cookies]
    assert ask(nginx, where)[0].status == 404  # what nobody may see is no answer to keep for those who may
    for _ in range(2):
        status, keeping, body = told(nginx, where, shown)
        assert (status, keeping, b"doors" in body) == (200, "private, no-cache", True)
    for others in ([], ["sessionid="], ["sessionid=other"], ["sessionid=; sessionid="], ["SESSIONID=" + session]):
        assert told(nginx, where, others)[0] == 404
    assert told(nginx, where, ["sessionid=" + session, "sessionid="])[0] == 404  # the last one says nobody


@pytest.mark.parametrize("dressed", ["/%74iles{}", "//tiles{}", "/tiles/{}", "/./tiles{}", "/x/../tiles{}"])
def test_no_way_of_writing_an_address_leads_to_more(nginx: int, session: str, dressed: str) -> None:
    where = dressed.format(doors().removeprefix("/tiles"))
    assert told(nginx, where, [])[0] == 404
    told(nginx, where, ["sessionid=" + session])
    assert told(nginx, where, [])[0] == 404


def test_addresses_count_as_nginx_knows_them_whatever_a_caller_says_of_his(
    nginx: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door.DRAWINGS, "anonymous", RateLimitItemPerMinute(2))
    statuses, last = [], None
    for zoom in range(11, 16):
        claimed = f"10.0.0.{zoom}"
        last, body = ask(nginx, path(zoom).replace("places", "roads"), **{
            "X-Real-IP": claimed, "X-Forwarded-For": claimed, "Forwarded": f"for={claimed}", "X-Forwarded-Host": claimed,
        })  # fmt: skip
        statuses.append(last.status)
    assert statuses == [200, 200, 429, 429, 429]
    assert last is not None
    assert last.headers["Content-Type"].startswith("application/problem+json")
    assert b'"code":"too_many_requests"' in body
    assert int(last.headers["Retry-After"]) > 0
    assert "Cache-Control" not in last.headers  # a refusal is kept for nobody else
    monkeypatch.setattr(door.DRAWINGS, "anonymous", RateLimitItemPerMinute(99))
    assert ask(nginx, path(15).replace("places", "roads"))[0].status == 200


def test_hosts_that_are_not_ours_are_told_nothing_and_keep_nothing(nginx: int) -> None:
    for host in ("evil.example", "localhost.evil.example", "localhost@evil.example", "[::1", "local\thost"):
        answer, _ = ask(nginx, path(), Host=host)
        assert answer.status == 400, host
    # another port is another host to a browser: what names it stands in an answer that nobody keeps
    answer, body = ask(nginx, "/tiles/places.json", Host="localhost:4444")
    assert (answer.headers["Cache-Control"], b"localhost:4444" in body) == ("no-cache", True)
    assert b"4444" not in ask(nginx, "/tiles/places.json")[1]


def test_a_fault_on_the_short_way_is_told_and_logged_as_any_other(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> Any:
        raise RuntimeError("of ours")

    caplog.set_level(logging.INFO, "quantu.request")
    client = Client(headers={"host": "localhost"}, raise_request_exception=False)
    assert client.get(path() + "?kinds=home-of-somebody").status_code == 204
    monkeypatch.setattr(door, "answer_tile", breaks)
    ways = []
    for cookie in ("", "nobodys"):
        if cookie:
            client.cookies["sessionid"] = cookie
        answer = client.get(path())
        assert (answer.status_code, answer.json()["code"]) == (500, "fault")
        assert answer.json()["number"] == answer["X-Request-Id"][:4].upper()
        ways.append(set(answer.headers))
    assert ways[0] == ways[1]
    lines = [each.__dict__ for each in caplog.records if each.name == "quantu.request"]
    shared = {"route": "tiles/<layer_keys:keys>/<int:z>/<int:x>/<int:y>.mvt", "account": None, "method": "GET"}
    assert [{name: line[name] for name in shared} for line in lines] == [shared] * 3
    assert [line["status"] for line in lines] == [204, 500, 500]
    assert "home-of-somebody" not in caplog.text
