"""Pages of signing in through providers of others: away, back, ended there, and forgetting one."""

from __future__ import annotations

import logging
import secrets
import time
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from geo.errors import CityError, Conflict, NotFound, Unavailable
from services.access.actions import record_audit
from services.access.forms import SignInForm
from services.access.models import AuditAct, User
from services.access.signed import ACCOUNT
from services.access.signin import flow
from services.access.signin.actions import bind_identity, end_provider_sessions, resident_of, unbind_identity
from services.access.signin.pages import safe_target, sign_in_page, user_here
from services.crypto.signed_rows import holds
from services.integrations.identity import oidc, tickets
from services.integrations.identity.maps import MAPS
from services.integrations.identity.providers import provider_named
from services.integrations.identity.spec import OIDC, Identified, NotIdentified, Provider

log = logging.getLogger(__name__)
AWAY: Final = "sign_in_away"


@never_cache
@require_GET
def with_provider(request: HttpRequest, key: str) -> HttpResponse:
    """Send the browser to a provider; who is signed in already binds the account there to the one here."""
    provider = provider_named(key)
    state, begun = secrets.token_urlsafe(24), oidc.Begun.anew()
    back = flow.absolute(request, reverse("sign-in-back", args=[key]))
    try:
        if provider.kind == OIDC:
            address = oidc.entrance(provider, back=back, state=state, begun=begun)
        else:
            named = any("{state}" in text for text in MAPS[provider.kind].enter_params.values())
            address = tickets.entrance(
                provider, back=back if named else f"{back}?{urlencode({'state': state})}", state=state
            )
    except (Unavailable, NotIdentified) as fault:
        return _unavailable(request, fault)
    user = request.user if isinstance(request.user, User) else None
    request.session[AWAY] = {
        "key": key, "state": state, "nonce": begun.nonce, "verifier": begun.verifier, "target": safe_target(request),
        "bind": user.pk if user else None, "at": time.time(),
    }  # fmt: skip
    return redirect(address)


@never_cache
@require_GET
def came_back(request: HttpRequest, key: str) -> HttpResponse:
    """Take the browser back from a provider: only the one that left, within ten minutes, and once."""
    provider = provider_named(key)
    away = request.session.pop(AWAY, None)
    state = str(request.GET.get("state", ""))
    here = request.user.pk if isinstance(request.user, User) else None
    lately = away is not None and away["key"] == key and time.time() - away["at"] < flow.PATIENCE_S
    if not lately or not secrets.compare_digest(state.encode(), away["state"].encode()) or away["bind"] != here:
        record_audit(act=AuditAct.SIGN_IN_REFUSED, request=request, detail={"provider": key, "code": "state_wrong"})
        return _unavailable(request, NotIdentified("state_wrong", "登录页面打开太久，或不是从这里打开的。请重新登录。"))
    try:
        return _identified(request, provider, _identify(request, provider, away), away)
    except (Unavailable, NotIdentified, NotFound, Conflict) as fault:
        record_audit(act=AuditAct.SIGN_IN_REFUSED, request=request, detail={"provider": key, "code": fault.code})
        return _unavailable(request, fault)


@csrf_exempt
@require_POST
def ended_there(request: HttpRequest, key: str) -> HttpResponse:
    """End what was begun through a provider that signs, from behind, that a sign-in there is over (OIDC back-channel logout)."""
    provider = provider_named(key)
    if provider.kind != OIDC:
        raise NotFound("provider_unknown", "这种登录方式没有退出通知。")
    subject, session = oidc.ended_sessions(provider, str(request.POST.get("logout_token", ""))[:10_000])
    end_provider_sessions(provider=key, subject=subject, session=session)
    return HttpResponse(status=200, headers={"Cache-Control": "no-store"})


@login_required
@require_POST
def unbind(request: HttpRequest, key: str) -> HttpResponse:
    """Forget the caller's account at a provider."""
    try:
        unbind_identity(user=user_here(request), provider=key, request=request)
    except (Conflict, NotFound) as fault:
        said.error(request, fault.message)
    else:
        said.success(request, "已解除绑定。")
    return redirect("account")


def _identify(request: HttpRequest, provider: Provider, away: dict[str, Any]) -> Identified:
    given = {name: str(value) for name, value in request.GET.items()}
    if provider.kind != OIDC:
        return tickets.identify(provider, given)
    back = flow.absolute(request, reverse("sign-in-back", args=[provider.key]))
    return oidc.identify(provider, given, back=back, begun=oidc.Begun(away["nonce"], away["verifier"]))


def _identified(request: HttpRequest, provider: Provider, identified: Identified, away: dict[str, Any]) -> HttpResponse:
    if isinstance(request.user, User):
        bind_identity(user=request.user, provider=provider, identified=identified, request=request)
        said.success(request, f"已绑定{provider.name}，以后可以用它登录。")
        return redirect("account")
    user = resident_of(provider=provider, identified=identified, request=request)
    if not user.is_active:
        raise Conflict("account_disabled", "这个账号已停用，请联系管理员。")
    if not holds(ACCOUNT, user):
        raise Conflict("account_altered", "这个账号被改动过，暂时不能登录，请联系系统管理员。")
    return redirect(
        flow.begin(request, user, target=away["target"], how=provider.key, provider_session=identified.session)
    )


def _unavailable(request: HttpRequest, fault: CityError) -> HttpResponse:
    """Show the sign-in page again with what went wrong; a password still works when a provider does not."""
    log.warning("provider sign-in failed", extra={"code": fault.code})
    if request.user.is_authenticated:
        said.error(request, fault.message)
        return redirect("account")
    status = 503 if isinstance(fault, Unavailable) else 400
    return sign_in_page(request, SignInForm(request), "/account", fault=fault, status=status)
