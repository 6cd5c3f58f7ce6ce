"""HTTP of institutions for the elderly, for platforms of districts: every call is signed and held against white lists."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Body, Path, Query, Router
from pydantic import BaseModel, ConfigDict, Field

from geo.addresses.gazetteer import names_of, published_now
from geo.errors import NotFound
from services.access.clients.calling import admit
from services.facilities.actions import report_capacity
from services.facilities.institutions.queries import institutions_in
from services.facilities.models import Facility
from services.facilities.queries import city_now
from services.facilities.shapes import DEMO_NOTE
from services.facilities.vacancies import vacancies_at

router = Router(tags=["区级平台"])
SIGNED = "请求要签名，并与平台白名单完全一致，做法见 /developer。"


class InstitutionsIn(BaseModel):
    region: str = Field(..., description="区域代码，要与白名单完全一致", examples=["310101"])
    organisation: str = Field(
        "", description="统一社会信用代码；写了就要与白名单完全一致", examples=["52310101MJ4910001A"]
    )
    after: int = Field(0, description="上一页给出的 next", examples=[0])
    limit: int = Field(50, description="每页几家，1 到 200", examples=[50])


class InstitutionOut(BaseModel):
    id: int
    name: str
    kind: str = Field(..., description="类别代码，见 /api/v1/kinds")
    kind_name: str
    status: str = Field(..., description="open 开放、preparing 筹备中、suspended 暂停服务")
    address: str
    region: str = Field(..., description="所在区域代码")
    organisation: str = Field(..., description="统一社会信用代码；没有登记时为空")
    places: int | None = Field(..., description="核定床位")
    vacancies: int | None = Field(..., description="余位；没有填报过时为空")
    vacancies_as_of: dt.datetime | None
    vacancies_said: str = Field(..., description="余位的说法；30 天内没有确认过时为“余位待确认”")


class InstitutionsOut(BaseModel):
    institutions: list[InstitutionOut]
    next: int | None = Field(..., description="下一页的 after；没有下一页时为空")
    demo: bool = Field(..., description="是否为演示数据")
    note: str


class WhichIn(BaseModel):
    institution_id: int = Field(..., description="机构编号，见查询结果的 id", examples=[17])


class OwnerIn(BaseModel):
    organisation: str = Field(..., description="统一社会信用代码，要与白名单完全一致", examples=["52310101MJ4910001A"])


class VacanciesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    vacancies: int = Field(..., description="余位", examples=[12])
    places: int | None = Field(None, description="核定床位；没有变化可以不写", examples=[120])
    as_of: dt.datetime | None = Field(None, description="数字是什么时候的，带时区；不写就是现在")


class ReportedOut(BaseModel):
    institution_id: int
    vacancies: int | None
    places: int | None
    as_of: dt.datetime


@router.get(
    "/institutions",
    response=InstitutionsOut,
    summary="查询养老机构（区级平台）",
    description=f"区级自有平台查询一个区域里的养老机构和余位。{SIGNED}",
    auth=lambda request: admit(request, "institutions.read"),
)
def read_institutions(request: HttpRequest, ask: Query[InstitutionsIn]) -> dict[str, Any]:
    """Return institutions of the region that the call was admitted for."""
    admitted = request.auth  # type: ignore[attr-defined]
    rows, following = institutions_in(
        region=ask.region, organisation=admitted.organisation, after=ask.after, limit=ask.limit, scope=admitted.scope
    )
    published = published_now()
    names = names_of(published)
    codes = {row.region_id: names.region(row.region_id) for row in rows}
    return {
        "institutions": [_shape(row, getattr(codes[row.region_id], "code", "")) for row in rows],
        "next": following,
        "demo": published.demo,
        "note": DEMO_NOTE if published.demo else "",
    }


@router.post(
    "/institutions/{institution_id}/vacancies",
    response=ReportedOut,
    summary="填报余位（区级平台）",
    description=f"替白名单中的一家机构填报余位，办事页面立即显示。{SIGNED}",
    auth=lambda request: admit(request, "vacancies.report"),
)
def post_vacancies(
    request: HttpRequest, which: Path[WhichIn], owner: Query[OwnerIn], said: Body[VacanciesIn]
) -> ReportedOut:
    """Record vacancies of an institution that the organisation named in the call runs."""
    admitted = request.auth  # type: ignore[attr-defined]
    own = Facility.objects.filter(pk=which.institution_id, organisation=admitted.organisation)
    if admitted.organisation is None or not own.exists():
        raise NotFound("institution_unknown", "这家单位名下没有这个编号的机构，请核对。")
    report = report_capacity(
        facility_id=which.institution_id, vacancies=said.vacancies, places=said.places, as_of=said.as_of,
        reported_by="system", scope=admitted.scope,
    )  # fmt: skip
    return ReportedOut(
        institution_id=which.institution_id, vacancies=report.vacancies, places=report.places, as_of=report.as_of
    )


def _shape(row: Facility, code: str) -> dict[str, Any]:
    free = vacancies_at(row.vacancies, row.vacancies_as_of, row.vacancies_source, city_now())
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind_id,
        "kind_name": row.kind.name,
        "status": row.status,
        "address": row.address_text,
        "region": code,
        "organisation": row.organisation.credit_code if row.organisation else "",
        "places": row.places,
        "vacancies": row.vacancies,
        "vacancies_as_of": row.vacancies_as_of,
        "vacancies_said": free.text,
    }
