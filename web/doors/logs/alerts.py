"""Warnings of the log centre on the desk: what is open, who sees to it, and the rules that make them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import CityError, Forbidden, NotFound
from services.access.models import User
from services.access.queries import check_city_duty, scope_for
from services.kernel.logs.alerting import CONFIGURE, acknowledge, alerts_of, save_rule
from services.kernel.logs.models import AlertBy, AlertKind, AlertRule
from services.kernel.logs.queries import acts_shown
from services.kernel.logs.registry import act_words, source_words
from services.kernel.logs.spec import OUTCOMES
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed
from web.doors.logs.lines import frame_of

SHOWN = 100


@never_cache
@login_required
@require_safe
def alerts_page(request: HttpRequest) -> HttpResponse:
    """List alerts, open ones first."""
    scope = scope_for(request)
    rows = list(alerts_of(scope=scope)[:SHOWN])
    context = {
        **frame_of(scope, "alerts"),
        "open": [each for each in rows if each.cleared_at is None],
        "past": [each for each in rows if each.cleared_at is not None],
    }
    return render(request, "desk/log_alerts.html", context)


@login_required
@require_POST
def see(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that somebody sees to an alert, and how."""
    assert isinstance(request.user, User)
    try:
        acknowledge(pk=pk, note=typed(request, "note"), user=request.user, scope=scope_for(request))
    except CityError as fault:
        if isinstance(fault, Forbidden | NotFound):
            raise
        said.error(request, fault.message)
    else:
        said.success(request, "已记下处理情况。情况不再出现时，告警会自动解除。")
    return redirect("desk-log-alerts")


@never_cache
@login_required
@require_safe
def rules_page(request: HttpRequest) -> HttpResponse:
    """List the rules with what they look at."""
    scope = scope_for(request)
    check_city_duty(scope, "logs.view")
    words = act_words()
    rules = [
        {"rule": rule, "acts": "、".join(words.get(act, act) for act in rule.acts), "said": said_of_rule(rule)}
        for rule in AlertRule.objects.all()
    ]
    return render(request, "desk/log_rules.html", {**frame_of(scope, "alerts"), "rules": rules})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rule_page(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show a rule for editing; keep what was posted, or say what is wrong with it."""
    scope = scope_for(request)
    check_city_duty(scope, CONFIGURE)
    rule = AlertRule.objects.filter(pk=pk).first() if pk is not None else AlertRule(minutes=10, threshold=10, version=0)
    if rule is None:
        raise NotFound("rule_unknown", "没有找到这条告警规则。")
    fault, form = None, _form(rule)
    if request.method == "POST":
        form = {
            name: typed(request, name)
            for name in ("name", "kind", "by", "outcome", "source", "threshold", "least", "minutes")
        }
        form |= {"acts": request.POST.getlist("acts"), "active": bool(typed(request, "active"))}
        try:
            saved = save_rule(pk=pk, said=form, seen=number_typed(request, "seen"), scope=scope, request=request)
        except CityError as wrong:
            if isinstance(wrong, Forbidden | NotFound):
                raise
            fault = wrong
        else:
            said.success(request, f"已保存“{saved.name}”，一分钟内按新的规则判断。")
            return redirect("desk-log-rules")
    groups = [(title, group, any(key in form["acts"] for key, _ in group)) for title, group in acts_shown()]
    context = {
        **frame_of(scope, "alerts"), "rule": rule, "form": form, "fault": fault, "acts": groups, "kinds": AlertKind.choices,
        "ways": AlertBy.choices, "outcomes": OUTCOMES.items(), "sources": source_words().items(),
    }  # fmt: skip
    return render(request, "desk/log_rule.html", context, status=status_of(fault) if fault else 200)


def said_of_rule(rule: AlertRule) -> str:
    """Return in a sentence when a rule warns."""
    by = "" if rule.by == AlertBy.ALL else AlertBy(rule.by).label
    if rule.kind == AlertKind.COUNT:
        return f"{by}{rule.minutes} 分钟内超过 {rule.threshold} 次"
    if rule.kind == AlertKind.RATE:
        return f"{by}{rule.minutes} 分钟内至少 {rule.least} 次，失败超过 {rule.threshold}%"
    if rule.kind == AlertKind.SILENT:
        return f"“{source_words().get(rule.source, rule.source)}”{rule.minutes} 分钟没有日志"
    return f"账号从 90 天内没有登录过的地址登录（看最近 {rule.minutes} 分钟）"


def _form(rule: AlertRule) -> dict[str, Any]:
    names = ("name", "kind", "by", "outcome", "source", "threshold", "least", "minutes", "acts", "active")
    return {name: getattr(rule, name) for name in names}
