"""The tabs of the desk's pages of forms: those the caller may open."""

from __future__ import annotations

from typing import Any, Final

from django import template
from django.urls import reverse

from services.access.queries import scope_for

register = template.Library()
TABS: Final = (
    ("收到的表单", "desk-submissions", "forms.view"),
    ("材料目录", "desk-form-certificates", "forms.view"),
    ("表单配置", "desk-forms", "forms.configure"),
    ("字段库", "desk-form-fields", "forms.configure"),
)


@register.inclusion_tag("desk/form_tabs.html", takes_context=True)
def form_tabs(context: dict[str, Any]) -> dict[str, Any]:
    """Show the parts of forms that the caller may open."""
    request = context["request"]
    scope = scope_for(request)
    tabs = [(label, reverse(page)) for label, page, duty in TABS if scope.holds(duty)]
    return {"tabs": [(label, href, request.path == href) for label, href in tabs]}
