"""What check-ins keep of an account: its visits, its check-ins, and the faces it showed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.access.models import User
from services.access.personal.spec import PersonalPart, Purpose
from services.fencing.checkins.faces import PURPOSE, TEXTS
from services.fencing.checkins.models import CheckIn, CheckInFacts, Visit, VisitState
from services.fencing.checkins.sealing import facts_of


def kept(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the visits of an account, then its check-ins with the positions that are still kept."""
    for visit in Visit.objects.filter(worker=user).order_by("pk").iterator():
        yield {"任务": visit.number, "开始": visit.from_at, "结束": visit.to_at, "状态": visit.get_state_display()}
    positions = {row.checkin_id: row for row in CheckInFacts.objects.filter(checkin__worker=user)}
    for row in CheckIn.objects.filter(worker=user).select_related("visit").order_by("pk").iterator():
        facts = facts_of(positions[row.pk]) if row.pk in positions else None
        yield {
            "任务": row.visit.number,
            "动作": row.get_act_display(),
            "时间": row.at,
            "结果": row.get_verdict_display(),
            "人脸": row.get_face_display(),
            "位置": f"{facts.lon:.6f}, {facts.lat:.6f}" if facts and facts.lon is not None else "已删除或没有",
        }


def under_way(user: User) -> str:
    """Return why erasing has to wait: a visit that is not over."""
    held = Visit.objects.filter(worker=user, state__in=(VisitState.PLANNED, VisitState.PRESENT)).exists()
    return "还有没有完成的上门任务，请先完成或联系单位取消。" if held else ""


FORGETS: Final = "services.fencing.checkins.faces:forget_photos"
PERSONAL_PARTS = (
    PersonalPart(
        "checkins", "上门打卡", f"{__name__}:kept", FORGETS,
        kept="打卡记录是服务和补贴结算的凭证，留三年；位置一年后删除，照片最多 90 天。",
        blocks=f"{__name__}:under_way",
        models=("checkins.Visit", "checkins.CheckIn"),
    ),
)  # fmt: skip
PURPOSES = (Purpose(PURPOSE, "上门打卡时核验人脸", TEXTS, FORGETS),)
