"""A platform of supervision to try against: a real HTTP server that can be told to fail in each known way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from services.integrations.simulating import GARBAGE_PAGE, Reply, SignedSimulator
from services.integrations.supervision.schemas import (
    FACTS_PATH,
    RATINGS_PATH,
    Answer,
    Asked,
    Code,
    Facts,
    Known,
    Rating,
)

Fails = Literal["", "broken", "garbage", "stranger", "silent", "busy"]


class Simulator(SignedSimulator):
    """A running platform; use it as a context manager. ``facts`` and ``fails`` may change while it runs.

    ``ratings`` is what it was told, the newest of each institution; ``reports`` is every report with what it said of it.

    ``fails``: ``broken`` answers 500, ``garbage`` a page of maintenance, ``stranger`` names an institution nobody asked for,
    ``silent`` takes what it is told and hangs up, ``busy`` takes no rating now.
    """

    def __init__(self, *, app: str, secret: str, facts: Sequence[Facts] = (), port: int = 0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.facts = {each.credit_code: each for each in facts}
        self.ratings: dict[str, Rating] = {}
        self.reports: dict[str, Code] = {}
        self.fails: Fails = ""
        self.requests = 0
        super().__init__(app=app, secret=secret, port=port)

    def answer(self, path: str, body: bytes) -> Reply | None:
        """Return facts, or take a rating, or fail as it was told to."""
        self.requests += 1
        if self.fails == "broken":
            return Reply(500, b"Internal Server Error")
        if self.fails == "garbage":
            return Reply(200, GARBAGE_PAGE)
        if path == FACTS_PATH:
            return self._told(Asked.model_validate_json(body))
        if path == RATINGS_PATH:
            return self._take(Rating.model_validate_json(body))
        return Reply(404, b"{}")

    def _told(self, asked: Asked) -> Reply:
        items = [self.facts[code] for code in asked.codes if code in self.facts]
        if self.fails == "stranger":
            items = [each.model_copy(update={"credit_code": "9" * 18}) for each in items]
        return Reply(200, Known(items=items).model_dump_json().encode())

    def _take(self, rating: Rating) -> Reply | None:
        if self.fails == "busy":
            return _said(Code.BUSY, 503)
        code = self.reports.get(rating.report_id)
        if code is None:
            code = Code.TAKEN if rating.credit_code in self.facts else Code.UNKNOWN_INSTITUTION
            self.reports[rating.report_id] = code
            if code == Code.TAKEN:
                self.ratings[rating.credit_code] = rating
        return None if self.fails == "silent" else _said(code)


def _said(code: Code, status: int = 200) -> Reply:
    return Reply(status, Answer(code=code).model_dump_json().encode())
