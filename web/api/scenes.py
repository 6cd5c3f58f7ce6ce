"""Three-dimensional models over HTTP for programs: the same that maps of ours are told."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from layers.scenes.models import Audience
from layers.scenes.queries import edition_of, scenes_in
from services.access.queries import scope_for
from web.doors.scenes.served import box_of, told

router = Router(tags=["三维模型"])


class ScenesIn(BaseModel):
    bbox: str = Field(
        "",
        max_length=100,
        description="西,南,东,北（CGCS2000 度）；缺省全部",
        examples=["121.46,31.22,121.49,31.24"],
    )


class SceneOut(BaseModel):
    key: str = Field(..., description="模型的标识")
    title: str
    kind: Literal["tileset", "model"] = Field(..., description="tileset 模型集（3D Tiles）；model 单体模型（glTF）")
    url: str = Field(..., description="tileset.json 或 model.glb 的网址；内容变了网址就变")
    positioned: bool = Field(
        ..., description="文件自己写明了位置（地心坐标）；否则按 lon、lat、heading_deg、scale 摆放"
    )
    lon: float
    lat: float
    height_m: float = Field(..., description="加到高度上的米数：原点离地面的高度，或从椭球面高换到地面的差")
    heading_deg: float = Field(..., description="从正北顺时针转的度数")
    scale: float
    box: list[float] = Field(..., description="西、南、东、北（CGCS2000 度）")
    heights: list[float] = Field(..., description="最低点和最高点离地面的米数")
    min_zoom: int = Field(..., description="平面地图从哪一级起加载")
    twin: str | None = Field(..., description="数字孪生页的网址；没有为 null")
    footprint: dict[str, Any] = Field(..., description="GeoJSON 面；里面的建筑不再画成白模")
    source: str
    as_of: str | None = Field(..., description="截至哪一天；不清楚为 null")
    bytes: int = Field(..., description="全部文件的大小")


class ScenesOut(BaseModel):
    scenes: list[SceneOut]
    edition: str = Field(..., description="内容一变就变")


@router.get("/scenes", response=ScenesOut, summary="有哪些三维模型")
def read_scenes(request: HttpRequest, response: HttpResponse, ask: Query[ScenesIn]) -> dict[str, Any]:
    """一块范围里您能看的三维模型；工作人员带着密钥或登录后，还有只给工作人员的。"""
    box = box_of(ask.bbox.split(",")) if ask.bbox.strip() else None
    shown = scenes_in(box, scope=scope_for(request))
    for_all = all(one.audience == Audience.EVERYONE for one in shown)
    response["Cache-Control"] = "public, max-age=60" if for_all else "private, no-cache"
    return {"scenes": [told(one) for one in shown], "edition": edition_of(shown)}
