"""The contract of the gateway: our client and the simulator over real HTTP, number by number."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import Unauthenticated
from services.integrations.faults import AnswerUnclear, NotConnected
from services.integrations.signing import check_signed, signed_headers
from services.integrations.sms import simulator as numbers
from services.integrations.sms.client import Gateway, final, gateway
from services.integrations.sms.schemas import Code, ReceiptState
from services.integrations.sms.simulator import Simulator

GOOD = "13800000000"


@pytest.fixture
def simulator(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    with Simulator(app="quantu", secret="a-secret", slow_s=20, late_s=2) as running:
        settings.SMS_URL, settings.SMS_APP, settings.SMS_SECRET = running.url, "quantu", "a-secret"
        settings.SMS_TIMEOUT_S, settings.INSIDE_HOSTS = 10, ["127.0.0.1"]
        yield running


def test_sent_once_however_often_it_is_asked(simulator: Simulator) -> None:
    first = gateway().send(message_id="m1", phones=[GOOD], content="您好")
    again = gateway().send(message_id="m1", phones=[GOOD], content="您好")
    assert first == again
    assert (first[0].code, simulator.journal.texts(GOOD)) == (Code.ACCEPTED, ["您好"])
    assert simulator.journal.requests["m1"] == 2


def test_phones_of_a_batch_are_told_apart(simulator: Simulator) -> None:
    taken = gateway().send(message_id="m1", phones=[GOOD, numbers.BAD_NUMBER, "13800000001"], content="您好")
    assert [item.code for item in taken] == [Code.ACCEPTED, Code.BAD_NUMBER, Code.ACCEPTED]
    assert len({item.provider_id for item in taken}) == 3
    assert final(Code.BAD_NUMBER)
    assert not final(Code.BUSY)


@pytest.mark.parametrize("number", [numbers.SLOW, numbers.GARBAGE, numbers.LOST_ANSWER, numbers.BROKEN])
def test_nobody_knows(simulator: Simulator, settings: Any, number: str) -> None:
    settings.SMS_TIMEOUT_S = 0.4
    with pytest.raises(AnswerUnclear):
        gateway().send(message_id="m1", phones=[number], content="您好")


@pytest.mark.parametrize("number", [numbers.SLOW, numbers.LOST_ANSWER])
def test_after_a_lost_answer_the_same_id_sends_no_second_text(simulator: Simulator, settings: Any, number: str) -> None:
    settings.SMS_TIMEOUT_S = 0.4
    with pytest.raises(AnswerUnclear):
        gateway().send(message_id="m1", phones=[number], content="您好")
    settings.SMS_TIMEOUT_S = 10
    assert gateway().send(message_id="m1", phones=[number], content="您好")[0].code == Code.ACCEPTED
    assert simulator.journal.texts(number) == ["您好"]


def test_busy_is_not_final(simulator: Simulator) -> None:
    codes = [gateway().send(message_id="m1", phones=[numbers.BUSY_TWICE], content="您好")[0].code for _ in range(3)]
    assert codes == [Code.BUSY, Code.BUSY, Code.ACCEPTED]


def test_receipts_are_read_from_a_cursor(simulator: Simulator) -> None:
    for number, phone in enumerate((numbers.LATE, GOOD, numbers.NEVER_DELIVERED, numbers.NO_RECEIPT)):
        gateway().send(message_id=f"m{number}", phones=[phone], content="您好")
    first = gateway().receipts(limit=1)
    assert [(one.message_id, one.state) for one in first.receipts] == [("m1", ReceiptState.DELIVERED)]
    rest = gateway().receipts(after=first.cursor)
    assert [(one.message_id, one.state) for one in rest.receipts] == [("m2", ReceiptState.FAILED)]
    assert gateway().receipts(after=first.cursor) == rest  # reading forgets nothing
    time.sleep(2.1)
    late = gateway().receipts(after=rest.cursor)
    assert [one.message_id for one in late.receipts] == ["m0"]
    assert gateway().receipts(after=late.cursor).receipts == []


def test_the_gateway_may_be_given_the_moment(simulator: Simulator) -> None:
    at = dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=2)
    gateway().send(message_id="m1", phones=[GOOD], content="您好", send_at=at)
    assert gateway().receipts().receipts == []
    time.sleep(2.1)
    assert len(gateway().receipts().receipts) == 1


def test_a_wrong_secret_is_not_final(simulator: Simulator) -> None:
    right = gateway()
    wrong = Gateway(right.upstream, right.app, "another")
    assert [item.code for item in wrong.send(message_id="m1", phones=[GOOD], content="您好")] == [Code.NOT_SIGNED]
    assert simulator.journal.delivered == []


def test_without_configuration_it_says_so(settings: Any) -> None:
    settings.SMS_URL = ""
    with pytest.raises(NotConnected) as fault:
        gateway()
    assert "未接通" in fault.value.message


class TestSignature:
    @staticmethod
    def check(
        headers: dict[str, str], seen: set[str], *, body: bytes = b"{}", path: str = "/p", now: float = 1000.0
    ) -> None:
        def first_use(nonce: str, _: int) -> bool:
            new = nonce not in seen
            seen.add(nonce)
            return new

        check_signed(
            headers, app="quantu", secret="a-secret", method="POST", path=path, body=body, first_use=first_use, now=now
        )

    def signed(self) -> dict[str, str]:
        return signed_headers(app="quantu", secret="a-secret", method="POST", path="/p", body=b"{}", now=1000.0)

    def test_good_once(self) -> None:
        headers, seen = self.signed(), set[str]()
        self.check(headers, seen)
        with pytest.raises(Unauthenticated):
            self.check(headers, seen)

    @pytest.mark.parametrize("change", [{"body": b"{ }"}, {"path": "/q"}, {"now": 1301.0}, {"now": 699.0}])
    def test_of_another_request_or_time(self, change: dict[str, Any]) -> None:
        seen: set[str] = set()
        with pytest.raises(Unauthenticated):
            self.check(self.signed(), seen, **change)
        assert seen == set()  # a refused request uses no nonce up

    @given(name=st.sampled_from(["X-App-Id", "X-Timestamp", "X-Nonce", "X-Signature"]), value=st.text(max_size=80))
    def test_any_header_changed(self, name: str, value: str) -> None:
        headers = self.signed()
        if headers[name] == value or (name == "X-Timestamp" and value.strip() == "1000"):
            return
        with pytest.raises(Unauthenticated):
            self.check({**headers, name: value.encode("utf-8", "ignore").decode()}, set())

    def test_no_secret_no_entry(self) -> None:
        headers = signed_headers(app="", secret="", method="POST", path="/p", body=b"", now=1000.0)
        with pytest.raises(Unauthenticated):
            check_signed(
                headers, app="", secret="", method="POST", path="/p", body=b"", first_use=lambda *_: True, now=1000.0
            )
