"""Fences by purpose and district: what counts now, drafts, and the acts of an edition as a whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict
from geo.fences.areas import Act
from geo.fences.drafts import EditionState
from geo.fences.models import FenceEdition
from geo.fences.purposes import PURPOSES, purpose_of
from geo.scope import Scope
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from services.fencing.actions import (
    check_draft,
    discard_draft,
    findings_of,
    open_draft,
    publish_edition,
    roll_back,
    say_note,
    withdraw_edition,
)
from services.fencing.queries import (
    APPROVE,
    EDIT,
    changes_of,
    district_seen,
    districts_seen,
    edition_at,
    edition_seen,
    editions_seen,
    purpose_for,
    versions_beside,
)
from web.api.errors import status_of
from web.doors.common.typed import key_typed, moment_of, number_typed, typed
from web.doors.fences.approval import approval_shown, decide_case, recall, submit
from web.doors.plan.drawing_parts import versions_line

LISTED: Final = 50
CHANGES_SHOWN: Final = 20
TAGS: Final = {"draft": "", "checked": "warn", "approved": "good", "published": "kind"}


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List the editions of fences of the caller's districts, and offer to begin a draft."""
    return _list(request)


@login_required
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin a draft, or go to the one there is."""
    try:
        draft = open_draft(
            purpose=typed(request, "purpose"), district=typed(request, "district"), scope=scope_for(request)
        )
    except (BadInput, Conflict) as fault:
        return _list(request, fault)
    return redirect("fences-map", edition_id=draft.pk)


def _list(request: HttpRequest, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    rows = editions_seen(scope=scope)
    asked = {"purpose": request.GET.get("purpose", "")[:12], "district": request.GET.get("district", "")[:12]}
    if purpose_of(asked["purpose"]):
        rows = rows.filter(purpose=asked["purpose"])
    if asked["district"]:
        rows = rows.filter(district=district_seen(asked["district"], scope=scope).region_id)
    page = Paginator(rows, LISTED).get_page(request.GET.get("page"))
    context = {
        "page": page, "lines": [_line(row) for row in page], "purposes": PURPOSES, "districts": districts_seen(scope=scope),
        "asked": asked, "may_edit": scope.holds(EDIT), "fault": fault,
    }  # fmt: skip
    return render(request, "plan/fences.html", context, status=status_of(fault) if fault else 200)


def _line(row: FenceEdition) -> dict[str, Any]:
    return {"edition": row, "purpose": purpose_for(row), "word": _word(row), "tag": TAGS[row.state]}


def _word(row: FenceEdition) -> str:
    if row.state != EditionState.PUBLISHED or row.from_moment is None:
        return "待批准" if getattr(row, "waiting", False) else EditionState(row.state).label
    if row.from_moment > timezone.now():
        return "待生效"
    current = edition_at(purpose=row.purpose, district_id=row.district_id)
    return "现行" if current is not None and current.pk == row.pk else "以前的"


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def edition_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Show an edition of fences: what stands next, its versions, who did what; on POST do one of its acts."""
    if request.method == "GET":
        return _edition(request, edition_id)
    act = _ACTS.get(typed(request, "act"))
    try:
        if act is None:
            raise BadInput("act_unknown", "没有这个操作，请刷新页面后再试。")
        return act(request, edition_id, scope_for(request))
    except (BadInput, Conflict) as fault:
        return _edition(request, edition_id, fault)


