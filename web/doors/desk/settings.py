"""The desk of the city's managers: system settings, what each is now, who set it and when."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from services.access.queries import scope_for
from services.facilities.actions import choose_navigation_app
from services.facilities.navigation import NAVIGATION_APPS, first_navigation_app, navigation_choices
from services.modules.finder.recommending.actions import turn_recommending
from services.modules.finder.recommending.queries import is_on, turns


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the settings of the city to those who may change them, and change them. Raises ``Forbidden`` for all others."""
    scope = scope_for(request)
    if request.method == "POST" and "recommending" in request.POST:
        on = turn_recommending(on=request.POST["recommending"] == "on", scope=scope).on
        messages.success(request, "已开启机构推荐。" if on else "已关闭机构推荐：不再推荐，也不再记录。")
        return redirect("settings")
    if request.method == "POST":
        row = choose_navigation_app(app=request.POST.get("navigation_app", ""), scope=scope)
        name = NAVIGATION_APPS[row.navigation_app]
        messages.success(request, f"已保存。家长点“导航”，现在先打开{name}。")
        return redirect("settings")
    context = {
        "choices": navigation_choices(scope=scope),
        "apps": NAVIGATION_APPS,
        "first": first_navigation_app(scope=scope),
        "turns": turns(scope=scope),
        "recommends": is_on(scope=scope),
    }
    return render(request, "desk/settings.html", context)
