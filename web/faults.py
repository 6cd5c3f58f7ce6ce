"""The last answers: no such page, a request Django itself refuses, and a fault of ours, each in the caller's language."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from geo.errors import BadInput, CityError, Forbidden, NotFound
from web.api.errors import problem, status_of
from web.middleware import is_api

log = logging.getLogger(__name__)


class Fault(CityError):
    """Something of ours broke; the number helps to find it in the log."""


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return _answer(request, NotFound("not_found", "没有这个页面。可能地址写错了，或者内容已经撤下。"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 for what Django refuses before a view: a wrong host, a body too large."""
    return _answer(request, BadInput("request_invalid", "请求读不懂，或内容过大。请核对后再试。"))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 when a form was open too long or came from elsewhere."""
    return _answer(request, Forbidden("form_expired", "这个页面打开太久了，请刷新后再提交一次。"))


def fault(request: HttpRequest) -> HttpResponse:
    """Answer 500 with the number under which the log tells more."""
    number = str(getattr(request, "id", ""))[:4].upper()
    message = f"结果没能算出来，问题在我们这边。请再试一次，或拨 12345；编号 {number}。"
    return _answer(request, Fault("fault", message, number=number))


def _answer(request: HttpRequest, error: CityError) -> HttpResponse:
    if is_api(request.path):
        return problem(error)
    return render(request, "error.html", {"error": error}, status=status_of(error))
