"""What the page of a case shows beside its acts: the form as the step sees it, what the step fills in, reviews, feedback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone

from geo.errors import CityError, NotFound
from geo.regions.queries import path_of
from geo.scope import Scope
from services.access.queries import scope_for
from services.integrations.progress.client import CHANNELS
from services.kernel.forms.actions import reveal_answer
from services.kernel.forms.answering import validate
from services.kernel.forms.answering.words import said
from services.kernel.forms.looking_up import CityKnown
from services.kernel.forms.models import Submission
from services.kernel.forms.queries import OWNER_KIND, REVEAL, Part, form_of, summary_of, summary_of_round
from services.kernel.workflow.filling import form_of_step
from services.kernel.workflow.models import Case, FeedbackState
from services.kernel.workflow.queries import CaseView
from services.kernel.workflow.review_facts import submission_of
from services.kernel.workflow.reviewing import KINDS
from services.kernel.workflow.spec import SCREENS, VERDICTS, Step
from web.doors.common.typed import typed
from web.doors.forms.items import Page, labels_by_key, posted

TAGS: Final = {"pass": ("good", "circle-check"), "check": ("warn", "triangle-alert"), "fail": ("bad", "circle-x")}
FEEDBACK_TAGS: Final = {FeedbackState.WAITING: "warn", FeedbackState.SENT: "good", FeedbackState.GIVEN_UP: "bad"}


def parts_shown(request: HttpRequest, view: CaseView, fault: CityError | None) -> dict[str, Any]:
    """Return what a template needs of a case's form and what stands beside it, by the screens of the caller's step."""
    row = submission_of(view.case)
    screens: set[str] = set(view.step.screens) if view.staff and view.step else set(SCREENS)
    return {
        "screens": screens,
        "filling": _filling(request, view.step, view.case, fault) if view.step else [],
        "filled": list(view.case.tasks.exclude(filled={}).order_by("decided_at")),
        "point": view.case.facility.geom if view.case.facility and "map" in screens else None,
        **(_form(request, view, row, screens) if row else {}),
        **(_beside(view) if view.staff else {}),
    }


def _form(request: HttpRequest, view: CaseView, row: Submission, screens: set[str]) -> dict[str, Any]:
    own = not view.staff and row.account_id is not None and row.account_id == view.case.applicant_id
    parts: list[Part] = summary_of(row, reveal=own) if "form" in screens else []
    if view.staff and view.step and view.step.sections:
        parts = [part for part in parts if part.title in view.step.sections]
    labels, seen = labels_by_key(form_of(row)), {line.key for part in parts for line in part.lines}
    return {
        "row": row,
        "parts": parts,
        "owner": OWNER_KIND,
        "reveals": view.staff and scope_for(request).holds(REVEAL),
        "items_to_mend": [(key, label) for key, label in labels.items() if key in seen],
        "ticked": request.POST.getlist("item") if fault_of_mending(request) else [],
        "rounds": _rounds(request, row),
    }


def fault_of_mending(request: HttpRequest) -> bool:
    """Say whether the page is shown again after asking for a 补正 went wrong."""
    return request.method == "POST" and "items" in request.POST


def _rounds(request: HttpRequest, row: Submission) -> list[dict[str, Any]]:
    """Return the earlier times a form was handed in; the one that is asked for with what it said."""
    wanted = typed(request, "round")
    found = []
    for one in list(row.rounds.all())[1:]:
        parts = summary_of_round(row, one.number) if wanted == str(one.number) else []
        found.append({"one": one, "parts": parts})
    return found


def _beside(view: CaseView) -> dict[str, Any]:
    reviews = [
        {
            "review": review,
            "word": VERDICTS[review.verdict],
            "look": TAGS[review.verdict],
            "findings": [
                {**finding, "kind_name": KINDS.get(finding["kind"], ""), "look": TAGS[finding["verdict"]]}
                for finding in review.findings
            ],
        }
        for review in view.case.reviews.all()
    ]
    rows = list(view.case.feedback.order_by("id")) if view.case.source in CHANNELS else []
    return {
        "reviews": reviews,
        "feedback": [{"row": each, "look": FEEDBACK_TAGS[FeedbackState(each.state)]} for each in rows],
        "feedback_lost": any(each.state == FeedbackState.GIVEN_UP for each in rows),
        "channel": CHANNELS.get(view.case.source, ""),
    }


def _filling(request: HttpRequest, step: Step, case: Case, fault: CityError | None) -> Any:
    form = form_of_step(step)
    if form is None:
        return []
    answers = posted(form, request.POST) if request.method == "POST" else {}
    checked = validate(form, answers, known=CityKnown(), today=timezone.localdate())
    path = path_of(case.region_id, scope=Scope.public())
    tell = fault is not None and fault.code == "filled_wrong"
    return Page(form, answers, checked, path[-1].path if path else "", tell).sections()


def filled_in(request: HttpRequest, view: CaseView) -> Mapping[str, Any]:
    """Return what the page posted of the fields that the caller's step fills in."""
    form = form_of_step(view.step) if view.step else None
    return posted(form, request.POST) if form else {}


def revealed(request: HttpRequest, view: CaseView) -> dict[str, str]:
    """Return one sealed answer of a case's form in words, and write down who looked. Raises ``NotFound``, ``Forbidden``."""
    row, key = submission_of(view.case), typed(request, "key")[:80]
    form = form_of(row) if row else None
    question = form.question(key) if form else None
    if row is None or form is None or question is None:
        raise NotFound("answer_unknown", "申请表里没有这一项。")
    value = reveal_answer(submission_id=row.pk, key=key, scope=scope_for(request), request=request)
    return {"label": question.field.label, "text": said(question.field, value, form, CityKnown())}
