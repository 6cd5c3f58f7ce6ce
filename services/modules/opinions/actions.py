"""Writes of comments: an account says what it thinks, staff decide whether it is public, the institution answers once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound, TooLarge, TooMany
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty, holding
from services.crypto.masking import mask_name, mask_text
from services.facilities.models import Facility
from services.facilities.queries import facility_detail
from services.kernel.messages.actions import send_message
from services.modules.opinions.message_events import COMMENTED, DECIDED, REPLIED
from services.modules.opinions.models import Comment, CommentFlag, CommentState, ReplyState
from services.modules.opinions.queries import REVIEW, answers_for, comment_of, comment_seen, may_comment, public_comment
from services.modules.opinions.rating import OUTBOX
from services.modules.opinions.words import A_DAY, ASPECTS, FLAG_WHYS, MOST_ANSWER, MOST_WORDS

STEPS: Final = {
    CommentState.NEW: (CommentState.PUBLISHED, CommentState.REFUSED),
    CommentState.PUBLISHED: (CommentState.TAKEN_DOWN,),
    CommentState.REFUSED: (CommentState.PUBLISHED,),
    CommentState.TAKEN_DOWN: (CommentState.PUBLISHED,),
}
"""From which state to which a reviewer may move a comment."""
UNFIT: Final = (CommentState.REFUSED, CommentState.TAKEN_DOWN)
DAY_S: Final = 24 * 3600


@transaction.atomic
def write_comment(
    *, user: User, place_id: int, overall: int, aspects: Mapping[str, int], text: str, seen: int, scope: Scope
) -> Comment:
    """Keep what an account says of a place and return it; a changed one is reviewed again.

    ``seen`` is the version that was changed, 0 for a first one: the same words again change nothing. Raises ``NotFound``,
    ``BadInput``, ``TooLarge``, ``TooMany``, ``Forbidden`` for the institution's own people, and ``Conflict``.
    """
    detail = facility_detail(place_id, scope=scope)
    if not may_comment(detail.place):
        raise NotFound("comment_closed", "这类机构还没有开放点评。")
    if answers_for(scope, place_id):
        raise Forbidden("comment_own", "这是您所在的机构，不能自己点评；有人点评时您可以答复。")
    said = {"overall": overall, "aspects": _stars(aspects), "text": _words(text, MOST_WORDS, "点评")}
    if overall not in range(1, 6):
        raise BadInput("comment_stars", "请选总体几颗星。", field="overall")
    User.objects.select_for_update().get(pk=user.pk)  # two devices of one account write one after the other
    row = comment_of(user, place_id)
    if row is not None and all(getattr(row, key) == value for key, value in said.items()):
        return row
    if (row.version if row else 0) != seen:
        raise Conflict("comment_changed", "这条点评刚在别处改过。下面是您这次写的，请核对以后再交。")
    count_writing(user)
    row = row or Comment(user=user, facility_id=place_id, version=0)
    for key, value in said.items():
        setattr(row, key, value)
    row.region_id = Facility.objects.values_list("region_id", flat=True).get(pk=place_id)
    row.author = mask_name(user.display_name or user.username)[:20]
    row.state, row.reason, row.unfit_since = CommentState.NEW, "", None
    row.version, row.written_at = row.version + 1, timezone.now()
    row.save()
    return row


@transaction.atomic
def drop_comment(*, user: User, place_id: int) -> None:
    """Delete what an account said of a place, with the answer to it; doing it twice changes nothing."""
    Comment.objects.filter(user=user, facility=place_id).delete()


@transaction.atomic
def review_comment(*, pk: int, seen: int, state: str, reason: str, scope: Scope) -> Comment:
    """Publish a comment, refuse it or take it down, and tell its author; return it.

    ``seen`` is the version that was read. What is not public needs a ``reason``. Needs ``opinions.review``. Raises ``NotFound``,
    ``BadInput``, and ``Conflict`` when author or colleague were quicker.
    """
    row = _locked(pk, seen, scope)
    if state not in STEPS[CommentState(row.state)]:
        raise BadInput("comment_step", "不能这样改状态，请刷新页面再选。", field="state")
    said = _words(reason, MOST_ANSWER, "说明")
    if state in UNFIT and not said:
        raise BadInput("reason_empty", "请写一句为什么，写点评的人会看到。", field="reason")
    now = timezone.now()
    row.state, row.reason = CommentState(state), said if state in UNFIT else ""
    row.decided_by, row.decided_at, row.unfit_since = scope.actor, now, now if state in UNFIT else None
    row.version += 1
    row.save()
    words = said or "谢谢您的点评，大家都能看到了。"
    OUTBOX.wake()
    _tell(DECIDED, row, [row.user], {"结果": row.get_state_display(), "说明": words})
    if row.state == CommentState.PUBLISHED:
        _tell(COMMENTED, row, _heads(row.facility), {"星级": str(row.overall)})
    return row


@transaction.atomic
def reply_to_comment(*, pk: int, text: str, scope: Scope) -> Comment:
    """Keep the institution's answer to a public comment, for review; once. Raises ``Forbidden``, ``BadInput``, ``Conflict``."""
    row = Comment.objects.select_for_update(of=("self",)).get(pk=public_comment(pk).pk)
    if not answers_for(scope, row.facility_id):
        raise Forbidden("reply_strange", "只有这家机构的负责人可以答复。")
    said = _words(text, MOST_ANSWER, "答复")
    if not said:
        raise BadInput("reply_empty", "请写一句答复。", field="reply")
    if row.reply_state in {ReplyState.NEW, ReplyState.PUBLISHED}:
        if row.reply == said:
            return row
        raise Conflict("reply_once", "这条点评已经答复过，每条只答复一次。")
    row.reply, row.reply_state, row.reply_reason = said, ReplyState.NEW, ""
    row.replied_by, row.replied_at = scope.actor, timezone.now()
    row.version += 1
    row.save()
    return row


