"""Template tags of the pages: icons, what is chosen from, rows of places, an address with changes, the desk's navigation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils.safestring import SafeString

from geo.regions.queries import current_city
from services.facilities.places import Place
from web.doors.desk.frame import Section, sections_for
from web.doors.finder import markup
from web.doors.finder.shown import Row

register = template.Library()

for _tag in (
    markup.icon,
    markup.options,
    markup.kind_options,
    markup.kind_chips,
    markup.filter_chips,
    markup.counted_options,
    markup.counted_boxes,
    markup.compare_tick,
):
    register.simple_tag(_tag)


@register.simple_tag(takes_context=True)
def save_button(context: dict[str, Any], place: Place, look: str = "save-button") -> SafeString:
    """Show the button that marks a place or forgets it."""
    return markup.save_button(place, context["saved_ids"], look=look)


@register.simple_tag(takes_context=True)
def list_rows(context: dict[str, Any], rows: Sequence[Row]) -> SafeString:
    """Show rows of the list of all institutions."""
    return markup.list_rows(rows, set(context["saved_ids"]))


@register.simple_tag(takes_context=True)
def circle_rows(context: dict[str, Any], rows: Sequence[Row], selected: int | None) -> SafeString:
    """Show rows of what can be reached; ``selected`` is the place whose card is open."""
    return markup.circle_rows(rows, set(context["saved_ids"]), selected)


@register.simple_tag
def city_plane() -> str:
    """Return what a script needs to measure on the city's plane, as JSON."""
    return json.dumps(current_city().plane.forward_terms, ensure_ascii=False)


@register.filter
def thousands(number: int) -> str:
    """Return a count with commas: 1,742."""
    return f"{number:,}"


@register.simple_tag(takes_context=True)
def address(context: dict[str, Any], path: str = "", **changes: Any) -> str:
    """Return the current address with some parameters changed; ``None`` or an empty value drops one."""
    request = context["request"]
    params = request.GET.copy()
    for key, value in changes.items():
        params.pop(key, None)
        if value not in (None, ""):
            params[key] = str(value)
    query = urlencode([(key, value) for key, values in params.lists() for value in values if value])
    base = path or request.path
    return f"{base}?{query}" if query else base


@register.simple_tag(takes_context=True)
def desk_sections(context: dict[str, Any]) -> list[Section]:
    """Return what the caller may open at the desk, in the groups of the side navigation."""
    return sections_for(context["request"])
