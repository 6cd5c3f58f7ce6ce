"""Writes of messages: tell people of an event, read, cancel, send again, show a number, keep a number.

``send_message`` writes in the caller's transaction and sends nothing itself: what the transaction takes back was never sent, and
what it commits is sent by the worker, once, however often the act is repeated under its key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from celery import current_app
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import Conflict, NotFound
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.access.queries import check_duty
from services.crypto.identifiers import new_id
from services.crypto.masking import mask_text
from services.crypto.primitives import sm3
from services.crypto.sealing import blind_index, blind_indexes, seal, unseal
from services.kernel.messages.choosing import channels_for, city_zone, rule_for, text_for
from services.kernel.messages.models import Contact, Delivery, DeliveryState, DeliveryStep, Message
from services.kernel.messages.phones import PHONE_FIELD, normal_phone
from services.kernel.messages.queries import delivery_seen
from services.kernel.messages.quiet import first_allowed
from services.kernel.messages.registry import event_named
from services.kernel.messages.spec import Channel, Event
from services.kernel.messages.texts import filled, sms_length

DELIVER_TASK = "services.kernel.messages.deliver"
TEXT_FIELD = "sms_text"
ENDED_BADLY = (DeliveryState.FAILED, DeliveryState.GIVEN_UP, DeliveryState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Told:
    """What a call of ``send_message`` made; a repeated one makes nothing."""

    messages: int = 0
    deliveries: int = 0


@transaction.atomic
def send_message(
    *,
    event: str,
    key: str,
    region_id: int,
    values: Mapping[str, str],
    users: Iterable[User] = (),
    phones: Iterable[str] = (),
    entry: str = "",
    trigger: str = "",
    link: str = "",
    at: dt.datetime | None = None,
    actor: str = "system",
) -> Told:
    """Tell accounts (in-app, and by short message where they left a number) and bare numbers of an event.

    ``key`` names the act: the same again tells nobody twice. ``at`` is the earliest moment (aware). ``link`` is a path of ours.
    Channels, texts, triggers and quiet hours are those of the region. Raises ``NotFound``, ``BadInput``.
    """
    declared = event_named(event)
    channels = channels_for(declared, region_id=region_id, trigger=trigger)
    moment = max(at, timezone.now()) if at else timezone.now()
    accounts = list(users)
    messages = deliveries = 0
    if "in_app" in channels:
        messages = _write_messages(declared, key, region_id, values, accounts, entry, link, moment)
    if "sms" in channels:
        kept = Contact.objects.filter(user__in=accounts).select_related("user").order_by("user")
        numbers: list[tuple[User | None, str]] = [
            *((contact.user, unseal_contact(contact)) for contact in kept),
            *((None, normal_phone(phone)) for phone in phones),
        ]
        made = _write_deliveries(declared, key, region_id, values, numbers, entry, moment, actor)
        deliveries = len(made)
    return Told(messages, deliveries)


@transaction.atomic
def send_trial(*, event: str, region_id: int, entry: str, phone: str, scope: Scope) -> Delivery:
    """Send the text that holds for a region and entry, filled with its examples, to one number at once, and return it.

    Needs ``messages.configure``. It does not wait for the morning: who asks for it is awake.
    """
    check_duty(scope, "messages.configure")
    declared = replace(event_named(event), urgent=True)
    number = normal_phone(phone)
    key = f"trial:{new_id()}"
    rows = _write_deliveries(
        declared, key, region_id, declared.examples, [(None, number)], entry, timezone.now(), scope.actor
    )
    return rows[0]


def _rendered(event: Event, channel: Channel, region_id: int, entry: str, values: Mapping[str, str]) -> tuple[str, str]:
    text = text_for(event, channel, region_id=region_id, entry=entry).text
    return filled(text.title, values), filled(text.body, values)


def _write_messages(
    event: Event, key: str, region_id: int, values: Mapping[str, str], users: list[User], entry: str, link: str,
    moment: dt.datetime,
) -> int:  # fmt: skip
    title, body = _rendered(event, "in_app", region_id, entry, values)
    rows = [
        Message(
            key=_own_key(key, f"u{user.pk}"), recipient=user, event=event.key, title=mask_text(title)[:200],
            body=mask_text(body), link=link if link.startswith("/") and not link.startswith("//") else "",
            visible_from=moment,
        )
        for user in users
    ]  # fmt: skip
    known = set(Message.objects.filter(key__in=[row.key for row in rows]).values_list("key", flat=True))
    Message.objects.bulk_create([row for row in rows if row.key not in known], ignore_conflicts=True)
    return len(rows) - len(known)


def _write_deliveries(
    event: Event, key: str, region_id: int, values: Mapping[str, str], numbers: list[tuple[User | None, str]], entry: str,
    moment: dt.datetime, actor: str,
) -> list[Delivery]:  # fmt: skip
    if not numbers:
        return []
    _, body = _rendered(event, "sms", region_id, entry, values)
    due = moment if event.urgent else first_allowed(moment, rule_for(region_id).quiet, city_zone())
    made = []
    for user, phone in {phone: (user, phone) for user, phone in reversed(numbers)}.values():
        blind, *older = blind_indexes(phone, field=PHONE_FIELD)
        # The oldest index names the number: the same act repeated after a rotation of keys is still the same.
        row = Delivery(
            key=_own_key(key, f"u{user.pk}" if user else [blind, *older][-1]), event=event.key, entry=entry, region_id=region_id,
            recipient=user, phone_blind=blind, segments=sms_length(body).segments, urgent=event.urgent, due_at=due,
            next_at=due, made_by=actor[:150],
        )  # fmt: skip
        row.phone = seal(phone, field=PHONE_FIELD, owner=row.pk)
        row.text = seal(body, field=TEXT_FIELD, owner=row.pk)
        if _insert_once(row):
            note_step(
                row,
                "已登记" if due <= timezone.now() else f"已登记，{due.astimezone(city_zone()):%-m月%-d日 %H:%M}发送",
                actor,
            )
            made.append(row)
    if any(row.next_at <= timezone.now() for row in made):
        transaction.on_commit(_wake_worker, robust=True)
    return made


def _insert_once(row: Delivery) -> bool:
    """Insert a delivery unless its key is known: the unique key decides, also between two who try at once."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        if Delivery.objects.filter(key=row.key).exists():
            return False
        raise
    return True


