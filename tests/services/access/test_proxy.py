"""The address a white list is held against, through a real nginx with our own configuration, attacked with every header."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from layers.datasets.files.reading import MOST_BYTES as MOST_OF_DATASETS
from layers.scenes.reading import MOST_UPLOAD as MOST_OF_SCENES
from web.api.batches import MOST_BYTES as MOST_OF_BATCHES

ROOT = Path(__file__).parents[3]
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the headers that reached it."""

    def do_GET(self) -> None:
        """Write the headers as a list of pairs: one that came twice is seen twice."""
        body = json.dumps([[name, value] for name, value in self.headers.items()]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """Return nothing: a socket of this host has no address."""
        return ""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves on a socket, as our web server does."""

    daemon_threads = True


@pytest.fixture
def front(tmp_path: Path) -> Iterator[str]:
    """Start nginx with web/serving/nginx.conf before an echo, and return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = tmp_path / "n"
    for folder in (own, own / "logs", own / "nginx"):
        folder.mkdir()
    words = {
        "@USER@": "user root;" if os.geteuid() == 0 else "",
        "@NGINX@": str(own),
        "@LOGS@": str(own / "logs"),
        "@LISTEN@": f"127.0.0.1:{port}",
        "@TLS@": "",
        "@STATE@": str(own),
        "@SCRATCH@": str(own),
        "@WEB_SOCKET@": str(own / "web.sock"),
    }
    text = (ROOT / "web" / "serving" / "nginx.conf").read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(word, value)
    (own / "nginx.conf").write_text(text, encoding="utf-8")
    server = Server(str(own / "web.sock"), Echo)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    process = subprocess.Popen(
        [NGINX, "-c", str(own / "nginx.conf"), "-p", str(own), "-e", str(own / "logs" / "error.log"), "-g", "daemon off;"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            break
        except OSError:
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(not Path(NGINX).exists(), reason="nginx is not installed")
def test_no_header_of_a_caller_says_where_he_calls_from(front: str) -> None:
    lies = [
        ("X-Real-IP", "203.0.113.7"), ("X-Real-IP", "203.0.113.8"), ("x-real-ip", "203.0.113.7"), ("X_Real_IP", "203.0.113.7"),
        ("X-Forwarded-For", "203.0.113.7"), ("X_FORWARDED_FOR", "203.0.113.7"), ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "https"), ("REMOTE_ADDR", "203.0.113.7"), ("Remote-Addr", "203.0.113.7"),
    ]  # fmt: skip
    got = httpx.get(f"{front}/api/v1/platform/institutions", headers=lies).json()
    # WSGI reads - and _ as the same, so a second spelling would be a second voice.
    spelled = [(name.lower().replace("_", "-"), value) for name, value in got]
    assert [value for name, value in spelled if name == "x-real-ip"] == ["127.0.0.1"]
    assert [value for name, value in spelled if name == "x-forwarded-for"] == ["127.0.0.1"]
    assert [value for name, value in spelled if name == "x-forwarded-proto"] == ["http"]
    assert "evil.example" not in str(got)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/desk/layers/d-park/files", MOST_OF_DATASETS),
        ("/desk/scenes/s-home/files", MOST_OF_SCENES),
        ("/tools/standardise/batches", MOST_OF_BATCHES),
        ("/desk/files/upload", 64_000_000),
    ],
)
def test_the_edge_lets_pass_what_a_page_says_it_takes_and_not_much_more(front: str, path: str, most: int) -> None:
    host, port = front.removeprefix("http://").split(":")
    for size, wanted in ((most, b"100"), (most * 3, b"413")):
        with socket.create_connection((host, int(port)), 5) as line:
            said = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\nExpect: 100-continue\r\n\r\n"
            line.sendall(said.encode())
            assert line.recv(12).split()[1] == wanted, size