def _edition(request: HttpRequest, edition_id: UUID, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    draft = edition.state != EditionState.PUBLISHED
    found = findings_of(edition) if draft else []
    rows = list(versions_beside(edition))
    word = _word(edition)
    context = {
        "edition": edition, "purpose": purpose_for(edition), "word": word, "tag": TAGS[edition.state], "fault": fault,
        "found": found, "errors": [each for each in found if each.level == "error"],
        "warnings": [each for each in found if each.level == "warning"], "fence_count": edition.areas.count(),
        "versions": [
            (step, row) for step, row in zip(
                versions_line(rows, edition, begins="from_moment", now=timezone.now(), said="%Y-%m-%d %H:%M"), rows[-5:],
                strict=True,
            )
        ],
        "changes": list(changes_of(edition)[:CHANGES_SHOWN]), "seen": edition.revision, "key": new_id(),
        **approval_shown(request, edition, scope),
        "may_edit": draft and scope.holds(EDIT), "may_approve": scope.holds(APPROVE), "own": edition.changed_by == scope.actor,
        "may_restore": word == "以前的" and scope.holds(APPROVE), "next_monday_typed": f"{_next_monday():%Y-%m-%dT%H:%M}",
        "from_typed": typed(request, "from_moment") if request.method == "POST" else "",
    }  # fmt: skip
    return render(request, "plan/fence_edition.html", context, status=status_of(fault) if fault else 200)


def _next_monday() -> dt.datetime:
    today = timezone.localdate()
    day = today + dt.timedelta(days=7 - today.weekday())
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _check(request: HttpRequest, edition_id: UUID, scope: Scope) -> HttpResponse:
    _, found = check_draft(edition_id=edition_id, scope=scope)
    errors = sum(each.level == "error" for each in found)
    if errors:
        messages.warning(request, f"检查出 {errors} 处错误，改好才能批准。")
    else:
        messages.success(request, "检查没有错误，可以送审了。")
    return redirect("fences-edition", edition_id=edition_id)


def _publish(request: HttpRequest, edition_id: UUID, scope: Scope) -> HttpResponse:
    moment = None if typed(request, "at_once") else moment_of(typed(request, "from_moment"), "生效时间")
    if moment is None and not typed(request, "at_once"):
        raise BadInput("moment_missing", "请选生效的日期和时间，或者点“立即生效”。")
    row = publish_edition(
        edition_id=edition_id, seen=number_typed(request, "seen"), from_moment=moment, scope=scope
    )  # fmt: skip
    assert row.from_moment is not None
    begins = timezone.localtime(row.from_moment)
    messages.success(request, f"已发布第 {row.number} 版，自 {begins:%Y-%m-%d %H:%M} 起使用。")
    return redirect("fences-edition", edition_id=edition_id)


def _withdraw(request: HttpRequest, edition_id: UUID, scope: Scope) -> HttpResponse:
    withdraw_edition(edition_id=edition_id, scope=scope)
    messages.success(request, "已撤回，这一版又是草稿了。改了以后要重新检查、批准；不改可以直接再发布。")
    return redirect("fences-edition", edition_id=edition_id)


def _discard(request: HttpRequest, edition_id: UUID, scope: Scope) -> HttpResponse:
    row = discard_draft(edition_id=edition_id, seen=number_typed(request, "seen"), scope=scope)
    messages.success(request, f"已放弃第 {row.number} 版草稿，已发布的版本不受影响。")
    return redirect("fences")


def _note(request: HttpRequest, edition_id: UUID, scope: Scope) -> HttpResponse:
    sent = Act(edition_id, number_typed(request, "seen"), key_typed(request), scope)
    say_note(sent, note=typed(request, "note"))
    messages.success(request, "说明已保存。")
    return redirect("fences-edition", edition_id=edition_id)


def _restore(request: HttpRequest, edition_id: UUID, scope: Scope) -> HttpResponse:
    row = roll_back(edition_id=edition_id, key=key_typed(request), scope=scope)
    messages.success(request, f"{row.note}，现在起按第 {row.number} 版判断。")
    return redirect("fences-edition", edition_id=row.pk)


_ACTS: Final[dict[str, Callable[[HttpRequest, UUID, Scope], HttpResponse]]] = {
    "check": _check, "submit": submit, "recall": recall, "decide": decide_case, "publish": _publish, "withdraw": _withdraw,
    "discard": _discard, "note": _note, "restore": _restore,
}  # fmt: skip


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Say how fences are drawn, checked, published and rolled back."""
    return render(request, "help/fences.html")
