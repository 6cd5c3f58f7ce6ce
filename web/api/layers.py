"""The catalogue of layers over HTTP: what there is for the caller, and all that is known of one."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Path, Router
from pydantic import BaseModel, Field

from layers.registry import layer
from services.access.queries import scope_for
from web.doors.catalogue.shown import about_layer, listed_layers, root_of

router = Router(tags=["图层目录"])


class KeyIn(BaseModel):
    key: str = Field(..., description="图层的标识，见 /layers", examples=["places"])


class LayerBrief(BaseModel):
    key: str = Field(..., description="图层的标识")
    title: str
    category: str
    summary: str
    geometry: Literal["point", "line", "polygon"]
    audience: Literal["everyone", "staff"] = Field(..., description="everyone 所有人；staff 有权限的工作人员")
    as_of: str | None = Field(..., description="内容截至的时刻（ISO 8601）；不清楚时为 null")
    links: dict[str, str] = Field(..., description="说明、瓦片、TileJSON、OGC 集合的网址")


class LayersOut(BaseModel):
    layers: list[LayerBrief]


class AttributeOut(BaseModel):
    name: str
    title: str
    kind: Literal["text", "whole", "number", "yes_no", "day", "moment"]


class LayerOut(LayerBrief):
    category_title: str
    source: str = Field(..., description="来源和加工")
    attribution: str = Field(..., description="使用时要写明的版权")
    crs: str
    extent: list[float] | None = Field(..., description="西、南、东、北（CGCS2000 度）；没有要素时为 null")
    from_day: str | None
    to_day: str | None
    features: int = Field(..., description="要素的数量")
    features_exact: bool = Field(..., description="数量是不是数出来的；很多时是估计")
    attributes: list[AttributeOut]
    edition: str = Field(..., description="内容一变就变")
    updated: str = Field(..., description="什么时候更新")
    min_zoom: int
    max_zoom: int


@router.get("/layers", response=LayersOut, summary="有哪些图层")
def read_layers(request: HttpRequest) -> dict[str, Any]:
    """列出您能看的全部图层；工作人员带着密钥或登录后，还有只给工作人员的。"""
    return {"layers": listed_layers(scope=scope_for(request), root=root_of(request))}


@router.get("/layers/{key}", response=LayerOut, summary="一个图层的说明")
def read_layer(request: HttpRequest, which: Path[KeyIn]) -> dict[str, Any]:
    """一个图层的类别、属性、范围、数量、版本、截至时间、版权和怎么取。"""
    scope = scope_for(request)
    return about_layer(layer(which.key, scope=scope), scope=scope, root=root_of(request))
