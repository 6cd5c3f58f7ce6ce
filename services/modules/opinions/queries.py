"""Reads of comments and suggestions: what everybody sees of a place, what an account wrote, what staff of a region keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet

from geo.errors import NotFound
from geo.regions.queries import within
from geo.scope import Scope
from services.access.models import User
from services.facilities.models import Facility
from services.facilities.places import Place
from services.modules.opinions.models import Comment, CommentState, ReplyState, Suggestion, SuggestionState
from services.modules.opinions.words import ASPECTS, GROUPS_COMMENTED, LEAST_FOR_MEAN

PUBLIC = Q(state=CommentState.PUBLISHED)
WAITING = Q(state=CommentState.NEW) | Q(reply_state=ReplyState.NEW)
OPEN = Q(state__in=[SuggestionState.NEW, SuggestionState.SEEN])
REVIEW = "opinions.review"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the public comments on a place come to; no mean is told of fewer than ``LEAST_FOR_MEAN``."""

    count: int
    mean: float | None
    aspects: tuple[tuple[str, float], ...]


def may_comment(place: Place) -> bool:
    """Say whether places of this kind are commented on."""
    return place.group in GROUPS_COMMENTED


def standing_of(place_id: int) -> Standing:
    """Return how many public comments a place has and, of enough, their means overall and by aspect."""
    return means_of(Comment.objects.filter(PUBLIC, facility=place_id))


def means_of(rows: QuerySet[Comment]) -> Standing:
    """Return how many comments there are and, of enough, their means overall and by aspect."""
    found = rows.aggregate(count=Count("pk"), mean=Avg("overall"))
    if found["count"] < LEAST_FOR_MEAN:
        return Standing(found["count"], None, ())
    said = list(rows.values_list("aspects", flat=True))
    means = []
    for key, label in ASPECTS:
        stars = [one[key] for one in said if key in one]
        if len(stars) >= LEAST_FOR_MEAN:
            means.append((label, round(sum(stars) / len(stars), 1)))
    return Standing(found["count"], round(found["mean"], 1), tuple(means))


def published_comments(place_id: int) -> QuerySet[Comment]:
    """Return the public comments on a place, newest first; nothing of who wrote them but the name as shown."""
    return Comment.objects.filter(PUBLIC, facility=place_id).defer("user")


def comment_of(user: User, place_id: int) -> Comment | None:
    """Return what an account said of a place, public or not."""
    return Comment.objects.filter(user=user, facility=place_id).first()


def comments_by(user: User) -> QuerySet[Comment]:
    """Return what an account said of places, newest first."""
    return Comment.objects.filter(user=user).select_related("facility")


def suggestions_by(user: User) -> QuerySet[Suggestion]:
    """Return what an account suggested, newest first."""
    return Suggestion.objects.filter(user=user).select_related("facility")


def comments_seen(scope: Scope) -> QuerySet[Comment]:
    """Return the comments that a scope reviews."""
    if not scope.holds(REVIEW):
        return Comment.objects.none()
    return Comment.objects.filter(within(scope)).select_related("facility")


def comment_seen(pk: int, *, scope: Scope) -> Comment:
    """Return one comment to review. Raises ``NotFound`` alike for one that is not there and one that is not for the scope."""
    row = comments_seen(scope).filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("comment_unknown", "没有找到这条点评，它可能已经删除，或者不在您的管辖范围内。")
    return row


def suggestions_seen(scope: Scope) -> QuerySet[Suggestion]:
    """Return the suggestions that a scope answers."""
    if not scope.holds(REVIEW):
        return Suggestion.objects.none()
    return Suggestion.objects.filter(within(scope)).select_related("facility")


def suggestion_seen(pk: int, *, scope: Scope) -> Suggestion:
    """Return one suggestion to answer. Raises ``NotFound`` alike for an unknown one and one that is not for the scope."""
    row = suggestions_seen(scope).filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("suggestion_unknown", "没有找到这条建议，它可能不在您的管辖范围内。")
    return row


def public_comment(pk: int) -> Comment:
    """Return a public comment. Raises ``NotFound`` for any other."""
    row = Comment.objects.filter(PUBLIC, pk=pk).select_related("facility").first() if pk < 2**63 else None
    if row is None:
        raise NotFound("comment_unknown", "没有找到这条点评，它可能已经撤下或删除。")
    return row


def answers_for(scope: Scope, place_id: int) -> bool:
    """Say whether a scope speaks for the institution of a place."""
    if not scope.holds("facilities.report") or not scope.organisations:
        return False
    return Facility.objects.filter(pk=place_id, organisation__in=scope.organisations).exists()


def spoken_aspects(row: Comment) -> list[tuple[str, int]]:
    """Return the stars of a comment by aspect, in words and in the declared order."""
    stars: dict[str, Any] = row.aspects
    return [(label, stars[key]) for key, label in ASPECTS if key in stars]


def flagged_whys(row: Comment) -> Sequence[str]:
    """Return why people flagged a comment, oldest first."""
    return [one.get_why_display() for one in row.flagged.order_by("pk")[:50]]
