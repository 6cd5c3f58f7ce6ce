"""What the API of addresses takes and gives, for the documentation and for reading parameters."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

CRS_WORDS = "wgs84、cgcs2000、gcj02、bd09、sh2000、webmercator 或 epsg:4549 等"
CRS = Field("wgs84", description=f"坐标系：{CRS_WORDS}", examples=["wgs84"])


class GeocodeIn(BaseModel):
    q: str = Field(..., description="一个地址、小区名或路名，最多 200 字", examples=["黄浦区艾家弄86号"])
    limit: int = Field(5, description="最多几个候选，1 到 50")
    crs: str = CRS


class ReverseIn(BaseModel):
    lon: float = Field(..., description="经度（平面坐标系时为东坐标，米）", examples=[121.4737])
    lat: float = Field(..., description="纬度（平面坐标系时为北坐标，米）", examples=[31.2304])
    crs: str = CRS


class RegionOut(BaseModel):
    code: str
    level: str
    name: str
    full_name: str


class PenaltyOut(BaseModel):
    code: str
    reason: str


class CandidateOut(BaseModel):
    lon: float
    lat: float
    label: str
    level: str = Field(
        ...,
        description="定位到哪一级：door 门牌、lane 弄、interpolated 按邻号推算、community 小区、road 道路、"
        "committee 居委、street 街镇、district 区",
    )
    uncertainty_m: float = Field(..., description="真实位置有九成可能在这个半径之内（米）")
    region: RegionOut | None
    source: str
    penalties: list[PenaltyOut] = Field(..., description="为什么不那么可信")
    metres: float | None = Field(None, description="离所给位置多远（只在 /reverse）")


class CandidatesOut(BaseModel):
    candidates: list[CandidateOut] = Field(..., description="由好到次；空列表表示不认识")
    crs: str
    demo: bool
    note: str | None = None


class PointIn(BaseModel):
    x: float | None = Field(None, description="经度或东坐标")
    y: float | None = Field(None, description="纬度或北坐标")
    address: str | None = Field(None, description="地址；给出地址时不看 x、y")
    id: str | None = Field(None, description="您自己的编号，原样返回")


class ConvertIn(BaseModel):
    items: list[Any] = Field(
        ...,
        description="最多 10,000 项，每项是 {x, y} 或 {address}，可带 id",
        examples=[[{"id": "1", "x": 121.4737, "y": 31.2304}, {"id": "2", "address": "黄浦区艾家弄86号"}]],
    )
    crs_from: str = Field("wgs84", description=f"x、y 的坐标系：{CRS_WORDS}", examples=["wgs84"])
    crs: str = Field("sh2000", description=f"要转成的坐标系：{CRS_WORDS}", examples=["sh2000"])


class ConvertedOut(BaseModel):
    row: int = Field(..., description="第几项，从 1 数")
    id: str | None
    x: float | None
    y: float | None
    level: str | None = Field(None, description="地址定位到哪一级")
    label: str | None = None
    uncertainty_m: float | None = None
    penalties: list[PenaltyOut] | None = None
    error: PenaltyOut | None = Field(None, description="这一项转不了的原因")


class ConvertOut(BaseModel):
    items: list[ConvertedOut]
    converted: int
    failed: int
    crs_from: str
    crs: str
    crs_name: str
    notes: list[str] = Field(..., description="使用结果时要知道的事")
    demo: bool
    note: str | None = None
