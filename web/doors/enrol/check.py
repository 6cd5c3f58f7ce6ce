"""申请核对: an answer that a parent doubts, taken with its address into the form of a case of the district."""

from __future__ import annotations

from typing import Final

from django.contrib import messages as said
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from geo.errors import CityError
from services.access.queries import scope_for
from services.catchments.answering import OUTCOMES, REASONS, Answer
from services.kernel.forms.actions import save_draft
from services.kernel.workflow.applying import begin_application
from services.modules.enrolment.workflows import CHECK
from web.doors.common.callers import user_of
from web.doors.common.typed import key_typed
from web.doors.enrol.pages import Question, answered, question_of

LONGEST: Final = 200


@never_cache
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin the form of a check with the address and what was answered; who is not signed in signs in first and asks again."""
    asked = question_of(request)
    if not request.user.is_authenticated:
        said.info(request, "请先登录，再查一次这个地址，就可以申请核对。地址不会替您保存。")
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': asked.url})}")
    try:
        found = answered(request, asked)
        region = found.street or found.district
        if region is None:
            said.warning(request, "还没有认出这个地址在哪个区。请先把地址写清楚，查到以后再申请核对。")
            return redirect(asked.url)
        row = begin_application(
            matter=CHECK, region=region.code, user=user_of(request), scope=scope_for(request), id=key_typed(request)
        )
        if row.version == 1 and not row.answers:
            row = save_draft(
                submission_id=row.pk, answers=told(asked, found), seen=row.version, scope=scope_for(request)
            ).row
    except CityError as fault:
        said.warning(request, fault.message)
        return redirect(asked.url)
    return redirect("form-fill", row.pk)


def told(asked: Question, found: Answer) -> dict[str, object]:
    """Return what the form of a check begins with."""
    names = "、".join(place.name for place in found.places) or REASONS[found.reason]
    edition = found.edition
    basis = f"{edition.policy} 第 {edition.number} 版（{edition.from_day}起）" if edition else "没有发布的版本"
    return {
        "checked_address": asked.address,
        "checked_entry": asked.entry.key,
        "checked_year": asked.year,
        "checked_answer": f"{OUTCOMES[found.outcome]}：{names}"[:LONGEST],
        "checked_edition": basis[:LONGEST],
    }
