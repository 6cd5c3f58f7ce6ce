"""Forms for programs: what a form asks, as a JSON schema, and whether answers would be taken. Nothing is kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from geo.regions.queries import region_by_code
from geo.scope import Scope
from services.kernel.forms.answering import schema_of, validate
from services.kernel.forms.looking_up import CityKnown
from services.kernel.forms.versions.queries import Standing, standing_form

router = Router(tags=["表单"])


class WhereIn(Schema):
    """The region whose form is asked for."""

    region: str = Field(max_length=12, description="区划代码", examples=["310101"])


class FormOut(Schema):
    """What a form asks where it counts."""

    form: str
    entry: str
    title: str
    version: int = Field(description="版本号；0 是系统自带的")
    answers: dict[str, Any] = Field(description="答案的 JSON Schema（2020-12）")
    certificates: list[dict[str, Any]] = Field(description="要上传的材料：编码、名称、至少和最多几个、格式")


class AnswersIn(Schema):
    """Answers by key, as texts or in their kept forms."""

    answers: dict[str, Any] = Field(
        max_length=300, description="答案，键是字段代码", examples=[{"child_name": "王小明", "birthday": "2022-09-15"}]
    )


class FaultOut(Schema):
    """What is wrong with one answer."""

    field: str
    code: str
    sentence: str


class CheckedOut(Schema):
    """What would become of answers."""

    good: bool
    answers: dict[str, Any] = Field(description="会保存的样子；不显示的项不在里面")
    faults: list[FaultOut]


@router.get(
    "/forms/{form}/{entry}",
    response=FormOut,
    summary="一张表要填什么",
    description="某个区划今天使用的表：每一项的 JSON Schema 和要上传的材料。区级没有自己的表时，是上级的表。",
)
def form_asked(
    request: HttpRequest,
    form: str,
    entry: str,
    where: Query[WhereIn],
) -> FormOut:
    """Return what the form that counts in a region today asks."""
    standing = _standing(form, entry, where.region)
    papers = [paper.certificate for paper in standing.form.papers()]
    return FormOut(
        form=form, entry=entry, title=standing.form.title, version=standing.version.number if standing.version else 0,
        answers=schema_of(standing.form),
        certificates=[
            {"code": one.code, "name": one.name, "least": one.least, "most": one.most, "types": list(one.types)} for one in papers
        ],
    )  # fmt: skip


@router.post(
    "/forms/{form}/{entry}/validate",
    response=CheckedOut,
    summary="试查一份答案，不保存",
    description="用和网页同一套检查判断答案能不能提交，逐项说明哪里要改；不保存任何内容，也不检查材料。",
)
def form_checked(
    request: HttpRequest,
    form: str,
    entry: str,
    body: AnswersIn,
    where: Query[WhereIn],
) -> CheckedOut:
    """Return whether answers would be taken, by the very check that pages use; files are not judged."""
    checked = validate(
        _standing(form, entry, where.region).form, body.answers, known=CityKnown(), today=timezone.localdate()
    )
    faults = [FaultOut(field=one.field, code=one.code, sentence=one.sentence) for one in checked.faults]
    return CheckedOut(good=checked.good, answers=checked.answers, faults=faults)


def _standing(form: str, entry: str, region: str) -> Standing:
    place = region_by_code(region, scope=Scope.public())
    return standing_form(form=form[:40], entry=entry[:40], region_id=place.region_id)
