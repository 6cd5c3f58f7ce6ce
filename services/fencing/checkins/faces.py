"""Whose face is shown at a check-in: asked at once, or later where the service is away; a picture is kept no longer than that."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.errors import NotFound
from services.access.models import User
from services.access.personal.queries import has_consented
from services.fencing.checkins.models import CheckIn, CheckInFace, CheckInPhoto, Face
from services.fencing.checkins.photos import keep_photo, photo_bytes
from services.integrations.faces.client import face_service
from services.integrations.faces.schemas import MOST_PICTURES, Action
from services.integrations.faults import AnswerUnclear, NotConnected, NotReached

log = logging.getLogger(__name__)
PURPOSE: Final = "checkin-face"
TEXTS: Final = (
    "上门签到、签退时拍一张您的照片，交给人脸核验平台和您登记的底照比对，确认是您本人到场。"
    "核验成功后照片即删除；家庭照护床位的照片作为服务凭证加密保存 90 天。核验平台不可用时，照片加密保存到核验完成，最多 90 天。"
    "不同意也可以上门：签到时用“说明情况”，由街镇核实。随时可以在“我的信息”里撤回。",
)
ACTIONS: Final = {Action.BLINK: "请眨眨眼", Action.NOD: "请点点头", Action.TURN: "请慢慢转一下头"}
STILL: Final = "请正对镜头"
AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Faced:
    """What became of a face: its state, how alike, the number of the service's record."""

    state: Face
    score: float | None = None
    number: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """What to ask of the face, and the token of the check ('' where it waits)."""

    token: str
    said: str
    waits: bool


def begin_face(user: User) -> Begun:
    """Open a check of an account's face. While the service is away a picture is taken all the same, and checked later."""
    try:
        begun = face_service().begin(subject=str(user.uid))
    except (NotConnected, NotReached, AnswerUnclear):
        return Begun("", STILL, waits=True)
    return Begun(begun.token, ACTIONS[begun.action], waits=False)


def check_face(user: User, pictures: Sequence[bytes], *, key: UUID, token: str) -> Faced:
    """Return what pictures of one moment say of an account; ``PENDING`` where nobody knows yet. Nothing is kept here."""
    if not has_consented(user, PURPOSE):
        return Faced(Face.MISSING)
    try:
        told = face_service().verify(
            request_id=str(key), subject=str(user.uid), token=token, pictures=list(pictures)[:MOST_PICTURES]
        )
    except (NotConnected, NotReached, AnswerUnclear) as fault:
        return Faced(Face.UNCLEAR) if fault.code == "token_spent" else Faced(Face.PENDING)
    return Faced(Face(told.verdict.value), told.score, told.number)


def keep_face(checkin: CheckIn, picture: bytes) -> None:
    """Keep the picture of a check-in while its check waits, or as evidence where its kind says so; else nothing."""
    evidence = checkin.counts and checkin.visit.spec.keeps_photo
    if checkin.face == Face.PENDING or (evidence and checkin.face == Face.MATCHED):
        row = CheckInPhoto.objects.create(checkin=checkin, at=checkin.at, evidence=evidence)
        keep_photo(row.file, picture)


def verify_waiting() -> int:
    """Have the faces checked that wait, and return how many were; stops at the first sign that the service is away."""
    rows = CheckIn.objects.filter(face=Face.PENDING, later=None, photo__isnull=False).order_by("pk")
    done = 0
    for pk in list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        try:
            done += _verify(pk)
        except (NotConnected, NotReached):
            break
        except AnswerUnclear as fault:
            log.warning("face check unclear", extra={"checkin": pk, "fault": fault.code})
    return done


def _verify(pk: int) -> bool:
    """Ask outside of any transaction, then write what came once; of two at once one writes."""
    row = CheckIn.objects.select_related("photo", "worker", "visit").get(pk=pk)
    faced = Faced(Face.MISSING)
    if has_consented(row.worker, PURPOSE):
        try:
            picture = photo_bytes(row.photo.file)
        except FileNotFoundError:
            raise NotFound("photo_gone", "这张照片已经不在了。") from None
        told = face_service().verify(
            request_id=f"{row.key}-later", subject=str(row.worker.uid), token="", pictures=[picture]
        )
        faced = Faced(Face(told.verdict.value), told.score, told.number)
    with transaction.atomic():
        _, made = CheckInFace.objects.get_or_create(
            checkin=row,
            defaults={
                "at": timezone.now(), "verdict": faced.state, "score": faced.score, "number": faced.number,
            },
        )  # fmt: skip
        if made and not (row.photo.evidence and faced.state == Face.MATCHED):
            row.photo.delete()
    return made


@transaction.atomic
def forget_photos(user: User) -> int:
    """Forget every picture of an account that is kept; the records of its check-ins stay."""
    rows = list(CheckInPhoto.objects.filter(checkin__worker=user))
    for row in rows:
        row.delete()
    return len(rows)
