"""The account page: who is signed in, what the account may do, how it signs in, its sessions and its API keys."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from geo.errors import BadInput
from services.access.actions import create_api_key, revoke_api_key
from services.access.forms import ApiKeyForm
from services.access.models import User
from services.access.queries import grants_today, keys_of, scope_for
from services.access.signin.flow import MARK
from services.access.signin.queries import (
    certificates_of,
    identities_of,
    needs_second_step,
    second_step_of,
    sessions_of,
)
from services.integrations.identity.providers import providers

NEW_KEY = "new_api_key"


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
    bound = {each.provider: each for each in identities_of(user)}
    context = {
        "second_step": second_step_of(user),
        "second_step_needed": needs_second_step(user),
        "codes_left": user.recovery_codes.filter(used_at=None).count(),
        "sessions": sessions_of(user),
        "certificates": certificates_of(user).count(),
        "here": request.session.get(MARK, {}).get("uid", ""),
        "providers": [(each, bound.get(each.key)) for each in providers().values()],
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
