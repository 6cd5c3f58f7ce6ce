"""What was handed in, at the desk: the list of a region, one form with its files, answers revealed one by one, asking for
more."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.errors import BadInput, CityError, Conflict, NotFound
from services.access.queries import check_duty, scope_for
from services.kernel.forms.actions import reopen_for_supplement, reveal_answer
from services.kernel.forms.answering.words import said as in_words
from services.kernel.forms.documents import region_name
from services.kernel.forms.library.queries import VIEW
from services.kernel.forms.looking_up import CityKnown
from services.kernel.forms.models import SubmissionState
from services.kernel.forms.queries import OWNER_KIND, REVEAL, form_of, submission, submissions_handed_in, summary_of
from services.kernel.forms.registry import declared, form_named
from services.kernel.workflow.applying import case_of_submission
from web.api.errors import status_of
from web.doors.common.typed import typed
from web.doors.forms.items import labels_by_key

PER_PAGE: Final = 50


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """Show what was handed in within the caller's regions, by form and number."""
    form, text = typed(request, "form"), typed(request, "q")
    rows = submissions_handed_in(scope=scope_for(request), form=form if form in declared().forms else "", text=text)
    page = Paginator(rows, PER_PAGE).get_page(typed(request, "page"))
    lines = [
        {
            "row": row,
            "spec": form_named(row.form),
            "entry": form_named(row.form).entry(row.entry),
            "region": region_name(row.region_id),
        }
        for row in page.object_list
    ]
    context = {"page": page, "lines": lines, "forms": list(declared().forms.values()), "form": form, "q": text}
    return render(request, "desk/submissions.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def one_page(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """Show one form as it was handed in; reveal one answer, or ask for more."""
    scope = scope_for(request)
    check_duty(scope, VIEW)
    row = submission(submission_id, scope=scope)
    if row.state == SubmissionState.DRAFT:
        raise NotFound("submission_unknown", "这份表单还没有提交。")
    case = case_of_submission(row.pk)
    fault: CityError | None = None
    revealed: dict[str, Any] = {}
    if request.method == "POST" and (key := typed(request, "key")):
        value = reveal_answer(submission_id=row.pk, key=key, scope=scope, request=request)
        form = form_of(row)
        question = form.question(key)
        if question:
            revealed = {"label": question.field.label, "text": in_words(question.field, value, form, CityKnown())}
    elif request.method == "POST":
        try:
            if case is not None:
                raise Conflict("supplement_by_case", f"这份表单属于办件 {case.number}，请在办件里要求补正。")
            chosen = request.POST.getlist("item")
            papers = {paper.key for paper in form_of(row).papers()}
            reopen_for_supplement(
                submission_id=row.pk,
                fields=[one for one in chosen if one not in papers],
                certificates=[one for one in chosen if one in papers],
                why=typed(request, "why"),
                scope=scope,
            )
            said.success(request, "已退回补正。对方只能改您勾选的内容。")
            return redirect("desk-submission", row.pk)
        except (BadInput, Conflict) as wrong:
            fault = wrong
    spec = form_named(row.form)
    context = {
        "row": row,
        "case": case,
        "spec": spec,
        "entry": spec.entry(row.entry),
        "region": region_name(row.region_id),
        "parts": summary_of(row),
        "owner": OWNER_KIND,
        "reveal_url": reverse("desk-submission", args=[row.pk]) if scope.holds(REVEAL) else "",
        "revealed": revealed,
        "rounds": row.rounds.all(),
        "items": labels_by_key(form_of(row)).items(),
        "fault": fault,
    }
    return render(request, "desk/submission.html", context, status=status_of(fault) if fault else 200)
