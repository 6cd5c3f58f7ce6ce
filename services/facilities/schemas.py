"""What the API of facilities takes and gives, for the documentation and for reading parameters.

Answers are written straight from plain values; a test holds them against the shapes declared here.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel, Field

CRS = Field(
    "wgs84",
    description="坐标系：wgs84、cgcs2000、gcj02、bd09、sh2000、webmercator 或 epsg:4549 等。"
    "平面坐标系时 lon 为东坐标、lat 为北坐标（米）。",
    examples=["wgs84"],
)
LON = Field(..., description="经度（平面坐标系时为东坐标，米）", examples=[121.4737])
LAT = Field(..., description="纬度（平面坐标系时为北坐标，米）", examples=[31.2304])
KINDS = Field("", description="类别或大类，逗号分隔；不填为全部。见 /api/v1/kinds。", examples=["nursery"])


class FiltersIn(BaseModel):
    has_vacancy: str = Field("", description="true：只要有余位的（30 天内确认过）", examples=["true"])
    open_now: str = Field("", description="true：只要现在营业的")
    age_months: str = Field("", description="孩子的月龄，只要收这个月龄的", examples=["20"])
    age_until: str = Field("", description="要上到几个月大，与 age_months 一起填，只要整段都收的", examples=["36"])
    born: str = Field("", description="孩子的生日，代替 age_months", examples=["2025-03-18"])
    open_at: str = Field("", description="只要这个时刻开着的（城市当地时间，一年以内）")
    open_holiday: str = Field("", description="true：只要节假日开放的")
    days: str = Field("", description="这些日子都要开门：mon 到 sun，逗号分隔", examples=["mon,sat"])
    from_time: str = Field("", description="最晚几点要开门；不填 days 时指周一至周五", examples=["07:30"])
    until_time: str = Field("", description="至少开到几点", examples=["18:00"])
    fee_min: str = Field("", description="每月收费不低于多少元")
    fee_max: str = Field("", description="每月收费不超过多少元", examples=["6000"])
    grade: str = Field("", description="等级，逗号分隔时任一个都可以")
    service_form: str = Field(
        "", description="服务形式：full_day 全日托、half_day 半日托、hourly 计时托；逗号分隔时任一个都可以"
    )
    ownership: str = Field("", description="性质：public 公办、private 民办、community 社区")
    inclusive: str = Field("", description="true：只要普惠的")
    meals: str = Field("", description="true：只要供餐的")
    medical_insurance: str = Field("", description="true：只要可用医保的")
    memory_care: str = Field("", description="true：只要有认知症照护的")
    delivers: str = Field("", description="true：只要可送餐的")
    step_free: str = Field("", description="true：只要无障碍出入的")


MODE = Field(
    "walk",
    description="出行方式：walk 步行、elder 老人步行、pram 推婴儿车、wheelchair 轮椅、bicycle 自行车、car 驾车",
    examples=["walk"],
)


class CircleIn(FiltersIn):
    lon: float = LON
    lat: float = LAT
    minutes: int = Field(15, description="分钟，1 到 60（驾车最多 45）", examples=[15])
    mode: str = MODE
    kinds: str = KINDS
    bands: bool = Field(False, description="true：同时给出 5、10、15… 分钟的各圈")
    limit: int = Field(200, description="最多列出多少家，1 到 500")
    crs: str = CRS


class NearestIn(FiltersIn):
    lon: float = LON
    lat: float = LAT
    kinds: str = KINDS
    k: int = Field(10, description="要几家，1 到 100", examples=[10])
    mode: str = Field("", description="给出时按路上的分钟排序，不给时按直线距离")
    crs: str = CRS


class RouteIn(BaseModel):
    lon: float = LON
    lat: float = LAT
    place: int = Field(..., description="设施的编号，即列表和详情里的 id", examples=[1])
    mode: str = MODE
    crs: str = CRS


class PlacesIn(FiltersIn):
    bbox: str = Field("", description="西,南,东,北", examples=["121.46,31.22,121.49,31.24"])
    region: str = Field("", description="区划编码：区 6 位、街镇 9 位、居委 12 位", examples=["310101"])
    kinds: str = KINDS
    q: str = Field("", description="名称或地址的一部分，汉字、拼音或首字母，最多 200 字", examples=["宝宝屋"])
    status: str = Field(
        "open", description="状态：open 开放、suspended 暂停、closed 关闭、preparing 筹备（需要权限）；逗号分隔"
    )
    lon: float | None = Field(None, description="给出位置时返回直线距离，并可按距离排序")
    lat: float | None = None
    order: str = Field("", description="排序：name、distance、relevance")
    limit: int = Field(50, description="每页条数，1 到 200")
    cursor: str = Field("", description="上一页返回的 next")
    crs: str = CRS


class SuggestIn(BaseModel):
    q: str = Field(
        ...,
        description="正在输入的文字，最多 200 字：名称、地址、拼音、首字母，可以混着写，如“国quan路”",
        examples=["国权路"],
    )
    lon: float | None = Field(
        None, description="给出位置（例如地图中心）时近的排在前面；lon 和 lat 要一起给", examples=[121.5]
    )
    lat: float | None = Field(None, examples=[31.29])
    limit: int = Field(10, description="最多几条，1 到 30")
    crs: str = CRS


class SuggestionOut(BaseModel):
    what: str = Field(..., description="是什么：facility 设施、community 小区、road 道路、address 门牌、region 区划")
    id: int
    label: str = Field(..., description="现在的名称", examples=["国权路"])
    where: str = Field(..., description="在哪里：区和街镇；设施前面写明类别", examples=["杨浦区"])
    lon: float
    lat: float
    uncertainty_m: float
    metres: int | None = Field(None, description="离所给位置多远；没有给位置时为 null")
    fit: str = Field(
        ...,
        description="与所写的有多像，由好到次：whole 就是它、begins 以它开头、holds 含有它、scattered 各词分开含有或地址里含有、"
        "sounds 整个名称读音相同或相近、sounds_begin 开头读音相同或相近、mistyped 只差一个字或字母、"
        "mistyped_begin 开头只差一个字或字母、sounds_in 中间读音相同或相近",
        examples=["whole"],
    )
    corrected: bool = Field(..., description="不是所写的，而是可能想写的（fit 为 sounds 及以后）；请先问“您是不是要找”")
    said: str = Field(
        ..., description="凭哪个别名或旧名找到，或者没有收录哪个门牌；没有可说的时为空", examples=["原闸北区"]
    )


class PlaceIn(BaseModel):
    crs: str = CRS


class KindsIn(BaseModel):
    region: str = Field("", description="只数这个区划里的家数，填区划编码", examples=["310101"])


class RegionOut(BaseModel):
    code: str
    level: str
    name: str
    full_name: str


class PlaceOut(BaseModel):
    id: int
    name: str
    kind: str
    kind_name: str
    group: str
    lon: float
    lat: float
    address: str
    phone: str
    status: str
    region: RegionOut | None
    open_now: bool | None = Field(..., description="现在是否营业；开放时间未知时为 null")
    open_text: str
    places: int | None
    vacancies: int | None
    vacancies_as_of: dt.datetime | None
    vacancies_fresh: bool = Field(..., description="余位是否在 30 天内确认过")
    vacancies_text: str
    attributes: dict[str, Any]
    as_of: dt.date | None


class FoundPlaceOut(PlaceOut):
    metres: int | None = Field(None, description="到给出位置的直线距离（米）")


class ReachedOut(PlaceOut):
    minutes: int | None = Field(None, description="路上的分钟，进一")
    seconds: int | None = None
    metres: int = Field(..., description="路上的米数；按直线查时为直线距离")
    straight_m: int = Field(..., description="直线距离（米）")


class StatedOut(BaseModel):
    crs: str
    demo: bool = Field(..., description="true：其中有演示数据")
    note: str | None = Field(None, description="演示数据的说明")


class OriginOut(BaseModel):
    lon: float
    lat: float
    snap_m: float | None = Field(..., description="到最近可走道路的米数；附近没有道路时为 null")


class StepOut(BaseModel):
    text: str
    changes: dict[str, Any] = Field(..., description="要改的参数；null 表示去掉")
    count: int


class EmptyOut(BaseModel):
    code: str
    message: str
    steps: list[StepOut]


class AssumptionsOut(BaseModel):
    mode: str
    traveller: str
    speed_mps: float
    access_mps: float
    graph: str = Field(..., description="路网版本")
    as_of: str = Field(..., description="道路数据的日期")
    roads: str
    facilities_as_of: str | None
    at: str
    demo: bool
    said: str


class CircleOut(StatedOut):
    origin: OriginOut
    isochrone: dict[str, Any] = Field(
        ..., description="GeoJSON Feature（MultiPolygon）；不是 WGS-84 时用 crs 成员写明坐标系"
    )
    bands: dict[str, Any] | None = Field(None, description="GeoJSON FeatureCollection，各圈由内到外")
    places: list[ReachedOut]
    total: int
    empty: EmptyOut | None = Field(..., description="一家也没有时，说明原因和下一步")
    assumptions: AssumptionsOut


class NearestOut(StatedOut):
    origin: OriginOut
    places: list[ReachedOut]
    next: None = None
    empty: EmptyOut | None = None
    assumptions: AssumptionsOut | None = None


class WayStepOut(BaseModel):
    said: str = Field(..., description="怎么走", examples=["左转进入复兴中路"])
    road: str = Field(..., description="路名；没有名字时为空")
    metres: int = Field(..., description="走多少米")


class RouteOut(StatedOut):
    origin: OriginOut
    route: dict[str, Any] = Field(
        ...,
        description="GeoJSON Feature（LineString），从出发的门口到设施的门口；不是 WGS-84 时用 crs 成员写明坐标系",
    )
    minutes: int = Field(..., description="路上的分钟，进一；与 15 分钟圈里这家的分钟相同")
    seconds: int
    metres: int = Field(..., description="路上的米数")
    straight_m: int = Field(..., description="直线距离（米）")
    steps: list[WayStepOut] = Field(..., description="一段一段怎么走，按先后；两头从门口到路边的不算")
    place: PlaceOut
    assumptions: AssumptionsOut


class PlacesOut(StatedOut):
    places: list[FoundPlaceOut]
    next: str | None = Field(..., description="下一页的 cursor；最后一页为 null")


class SuggestionsOut(StatedOut):
    suggestions: list[SuggestionOut]


class WeekOut(BaseModel):
    days: str
    hours: str


class SaidOut(BaseModel):
    label: str
    text: str


class StatusChangeOut(BaseModel):
    status: str
    effective_on: dt.date
    reason: str


class DetailOut(PlaceOut, StatedOut):
    organisation: str
    source: str
    uncertainty_m: float
    hours: dict[str, Any]
    hours_as_of: dt.date | None
    week: list[WeekOut]
    said: list[SaidOut]
    status_changes: list[StatusChangeOut]


class ChoiceOut(BaseModel):
    value: str
    label: str


class AttributeOut(BaseModel):
    key: str
    label: str
    type: str
    unit: str
    choices: list[ChoiceOut]
    filterable: bool


class KindOut(BaseModel):
    key: str
    name: str
    icon: str
    count: int = Field(..., description="现在开放的家数")
    attributes: list[AttributeOut]


class GroupOut(BaseModel):
    key: str
    name: str
    kinds: list[KindOut]


class KindsOut(BaseModel):
    groups: list[GroupOut]
    demo: bool
    note: str | None = None
