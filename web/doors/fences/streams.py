"""What stays open: a platform's events at fences as they come (server-sent events), served by the process of its own."""

from __future__ import annotations

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from geo.errors import BadInput, Unavailable
from services.access.clients.calling import Admitted, admit
from services.access.clients.models import ClientKey
from services.fencing.following.streaming import OPERATION, PLACES, frames


def fence_events(request: HttpRequest) -> HttpResponseBase:
    """Stream the events of the platform that signed, after ``Last-Event-ID`` or ``after``; only the frames are asynchronous."""
    admitted, key = _admitted(request)
    after = _after(request)
    if not isinstance(request, ASGIRequest):
        raise Unavailable("streams_elsewhere", "事件流由单独的进程提供，请经正式地址访问。", retry_after=5)
    PLACES.check(admitted.client)
    answer = StreamingHttpResponse(
        frames(admitted.client, key, after), content_type="text/event-stream; charset=utf-8"
    )  # fmt: skip
    answer["Cache-Control"] = "no-store"
    answer["X-Accel-Buffering"] = "no"
    return answer


def _admitted(request: HttpRequest) -> tuple[Admitted, ClientKey]:
    admitted = admit(request, OPERATION)
    return admitted, request._quantu_call.key  # type: ignore[attr-defined]


def _after(request: HttpRequest) -> int:
    text = request.headers.get("Last-Event-ID") or request.GET.get("after") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadInput("number_invalid", "after 和 Last-Event-ID 要写收到的最后一件的序号。", parameter="after")
    return int(text)
