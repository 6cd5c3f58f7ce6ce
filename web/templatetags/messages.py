"""What templates need of messages: how many a person has not read."""

from __future__ import annotations

from typing import Any

from django import template

from services.kernel.messages.queries import unread_count

register = template.Library()


@register.simple_tag(takes_context=True)
def unread_messages(context: dict[str, Any]) -> str:
    """Return how many messages the caller has not read: "" for none, "99+" for a hundred and more."""
    caller = context.get("caller")
    count = unread_count(caller.user) if caller and caller.user else 0
    return "99+" if count > 99 else str(count or "")
