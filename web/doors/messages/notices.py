"""Notices: shown to everyone at /notices and to staff on the desk; written, changed, published and withdrawn there."""

from __future__ import annotations

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

from geo.errors import CityError, Forbidden
from geo.regions.queries import published_name, versions_of
from geo.scope import Scope
from services.access.queries import check_duty, grants_today, scope_for
from services.access.roles import roles
from services.kernel.messages.markup import as_html
from services.kernel.messages.notices.actions import (
    Written,
    change_notice,
    publish_notice,
    regions_to_write_for,
    withdraw_notice,
    write_notice,
)
from services.kernel.messages.notices.models import Notice, NoticeState
from services.kernel.messages.notices.queries import notice_shown, notices_for, notices_kept, public_notices
from web.api.errors import status_of
from web.doors.common.callers import user_of
from web.doors.common.typed import moment_of, typed

ON_A_PAGE: Final = 20


@require_safe
def public_list(request: HttpRequest) -> HttpResponse:
    """List the notices for everyone."""
    rows = public_notices().annotate(region_name=published_name())
    page = Paginator(rows, ON_A_PAGE).get_page(typed(request, "page"))
    return render(request, "notices/list.html", {"page": page})


@require_safe
def public_one(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Show one notice for everyone."""
    notice = notice_shown(notice_id, scope=Scope.public(), roles=())
    region = versions_of(scope=Scope.public()).filter(region=notice.region_id).first()
    return render(request, "notices/one.html", {"notice": notice, "region": region, "html": as_html(notice.body)})


def roles_of(request: HttpRequest) -> list[str]:
    """Return the roles that the caller holds today."""
    return sorted({grant.role_id for grant in grants_today(user_of(request))})


@never_cache
@login_required
@require_safe
def desk_list(request: HttpRequest) -> HttpResponse:
    """List the notices that show to the caller; those who write them see a second list of all they keep."""
    scope = scope_for(request)
    may_edit = scope.holds("notices.edit")
    kept = may_edit and typed(request, "show") == "kept"
    state = typed(request, "state")
    rows = notices_kept(scope=scope, state=state) if kept else notices_for(scope=scope, roles=roles_of(request))
    page = Paginator(rows.annotate(region_name=published_name()), ON_A_PAGE).get_page(typed(request, "page"))
    context = {"page": page, "may_edit": may_edit, "kept": kept, "state": state, "states": NoticeState.choices,
               "now": timezone.now()}  # fmt: skip
    return render(request, "desk/notices.html", context)


@never_cache
@login_required
@require_safe
def desk_one(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Show one notice, and to those who keep it what can be done with it."""
    return _one(request, notice_id)


def _one(request: HttpRequest, notice_id: UUID, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    notice = notice_shown(notice_id, scope=scope, roles=roles_of(request))
    keeps = scope.holds("notices.edit") and notices_kept(scope=scope).filter(pk=notice.pk).exists()
    context = {
        "notice": notice,
        "html": as_html(notice.body),
        "region": versions_of(scope=scope).filter(region=notice.region_id).first(),
        "roles": [role.name for role in roles() if role.key in notice.roles],
        "keeps": keeps,
        "waits": notice.state == NoticeState.PUBLISHED and notice.shows_from and notice.shows_from > timezone.now(),
        "fault": fault,
    }
    return render(request, "desk/notice.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, notice_id: UUID | None = None) -> HttpResponse:
    """Write a new notice, or change one; what is refused is said above the form, which keeps what was typed."""
    scope = scope_for(request)
    check_duty(scope, "notices.edit")
    notice = notice_shown(notice_id, scope=scope, roles=()) if notice_id else None
    if request.method == "GET":
        return _form(request, notice, _form_of(notice, scope))
    form = _typed(request)
    try:
        written = _written(form)
        if notice is None:
            done, saved = "已存为草稿，检查无误后再发布。", write_notice(written=written, scope=scope)
        else:
            version = int(form["version"]) if form["version"].isdecimal() else 0
            saved = change_notice(notice_id=notice.pk, written=written, version=version, scope=scope)
            done = "已保存修改。"
    except CityError as fault:
        if isinstance(fault, Forbidden):
            raise
        return _form(request, notice, form, fault)
    said.success(request, done)
    return redirect("desk-notice", notice_id=saved.pk)


@login_required
@require_POST
def publish(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Publish a notice now or at the moment that was given."""
    try:
        at = moment_of(typed(request, "at"), "发布时间")
        notice = publish_notice(notice_id=notice_id, version=_version(request), at=at, scope=scope_for(request))
    except CityError as fault:
        return _refused(request, notice_id, fault)
    later = notice.shows_from and notice.shows_from > timezone.now()
    said.success(
        request, f"将于 {timezone.localtime(notice.shows_from):%-m月%-d日 %H:%M} 发布。" if later else "已发布。"
    )
    return redirect("desk-notice", notice_id=notice_id)


@login_required
@require_POST
def withdraw(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Take a notice back."""
    try:
        withdraw_notice(notice_id=notice_id, version=_version(request), scope=scope_for(request))
    except CityError as fault:
        return _refused(request, notice_id, fault)
    said.success(request, "已撤回，读者不再看到。可以修改后重新发布。")
    return redirect("desk-notice", notice_id=notice_id)


def _refused(request: HttpRequest, notice_id: UUID, fault: CityError) -> HttpResponse:
    if status_of(fault) not in {400, 409}:
        raise fault
    return _one(request, notice_id, fault)


def _form(
    request: HttpRequest, notice: Notice | None, form: dict[str, Any], fault: CityError | None = None
) -> HttpResponse:
    context = {"notice": notice, "form": form, "fault": fault, "roles": roles(),
               "regions": regions_to_write_for(scope=scope_for(request))}  # fmt: skip
    return render(request, "desk/notice_form.html", context, status=status_of(fault) if fault else 200)


def _form_of(notice: Notice | None, scope: Scope) -> dict[str, Any]:
    if notice is None:
        return {"roles": [], "version": "0"}
    region = versions_of(scope=scope).filter(region=notice.region_id).first()
    until = f"{timezone.localtime(notice.shows_until):%Y-%m-%dT%H:%M}" if notice.shows_until else ""
    return {"title": notice.title, "body": notice.body, "region": region.code if region else "", "roles": notice.roles,
            "public": notice.public, "until": until, "version": str(notice.version)}  # fmt: skip


def _typed(request: HttpRequest) -> dict[str, Any]:
    names = ("title", "body", "region", "until", "version")
    form: dict[str, Any] = {name: typed(request, name)[:20_000] for name in names}
    return form | {"roles": request.POST.getlist("role")[:20], "public": "public" in request.POST}


def _written(form: dict[str, Any]) -> Written:
    return Written(title=form["title"], body=form["body"], region=form["region"], roles=tuple(form["roles"]),
                   public=form["public"], until=moment_of(form["until"], "结束时间"))  # fmt: skip


def _version(request: HttpRequest) -> int:
    text = typed(request, "version")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
