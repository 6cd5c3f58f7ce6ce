"""Systems asked over TLS: whose certificate is trusted is answered, whose is not learns nothing, and what drips is cut there too."""

from __future__ import annotations

import datetime as dt
import http.server
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.cache import cache

from services.integrations.faults import AnswerUnclear, NotReached
from services.integrations.http import Upstream, ask


@pytest.fixture(autouse=True)
def _closed_breakers() -> None:
    cache.clear()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a certificate of ``localhost`` that signs itself, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(written + made.public_bytes(Encoding.PEM))
    return file


class Server(http.server.ThreadingHTTPServer):
    """Answers over TLS, drips at ``/drips``, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, certificate: Path) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def upstream(self, host: str = "localhost") -> Upstream:
        """Return this server as a system that stands inside, with half a second to answer."""
        root = f"https://{host}:{self.server_address[1]}"
        return Upstream(key="test", name="对方", root=root, inside=True, total_s=0.5)

    def handle_error(self, *_: Any) -> None:
        """Say nothing of connections that the other side ended."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        for _ in range(400 if self.path == "/drips" else 0):  # twenty seconds, unless it is cut
            self.wfile.write(b"H")
            time.sleep(0.05)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def server(certificate: Path) -> Iterator[Server]:
    with Server(certificate) as made:
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.mark.usefixtures("trusted")
def test_who_shows_a_certificate_that_is_trusted_is_asked(server: Server) -> None:
    answer = ask(server.upstream(), "GET", "/")
    assert (answer.status, answer.body) == (200, b"ok")


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_name_is_refused_before_anything_is_said(server: Server) -> None:
    with pytest.raises(NotReached) as refused:
        ask(server.upstream("127.0.0.1"), "GET", "/")
    assert (refused.value.code, server.asked) == ("certificate_refused", [])


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said(server: Server) -> None:
    with pytest.raises(NotReached) as refused:
        ask(server.upstream(), "GET", "/")
    assert (refused.value.code, server.asked) == ("certificate_refused", [])


@pytest.mark.usefixtures("trusted")
def test_a_line_that_drips_over_tls_is_cut_at_the_end_of_its_time(server: Server) -> None:
    began = time.monotonic()
    with pytest.raises(AnswerUnclear) as cut:
        ask(server.upstream(), "GET", "/drips")
    assert cut.value.code == "answer_missing"
    assert time.monotonic() - began < 8  # the limit was 0.5; the machine may be busy
