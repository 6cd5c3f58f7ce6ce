"""What the standardising API takes and gives, for the documentation."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from geo.addresses.schemas import CRS_WORDS

EXAMPLE = {
    "items": [
        "黄浦区艾家弄86号",
        {"id": "A-17", "address": "艾家弄八十六号 13800138000", "district": "黄浦"},
        {"id": "A-18", "address": "艾家弄86号、88号"},
    ],
    "crs": "cgcs2000",
}
STATUSES = "matched 已到门牌、approximate 大致位置、ambiguous 要核对、parsed 没有落点、unusable 读不懂"


class ItemIn(BaseModel):
    address: str = Field(..., description="一格里写的地址，原样给出", examples=["黄浦区艾家弄86号"])
    id: str | None = Field(None, description="您自己的编号，原样返回")
    district: str | None = Field(None, description="区单独成一栏时写在这里", examples=["黄浦区"])


class StandardiseIn(BaseModel):
    items: list[str | ItemIn] = Field(
        ..., description="最多 10,000 项，每项是一个地址，或 {id, address, district}", examples=[EXAMPLE["items"]]
    )
    crs: str = Field("wgs84", description=f"坐标用哪个坐标系：{CRS_WORDS}", examples=["cgcs2000"])


class ReasonOut(BaseModel):
    code: str
    reason: str


class OtherOut(BaseModel):
    text: str
    level: str | None
    lon: float | None
    lat: float | None
    uncertainty_m: float | None


class WhereOut(BaseModel):
    district: str
    street: str
    committee: str
    code: str


class RowOut(BaseModel):
    row: int = Field(..., description="第几项，从 1 数")
    id: str | None
    written: str = Field(..., description="原文")
    status: str = Field(..., description=STATUSES)
    standard: str = Field(..., description="规范地址；再规范一次不会变")
    parts: dict[str, str] = Field(
        ..., description="地址成分：district、street、road、lane、number、room 等，没写的不出现"
    )
    level: str | None = Field(..., description="定位到哪一级，同 /geocode")
    lon: float | None = Field(..., description="经度或东坐标；要核对的行空着")
    lat: float | None = Field(..., description="纬度或北坐标；要核对的行空着")
    uncertainty_m: float | None = Field(..., description="真实位置有九成可能在这个半径之内（米）")
    label: str | None = Field(..., description="落点的名称")
    where: WhereOut = Field(..., description="落点所在的区、街镇、居委")
    confidence: float = Field(..., description="读法有多可信，0 到 1")
    reasons: list[ReasonOut] = Field(..., description="为什么是这个结果，每条有固定代码")
    others: list[OtherOut] = Field(..., description="同一栏里的其他地址，或要核对时的几处可能")
    ignored: list[ReasonOut] = Field(..., description="没有当作地址的内容；电话和证件号不重复写出")


class StandardisedOut(BaseModel):
    items: list[RowOut] = Field(..., description="与 items 一一对应，顺序相同")
    total: int
    counts: dict[str, int] = Field(..., description=f"各状态的行数，合计等于 total。{STATUSES}")
    crs: str
    crs_name: str
    demo: bool
    note: str | None = None


def json_example() -> dict[str, Any]:
    """Return the request of the documentation with its schema."""
    return {
        "required": True,
        "content": {"application/json": {"schema": StandardiseIn.model_json_schema(), "example": EXAMPLE}},
    }
