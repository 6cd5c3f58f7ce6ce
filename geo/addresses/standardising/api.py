"""HTTP of standardising a list at once; the one who mounts the route says who may ask: ``request.auth`` is the scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Router

from geo.addresses.api import DEMO_NOTE
from geo.addresses.gazetteer import published_now
from geo.addresses.positions import written
from geo.addresses.standardising import schemas
from geo.addresses.standardising.outcomes import Item, Standardised, Status, reason_of
from geo.addresses.standardising.standard import standardise
from geo.crs import System
from geo.errors import BadInput, TooLarge

router = Router(tags=["地址规范化"])
MOST_ITEMS: Final = 10_000
LONGEST_ID: Final = 100


@router.post(
    "/addresses/standardise",
    response=schemas.StandardisedOut,
    summary="批量规范地址",
    openapi_extra={"requestBody": schemas.json_example()},
)
def standardise_list(request: HttpRequest) -> HttpResponse:
    """把最多 10,000 个地址逐行规范：规范写法、各个成分、坐标、误差半径、状态和原因。一行有问题不影响其他行，不会少行。"""
    body = _body(request)
    given = body.get("items")
    if not isinstance(given, list):
        raise BadInput(
            "items_invalid", "items 要是一个列表，每项写一个地址，或 {id, address, district}。", parameter="items"
        )
    if not given:
        raise BadInput(
            "items_empty", "items 里没有内容。每项写一个地址，或 {id, address, district}。", parameter="items"
        )
    if len(given) > MOST_ITEMS:
        said = f"一次最多 {MOST_ITEMS:,} 项，收到 {len(given):,} 项。请分批提交，或把文件交给 /addresses/batches。"
        raise TooLarge("items_too_many", said, most=MOST_ITEMS)
    crs = body.get("crs", "wgs84")
    if not isinstance(crs, str):
        raise BadInput("crs_unknown", "crs 要写坐标系的名称，例如 wgs84 或 sh2000。", parameter="crs")
    to = System.parse(crs)
    items = [_item(one) for one in given]
    read = standardise([item or Item("") for item in items], scope=request.auth)  # type: ignore[attr-defined]
    rows = [row if item else _invalid(row, one) for row, item, one in zip(read, items, given, strict=True)]
    demo = published_now().demo
    counts = Counter(row.status for row in rows)
    answer = {
        "items": rows_shape(rows, to),
        "total": len(rows),
        "counts": {str(status): counts[status] for status in Status},
        "crs": str(to),
        "crs_name": to.label,
        "demo": demo,
        **({"note": DEMO_NOTE} if demo else {}),
    }
    response = HttpResponse(orjson.dumps(answer), content_type="application/json; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except RequestDataTooBig:
        raise TooLarge("body_too_large", "内容超过 1 MB，请分批提交，或把文件交给 /addresses/batches。") from None
    except orjson.JSONDecodeError:
        raise BadInput("json_invalid", "内容不是有效的 JSON，请核对括号、引号和编码（UTF-8）。") from None
    if not isinstance(body, dict):
        raise BadInput("json_invalid", "内容要是一个 JSON 对象，里面有 items 和 crs。")
    return body


def _item(given: Any) -> Item | None:
    """Return an item of the list, or ``None`` for what is none."""
    if isinstance(given, str):
        return Item(given)
    if not isinstance(given, Mapping) or not isinstance(given.get("address"), str):
        return None
    district = given.get("district") or ""
    return Item(given["address"], _id(given), district) if isinstance(district, str) else None


def _id(given: Any) -> str | None:
    own = given.get("id") if isinstance(given, Mapping) else None
    return None if own is None else str(own)[:LONGEST_ID]


def _invalid(row: Standardised, given: Any) -> Standardised:
    return Standardised(row.row, "", Status.UNUSABLE, _id(given), reasons=(reason_of("item_invalid"),))


def rows_shape(rows: Sequence[Standardised], to: System) -> list[dict[str, Any]]:
    """Return rows as the API writes them, their points in ``to``."""
    spots = [spot for row in rows for spot in (row.spot, *(other.spot for other in row.others)) if spot]
    points = iter(written([spot.lon for spot in spots], [spot.lat for spot in spots], to))
    return [_shape(row, points) for row in rows]


def _shape(row: Standardised, points: Any) -> dict[str, Any]:
    spot, where = row.spot, row.where
    lon, lat = next(points) if spot else (None, None)
    return {
        "row": row.row,
        "id": row.id,
        "written": row.written,
        "status": str(row.status),
        "standard": row.standard,
        "parts": row.said,
        "level": spot.level if spot else None,
        "lon": lon,
        "lat": lat,
        "uncertainty_m": spot.uncertainty_m if spot else None,
        "label": spot.label if spot else None,
        "where": {
            "district": where.district,
            "street": where.street,
            "committee": where.committee,
            "code": where.code,
        },
        "confidence": row.confidence,
        "reasons": [{"code": one.code, "reason": one.reason} for one in row.reasons],
        "others": [_other(other.text, other.spot, points) for other in row.others],
        "ignored": [{"code": one.code, "reason": one.reason} for one in row.ignored],
    }


def _other(text: str, spot: Any, points: Any) -> dict[str, Any]:
    lon, lat = next(points) if spot else (None, None)
    return {
        "text": text,
        "level": spot.level if spot else None,
        "lon": lon,
        "lat": lat,
        "uncertainty_m": spot.uncertainty_m if spot else None,
    }
