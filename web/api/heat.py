"""Facts and their heat over HTTP: what is counted, and its told figures by cell or by region, for programs and for the map."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, Literal

import numpy as np
import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import BaseModel, ConfigDict, Field

from geo.errors import BadInput
from layers.facts.counting import RESOLUTIONS, Period
from layers.facts.registry import fact, visible_facts
from layers.heat.classes import Classes
from layers.heat.drawing import cells_within, features, fitting
from layers.heat.outlines import outlines_of
from layers.reading import Box
from services.access.queries import scope_for
from web.doors.watch.heat_parts import Question, about_fact, code_of

router = Router(tags=["热力和统计"])
WORLD: Final[Box] = (-180.0, -90.0, 180.0, 90.0)
PARAMETERS: Final = ("by", "from", "to", "compare_from", "compare_to", "per", "bbox", "shape")


class FactIn(BaseModel):
    fact: str = Field(..., description="统计项的标识，见 /facts", examples=["places"])


class FactOut(BaseModel):
    key: str
    title: str
    summary: str
    unit: str
    category: str
    source: str
    by: list[str] = Field(..., description="可以按什么统计：7–10 级网格、district 区、street 街镇")
    steps: list[Literal["day", "week", "month"]] = Field(..., description="可以选哪些时段；没有的只有现状")
    persons: bool = Field(..., description="涉及人：少于 10 人的不公布，只按整月")
    choices: list[str] = Field(..., description="可以用来缩小范围的参数")


class FactsOut(BaseModel):
    facts: list[FactOut]


class HeatIn(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    by: str = Field("9", description="7–10 级 H3 网格，或 district 区、street 街镇")
    first: dt.date | None = Field(None, alias="from", description="时段的第一天；有时间的统计项才有")
    last: dt.date | None = Field(None, alias="to", description="时段的最后一天，包含当天")
    then_first: dt.date | None = Field(None, alias="compare_from", description="要比较的时段的第一天")
    then_last: dt.date | None = Field(None, alias="compare_to", description="要比较的时段的最后一天")
    per: Literal["", "1000"] = Field("", description="1000：每千名居民，只按区或街镇")
    bbox: str = Field("", description="西,南,东,北（CGCS2000 度）；缺省全部")
    shape: Literal["none", "polygon", "point"] = Field(
        "none", description="none 只要数字；polygon、point 要能画的 GeoJSON"
    )


class ClassOut(BaseModel):
    step: int = Field(..., description="颜色的序号")
    words: str


class HeatOut(BaseModel):
    fact: str
    unit: str
    by: str = Field(..., description="答的是哪一级；要画的格子太多时比问的粗")
    palette: Literal["quantity", "gap", "diverging"]
    classes: list[ClassOut]
    hidden: bool = Field(..., description="有没有因为少于 10 人而不公布的")
    figures: list[tuple[str, float | None]] | None = Field(
        None, description="网格（H3）或区划代码，数字；不公布、没有为 null"
    )
    features: dict[str, Any] | None = Field(None, description="GeoJSON，每个有 value 和 class")


@router.get("/facts", response=FactsOut, summary="有哪些统计项")
def read_facts(request: HttpRequest) -> dict[str, Any]:
    """列出您能看的全部统计项，和它们能按什么、按哪些时段看。"""
    return {"facts": [about_fact(spec) for spec in visible_facts(scope=scope_for(request))]}


@router.get("/heat/{fact}", response=HeatOut, summary="一个统计项的热力")
def read_heat(request: HttpRequest, which: Path[FactIn], ask: Query[HeatIn]) -> HttpResponse:
    """按网格或区划数出的数字。数字先按全部范围数好，`bbox` 只取其中一块；/facts 的 choices 也是参数，几个值用英文逗号分开。"""
    scope = scope_for(request)
    spec = fact(which.fact, scope=scope)
    others = {name: request.GET[name] for name in request.GET if name not in PARAMETERS}
    question = Question(
        spec,
        scope,
        ask.by,
        _period(ask.first, ask.last, "from"),
        _period(ask.then_first, ask.then_last, "compare_from"),
        bool(ask.per),
        {name: [word.strip() for word in text.split(",") if word.strip()] for name, text in others.items()},
    )
    box = _box(ask.bbox)
    body = _cells(question, box, ask.shape) if question.gridded else _regions(question, ask.shape)
    answer = HttpResponse(body, content_type="application/json")
    answer["Cache-Control"] = "public, max-age=60" if spec.public else "private, no-cache"
    return answer


def _period(first: dt.date | None, last: dt.date | None, name: str) -> Period | None:
    if (first is None) != (last is None):
        raise BadInput("period_invalid", "时段要同时写第一天和最后一天。", parameter=name)
    if first is None or last is None:
        return None
    if not 2000 < first.year <= last.year < 2200:
        raise BadInput("period_invalid", "时段要在 2001 年到 2199 年之间。", parameter=name)
    return Period(first, last)


def _box(text: str) -> Box:
    if not text:
        return WORLD
    try:
        west, south, east, north = (float(each) for each in text.split(","))
    except ValueError:
        raise BadInput("bbox_invalid", "地图的范围要写成 西,南,东,北 四个经纬度。", parameter="bbox") from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise BadInput("bbox_invalid", "地图的范围不对：西要小于东，南要小于北。", parameter="bbox")
    return west, south, east, north


def _cells(question: Question, box: Box, shape: Literal["none", "polygon", "point"]) -> str:
    resolution = int(question.by)
    if resolution not in RESOLUTIONS:
        raise BadInput("by_unknown", "网格级别可选 7、8、9、10。", parameter="by")
    if shape == "none":
        heat = question.cells(resolution)
        inside = cells_within(heat, box)
        figures = zip(heat.cells[inside].tolist(), heat.values[inside].tolist(), strict=True)
        said = ",".join(f'["{cell:x}",{value:.10g}]' for cell, value in figures)
        return _whole(question, str(resolution), question.classes(heat.values), heat.hidden, "figures", f"[{said}]")
    heat, inside = fitting(question.cells, box, resolution)
    classes = question.classes(heat.values)
    return _whole(
        question, str(heat.resolution), classes, heat.hidden, "features", features(heat, inside, classes, shape)
    )


def _regions(question: Question, shape: str) -> str:
    values, hidden = question.regions.values, question.regions.hidden
    told = np.array([value for value in values.values() if value is not None], dtype=np.float64)
    classes = question.classes(told if question.then else told[told > 0])
    if shape == "none":
        said = orjson.dumps([[code_of(path), value] for path, value in values.items()]).decode()
        return _whole(question, question.by, classes, hidden, "figures", said)
    outlines = outlines_of(question.by)
    drawn = []
    for path, value in values.items():
        if path in outlines:
            shown = value is not None and (value != 0 or bool(question.then))
            step = int(classes.of(np.array([value]))[0]) if shown else 0
            told_of = orjson.dumps({"code": code_of(path), "value": value, "class": step}).decode()
            drawn.append(f'{{"type":"Feature","geometry":{outlines[path]},"properties":{told_of}}}')
    said = f'{{"type":"FeatureCollection","features":[{",".join(drawn)}]}}'
    return _whole(question, question.by, classes, hidden, "features", said)


def _whole(question: Question, by: str, classes: Classes, hidden: bool, name: str, said: str) -> str:
    about = {
        "fact": question.spec.key, "unit": question.unit, "by": by, "palette": classes.palette,
        "classes": [{"step": step, "words": words} for step, words in classes.words], "hidden": hidden,
    }  # fmt: skip
    return f'{orjson.dumps(about).decode()[:-1]},"{name}":{said}}}'