@transaction.atomic
def review_reply(*, pk: int, seen: int, publish: bool, reason: str, scope: Scope) -> Comment:
    """Publish the institution's answer, or refuse it with a reason; return the comment. Needs ``opinions.review``."""
    row = _locked(pk, seen, scope)
    if row.reply_state != ReplyState.NEW:
        raise BadInput("reply_step", "这条答复已经审核过，请刷新页面再看。")
    said = _words(reason, MOST_ANSWER, "说明")
    if not publish and not said:
        raise BadInput("reason_empty", "请写一句为什么，机构会看到。", field="reason")
    row.reply_state, row.reply_reason = (ReplyState.PUBLISHED, "") if publish else (ReplyState.REFUSED, said)
    row.version += 1
    row.save()
    if publish:
        _tell(REPLIED, row, [row.user], {"答复": row.reply})
    return row


@transaction.atomic
def flag_comment(*, user: User, pk: int, why: str) -> Comment:
    """Note that somebody finds a public comment unfit; saying so twice counts once. Raises ``NotFound``, ``BadInput``."""
    if why not in dict(FLAG_WHYS):
        raise BadInput("flag_why", "请选为什么举报。", field="why")
    row = Comment.objects.select_for_update(of=("self",)).get(pk=public_comment(pk).pk)
    _, new = CommentFlag.objects.get_or_create(comment=row, user=user, defaults={"why": why})
    if new:
        Comment.objects.filter(pk=row.pk).update(flags=F("flags") + 1)
    return row


def _locked(pk: int, seen: int, scope: Scope) -> Comment:
    check_duty(scope, REVIEW)
    row = Comment.objects.select_for_update(of=("self",)).get(pk=comment_seen(pk, scope=scope).pk)
    if row.version != seen:
        raise Conflict("comment_moved_on", "这条点评刚改过或者别人刚审核过。请看过下面的内容再决定。")
    return row


def _stars(aspects: Mapping[str, int]) -> dict[str, int]:
    found = {key: aspects[key] for key, _ in ASPECTS if aspects.get(key)}
    if any(stars not in range(1, 6) for stars in found.values()):
        raise BadInput("comment_stars", "每一项最多五颗星，请重选。", field="overall")
    return found


def _words(text: str, most: int, name: str) -> str:
    """Return plain words with the numbers of people masked; markup stays the text it is."""
    words = mask_text(" ".join(text.split()))
    if len(words) > most:
        raise TooLarge("words_too_long", f"{name}最多 {most} 个字，请写短一点。", field="text")
    return words


def count_writing(user: User) -> None:
    """Count one more thing an account wrote today. Raises ``TooMany``."""
    key = f"opinions:{user.pk}:{timezone.localdate():%Y%m%d}"
    cache.add(key, 0, timeout=DAY_S)
    if cache.incr(key) > A_DAY:
        raise TooMany("too_many_opinions", "今天写得太多了，请明天再来，急事请拨 12345。", retry_after=DAY_S)


def _heads(facility: Facility) -> list[User]:
    """Return the accounts that speak for the institution of a place today."""
    if facility.organisation_id is None:
        return []
    heads = User.objects.filter(
        holding(timezone.localdate(), "grants__"),
        is_active=True,
        grants__organisation=facility.organisation_id,
        grants__role__duties__contains=["facilities.report"],
    )
    return list(heads.distinct().order_by("pk"))


def _tell(event: str, row: Comment, users: list[User], values: dict[str, Any]) -> None:
    if row.region_id is None or not users:
        return
    send_message(
        event=event,
        key=f"comment:{row.pk}:{row.version}:{event}",
        region_id=row.region_id,
        values={"机构": row.facility.name, **values},
        users=users,
        link=f"/places/{row.facility_id}/comments",
    )
