"""Receivers of platforms over real HTTP: signed, in order, again after every fault, undelivered ones sent again by staff."""

from __future__ import annotations

import datetime as dt
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from celery import current_app
from django.core.cache import cache
from django.utils import timezone

from geo.errors import Forbidden
from geo.scope import Scope
from services.access.clients.actions import turn_client
from services.access.models import AuditEntry
from services.crypto.sealing import unseal
from services.fencing.following.actions import send_again
from services.fencing.following.delivering import deliver_due
from services.fencing.following.models import DeliveryState, FenceDelivery, FenceEvent, Receiver
from services.fencing.following.outbox import DEADLINE, DELIVER_TASK
from services.fencing.following.queries import SECRET_FIELD, dead_letters
from services.fencing.following.tasks import deliver
from services.integrations.receivers.simulator import Simulator
from tests.services.fencing.following.platforms import KEEPER, Platform, edition, platform, rows_of
from tests.services.fencing.following.test_intake import drive, start
from tests.services.fencing.sets import STAFF, square

GUEST = Scope(paths=("310000.310115.",), duties=frozenset({"fences.view", "fences.edit"}), actor="elsewhere")


@pytest.fixture
def truck(city: None, settings: Any) -> Platform:
    settings.RECEIVER_HOSTS, settings.INSIDE_HOSTS, settings.RECEIVER_TIMEOUT_S = ["127.0.0.1"], ["127.0.0.1"], 0.5
    cache.clear()
    edition({"料场": square(0, 0)})
    made = platform()
    made.follow()
    return made


@pytest.fixture
def receiver(truck: Platform) -> Iterator[Simulator]:
    """Return a receiver that the platform set, with the secret that it was given."""
    with Simulator(app=truck.app, secret="") as running:
        answer = truck.call("PUT", "receiver", said={"url": f"{running.url}/fence/events"})
        assert answer.status == 200, answer
        running.secret = answer.said["secret"]
        yield running


def happen(truck: Platform, *subjects: str) -> list[FenceEvent]:
    """Let subjects drive through the fence: two events each."""
    for subject in subjects or ("truck-1",):
        truck.report(rows_of(subject, drive(start())))
    return list(FenceEvent.objects.order_by("number"))


def due_again() -> None:
    FenceDelivery.objects.filter(state=DeliveryState.WAITING).update(next_at=timezone.now())
    cache.clear()


def test_an_event_is_posted_signed_and_kept_once(truck: Platform, receiver: Simulator) -> None:
    events = happen(truck)
    assert deliver_due() == 2
    assert [each.id for each in receiver.kept] == [event.id for event in events]
    assert [each.model_dump(mode="json") for each in receiver.kept] == truck.events(), "read or told, it is the same"
    assert deliver_due() == 0
    assert set(receiver.asked.values()) == {1}
    assert truck.call("GET", "receiver").said == {
        "url": f"{receiver.url}/fence/events", "secret": "", "waiting": 0, "undelivered": 0,
    }  # fmt: skip


def test_what_is_not_signed_with_the_secret_is_not_kept(truck: Platform, receiver: Simulator) -> None:
    receiver.secret = "another"
    happen(truck)
    assert deliver_due() == 0
    assert receiver.kept == []
    assert FenceDelivery.objects.order_by("id").values_list("code", flat=True)[0] == "status_401"


def test_an_answer_that_was_lost_brings_the_same_event_again(truck: Platform, receiver: Simulator) -> None:
    events = happen(truck)
    receiver.fails = "silent"
    assert deliver_due() == 0
    receiver.fails = ""
    due_again()
    assert deliver_due() == 2
    assert [each.id for each in receiver.kept] == [event.id for event in events]
    assert sorted(receiver.asked.values()) == [1, 2]


def test_of_one_subject_the_later_event_waits_and_others_go_on(truck: Platform, receiver: Simulator) -> None:
    happen(truck, "truck-1", "truck-2")
    first = FenceDelivery.objects.order_by("id").first()
    assert first is not None
    FenceDelivery.objects.filter(pk=first.pk).update(next_at=timezone.now() + dt.timedelta(minutes=5))
    assert deliver_due() == 2
    assert {each.subject for each in receiver.kept} == {"truck-2"}
    due_again()
    assert deliver_due() == 2
    assert [(each.subject, each.kind) for each in receiver.kept] == [
        ("truck-2", "enter"), ("truck-2", "exit"), ("truck-1", "enter"), ("truck-1", "exit"),
    ]  # fmt: skip


def test_a_receiver_that_never_answers_is_left_alone_and_holds_nobody_up(truck: Platform, receiver: Simulator) -> None:
    happen(truck, *(f"truck-{n}" for n in range(12)))
    receiver.fails = "hangs"
    begun = time.monotonic()
    assert deliver_due() == 0
    assert time.monotonic() - begun < 6, "five attempts of half a second each, then it rests"
    assert sum(receiver.asked.values()) == 5
    assert deliver_due() == 0
    assert sum(receiver.asked.values()) == 5, "it is not asked while it rests"
    waits = FenceDelivery.objects.filter(attempts=1).values_list("next_at", flat=True)
    assert len(set(waits)) == 5, "pauses are shaken, so that not all come back at once"


