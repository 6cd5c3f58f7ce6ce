"""What the API of matching takes and gives, for the documentation and for reading parameters."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from geo.addresses.schemas import CRS

ENTRY = Field("local", description="入口：local 人户一致、apart 人户分离、elsewhere 外省市户籍", examples=["local"])
YEAR = Field(None, description="入园年份；不写按已发布的最近一年", examples=[2027])
EXAMPLE: dict[str, Any] = {"entry": "local", "address": "黄浦区艾家弄86号", "crs": "wgs84"}
EXAMPLE_OF_MANY: dict[str, Any] = {
    "entry": "local",
    "district": "黄浦区",
    "items": [
        "艾家弄86号",
        {"id": "A-17", "address": "文庙路12弄3号", "street": "老西门街道", "committee": "文庙居委会"},
    ],
}


class MatchIn(BaseModel):
    entry: str = ENTRY
    year: int | None = YEAR
    district: str = Field("", description="区的名称或代码；不写按地址查到的区", examples=["黄浦区"])
    on: str | None = Field(None, description="按哪一天生效的版本，如 2026-05-01；不写按今天")
    edition: str | None = Field(None, description="工作人员可以指定一个对口版本，草稿也行")
    crs: str = CRS
    address: str | None = Field(None, description="一个地址，最多 200 字；和 items 写一样就行")
    items: list[Any] | None = Field(
        None,
        description="最多 10,000 行，每行写一个地址，或 {id, address, district, street, committee, community}；"
        "写了的街镇、居委、小区优先于查到的",
    )


class RegionOut(BaseModel):
    code: str
    name: str


class TokenOut(BaseModel):
    kind: str = Field(..., description="road 路、lane 弄、number 号、suffix 附号、room 室等")
    written: str
    value: str
    start: int
    end: int


class PlaceOut(BaseModel):
    id: int
    name: str
    address: str
    phone: str
    ownership: str
    status: str
    lon: float
    lat: float


class RuleOut(BaseModel):
    id: int
    mode: str
    mode_name: str
    written: str
    community: str
    target: int | None
    choice: str
    note: str


class AreaOut(BaseModel):
    id: int
    name: str
    target: int


class StepOut(BaseModel):
    mode: str
    mode_name: str
    found: str
    said: list[str]


class EditionOut(BaseModel):
    id: str
    year: int
    entry: str
    entry_name: str
    district: RegionOut
    number: int
    state: str
    from_day: str | None
    steps: list[str]
    policy: str
    policy_url: str
    office: str
    office_phone: str


class EditionsOut(BaseModel):
    editions: list[EditionOut]
    demo: bool
    note: str | None = None


class AskOut(BaseModel):
    office: str
    phone: str


class ChoiceOut(BaseModel):
    key: str
    name: str


class MatchOut(BaseModel):
    outcome: str = Field(..., description="one 一所、several 几所、none 没有、unclear 写得不够、unknown 没认出")
    outcome_name: str
    reason: str = Field(..., description="稳定的原因代码")
    reason_name: str
    address: str
    label: str
    tokens: list[TokenOut]
    lon: float | None
    lat: float | None
    uncertainty_m: float | None
    district: RegionOut | None
    districts: list[RegionOut]
    street: RegionOut | None
    committee: RegionOut | None
    community: str
    edition: EditionOut | None
    path: list[StepOut] = Field(..., description="依次走过的匹配方式")
    places: list[PlaceOut]
    possible: list[PlaceOut] = Field(..., description="地址写全以后可能的园")
    choices: list[ChoiceOut]
    rules: list[RuleOut]
    areas: list[AreaOut]
    said: list[str]
    ask: AskOut
    crs: str
    demo: bool
    note: str | None = None


class NamedOut(BaseModel):
    id: int
    name: str


class RowErrorOut(BaseModel):
    code: str
    reason: str


class RowOut(BaseModel):
    row: int = Field(..., description="第几行，从 1 数")
    id: str | None
    outcome: str | None
    reason: str | None
    label: str
    edition: str | None
    places: list[NamedOut]
    possible: list[NamedOut]
    choices: list[str]
    rules: list[int]
    areas: list[int]
    said: list[str]
    error: RowErrorOut | None = None


class MatchManyOut(BaseModel):
    items: list[RowOut]
    total: int
    counts: dict[str, int]
    editions: list[EditionOut]
    demo: bool
    note: str | None = None


def json_example() -> dict[str, Any]:
    """Return the request of the documentation with its schema."""
    examples = {
        "one": {"summary": "一个地址", "value": EXAMPLE},
        "many": {"summary": "一批地址", "value": EXAMPLE_OF_MANY},
    }
    return {
        "required": True,
        "content": {"application/json": {"schema": MatchIn.model_json_schema(), "examples": examples}},
    }
