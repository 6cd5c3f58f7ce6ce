"""Template tags of 养老一张图: its menu, and the stars of a comment."""

from __future__ import annotations

from typing import Any

from django import template

from web.doors.eldermap.entries import Shown, entries_shown

register = template.Library()


@register.simple_tag(takes_context=True)
def elder_entries(context: dict[str, Any]) -> list[Shown]:
    """Return the menu of 养老一张图."""
    return entries_shown(context["request"])


@register.filter
def stars_of(aspects: dict[str, int], key: str) -> int:
    """Return the stars given to an aspect, 0 for none."""
    return aspects.get(key, 0)
