"""A resident's own data: consents, what is kept of him to read and to take away, and being erased."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import Conflict, NotFound
from services.access.actions import record_audit
from services.access.models import AuditAct, User, UserKind
from services.access.personal.actions import COOLING, ask_erasure, cancel_erasure, give_consent, withdraw_consent
from services.access.personal.queries import consents_of, erasure_of, has_consented, kept_of, reasons_to_wait
from services.access.personal.registry import parts, purposes
from web.doors.common.callers import user_of
from web.doors.common.typed import typed

SHOWN: Final = 200


@never_cache
@login_required
@require_safe
def data_page(request: HttpRequest) -> HttpResponse:
    """Show consents, what may be taken away, and the way out."""
    user = user_of(request)
    context = {
        "purposes": [(each, each.versions[-1], has_consented(user, each.key)) for each in purposes().values()],
        "history": [(each, purposes().get(each.purpose)) for each in consents_of(user)],
        "parts": parts().values(),
        "erasure": erasure_of(user),
        "waits": reasons_to_wait(user),
        "cooling": COOLING.days,
        "resident": user.kind == UserKind.RESIDENT,
    }
    return render(request, "my/data.html", context)


@never_cache
@login_required
@require_safe
def read_page(request: HttpRequest) -> HttpResponse:
    """Show everything that is kept of the caller, to read and print."""
    user = user_of(request)
    record_audit(act=AuditAct.DATA_EXPORTED, request=request, detail={"as": "page"})
    shown = []
    for _, title, rows in kept_of(user):
        some = [row for _, row in zip(range(SHOWN + 1), rows, strict=False)]
        shown.append((title, [list(row.items()) for row in some[:SHOWN]], len(some) > SHOWN))
    return render(request, "my/data_read.html", {"shown": shown, "most": SHOWN})


@never_cache
@login_required
@require_safe
def take_away(request: HttpRequest) -> StreamingHttpResponse:
    """Hand over everything as JSON, written while it is read: no copy of it is kept anywhere, however much it is."""
    user = user_of(request)
    record_audit(act=AuditAct.DATA_EXPORTED, request=request, detail={"as": "json"})
    response = StreamingHttpResponse(_written(user), content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="quantu-my-data.json"'
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def consent(request: HttpRequest, purpose: str) -> HttpResponse:
    """Agree to a purpose, or take it back."""
    user = user_of(request)
    try:
        if typed(request, "give") == "1":
            version = typed(request, "version")
            number = int(version) if version.isascii() and version.isdigit() and len(version) < 5 else 0
            give_consent(user=user, purpose=purpose, version=number, request=request)
            said.success(request, "已同意。随时可以在这里撤回。")
        else:
            withdraw_consent(user=user, purpose=purpose, request=request)
            said.success(request, "已撤回，为此保存的内容已删除。")
    except Conflict as fault:
        said.error(request, fault.message)
    return redirect("my-data")


@login_required
@require_POST
def erase(request: HttpRequest) -> HttpResponse:
    """Ask to be erased, or take that back."""
    user = user_of(request)
    try:
        if typed(request, "cancel"):
            cancel_erasure(user=user, request=request)
            said.success(request, "已取消注销，账号照常使用。")
        elif typed(request, "sure") != "1":
            said.error(request, "请先勾选“我知道注销后不能恢复”。")
        else:
            due = ask_erasure(user=user, request=request).due_at
            said.success(request, f"已收到注销申请，{due:%-m月%-d日}后删除。这之前随时可以取消。")
    except (Conflict, NotFound) as fault:
        said.error(request, fault.message)
    return redirect("my-data")


def _written(user: User) -> Iterator[str]:
    def plain(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)

    yield "{"
    for number, (key, title, rows) in enumerate(kept_of(user)):
        yield f"{',' if number else ''}\n{plain(key)}: {{{plain('名称')}: {plain(title)}, {plain('内容')}: ["
        for place, row in enumerate(rows):
            yield f"{',' if place else ''}\n  {plain(dict(row))}"
        yield "]}"
    yield "\n}\n"
