"""HTTP of fences: which count, one with its versions, and which hold a position or an address, or ten thousand.

The one who mounts these routes says who may ask: ``request.auth`` is the scope. Positions and addresses are not kept and stand
in the body; a list may be narrowed by one in the URL, which the log leaves out.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any, Final

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router

from geo.addresses.api import DEMO_NOTE
from geo.addresses.gazetteer import Published, names_of, published_now
from geo.addresses.positions import box, position
from geo.crs import System, notes
from geo.errors import BadInput, TooLarge
from geo.etags import holds_already
from geo.fences.areas import shape_of
from geo.geometry import feature, feature_collection
from geo.regions.models import Level
from geo.regions.queries import current_city
from geo.scope import Scope
from services.fencing.live import LiveFences, live_fences
from services.fencing.serving import schemas
from services.fencing.serving.answers import (
    checked_columns,
    checked_items,
    fence_shape,
    moment_text,
    outcomes_of,
    tally,
    version_shape,
)
from services.fencing.serving.asking import Asked, asked_columns, asked_items, moment_asked, purposes_asked
from services.fencing.serving.checking import Checked, check
from services.fencing.serving.listing import (
    Wanted,
    fence_live,
    fences_of_rows,
    page_of,
    rows_wanted,
    versions_of_fence,
)

router = Router(tags=["围栏"])
checking = Router(tags=["围栏"])
MOST_SHAPES: Final = 100
_BODY: Final = "内容要是一个 JSON 对象，里面有 items、lon 和 lat，或 address。"


@checking.post(
    "/fences/check",
    response=schemas.CheckManyOut | schemas.CheckColumnsOut | schemas.CheckOneOut,
    summary="位置或地址在哪些围栏内",
    openapi_extra={"requestBody": schemas.json_examples()},
)
def check_fences(request: HttpRequest) -> HttpResponse:
    """一次问一个或一批（最多 10,000 个位置、1,000 个地址），按那个时刻算数、那时生效的围栏逐项回答，不少项、不换序。

    每项写明在哪些围栏内、离边界多少米；地址还写明误差半径，整个误差圆都在同样的围栏内才算确定（sure）。位置不保存。
    """
    body, scope = _body(request), _scope(request)
    at, system = moment_asked(_word(body, "at")), System.parse(_word(body, "crs", "wgs84"))
    asked, write = _asked(body)
    purposes = purposes_asked(_word(body, "purpose"), scope)
    checked = check(asked, system=system, at=at, purposes=purposes, scope=scope)
    published = published_now()
    answer = write(checked, system, published)
    return _json({**answer, "at": moment_text(at), **_beside(system, published)})


@router.get("/fences", response=schemas.FencesOut | dict[str, Any], summary="有哪些围栏")
def read_fences(request: HttpRequest, ask: Query[schemas.FencesIn]) -> HttpResponse:
    """某个时刻算数的围栏，按用途、区、责任单位、范围或位置找。一页一页取：把 next 作为 cursor 再问，直到 next 为 null。

    不看每周的生效时段（见 hours）；要问此刻在不在内，请用 /fences/check。
    """
    scope, system, at = _scope(request), System.parse(ask.crs), moment_asked(ask.at)
    wanted = _wanted(ask, system, scope)
    live, published = live_fences(at=at), published_now()
    rows = rows_wanted(wanted, live, scope=scope)
    tag = _tag(live, rows, published, ask.model_dump_json(exclude={"at"}))
    if holds_already(request, tag):
        return _tagged(HttpResponse(status=304), tag, scope)
    shapes = ask.format == "geojson"
    page, after = page_of(rows, live, after=ask.cursor, limit=min(ask.limit, MOST_SHAPES) if shapes else ask.limit)
    fences, names = fences_of_rows(page, live), names_of(published)
    told = [fence_shape(fence, names) for fence in fences]
    found = (
        feature_collection(
            [feature(shape_of(fence), said, system, said["id"]) for fence, said in zip(fences, told, strict=True)]
        )
        if shapes
        else {"fences": told}
    )
    body = {**found, "total": len(rows), "next": after, "at": moment_text(at), **_beside(system, published)}
    return _tagged(_json(body), tag, scope)


@router.get("/fences/{uuid:fence_id}", response=schemas.FenceFeatureOut, summary="一个围栏，带边界")
def read_fence(request: HttpRequest, which: Path[schemas.WhichIn], ask: Query[schemas.FenceIn]) -> HttpResponse:
    """一个围栏在某个时刻算数的样子（GeoJSON）。编号各版相同；那时没有它，就是 404。"""
    scope, system, at = _scope(request), System.parse(ask.crs), moment_asked(ask.at)
    fence, published = fence_live(which.fence_id, at=at, scope=scope), published_now()
    tag = _digest(fence.pk, published.key, system)
    if holds_already(request, tag):
        return _tagged(HttpResponse(status=304), tag, scope)
    told = fence_shape(fence, names_of(published))
    drawn = feature(shape_of(fence), told, system, told["id"])
    return _tagged(_json({**drawn, "at": moment_text(at), **_beside(system, published)}), tag, scope)


@router.get("/fences/{uuid:fence_id}/versions", response=schemas.FenceVersionsOut, summary="一个围栏的各版")
def read_versions(request: HttpRequest, which: Path[schemas.WhichIn]) -> HttpResponse:
    """每一版叫什么、归谁、从何时到何时算数，新的在前。"""
    scope, published = _scope(request), published_now()
    versions = versions_of_fence(which.fence_id, scope=scope)
    names = names_of(published)
    body = {"versions": [version_shape(version, names) for version in versions], **_demo(published)}
    tag = _digest(body)
    return _tagged(HttpResponse(status=304) if holds_already(request, tag) else _json(body), tag, scope)


def _asked(body: dict[str, Any]) -> tuple[Asked, Any]:
    """Return what is asked and how it is answered: as it was asked."""
    if body.get("items") is not None:
        return asked_items(body["items"]), _many
    if isinstance(body.get("lon"), list) or isinstance(body.get("lat"), list):
        return asked_columns(body.get("lon"), body.get("lat"), body.get("id")), _columns
    if body.get("address") is None and body.get("lon") is None and body.get("lat") is None:
        raise BadInput("json_invalid", _BODY)
    return asked_items([{name: body[name] for name in ("lon", "lat", "address") if body.get(name) is not None}]), _one


def _many(checked: Checked, system: System, published: Published) -> dict[str, Any]:
    items = checked_items(checked, names_of(published), system)
    return {"items": items, "total": len(items), "counts": tally(item["outcome"] for item in items)}


def _columns(checked: Checked, _system: System, published: Published) -> dict[str, Any]:
    counts = tally(outcomes_of(checked))
    return {**checked_columns(checked, names_of(published)), "total": len(checked.asked), "counts": counts}


def _one(checked: Checked, system: System, published: Published) -> dict[str, Any]:
    """Return the answer of the only row. Raises ``BadInput`` where it is none, as every route does."""
    fault = checked.faults.get(0)
    if fault is not None:
        x, y = float(checked.asked.x[0]), float(checked.asked.y[0])
        if not math.isnan(x):
            position(x, y, system, current_city())
        raise BadInput(fault.code, fault.reason)
    return checked_items(checked, names_of(published), system)[0]


def _wanted(ask: schemas.FencesIn, system: System, scope: Scope) -> Wanted:
    city = current_city()
    point = None
    if ask.lon is not None or ask.lat is not None:
        nan = math.nan
        found = position(nan if ask.lon is None else ask.lon, nan if ask.lat is None else ask.lat, system, city)
        point = (found.x, found.y)
    return Wanted(
        purposes_asked(ask.purpose, scope),
        _district(ask.district.strip()),
        ask.owner.strip(),
        box(ask.bbox, system, city) if ask.bbox else None,
        point,
    )


def _district(text: str) -> int | None:
    if not text:
        return None
    names = names_of(published_now())
    found = names.districts.get(text) or names.districts.get(f"{text}区") or names.by_code.get(text)
    if found is None or found.level != Level.DISTRICT:
        raise BadInput("district_unknown", f"没有叫“{text[:20]}”的区，请核对。", parameter="district")
    return found.id


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except RequestDataTooBig:
        raise TooLarge("body_too_large", "内容超过 1 MB，请分批提交。") from None
    except orjson.JSONDecodeError:
        raise BadInput(
            "json_invalid", "内容不是有效的 JSON：数字不能写 NaN，请核对括号、引号和编码（UTF-8）。"
        ) from None
    if not isinstance(body, dict):
        raise BadInput("json_invalid", _BODY)
    return body


def _word(body: dict[str, Any], key: str, usual: str = "") -> str:
    word = body.get(key, usual)
    if word is not None and not isinstance(word, str):
        raise BadInput("parameter_invalid", f"{key} 要写文字。", parameter=key)
    return word or usual


def _scope(request: HttpRequest) -> Scope:
    scope: Scope = request.auth  # type: ignore[attr-defined]
    return scope


def _tag(live: LiveFences, rows: list[int], published: Published, question: str) -> str:
    """Return the mark of a list: the editions that count, which of their fences, and how they are told."""
    return _digest([str(edition) for edition in live.editions], rows, published.key, question)


def _digest(*facts: Any) -> str:
    return f'"{hashlib.blake2b(repr(facts).encode(), digest_size=10).hexdigest()}"'


def _tagged(response: HttpResponse, tag: str, scope: Scope) -> HttpResponse:
    """Let an answer be kept by who asked, and asked for again: the next edition may count from this moment."""
    response["ETag"] = f"W/{tag}"
    response["Cache-Control"] = f"{'public' if scope == Scope.public() else 'private'}, no-cache"
    response["Vary"] = "Authorization, X-API-Key, Cookie"
    return response


def _beside(system: System, published: Published) -> dict[str, Any]:
    return {"crs": str(system), "notes": list(notes(system, System.CGCS2000)), **_demo(published)}


def _demo(published: Published) -> dict[str, Any]:
    return {"demo": published.demo, **({"note": DEMO_NOTE} if published.demo else {})}


def _json(body: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(orjson.dumps(body), content_type="application/json; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
