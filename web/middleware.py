"""What every request passes through: logs without positions, a strict content policy, listed origins, named errors."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import pghistory
from django.conf import settings
from django.contrib import messages as said
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import resolve

from geo.answering import one_answer
from geo.errors import CityError, Forbidden, MethodRefused
from geo.tracing import current_request, request_of
from services.access.actions import note_key_use, record_audit
from services.access.clients.calling import record_call
from services.access.models import AuditAct
from services.access.queries import caller_of
from services.access.signin.flow import ended
from web.api.errors import problem, status_of

log = logging.getLogger("quantu.request")
Handler = Callable[[HttpRequest], HttpResponse]

CONTENT_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "worker-src 'self' blob:",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
# A page of documentation that a library draws with inline styles; scripts stay ours there too.
DOCS_POLICY = CONTENT_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
# With none of these and no session nobody is known; who shows one by another way is asked too late, and sees what all see.
CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_X_APP_ID")
API_ROOTS = ("/api/", "/tiles", "/ogc", "/sse/", "/basemaps", "/scenes")


def shows_who(request: HttpRequest) -> bool:
    """Say whether a request has anything by which we may know who asks."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES or any(name in request.META for name in CREDENTIALS)


def is_api(path: str) -> bool:
    """Say whether a path speaks JSON problems rather than pages."""
    return path.startswith(API_ROOTS) and path != "/api/docs"


class RequestLog:
    """One line per request: route, status and time. Never the query string, which may hold a home."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with request_of("") as number:
            request.id = number  # type: ignore[attr-defined]
            begun = time.perf_counter()
            response = self.get_response(request)
            match, caller = request.resolver_match, getattr(request, "_quantu_caller", None)
            log.info(
                "request",
                extra={
                    "id": number,
                    "method": request.method,
                    "route": match.route if match else "",
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - begun) * 1000, 1),
                    "account": caller.user.pk if caller and caller.user else None,
                },
            )
        response["X-Request-Id"] = number
        return response


class ContentSecurity:
    """Nothing is loaded from any host but ours, and no script stands inside a page."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", DOCS_POLICY if request.path == "/api/docs" else CONTENT_POLICY)
        response.setdefault("Permissions-Policy", "geolocation=(self), camera=(), microphone=()")
        return response


class CrossOrigin:
    """Answers for the API to the origins listed in ``QUANTU_CORS_ORIGINS``, and to no other."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        listed = origin in settings.CORS_ORIGINS and request.path.startswith(API_ROOTS)
        if listed and request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response = HttpResponse(status=204)
            response["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-API-Key"
            response["Access-Control-Max-Age"] = "600"
        else:
            response = self.get_response(request)
        if listed:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "ETag, Link, Retry-After, X-Request-Id"
        if request.path.startswith(API_ROOTS):
            response["Vary"] = ", ".join(filter(None, [response.get("Vary", ""), "Origin"]))
        return response


class OpenTiles:
    """Answers tiles to who shows neither session nor key, past all that asks who it is: asking takes longer than a held tile."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if request.method != "GET" or not path.startswith("/tiles/") or shows_who(request):
            return self.get_response(request)
        request.resolver_match = found = resolve(path)
        try:
            response: HttpResponse = found.func(request, *found.args, **found.kwargs)
        except CityError as error:
            return problem(error)
        return response


class ClientCalls:
    """Writes down every signed call of a platform, answered or refused; what cannot be written down is not answered."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        record_call(request, response.status_code)
        return response


class SessionLimits:
    """Ends a session that idled too long or lasts too long, and says so on the page of signing in."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        why = ended(request)
        if why:
            logout(request)
            said.warning(request, ENDED[why])
        return self.get_response(request)


ENDED = {"idle": "太久没有操作，已自动退出，请重新登录。", "long": "登录时间已到，请重新登录。"}


class HistoryContext:
    """Names who is acting, so that the history of changes can say it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return self.get_response(request)
        with pghistory.context(actor=caller_of(request).name, path=request.path, request=current_request()):
            return self.get_response(request)


class OneAnswer:
    """Lets what one answer asks several times be read once for it; requests that may change something read each time."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        with one_answer():
            return self.get_response(request)


class NamedErrors:
    """Turns a named error into problem+json on the API and into a sentence on a page; refusals are audited."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            caller = caller_of(request)  # a bad key is refused before anything else happens
        except CityError as error:
            return self.answer(request, error)
        if caller.key:
            note_key_use(key=caller.key)
        response = self.get_response(request)
        return self.other_method(request, response["Allow"]) if response.status_code == 405 else response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a named error of a view; anything else is a fault of ours and goes on to the log."""
        return self.answer(request, error) if isinstance(error, CityError) else None

    def other_method(self, request: HttpRequest, allowed: str) -> HttpResponse:
        """Say by what an address is asked: a program reads the methods, a person came by a link to where only a button leads."""
        told = (
            f"这个地址只接受 {allowed}。" if is_api(request.path) else "这一步要从页面上的按钮进入，请返回上一页再点。"
        )
        response = self.answer(request, MethodRefused("method_refused", told))
        response["Allow"] = allowed
        return response

    def answer(self, request: HttpRequest, error: CityError) -> HttpResponse:
        """Return the error in the words of the caller: a problem for programs, a page for people."""
        if isinstance(error, Forbidden):
            record_audit(act=AuditAct.REFUSED, request=request, detail={"code": error.code})
        if is_api(request.path):
            return problem(error)
        return render(request, "error.html", {"error": error}, status=status_of(error))
