"""A gateway to try against: a real HTTP server that speaks the contract, with numbers that make it fail in each known way.

It keeps a journal in memory, so that a test can ask what really went out, and how often.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel

from services.integrations.signing import signed_headers
from services.integrations.simulating import GARBAGE_PAGE, Reply, SignedSimulator
from services.integrations.sms.schemas import (
    RECEIPTS_PATH,
    SEND_PATH,
    Code,
    Posted,
    Pull,
    Pulled,
    Receipt,
    ReceiptState,
    Send,
    Sent,
    Taken,
)

BAD_NUMBER: Final = "13900000001"
NEVER_DELIVERED: Final = "13900000002"
SLOW: Final = "13900000003"
GARBAGE: Final = "13900000004"
BUSY_TWICE: Final = "13900000005"
LATE: Final = "13900000006"
LOST_ANSWER: Final = "13900000007"
POSTED_TWICE: Final = "13900000008"
BROKEN: Final = "13900000009"
NO_RECEIPT: Final = "13900000010"
MAGIC: Final = {
    BAD_NUMBER: "号码无效，当场拒绝",
    NEVER_DELIVERED: "接受后回执为失败",
    SLOW: "接受，但答复慢于超时",
    GARBAGE: "不接受，答复是乱码",
    BUSY_TWICE: "前两次答复忙，第三次接受",
    LATE: "接受，回执晚到",
    LOST_ANSWER: "接受，但连接在答复前断开",
    POSTED_TWICE: "接受，同一回执推送两次",
    BROKEN: "HTTP 500",
    NO_RECEIPT: "接受，永远没有回执",
}


@dataclass
class Journal:
    """What the simulator did: texts by phone in the order they really went out, requests counted by message."""

    delivered: list[tuple[str, str]] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)

    def texts(self, phone: str) -> list[str]:
        """Return the texts that really went to a phone."""
        return [text for to, text in self.delivered if to == phone]


class Simulator(SignedSimulator):
    """A running gateway. ``callback`` is the address receipts are posted to, '' for none; use it as a context manager."""

    def __init__(
        self, *, app: str, secret: str, port: int = 0, callback: str = "", slow_s: float = 15.0, late_s: float = 30.0
    ) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.callback, self.slow_s, self.late_s = callback, slow_s, late_s
        self.journal = Journal()
        self._answers: dict[str, Sent] = {}
        self._receipts: list[tuple[float, Receipt]] = []
        self._lock = threading.RLock()
        self._timers: list[threading.Timer] = []
        super().__init__(app=app, secret=secret, port=port)

    def __exit__(self, *_: object) -> None:
        """Stop serving and forget what was still to be posted."""
        for timer in self._timers:
            timer.cancel()
        super().__exit__()

    def take(self, asked: Send) -> Sent:
        """Accept a message once; the same id again gets the first answer again."""
        with self._lock:
            self.journal.requests[asked.message_id] += 1
            if asked.message_id in self._answers:
                return self._answers[asked.message_id]
            if BUSY_TWICE in asked.phones and self.journal.requests[asked.message_id] < 3:
                return Sent(code=Code.BUSY)
            sent = Sent(code=Code.ACCEPTED, items=[self._take_one(asked, phone) for phone in asked.phones])
            self._answers[asked.message_id] = sent
            return sent

    def _take_one(self, asked: Send, phone: str) -> Taken:
        if phone == BAD_NUMBER:
            return Taken(phone=phone, code=Code.BAD_NUMBER)
        provider_id = f"sim-{len(self.journal.delivered) + 1:06d}"
        self.journal.delivered.append((phone, asked.content))
        if phone != NO_RECEIPT:
            wait = self.late_s if phone == LATE else 0.0
            if asked.send_at is not None:
                wait += max(0.0, (asked.send_at - dt.datetime.now(tz=dt.UTC)).total_seconds())
            self._announce(asked, phone, provider_id, wait)
        return Taken(phone=phone, code=Code.ACCEPTED, provider_id=provider_id)

    def _announce(self, asked: Send, phone: str, provider_id: str, wait: float) -> None:
        state = ReceiptState.FAILED if phone == NEVER_DELIVERED else ReceiptState.DELIVERED
        receipt = Receipt(
            provider_id=provider_id,
            message_id=asked.message_id,
            phone=phone,
            state=state,
            code="DELIVRD" if state == ReceiptState.DELIVERED else "UNDELIV",
            at=dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=wait),
        )
        self._receipts.append((time.monotonic() + wait, receipt))
        if self.callback:
            timer = threading.Timer(wait + 0.05, self.post, [receipt, 2 if phone == POSTED_TWICE else 1])
            timer.daemon = True
            self._timers.append(timer)
            timer.start()

    def post(self, receipt: Receipt, times: int = 1) -> list[int]:
        """Post a receipt to the callback address some times, each signed anew, and return the statuses answered."""
        body = Posted(receipts=[receipt]).model_dump_json().encode()
        path = "/" + self.callback.split("://", 1)[-1].partition("/")[2]
        statuses = []
        for _ in range(times):
            headers = signed_headers(app=self.app, secret=self.secret, method="POST", path=path, body=body)
            request = urllib.request.Request(
                self.callback, data=body, headers={"Content-Type": "application/json", **headers}
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    statuses.append(answer.status)
            except OSError:
                statuses.append(0)  # it stays in the list that is pulled
        return statuses

    def pull(self, asked: Pull) -> Pulled:
        """Return the receipts after a cursor that are there by now, oldest first; a late one holds back nothing before it."""
        with self._lock:
            ready = [receipt for due, receipt in self._receipts if due <= time.monotonic()]
            if len(ready) < len(self._receipts):
                ready_ids = {receipt.provider_id for receipt in ready}
                late = [pair for pair in self._receipts if pair[1].provider_id not in ready_ids]
                # The list a cursor counts in must not change before it: what is late moves to the end.
                self._receipts = [pair for pair in self._receipts if pair[1].provider_id in ready_ids] + late
        begin = int(asked.after or 0)
        page = ready[begin : begin + asked.limit]
        return Pulled(receipts=page, cursor=str(begin + len(page)))

    def unsigned(self) -> Reply:
        """See ``SignedSimulator``."""
        return _said(401, Sent(code=Code.NOT_SIGNED))

    def misread(self) -> Reply:
        """See ``SignedSimulator``."""
        return _said(400, Sent(code=Code.BAD_CONTENT))

    def answer(self, path: str, body: bytes) -> Reply | None:
        """Do what the path says, in the way the number has it."""
        if path == RECEIPTS_PATH:
            return _said(200, self.pull(Pull.model_validate_json(body)))
        if path != SEND_PATH:
            return Reply(404, b'{"code": "unknown"}')
        asked = Send.model_validate_json(body)
        if BROKEN in asked.phones:
            return Reply(500, b"Internal Server Error")
        if GARBAGE in asked.phones:
            return Reply(200, GARBAGE_PAGE)
        if LOST_ANSWER in asked.phones and asked.message_id not in self._answers:
            self.take(asked)
            return None
        sent = self.take(asked)
        if SLOW in asked.phones and self.journal.requests[asked.message_id] == 1:
            self.wait(self.slow_s)
        return _said(200, sent)


def _said(status: int, answer: BaseModel) -> Reply:
    return Reply(status, answer.model_dump_json().encode())
