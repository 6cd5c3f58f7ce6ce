"""HTTP of check-ins, for platforms of service centres: calls are signed and held against white lists; no position is given."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Body, Query, Router
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.access.clients.calling import admit
from services.fencing.checkins.checking import LONGEST_WORDS, Sent, report_checkin
from services.fencing.checkins.faces import Faced
from services.fencing.checkins.models import CheckIn, Face
from services.fencing.checkins.queries import checkins_seen, visit_reported
from services.fencing.checkins.readings import read_reading

router = Router(tags=["上门打卡"])
SIGNED = "请求要签名，并与平台白名单完全一致，做法见 /developer。"
CODE = "52310101MJ4910001A"


class OwnerIn(BaseModel):
    organisation: str = Field(..., description="统一社会信用代码，要与白名单完全一致", examples=[CODE])


class CheckInsIn(OwnerIn):
    day: dt.date | None = Field(None, description="哪一天；不写是今天", examples=["2026-11-22"])
    after: int = Field(0, ge=0, description="上一页给出的 next", examples=[0])
    limit: int = Field(50, ge=1, le=200, description="每页几条，1 到 200", examples=[50])


class PositionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lon: float = Field(..., description="经度", examples=[121.4869])
    lat: float = Field(..., description="纬度", examples=[31.2216])
    crs: Literal["wgs84", "gcj02", "cgcs2000"] = Field(..., description="手机给的坐标系，不猜", examples=["gcj02"])
    accuracy: float = Field(..., description="定位误差，米", examples=[25.0])
    mock: bool = Field(False, description="手机是否报告为模拟定位", examples=[False])


class CheckInIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: UUID = Field(
        ..., description="您生成的编号；同一个编号再报一次不会重复", examples=["0194a1f2-7c3e-7b11-9a52-3f1d2c4b5a60"]
    )
    visit: str = Field("", description="上门任务编号；和 external 写一个", examples=["SM261122-3F9A2C41"])
    external: str = Field("", description="安排时写的外部编号", examples=[""])
    act: Literal["in", "out"] = Field(..., description="in 签到、out 签退", examples=["in"])
    at: AwareDatetime = Field(
        ..., description="打卡时间，带时区，最近 24 小时以内", examples=["2026-11-22T09:03:00+08:00"]
    )
    position: PositionIn | None = Field(None, description="位置；没有拿到就不写")
    face: Literal["matched", "different", "none"] = Field(..., description="平台核验人脸的结果", examples=["matched"])
    face_number: str = Field("", max_length=64, description="平台的核验号", examples=["RL20261122000123"])
    words: str = Field(
        "", max_length=LONGEST_WORDS, description="没有定位或没有核验时说明情况，等街镇审核", examples=[""]
    )


class CheckInOut(BaseModel):
    id: int
    visit: str
    external: str
    act: str
    at: dt.datetime
    counts: bool = Field(..., description="是否算打卡")
    verdict: str = Field(
        ...,
        description="present 到位、likely 可能到位、suspect 疑似模拟定位、unlocated 没有定位、vague 定位不准、"
        "untimely 时间不对、outside 不在范围",
    )
    said: str = Field(..., description="给服务人员看的一句话")
    distance_m: int | None = Field(..., description="离服务地址约几米，取整")
    hints: list[str] = Field(..., description="疑点代码")
    face: str = Field(..., description="matched 本人、pending 待核验、missing 没有核验、different 不是本人等")
    reviewed: bool | None = Field(..., description="街镇审核是否通过；没有审核为空")


class CheckInsOut(BaseModel):
    checkins: list[CheckInOut]
    next: int | None = Field(..., description="下一页的 after；没有下一页时为空")


@router.get(
    "/checkins",
    response=CheckInsOut,
    summary="查询上门打卡（服务平台）",
    description=f"一家单位一天的打卡，先发生的在前。不给位置。{SIGNED}",
    auth=lambda request: admit(request, "checkins.read"),
)
def read_checkins(request: HttpRequest, ask: Query[CheckInsIn]) -> dict[str, Any]:
    """Return check-ins of a day of the organisation that the call was admitted for."""
    admitted = request.auth  # type: ignore[attr-defined]
    begin = timezone.make_aware(dt.datetime.combine(ask.day or timezone.localdate(), dt.time()))
    rows = checkins_seen(scope=admitted.scope).filter(
        at__gte=begin, at__lt=begin + dt.timedelta(days=1), pk__gt=ask.after
    )
    found = list(rows.order_by("pk")[: ask.limit + 1])
    shown = found[: ask.limit]
    return {"checkins": [_shape(row) for row in shown], "next": shown[-1].pk if len(found) > ask.limit else None}


@router.post(
    "/checkins",
    response=CheckInOut,
    summary="上报上门打卡（服务平台）",
    description=f"替白名单中的一家单位上报一次打卡，按上报的时间和位置判断。位置加密保存一年。{SIGNED}",
    auth=lambda request: admit(request, "checkins.report"),
)
def post_checkin(request: HttpRequest, owner: Query[OwnerIn], said: Body[CheckInIn]) -> dict[str, Any]:
    """Judge and write down a check-in of a visit that the organisation named in the call arranged."""
    admitted = request.auth  # type: ignore[attr-defined]
    visit = visit_reported(number=said.visit, external=said.external, scope=admitted.scope)
    face = {"matched": Face.MATCHED, "different": Face.DIFFERENT, "none": Face.MISSING}[said.face]
    sent = Sent(
        key=said.key, act=said.act, reading=read_reading(_position(said.position)), manual=bool(said.words.strip()),
        words=said.words, via=admitted.scope.actor[:40],
    )  # fmt: skip
    row = report_checkin(
        visit_uid=visit.uid, sent=sent, at=said.at, faced=Faced(face, number=said.face_number), scope=admitted.scope
    )
    return _shape(row)


def _position(said: PositionIn | None) -> dict[str, str]:
    if said is None:
        return {}
    return {
        "lon": repr(said.lon), "lat": repr(said.lat), "crs": said.crs, "accuracy": repr(said.accuracy),
        "mock": "1" if said.mock else "", "source": "平台",
    }  # fmt: skip


def _shape(row: CheckIn) -> dict[str, Any]:
    return {
        "id": row.pk,
        "visit": row.visit.number,
        "external": row.visit.external,
        "act": row.act,
        "at": row.at,
        "counts": row.counts,
        "verdict": row.verdict,
        "said": row.said,
        "distance_m": row.distance_m,
        "hints": row.hints,
        "face": row.faced,
        "reviewed": row.review.accepted if hasattr(row, "review") else None,
    }
