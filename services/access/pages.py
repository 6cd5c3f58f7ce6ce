"""Account pages: sign in, sign out, the account itself and its API keys."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from geo.errors import BadInput
from services.access.actions import create_api_key, record_audit, revoke_api_key
from services.access.demo import DEMO_PASSWORD, working_demo_users
from services.access.forms import ApiKeyForm, SignInForm
from services.access.models import AuditAct, User
from services.access.queries import grants_today, keys_of, scope_for

NEW_KEY = "new_api_key"


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by account name and password, then go where the caller came from, if that is here."""
    target = _safe_target(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(request, data=request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            user = form.get_user()
            login(request, user)
            record_audit(act=AuditAct.SIGN_IN, actor=user.get_username(), request=request)
            return redirect(target)
        name = str(request.POST.get("username", ""))[:150]
        record_audit(act=AuditAct.SIGN_IN_REFUSED, actor=name or "public", request=request)
    demo = {"demo_users": working_demo_users(), "demo_password": DEMO_PASSWORD}
    return render(request, "access/sign_in.html", {"form": form, "next": target, **demo})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    if request.user.is_authenticated:
        record_audit(act=AuditAct.SIGN_OUT, actor=request.user.get_username(), request=request)
    logout(request)
    return redirect("/")


def locked_out(request: HttpRequest, response: HttpResponse | None = None, credentials: object = None) -> HttpResponse:
    """Tell someone who typed wrong passwords too often how long to wait."""
    record_audit(act=AuditAct.SIGN_IN_REFUSED, actor="locked", request=request)
    return render(request, "access/locked.html", status=429)


@never_cache
@login_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Show who is signed in, what the account may do, and its keys; a key just made is shown this once."""
    return _account(request, ApiKeyForm(), token=request.session.pop(NEW_KEY, ""))


@login_required
@require_POST
def add_key(request: HttpRequest) -> HttpResponse:
    """Make a key and show it once."""
    form = ApiKeyForm(request.POST)
    if form.is_valid():
        try:
            _, token = create_api_key(user=_user(request), name=form.cleaned_data["name"], request=request)
        except BadInput as error:
            form.add_error("name", ValidationError(error.message))
        else:
            request.session[NEW_KEY] = token
            return redirect("account")
    return _account(request, form, status=400)


@login_required
@require_POST
def stop_key(request: HttpRequest, prefix: str) -> HttpResponse:
    """Stop one of the caller's own keys."""
    revoke_api_key(user=_user(request), prefix=prefix, request=request)
    return redirect("account")


def _account(request: HttpRequest, form: ApiKeyForm, *, token: str = "", status: int = 200) -> HttpResponse:
    user = _user(request)
    context = {
        "form": form,
        "token": token,
        "keys": keys_of(user),
        "may_work": any(not duty.startswith("self.") for duty in scope_for(request).duties),
        "grants": grants_today(user).select_related("region", "organisation"),
    }
    return render(request, "access/account.html", context, status=status)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _safe_target(request: HttpRequest) -> str:
    target = str(request.POST.get("next") or request.GET.get("next") or "/account")
    inside = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if inside else "/account"
