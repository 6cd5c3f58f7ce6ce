"""Filling in a form: what there is to fill in, drafts that are kept on the way, preview, handing in, the receipt and its PDF."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import CityError, Conflict, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import path_of, versions_of
from geo.scope import Scope
from services.access.models import User
from services.access.queries import caller_of, check_duty, scope_for
from services.crypto.identifiers import new_id
from services.kernel.documents.rendering.documents import render_document
from services.kernel.documents.templates.queries import text_for
from services.kernel.forms import actions
from services.kernel.forms.begun import Begun, begun_from
from services.kernel.forms.documents import TEMPLATE, region_name, sheet_of
from services.kernel.forms.judging import judge, judge_whole
from services.kernel.forms.models import Submission, SubmissionState
from services.kernel.forms.prefill import prefilled
from services.kernel.forms.queries import (
    FILL,
    OWNER_KIND,
    form_of,
    last_day,
    may_fill,
    submission,
    submissions_of,
    summary_of,
    whole_answers,
)
from services.kernel.forms.registry import declared, entry_named, form_named
from services.kernel.workflow.applying import application_of, case_of_submission
from services.kernel.workflow.registry import matters
from web.api.errors import status_of
from web.doors.common.typed import typed
from web.doors.forms.items import Page, posted, told

PDF: Final = "application/pdf"
VERSION_HEADER: Final = "X-Form-Version"


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """Show the forms one may fill in, and one's own, the last changed first."""
    user = _user(request)
    own = [_own(row) for row in submissions_of(user)[:50]]
    scope, of_matters = scope_for(request), {matter.form for matter in matters().values()}
    by_themselves = [spec for spec in declared().forms.values() if spec.key not in of_matters]
    forms = [spec for spec in by_themselves if not spec.duty or scope.holds(spec.duty)]
    return render(request, "forms/list.html", {"forms": forms, "own": own})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def start_page(request: HttpRequest, key: str) -> HttpResponse:
    """Choose the entry and the district of a form; begin it. The form of a matter is begun by applying for that."""
    spec, scope = form_named(key), scope_for(request)
    matter = next((each for each in matters().values() if each.form == key), None)
    if matter is not None:
        query = request.GET.urlencode()
        return redirect(reverse("case-new", args=[matter.key]) + (f"?{query}" if query else ""))
    if spec.duty:
        check_duty(scope, spec.duty)
    begun = begun_from(typed(request, "from")[:60], key, scope=scope) if typed(request, "from") else None
    districts = list(versions_of(scope=Scope.public()).filter(level="district"))
    fault: CityError | None = None
    if request.method == "POST":
        try:
            row = _begin(request, key, begun)
            return redirect("form-fill", row.pk)
        except CityError as wrong:
            fault = wrong
    chosen = typed(request, "entry") or (spec.entries[0].key if len(spec.entries) == 1 else "")
    context = {
        "spec": spec, "districts": districts, "region": typed(request, "region"), "entry": chosen, "mark": new_id(),
        "fault": fault, "for_somebody": scope.holds(FILL), "begun": begun, "from": typed(request, "from"),
    }  # fmt: skip
    return render(request, "forms/start.html", context, status=status_of(fault) if fault else 200)


