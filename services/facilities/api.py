"""HTTP of facilities: the circle, the nearest, the way to one, lists, one in detail and the kinds there are."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import orjson
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router

from geo.addresses.gazetteer import published_now
from geo.addresses.positions import box, position, written
from geo.addresses.suggesting.ranking import Fit
from geo.crs import System
from geo.errors import BadInput
from geo.etags import holds_already
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.queries import scope_for
from services.facilities import schemas
from services.facilities.actions import edition_key
from services.facilities.answers import circle_shape, nearest_shape, origin_shape, way_shape
from services.facilities.circle import circle, nearest_by_road
from services.facilities.filters import Filters, filters_from
from services.facilities.ground import current_graph
from services.facilities.journeys import check_journey
from services.facilities.kinds import GROUPS, kinds_named, kinds_of_group
from services.facilities.models import FacilityStatus
from services.facilities.nearest import facilities_near
from services.facilities.queries import city_now, counts_by_kind, facilities_in, facility_detail
from services.facilities.search import search
from services.facilities.shapes import DEMO_NOTE, detail_shape, places_shape, stated, whole_metres
from services.facilities.way import way_to

router = Router(tags=["设施"])
heavy = Router(tags=["15 分钟圈"])
KEPT_SECONDS: Final = 60
"""How long an answer is kept: opening hours and vacancies are never older than that."""


@heavy.get("/circle", response=schemas.CircleOut, summary="15 分钟圈：走得到的范围和其中的设施")
def read_circle(request: HttpRequest, ask: Query[schemas.CircleIn]) -> HttpResponse:
    """从一个位置出发，在给定分钟内走得到的范围（多边形），以及其中的设施，按路上的时间由近到远。"""
    scope = scope_for(request)
    kept = Kept(("circle", scope, ask.model_dump_json(), current_graph().meta.version))
    if kept.body is None:
        kept.keep(_circle(ask, scope))
    return answer(request, kept.body or b"", scope)


def _circle(ask: schemas.CircleIn, scope: Scope) -> bytes:
    to = System.parse(ask.crs)
    check_journey(ask.mode, ask.minutes)
    origin = position(ask.lon, ask.lat, to, current_city())
    found = circle(
        scope=scope,
        origin=origin,
        minutes=ask.minutes,
        mode=ask.mode,
        kinds=kinds_named(ask.kinds),
        filters=_filters(ask),
        limit=ask.limit,
        bands=ask.bands,
    )
    return _bytes(circle_shape(found, to, bands=ask.bands))


@heavy.get("/nearest", response=schemas.NearestOut, summary="离得最近的设施")
def read_nearest(request: HttpRequest, ask: Query[schemas.NearestIn]) -> HttpResponse:
    """离一个位置最近的几家设施：给出 mode 时按路上的时间，不给时按直线距离（椭球面上的米）。"""
    to = System.parse(ask.crs)
    origin = position(ask.lon, ask.lat, to, current_city())
    kinds, filters, scope = kinds_named(ask.kinds), _filters(ask), scope_for(request)
    question: dict[str, Any] = {"scope": scope, "kinds": kinds, "k": ask.k, "filters": filters}
    if ask.mode:
        return answer(
            request, _bytes(nearest_shape(nearest_by_road(origin=origin, mode=ask.mode, **question), to)), scope
        )
    found = facilities_near(origin.x, origin.y, **question)
    extras = [{"metres": whole_metres(near.metres), "straight_m": whole_metres(near.metres)} for near in found]
    body = {
        "origin": origin_shape(origin, None, to),
        "places": places_shape([near.place for near in found], to, extras),
        "next": None,
        **stated(published_now(), to),
    }
    return answer(request, _bytes(body), scope)


@heavy.get("/route", response=schemas.RouteOut, summary="去一家设施怎么走")
def read_route(request: HttpRequest, ask: Query[schemas.RouteIn]) -> HttpResponse:
    """从一个位置到一家设施最快的走法：一条从门口到门口的线，分钟和米数与 15 分钟圈里的一致。走不到时说明原因。"""
    to = System.parse(ask.crs)
    origin = position(ask.lon, ask.lat, to, current_city())
    scope = scope_for(request)
    way = way_to(scope=scope, origin=origin, place_id=ask.place, mode=ask.mode)
    return answer(request, _bytes(way_shape(way, to)), scope)


@router.get("/suggest", response=schemas.SuggestionsOut, summary="搜索框：边输入边提示")
def read_suggestions(request: HttpRequest, ask: Query[schemas.SuggestIn]) -> HttpResponse:
    """一个搜索框找设施、小区、道路、门牌和区划，汉字、拼音和首字母都可以，打错一个字也能找到；门牌号写到一半，按号码列出能接上的。

    先列与所写相同的，再列含有它的；这些很少时才列读音相近或只差一个字的，并标明 corrected。
    """
    to, scope = System.parse(ask.crs), scope_for(request)
    near = None
    if ask.lon is not None and ask.lat is not None:
        point = position(ask.lon, ask.lat, to, current_city())
        near = (point.x, point.y)
    found = search(ask.q, scope=scope, near=near, limit=ask.limit)
    points = written([item.lon for item in found], [item.lat for item in found], to)
    shapes = [
        {
            "what": item.what,
            "id": item.id,
            "label": item.label,
            "where": item.where,
            "lon": x,
            "lat": y,
            "uncertainty_m": item.uncertainty_m,
            "metres": None if item.metres is None else whole_metres(item.metres),
            "fit": Fit(item.fit).name.lower(),
            "corrected": item.corrected,
            "said": item.said,
        }
        for item, (x, y) in zip(found, points, strict=True)
    ]
    return answer(request, _bytes({"suggestions": shapes, **stated(published_now(), to)}), scope)


@router.get("/places", response=schemas.PlacesOut, summary="设施列表")
def read_places(request: HttpRequest, ask: Query[schemas.PlacesIn]) -> HttpResponse:
    """按范围、区划、类别、关键字和条件列出设施。一页一页取：把 next 作为 cursor 再问一次，直到 next 为 null。"""
    to, scope, city = System.parse(ask.crs), scope_for(request), current_city()
    near = None
    if ask.lon is not None and ask.lat is not None:
        point = position(ask.lon, ask.lat, to, city)
        near = (point.x, point.y)
    page = facilities_in(
        scope=scope,
        bbox=box(ask.bbox, to, city) if ask.bbox else None,
        region=ask.region.strip(),
        kinds=kinds_named(ask.kinds),
        q=ask.q.strip(),
        filters=_filters(ask),
        statuses=_statuses(ask.status),
        near=near,
        order=ask.order or None,  # type: ignore[arg-type]  # an unknown order is refused there
        cursor=ask.cursor,
        limit=ask.limit,
    )
    extras = [{"metres": whole_metres(metres)} for metres in page.metres or []]
    body = {"places": places_shape(page.places, to, extras), "next": page.next, **stated(page.published, to)}
    return answer(request, _bytes(body), scope)


@router.get("/places/{int:place_id}", response=schemas.DetailOut, summary="一家设施的详情")
def read_place(request: HttpRequest, place_id: Path[int], ask: Query[schemas.PlaceIn]) -> HttpResponse:
    """一家设施的全部公开信息：开放时间、余位及其时间、收费、状态变化和数据来源。"""
    to, scope = System.parse(ask.crs), scope_for(request)
    detail = facility_detail(place_id, scope=scope)
    return answer(request, _bytes(detail_shape(detail, to) | stated(detail.published, to)), scope)


@router.get("/kinds", response=schemas.KindsOut, summary="设施的大类和类别")
def read_kinds(request: HttpRequest, ask: Query[schemas.KindsIn]) -> HttpResponse:
    """所有大类和类别、各类说明自己的项目，以及现在开放的家数。"""
    scope = scope_for(request)
    counts = counts_by_kind(scope=scope, region=ask.region.strip())
    groups = [
        {
            "key": key,
            "name": name,
            "kinds": [
                {
                    "key": kind.key,
                    "name": kind.name,
                    "icon": kind.icon,
                    "count": counts.get(kind.key, 0),
                    "attributes": kind.attributes_as_data(),
                }
                for kind in kinds_of_group(key)
            ],
        }
        for key, name in GROUPS.items()
    ]
    demo = published_now().demo
    body = {"groups": groups, "demo": demo, **({"note": DEMO_NOTE} if demo else {})}
    return answer(request, _bytes(body), scope)


def answer(request: HttpRequest, body: bytes, scope: Scope) -> HttpResponse:
    """Return a JSON body with an ETag, or 304 when the caller has it; kept a minute, by shared caches only for the public."""
    etag = f'"{hashlib.blake2b(body, digest_size=10).hexdigest()}"'
    response = (
        HttpResponse(status=304)
        if holds_already(request, etag)
        else HttpResponse(body, content_type="application/json; charset=utf-8")
    )
    response["ETag"] = etag
    response["Cache-Control"] = f"{'public' if scope == Scope.public() else 'private'}, max-age={KEPT_SECONDS}"
    response["Vary"] = "Authorization, X-API-Key, Cookie"
    return response


class Kept:
    """An answer kept in Redis for a question as it was put, found again without the database.

    It is forgotten after a minute, when the minute ends, and when a facility or a kind is edited or anything is published.
    """

    def __init__(self, question: tuple[Any, ...]) -> None:
        facts = (connection.settings_dict["NAME"], city_now().strftime("%Y%m%d%H%M"), question)
        self._key = f"answer:{hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()}"
        # One round trip for both: the answer is good only for the edition of the facilities it was made from.
        found = cache.get_many([edition_key(), self._key])
        self._edition = found.get(edition_key())
        edition, body = found.get(self._key, (None, None))
        self.body: bytes | None = body if edition == self._edition else None

    def keep(self, body: bytes) -> None:
        """Keep an answer."""
        self.body = body
        cache.set(self._key, (self._edition, body), KEPT_SECONDS)


def _filters(ask: schemas.FiltersIn) -> Filters:
    return filters_from(ask.model_dump())


def _statuses(words: str) -> list[str]:
    asked = [word.strip() for word in words.split(",") if word.strip()]
    unknown = [word for word in asked if word not in FacilityStatus.values]
    if unknown or not asked:
        raise BadInput(
            "status_unknown",
            f"状态可选：{'、'.join(FacilityStatus.values)}。",
            parameter="status",
            known=FacilityStatus.values,
        )
    return asked


def _bytes(body: Any) -> bytes:
    return orjson.dumps(body)