def test_what_does_not_arrive_in_a_day_lies_there_until_staff_send_it_again(
    truck: Platform, receiver: Simulator
) -> None:
    events = happen(truck)
    receiver.fails = "broken"
    with time_machine.travel(timezone.now() + DEADLINE, tick=False):
        for _ in range(2):
            cache.clear()
            deliver_due()
            FenceDelivery.objects.filter(state=DeliveryState.WAITING).update(next_at=timezone.now())
    dead = dead_letters(scope=STAFF)
    assert [(row.state, row.code) for row in dead] == [("dead", "status_500")] * 2
    assert truck.call("GET", "receiver").said["undelivered"] == 2
    assert list(dead_letters(scope=GUEST)) == []
    seen = dead[0].pk
    receiver.fails = ""
    cache.clear()
    assert send_again(scope=GUEST, client=truck.row, up_to=seen) == 0, "another district's"
    with pytest.raises(Forbidden):
        send_again(scope=Scope(paths=STAFF.paths, actor="x"), client=truck.row, up_to=seen)
    assert send_again(scope=STAFF, client=truck.row, up_to=seen) == 2
    assert send_again(scope=STAFF, client=truck.row, up_to=seen) == 0, "a double click does it once"
    assert AuditEntry.objects.get(act="fence_events_again").detail == {"client": truck.app, "count": 2}
    assert deliver_due() == 2
    assert [each.id for each in receiver.kept] == [event.id for event in events]


@pytest.mark.parametrize(("fails", "state"), [("never", "dead"), ("gone", "dead"), ("elsewhere", "waiting")])
def test_some_answers_are_final_and_a_redirect_is_never_followed(
    truck: Platform, receiver: Simulator, fails: Any, state: str
) -> None:
    happen(truck)
    receiver.fails = fails
    deliver_due()
    row = FenceDelivery.objects.order_by("id")[0]
    assert (row.state, row.code) == (state, {"never": "status_422", "gone": "status_410"}.get(fails, "redirected"))
    assert receiver.kept == []


def test_a_stopped_platform_is_told_nothing_until_it_may_again(truck: Platform, receiver: Simulator) -> None:
    happen(truck)
    turn_client(app=truck.app, active=False, scope=KEEPER)
    assert deliver_due() == 0
    assert not receiver.asked
    turn_client(app=truck.app, active=True, scope=KEEPER)
    assert deliver_due() == 2


def test_another_address_gets_another_secret_and_what_waits(truck: Platform, receiver: Simulator) -> None:
    happen(truck)
    with Simulator(app=truck.app, secret="") as other:
        other.secret = truck.call("PUT", "receiver", said={"url": other.url}).said["secret"]
        assert other.secret != receiver.secret
        assert deliver_due() == 2
        assert (len(other.kept), len(receiver.kept)) == (2, 0)
    row = Receiver.objects.get()
    assert unseal(row.secret, field=SECRET_FIELD, owner=row.uid) == other.secret
    assert other.secret not in str(list(Receiver.objects.values()))
    assert truck.call("DELETE", "receiver").said == {"done": True}
    assert truck.call("GET", "receiver").status == 404
    assert not FenceDelivery.objects.exists()
    assert len(truck.events()) == 2, "what happened stays to be read"


def test_a_worker_is_called_once_for_many_events_and_again_for_what_comes_after_it_began(
    truck: Platform, receiver: Simulator, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    called: list[str] = []
    monkeypatch.setattr(current_app, "send_task", called.append)
    with django_capture_on_commit_callbacks(execute=True):
        happen(truck, "truck-1", "truck-2", "truck-3")
    assert called == [DELIVER_TASK]
    assert deliver() == 6
    with django_capture_on_commit_callbacks(execute=True):
        happen(truck, "truck-4")
    assert called == [DELIVER_TASK] * 2


# Addresses that are none of theirs


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://platform.example.com/x", "receiver_not_https"),
        ("ftp://platform.example.com/x", "receiver_not_https"),
        ("https://user:pw@platform.example.com/", "receiver_url"),
        ("https://platform.example.com/?key=1", "receiver_url"),
        ("https://platform.example.com/a/../b", "receiver_url"),
        ("https://platform.example.com:99999/", "receiver_url"),
        ("https://平台.example.com/", "receiver_url"),
        ("https://platform.example.com/\r\nX: y", "receiver_url"),
        ("javascript:alert(1)", "receiver_url"),
        ("https://other.example.com/", "receiver_host"),
        ("", "receiver_url"),
    ],
)
def test_what_is_no_address_of_a_receiver_is_refused(truck: Platform, settings: Any, url: str, code: str) -> None:
    settings.RECEIVER_HOSTS = ["platform.example.com"]
    answer = truck.call("PUT", "receiver", said={"url": url})
    assert (answer.status, answer.said["code"]) == (400, code)
    assert not Receiver.objects.exists()


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "::ffff:10.0.0.8", "fd00::1", "0.0.0.0"]
)
def test_a_name_that_leads_into_our_network_is_never_connected_to(
    truck: Platform, settings: Any, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """The name was harmless when it was set; where it leads is looked at when it is asked, and what was looked at is asked."""
    settings.RECEIVER_HOSTS, settings.INSIDE_HOSTS = ["platform.example.com"], ["sms.inside"]
    truck.call("PUT", "receiver", said={"url": "https://platform.example.com/x"})
    happen(truck)
    asked: list[Any] = []
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    told = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: told)
    monkeypatch.setattr(socket.socket, "connect", lambda *given: asked.append(given))
    assert deliver_due() == 0
    assert asked == []
    assert FenceDelivery.objects.order_by("id").values_list("code", flat=True)[0] == "address_refused"


def test_hosts_inside_are_no_receivers_unless_they_are_named_as_such(truck: Platform, settings: Any) -> None:
    settings.RECEIVER_HOSTS, settings.INSIDE_HOSTS = [], ["sms.inside"]
    assert truck.call("PUT", "receiver", said={"url": "http://sms.inside/x"}).said["code"] == "receiver_not_https"
    assert truck.call("PUT", "receiver", said={"url": "https://sms.inside/x"}).said["code"] == "receiver_host"
    settings.RECEIVER_HOSTS = ["sms.inside"]
    assert truck.call("PUT", "receiver", said={"url": "http://sms.inside/x"}).status == 200