def _own_key(key: str, whom: str) -> str:
    """Return the key of one recipient of an act; of any length, as a digest, so that long keys cannot meet when cut."""
    return sm3(f"{key}\x00{whom}".encode()).hex()


def _wake_worker() -> None:
    """Let a worker look at once. Without a broker the act stands all the same: beat looks every minute."""
    current_app.send_task(DELIVER_TASK)


def note_step(delivery: Delivery, what: str, actor: str = "system") -> DeliveryStep:
    """Write one line of a delivery's history."""
    return DeliveryStep.objects.create(delivery=delivery, what=what[:200], actor=actor[:150])


def read_message(*, message_id: UUID, user: User) -> Message:
    """Mark one of the caller's own messages read, and return it. Raises ``NotFound``."""
    message = Message.objects.filter(pk=message_id, recipient=user, visible_from__lte=timezone.now()).first()
    if message is None:
        raise NotFound("message_unknown", "没有找到这条消息。")
    if message.read_at is None:
        message.read_at = timezone.now()
        message.save(update_fields=["read_at"])
    return message


def read_all_messages(*, user: User, until: dt.datetime | None = None) -> int:
    """Mark read what the caller has been shown (all that was visible by ``until``), and return how many were unread."""
    seen = Message.objects.filter(recipient=user, read_at=None, visible_from__lte=until or timezone.now())
    return seen.update(read_at=timezone.now())


