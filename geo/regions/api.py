"""HTTP of regions: which are at a point, and lists of them with their boundaries.

The one who mounts these routes says who may ask: ``request.auth`` is the scope.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from geo.crs import Coordinate, System, convert
from geo.errors import BadInput
from geo.geometry import feature, feature_collection
from geo.imports.queries import shows_invented
from geo.names import plain
from geo.regions.models import RegionVersion
from geo.regions.queries import boundaries, children_of, current_city, regions_at, regions_under, versions_of
from geo.scope import Scope

MOST_ROWS: Final = 500
MOST_SHAPES: Final = 100
DEMO_NOTE: Final = "演示数据：地点、名称和边界都是虚构的。"

CRS = Field(
    "wgs84",
    description="坐标系：wgs84、cgcs2000、gcj02、bd09、sh2000、webmercator 或 epsg:4549 等；"
    "平面坐标系时 lon 为东坐标、lat 为北坐标（米）",
    examples=["wgs84"],
)


class AtIn(BaseModel):
    lon: float = Field(..., description="经度（平面坐标系时为东坐标，米）", examples=[121.4737])
    lat: float = Field(..., description="纬度（平面坐标系时为北坐标，米）", examples=[31.2304])
    crs: str = CRS


class RegionsIn(BaseModel):
    parent: str = Field(
        "", description="上级区划代码；给出 level 时列出其下所有该级区划", examples=["310101"], max_length=20
    )
    level: Literal["", "city", "district", "street", "committee"] = Field(
        "", description="级别：city 市、district 区、street 街镇、committee 居委；什么都不填时列出各区"
    )
    q: str = Field("", description="名称中包含的文字", examples=["外滩"], max_length=100)
    format: Literal["json", "geojson"] = Field("json", description="geojson：给出边界（每次最多 100 个）")
    limit: int = Field(200, description="最多列出多少个，1 到 500", ge=1, le=MOST_ROWS)
    cursor: str = Field("", description="上一页的 next", max_length=20)
    crs: str = CRS


class RegionOut(BaseModel):
    id: int
    code: str
    level: str
    level_name: str
    name: str
    parent_code: str | None
    lon: float
    lat: float
    area_km2: float


_REGION: dict[str, Any] = {
    "id": 12,
    "code": "310101002",
    "level": "street",
    "level_name": "街镇",
    "name": "南京东路街道",
    "parent_code": "310101",
    "lon": 121.4801,
    "lat": 31.2362,
    "area_km2": 2.417,
}


class AtOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "regions": [_REGION],
                "edition": {"name": "上海市行政区划 2026-08-01", "effective_on": "2026-08-01"},
                "reason": "",
                "crs": "wgs84",
                "demo": False,
            }
        }
    )
    regions: list[RegionOut]
    edition: dict[str, str | None] | None
    reason: str
    crs: str
    demo: bool
    note: str = ""


class RegionsOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"example": {"regions": [_REGION], "next": None, "crs": "wgs84", "demo": False}}
    )
    regions: list[RegionOut]
    next: str | None
    crs: str
    demo: bool
    note: str = ""


router = Router(tags=["区划"])


@router.get("/regions/at", response=AtOut, summary="一个位置属于哪个区、街镇、居委")
def read_regions_at(request: HttpRequest, ask: Query[AtIn]) -> dict[str, Any]:
    """由市到居委逐级列出一个位置所属的区划；落在边界上时归代码较小的一个，答案总是同一个。"""
    system = System.parse(ask.crs)
    point = _point(ask.lon, ask.lat, system)
    found = regions_at(point.x, point.y, scope=_scope(request))
    edition = found[-1].edition if found else None
    said = {"name": edition.name, "effective_on": _day(edition.effective_on)} if edition else None
    reason = "" if found else "这个位置不在任何已发布的区划内，可能在水面上或市界外。"
    return {"regions": _rows(found, system), "edition": said, "reason": reason, **_beside(system)}


@router.get(
    "/regions",
    response=RegionsOut | dict[str, Any],
    summary="按上级、级别或名称列出区划，可带边界",
)
def read_regions(request: HttpRequest, ask: Query[RegionsIn]) -> dict[str, Any]:
    """列出现行区划。format=geojson 时给出 FeatureCollection：缺省坐标系按 GeoJSON 标准为 WGS-84。"""
    system = System.parse(ask.crs)
    shapes = ask.format == "geojson"
    limit = min(ask.limit, MOST_SHAPES if shapes else MOST_ROWS)
    rows = list(_asked(ask, _scope(request))[: limit + 1])
    after = rows[limit - 1].code if len(rows) > limit else None
    rows = rows[:limit]
    beside = {"next": after, **_beside(system)}
    if not shapes:
        return {"regions": _rows(rows, system), **beside}
    drawn = boundaries([version.pk for version in rows])
    features = [
        feature(drawn[version.pk], said, system, key=said["id"])
        for version, said in zip(rows, _rows(rows, system), strict=True)
    ]
    return {**feature_collection(features), **beside}


def _scope(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]


def _asked(ask: RegionsIn, scope: Scope) -> Any:
    if ask.parent and ask.level:
        rows = regions_under(ask.parent, scope=scope).exclude(code=ask.parent)
    elif ask.parent:
        rows = children_of(ask.parent, scope=scope)
    else:
        rows = versions_of(scope=scope)
    level = ask.level or ("" if ask.parent or ask.q else "district")
    if level:
        rows = rows.filter(level=level)
    if ask.q:
        typed = plain(ask.q)
        rows = rows.filter(name__icontains=typed) if typed else rows.none()
    if ask.cursor:
        rows = rows.filter(code__gt=ask.cursor)
    return rows.order_by("code")


def _rows(versions: Sequence[RegionVersion], system: System) -> list[dict[str, Any]]:
    rows = []
    for version in versions:
        label = convert(Coordinate(version.label.x, version.label.y, System.CGCS2000), system)
        decimals = 7 if system.is_geographic else 3
        above = version.path.rstrip(".").split(".")[:-1]
        rows.append(
            {
                "id": version.region_id,
                "code": version.code,
                "level": version.level,
                "level_name": version.get_level_display(),
                "name": version.name,
                "parent_code": above[-1] if above else None,
                "lon": round(label.x, decimals),
                "lat": round(label.y, decimals),
                "area_km2": round(version.area_m2 / 1e6, 4),
            }
        )
    return rows


def _point(x: float, y: float, system: System) -> Coordinate:
    """Return the point in CGCS2000 degrees; say so when the two numbers only make sense the other way round."""
    if not (math.isfinite(x) and math.isfinite(y)):
        raise BadInput("coordinates_not_finite", "lon 和 lat 要是有效的数字。", parameter="lon")
    point = _in_city(x, y, system)
    if point is not None:
        return point
    city = current_city()
    if _in_city(y, x, system) is not None:
        raise BadInput(
            "axes_swapped",
            f"经纬度好像写反了：收到 lon={x:g}、lat={y:g}，对调后正好在{city.name}。先写经度，再写纬度。",
            suggestion={"lon": y, "lat": x},
        )
    raise BadInput(
        "off_map", f"这个位置不在{city.name}范围内。请核对坐标和坐标系（现在按 {system} 理解）。", crs=str(system)
    )


def _in_city(x: float, y: float, system: System) -> Coordinate | None:
    try:
        point = convert(Coordinate(x, y, system), System.CGCS2000)
    except BadInput:
        return None
    box = current_city().bbox
    return point if box.west <= point.x <= box.east and box.south <= point.y <= box.north else None


def _beside(system: System) -> dict[str, Any]:
    demo = shows_invented()
    return {"crs": str(system), "demo": demo, **({"note": DEMO_NOTE} if demo else {})}


def _day(day: Any) -> str | None:
    return day.isoformat() if day else None
