"""Accounts at the desk: staff and residents, their roles, locks and passwords; and lending one's own role to a colleague."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict, Forbidden, NotFound
from services.access.accounts.actions import (
    end_loan,
    give_role,
    lend_grant,
    make_account,
    reset_password,
    reset_second_step,
    stop_certificate,
    take_role,
    turn_account,
    unlock_account,
)
from services.access.accounts.queries import (
    EDIT,
    VIEW,
    account_seen,
    accounts_visible,
    colleagues_to_lend,
    grants_of,
    lent_by,
    lent_to,
    own_grants,
    place_of,
    roles_to_give,
)
from services.access.models import Grant, User, UserKind
from services.access.queries import check_duty, grants_today, holds_citywide, scope_for
from services.access.roles import roles
from services.access.signin.certificate_pages import ended_sentence, state_of
from services.access.signin.queries import (
    certificate_roles,
    certificates_of,
    failures_of,
    identities_of,
    is_locked,
    second_step_of,
    sessions_of,
)
from web.api.errors import status_of
from web.doors.common.callers import user_of
from web.doors.common.typed import typed

ON_A_PAGE: Final = 50


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List accounts of staff, or of residents to keepers of the whole city."""
    scope = scope_for(request)
    kind = UserKind.RESIDENT if typed(request, "kind") == UserKind.RESIDENT else UserKind.STAFF
    stopped, q = typed(request, "show") == "stopped", typed(request, "q")
    rows = accounts_visible(scope=scope, kind=kind, q=q, stopped=stopped)
    page = Paginator(rows, ON_A_PAGE).get_page(typed(request, "page"))
    shown = [
        {
            "user": user,
            "grants": [(each.role.name, place_of(each)) for each in grants_today(user)],
            "locked": is_locked(user),
        }
        for user in page.object_list
    ]
    context = {
        "rows": shown, "page": page, "kind": kind, "kinds": UserKind.choices, "q": q, "stopped": stopped,
        "may_edit": scope.holds(EDIT), "citywide": holds_citywide(scope, VIEW),
    }  # fmt: skip
    return render(request, "desk/accounts.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Make an account of staff, and show its first password this once."""
    scope = scope_for(request)
    check_duty(scope, EDIT)
    names = ("username", "display_name", "role", "place", "to_day")
    form = {name: typed(request, name)[:150] for name in names}
    context: dict[str, Any] = {"form": form, "roles": roles_to_give(scope, UserKind.STAFF)}
    if request.method == "GET":
        return render(request, "desk/account_new.html", context)
    try:
        user, password = make_account(
            username=form["username"], display_name=form["display_name"], role=form["role"], place=form["place"],
            to_day=_day(form["to_day"]), scope=scope, request=request,
        )  # fmt: skip
    except (BadInput, Conflict, Forbidden, NotFound) as fault:
        return render(request, "desk/account_new.html", {**context, "fault": fault}, status=status_of(fault))
    return _one(request, user, password=password)


@never_cache
@login_required
@require_safe
def one(request: HttpRequest, username: str) -> HttpResponse:
    """Show an account: its roles now and before, how it signs in, and what may be done with it."""
    return _one(request, account_seen(username, scope=scope_for(request)))


@never_cache
@login_required
@require_POST
def act(request: HttpRequest, username: str, act: str) -> HttpResponse:
    """Do one thing with an account; a new password is shown in this answer and never again."""
    scope = scope_for(request)
    whose: dict[str, Any] = {"username": username, "scope": scope, "request": request}
    try:
        if act == "password":
            password = reset_password(**whose)
            return _one(request, account_seen(username, scope=scope), password=password)
        said.success(request, _do(request, act, whose))
    except (BadInput, Conflict, NotFound) as fault:
        return _one(request, account_seen(username, scope=scope), fault=fault)
    except Forbidden as fault:
        if fault.code not in ("role_beyond", "place_beyond", "account_own"):
            raise
        return _one(request, account_seen(username, scope=scope), fault=fault)
    return redirect("desk-account", username=username)


def _do(request: HttpRequest, act: str, whose: dict[str, Any]) -> str:
    if act == "give":
        give_role(
            role=typed(request, "role"), place=typed(request, "place"), from_day=_day(typed(request, "from_day")),
            to_day=_day(typed(request, "to_day")), **whose,
        )  # fmt: skip
        return "已授权，马上生效。"
    if act == "take":
        number = typed(request, "grant")
        take_role(grant_id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0, **whose)
        return "已收回，马上生效。"
    if act in ("stop", "start"):
        turn_account(active=act == "start", **whose)
        return "已启用。" if act == "start" else "已停用，正在登录的设备都已退出。"
    if act == "unlock":
        unlock_account(**whose)
        return "已解锁，可以重新登录。"
    if act == "second-step":
        reset_second_step(**whose)
        return "两步验证已重置，下次登录时重新启用。"
    if act == "certificate":
        return ended_sentence(stop_certificate(uid=_uid(typed(request, "certificate")), **whose))
    raise NotFound("act_unknown", "没有这个操作。")


@never_cache
@login_required
@require_safe
def roles_page(request: HttpRequest) -> HttpResponse:
    """Show which role carries which duty, for which users, and what it asks for."""
    check_duty(scope_for(request), VIEW)
    return render(
        request,
        "desk/roles.html",
        {"roles": roles(), "kinds": dict(UserKind.choices), "certificate_roles": certificate_roles()},
    )


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def lend(request: HttpRequest) -> HttpResponse:
    """Lend one's own role to a colleague for some days; end what was lent, from either side."""
    user = user_of(request)
    form = {name: typed(request, name)[:150] for name in ("grant", "to", "from_day", "to_day")}
    fault: CityError | None = None
    if request.method == "POST":
        try:
            _lend(request, user, form)
        except (BadInput, Conflict, NotFound) as wrong:
            fault = wrong
        else:
            return redirect("lend")
    mine = own_grants(user)
    context = {
        "grants": [(each, place_of(each), colleagues_to_lend(user, each)) for each in mine],
        "given": [(each, place_of(each)) for each in lent_by(user)],
        "taken": [(each, place_of(each)) for each in lent_to(user)],
        "form": form,
        "today": f"{timezone.localdate():%F}",
        "fault": fault,
    }
    return render(request, "access/lend.html", context, status=status_of(fault) if fault else 200)


def _lend(request: HttpRequest, user: User, form: dict[str, str]) -> None:
    ending = typed(request, "end")
    if ending.isascii() and ending.isdigit() and len(ending) < 19:
        end_loan(user=user, grant_id=int(ending), request=request)
        said.success(request, "委托已收回，马上生效。")
        return
    number = (
        int(form["grant"]) if form["grant"].isascii() and form["grant"].isdigit() and len(form["grant"]) < 19 else 0
    )
    from_day, to_day = _day(form["from_day"]), _day(form["to_day"])
    if from_day is None or to_day is None:
        raise BadInput("days_missing", "请写下委托从哪天到哪天。")
    lend_grant(user=user, grant_id=number, to=form["to"], from_day=from_day, to_day=to_day, request=request)
    said.success(request, "已委托，到期自动停止；随时可以在这里收回。")


def _one(request: HttpRequest, user: User, *, password: str = "", fault: CityError | None = None) -> HttpResponse:
    scope, today = scope_for(request), timezone.localdate()
    context = {
        "account": user,
        "password": password,
        "grants": [(each, place_of(each), _state(each, today)) for each in grants_of(user)],
        "roles": roles_to_give(scope, user.kind),
        "may_edit": scope.holds(EDIT) and user.username != scope.actor,
        "locked": is_locked(user),
        "failures": failures_of(user),
        "second_step": second_step_of(user),
        "identities": identities_of(user),
        "certificates": [(each, state_of(each)) for each in certificates_of(user)],
        "sessions": sessions_of(user).count(),
        "fault": fault,
        "today": f"{today:%F}",
    }
    return render(request, "desk/account.html", context, status=status_of(fault) if fault else 200)


def _state(grant: Grant, today: dt.date) -> str:
    if grant.ended_at:
        return "已收回"
    if grant.from_day > today:
        return "未开始"
    return "已到期" if grant.to_day and grant.to_day < today else "有效"


def _uid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as fault:
        raise NotFound("certificate_unknown", "没有找到这张证书，可能已经停用。") from fault


def _day(text: str) -> dt.date | None:
    if not text.strip():
        return None
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as fault:
        raise BadInput("day_invalid", "日期要写成 2026-12-01 的样子。") from fault
