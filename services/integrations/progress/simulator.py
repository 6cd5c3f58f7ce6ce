"""A source of cases to try against: a real HTTP server that speaks the contract, with numbers that make it fail in known ways."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from services.integrations.progress.schemas import FEEDBACK_PATH, Answer, Code, Progress
from services.integrations.simulating import GARBAGE_PAGE, Reply, SignedSimulator

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


class Simulator(SignedSimulator):
    """A running source of cases; use it as a context manager."""

    def __init__(self, *, app: str, secret: str, port: int = 0, slow_s: float = 15.0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.slow_s = slow_s
        self.journal = Journal()
        self._known: set[str] = set()
        self._lock = threading.RLock()
        super().__init__(app=app, secret=secret, port=port)

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

    def unsigned(self) -> Reply:
        """See ``SignedSimulator``."""
        return _said(401, Answer(code=Code.NOT_SIGNED))

    def misread(self) -> Reply:
        """See ``SignedSimulator``."""
        return _said(400, Answer(code=Code.BAD_CONTENT))

    def answer(self, path: str, body: bytes) -> Reply | None:
        """Take what is told, in the way its number has it."""
        if path != FEEDBACK_PATH:
            return Reply(404, b"{}")
        told = Progress.model_validate_json(body)
        first = told.feedback_id not in self.journal.requests
        if told.source_number == GARBAGE:
            return Reply(200, GARBAGE_PAGE)
        answer = self.take(told)
        if told.source_number == LOST_ANSWER and first:
            return None
        if told.source_number == SLOW and first:
            self.wait(self.slow_s)
        return _said(200, answer)


def _said(status: int, answer: Answer) -> Reply:
    return Reply(status, answer.model_dump_json().encode())
