"""Writes of suggestions: somebody suggests, staff of the region answer, who suggested is told."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.calendars.queries import working_days
from geo.errors import BadInput, Conflict, TooLarge
from geo.regions.queries import region_by_code
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty
from services.crypto.masking import mask_text
from services.facilities.models import Facility
from services.facilities.queries import city_now, facility_detail
from services.kernel.messages.actions import send_message
from services.modules.opinions.actions import count_writing
from services.modules.opinions.message_events import ANSWERED
from services.modules.opinions.models import Suggestion, SuggestionState
from services.modules.opinions.queries import REVIEW, suggestion_seen
from services.modules.opinions.words import ABOUT, MOST_ANSWER, MOST_WORDS

ANSWER_DAYS: Final = 10
"""Within so many working days a suggestion is answered."""
ENDS: Final = (SuggestionState.ADOPTED, SuggestionState.ANSWERED)
STEPS: Final = {
    SuggestionState.NEW: (SuggestionState.SEEN, *ENDS),
    SuggestionState.SEEN: ENDS,
    SuggestionState.ADOPTED: (SuggestionState.SEEN,),
    SuggestionState.ANSWERED: (SuggestionState.SEEN,),
}


@transaction.atomic
def suggest(
    *, mark: UUID, user: User, about: str, text: str, region: str, scope: Scope, place_id: int | None = None
) -> Suggestion:
    """Keep a suggestion and return it; the same ``mark`` again returns what is kept already.

    It goes to the staff of the place's region, without a place to those of ``region`` (a code). Raises ``NotFound``,
    ``BadInput``, ``TooLarge``, ``TooMany``.
    """
    User.objects.select_for_update().get(pk=user.pk)
    if (known := Suggestion.objects.filter(mark=mark, user=user).first()) is not None:
        return known
    if about not in dict(ABOUT):
        raise BadInput("suggestion_about", "请选建议是关于什么的。", field="about")
    words = mask_text(" ".join(text.split()))
    if not words:
        raise BadInput("suggestion_empty", "请写下您的建议。", field="text")
    if len(words) > MOST_WORDS:
        raise TooLarge("suggestion_too_long", f"建议最多 {MOST_WORDS} 个字，请写短一点。", field="text")
    region_id = _region_of(place_id, region, scope)
    count_writing(user)
    return Suggestion.objects.create(
        mark=mark,
        user=user,
        facility_id=place_id,
        region_id=region_id,
        about=about,
        text=words,
        due_on=working_days().add(city_now().date(), ANSWER_DAYS),
    )


def _region_of(place_id: int | None, region: str, scope: Scope) -> int:
    if place_id is not None:
        facility_detail(place_id, scope=scope)
        of_place = Facility.objects.values_list("region_id", flat=True).get(pk=place_id)
        if of_place is not None:
            return int(of_place)
    if not region:
        raise BadInput("suggestion_region", "请选您说的是哪个街镇。", field="region")
    return region_by_code(region, scope=Scope.public()).region_id


@transaction.atomic
def answer_suggestion(*, pk: int, seen: str, state: str, answer: str, scope: Scope) -> Suggestion:
    """Move a suggestion to another state; an end needs an ``answer``, which its author is told. Needs ``opinions.review``.

    Raises ``NotFound``, ``BadInput``, ``TooLarge``, and ``Conflict`` when somebody was quicker.
    """
    check_duty(scope, REVIEW)
    row = Suggestion.objects.select_for_update(of=("self",)).get(pk=suggestion_seen(pk, scope=scope).pk)
    if row.state != seen:
        raise Conflict("suggestion_changed", f"别人刚处理过，现在是“{row.get_state_display()}”。请看过以后再决定。")
    if state not in STEPS[SuggestionState(row.state)]:
        raise BadInput("suggestion_step", "不能这样改状态，请刷新页面再选。", field="state")
    said = " ".join(answer.split())
    if len(said) > MOST_ANSWER:
        raise TooLarge("answer_too_long", f"答复最多 {MOST_ANSWER} 个字，请写短一点。", field="answer")
    if state in ENDS and not said:
        raise BadInput("answer_empty", "请写一句答复，提建议的人会看到。", field="answer")
    row.state = SuggestionState(state)
    row.answer = said if state in ENDS else row.answer
    row.handled_by, row.handled_at = scope.actor, timezone.now()
    row.save()
    if state in ENDS and row.user is not None:
        send_message(
            event=ANSWERED,
            key=f"suggestion:{row.pk}:{row.handled_at:%Y%m%d%H%M%S%f}",
            region_id=row.region_id,
            values={"关于": row.get_about_display(), "结果": row.get_state_display(), "答复": row.answer},
            users=[row.user],
            link="/elder/suggestions",
        )
    return row
