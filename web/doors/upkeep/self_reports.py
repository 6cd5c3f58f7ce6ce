"""Self-reports at the desk: sending links for chosen or new places, one report with what it changes, reviewing many at once."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError
from geo.regions.models import Level
from geo.regions.queries import versions_of
from geo.scope import Scope
from services.access.queries import check_duty, scope_for
from services.facilities.kinds import kind_of, offered_kind_choices
from services.modules.selfreport.duties import MANAGE
from services.modules.selfreport.models import WITH_INSTITUTION, ReportState
from services.modules.selfreport.queries import MOST_OFFERED, places_to_ask, report_seen, reports_seen
from services.modules.selfreport.reviewing import (
    MOST_AT_ONCE,
    MOST_WORDS,
    Outcome,
    approve_report,
    changes_of,
    return_report,
    review_many,
)
from services.modules.selfreport.sending import DAYS, Sent, Wanted, resend_link, revoke_link, send_links
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed
from web.doors.upkeep.own_places import ids_asked

NEW_ROWS: Final = 3
"""How many new places one page takes."""


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def send_page(request: HttpRequest) -> HttpResponse:
    """Choose places and numbers, and send the links; what was not sent is said place by place and keeps what was typed."""
    scope = scope_for(request)
    check_duty(scope, MANAGE)
    fault: CityError | None = None
    done: list[Sent] = []
    rows: list[dict[str, Any]] = []
    try:
        rows = _offered(request, scope)
        if request.method == "POST":
            done = send_links(
                wanted=_wanted(request), days=number_typed(request, "days"), root=root_of(request), scope=scope
            )
    except CityError as refused:
        fault = refused
    context = {
        "rows": rows,
        "done": done,
        "sent": sum(each.report is not None for each in done),
        "fault": fault,
        "kinds": offered_kind_choices(),
        "regions": regions_of(scope),
        "kind": typed(request, "kind"),
        "region": typed(request, "region"),
        "days": DAYS,
        "chosen_days": number_typed(request, "days") or DAYS[1],
        "news": [_new_typed(request, number) for number in range(NEW_ROWS)],
        "most": MOST_OFFERED,
    }
    return render(request, "desk/self_report_send.html", context, status=status_of(fault) if fault else 200)


def root_of(request: HttpRequest) -> str:
    """Return the address of the house as links name it."""
    return settings.SITE_URL or request.build_absolute_uri("/")


def regions_of(scope: Scope) -> list[tuple[str, str, str]]:
    """Return the streets a scope covers as (code, name, district)."""
    rows = list(versions_of(scope=Scope.public()).filter(level__in=[Level.DISTRICT, Level.STREET]).order_by("code"))
    names = {each.code: each.name for each in rows}
    return [
        (each.code, each.name, names.get(each.path.split(".")[1], ""))
        for each in rows
        if each.level == Level.STREET and ("" in scope.paths or scope.covers_path(each.path))
    ]


def _offered(request: HttpRequest, scope: Scope) -> list[dict[str, Any]]:
    ids, kind, region = ids_asked(request, MOST_OFFERED), typed(request, "kind"), typed(request, "region")
    if not ids and not (kind and region):
        return []
    found = places_to_ask(scope=scope, ids=ids or None, kind="" if ids else kind, region="" if ids else region)
    return [
        {
            "place": place,
            "open": report,
            "kind": kind_of(place.kind_id),
            "phone": typed(request, f"phone-{place.pk}") or _mobile(place.phone),
        }
        for place, report in found
    ]


def _mobile(phone: str) -> str:
    """Return the number of a place where a short message can reach it."""
    digits = phone.strip()
    return digits if len(digits) == 11 and digits.isascii() and digits.isdecimal() and digits[0] == "1" else ""


def _new_typed(request: HttpRequest, number: int) -> dict[str, str]:
    return {name: typed(request, f"new-{name}-{number}") for name in ("name", "kind", "region", "phone")} | {
        "at": str(number)
    }


def _wanted(request: HttpRequest) -> list[Wanted]:
    """Return the links to send: of places with a number, of new ones with a name or a number. Raises ``BadInput`` for none."""
    ids = [
        int(name.removeprefix("phone-"))
        for name in request.POST
        if name.removeprefix("phone-").isdecimal() and len(name) < 25
    ]
    wanted = [Wanted(phone, facility_id=pk) for pk in ids if (phone := typed(request, f"phone-{pk}").strip())]
    for number in range(NEW_ROWS):
        new = _new_typed(request, number)
        if new["name"].strip() or new["phone"].strip():
            wanted.append(Wanted(new["phone"], kind=new["kind"], name=new["name"], region=new["region"]))
    if not wanted:
        raise BadInput("nobody_chosen", "请至少给一家填上负责人的手机号。")
    return wanted


@never_cache
@login_required
@require_safe
def report_page(request: HttpRequest, report_id: int) -> HttpResponse:
    """Show a report with what it changes, and what may be done with it."""
    return _report(request, report_id)


@login_required
@require_POST
def act_on(request: HttpRequest, report_id: int, act: str) -> HttpResponse:
    """Approve, give back, send anew or revoke a report; what is refused is said on its page."""
    scope, seen = scope_for(request), number_typed(request, "seen")
    try:
        if act == "approve":
            over, why = typed(request, "over") == "1", typed(request, "why")
            approve_report(pk=report_id, seen=seen, scope=scope, over=over, why=why)
            words = "已通过，地图和搜索马上按新的内容显示，机构会收到短信。"
        elif act == "return":
            return_report(pk=report_id, seen=seen, words=typed(request, "words"), root=root_of(request), scope=scope)
            words = "已退回，机构会收到短信和新的链接。"
        elif act == "resend":
            resend_link(pk=report_id, issue=seen, root=root_of(request), scope=scope)
            words = "已重新发送，以前的链接不能再打开。"
        elif act == "revoke":
            revoke_link(pk=report_id, scope=scope)
            words = "已撤销，链接不能再打开，手机号已删除。"
        else:
            raise BadInput("act_unknown", "没有这个操作，请刷新页面再试。")
    except CityError as refused:
        return _report(request, report_id, refused)
    said.success(request, words)
    return redirect("desk-self-report", report_id)


def _report(request: HttpRequest, report_id: int, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    check_duty(scope, MANAGE)
    report = report_seen(report_id, scope=scope)
    changes = changes_of(report)
    context = {
        "report": report,
        "kind": kind_of(report.kind),
        "changes": changes,
        "others": [change for change in changes if change.now] if report.state == ReportState.SUBMITTED else [],
        "with_institution": report.state in WITH_INSTITUTION,
        "over": report.is_over(timezone.now()),
        "fault": fault,
        "typed": {name: typed(request, name) if fault else "" for name in ("words", "why")},
        "reasoned": bool(fault and fault.code == "place_refused"),
        "most": MOST_WORDS,
    }
    return render(request, "desk/self_report.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def review_page(request: HttpRequest) -> HttpResponse:
    """Show chosen reports with what each changes, and approve or give back all of them; what became of each is said."""
    scope = scope_for(request)
    check_duty(scope, MANAGE)
    ids = ids_asked(request, MOST_AT_ONCE)
    fault: CityError | None = None
    done: list[Outcome] = []
    if request.method == "POST":
        try:
            done = _review(request, ids, scope)
        except CityError as refused:
            fault = refused
    waiting = reports_seen(scope).filter(pk__in=ids, state=ReportState.SUBMITTED).order_by("name", "pk")
    rows = [] if done else [{"report": report, "changes": changes_of(report)} for report in waiting]
    context = {
        "rows": rows,
        "left_out": len(ids) - len(rows),
        "done": done,
        "approved": sum(each.done for each in done),
        "fault": fault,
        "words": typed(request, "words"),
        "most": MOST_WORDS,
    }
    return render(request, "desk/self_report_review.html", context, status=status_of(fault) if fault else 200)


def _review(request: HttpRequest, ids: list[int], scope: Scope) -> list[Outcome]:
    decision, words = typed(request, "decision"), typed(request, "words")
    if decision == "return" and not words.strip():
        raise BadInput("words_empty", "退回请写一句要改什么，这些机构都会收到。", field="words")
    if decision not in ("approve", "return"):
        raise BadInput("decision_empty", "请选通过还是退回。", field="decision")
    seen = {pk: number_typed(request, f"seen-{pk}") for pk in ids}
    return review_many(
        seen=seen,
        decision="approve" if decision == "approve" else "return",
        words=words,
        root=root_of(request),
        scope=scope,
    )