@transaction.atomic
def cancel_delivery(*, delivery_id: UUID, scope: Scope) -> Delivery:
    """Take back a short message that has not gone out. Needs ``messages.send``. Raises ``Conflict`` when it is too late."""
    delivery = _locked(delivery_id, scope)
    if delivery.state != DeliveryState.WAITING:
        raise Conflict("delivery_not_waiting", f"这条短信“{delivery.get_state_display()}”，不能取消。")
    if delivery.attempts:
        raise Conflict("delivery_maybe_sent", "这条短信已尝试发送过，可能已经发出，不能取消。")
    delivery.state, delivery.ended_at = DeliveryState.CANCELLED, timezone.now()
    delivery.save(update_fields=["state", "ended_at"])
    note_step(delivery, "已取消", scope.actor)
    return delivery


@transaction.atomic
def send_again(*, delivery_id: UUID, scope: Scope) -> Delivery:
    """Make a new short message of one that ended badly, and return it. Needs ``messages.send``; each is sent again once."""
    old = _locked(delivery_id, scope)
    if old.state not in ENDED_BADLY:
        raise Conflict("delivery_not_ended", f"这条短信“{old.get_state_display()}”，不用重发。")
    if Delivery.objects.filter(again_of=old).exists():
        raise Conflict("delivery_sent_again", "这条短信已经重发过，请看新的那一条。")
    now = timezone.now()
    due = now if old.urgent else first_allowed(now, rule_for(old.region_id).quiet, city_zone())
    new = Delivery(
        key=_own_key(f"again:{old.pk}", ""), event=old.event, entry=old.entry, region_id=old.region_id,
        recipient_id=old.recipient_id, phone_blind=old.phone_blind, segments=old.segments, urgent=old.urgent, due_at=due,
        next_at=due, again_of=old, made_by=scope.actor,
    )  # fmt: skip
    new.phone = seal(unseal(old.phone, field=PHONE_FIELD, owner=old.pk), field=PHONE_FIELD, owner=new.pk)
    new.text = seal(unseal(old.text, field=TEXT_FIELD, owner=old.pk), field=TEXT_FIELD, owner=new.pk)
    new.save(force_insert=True)
    note_step(old, "已重发为新的一条", scope.actor)
    note_step(new, "由未成功的一条重发", scope.actor)
    transaction.on_commit(_wake_worker, robust=True)
    return new


def _locked(delivery_id: UUID, scope: Scope) -> Delivery:
    check_duty(scope, "messages.send")
    delivery_seen(delivery_id, scope=scope)
    return Delivery.objects.select_for_update().get(pk=delivery_id)


@transaction.atomic
def reveal_phone(*, delivery_id: UUID, scope: Scope, request: HttpRequest | None = None) -> str:
    """Return the whole number of a delivery and write down who saw it. Needs ``messages.reveal``."""
    check_duty(scope, "messages.reveal")
    delivery = delivery_seen(delivery_id, scope=scope)
    record_audit(act=AuditAct.PHONE_REVEALED, actor=scope.actor, request=request, detail={"delivery": str(delivery.pk)})
    return unseal(delivery.phone, field=PHONE_FIELD, owner=delivery.pk)


@transaction.atomic
def keep_phone(*, user: User, phone: str) -> Contact | None:
    """Keep the number an account gets short messages on, or forget it for ''. Raises ``BadInput``."""
    if not phone.strip():
        Contact.objects.filter(user=user).delete()
        return None
    number = normal_phone(phone)
    contact = Contact.objects.select_for_update().filter(user=user).first() or Contact(user=user)
    contact.phone = seal(number, field=PHONE_FIELD, owner=contact.pk)
    contact.phone_blind = blind_index(number, field=PHONE_FIELD)
    contact.save()
    return contact


def unseal_contact(contact: Contact) -> str:
    """Return the number of a contact."""
    return unseal(contact.phone, field=PHONE_FIELD, owner=contact.pk)
