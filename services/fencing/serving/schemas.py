"""What the API of fences takes and gives, for the documentation and for reading parameters."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from geo.addresses.schemas import CRS, PenaltyOut
from geo.fences.purposes import PURPOSES

PURPOSE_WORDS = "、".join(f"{purpose.key} {purpose.name}" for purpose in PURPOSES)
PURPOSE = Field(
    "",
    description=f"用途，可写几个，用逗号分开：{PURPOSE_WORDS}；不写为您能问的全部。"
    f"{'、'.join(purpose.name for purpose in PURPOSES if purpose.public)}人人可问，其余要有围栏权限，限管辖范围内",
    examples=["waste"],
    max_length=100,
)
AT = Field(
    "",
    description="问哪个时刻：2026-12-01 或 2026-12-01T08:00:00+08:00，不写时区按北京时间；不写为现在。"
    "过去和将来都按那时算数的版本回答",
    examples=["2026-12-01T08:00:00+08:00"],
    max_length=40,
)
_FENCE: dict[str, Any] = {
    "id": "0191e6a2-7c1b-4f3e-9a51-2d9c5f0b8e77",
    "name": "外滩一片",
    "purpose": "waste",
    "purpose_name": "垃圾分类片区",
    "owner": "外滩环卫所",
    "district": "310101",
    "edition": 3,
}
_LISTED: dict[str, Any] = {
    **_FENCE,
    "district": {"code": "310101", "name": "黄浦区"},
    "kind": "polygon",
    "kind_name": "手绘的面",
    "from_day": None,
    "to_day": None,
    "hours": {},
    "from_moment": "2026-10-01T00:00:00+08:00",
}
_ANSWER: dict[str, Any] = {
    "row": 1,
    "id": "车-17",
    "outcome": "inside",
    "sure": True,
    "fences": [{**_FENCE, "depth_m": 42.6}],
    "error": None,
}
_BESIDE: dict[str, Any] = {"at": "2026-11-22T09:30:00+08:00", "crs": "gcj02", "notes": [], "demo": False}
EXAMPLES: dict[str, Any] = {
    "items": {
        "summary": "一批位置和地址",
        "value": {
            "purpose": "waste",
            "crs": "gcj02",
            "items": [{"id": "车-17", "lon": 121.4905, "lat": 31.2337}, {"id": "件-2", "address": "黄浦区艾家弄86号"}],
        },
    },
    "columns": {
        "summary": "按列写的一批位置（最快）",
        "value": {"purpose": "waste", "crs": "wgs84", "lon": [121.4905, 121.4737], "lat": [31.2337, 31.2304]},
    },
    "one": {"summary": "一个位置", "value": {"lon": 121.4905, "lat": 31.2337, "at": "2026-12-01T08:00:00+08:00"}},
    "address": {"summary": "一个地址", "value": {"address": "黄浦区艾家弄86号", "purpose": "service"}},
}


class FencesIn(BaseModel):
    purpose: str = PURPOSE
    district: str = Field("", description="区的名称或代码", examples=["黄浦区"], max_length=40)
    owner: str = Field("", description="责任单位、服务机构等名称中包含的文字", examples=["环卫所"], max_length=80)
    bbox: str = Field("", description="范围：西,南,东,北", examples=["121.46,31.22,121.49,31.24"], max_length=120)
    lon: float | None = Field(None, description="和 lat 一起写：只列包含这个位置的", examples=[121.4905])
    lat: float | None = Field(None, description="纬度（平面坐标系时为北坐标，米）", examples=[31.2337])
    at: str = AT
    crs: str = CRS
    format: Literal["json", "geojson"] = Field("json", description="geojson：给出边界，每页最多 100 个")
    limit: int = Field(100, description="每页最多多少个，1 到 500", ge=1, le=500)
    cursor: str = Field("", description="上一页的 next", max_length=36)


class FenceIn(BaseModel):
    at: str = AT
    crs: str = CRS


class WhichIn(BaseModel):
    fence_id: UUID = Field(..., description="围栏的编号，各版相同", examples=["0191e6a2-7c1b-4f3e-9a51-2d9c5f0b8e77"])


class DistrictOut(BaseModel):
    code: str
    name: str


class FenceListedOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _LISTED})
    id: str = Field(..., description="编号，各版相同")
    name: str
    purpose: str
    purpose_name: str
    owner: str
    district: DistrictOut | None
    kind: str
    kind_name: str
    from_day: str | None = Field(..., description="哪天起有效，含；null 为一直")
    to_day: str | None = Field(..., description="哪天止有效，含；null 为一直")
    hours: dict[str, list[list[str]]] = Field(..., description="每周的生效时段；空为全天")
    edition: int = Field(..., description="第几版")
    from_moment: str = Field(..., description="这一版从何时算数")


class FencesOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"fences": [_LISTED], "total": 1, "next": None, **_BESIDE}})
    fences: list[FenceListedOut]
    total: int = Field(..., description="符合条件的一共多少个")
    next: str | None
    at: str
    crs: str
    notes: list[str] = Field(..., description="坐标系的说明")
    demo: bool
    note: str | None = None


class FenceFeatureOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "Feature",
                "id": _FENCE["id"],
                "geometry": {
                    "type": "MultiPolygon",
                    "coordinates": [[[[121.49, 31.23], [121.495, 31.23], [121.495, 31.235], [121.49, 31.23]]]],
                },
                "properties": _LISTED,
                **_BESIDE,
            }
        }
    )
    type: Literal["Feature"]
    id: str
    geometry: dict[str, Any]
    properties: FenceListedOut
    at: str
    crs: str
    notes: list[str]
    demo: bool
    note: str | None = None


class FenceVersionOut(FenceListedOut):
    model_config = ConfigDict(json_schema_extra={"example": {**_LISTED, "until": None, "note": ""}})
    until: str | None = Field(..., description="这一版到何时为止，不含；null 为还没有下一版")
    note: str = Field(..., description="这一版的说明")


class FenceVersionsOut(BaseModel):
    versions: list[FenceVersionOut] = Field(..., description="新的在前；将来才算数的也在内")
    demo: bool
    note: str | None = None


class CheckIn(BaseModel):
    lon: float | list[float] | None = Field(None, description="经度；写成列表就是按列问一批")
    lat: float | list[float] | None = Field(None, description="纬度；和 lon 一样长")
    id: list[str] | None = Field(None, description="按列问时您自己的编号，和 lon 一样长")
    address: str | None = Field(None, description="不写坐标就写一个地址，最多 200 字")
    items: list[Any] | None = Field(
        None,
        description="最多 10,000 项，每项写 {id, lon, lat}、[经度, 纬度]、{id, address} 或一个地址；地址最多 1,000 个",
    )
    purpose: str = PURPOSE
    at: str = AT
    crs: str = CRS


class FenceOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _FENCE})
    id: str = Field(..., description="编号，各版相同")
    name: str
    purpose: str
    purpose_name: str
    owner: str
    district: str = Field(..., description="区的代码")
    edition: int = Field(..., description="第几版")


class HoldingOut(FenceOut):
    model_config = ConfigDict(json_schema_extra={"example": {**_FENCE, "depth_m": 42.6}})
    depth_m: float = Field(..., description="离这个围栏的边界多少米；在边界上为 0")


class LocatedOut(BaseModel):
    label: str
    level: str
    uncertainty_m: float = Field(..., description="真实位置有九成可能在这个半径之内（米）")
    lon: float
    lat: float
    penalties: list[PenaltyOut]


class AnswerOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _ANSWER})
    row: int = Field(..., description="第几项，从 1 数")
    id: str | None
    outcome: Literal["inside", "outside", "unknown", "error"] = Field(
        ...,
        description="inside 在围栏内、outside 不在任何围栏内、unknown 地址查不到或太粗、error 这一项读不懂或不在本市",
    )
    sure: bool = Field(..., description="地址：整个误差圆都在这些围栏内、不碰别的，才是 true；坐标总是 true")
    fences: list[HoldingOut]
    possible: list[FenceOut] | None = Field(None, description="地址：误差圆还碰到的围栏")
    address: LocatedOut | None = Field(None, description="地址查到了哪里")
    error: PenaltyOut | None


class CheckManyOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [_ANSWER],
                "total": 1,
                "counts": {"inside": 1, "outside": 0, "unknown": 0, "error": 0},
                **_BESIDE,
            }
        }
    )
    items: list[AnswerOut] = Field(..., description="与所问的一项对一项，次序不变")
    total: int
    counts: dict[str, int]
    at: str
    crs: str
    notes: list[str]
    demo: bool
    note: str | None = None


class RowErrorOut(PenaltyOut):
    row: int
    id: str | None


class CheckColumnsOut(BaseModel):
    fences: list[FenceOut] = Field(..., description="碰到的围栏，各写一次")
    inside: list[list[int]] = Field(..., description="每个位置在 fences 的第几个内，从 0 数；空为不在任何围栏内")
    depth_m: list[list[float]] = Field(..., description="与 inside 一一对应，离边界多少米")
    errors: list[RowErrorOut]
    total: int
    counts: dict[str, int]
    at: str
    crs: str
    notes: list[str]
    demo: bool
    note: str | None = None


class CheckOneOut(AnswerOut):
    at: str
    crs: str
    notes: list[str]
    demo: bool
    note: str | None = None


def json_examples() -> dict[str, Any]:
    """Return the request of the documentation with its schema."""
    return {
        "required": True,
        "content": {"application/json": {"schema": CheckIn.model_json_schema(), "examples": EXAMPLES}},
    }
