"""Pages of signing in and out: password, the second step, a password of one's own, the caller's sessions."""

from __future__ import annotations

import logging
from typing import Any, Final
from uuid import UUID

import segno
from django.contrib import messages as said
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from geo.errors import BadInput, CityError, Conflict
from services.access.actions import record_audit
from services.access.demo import DEMO_PASSWORD, working_demo_users
from services.access.forms import SignInForm
from services.access.models import AuditAct, User
from services.access.signin import flow
from services.access.signin.actions import (
    confirm_second_step,
    drop_second_step,
    end_session,
    end_sessions,
    propose_second_step,
    renew_recovery_codes,
    take_code,
)
from services.access.signin.onetime import address_of
from services.integrations.gateway.client import is_connected
from services.integrations.identity.providers import providers

log = logging.getLogger(__name__)
HOUSE: Final = "圈图"


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by account name and password, then go where the caller came from, if that is here."""
    target = safe_target(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(request, data=request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            return redirect(flow.begin(request, form.get_user(), target=target, how=flow.PASSWORD))
        name = str(request.POST.get("username", ""))[:150]
        record_audit(act=AuditAct.SIGN_IN_REFUSED, actor=name or "public", request=request)
    return sign_in_page(request, form, target)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    if isinstance(request.user, User):
        mark = request.session.get(flow.MARK)
        if mark:
            request.user.open_sessions.filter(pk=mark["uid"]).delete()
        record_audit(act=AuditAct.SIGN_OUT, actor=request.user.get_username(), request=request)
    logout(request)
    return redirect("/")


def locked_out(request: HttpRequest, response: HttpResponse | None = None, credentials: object = None) -> HttpResponse:
    """Tell someone who typed wrong passwords too often how long to wait."""
    name = str(request.POST.get("username", ""))[:150]
    record_audit(act=AuditAct.LOCKED, actor=name or "public", request=request)
    return render(request, "access/locked.html", status=429)


@never_cache
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the authenticator app, or for a recovery code."""
    found = flow.pending(request)
    if found is None:
        return start_again(request)
    user, _ = found
    if request.method == "GET":
        return render(request, "access/second_step.html")
    count = f"second-step:{user.pk}"
    cache.add(count, 0, timeout=flow.WRONG_CODES_S)
    if cache.get(count, 0) >= flow.WRONG_CODES:
        request.session.pop(flow.PENDING, None)
        return render(request, "access/locked.html", {"codes": True}, status=429)
    if not take_code(user=user, code=str(request.POST.get("code", "")), request=request):
        cache.incr(count)
        return render(request, "access/second_step.html", {"wrong": True}, status=400)
    cache.delete(count)
    flow.pass_second_step(request)
    return redirect(flow.go_on(request, user))


@never_cache
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Have a second step set up: by somebody on the way in whose role asks for one, or by somebody signed in who wants one."""
    found = flow.pending(request)
    user = request.user if isinstance(request.user, User) else found[0] if found else None
    if user is None:
        return start_again(request)
    on_the_way = not isinstance(request.user, User)
    try:
        secret = propose_second_step(user=user)
    except Conflict:
        return redirect(flow.go_on(request, user) if on_the_way else "account")
    context = {
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "picture": segno.make(address_of(secret, user.username, HOUSE), error="m").svg_data_uri(
            scale=5, border=4, light="#fff"
        ),
        "on_the_way": on_the_way,
    }
    if request.method == "GET":
        return render(request, "access/set_up.html", context)
    try:
        codes = confirm_second_step(user=user, code=str(request.POST.get("code", "")), request=request)
    except BadInput as fault:
        return render(request, "access/set_up.html", {**context, "fault": fault}, status=400)
    if on_the_way:
        flow.pass_second_step(request)
    following = flow.go_on(request, user) if on_the_way else reverse("account")
    return render(request, "access/recovery_codes.html", {"codes": codes, "following": following})


@never_cache
@login_required
@require_POST
def renew_codes(request: HttpRequest) -> HttpResponse:
    """Show new recovery codes, which replace the old ones; a code of the app is asked for first."""
    user = user_here(request)
    if not take_code(user=user, code=str(request.POST.get("code", "")), request=request):
        said.error(request, "验证码不对，恢复码没有更换。")
        return redirect("account")
    codes = renew_recovery_codes(user=user)
    return render(request, "access/recovery_codes.html", {"codes": codes, "following": reverse("account")})


@login_required
@require_POST
def turn_off(request: HttpRequest) -> HttpResponse:
    """Turn the caller's own second step off, with a code of it."""
    user = user_here(request)
    if not take_code(user=user, code=str(request.POST.get("code", "")), request=request):
        said.error(request, "验证码不对，两步验证没有关闭。")
        return redirect("account")
    try:
        drop_second_step(user=user, by=user.username, request=request)
    except Conflict as fault:
        said.error(request, fault.message)
    else:
        said.success(request, "两步验证已关闭。")
    return redirect("account")


