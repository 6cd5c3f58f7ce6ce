"""A person's own messages on the desk: unread first, read one or all, follow the link, and the number for short messages."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import CityError
from services.kernel.messages.actions import keep_phone, read_all_messages, read_message
from services.kernel.messages.models import Contact
from services.kernel.messages.queries import masked_phone, messages_of, unread_count
from web.api.errors import status_of
from web.doors.common.callers import user_of
from web.doors.common.typed import moment_of, typed

ON_A_PAGE: Final = 20


@never_cache
@login_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List the caller's messages, unread ones first."""
    return _inbox(request)


def _inbox(request: HttpRequest, fault: CityError | None = None) -> HttpResponse:
    user = user_of(request)
    unread = typed(request, "show") == "unread"
    page = Paginator(messages_of(user, unread=unread), ON_A_PAGE).get_page(typed(request, "page"))
    contact = Contact.objects.filter(user=user).first()
    context = {
        "page": page,
        "unread_only": unread,
        "unread": unread_count(user),
        "until": timezone.now().isoformat(),
        "phone": masked_phone(contact) if contact else "",
        "fault": fault,
    }
    return render(request, "desk/messages.html", context, status=status_of(fault) if fault else 200)


@login_required
@require_POST
def read(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Mark one message read, and go on to what it is about when that was asked for."""
    message = read_message(message_id=message_id, user=user_of(request))
    return redirect(message.link if message.link and "go" in request.POST else "desk-messages")


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark read all that the caller had been shown; what came since stays unread."""
    until = moment_of(typed(request, "until"), "时间")
    count = read_all_messages(user=user_of(request), until=until)
    said.success(request, f"{count} 条消息已标为已读。")
    return redirect("desk-messages")


@login_required
@require_POST
def phone(request: HttpRequest) -> HttpResponse:
    """Keep or forget the number for short messages."""
    try:
        contact = keep_phone(user=user_of(request), phone=typed(request, "phone")[:30])
    except CityError as fault:
        return _inbox(request, fault)
    said.success(
        request, f"已保存，短信发到 {masked_phone(contact)}。" if contact else "已停用短信，今后只发站内消息。"
    )
    return redirect("desk-messages")
