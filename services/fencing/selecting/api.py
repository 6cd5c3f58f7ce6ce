"""HTTP of 圈选: what lies in marked ground, listed, counted, or taken as a file.

The one who mounts these routes says who may ask: ``request.auth`` is the scope. What is marked stands in the body, kept nowhere.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import Router
from pydantic import ValidationError

from geo.addresses.api import DEMO_NOTE
from geo.addresses.positions import position, written
from geo.crs import Coordinate, System
from geo.errors import BadInput, TooLarge
from geo.geometry import geometry_from_object
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.facilities.kinds import kind_of, kinds_named
from services.fencing.selecting import schemas
from services.fencing.selecting.counting import Selected, select
from services.fencing.selecting.grounds import Marked, Reached, Round, ground_of
from services.fencing.selecting.residents import Residents
from services.fencing.selecting.tables import write_table

router = Router(tags=["圈选"])


@router.post(
    "/select",
    response=schemas.SelectOut,
    summary="圈选：范围内的机构和统计",
    openapi_extra={"requestBody": schemas.json_examples()},
)
def select_resources(request: HttpRequest) -> HttpResponse:
    """按行政区划、围栏、自定义图形、几分钟能到的范围圈选（可以一起用，合在一起算），给出机构清单和按类别、按区划的统计。

    要有“圈选资源”权限。写 format 就把清单取成 Excel 或 CSV 文件。只统计公开的机构、小区和门牌，不涉及个人。
    """
    ask, scope = _ask(request), _scope(request)
    system = System.parse(ask.crs)
    selected = select(ground_of(_marked(ask, system), scope=scope), kinds=kinds_named(ask.kinds), scope=scope)
    if ask.format != "json":
        return file_of(request, selected, ask.format, system)
    response = HttpResponse(
        orjson.dumps(_shape(selected, ask.limit, system)), content_type="application/json; charset=utf-8"
    )
    response["Cache-Control"] = "no-store"
    return response


def file_of(request: HttpRequest, selected: Selected, ending: str, system: System) -> HttpResponse:
    """Return what was selected as a file; that it was taken is written down."""
    body, form = write_table(selected, ending, system)
    detail = {"selection": list(selected.ground.parts)[:20], "format": ending, "rows": len(selected.facilities)}
    record_audit(act=AuditAct.LEDGER_EXPORTED, request=request, detail=detail)
    response = HttpResponse(body, content_type=form.media_type)
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=f"圈选.{form.ending}") or ""
    )
    response["Cache-Control"] = "no-store"
    return response


def _marked(ask: schemas.SelectIn, system: System) -> Marked:
    city = current_city()

    def place(lon: float, lat: float) -> Coordinate:
        return position(lon, lat, system, city)

    return Marked(
        regions=ask.regions,
        fences=ask.fences,
        shapes=[geometry_from_object(ask.shape, system)] if ask.shape is not None else [],
        circles=[Round(place(ask.circle.lon, ask.circle.lat), ask.circle.radius_m)] if ask.circle else [],
        reaches=[
            Reached(
                each.mode,
                each.minutes,
                place(each.lon, each.lat) if each.lon is not None and each.lat is not None else None,
                each.place,
            )
            for each in ask.reach
        ],
    )


def _shape(selected: Selected, limit: int, system: System) -> dict[str, Any]:
    rows = selected.facilities[:limit]
    points = written([row["geom"].x for row in rows], [row["geom"].y for row in rows], system)
    demo = selected.published.demo
    return {
        "parts": selected.ground.parts,
        "total": len(selected.facilities),
        "kinds": [{name: getattr(kind, name) for name in schemas.KindOut.model_fields} for kind in selected.kinds],
        "regions": [
            {"code": region.code if region else None, "name": region.name if region else "", "count": count}
            for region, count in selected.regions
        ],
        "ground": {
            "area_km2": round(selected.area_m2 / 1e6, 4),
            **{
                name: getattr(selected, name)
                for name in ("committees_met", "committees_whole", "communities", "addresses")
            },
        },
        "residents": _residents(selected.residents),
        "facilities": [_facility(row, point, selected) for row, point in zip(rows, points, strict=True)],
        "crs": str(system),
        "demo": demo,
        **({"note": DEMO_NOTE} if demo else {}),
    }


def _residents(found: Residents | None) -> dict[str, Any] | None:
    if found is None:
        return None
    bands = [{"name": name, "persons": persons} for name, persons in found.bands]
    return {name: getattr(found, name) for name in ("year", "committees", "hidden", "total")} | {"bands": bands}


def _facility(row: dict[str, Any], point: tuple[float, float], selected: Selected) -> dict[str, Any]:
    region = selected.names.region(row["region_id"])
    return {
        "id": row["id"],
        "name": row["name"],
        "kind": row["kind_id"],
        "kind_name": kind_of(row["kind_id"]).name,
        "region": region.full_name if region else None,
        "address": row["address_text"],
        "phone": row["phone"],
        "lon": point[0],
        "lat": point[1],
        "places": row["places"],
        "vacancies": row["vacancies"],
    }


def _ask(request: HttpRequest) -> schemas.SelectIn:
    try:
        return schemas.SelectIn.model_validate(orjson.loads(request.body))
    except RequestDataTooBig:
        raise TooLarge("body_too_large", "内容超过 1 MB，请先减少图形的顶点，或用围栏导入。") from None
    except orjson.JSONDecodeError:
        raise BadInput("json_invalid", "内容不是有效的 JSON，请核对括号、引号和编码（UTF-8）。") from None
    except ValidationError as fault:
        faults = [{"parameter": ".".join(map(str, each["loc"])), "message": each["msg"]} for each in fault.errors()]
        names = "、".join(dict.fromkeys(each["parameter"] for each in faults if each["parameter"]))
        said = f"参数有误：{names or '请求体'}。请对照 /api/docs 核对。"
        raise BadInput("parameter_invalid", said, errors=faults[:20]) from None


def _scope(request: HttpRequest) -> Scope:
    scope: Scope = request.auth  # type: ignore[attr-defined]
    return scope
