"""What the API of upkeep takes and gives, for reading requests and for the documentation."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from geo.addresses.schemas import CRS_WORDS


def _printable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("不能有控制字符")
    return text


Id = Annotated[int, Field(ge=1, lt=2**63, description="编号", examples=[1024])]
Words = Annotated[str, Field(max_length=300), AfterValidator(_printable)]
CRS = Field("wgs84", description=f"坐标系：{CRS_WORDS}", examples=["wgs84"])
REASON: Any = Field(..., description="为什么改，最多 300 字；记入历史", examples=["现场核实门牌为 12 号"])
VERSION: Any = Field(None, description="您看到的版本（也可以写在 If-Match 里）；别人改过就会告诉您改了什么")


class ListIn(BaseModel):
    q: Words = Field("", description="门牌的开头、别名或编号", examples=["艾家弄8"])
    region: Words = Field("", description="区划代码；不写是您管辖的全部", examples=["310101"])
    cursor: Words = Field("", description="上一页的 next")
    limit: int = Field(50, description="每页几条，1 到 100")
    crs: Words = CRS


class OneIn(BaseModel):
    crs: Words = CRS


class PartsIn(BaseModel):
    road: Words | None = Field(None, description="路名，或村、小区名", examples=["艾家弄"])
    lane: Words | None = Field(None, description="弄", examples=["86"])
    sub_lane: Words | None = Field(None, description="支弄")
    number: Words | None = Field(None, description="号", examples=["12"])
    suffix: Words | None = Field(None, description="附号，如 甲、之1")
    building: Words | None = Field(None, description="幢")
    unit: Words | None = Field(None, description="单元")
    floor: Words | None = Field(None, description="层")
    room: Words | None = Field(None, description="室")


class StatedIn(PartsIn):
    text: Words | None = Field(None, description="整条地址；写了各部分就以各部分为准", examples=["艾家弄86号"])
    lon: float | None = Field(None, description="经度（平面坐标系时为东坐标，米）", examples=[121.4937])
    lat: float | None = Field(None, description="纬度（平面坐标系时为北坐标，米）", examples=[31.2204])
    uncertainty_m: float | None = Field(None, description="误差半径（米）：真实位置有九成可能在内", examples=[10])
    community_id: Id | None = Field(None, description="所属小区；写 null 是不属于任何小区")


class CorrectIn(StatedIn):
    reason: Words = REASON
    version: Words | None = VERSION
    crs: Words = CRS


class AddIn(StatedIn):
    reason: Words = REASON
    crs: Words = CRS


class MergeIn(BaseModel):
    survivor: Id = Field(..., description="保留哪一个", examples=[1024])
    merged: list[Id] = Field(..., description="并入哪几个，最多 50 个", examples=[[1025, 1026]])
    versions: dict[str, Words] = Field(default_factory=dict, description="各地址您看到的版本：编号 → 版本")
    reason: Words = REASON


class SplitIn(BaseModel):
    into: list[StatedIn] = Field(
        ...,
        description="拆成的 2 到 50 个地址；没写的部分和位置沿用原来的",
        examples=[[{"suffix": "甲", "lon": 121.4937, "lat": 31.2204}, {"suffix": "乙"}]],
    )
    reason: Words = REASON
    version: Words | None = VERSION
    crs: Words = CRS


class AliasIn(BaseModel):
    text: Words = Field(..., description="别的写法，或旧地名的地址", examples=["旧名路77号"])
    kind: Words = Field("spelling", description="spelling 别的写法、old_name 旧地名", examples=["old_name"])
    from_day: Words = Field("", description="从哪天起用；这天以前查不到", examples=["1950-01-01"])
    to_day: Words = Field("", description="用到哪天；之后仍然认得", examples=["1980-12-31"])
    reason: Words = REASON
    version: Words | None = VERSION


class ReasonIn(BaseModel):
    reason: Words = REASON
    version: Words | None = VERSION


class UndoIn(BaseModel):
    reason: Words = Field("", description="为什么撤销", examples=["看错了门牌"])


class ConflictsIn(BaseModel):
    state: Words = Field("open", description="open 待审、decided 已裁定、gone 已消失", examples=["open"])
    page: int = Field(1, ge=1, le=10_000, description="第几页，每页 50 条")
    crs: Words = CRS


class DecideIn(BaseModel):
    choice: Words = Field(..., description="keep 其中一个说法对、both 都对", examples=["keep"])
    keep: int | None = Field(
        None, ge=0, le=10_000, description="哪一个说法对：statements 里第几个，从 0 数", examples=[0]
    )
    digest: Words = Field("", description="您看到的 digest；来源又变了就会告诉您")
    reason: Words = REASON


class AuditIn(BaseModel):
    kind: Words = Field("", description="只要哪一种，如 number_gap；不写是全部", examples=["number_gap"])
    page: int = Field(1, ge=1, le=100_000, description="第几页，每页 100 条")
    crs: Words = CRS


class RegionOut(BaseModel):
    code: str
    level: str
    name: str
    full_name: str


class CommunityOut(BaseModel):
    id: int
    name: str


class AddressOut(BaseModel):
    id: int
    text: str = Field(..., description="来源的写法")
    normal: str = Field(..., description="规范写法")
    parts: dict[str, str]
    lon: float
    lat: float
    uncertainty_m: float
    point_source: str
    region: RegionOut | None
    community: CommunityOut | None
    source: str
    version: str
    retired: bool


class AliasOut(BaseModel):
    text: str
    normal: str
    kind: str
    from_day: str | None
    to_day: str | None
    former: int | None = Field(..., description="并入或拆分前的地址的编号")


class DifferenceOut(BaseModel):
    address: int
    name: str
    before: str
    after: str


class ChangeOut(BaseModel):
    id: int
    act: str
    title: str
    actor: str
    at: str
    reason: str
    addresses: list[int]
    differences: list[DifferenceOut]
    undoes: int | None
    undone: bool


class DetailOut(AddressOut):
    aliases: list[AliasOut]
    history: list[ChangeOut]
    successors: list[int] = Field(..., description="并入或拆分以后，现在由哪些地址回答")
    may_edit: bool


class ListOut(BaseModel):
    addresses: list[AddressOut]
    next: str | None
    crs: str
    demo: bool


class ChangedOut(BaseModel):
    change: ChangeOut
    addresses: list[AddressOut]
    crs: str


class ConflictOut(BaseModel):
    id: int
    kind: str
    title: str
    state: str
    metres: float
    lon: float
    lat: float
    digest: str
    statements: list[dict[str, Any]]
    decisions: list[dict[str, Any]]


class ConflictsOut(BaseModel):
    conflicts: list[ConflictOut]
    total: int
    pages: int
    crs: str


class FindingOut(BaseModel):
    kind: str
    title: str
    message: str
    measure: float
    unit: str
    lon: float
    lat: float
    subjects: dict[str, Any]


class AuditOut(BaseModel):
    audit: int | None = Field(..., description="最近一次检查；还没有做过时为 null")
    began_at: str | None
    ended_at: str | None
    tolerances: dict[str, float]
    looked_at: dict[str, int]
    findings: list[FindingOut]
    total: int
    pages: int
    running: bool = Field(..., description="是否正在检查")
    crs: str


class AskedOut(BaseModel):
    job: str
    state: str
