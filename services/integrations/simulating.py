"""What every simulator of a system of others stands on: a real HTTP server on this machine, and requests that must be signed."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import ValidationError

from geo.errors import Unauthenticated
from services.integrations.signing import check_signed

GARBAGE_PAGE = "<html>系统维护中".encode("gb18030")
"""What a gateway in front of a system answers while it is being mended: no JSON, and not even UTF-8."""


class Reply(NamedTuple):
    """What a simulator answers to one request."""

    status: int
    body: bytes = b""
    kind: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = {}


class HttpSimulator:
    """A system of others on a port of this machine; use it as a context manager, or ``serve`` in the foreground.

    What answers is ``handle``; ``None`` hangs up without a word.
    """

    MOST_BYTES: ClassVar[int] = 1_000_000

    def __init__(self, *, port: int = 0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.ended = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving; who waits in ``wait`` is let go."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serve until interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self._server.server_close()

    def wait(self, seconds: float) -> None:
        """Be slow for so long, or until the simulator ends."""
        self.ended.wait(seconds)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """Return the answer to one request; ``path`` is as it was sent, with its query."""
        raise NotImplementedError


class SignedSimulator(HttpSimulator):
    """A system that answers posts signed with the secret both sides hold (services.integrations.signing), each once."""

    def __init__(self, *, app: str, secret: str, port: int = 0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.app, self.secret = app, secret
        self._nonces: set[str] = set()
        self._nonces_lock = threading.Lock()
        super().__init__(port=port)

    def answer(self, path: str, body: bytes) -> Reply | None:
        """Return the answer to a request that was signed. A ``ValidationError`` becomes ``misread``."""
        raise NotImplementedError

    def unsigned(self) -> Reply:
        """Return the answer to a request that was not signed, or not lately, or not for the first time."""
        return Reply(401, b'{"code": "not_signed"}')

    def misread(self) -> Reply:
        """Return the answer to a body that is not in the contract."""
        return Reply(400, b'{"code": "bad_content"}')

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """Check the signature, then answer."""
        if method != "POST":
            return Reply(405, b"{}")
        try:
            check_signed(
                headers, app=self.app, secret=self.secret, method=method, path=path, body=body, first_use=self._first_use
            )  # fmt: skip
            return self.answer(path, body)
        except Unauthenticated:
            return self.unsigned()
        except ValidationError:
            return self.misread()

    def _first_use(self, nonce: str, _seconds: int) -> bool:
        with self._nonces_lock:
            new = nonce not in self._nonces
            self._nonces.add(nonce)
            return new


def _handler(simulator: HttpSimulator) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers one request."""

        def do_GET(self) -> None:
            """Answer a browser."""
            self.say(simulator.handle("GET", self.path, dict(self.headers), b""))

        def do_POST(self) -> None:
            """Answer a program; more than the simulator reads is cut off, and its signature fails."""
            body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), simulator.MOST_BYTES))
            self.say(simulator.handle("POST", self.path, dict(self.headers), body))

        def say(self, reply: Reply | None) -> None:
            """Write an answer; a client that has gone away is no fault here."""
            self.close_connection = True
            if reply is None:
                return
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.kind)
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)
            except OSError:
                return

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: numbers, tickets and plain texts must not reach a log."""

    return Handler
