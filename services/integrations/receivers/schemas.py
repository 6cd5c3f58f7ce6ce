"""The contract with receivers, as both sides speak it: JSON posted to an address of the platform, signed as its own calls are.

The secret is the receiver's own, the app the platform's number (``services.integrations.signing``). Any answer from 200 to 299
means that the event is kept. The same ``id`` may come again, after an answer that was lost: it is the same event. Events of one
subject come one after the other, in the order of ``number``; those of different subjects in any order. 410 means that the
receiver is no more, 400 and 422 that this event is never taken; everything else is tried again.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

EVENT_ID: Final = "X-Event-Id"
NEVER: Final = frozenset({400, 410, 422})
"""Answers that will not become others."""


class Occurrence(BaseModel):
    """One thing a subject did at a fence; moments with their zone, ``after`` empty where nothing is known before."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: UUID = Field(..., description="事件编号，同一件事永远是同一个")
    number: int = Field(..., ge=1, description="在本平台事件里的序号，从 1 起连续", examples=[1024])
    subject: Annotated[str, Field(max_length=64)] = Field(..., description="平台自己的对象编号", examples=["truck-017"])
    kind: Annotated[str, Field(max_length=10)] = Field(
        ..., description="approach 接近、enter 进入、dwell 停留、cross 穿越、exit 离开", examples=["enter"]
    )
    fence: UUID = Field(..., description="围栏编号，各版本不变")
    fence_name: Annotated[str, Field(max_length=80)]
    purpose: Annotated[str, Field(max_length=12)] = Field(..., description="围栏的用途", examples=["waste"])
    edition: int = Field(..., description="判断时用的版本", examples=[3])
    at: dt.datetime = Field(..., description="事情发生的时间")
    after: dt.datetime | None = Field(..., description="在这个时间之后发生；不知道时为空")
    inferred: bool = Field(..., description="是推断的：之前断过信号，或围栏刚开始、停止使用")