def _begin(request: HttpRequest, key: str, begun: Begun | None) -> Submission:
    scope, user = scope_for(request), _user(request)
    entry_named(form_named(key), typed(request, "entry"))
    mark = _uuid(typed(request, "mark"))
    for_somebody = bool(typed(request, "for_somebody")) and scope.holds(FILL)
    row = actions.begin_submission(
        form=key, entry=typed(request, "entry"), region=typed(request, "region"), scope=scope,
        account=None if for_somebody else user, id=mark,
    )  # fmt: skip
    if row.version == 1 and not row.answers:
        answers, sources = prefilled(row, begun)
        if answers:
            row = actions.save_draft(
                submission_id=row.pk, answers=answers, seen=row.version, scope=scope, sources=sources
            ).row
    return row


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def fill_page(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """Show a form to fill in, or, once it is handed in, its receipt; keep a draft, and go on to the preview."""
    scope = scope_for(request)
    row = submission(submission_id, scope=scope)
    if not may_fill(row, scope):
        return _receipt(request, row)
    if request.method == "GET":
        return _fill(request, row, whole_answers(row), tell=request.GET.get("check") == "1")
    form = form_of(row)
    answers = posted(form, request.POST)
    try:
        outcome = actions.save_draft(submission_id=row.pk, answers=answers, seen=_seen(request), scope=scope)
    except Conflict as fault:
        return _stale(request, row, answers, fault)
    if _by_script(request):
        response = _fill(request, outcome.row, {**answers, **outcome.checked.answers}, fragment=True)
        response[VERSION_HEADER] = str(outcome.row.version)
        return response
    if typed(request, "act") == "preview":
        return redirect("form-preview", row.pk)
    said.success(request, "已存草稿，可以随时回来接着填。")
    return redirect("form-fill", row.pk)


def _fill(
    request: HttpRequest, row: Submission, answers: dict[str, Any], *, tell: bool = False, fragment: bool = False,
    fault: CityError | None = None,
) -> HttpResponse:  # fmt: skip
    form = form_of(row)
    checked = judge_whole(form, answers, row, scope=scope_for(request)) if tell else judge(form, answers, row)
    page = Page(form, answers, checked, _under(row), tell, row.sources, row.asked)
    spec = form_named(row.form)
    context = {
        "row": row, "spec": spec, "entry": spec.entry(row.entry), "region": region_name(row.region_id), "form": form,
        "sections": page.sections(), "told": told(page), "fault": fault, "last_day": last_day(row), "owner": OWNER_KIND,
        "papers": [each for each in form.papers() if each.key in checked.linked.shown],
        "supplement": row.state == SubmissionState.SUPPLEMENT, "leads_back": _leads_back(row),
    }  # fmt: skip
    template = "forms/items.html" if fragment else "forms/fill.html"
    return render(request, template, context, status=status_of(fault) if fault else 200)


def _leads_back(row: Submission) -> tuple[str, str]:
    """Return where a page of filling in leads back to: address and name."""
    asked = application_of(row.pk)
    if asked is None:
        return reverse("forms"), "我的表单"
    return (reverse("my-cases"), "我的申请") if asked.source == "online" else (reverse("desk-cases"), "我的办件")


def _stale(request: HttpRequest, row: Submission, answers: dict[str, Any], fault: Conflict) -> HttpResponse:
    """Tell that the form was changed elsewhere, showing what was just typed: the next save is of the newest version."""
    if _by_script(request):
        raise fault
    now = submission(row.pk, scope=scope_for(request))
    return _fill(request, now, answers, fault=fault)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def preview_page(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """Show a form as it will be handed in, with what is still wrong; hand it in."""
    scope = scope_for(request)
    row = submission(submission_id, scope=scope)
    if not may_fill(row, scope):
        return redirect("form-fill", row.pk)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            outcome = actions.submit(submission_id=row.pk, answers=None, seen=_seen(request), scope=scope)
            if outcome.checked.good:
                return _handed_in(request, row)
            row = outcome.row
        except Conflict as wrong:
            now = submission(submission_id, scope=scope)
            if now.state == SubmissionState.SUBMITTED:  # the other half of a double click was quicker
                return _handed_in(request, now)
            fault = wrong
    form = form_of(row)
    answers = whole_answers(row, form)
    page = Page(form, answers, judge_whole(form, answers, row, scope=scope), _under(row), tell=True)
    context = {
        "row": row, "spec": form_named(row.form), "parts": summary_of(row, reveal=True), "told": told(page),
        "region": region_name(row.region_id), "entry": form_named(row.form).entry(row.entry), "fault": fault,
    }  # fmt: skip
    return render(request, "forms/preview.html", context, status=status_of(fault) if fault else 200)


@login_required
@require_POST
def move(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """Go on with the form's new version."""
    row = submission(submission_id, scope=scope_for(request))
    actions.move_to_current(submission_id=row.pk, seen=_seen(request), scope=scope_for(request))
    said.success(request, "已换到新版，您填过的都还在。请核对后再提交。")
    return redirect("form-fill", row.pk)


@login_required
@require_POST
def discard(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """Throw a draft away."""
    actions.discard_submission(submission_id=submission_id, scope=scope_for(request))
    said.success(request, "草稿已删除。")
    return redirect("forms")


@never_cache
@login_required
@require_safe
def pdf(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """Send a form as PDF: a draft too; its own writer reads all of it, others the sensitive answers in part."""
    row = submission(submission_id, scope=scope_for(request))
    user = _user(request)
    own = row.account_id == user.pk or (row.account_id is None and may_fill(row, scope_for(request)))
    today = timezone.localdate()
    facts = {
        **sheet_of(row, summary_of(row, reveal=own)),
        "经办人": str(user),
        "生成日期": f"{today.year}年{today.month}月{today.day}日",
    }
    return send_pdf(
        render_document(text_for(key=TEMPLATE, region_id=row.region_id), facts, "pdf"), row.number or "草稿"
    )


def send_pdf(content: bytes, name: str) -> HttpResponse:
    """Return a PDF that was just made."""
    response = HttpResponse(content, content_type=PDF)
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.pdf") or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


def _handed_in(request: HttpRequest, row: Submission) -> HttpResponse:
    """Lead on from a form that was handed in: to the case it opened, or to its receipt."""
    case = case_of_submission(row.pk)
    if case is None:
        return redirect("form-fill", row.pk)
    said.success(request, f"已提交，办件编号 {case.number}。")
    return redirect("my-case" if case.applicant == _user(request) else "desk-case", case.uid)


def _receipt(request: HttpRequest, row: Submission) -> HttpResponse:
    own = row.account_id == _user(request).pk or row.made_by == scope_for(request).actor
    if not own:
        return redirect("desk-submission", row.pk)
    if (case := case_of_submission(row.pk)) is not None:
        return redirect("my-case" if case.applicant == _user(request) else "desk-case", case.uid)
    spec = form_named(row.form)
    context = {
        "row": row, "spec": spec, "entry": spec.entry(row.entry), "region": region_name(row.region_id),
        "parts": summary_of(row, reveal=True), "rounds": row.rounds.count(),
    }  # fmt: skip
    return render(request, "forms/receipt.html", context)


def _own(row: Submission) -> dict[str, Any]:
    spec = form_named(row.form)
    entry = spec.entry(row.entry)
    return {"row": row, "title": spec.title, "entry": entry.name if entry else "", "region": region_name(row.region_id),
            "last_day": last_day(row) if row.state == SubmissionState.DRAFT else None}  # fmt: skip


def _under(row: Submission) -> str:
    path: list[RegionVersion] = path_of(row.region_id, scope=Scope.public())
    return path[-1].path if path else ""


def _user(request: HttpRequest) -> User:
    user = caller_of(request).user
    if user is None:
        raise NotFound("account_unknown", "请先登录。")
    return user


def _seen(request: HttpRequest) -> int:
    text = typed(request, "seen", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def _by_script(request: HttpRequest) -> bool:
    return request.headers.get("X-Fragment") == "form"
