"""Reads of a page that is still arriving wait for the whole of it, presses for the picture of its map."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Error

from tests.reading import wait_for_maps

MAP = b"""<!doctype html><title>.</title><div class="maplibregl-map" id="map">map</div><script>
  const holder = document.getElementById('map');
  let drawn = false;
  const rest = (done) => { drawn = true; done(); };
  holder.quantu = {triggerRepaint: () => {}, once: (event, done) => {
    if (event === 'idle' && location.pathname !== '/restless') setTimeout(rest, 400, done);
  }};
  holder.addEventListener('mousedown', () => { document.title = drawn ? 'drawn' : 'too early'; });
</script>"""
"""A page with what looks like a map that takes a while to draw; of ``/restless`` it never ends."""


class _Slow(BaseHTTPRequestHandler):
    """Answers every path with a link and three rows; of ``/slow`` the rows come a while after the head. Two have a map."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        if self.path in {"/map", "/restless"}:
            self.wfile.write(MAP)
            return
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


def test_the_mouse_is_pressed_when_the_map_is_drawn(open_page: Any, slow_site: str) -> None:
    page = open_page()
    for press in (page.mouse.click, page.mouse.dblclick):
        page.goto(f"{slow_site}/map")
        press(20, 15)
        assert page.title() == "drawn"


def test_a_map_that_never_rests_is_told(open_page: Any, slow_site: str) -> None:
    page = open_page()
    page.goto(f"{slow_site}/restless")
    with pytest.raises(Error, match="the map #map did not come to rest"):
        wait_for_maps(page, seconds=1)
