"""A library to try against: a real HTTP server that speaks the contract, and can be told to fail in each known way."""

from __future__ import annotations

import datetime as dt
import http.server
import threading
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ValidationError

from geo.errors import Unauthenticated
from services.integrations.elder_library.schemas import FIGURES_PATH, Asked, Figure, Figures
from services.integrations.signing import check_signed

Fails = Literal["", "broken", "garbage", "half", "other_day", "impossible"]


class Simulator:
    """A running library; use it as a context manager. ``figures``, ``as_of`` and ``fails`` may change while it runs.

    ``fails``: ``broken`` answers 500, ``garbage`` a page of maintenance, ``half`` ends after the first page, ``other_day``
    changes the day between pages, ``impossible`` says more elders over 80 than over 60.
    """

    def __init__(self, *, app: str, secret: str, figures: Sequence[Figure] = (), as_of: dt.date, port: int = 0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.app, self.secret, self.figures, self.as_of = app, secret, list(figures), as_of
        self.fails: Fails = ""
        self.requests = 0
        self._nonces: set[str] = set()
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Simulator:
        """Serve in a thread."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serve until interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self._server.server_close()

    def page(self, asked: Asked) -> bytes:
        """Return the figures after a cursor as JSON."""
        begin = int(asked.after or 0)
        end = begin + asked.limit
        day = self.as_of + dt.timedelta(days=1 if self.fails == "other_day" and begin else 0)
        cursor = str(end) if end < len(self.figures) and self.fails != "half" else ""
        page = Figures(as_of=day, total=len(self.figures), items=self.figures[begin:end], cursor=cursor)
        body = page.model_dump_json().encode()
        return body.replace(b'"over_80":', b'"over_80":9', 1) if self.fails == "impossible" else body

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer to a request that was signed."""
        self.requests += 1
        if path != FIGURES_PATH:
            return 404, b"{}"
        if self.fails == "broken":
            return 500, b"Internal Server Error"
        if self.fails == "garbage":
            return 200, "<html>系统维护中".encode("gb18030")
        return 200, self.page(Asked.model_validate_json(body))

    def _first_use(self, nonce: str, _seconds: int) -> bool:
        with self._lock:
            new = nonce not in self._nonces
            self._nonces.add(nonce)
            return new

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        simulator = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers one request."""

            def do_POST(self) -> None:
                """Check the signature, then answer."""
                body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 100_000))
                try:
                    check_signed(
                        dict(self.headers), app=simulator.app, secret=simulator.secret, method="POST", path=self.path,
                        body=body, first_use=simulator._first_use,
                    )  # fmt: skip
                    status, said = simulator.answer(self.path, body)
                except Unauthenticated:
                    status, said = 401, b'{"code": "not_signed"}'
                except (ValidationError, ValueError):
                    status, said = 400, b'{"code": "bad_content"}'
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler
