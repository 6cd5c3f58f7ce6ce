"""Writes of supervisors: what they decide of a check-in, and what is sealed of it shown to them, with a line in the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import check_duty
from services.fencing.checkins.duties import REVEAL, REVIEW
from services.fencing.checkins.models import CheckInReview
from services.fencing.checkins.photos import photo_bytes
from services.fencing.checkins.queries import checkin_seen
from services.fencing.checkins.sealing import Facts, Home, digest_of, facts_of, home_of

LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Revealed:
    """What is sealed of a check-in; no facts once their time is over. ``intact`` says that they are what the record signed."""

    home: Home
    facts: Facts | None
    intact: bool


def review_checkin(*, pk: int, accepted: bool, words: str, scope: Scope) -> CheckInReview:
    """Decide of a check-in of the scope, once. Raises ``Conflict`` where somebody did already."""
    check_duty(scope, REVIEW)
    row = checkin_seen(pk, scope=scope)
    if not row.counts:
        raise Conflict("nothing_to_review", "这一次没有算作打卡，不用审核。")
    if not accepted and not words.strip():
        raise BadInput("words_missing", "不通过请写明原因，服务单位会看到。", field="words")
    try:
        with transaction.atomic():
            return CheckInReview.objects.create(
                checkin=row, accepted=accepted, words=words.strip()[:LONGEST], by=scope.actor, at=timezone.now()
            )
    except IntegrityError as twice:
        raise Conflict("reviewed_already", "别人刚审核过这一条，请看过结果。") from twice


def reveal_checkin(*, pk: int, scope: Scope, request: HttpRequest | None = None) -> Revealed:
    """Return home, position and words of a check-in; the reading is audited. Needs ``checkins.reveal``."""
    check_duty(scope, REVEAL)
    row = checkin_seen(pk, scope=scope)
    record_audit(
        act=AuditAct.ANSWER_REVEALED, actor=scope.actor, request=request,
        detail={"checkin": row.pk, "visit": row.visit.number, "what": "打卡位置"},
    )  # fmt: skip
    kept = getattr(row, "facts", None)
    facts = facts_of(kept) if kept is not None else None
    return Revealed(home_of(row.visit), facts, facts is None or digest_of(facts) == row.position_digest)


def reveal_photo(*, pk: int, scope: Scope, request: HttpRequest | None = None) -> bytes:
    """Return the face that was shown at a check-in where it is still kept; the reading is audited. Raises ``NotFound``."""
    check_duty(scope, REVEAL)
    row = checkin_seen(pk, scope=scope)
    record_audit(
        act=AuditAct.FILE_OPENED, actor=scope.actor, request=request,
        detail={"checkin": row.pk, "visit": row.visit.number, "what": "打卡照片"},
    )  # fmt: skip
    kept = getattr(row, "photo", None)
    try:
        if kept is not None:
            return photo_bytes(kept.file)
    except FileNotFoundError:
        pass
    raise NotFound("photo_gone", "照片已经按期限删除。")
