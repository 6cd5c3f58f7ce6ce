"""Writes of check-ins: one attempt is judged, written down once with what speaks against it, and moves its visit on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import pghistory
import shapely
from django.db import IntegrityError, transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty
from services.fencing.checkins.duties import REPORT
from services.fencing.checkins.faces import Faced, check_face, keep_face
from services.fencing.checkins.hints import Earlier, HintKind, Reading, hints_of, weight_of
from services.fencing.checkins.judging import COUNTING, Fix, Judgement, Target, Window, judge
from services.fencing.checkins.models import Act, CheckIn, CheckInFacts, Face, Visit, VisitState
from services.fencing.checkins.photos import small
from services.fencing.checkins.queries import AFTER, counted, own_visit
from services.fencing.checkins.sealing import earlier_of, facts_from, home_of, sealed_facts
from services.fencing.checkins.words import FACES, sentence
from services.fencing.live import live_fences

MOST_ATTEMPTS: Final = 30
LOOKED_BACK: Final = 5
SHORTEST_WORDS, LONGEST_WORDS = 5, 300
GOOD_FACES: Final = (Face.NOT_NEEDED, Face.MATCHED, Face.PENDING)
AHEAD: Final = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one tap: its key, what it confirms, pictures of one moment, the position, words where nothing else goes.

    ``device`` is a digest that tells telephones apart, ``via`` the way it came.
    """

    key: UUID
    act: str
    reading: Reading | None = None
    pictures: tuple[bytes, ...] = ()
    token: str = ""
    manual: bool = False
    words: str = ""
    device: str = ""
    via: str = "page"


def check_in(*, visit_uid: UUID, sent: Sent, user: User, scope: Scope) -> CheckIn:
    """Judge an attempt on one's own visit and write it down. The same key again returns the same record, and asks nobody.

    Who is not confirmed, or not where and when the visit is, is told so by the record (``counts`` false). With ``manual`` it
    counts by its words, for review. Raises ``BadInput``, ``Conflict``, ``NotFound``.
    """
    visit = own_visit(visit_uid, scope=scope)
    if before := _again(sent, visit):
        return before
    _check(visit, sent)
    pictures = tuple(small(picture) for picture in sent.pictures)
    faced = _faced(visit, sent, pictures, user)
    return _written(visit, sent, timezone.now(), faced, pictures, actor=scope.actor)


def report_checkin(*, visit_uid: UUID, sent: Sent, at: dt.datetime, faced: Faced, scope: Scope) -> CheckIn:
    """Write down what a platform says of a visit of its organisation, judged as of ``at``; face and place are its word.

    Raises ``BadInput`` for a moment ahead or more than a day ago, ``NotFound`` for a visit of others.
    """
    check_duty(scope, REPORT)
    visit = Visit.objects.filter(uid=visit_uid, organisation__in=scope.organisations).select_related("worker").first()
    if visit is None:
        raise NotFound("visit_unknown", "这家单位名下没有这次上门，请核对编号。")
    if before := _again(sent, visit):
        return before
    now = timezone.now()
    if not now - AFTER <= at <= now + AHEAD:
        raise BadInput("moment_odd", "打卡时间要在最近 24 小时以内，并且不晚于现在。", field="at")
    _check(visit, sent)
    return _written(visit, sent, at, faced, (), actor=scope.actor)


def _again(sent: Sent, visit: Visit) -> CheckIn | None:
    found = CheckIn.objects.filter(key=sent.key).select_related("visit").first()
    if found is not None and (found.visit_id != visit.pk or found.act != sent.act):
        raise Conflict("key_used", "这一页已经用过了，请刷新以后再试。")
    return found


def _check(visit: Visit, sent: Sent) -> None:
    """Raise for what cannot be confirmed now: a visit that is over, an end before the beginning, no act, too many attempts."""
    if sent.act not in Act.values:
        raise BadInput("act_unknown", "请选签到还是签退。", field="act")
    if visit.state == VisitState.CANCELLED:
        raise Conflict("visit_cancelled", "这次上门已经取消，不用打卡。有疑问请联系单位。")
    done = counted(visit)
    if sent.act in done:
        raise Conflict(
            "already_done", f"您在 {timezone.localtime(done[sent.act].at):%H:%M} 已经{Act(sent.act).label}，不用再点。"
        )
    if sent.act == Act.OUT and Act.IN not in done:
        raise Conflict("not_in_yet", "还没有签到。请先签到，服务结束再签退。")
    if timezone.now() > visit.to_at + AFTER:
        raise Conflict("visit_over", "这次上门已经过去一天，不能再打卡。请联系单位说明。")
    if visit.checkins.count() >= MOST_ATTEMPTS:
        raise Conflict("too_many_attempts", "这次上门试的次数太多了。请联系单位说明情况。")
    if sent.manual and not SHORTEST_WORDS <= len(sent.words.strip()) <= LONGEST_WORDS:
        raise BadInput(
            "words_missing",
            f"请写明情况，{SHORTEST_WORDS} 到 {LONGEST_WORDS} 个字，例如“地下室没有信号”。",
            field="words",
        )


def _faced(visit: Visit, sent: Sent, pictures: tuple[bytes, ...], user: User) -> Faced:
    if not visit.spec.face:
        return Faced(Face.NOT_NEEDED)
    if pictures:
        return check_face(user, pictures, key=sent.key, token=sent.token)
    if not sent.manual:
        raise BadInput("photo_missing", "还没有拍照。请先拍一张您自己的照片，再签到。", field="photo")
    return Faced(Face.MISSING)


