"""我的消息 of 养老一张图: the caller's own messages in large plain rows, read one by one or all at once."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from services.kernel.messages.actions import read_all_messages, read_message
from services.kernel.messages.queries import messages_of, unread_count
from web.doors.common.callers import user_of
from web.doors.common.typed import moment_of, typed
from web.doors.messages.inbox import ON_A_PAGE


@never_cache
@login_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List the caller's messages, unread ones first."""
    user = user_of(request)
    context = {
        "page": Paginator(messages_of(user), ON_A_PAGE).get_page(typed(request, "page")),
        "unread": unread_count(user),
        "until": timezone.now().isoformat(),
    }
    return render(request, "eldermap/messages.html", context)


@login_required
@require_POST
def read(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Mark one message read, and go on to what it is about when that was asked for. Raises ``NotFound``."""
    message = read_message(message_id=message_id, user=user_of(request))
    return redirect(message.link if message.link and "go" in request.POST else "elder-messages")


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark read all that the caller had been shown; what came since stays unread."""
    count = read_all_messages(user=user_of(request), until=moment_of(typed(request, "until"), "时间"))
    said.success(request, f"{count} 条消息已标为已读。")
    return redirect("elder-messages")
