"""Template tags of 养老一张图: its menu, what people say of a place, and how its services are applied for."""

from __future__ import annotations

from typing import Any

from django import template

from web.doors.elder_entries import Shown, entries_shown

register = template.Library()


@register.simple_tag(takes_context=True)
def elder_entries(context: dict[str, Any]) -> list[Shown]:
    """Return the menu of 养老一张图."""
    return entries_shown(context["request"])
