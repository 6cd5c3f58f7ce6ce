"""Counts how long visitors waited for the lists that are warmed beforehand; of nobody, by list only."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from redis import RedisError

from services.facilities.preloading import lists

OWN: Final = "quantu.warming"
"""Stands in the environment of questions a process puts to itself; no header can set it."""

View = Callable[[HttpRequest], HttpResponse]


def opened_list(view: View) -> View:
    """Note what a page took where it is one of the lists that are warmed."""

    @functools.wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        found = lists.list_of(request.path, request.GET.dict())
        if found is None or request.method != "GET":
            return view(request)
        began = time.perf_counter()
        try:
            mark = lists.mark_now()
        except RedisError:  # nothing is counted, and nobody is stopped
            return view(request)
        response = view(request)
        if response.status_code == 200:
            lists.note_answer(found.key, mark, seconds=time.perf_counter() - began, own=bool(request.META.get(OWN)))
        return response

    return answer
