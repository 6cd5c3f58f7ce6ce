"""The desk of comments and suggestions: a reviewer decides what is public, and answers who suggested something."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import CityError
from services.access.queries import check_duty, scope_for
from services.facilities.queries import city_now
from services.modules.opinions.actions import STEPS, review_comment, review_reply
from services.modules.opinions.models import CommentState, ReplyState, SuggestionState
from services.modules.opinions.queries import REVIEW, comment_seen, flagged_whys, suggestion_seen
from services.modules.opinions.suggesting import ENDS, answer_suggestion
from services.modules.opinions.suggesting import STEPS as SUGGESTION_STEPS
from services.modules.opinions.words import MOST_ANSWER, hints_in
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed
from web.doors.finder.opinions import comment_shown


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def comment_page(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Show a comment with what was flagged and answered, and take the decision on it or on the answer."""
    scope = scope_for(request)
    check_duty(scope, REVIEW)
    row = comment_seen(comment_id, scope=scope)
    fault: CityError | None = None
    if request.method == "POST":
        decided: dict[str, Any] = {
            "pk": row.pk,
            "seen": number_typed(request, "seen"),
            "reason": typed(request, "reason"),
            "scope": scope,
        }
        try:
            if typed(request, "of") == "reply":
                review_reply(publish=typed(request, "state") == "published", **decided)
            else:
                review_comment(state=typed(request, "state"), **decided)
        except CityError as refused:
            fault = refused
            row = comment_seen(comment_id, scope=scope)
        else:
            said.success(request, "已保存，并告诉了写的人。")
            return redirect("desk-comment", comment_id)
    context = {
        "comment": comment_shown(row),
        "row": row,
        "flags": flagged_whys(row),
        "hints": hints_in(row.text),
        "reply_hints": hints_in(row.reply),
        "steps": [(state.value, state.label) for state in STEPS[CommentState(row.state)]],
        "reply_waits": row.reply_state == ReplyState.NEW,
        "reason": typed(request, "reason") if fault else "",
        "most": MOST_ANSWER,
        "fault": fault,
    }
    return render(request, "desk/comment.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def suggestion_page(request: HttpRequest, suggestion_id: int) -> HttpResponse:
    """Show a suggestion, and take the answer."""
    scope = scope_for(request)
    check_duty(scope, REVIEW)
    row = suggestion_seen(suggestion_id, scope=scope)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            answer_suggestion(
                pk=row.pk,
                seen=typed(request, "seen"),
                state=typed(request, "state"),
                answer=typed(request, "answer"),
                scope=scope,
            )
        except CityError as refused:
            fault = refused
            row = suggestion_seen(suggestion_id, scope=scope)
        else:
            said.success(request, "已保存。")
            return redirect("desk-suggestion", suggestion_id)
    steps = SUGGESTION_STEPS[SuggestionState(row.state)]
    context = {
        "row": row,
        "steps": [(state.value, state.label) for state in steps],
        "ends": any(state in ENDS for state in steps),
        "late": row.state in {SuggestionState.NEW, SuggestionState.SEEN} and row.due_on < city_now().date(),
        "answer": typed(request, "answer") if fault else "",
        "most": MOST_ANSWER,
        "fault": fault,
    }
    return render(request, "desk/suggestion.html", context, status=status_of(fault) if fault else 200)
