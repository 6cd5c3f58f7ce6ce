"""The frame of the desk: which parts of it a person may open, in the order of the side navigation."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from services.access.queries import holds_citywide, scope_for


class Entry(NamedTuple):
    """One part of the desk: the name of its first page, and the duty that opens it, '' for everyone who is signed in.

    ``citywide`` parts ask for the duty over the whole city. ``prefix`` is what the addresses of its pages begin with.
    """

    label: str
    icon: str
    page: str
    prefix: str
    duty: str = ""
    citywide: bool = False


ENTRIES: Final = (
    Entry("台账", "list", "desk", "/desk/ledgers"),
    Entry("地址维护", "map-pin", "desk-addresses", "/desk/addresses", "addresses.edit"),
    Entry("系统设置", "settings", "settings", "/desk/settings", "settings.write", citywide=True),
)


class Shown(NamedTuple):
    """An entry as the navigation shows it."""

    label: str
    icon: str
    href: str
    now: bool


def entries_for(request: HttpRequest) -> list[Shown]:
    """Return the parts of the desk that the caller may open, the one the page belongs to marked."""
    scope = scope_for(request)
    return [
        Shown(entry.label, entry.icon, reverse(entry.page), request.path.startswith(entry.prefix))
        for entry in ENTRIES
        if not entry.duty or (holds_citywide(scope, entry.duty) if entry.citywide else scope.holds(entry.duty))
    ]
