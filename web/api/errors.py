"""The only table from named errors to HTTP, and the one shape in which the API says what went wrong."""

from __future__ import annotations

import orjson
from django.http import HttpResponse

from geo.errors import (
    BadInput,
    CityError,
    Conflict,
    Forbidden,
    MethodRefused,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)

STATUS: dict[type[CityError], tuple[int, str]] = {
    BadInput: (400, "请求有误"),
    Unauthenticated: (401, "需要登录"),
    Forbidden: (403, "没有权限"),
    NotFound: (404, "没有找到"),
    MethodRefused: (405, "请求方法不对"),
    Conflict: (409, "内容有冲突"),
    TooLarge: (413, "内容过大"),
    TooMany: (429, "请求过多"),
    Unavailable: (503, "暂时无法回答"),
}


def status_of(error: CityError) -> int:
    """Return the HTTP status of a named error."""
    return _entry(error)[0]


def problem(error: CityError) -> HttpResponse:
    """Return the error as ``application/problem+json`` (RFC 9457) with its stable ``code``."""
    status, title = _entry(error)
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": error.code,
        "detail": error.message,
        **{key: value for key, value in error.detail.items() if key not in {"type", "title", "status", "code"}},
    }
    response = HttpResponse(
        orjson.dumps(body, default=str), status=status, content_type="application/problem+json; charset=utf-8"
    )
    if "retry_after" in error.detail:
        response["Retry-After"] = str(int(error.detail["retry_after"]))
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="quantu"'
    return response


def _entry(error: CityError) -> tuple[int, str]:
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500, "服务出错"
