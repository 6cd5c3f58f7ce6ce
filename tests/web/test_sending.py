"""Contents leave only through the view that allows it, by our own server and by nginx, whole and in part, and run nothing."""

from __future__ import annotations

import http.client
import io
import os
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from geo.errors import Conflict
from geo.kept import keep_stream
from services.crypto.sealed_files import BEGIN
from services.kernel.documents import registry
from services.kernel.documents.actions import attach_file
from services.kernel.documents.models import Attachment, ScanState
from tests.services.kernel.documents.conftest import KEEPER, THINGS
from tests.services.kernel.documents.files import picture, plain_of
from web.doors.common.sending import send_file

ROOT = Path(__file__).resolve().parents[2]
CONTENT = bytes(range(256)) * 1_000
"""Some pieces of a sealed file."""
SIZE = len(CONTENT)
NAME = '执照 "新"\r\nX: y.pdf'


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "media")
    path = tmp_path / "media" / "attachments" / "ab" / "cd" / "abcd"
    keep_stream(io.BytesIO(CONTENT), path)
    return path


def sent(kept: Path, said: str = "", **options: Any) -> Any:
    request = RequestFactory().get("/", headers={"Range": said} if said else {})
    return send_file(request, kept, media_type="application/pdf", name=NAME, **options)


PARTS = [
    ("bytes=0-99", 206, CONTENT[:100]),
    ("bytes=100-", 206, CONTENT[100:]),
    ("bytes=-10", 206, CONTENT[-10:]),
    (f"bytes={SIZE - 1}-{SIZE + 99}", 206, CONTENT[-1:]),
    (f"bytes=-{SIZE * 2}", 206, CONTENT),
    (f"bytes={SIZE}-", 416, b""),
    ("bytes=65530-65545", 206, CONTENT[65530:65546]),
    ("bytes=65536-196607", 206, CONTENT[65536:196608]),
]
ODD = ["bytes=-", "bytes=a-b", "bytes=1-2,5-6", "lines=1-2", "bytes=" + "9" * 30 + "-"]


@pytest.mark.parametrize(("said", "status", "body"), PARTS)
def test_a_part_of_a_file_is_that_part(kept: Path, said: str, status: int, body: bytes) -> None:
    response = sent(kept, said)
    assert response.status_code == status
    assert b"".join(response) == body
    if status == 206:
        assert int(response["Content-Length"]) == len(body)
    assert response["Content-Range"].endswith(f"/{SIZE}")
    response.close()


@pytest.mark.parametrize("said", ["", *ODD])
def test_the_whole_file_otherwise(kept: Path, said: str) -> None:
    response = sent(kept, said)
    assert (response.status_code, b"".join(response)) == (200, CONTENT)
    response.close()


def test_a_part_is_sent_only_of_the_content_the_caller_began_with(kept: Path) -> None:
    for said, status in (('"abc"', 206), ('"other"', 200), ("Sat, 21 Nov 2026 00:00:00 GMT", 200)):
        headers = {"Range": "bytes=0-9", "If-Range": said}
        request = RequestFactory().get("/", headers=headers)
        response = send_file(request, kept, media_type="application/pdf", name=NAME, tag="abc")
        assert (response.status_code, response["ETag"]) == (status, '"abc"')
        response.close()


def test_head_tells_of_the_file_and_opens_no_more_than_it_must(kept: Path) -> None:
    response = send_file(RequestFactory().head("/"), kept, media_type="application/pdf", name=NAME)
    assert (response.status_code, response["Content-Length"], response["Accept-Ranges"]) == (200, str(SIZE), "bytes")
    assert response.content == b""


def test_what_was_altered_on_the_disk_is_not_sent(kept: Path) -> None:
    for at in (BEGIN - 100, kept.stat().st_size - 1):
        whole = kept.read_bytes()
        kept.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(Conflict, match="改动过"):
            sent(kept)
        kept.write_bytes(whole)


def test_what_is_sent_runs_nothing_and_its_name_breaks_nothing(kept: Path) -> None:
    response = sent(kept)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert "\n" not in response["Content-Disposition"]
    response.close()
    shown = sent(kept, inline=True, seconds=60)
    assert shown["Content-Disposition"].startswith("inline;")
    assert shown["Cache-Control"] == "private, max-age=60"
    shown.close()


# nginx in front, with the very configuration of ./run


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, Any]:
        line, _ = super().get_request()
        return line, ("127.0.0.1", 0)

    base_environ = {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_HOST": "", "CONTENT_LENGTH": "", "SCRIPT_NAME": ""}  # fmt: skip

    def get_app(self) -> Any:
        return WSGIHandler()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def nginx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Run nginx before the application in this process, and return its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in ("nginx", "logs", "media"):
        (tmp_path / name).mkdir(exist_ok=True)
    text = (ROOT / "web/serving/nginx.conf").read_text(encoding="utf-8")
    fields = {
        "USER": "user root;" if os.getuid() == 0 else "",
        "NGINX": tmp_path / "nginx",
        "LOGS": tmp_path / "logs",
        "STATE": tmp_path,
        "SCRATCH": tmp_path,
        "WEB_SOCKET": tmp_path / "web.sock",
        "LISTEN": f"127.0.0.1:{port}",
        "TLS": "",
    }
    for name, value in fields.items():
        text = text.replace(f"@{name}@", str(value))
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(text, encoding="utf-8")
    server = _UnixServer(str(tmp_path / "web.sock"), _Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    errors = tmp_path / "logs" / "nginx-error.log"
    process = subprocess.Popen(["nginx", "-e", str(errors), "-c", str(configuration), "-g", "daemon off;"])
    try:
        for _ in range(100):
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()
        server.shutdown()
        server.server_close()


def ask(port: int, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    line.request("GET", path, headers={"Host": "localhost", **headers})
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer, body


@pytest.mark.django_db(transaction=True)
def test_nginx_sends_what_the_application_allows_and_nothing_else(
    nginx: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "media")
    monkeypatch.setitem(registry._OWNERS, "thing", THINGS)
    source = tmp_path / "upload"
    source.write_bytes(picture("JPEG", (300, 200)))
    held = attach_file(kind="thing", owner_id="1", purpose="photo", source=source, name="门口.jpg", scope=KEEPER)
    content = plain_of(held.path)
    path = f"/files/{held.row.pk}/content"
    assert ask(nginx, path)[0].status == 404  # nobody has looked at it for viruses: it is not for everybody
    Attachment.objects.update(state=ScanState.CLEAN)
    answer, body = ask(nginx, path)
    assert (answer.status, body) == (200, content)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    answer, body = ask(nginx, path, Range="bytes=10-29")
    assert (answer.status, body) == (206, content[10:30])
    inside = held.path.relative_to(settings.MEDIA_ROOT)
    for direct in (f"/kept/{inside}", f"/media/{inside}", "/media/"):
        answer, body = ask(nginx, direct)
        assert answer.status == 404, direct
        assert content[:100] not in body
