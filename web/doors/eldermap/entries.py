"""The menu of 养老一张图: its parts in the order of the rail, and how many messages wait."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from services.access.models import User
from services.kernel.messages.queries import unread_count


class Entry(NamedTuple):
    """One part: its words, its icon, the name of its page, what follows the address, and whether the bar of a phone holds it."""

    label: str
    icon: str
    page: str
    query: str = ""
    on_phone: bool = True


class Shown(NamedTuple):
    """An entry as the menu shows it."""

    label: str
    icon: str
    href: str
    now: bool
    on_phone: bool
    waiting: int = 0


ENTRIES: Final = (
    Entry("找服务", "map-pin", "elder-map"),
    Entry("按需优选", "sliders-horizontal", "places", "?kinds=eldercare", on_phone=False),
    Entry("服务供需", "scan-search", "elder-supply", on_phone=False),
    Entry("我的服务", "bookmark", "elder-mine"),
    Entry("我来点评", "star", "elder-comments", on_phone=False),
    Entry("我有建议", "message-square", "elder-suggestions", on_phone=False),
    Entry("我的消息", "bell", "elder-messages"),
    Entry("个人助手", "sparkles", "elder-assistant"),
)


def entries_shown(request: HttpRequest) -> list[Shown]:
    """Return the parts, the one the page belongs to marked, with the number of unread messages."""
    waiting = unread_count(request.user) if isinstance(request.user, User) else 0
    shown = []
    for entry in ENTRIES:
        href = reverse(entry.page)
        now = request.path == href or (entry.page == "elder-comments" and request.path.startswith("/places/"))
        unread = waiting if entry.page == "elder-messages" else 0
        shown.append(Shown(entry.label, entry.icon, f"{href}{entry.query}", now, entry.on_phone, unread))
    return shown
