"""Where the city's managers keep the entries of 养老服务一件事: an address outside for each kind of place."""

from __future__ import annotations

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import CityError
from services.access.queries import scope_for
from services.modules.careservice.actions import LONGEST, set_outside_entry
from services.modules.careservice.queries import entry_changes, outside_entries
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def entries_page(request: HttpRequest) -> HttpResponse:
    """Show the entries to those who may change them, and change one. Raises ``Forbidden`` for all others."""
    scope, fault, tried = scope_for(request), None, ("", "")
    if request.method == "POST":
        tried = typed(request, "kind")[:40], typed(request, "url")[: LONGEST + 1]
        try:
            row = set_outside_entry(kind=tried[0], url=tried[1], seen=number_typed(request, "seen"), scope=scope)
        except CityError as wrong:
            fault = wrong
        else:
            said.success(request, "已保存，马上生效。" if row and row.url else "已清空，页面改为告诉大家到窗口办。")
            return redirect("desk-apply-entries")
    entries = [(one, tried[1] if fault and one.kind == tried[0] else one.url) for one in outside_entries(scope=scope)]
    context = {
        "entries": entries,
        "changes": entry_changes(scope=scope),
        "fault": fault,
        "tried": tried[0],
        "longest": LONGEST,
    }
    return render(request, "desk/apply_entries.html", context, status=status_of(fault) if fault else 200)
