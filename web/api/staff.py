"""Who may call the routes of staff: a key, or a signed-in browser whose writing requests come from our own pages."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.utils import check_csrf

from geo.errors import Forbidden, Unauthenticated
from geo.scope import Scope
from services.access.queries import caller_of, scope_for

READING = ("GET", "HEAD", "OPTIONS")


def staff(request: HttpRequest) -> Scope:
    """Return the scope of a caller who said who they are. Raises ``Unauthenticated``, and ``Forbidden`` for a forged form."""
    caller = caller_of(request)
    if caller.user is None:
        raise Unauthenticated("sign_in_required", "请先登录，或在请求头里带上接口密钥（Authorization: Bearer …）。")
    if caller.key is None and request.method not in READING and check_csrf(request) is not None:
        raise Forbidden("csrf_missing", "请求没有带上本站的表单凭据。程序请用接口密钥；在网页上请刷新后再试。")
    return scope_for(request)
