"""Reads of a page that is still arriving wait for the whole of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class _Slow(BaseHTTPRequestHandler):
    """Answers every path with a link and three rows; of ``/slow`` the rows come a while after the head."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>.</title><a href='/slow'>on</a>" + b" " * 4096)
        self.wfile.flush()
        if self.path == "/slow":
            time.sleep(0.4)
        self.wfile.write(b"<p>1</p><p>2</p><p>3</p>")

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def slow_site() -> Iterator[str]:
    server = ThreadingHTTPServer(("localhost", 0), _Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_rows_are_counted_when_the_page_is_there(open_page: Any, slow_site: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(slow_site)
    page.get_by_role("link", name="on").click()
    assert page.locator("p").count() == 3
    page.goto(slow_site)
    page.get_by_role("link", name="on").click()
    assert page.locator("p").all_inner_texts() == ["1", "2", "3"]