def _written(
    visit: Visit, sent: Sent, at: dt.datetime, faced: Faced, pictures: tuple[bytes, ...], *, actor: str
) -> CheckIn:
    """Write an attempt once: of two at the same moment the second finds the first, or is told."""
    try:
        with transaction.atomic(), pghistory.context(actor=actor):
            locked = Visit.objects.select_for_update().get(pk=visit.pk)
            if before := _again(sent, locked):
                return before
            _check(locked, sent)
            row = _judged_row(locked, sent, at, faced)
            if pictures:
                keep_face(row, pictures[0])
            if row.counts:
                locked.state = VisitState.PRESENT if sent.act == Act.IN else VisitState.DONE
                locked.revision, locked.changed_by = locked.revision + 1, actor
                locked.save(update_fields=["state", "revision", "changed_by"])
            return row
    except IntegrityError as twice:
        if before := _again(sent, visit):
            return before
        raise Conflict("already_done", "刚刚已经打过卡了，请刷新页面看一下。") from twice


def _judged_row(visit: Visit, sent: Sent, at: dt.datetime, faced: Faced) -> CheckIn:
    spec, reading = visit.spec, sent.reading
    window = Window(
        visit.from_at, visit.to_at, dt.timedelta(minutes=spec.early_min), dt.timedelta(minutes=spec.late_min)
    )
    hints = _hints(visit, sent, at)
    judgement = judge(
        _fix(reading), at, target_of(visit, at), window, vaguest_m=spec.vaguest_m, weight=weight_of(hints)
    )
    counts = sent.manual or (judgement.verdict in COUNTING and faced.state in GOOD_FACES)
    row = CheckIn(
        key=sent.key, visit=visit, act=sent.act, at=at, device_at=reading.sent_at if reading else None, counts=counts,
        manual=sent.manual, verdict=judgement.verdict.value, certainty=judgement.certainty or "",
        said=_said(judgement, faced, sent, window, counts=counts), distance_m=judgement.distance_m,
        accuracy_m=round(reading.accuracy_m) if reading else None, hint=hints[0].key if hints else "",
        hints=[hint.key for hint in hints], face=faced.state, face_score=faced.score, face_number=faced.number,
        device=sent.device, via=sent.via, worker_id=visit.worker_id, organisation_id=visit.organisation_id,
        region_id=visit.region_id,
    )  # fmt: skip
    sealed, row.position_digest = sealed_facts(facts_from(reading, sent.words.strip()), owner=row.uid)
    row.save()
    CheckInFacts.objects.create(checkin=row, owner=row.uid, at=at, sealed=sealed)
    return row


def _said(judgement: Judgement, faced: Faced, sent: Sent, window: Window, *, counts: bool) -> str:
    if not sent.manual and judgement.verdict in COUNTING and faced.state in FACES:
        return FACES[faced.state]
    if sent.manual:
        return "按说明的情况打卡，等街镇审核。"
    said = sentence(judgement, sent.act, window, sent.reading.accuracy_m if sent.reading else None)
    return f"{said}；人脸待核验" if counts and faced.state is Face.PENDING else said


def _fix(reading: Reading | None) -> Fix | None:
    if reading is None:
        return None
    east, north = _metres(reading.lon, reading.lat)
    return Fix(east, north, reading.accuracy_m)


def target_of(visit: Visit, at: dt.datetime) -> Target:
    """Return where a visit is to be confirmed at a moment: its home, or its fence as it counts then."""
    if visit.fence is None:
        home = home_of(visit)
        return Target(shapely.Point(*_metres(home.lon, home.lat)), float(visit.tolerance_m))
    live = live_fences(at=at)
    row = next((row for row, fence in enumerate(live.fences) if fence.same == visit.fence), None)
    if row is None:
        return Target(shapely.Polygon(), 0.0, open=False)
    shape = live.index.shapes[row]
    inside = shape.representative_point()
    holding = live.index.at_times([inside.x], [inside.y], int(at.timestamp() * 1000))
    return Target(shape, float(visit.tolerance_m), open=row in holding.fences)


def _metres(lon: float, lat: float) -> tuple[float, float]:
    east, north = current_city().plane.project(np.array([lon]), np.array([lat]))
    return float(east[0]), float(north[0])


def _hints(visit: Visit, sent: Sent, at: dt.datetime) -> tuple[HintKind, ...]:
    if sent.reading is None:
        return ()
    rows = CheckInFacts.objects.filter(checkin__worker=visit.worker_id, checkin__at__lt=at).select_related("checkin")
    earlier: list[Earlier] = []
    for row in rows.order_by("-checkin__at")[:LOOKED_BACK]:
        if (found := earlier_of(row, row.checkin.at)) is not None:
            earlier.append(found)
    return hints_of(sent.reading, at, earlier, other_device=_other_device(visit, sent, at))


def _other_device(visit: Visit, sent: Sent, at: dt.datetime) -> bool:
    """Say whether on this day the worker used another telephone, or this one was used by somebody else."""
    if not sent.device:
        return False
    begin = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    today = CheckIn.objects.filter(at__gte=begin, at__lt=begin + dt.timedelta(days=1)).exclude(device="")
    others = today.filter(worker=visit.worker_id).exclude(device=sent.device)
    return others.exists() or today.filter(device=sent.device).exclude(worker=visit.worker_id).exists()
