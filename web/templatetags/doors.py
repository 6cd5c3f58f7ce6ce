"""Template tags of the pages: an icon of the sprite, an address with changes, the navigation of the desk."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from web.doors.frame import Shown, entries_for, ledgers_shown, modules_shown, views_for

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Return an icon of the sprite; it is decoration unless a ``label`` names it."""
    href = f"{static('vendor/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, href)
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', href)


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
def desk_entries(context: dict[str, Any]) -> list[Shown]:
    """Return the parts of the desk that the caller may open."""
    return entries_for(context["request"])


@register.simple_tag(takes_context=True)
def desk_views(context: dict[str, Any]) -> list[Shown]:
    """Return the views that the caller keeps."""
    return views_for(context["request"])


@register.simple_tag(takes_context=True)
def desk_modules(context: dict[str, Any]) -> list[Shown]:
    """Return the business modules in which the caller may do something."""
    return modules_shown(context["request"])


@register.simple_tag(takes_context=True)
def desk_ledgers(context: dict[str, Any]) -> list[Shown]:
    """Return the ledgers that the caller may open."""
    return ledgers_shown(context["request"])
