"""Rule sets on the desk: how each stands in a region, its versions, their differences, who changed what, what went wrong."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict, NotFound
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.access.queries import scope_for
from services.kernel.rules.actions import open_draft, take_back
from services.kernel.rules.deciding.differences import changes_between
from services.kernel.rules.models import RuleState, RuleVersion
from services.kernel.rules.queries import (
    VIEW,
    faults_kept,
    region_kept,
    regions_kept,
    sheet_kept,
    standing,
    standings,
    version_above,
    version_seen,
    versions_kept,
)
from services.kernel.rules.registry import rule_set_named
from services.kernel.rules.spec import HIT_WORDS
from web.api.errors import status_of
from web.doors.common.typed import typed
from web.doors.rules.grids import grid_of

FAULTS_A_PAGE = 20


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List every rule set with what holds in a region, its draft and its faults."""
    scope = scope_for(request)
    region = region_kept(typed(request, "region"), scope=scope)
    context = {
        "regions": regions_kept(scope=scope),
        "region": region,
        "standings": standings(region=region, scope=scope),
    }
    return render(request, "desk/rules.html", context)


@never_cache
@login_required
@require_safe
def one_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show one rule set in a region: the table in force, its versions, its faults."""
    return _one(request, key)


def _one(request: HttpRequest, key: str, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    spec = rule_set_named(key)
    region = region_kept(typed(request, "region"), scope=scope)
    stands = standing(spec, region=region, scope=scope)
    now = RuleVersion.objects.get(pk=stands.now.pk) if stands.now else None
    context = {
        "spec": spec,
        "hit": HIT_WORDS[spec.hit],
        "region": region,
        "regions": regions_kept(scope=scope),
        "standing": stands,
        "grid": grid_of(sheet_kept(now), spec) if now else None,
        "versions": list(versions_kept(key, region_id=region.region_id, scope=scope).defer("sheet")),
        "faults": Paginator(faults_kept(key, scope=scope), FAULTS_A_PAGE).get_page(request.GET.get("page")),
        "may_edit": _may_edit(spec.duty, region, scope),
        "today": timezone.localdate(),
        "fault": fault,
    }
    return render(request, "desk/rule_set.html", context, status=status_of(fault) if fault else 200)


@login_required
@require_POST
def open_page(request: HttpRequest, key: str) -> HttpResponse:
    """Open the draft of a rule set in a region, or begin one, and go to it."""
    source = _uuid(typed(request, "source"))
    draft = open_draft(key=key, region=typed(request, "region"), source=source, scope=scope_for(request))
    return redirect("desk-rule-version", version_id=draft.pk)


@login_required
@require_POST
def end(request: HttpRequest, key: str) -> HttpResponse:
    """Let a region's own rules end from a day on."""
    try:
        row = take_back(
            key=key, region=typed(request, "region"), from_day=day_typed(request, "from_day"), reason=typed(request, "reason"),
            scope=scope_for(request),
        )  # fmt: skip
    except (BadInput, Conflict) as fault:
        return _one(request, key, fault)
    said.success(request, f"已停用：自 {row.from_day:%Y-%m-%d} 起沿用上级的规则。")
    return redirect(f"{reverse('desk-rule-set', args=[key])}?region={typed(request, 'region')}")


@never_cache
@login_required
@require_safe
def compare_page(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Show two versions of a rule set side by side, what changed marked: by default a version and the one before it."""
    scope = scope_for(request)
    version = version_seen(version_id, scope=scope)
    spec = rule_set_named(version.rule_set)
    own = list(versions_kept(version.rule_set, region_id=version.region_id, scope=scope).filter(active=True))
    other = _other(typed(request, "with"), version, own, scope)
    if other is None:
        raise NotFound("rule_version_alone", "没有可以对比的版本：这是这里的第一版，或者上级还没有发布规则。")
    if other.rule_set != version.rule_set or not (version.active and other.active):
        raise BadInput("rule_versions_unlike", "这两个版本不能对比，请选同一规则集的两个版本。")
    before, after = sheet_kept(other), sheet_kept(version)
    changes = changes_between(before, after)
    context = {
        "spec": spec, "version": version, "other": other, "versions": own, "changes": len(changes),
        "above": other.region_id != version.region_id, "has_above": bool(version_above(version, on=timezone.localdate())),
        "before": grid_of(before, spec, changes, earlier=True), "after": grid_of(after, spec, changes),
    }  # fmt: skip
    return render(request, "desk/rule_compare.html", context)


def _other(asked: str, version: RuleVersion, own: list[RuleVersion], scope: Scope) -> RuleVersion | None:
    """Return the version that was asked for: ``above`` is what holds above the region, '' the one before."""
    if asked == "above":
        return version_above(version, on=timezone.localdate())
    if wanted := _uuid(asked):
        return version_seen(wanted, scope=scope)
    return next((each for each in own if each.number < version.number), None)


def day_typed(request: HttpRequest, name: str) -> dt.date:
    """Return a day that was typed. Raises ``BadInput``."""
    try:
        day = parse_date(typed(request, name).strip())
    except ValueError:
        day = None
    if day is None:
        raise BadInput("day_invalid", "日期要写成 2026-09-01 的样子。")
    return day


def _may_edit(duty: str, region: RegionVersion, scope: Scope) -> bool:
    return scope.holds(VIEW) and scope.holds(duty) and scope.covers_path(region.path)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound("rule_version_unknown", "没有找到这个规则版本。") from None


def is_draft(version: RuleVersion) -> bool:
    """Say whether a version may still change."""
    return version.state != RuleState.PUBLISHED
