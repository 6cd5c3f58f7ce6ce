"""The link from a record, a case or a person to everything that was logged of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from services.access.queries import scope_for
from services.kernel.logs.queries import VIEW
from services.kernel.logs.registry import declared

register = template.Library()


@register.simple_tag(takes_context=True)
def trail(context: dict[str, Any], kind: str, pk: object) -> str:
    """Return where the log of an object is, '' for who may not read it; ``kind`` is a declared kind or a model's label."""
    request = context.get("request")
    if request is None or not scope_for(request).holds(VIEW):
        return ""
    if kind == "actor":
        return f"{reverse('desk-logs')}?{urlencode({'actor': pk})}"
    found = next((each.kind for each in declared()[1] if kind in (each.kind, each.model)), "")
    return f"{reverse('desk-logs')}?{urlencode({'object_kind': found, 'object_id': pk})}" if found else ""
