"""The page of 养老一张图: the finder with what elders look for, and ground to mark on its map."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from web.doors.eldermap.supply import CIRCLING
from web.doors.finder.find import themed
from web.doors.finder.opened import opened_list


@opened_list
@never_cache
@require_safe
def elder_map(request: HttpRequest) -> HttpResponse:
    """Answer 养老一张图: the same map and list, with what elders look for."""
    return themed(request, "elder", circling=CIRCLING)
