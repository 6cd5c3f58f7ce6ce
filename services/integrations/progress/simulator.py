"""A source of cases to try against: a real HTTP server that speaks the contract, with numbers that make it fail in known ways."""

from __future__ import annotations

import http.server
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from geo.errors import Unauthenticated
from services.integrations.progress.schemas import FEEDBACK_PATH, Answer, Code, Progress
from services.integrations.signing import check_signed

UNKNOWN: Final = "SIM-UNKNOWN"
BUSY_TWICE: Final = "SIM-BUSY"
SLOW: Final = "SIM-SLOW"
LOST_ANSWER: Final = "SIM-LOST"
GARBAGE: Final = "SIM-GARBAGE"
MAGIC: Final = {
    UNKNOWN: "没有这个办件，当场拒绝",
    BUSY_TWICE: "前两次答复忙，第三次接受",
    SLOW: "接受，但答复慢于超时",
    LOST_ANSWER: "接受，但连接在答复前断开",
    GARBAGE: "不接受，答复是乱码",
}


@dataclass
class Journal:
    """What the simulator took, in its order, and how often each piece was sent."""

    taken: list[Progress] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)

    def of(self, number: str) -> list[Progress]:
        """Return what was told of a case, by our number."""
        return [each for each in self.taken if each.number == number]


class Simulator:
    """A running source of cases; use it as a context manager."""

    def __init__(self, *, app: str, secret: str, port: int = 0, slow_s: float = 15.0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.app, self.secret, self.slow_s = app, secret, slow_s
        self.journal = Journal()
        self._known: set[str] = set()
        self._nonces: set[str] = set()
        self._lock = threading.RLock()
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

    def take(self, told: Progress) -> Answer:
        """Take a piece of progress once; the same id again gets the same answer."""
        with self._lock:
            self.journal.requests[told.feedback_id] += 1
            if told.source_number == UNKNOWN:
                return Answer(code=Code.UNKNOWN_CASE)
            if told.source_number == BUSY_TWICE and self.journal.requests[told.feedback_id] < 3:
                return Answer(code=Code.BUSY)
            if told.feedback_id not in self._known:
                self._known.add(told.feedback_id)
                self.journal.taken.append(told)
            return Answer(code=Code.TAKEN)

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
                """Check the signature, then take what is told."""
                body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 1_000_000))
                try:
                    check_signed(
                        dict(self.headers), app=simulator.app, secret=simulator.secret, method="POST", path=self.path,
                        body=body, first_use=simulator._first_use,
                    )  # fmt: skip
                    simulator._answer(self, body)
                except Unauthenticated:
                    self.reply(401, Answer(code=Code.NOT_SIGNED).model_dump_json().encode())
                except ValidationError:
                    self.reply(400, Answer(code=Code.BAD_CONTENT).model_dump_json().encode())

            def reply(self, status: int, body: bytes) -> None:
                """Write a JSON answer; a client that has gone away is no fault here."""
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: opinions about people must not reach a log."""

        return Handler

    def _answer(self, handler: Any, body: bytes) -> None:
        if handler.path != FEEDBACK_PATH:
            handler.reply(404, b"{}")
            return
        told = Progress.model_validate_json(body)
        first = told.feedback_id not in self.journal.requests
        if told.source_number == GARBAGE:
            handler.reply(200, "<html>系统维护中".encode("gb18030"))
            return
        answer = self.take(told).model_dump_json().encode()
        if told.source_number == LOST_ANSWER and first:
            handler.close_connection = True
            return
        if told.source_number == SLOW and first:
            time.sleep(self.slow_s)
        handler.reply(200, answer)
