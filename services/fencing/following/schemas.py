"""The shapes of what platforms send and read about fences as things move."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.integrations.receivers.schemas import Occurrence

POSITION: dict[str, Any] = {
    "subject": "truck-017", "boot": "b3", "seq": 4711, "time": "2026-11-23T08:00:05+08:00", "lon": 121.47512, "lat": 31.23041,
    "accuracy": 8,
}  # fmt: skip


class RegionIn(BaseModel):
    region: str = Field(..., description="区代码，要与白名单完全一致", examples=["310101"])


class FollowIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fences: list[UUID] = Field([], description="只跟踪这些围栏；不写就是这个区这种用途的全部")
    enter: bool = Field(True, description="进入时告诉")
    exit: bool = Field(True, description="离开时告诉")
    cross: bool = Field(False, description="两次上报之间穿过时告诉")
    dwell_s: int | None = Field(None, description="停留满多少秒时告诉，10 到 86400", examples=[300])
    approach_m: int | None = Field(None, description="离边界多少米以内时告诉，10 到 2000", examples=[200])


class FollowingOut(FollowIn):
    region: str
    purpose: str = Field(..., description="围栏的用途", examples=["waste"])
    changed_at: dt.datetime


class PositionsIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"crs": "wgs84", "positions": [POSITION]}})

    positions: list[Any] = Field(
        ...,
        description="最多 1,000 行，按收到的先后。subject：平台自己的对象编号，1 到 64 位字母、数字、._:-，不能是人名、手机号、"
        "身份证号；time：设备定位的时间，带时区的 ISO 8601 或 1970 年起的毫秒；lon、lat：crs 里的经度、纬度；accuracy：精度半径，"
        "米，可不写；seq：设备自己的编号，可不写；boot：设备每次开机换一个的标记，编号会从头来的设备要写。",
    )
    crs: str = Field("wgs84", description="坐标系：wgs84、cgcs2000、gcj02、bd09、sh2000……", examples=["wgs84"])


class RowOut(BaseModel):
    verdict: str = Field(
        ...,
        description="taken 收下；duplicate 重复；late 迟到（重发已经收下的也是）；future 时间超前；inaccurate 精度太差；"
        "unplaced 不在城市里；crowded 太密；old 早于 7 天；unreadable 读不懂；subject_named 编号像是个人号码",
    )
    said: str


class TakenOut(BaseModel):
    rows: list[RowOut] = Field(..., description="与上报的行一一对应，顺序相同")
    counts: dict[str, int] = Field(..., description="各种结果有几行")
    events: int = Field(..., description="由此确定的新事件有几件")


READER: Final = r"[A-Za-z0-9._-]{1,40}"


class EventsIn(BaseModel):
    after: int | None = Field(None, ge=0, le=2**62, description="上一页给出的 next；不写从头读", examples=[0])
    reader: str = Field(
        "", pattern=f"^({READER})?$", examples=["dispatch"],
        description="自己一个程序的名字：从它报完成的地方接着读，不用自己记序号；和 after 只写一个",
    )  # fmt: skip
    limit: int = Field(100, ge=1, le=500, description="每页几件，1 到 500", examples=[100])


class EventsOut(BaseModel):
    events: list[Occurrence]
    next: int = Field(..., description="下一页的 after")
    more: bool = Field(..., description="后面还有")
    oldest: int | None = Field(..., description="还留着的最早一件的序号；比 after 大 1 以上时，中间的已过保存期")


class ReadIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reader: str = Field(..., pattern=f"^{READER}$", description="程序的名字", examples=["dispatch"])
    number: int = Field(..., ge=0, le=2**62, description="到这一件为止都处理完了", examples=[4711])


class ReadOut(BaseModel):
    reader: str
    number: int = Field(..., description="到这一件为止都处理完了；先报的大号不会被后到的小号退回去")


class ReceiverIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        ..., description="https://主机/路径，不带账号和参数", examples=["https://platform.example.gov.cn/fence-events"]
    )


class ReceiverOut(BaseModel):
    url: str
    secret: str = Field("", description="验签用的密钥，只在设置时给这一次")
    waiting: int = Field(..., description="还没有送达的有几件")
    undelivered: int = Field(..., description="到期仍没有送达、等人重发的有几件")


class DoneOut(BaseModel):
    done: bool = Field(..., description="刚才有，现在取消了")
