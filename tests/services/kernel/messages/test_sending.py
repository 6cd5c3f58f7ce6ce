"""What is told is told once: the outbox, its retries, and every way in which a gateway misbehaves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from services.access.models import AuditEntry, User
from services.integrations.sms import simulator as numbers
from services.integrations.sms.simulator import Simulator
from services.kernel.messages import delivering
from services.kernel.messages.actions import (
    cancel_delivery,
    keep_phone,
    read_all_messages,
    read_message,
    reveal_phone,
    send_again,
    send_message,
)
from services.kernel.messages.configuring import choose_event, save_template, set_sending_rule, withdraw_template
from services.kernel.messages.delivering import MOST_ATTEMPTS, deliver_due
from services.kernel.messages.message_events import ENROLMENT_REGISTERED
from services.kernel.messages.models import Contact, Delivery, DeliveryState, Message
from services.kernel.messages.queries import deliveries_visible, masked_phone, messages_of, unread_count
from services.kernel.messages.receipts import read_receipts
from tests.services.kernel.messages.conftest import PHONE, VALUES, make_due, region, scope

pytestmark = pytest.mark.usefixtures("city", "noon")


def tell(key: str = "k1", phone: str = PHONE, code: str = "310101", **more: Any) -> Delivery | None:
    told = send_message(
        event=ENROLMENT_REGISTERED, key=key, region_id=region(code).pk, values=VALUES, phones=[phone], **more
    )
    return Delivery.objects.order_by("-made_at", "-id").first() if told.deliveries else None


def state(row: Delivery) -> tuple[str, int]:
    row.refresh_from_db()
    return row.state, row.attempts


def steps(row: Delivery) -> list[str]:
    return list(row.steps.values_list("what", flat=True))


class TestOnce:
    def test_from_act_to_receipt(self, simulator: Simulator) -> None:
        row = tell()
        assert row is not None
        assert deliver_due() == 1
        assert state(row) == ("sent", 1)
        assert simulator.journal.texts(PHONE) == [
            "家长您好，王小明已报名瑞金一路幼儿园，报名编号HP001。请于5月16日带材料到园验证。"
        ]
        assert read_receipts().taken == 1
        assert state(row) == ("delivered", 1)
        assert steps(row) == ["已登记", "短信平台已接收", "回执：已送达"]
        assert (deliver_due(), read_receipts().taken) == (0, 0)

    def test_a_repeated_act_sends_nothing_more(self, simulator: Simulator) -> None:
        assert tell()
        assert tell() is None
        deliver_due()
        assert tell() is None
        deliver_due()
        assert len(simulator.journal.delivered) == 1
        assert tell("k2")

    def test_an_act_taken_back_was_never_sent(self, simulator: Simulator) -> None:
        def act() -> None:
            with transaction.atomic():
                tell()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            act()
        assert deliver_due() == 0
        assert simulator.journal.delivered == []

    def test_neither_number_nor_text_is_stored_in_plain(self) -> None:
        row = tell()
        assert row is not None
        stored = str(Delivery.objects.filter(pk=row.pk).values().get())
        assert PHONE not in stored
        assert "王小明" not in stored
        assert masked_phone(row) == "138****0000"

    def test_one_number_twice_in_one_act(self) -> None:
        told = send_message(
            event=ENROLMENT_REGISTERED,
            key="k",
            region_id=region("310101").pk,
            values=VALUES,
            phones=[PHONE, "138 0000 0000"],
        )
        assert told.deliveries == 1

    def test_a_field_that_is_missing_stops_the_act(self) -> None:
        with pytest.raises(BadInput):
            send_message(event=ENROLMENT_REGISTERED, key="k", region_id=region("310101").pk, values={}, phones=[PHONE])
        assert Delivery.objects.count() == 0

    def test_an_unknown_event(self) -> None:
        with pytest.raises(NotFound):
            send_message(event="nothing", key="k", region_id=region("310101").pk, values={})


class TestMisbehaviour:
    @pytest.mark.parametrize("number", [numbers.SLOW, numbers.LOST_ANSWER])
    def test_taken_but_not_answered_is_sent_once(self, simulator: Simulator, settings: Any, number: str) -> None:
        row = tell(phone=number)
        assert row is not None
        settings.SMS_TIMEOUT_S = 0.4
        deliver_due()
        settings.SMS_TIMEOUT_S = 10
        assert state(row) == ("waiting", 1)
        make_due()
        deliver_due()
        assert state(row) == ("sent", 2)
        assert len(simulator.journal.texts(number)) == 1

    def test_a_receipt_may_come_before_the_answer(self, simulator: Simulator) -> None:
        row = tell(phone=numbers.LOST_ANSWER)
        assert row is not None
        deliver_due()
        assert read_receipts().taken == 1
        assert state(row) == ("delivered", 1)
        make_due()
        assert deliver_due() == 0
        assert simulator.journal.requests[str(row.pk)] == 1

    def test_busy_is_tried_again_later_and_later(self, simulator: Simulator) -> None:
        row = tell(phone=numbers.BUSY_TWICE)
        assert row is not None
        for attempt, pause in enumerate((60, 120), start=1):
            deliver_due()
            assert state(row) == ("waiting", attempt)
            assert abs((row.next_at - timezone.now()).total_seconds() - pause) < 5
            assert deliver_due() == 0
            make_due()
        deliver_due()
        assert state(row) == ("sent", 3)

    def test_a_number_that_is_refused_is_not_tried_again(self, simulator: Simulator) -> None:
        row = tell(phone=numbers.BAD_NUMBER)
        assert row is not None
        deliver_due()
        assert (state(row), row.code) == (("failed", 1), "bad_number")
        make_due()
        assert deliver_due() == 0

    @pytest.mark.parametrize("number", [numbers.GARBAGE, numbers.BROKEN])
    def test_nonsense_is_tried_to_the_last_attempt_and_then_given_up(
        self, simulator: Simulator, number: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from services.integrations.breaker import Breaker

        monkeypatch.setattr(Breaker, "admits", lambda self: True)
        row = tell(phone=number)
        assert row is not None
        for _ in range(MOST_ATTEMPTS + 3):
            make_due()
            deliver_due()
        assert state(row) == ("given_up", MOST_ATTEMPTS)
        assert simulator.journal.delivered == []
        assert "不再尝试" in steps(row)[-1]

    def test_a_dead_gateway_loses_nothing(self, simulator: Simulator, settings: Any) -> None:
        settings.SMS_URL = "http://127.0.0.1:9"
        rows = [tell(f"k{number}", phone=f"1380000000{number}") for number in range(7)]
        deliver_due()
        assert {row.state for row in Delivery.objects.all()} == {"waiting"}
        settings.SMS_URL = simulator.url
        from django.core.cache import cache

        cache.clear()  # the breaker has rested
        make_due()
        assert deliver_due() == len(rows)
        assert len(simulator.journal.delivered) == len(rows)

    def test_while_the_gateway_rests_nothing_counts_as_an_attempt(self, simulator: Simulator) -> None:
        for number in range(9):
            tell(f"k{number}", phone=numbers.BROKEN if number < 5 else f"1380000000{number}")
        assert deliver_due() == 6
        assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1, 1, 1, 1, 1]
        assert deliver_due() == 1
        assert simulator.journal.delivered == []
        assert set(Delivery.objects.values_list("state", flat=True)) == {"waiting"}

    def test_without_a_gateway_everything_waits(self, settings: Any) -> None:
        settings.SMS_URL = ""
        row = tell()
        assert row is not None
        assert deliver_due() == 0
        assert state(row) == ("waiting", 0)

    def test_a_killed_worker_is_followed_by_another(
        self, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = tell()
        assert row is not None

        def killed(*_: Any) -> None:
            raise SystemExit  # after the gateway took it, before we wrote that down

        with monkeypatch.context() as patch:
            patch.setattr(delivering, "_close_taken", killed)
            with pytest.raises(SystemExit):
                deliver_due()
        assert state(row) == ("sending", 1)
        assert simulator.journal.texts(PHONE) != []
        assert deliver_due() == 0  # its claim still holds
        make_due()
        deliver_due()
        assert state(row) == ("sent", 2)
        assert len(simulator.journal.texts(PHONE)) == 1

    def test_a_keystore_that_is_gone_keeps_the_message(
        self, simulator: Simulator, settings: Any, tmp_path: Any
    ) -> None:
        row = tell()
        assert row is not None
        before = settings.KEYSTORE
        settings.KEYSTORE, settings.KEYSTORE_MADE_HERE = tmp_path / "absent", False
        deliver_due()
        assert (state(row), row.code) == (("waiting", 1), "keystore_missing")
        settings.KEYSTORE = before
        make_due()
        deliver_due()
        assert state(row) == ("sent", 2)

    def test_never_delivered(self, simulator: Simulator) -> None:
        row = tell(phone=numbers.NEVER_DELIVERED)
        assert row is not None
        deliver_due()
        read_receipts()
        assert (state(row), row.code) == (("failed", 1), "UNDELIV")


class TestTime:
    @staticmethod
    def at(hour: int, minute: int = 0, day: int = 11) -> dt.datetime:
        return dt.datetime(2026, 5, day, hour, minute, tzinfo=dt.timezone(dt.timedelta(hours=8)))

    def test_timed_sending(self, simulator: Simulator, time_machine_at: Any) -> None:
        row = tell(at=self.at(15))
        assert row is not None
        assert row.due_at == self.at(15)
        assert deliver_due() == 0
        time_machine_at(self.at(15, 1))
        assert deliver_due() == 1

    def test_at_night_it_waits_for_the_morning(self, simulator: Simulator, time_machine_at: Any) -> None:
        time_machine_at(self.at(22))
        row = tell()
        assert row is not None
        assert (row.due_at, deliver_due()) == (self.at(8, day=12), 0)
        time_machine_at(self.at(8, 1, day=12))
        assert deliver_due() == 1

    def test_what_is_late_by_an_outage_does_not_wake_anybody(self, simulator: Simulator, time_machine_at: Any) -> None:
        row = tell()
        assert row is not None
        time_machine_at(self.at(23))
        assert deliver_due() == 0
        assert (state(row), row.next_at) == (("waiting", 0), self.at(8, day=12))
        assert "免打扰" in steps(row)[-1]

    def test_a_district_has_hours_of_its_own(self, time_machine_at: Any) -> None:
        clerk = scope("messages.configure", path="310000.310101.", actor="qu")
        set_sending_rule(region="310101", quiet_from=dt.time(11), quiet_to=dt.time(13), daily_cap=3, scope=clerk)
        here, there = tell("a"), tell("b", code="310110")
        assert here is not None
        assert there is not None
        assert here.due_at == self.at(13)
        assert there.due_at < self.at(13)

    def test_the_daily_limit(self, simulator: Simulator, time_machine_at: Any) -> None:
        set_sending_rule(
            region="310000", quiet_from=dt.time(21), quiet_to=dt.time(8), daily_cap=2, scope=scope("messages.configure")
        )
        for key in "abc":
            tell(key)
        tell("d", phone="13800000001")
        assert deliver_due() == 3
        assert len(simulator.journal.texts(PHONE)) == 2
        late = Delivery.objects.get(state="waiting")
        assert late.next_at == self.at(8, day=12)
        time_machine_at(self.at(8, 1, day=12))
        deliver_due()
        assert len(simulator.journal.texts(PHONE)) == 3


class TestSteering:
    def test_cancel_while_it_waits(self, simulator: Simulator) -> None:
        row = tell()
        assert row is not None
        cancel_delivery(delivery_id=row.pk, scope=scope("messages.view", "messages.send"))
        assert deliver_due() == 0
        assert state(row) == ("cancelled", 0)
        with pytest.raises(Conflict):
            cancel_delivery(delivery_id=row.pk, scope=scope("messages.view", "messages.send"))

    def test_what_may_have_gone_out_cannot_be_cancelled(self, simulator: Simulator) -> None:
        row = tell(phone=numbers.LOST_ANSWER)
        assert row is not None
        deliver_due()
        with pytest.raises(Conflict) as refused:
            cancel_delivery(delivery_id=row.pk, scope=scope("messages.view", "messages.send"))
        assert refused.value.code == "delivery_maybe_sent"

    def test_send_again_once(self, simulator: Simulator) -> None:
        row = tell(phone=numbers.BAD_NUMBER)
        assert row is not None
        deliver_due()
        new = send_again(delivery_id=row.pk, scope=scope("messages.view", "messages.send"))
        assert new.pk != row.pk
        with pytest.raises(Conflict):
            send_again(delivery_id=row.pk, scope=scope("messages.view", "messages.send"))
        deliver_due()
        assert state(new) == ("failed", 1)

    def test_another_district_finds_nothing(self) -> None:
        row = tell(code="310110")
        assert row is not None
        other = scope("messages.view", "messages.send", "messages.reveal", path="310000.310101.", actor="qu")
        assert list(deliveries_visible(scope=other)) == []
        for act in (cancel_delivery, send_again, reveal_phone):
            with pytest.raises(NotFound):
                act(delivery_id=row.pk, scope=other)

    def test_duties(self) -> None:
        row = tell()
        assert row is not None
        with pytest.raises(Forbidden):
            list(deliveries_visible(scope=scope()))
        with pytest.raises(Forbidden):
            cancel_delivery(delivery_id=row.pk, scope=scope("messages.view"))
        with pytest.raises(Forbidden):
            reveal_phone(delivery_id=row.pk, scope=scope("messages.view", "messages.send"))

    def test_who_saw_a_number_is_written_down(self) -> None:
        row = tell()
        assert row is not None
        assert reveal_phone(delivery_id=row.pk, scope=scope("messages.view", "messages.reveal")) == PHONE
        entry = AuditEntry.objects.get(act="phone_revealed")
        assert (entry.actor, entry.detail) == ("shi", {"delivery": str(row.pk)})

    def test_filters(self) -> None:
        here, there = tell("a"), tell("b", phone="13800000001", code="310110")
        watcher = scope("messages.view")

        def found(**narrow: Any) -> list[Any]:
            return [row.pk for row in deliveries_visible(scope=watcher, **narrow)]

        assert here is not None
        assert there is not None
        assert found() == [there.pk, here.pk]
        assert found(region="310101") == [here.pk]
        assert found(phone="+86 138 0000 0001") == [there.pk]
        assert found(event=ENROLMENT_REGISTERED) == [there.pk, here.pk]
        assert found(day=dt.date(2026, 5, 10)) == []
        assert found(state=DeliveryState.SENT) == []


class TestTexts:
    def write(self, code: str, body: str, *, entry: str = "", seen: int = 0) -> Any:
        duty = scope("messages.configure", path="310000." if code == "310000" else f"310000.{code}.")
        return save_template(
            event=ENROLMENT_REGISTERED,
            channel="sms",
            region=code,
            entry=entry,
            title="",
            body=body,
            seen=seen,
            scope=duty,
        )

    def sent(self, simulator: Simulator, key: str, code: str, entry: str = "") -> str:
        row = tell(key, code=code, entry=entry)
        assert row is not None
        deliver_due()
        return simulator.journal.texts(PHONE)[-1]

    def test_the_nearest_region_decides_and_its_entry_first(self, simulator: Simulator) -> None:
        self.write("310000", "全市{儿童}")
        self.write("310000", "全市转园{儿童}", entry="transfer")
        self.write("310101", "黄浦{儿童}")
        self.write("310101", "黄浦居住证{儿童}", entry="permit")
        assert self.sent(simulator, "a", "310101", "permit") == "黄浦居住证王小明"
        assert self.sent(simulator, "b", "310101", "transfer") == "黄浦王小明"
        assert self.sent(simulator, "c", "310110", "transfer") == "全市转园王小明"
        assert self.sent(simulator, "d", "310110") == "全市王小明"

    def test_taking_a_text_back_lets_the_region_above_decide(self, simulator: Simulator) -> None:
        self.write("310101", "黄浦{儿童}")
        duty = scope("messages.configure", path="310000.310101.")
        withdraw_template(event=ENROLMENT_REGISTERED, channel="sms", region="310101", entry="", seen=1, scope=duty)
        assert self.sent(simulator, "a", "310101").startswith("家长您好")

    def test_two_who_edit_one_text(self) -> None:
        self.write("310101", "第一版")
        self.write("310101", "第二版", seen=1)
        with pytest.raises(Conflict):
            self.write("310101", "没看到第二版", seen=1)

    def test_only_ones_own_district(self) -> None:
        duty = scope("messages.configure", path="310000.310101.")
        for code in ("310110", "310000"):
            with pytest.raises(Forbidden):
                save_template(
                    event=ENROLMENT_REGISTERED,
                    channel="sms",
                    region=code,
                    entry="",
                    title="",
                    body="x",
                    seen=0,
                    scope=duty,
                )

    def test_switched_off(self) -> None:
        choose_event(
            event=ENROLMENT_REGISTERED, region="310101", channels=[], triggers=[], scope=scope("messages.configure")
        )
        assert tell() is None
        assert tell("k2", code="310110")


class TestInApp:
    @pytest.fixture
    def parent(self) -> User:
        return User.objects.create_user("parent", password="not-a-real-one")

    def told(self, user: User, key: str = "k1", **more: Any) -> Any:
        return send_message(
            event=ENROLMENT_REGISTERED, key=key, region_id=region("310101").pk, values=VALUES, users=[user], **more
        )

    def test_in_app_and_by_the_number_that_was_left(self, parent: User) -> None:
        assert (self.told(parent).messages, Delivery.objects.count()) == (1, 0)
        assert self.told(parent).messages == 0
        keep_phone(user=parent, phone=PHONE)
        told = self.told(parent, "k2")
        assert (told.messages, told.deliveries) == (1, 1)
        assert Delivery.objects.get().recipient == parent

    def test_reading(self, parent: User) -> None:
        for key in "abc":
            self.told(parent, key)
        first = messages_of(parent)[0]
        assert unread_count(parent) == 3
        assert read_message(message_id=first.pk, user=parent).read_at
        assert messages_of(parent).last() == first
        assert read_all_messages(user=parent) == 2
        assert unread_count(parent) == 0
        with pytest.raises(NotFound):
            read_message(message_id=first.pk, user=User.objects.create_user("other"))

    def test_timed_ones_are_not_there_yet(self, parent: User, time_machine_at: Any) -> None:
        self.told(parent, at=timezone.now() + dt.timedelta(hours=1))
        assert unread_count(parent) == 0
        time_machine_at(timezone.now() + dt.timedelta(hours=2))
        assert unread_count(parent) == 1

    def test_links_stay_here_and_numbers_are_hidden(self, parent: User) -> None:
        send_message(
            event=ENROLMENT_REGISTERED, key="k", region_id=region("310101").pk, values={**VALUES, "儿童": "电话13812345678"},
            users=[parent], link="//evil.example/",
        )  # fmt: skip
        row = Message.objects.get()
        assert row.link == ""
        assert "138****5678" in row.body

    def test_a_number_can_be_forgotten(self, parent: User) -> None:
        keep_phone(user=parent, phone=PHONE)
        contact = keep_phone(user=parent, phone="13800000001")
        assert contact is not None
        assert masked_phone(contact) == "138****0001"
        assert PHONE not in str(Contact.objects.values().get())
        keep_phone(user=parent, phone="")
        assert Contact.objects.count() == 0
