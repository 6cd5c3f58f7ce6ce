"""HTTP of addresses: from words to a point and back, and conversion of points and addresses between coordinate systems.

The one who mounts these routes says who may ask: ``request.auth`` is the scope.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from geo.addresses import schemas
from geo.addresses.conversion import Converted, convert_items
from geo.addresses.gazetteer import published_now
from geo.addresses.geocode import Candidate, Penalty, geocode
from geo.addresses.positions import position, written
from geo.addresses.queries import reverse
from geo.crs import System, notes
from geo.errors import BadInput, TooLarge
from geo.regions.queries import current_city

router = Router(tags=["地址与坐标"])
DEMO_NOTE: Final = "演示数据：地点、名称和数字都是虚构的，请勿用于实际出行。"


@router.get("/geocode", response=schemas.CandidatesOut, summary="地址找位置")
def read_geocode(request: HttpRequest, ask: Query[schemas.GeocodeIn]) -> HttpResponse:
    """给一个地址，返回可能的位置：由准到粗，每个都写明定位到哪一级、误差半径和不确定的原因。不认识时返回空列表。"""
    to = System.parse(ask.crs)
    return _candidates(geocode(ask.q, scope=_scope(request), limit=ask.limit), to)


@router.get("/reverse", response=schemas.CandidatesOut, summary="位置找地址")
def read_reverse(request: HttpRequest, ask: Query[schemas.ReverseIn]) -> HttpResponse:
    """给一个位置，返回那里的门牌、小区、道路和区划，各写明相距多少米。"""
    to = System.parse(ask.crs)
    point = position(ask.lon, ask.lat, to, current_city())
    return _candidates(reverse(point.x, point.y, scope=_scope(request)), to)


@router.post(
    "/convert",
    response=schemas.ConvertOut,
    summary="批量转换坐标和地址",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": schemas.ConvertIn.model_json_schema(),
                    "example": {
                        "items": [
                            {"id": "1", "x": 121.4737, "y": 31.2304},
                            {"id": "2", "address": "黄浦区艾家弄86号"},
                        ],
                        "crs_from": "wgs84",
                        "crs": "sh2000",
                    },
                }
            },
        }
    },
)
def convert_points(request: HttpRequest) -> HttpResponse:
    """把最多 10,000 个点或地址转成同一个坐标系（例如上海2000）。某一项有问题时只有那一项写明原因，其余照常转换。"""
    body = _body(request)
    items = body.get("items")
    if not isinstance(items, list):
        raise BadInput("items_invalid", "items 要是一个列表，每项写 {x, y} 或 {address}。", parameter="items")
    source, to = (System.parse(_word(body, key, usual)) for key, usual in (("crs_from", "wgs84"), ("crs", "sh2000")))
    rows = convert_items(items, source, to, scope=_scope(request))
    failed = sum(1 for row in rows if row.error)
    answer = {
        "items": [_converted(row) for row in rows],
        "converted": len(rows) - failed,
        "failed": failed,
        "crs_from": str(source),
        "crs": str(to),
        "crs_name": to.label,
        "notes": list(notes(source, to)),
        **_demo(any(row.candidate for row in rows)),
    }
    return _json(answer)


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except RequestDataTooBig:
        raise TooLarge("body_too_large", "内容超过 1 MB，请分批提交。") from None
    except orjson.JSONDecodeError:
        raise BadInput("json_invalid", "内容不是有效的 JSON，请核对括号、引号和编码（UTF-8）。") from None
    if not isinstance(body, dict):
        raise BadInput("json_invalid", "内容要是一个 JSON 对象，里面有 items、crs_from 和 crs。")
    return body


def _word(body: dict[str, Any], key: str, usual: str) -> str:
    word = body.get(key, usual)
    if not isinstance(word, str):
        raise BadInput("crs_unknown", f"{key} 要写坐标系的名称，例如 wgs84 或 sh2000。", parameter=key)
    return word


def _scope(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]


def _candidates(found: list[Candidate], to: System) -> HttpResponse:
    points = written([candidate.lon for candidate in found], [candidate.lat for candidate in found], to)
    shapes = [_candidate(candidate, point) for candidate, point in zip(found, points, strict=True)]
    return _json({"candidates": shapes, "crs": str(to), **_demo(True)})


def _candidate(candidate: Candidate, point: tuple[float, float]) -> dict[str, Any]:
    region = candidate.region
    shape = {
        "lon": point[0],
        "lat": point[1],
        "label": candidate.label,
        "level": candidate.level,
        "uncertainty_m": candidate.uncertainty_m,
        "region": None
        if region is None
        else {"code": region.code, "level": region.level, "name": region.name, "full_name": region.full_name},
        "source": candidate.source,
        "penalties": [_penalty(penalty) for penalty in candidate.penalties],
    }
    return shape if candidate.metres is None else shape | {"metres": candidate.metres}


def _converted(row: Converted) -> dict[str, Any]:
    shape: dict[str, Any] = {"row": row.row, "id": row.id, "x": row.x, "y": row.y}
    if row.candidate is not None:
        shape |= {
            "level": row.candidate.level,
            "label": row.candidate.label,
            "uncertainty_m": row.candidate.uncertainty_m,
            "penalties": [_penalty(penalty) for penalty in row.candidate.penalties],
        }
    return shape | {"error": _penalty(row.error)} if row.error else shape


def _penalty(penalty: Penalty) -> dict[str, str]:
    return {"code": penalty.code, "reason": penalty.reason}


def _demo(uses_data: bool) -> dict[str, Any]:
    """Say whether invented data stands behind an answer; bare arithmetic on points rests on none."""
    demo = uses_data and published_now().demo
    return {"demo": demo, **({"note": DEMO_NOTE} if demo else {})}


def _json(body: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(orjson.dumps(body), content_type="application/json; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
