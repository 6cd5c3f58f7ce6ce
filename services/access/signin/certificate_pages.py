"""Pages of certificates: signing in with one, those of the caller's devices, and ending one."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from geo.errors import Conflict, NotFound
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.signin import certificates, flow
from services.access.signin.models import DeviceCertificate
from services.access.signin.pages import safe_target, start_again, user_here
from services.access.signin.queries import certificates_of, needs_certificate, second_step_of
from services.integrations.gateway.client import is_connected


@never_cache
@ensure_csrf_cookie
@require_safe
def sign_in(request: HttpRequest) -> HttpResponse:
    """Have the container of the device answer a challenge; without one, say where it is found."""
    if request.user.is_authenticated:
        return redirect(safe_target(request))
    found = flow.pending(request)
    context = {
        "connected": is_connected(),
        "on_the_way": found is not None,
        "may_spare": found is not None and found[1]["passed"] and settings.CERTIFICATE_FALLBACK,
    }
    return render(request, "access/certificate.html", context)


@never_cache
@require_POST
def without(request: HttpRequest) -> HttpResponse:
    """Let somebody who passed the second step in without a certificate, where the house allows it and the gateway is away."""
    found = flow.pending(request)
    if found is None:
        return start_again(request)
    user, way = found
    if not settings.CERTIFICATE_FALLBACK or not way["passed"] or not needs_certificate(user):
        said.error(request, "您的角色要求用证书登录。请在装有证书的手机上继续，或联系管理员。")
        return redirect("sign-in-certificate")
    if not certificates.gateway_is_away():
        said.warning(request, "安全认证网关已经恢复，请用证书继续登录。")
        return redirect("sign-in-certificate")
    record_audit(act=AuditAct.CERTIFICATE_SPARED, actor=user.username, request=request)
    return redirect(flow.pass_certificate(request, user, fingerprint=flow.SPARED))


@never_cache
@ensure_csrf_cookie
@login_required
@require_safe
def devices(request: HttpRequest) -> HttpResponse:
    """Show the caller's devices with their certificates, and bind this one."""
    user = user_here(request)
    rows = certificates_of(user)
    context = {
        "rows": [(each, state_of(each)) for each in rows],
        "ended": DeviceCertificate.objects.filter(user=user, ended_at__isnull=False).order_by("-ended_at")[:10],
        "most": certificates.MOST_DEVICES,
        "full": rows.count() >= certificates.MOST_DEVICES,
        "connected": is_connected(),
        "recent": _recent(request),
        "second_step": second_step_of(user),
        "here": flow.certificate_of(request),
    }
    return render(request, "access/certificates.html", context)


@login_required
@require_POST
def end(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End one of the caller's own certificates."""
    user = user_here(request)
    try:
        told = certificates.end_certificate(user=user, uid=uid, by=user.username, request=request)
    except NotFound as fault:
        said.error(request, fault.message)
    else:
        said.success(request, ended_sentence(told))
    return redirect("certificates")


def ended_sentence(told: bool) -> str:
    """Return what to say of a certificate that was ended, and of whether the gateway knows."""
    if told:
        return "证书已停用，用它登录的设备都已退出。"
    return "证书已在本系统停用，用它登录的设备都已退出。安全认证网关暂时联系不上，恢复后请管理员在网关上吊销。"


def state_of(row: DeviceCertificate) -> str:
    """Return how a certificate that was not ended stands today."""
    now = timezone.now()
    if now > row.not_after:
        return "已过期"
    if now < row.not_before:
        return "未生效"
    return "30 天内到期" if (row.not_after - now).days < 30 else "有效"


def _recent(request: HttpRequest) -> bool:
    try:
        certificates.check_recent(request)
    except Conflict:
        return False
    return True
