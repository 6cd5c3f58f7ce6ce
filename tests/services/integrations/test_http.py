"""The HTTP client against real sockets: what it refuses, how long it waits, when it rests."""

from __future__ import annotations

import gzip
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache

from geo.errors import Unavailable
from services.integrations.breaker import Breaker
from services.integrations.faults import AnswerUnclear, NotConnected, NotReached
from services.integrations.http import MOST_BYTES, Upstream, ask, check_address

Serve = Callable[[Callable[[Any], None]], str]
CLOSING = b"\r\nConnection: close\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;"


@pytest.fixture(autouse=True)
def _closed_breakers() -> None:
    cache.clear()


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = []

    def start(answer: Callable[[Any], None]) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, *_: Any) -> None: ...

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def upstream(root: str, **changes: Any) -> Upstream:
    return Upstream(key="test", name="对方", root=root, **{"inside": True, "total_s": 1.0, **changes})


def says(status: int, body: bytes = b"ok", **headers: str) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_an_answer_of_any_status_is_an_answer(serve: Serve) -> None:
    assert (ask(upstream(serve(says(418, b"tea"))), "GET", "/").status) == 418


@pytest.mark.parametrize(
    ("address", "inside", "allowed"),
    [
        ("127.0.0.1", True, True),
        ("127.0.0.1", False, False),
        ("10.0.0.5", True, True),
        ("10.0.0.5", False, False),
        ("192.168.1.1", False, False),
        ("::1", False, False),
        ("::ffff:127.0.0.1", False, False),
        ("::ffff:169.254.169.254", True, False),
        ("2002:7f00:1::", False, False),
        ("169.254.169.254", True, False),
        ("fe80::1%eth0", True, False),
        ("0.0.0.0", True, False),
        ("224.0.0.1", True, False),
        ("100.64.0.1", False, False),
        ("8.8.8.8", False, True),
        # what a gateway reads an IPv4 address out of, and what no host of the whole world has
        ("64:ff9b::7f00:1", False, False),
        ("64:ff9b::a9fe:a9fe", True, False),
        ("64:ff9b::808:808", False, True),
        ("::ffff:0:7f00:1", False, False),
        ("2001:0:7f00:1::", False, False),
        ("::127.0.0.1", False, False),
        ("fec0::1", False, False),
        ("fd00::1", True, True),
        ("2400:3200::1", False, True),
    ],
)
def test_which_addresses_are_connected_to(address: str, inside: bool, allowed: bool) -> None:
    if allowed:
        check_address(address, inside=inside)
    else:
        with pytest.raises(NotReached) as refused:
            check_address(address, inside=inside)
        assert refused.value.code == "address_refused"


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "0", "[::]"]
)
def test_loopback_is_refused_however_it_is_written(serve: Serve, host: str) -> None:
    asked = []
    root = serve(lambda handler: (asked.append(1), says(200)(handler))[1])
    with pytest.raises(NotReached):
        ask(upstream(root.replace("127.0.0.1", host), inside=False), "GET", "/")
    assert asked == []


def test_loopback_is_refused_unless_named(serve: Serve) -> None:
    asked = []
    root = serve(lambda handler: (asked.append(1), says(200)(handler))[1])
    with pytest.raises(NotReached):
        ask(upstream(root, inside=False), "GET", "/")
    with pytest.raises(NotReached):
        ask(upstream(root.replace("127.0.0.1", "localhost"), inside=False), "GET", "/")
    assert asked == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(serve: Serve, status: int) -> None:
    asked = []
    elsewhere = serve(lambda handler: (asked.append(1), says(200)(handler))[1])
    with pytest.raises(AnswerUnclear) as refused:
        ask(upstream(serve(says(status, Location=elsewhere))), "GET", "/")
    assert refused.value.code == "redirected"
    assert asked == []


@pytest.mark.parametrize("path", ["no-slash", "//evil.example/", "/a/../b", "/a b", "/a\r\nX: y", "/路"])
def test_paths_are_plain(path: str) -> None:
    with pytest.raises(ValueError, match="path of an upstream"):
        ask(upstream("http://127.0.0.1:1"), "GET", path)


def test_headers_hold_one_line() -> None:
    with pytest.raises(ValueError, match="one line"):
        ask(upstream("http://127.0.0.1:1"), "GET", "/", headers={"X": "a\r\nY: b"})


