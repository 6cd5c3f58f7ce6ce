"""A receiver to try against: a real HTTP server that keeps what it is told, and can be told to fail in each known way."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from services.integrations.receivers.schemas import EVENT_ID, Occurrence
from services.integrations.simulating import Reply, SignedSimulator

Fails = Literal["", "broken", "never", "hangs", "silent", "elsewhere", "gone"]


class Simulator(SignedSimulator):
    """A running receiver; use it as a context manager. ``fails`` may change while it runs.

    ``kept`` is what it keeps, each id once, in the order of arrival; ``asked`` how often it was told of each.

    ``fails``: ``broken`` answers 500, ``never`` 422, ``gone`` 410, ``elsewhere`` redirects, ``hangs`` answers nothing for long,
    ``silent`` keeps the event and hangs up.
    """

    def __init__(self, *, app: str, secret: str, slow_s: float = 0.0, port: int = 0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.kept: list[Occurrence] = []
        self.asked: Counter[UUID] = Counter()
        self.fails: Fails = ""
        self.slow_s = slow_s
        self._lock = threading.Lock()
        super().__init__(app=app, secret=secret, port=port)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """Refuse a call whose header names another event than its body, then answer as signed ones are."""
        told = {name.lower(): value for name, value in headers.items()}.get(EVENT_ID.lower(), "")
        if told and told.encode() not in body:
            return Reply(400, b"{}")
        return super().handle(method, path, headers, body)

    def answer(self, path: str, body: bytes) -> Reply | None:
        """Keep an event, or fail as it was told to."""
        event = Occurrence.model_validate_json(body)
        with self._lock:
            self.asked[event.id] += 1
        if self.fails in _ANSWERS:
            return _ANSWERS[self.fails]
        if self.fails == "hangs":
            self.wait(60)
            return None
        self.wait(self.slow_s)
        with self._lock:
            if event.id not in {each.id for each in self.kept}:
                self.kept.append(event)
        return None if self.fails == "silent" else Reply(204)


_ANSWERS: dict[str, Reply] = {
    "broken": Reply(500, b"Internal Server Error"),
    "never": Reply(422, b"{}"),
    "gone": Reply(410, b"{}"),
    "elsewhere": Reply(302, b"", headers={"Location": "http://169.254.169.254/latest/meta-data"}),
}
