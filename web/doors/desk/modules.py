"""One business module at the desk: its matters, ledgers, forms and rules in one place."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from services.access.queries import scope_for
from services.kernel.module.queries import module_for


@never_cache
@login_required
@require_safe
def module_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show what the caller may do in a module. Raises ``NotFound`` and ``Forbidden``."""
    scope = scope_for(request)
    parts = module_for(key, scope=scope)
    context = {
        "parts": parts,
        "may_open_window": {spec.key for spec in parts.matters if spec.opens and scope.holds(spec.opens)},
    }
    return render(request, "desk/module.html", context)
