"""A library to try against: a real HTTP server that speaks the contract, and can be told to fail in each known way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from services.integrations.elder_library.schemas import FIGURES_PATH, Asked, Figure, Figures
from services.integrations.simulating import GARBAGE_PAGE, Reply, SignedSimulator

Fails = Literal["", "broken", "garbage", "half", "other_day", "impossible"]


class Simulator(SignedSimulator):
    """A running library; use it as a context manager. ``figures``, ``as_of`` and ``fails`` may change while it runs.

    ``fails``: ``broken`` answers 500, ``garbage`` a page of maintenance, ``half`` ends after the first page, ``other_day``
    changes the day between pages, ``impossible`` says more elders over 80 than over 60.
    """

    def __init__(self, *, app: str, secret: str, figures: Sequence[Figure] = (), as_of: dt.date, port: int = 0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.figures, self.as_of = list(figures), as_of
        self.fails: Fails = ""
        self.requests = 0
        super().__init__(app=app, secret=secret, port=port)

    def page(self, asked: Asked) -> bytes:
        """Return the figures after a cursor as JSON."""
        begin = int(asked.after or 0)
        end = begin + asked.limit
        day = self.as_of + dt.timedelta(days=1 if self.fails == "other_day" and begin else 0)
        cursor = str(end) if end < len(self.figures) and self.fails != "half" else ""
        page = Figures(as_of=day, total=len(self.figures), items=self.figures[begin:end], cursor=cursor)
        body = page.model_dump_json().encode()
        return body.replace(b'"over_80":', b'"over_80":9', 1) if self.fails == "impossible" else body

    def answer(self, path: str, body: bytes) -> Reply:
        """Return a page of figures, or what the library says when it fails."""
        self.requests += 1
        if path != FIGURES_PATH:
            return Reply(404, b"{}")
        if self.fails == "broken":
            return Reply(500, b"Internal Server Error")
        if self.fails == "garbage":
            return Reply(200, GARBAGE_PAGE)
        try:
            return Reply(200, self.page(Asked.model_validate_json(body)))
        except ValueError:
            return self.misread()
