"""What the API of 圈选 takes and gives, for the documentation and for reading the question."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from geo.addresses.schemas import CRS

EXAMPLES: dict[str, Any] = {
    "regions": {"summary": "按行政区划", "value": {"regions": ["黄浦区", "310104"], "kinds": ["eldercare"]}},
    "shape": {
        "summary": "按自定义图形",
        "value": {
            "shape": {
                "type": "Polygon",
                "coordinates": [[[121.47, 31.22], [121.49, 31.22], [121.49, 31.24], [121.47, 31.22]]],
            },
            "crs": "wgs84",
        },
    },
    "reach": {
        "summary": "按交通时间",
        "value": {"reach": [{"place": "复兴中路505号", "mode": "elder", "minutes": 15}], "kinds": ["canteen"]},
    },
}


class CircleIn(BaseModel):
    lon: float
    lat: float
    radius_m: float = Field(..., description="半径（米），10 到 20,000")


class ReachIn(BaseModel):
    lon: float | None = Field(None, description="出发位置；不写就写 place")
    lat: float | None = None
    place: str = Field("", description="出发的地址、小区或机构名", max_length=80)
    mode: str = Field(
        "walk", description="walk 步行、elder 老人步行、pram 推童车、wheelchair 轮椅、bicycle 自行车、car 驾车"
    )
    minutes: int = Field(15, description="几分钟内；1 到 60，驾车 1 到 45")


class SelectIn(BaseModel):
    regions: list[str] = Field([], description="区、街镇、居委的代码或名称，可选几个", max_length=1000)
    fences: list[UUID] = Field([], description="围栏的编号（见 /fences），可选几个", max_length=1000)
    shape: dict[str, Any] | None = Field(None, description="自定义图形：GeoJSON 面（Polygon、MultiPolygon 或 Feature）")
    circle: CircleIn | None = Field(None, description="圆：圆心和半径")
    reach: list[ReachIn] = Field([], description="交通时间范围，最多 5 个", max_length=5)
    kinds: list[str] = Field([], description="类别或大类，不写为全部", max_length=200)
    crs: str = CRS
    format: Literal["json", "csv", "xlsx"] = Field("json", description="csv、xlsx：把清单取成文件")
    limit: int = Field(200, description="最多列多少家，0 到 2000；统计总是全部", ge=0, le=2000)


class KindOut(BaseModel):
    key: str
    name: str
    count: int = Field(..., description="家数")
    places: int = Field(..., description="总名额（写明的相加）")
    places_known: int = Field(..., description="几家写明了总名额")
    vacancies: int = Field(..., description="空余名额（写明的相加）")
    vacancies_known: int = Field(..., description="几家写明了空余名额")


class RegionOut(BaseModel):
    code: str | None = Field(..., description="null：没有落在任何区划里")
    name: str
    count: int


class GroundOut(BaseModel):
    area_km2: float
    committees_met: int = Field(..., description="碰到的居委")
    committees_whole: int = Field(..., description="整个在内的居委")
    communities: int = Field(..., description="小区")
    addresses: int = Field(..., description="门牌地址")


class BandOut(BaseModel):
    name: str = Field(..., examples=["0–2 岁"])
    persons: int


class ResidentsOut(BaseModel):
    year: int = Field(..., description="哪一年的人口")
    committees: int = Field(..., description="计入的居委：至少一半在范围内的，整个居委计入")
    hidden: int = Field(..., description="另有几个居委没有计入：人数太少，或者一说就能推出别的居委")
    total: int
    bands: list[BandOut]


class FacilityOut(BaseModel):
    id: int
    name: str
    kind: str
    kind_name: str
    region: str | None
    address: str
    phone: str
    lon: float
    lat: float
    places: int | None
    vacancies: int | None


class SelectOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "parts": ["黄浦区"],
                "total": 1,
                "kinds": [
                    {
                        "key": "canteen",
                        "name": "长者食堂",
                        "count": 1,
                        "places": 80,
                        "places_known": 1,
                        "vacancies": 0,
                        "vacancies_known": 0,
                    }
                ],
                "regions": [{"code": "310101002", "name": "外滩街道", "count": 1}],
                "ground": {
                    "area_km2": 20.52,
                    "committees_met": 180,
                    "committees_whole": 180,
                    "communities": 1200,
                    "addresses": 52000,
                },
                "residents": {
                    "year": 2020,
                    "committees": 178,
                    "hidden": 2,
                    "total": 660120,
                    "bands": [{"name": "0–2 岁", "persons": 9010}],
                },
                "facilities": [],
                "crs": "wgs84",
                "demo": False,
            }
        }
    )
    parts: list[str] = Field(..., description="选了哪些范围；几个范围合在一起，重叠的只算一次")
    total: int
    kinds: list[KindOut]
    regions: list[RegionOut] = Field(..., description="按区计；都在一个区内时按街镇计")
    ground: GroundOut
    residents: ResidentsOut | None = Field(..., description="常住人口，按整个居委加总；没有分居委的人口数据时为 null")
    facilities: list[FacilityOut]
    crs: str
    demo: bool
    note: str | None = None


def json_examples() -> dict[str, Any]:
    """Return the request of the documentation with its schema."""
    return {
        "required": True,
        "content": {"application/json": {"schema": SelectIn.model_json_schema(), "examples": EXAMPLES}},
    }
