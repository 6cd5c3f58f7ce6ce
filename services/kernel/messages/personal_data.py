"""What messages keep of an account: its in-app messages, and the number it wants short messages on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils import timezone

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.crypto.sealing import seal, unseal
from services.kernel.messages.actions import TEXT_FIELD
from services.kernel.messages.models import Contact, Delivery, DeliveryState, Message
from services.kernel.messages.phones import PHONE_FIELD


def messages(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the in-app messages of an account."""
    for row in Message.objects.filter(recipient=user).order_by("visible_from", "pk").iterator():
        yield {"时间": row.visible_from, "标题": row.title, "内容": row.body, "已读": row.read_at}


def contact(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield that there is a number; the number itself is shown masked on the page of messages."""
    for row in Contact.objects.filter(user=user):
        yield {"短信手机": "已登记", "更新时间": row.changed_at}


def deliveries(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the short messages sent to an account, in plain: they are its own."""
    for row in Delivery.objects.filter(recipient=user).order_by("made_at", "pk").iterator():
        yield {
            "时间": row.sent_at or row.due_at, "内容": unseal(row.text, field=TEXT_FIELD, owner=row.pk),
            "状态": row.get_state_display(),
        }  # fmt: skip


def forget(user: User) -> int:
    """Forget messages and number."""
    return int(Message.objects.filter(recipient=user).delete()[0]) + int(Contact.objects.filter(user=user).delete()[0])


def blank_deliveries(user: User) -> int:
    """Stop what still waits, and keep of the others only that a message went out: no number, no text, no account."""
    rows = list(Delivery.objects.select_for_update().filter(recipient=user))
    for row in rows:
        if row.state == DeliveryState.WAITING:
            row.state, row.ended_at = DeliveryState.CANCELLED, timezone.now()
        row.recipient, row.phone_blind = None, ""
        row.phone, row.text = (seal("", field=field, owner=row.pk) for field in (PHONE_FIELD, TEXT_FIELD))
        row.save()
    return len(rows)


PERSONAL_PARTS = (
    PersonalPart(
        "messages",
        "站内消息",
        f"{__name__}:messages",
        f"{__name__}:forget",
        models=("kernel_messages.Message",),
    ),
    PersonalPart("contact", "短信手机", f"{__name__}:contact", models=("kernel_messages.Contact",)),
    PersonalPart(
        "deliveries",
        "短信",
        f"{__name__}:deliveries",
        f"{__name__}:blank_deliveries",
        kept="只留发送的时间和结果，用来核对费用；号码、内容和账号都抹去。",
        models=("kernel_messages.Delivery",),
    ),
)