@never_cache
@require_http_methods(["GET", "POST"])
def new_password(request: HttpRequest) -> HttpResponse:
    """Have a password chosen: on the way in where somebody else gave the last one, or by somebody signed in, with the old one."""
    found = flow.pending(request)
    user = request.user if isinstance(request.user, User) else found[0] if found else None
    if user is None:
        return start_again(request)
    on_the_way = not isinstance(request.user, User)
    if on_the_way and not user.password_given:
        return redirect(flow.go_on(request, user))
    asks_old = not on_the_way and user.has_usable_password()
    context: dict[str, Any] = {"on_the_way": on_the_way, "asks_old": asks_old}
    if request.method == "GET":
        return render(request, "access/new_password.html", context)
    fault = _keep_password(request, user, asks_old=asks_old)
    if fault:
        return render(request, "access/new_password.html", {**context, "fault": fault}, status=400)
    if on_the_way:
        return redirect(flow.go_on(request, user))
    end_sessions(user=user, by=user.username, but=request.session.session_key or "", request=request, reason="password")
    update_session_auth_hash(request, user)
    user.open_sessions.filter(pk=request.session.get(flow.MARK, {}).get("uid")).update(
        session_key=request.session.session_key
    )
    said.success(request, "密码已更换，其他设备上的登录已退出。")
    return redirect("account")


@login_required
@require_POST
def end_one(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End one of the caller's own sessions."""
    user = user_here(request)
    end_session(user=user, uid=uid, by=user.username, request=request)
    said.success(request, "那次登录已退出。")
    return redirect("account")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """End all sessions of the caller but this one."""
    user = user_here(request)
    count = end_sessions(user=user, by=user.username, but=request.session.session_key or "", request=request)
    said.success(request, f"已退出其他 {count} 处登录。" if count else "没有其他登录。")
    return redirect("account")


def _keep_password(request: HttpRequest, user: User, *, asks_old: bool) -> str:
    """Keep the typed password and return '', or what is wrong with it."""
    old, new = str(request.POST.get("old", "")), str(request.POST.get("new", ""))
    if asks_old and not user.check_password(old):
        record_audit(
            act=AuditAct.SIGN_IN_REFUSED, actor=user.username, request=request, detail={"code": "old_password"}
        )
        return "原密码不对，请核对。"
    if new != str(request.POST.get("again", "")):
        return "两次输入的新密码不一样，请重新输入。"
    if user.check_password(new):
        return "新密码不能与现在的相同。"
    try:
        validate_password(new, user)
    except ValidationError as fault:
        return "".join(fault.messages)
    user.set_password(new)
    user.password_given = False
    user.save(update_fields=["password", "password_given"])
    record_audit(act=AuditAct.PASSWORD_RESET, actor=user.username, request=request)
    return ""


def sign_in_page(
    request: HttpRequest, form: SignInForm, target: str, *, fault: CityError | None = None, status: int = 200
) -> HttpResponse:
    """Show the page of signing in, with what is wrong."""
    context = {
        "form": form,
        "next": target,
        "fault": fault,
        "providers": providers().values(),
        "certificates": is_connected(),
        "demo_users": working_demo_users(),
        "demo_password": DEMO_PASSWORD,
    }
    return render(request, "access/sign_in.html", context, status=status)


def start_again(request: HttpRequest) -> HttpResponse:
    """Send somebody who took too long back to where signing in begins."""
    request.session.pop(flow.PENDING, None)
    said.warning(request, "登录没有在 10 分钟内完成，请重新登录。")
    return redirect("sign-in")


def user_here(request: HttpRequest) -> User:
    """Return who is signed in."""
    assert isinstance(request.user, User)
    return request.user


def safe_target(request: HttpRequest) -> str:
    """Return where somebody wants to go once they are signed in, a page of ours."""
    target = str(request.POST.get("next") or request.GET.get("next") or "/account")
    inside = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if inside else "/account"