@pytest.mark.parametrize("root", ["ftp://x/", "http://user@x/", "x", "file:///etc/passwd", "http:///x"])
def test_roots_are_plain(root: str) -> None:
    with pytest.raises(ValueError, match="root of an upstream"):
        upstream(root)


def test_an_upstream_nobody_configured() -> None:
    with pytest.raises(NotConnected):
        upstream("")


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(NotReached):
        ask(upstream(f"http://127.0.0.1:{port}"), "GET", "/")


def drips(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(100):
        try:
            handler.wfile.write(b"x")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.05)


def drips_after(begin: bytes) -> Callable[[Any], None]:
    """Return an answer that says something and then a byte now and then, without ever coming to the end of its line."""

    def answer(handler: Any) -> None:
        piece = begin
        for _ in range(400):  # twenty seconds, unless it is cut
            try:
                handler.wfile.write(piece)
            except OSError:
                return
            piece = b"x"
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize("begin", [b"H", b"HTTP/1.1 200 OK\r\nX-", CHUNKED, CHUNKED.replace(b"\r\n", CLOSING, 1)])
def test_a_line_that_drips_is_cut_at_the_end_of_its_time(serve: Serve, begin: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(AnswerUnclear) as cut:
        ask(upstream(serve(drips_after(begin)), total_s=0.5), "GET", "/")
    assert cut.value.code == "answer_missing"
    assert time.monotonic() - began < 8  # the limit was 0.5; the machine may be busy


def test_a_body_that_unpacks_to_far_more_is_not_read_on(serve: Serve) -> None:
    packed = gzip.compress(gzip.compress(b"\0" * 60_000_000))
    assert len(packed) < 2_000
    with pytest.raises(AnswerUnclear) as refused:
        ask(upstream(serve(says(200, packed, **{"Content-Encoding": "gzip, gzip"})), total_s=9), "GET", "/")
    assert refused.value.code == "answer_too_large"


@pytest.mark.parametrize("head", [b"no colon here", b"X: y\r\n folded\r\nand cut"])
def test_an_odd_head_of_an_answer_brings_no_key_into_the_log(
    serve: Serve, head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    odd = b"HTTP/1.1 200 OK\r\n" + head + b"\r\nContent-Length: 2\r\n\r\nok"
    root = serve(lambda handler: handler.wfile.write(odd))
    assert ask(upstream(root), "GET", "/tile?tk=k3y-of-the-city").status == 200
    assert "upstream answered" in caplog.text
    assert "k3y" not in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: time.sleep(1.5),
        drips,
        says(200, b"x" * (MOST_BYTES + 1)),
        lambda handler: handler.connection.close(),
    ],
    ids=["silent", "dripping", "endless", "gone"],
)
def test_what_makes_no_answer(serve: Serve, answer: Callable[[Any], None]) -> None:
    with pytest.raises(AnswerUnclear):
        ask(upstream(serve(answer), total_s=0.5), "GET", "/")


def test_repeats_only_when_told_to(serve: Serve) -> None:
    statuses: list[int] = []

    def busy_twice(handler: Any) -> None:
        statuses.append(503 if len(statuses) < 2 else 200)
        says(statuses[-1])(handler)

    root = serve(busy_twice)
    assert ask(upstream(root), "GET", "/").status == 503
    assert ask(upstream(root), "GET", "/", tries=3).status == 200
    assert statuses == [503, 503, 200]


def test_after_failures_in_a_row_a_system_is_left_alone(serve: Serve) -> None:
    asked = []
    root = serve(lambda handler: (asked.append(1), says(503)(handler))[1])
    for _ in range(5):
        ask(upstream(root), "GET", "/")
    with pytest.raises(Unavailable) as resting:
        ask(upstream(root), "GET", "/")
    assert resting.value.code == "resting"
    assert len(asked) == 5


def test_after_the_rest_one_may_try() -> None:
    breaker = Breaker("test", failures=2, rest_s=30)
    breaker.failed()
    assert breaker.admits()
    breaker.failed()
    assert not breaker.admits()
    cache.delete(breaker._rest)  # the rest is over
    assert [breaker.admits() for _ in range(4)] == [True, False, False, False]
    breaker.failed()
    assert not breaker.admits()
    cache.delete(breaker._rest)
    assert breaker.admits()
    breaker.succeeded()
    assert all(breaker.admits() for _ in range(4))
