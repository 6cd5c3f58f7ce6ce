"""What messages keep of an account: its in-app messages, and the number it wants short messages on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.kernel.messages.models import Contact, Message


def messages(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the in-app messages of an account."""
    for row in Message.objects.filter(recipient=user).order_by("visible_from", "pk").iterator():
        yield {"时间": row.visible_from, "标题": row.title, "内容": row.body, "已读": row.read_at}


def contact(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield that there is a number; the number itself is shown masked on the page of messages."""
    for row in Contact.objects.filter(user=user):
        yield {"短信手机": "已登记", "更新时间": row.changed_at}


def forget(user: User) -> int:
    """Forget messages and number."""
    return int(Message.objects.filter(recipient=user).delete()[0]) + int(Contact.objects.filter(user=user).delete()[0])


PERSONAL_PARTS = (
    PersonalPart("messages", "站内消息", f"{__name__}:messages", f"{__name__}:forget"),
    PersonalPart("contact", "短信手机", f"{__name__}:contact"),
)
