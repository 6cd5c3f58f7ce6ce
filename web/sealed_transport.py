"""The entrance of sealed requests: opened, handled as if they had come plainly, answered sealed; and what may not come plainly.

One address takes them all, so that nobody on the way learns what is asked for. Who asks is said by the cookie outside; the
session inside must be of the same account.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from geo.errors import BadInput, CityError, Forbidden, TooLarge, Unauthenticated
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.access.queries import caller_of
from services.access.signin.flow import certificate_of
from services.access.transport import sessions
from services.access.transport.letters import Letter, read_letter, written_answer
from services.access.transport.registry import sealed_paths_of
from services.access.transport.spec import Channel
from services.integrations.gateway.client import is_connected
from web.api.errors import problem, status_of

Handler = Callable[[HttpRequest], HttpResponseBase]
ENTRANCE: Final = "/api/v1/sealed"
SEALED: Final = "application/vnd.quantu.sealed"
SESSION, SEQUENCE = "X-Secure-Session", "X-Secure-Sequence"
SHARED: Final = ("session", "user", "auser", "_messages", "id", "_dont_enforce_csrf_checks")
"""What the outer request knows and the inner one is to know as well."""


class SealedTransport:
    """Opens what comes sealed, and refuses what comes plainly where the house asks for sealing."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            if request.path == ENTRANCE and request.method == "POST":
                return self.sealed(request)
            check_plain(request)
        except CityError as fault:
            return refused(request, fault)
        return self.get_response(request)

    def sealed(self, request: HttpRequest) -> HttpResponse:
        """Answer a sealed request; whatever the answer is, an error too, it travels sealed."""
        user, session, sequence = _said_outside(request)
        letter = read_letter(
            sessions.opened_message(user=user, session=session, sequence=sequence, sealed=_body(request))
        )
        inner = inner_request(request, letter)
        try:
            answer = self.get_response(inner)
            plain = written_answer(answer.status_code, answer.items(), _content(answer))
        finally:
            _hand_back(request, inner)
            inner.close()
        response = HttpResponse(
            sessions.sealed_message(session=session, sequence=sequence, plain=plain), content_type=SEALED
        )
        response[SEQUENCE] = str(sequence)
        response["Cache-Control"] = "no-store"
        response.cookies.update(answer.cookies)
        # Closing the inner answer by itself would tell everyone that the request is over.
        response._resource_closers.extend(answer._resource_closers)  # type: ignore[attr-defined]
        return response


def check_plain(request: HttpRequest) -> None:
    """Raise ``Forbidden`` for a path whose data is declared important, on a channel that asks for sealing."""
    found = sealed_paths_of(request.path) if is_connected() else None
    if found is not None and channel_of(request) in settings.SEALED_CHANNELS:
        raise Forbidden(
            "sealing_required",
            f"“{found.title}”属于{found.matter}数据，要通过安全会话传输。请在装有证书的移动端应用里打开。",
            matter=found.key,
        )


def channel_of(request: HttpRequest) -> Channel:
    """Return how a plain request came. Raises ``Unauthenticated`` for a key that is wrong."""
    if certificate_of(request):
        return Channel.CONTAINER
    by_key = caller_of(request).key is not None or "X-App-Id" in request.headers
    return Channel.PROGRAM if by_key else Channel.WEB


def inner_request(request: HttpRequest, letter: Letter) -> WSGIRequest:
    """Return the request that was inside, as our views know requests; of the outer one's headers only the cookie stays."""
    path, _, query = letter.target.partition("?")
    outer = request.META
    environ: dict[str, Any] = {
        name: value for name, value in outer.items() if not name.startswith("HTTP_") or name in _OUTSIDE
    }
    environ.update(
        {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in letter.headers.items()}
        | {
            "REQUEST_METHOD": letter.method,
            # As a server hands it on: the bytes of the path, read as Latin-1.
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": letter.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(letter.body)),
            "wsgi.input": io.BytesIO(letter.body),
        }
    )
    inner = WSGIRequest(environ)
    for name in SHARED:
        if hasattr(request, name):
            setattr(inner, name, getattr(request, name))
    inner.sealed = True  # type: ignore[attr-defined]
    return inner


def refused(request: HttpRequest, fault: CityError) -> HttpResponse:
    """Return a refusal of the transport itself, which says nothing of what was inside; people get it as a page."""
    if isinstance(fault, Forbidden):
        record_audit(act=AuditAct.REFUSED, request=request, detail={"code": fault.code})
    if request.path != ENTRANCE and "text/html" in request.headers.get("Accept", ""):
        return render(request, "error.html", {"error": fault}, status=status_of(fault))
    return problem(fault)


_OUTSIDE: Final = frozenset(
    {
        "HTTP_COOKIE", "HTTP_HOST", "HTTP_ORIGIN", "HTTP_REFERER", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP",
    }
)  # fmt: skip


def _said_outside(request: HttpRequest) -> tuple[User, str, int]:
    caller = caller_of(request)
    if caller.user is None or caller.key is not None:
        raise Unauthenticated("sign_in_required", "请先用证书登录，再通过安全会话发送。")
    session, sequence = request.headers.get(SESSION, ""), request.headers.get(SEQUENCE, "")
    if not session or len(session) > 64 or not sequence.isascii() or not sequence.isdigit() or len(sequence) > 12:
        raise BadInput("sealed_unnumbered", f"请在请求头里写明 {SESSION} 和 {SEQUENCE}。")
    return caller.user, session, int(sequence)


def _body(request: HttpRequest) -> bytes:
    """Read the body past Django's limit for forms, up to our own."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if not length.isdigit() or int(length) > sessions.MOST_BYTES:
        raise TooLarge("sealed_too_large", f"封好的请求最多 {sessions.MOST_BYTES // 1_000_000} MB，请把文件分开上传。")
    return request.read(int(length))


def _content(answer: HttpResponseBase) -> bytes:
    if not answer.streaming:
        return bytes(getattr(answer, "content", b""))
    pieces = bytearray()
    for piece in answer:
        pieces += piece
        if len(pieces) > sessions.MOST_BYTES:
            raise TooLarge("sealed_answer_large", "内容太大，不能通过安全会话下载。请缩小范围，或在单位的电脑上下载。")
    return bytes(pieces)


def _hand_back(request: HttpRequest, inner: WSGIRequest) -> None:
    """Give the outer request what the inner one came to know: its route for the log, who signed in, the form's token."""
    request.resolver_match = inner.resolver_match
    for name in SHARED:
        if hasattr(inner, name):
            setattr(request, name, getattr(inner, name))
    for name, value in inner.META.items():
        if name.startswith("CSRF_COOKIE"):
            request.META[name] = value
