"""HTTP of matching: one address or many to their kindergartens, and the editions that answer.

The one who mounts these routes says who may ask: ``request.auth`` is the scope. Addresses are not kept and never stand in a URL.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from geo.addresses.api import DEMO_NOTE
from geo.addresses.gazetteer import NamedRegion, Names, names_of, published_now
from geo.addresses.positions import written
from geo.crs import System
from geo.errors import BadInput, NotFound, TooLarge
from geo.regions.models import Level
from geo.scope import Scope
from services.catchments import schemas
from services.catchments.answering import (
    MOST,
    OUTCOMES,
    REASONS,
    Answer,
    Asked,
    Decision,
    answer,
    decide_many,
    is_public,
)
from services.catchments.entries import CHOICES, MODES, entry_point
from services.catchments.homes import region_names
from services.catchments.models import CatchmentEdition
from services.catchments.queries import edition_seen, editions_in_force, newest_year
from services.facilities.models import Facility

router = Router(tags=["入园对口"])
LONGEST_ID: Final = 100
_NAMED: Final = ("district", "street", "committee", "community")
_NOT_AN_ITEM: Final = "这一行要写一个地址，或 {id, address, district, street, committee, community}，都是文字。"


class EditionsIn(BaseModel):
    district: str = Field("", description="区的名称或代码；不写为全市", examples=["黄浦区"])
    year: int | None = Field(None, description="入园年份；不写为所有年份", examples=[2027])
    entry: str = Field("", description="入口；不写为所有入口", examples=["local"])


@router.get("/match/editions", response=schemas.EditionsOut, summary="有哪些对口版本")
def read_editions(request: HttpRequest, ask: Query[EditionsIn]) -> HttpResponse:
    """各区、各年、各入口今天算数的对口版本。"""
    published = published_now()
    names = names_of(published)
    district = region_names(published, names).named(Level.DISTRICT, ask.district) if ask.district else None
    if ask.district and district is None:
        raise BadInput("district_unknown", f"没有叫“{ask.district[:20]}”的区，请核对。", parameter="district")
    if ask.entry and entry_point(ask.entry) is None:
        raise BadInput("entry_unknown", f"没有“{ask.entry[:20]}”这个入口。", parameter="entry")
    rows = editions_in_force(year=ask.year, district_id=district.id if district else None, entry=ask.entry)
    return _json({"editions": [_edition(row, names) for row in rows], **_demo(published.demo)})


@router.post(
    "/match/kindergarten",
    response=schemas.MatchOut | schemas.MatchManyOut,
    summary="地址找对口园",
    openapi_extra={"requestBody": schemas.json_example()},
)
def match_kindergarten(request: HttpRequest) -> HttpResponse:
    """给一个地址，返回对口的幼儿园、按哪条规则、走过哪几步、看的是哪个版本、该问谁；给 items 就逐行回答，不少行、不换序。"""
    body = _body(request)
    scope: Scope = request.auth  # type: ignore[attr-defined]
    entry, district = _word(body, "entry", "local"), _word(body, "district")
    if entry_point(entry) is None:
        raise BadInput(
            "entry_unknown", f"没有“{entry[:20]}”这个入口。", parameter="entry", known=["local", "apart", "elsewhere"]
        )
    edition = _asked_edition(body, scope)
    year = edition.year if edition else _year(body, entry)
    asking: dict[str, Any] = {"entry": entry, "year": year, "scope": scope, "on": _day(body), "edition": edition}
    to = System.parse(_word(body, "crs", "wgs84"))
    if body.get("items") is None:
        found = answer(_word(body, "address"), district=district, **asking)
        return _json(_answer_shape(found, to) | {"crs": str(to), **_demo(published_now().demo)})
    return _json(_many(_items(body), district, asking))


def _many(given: list[Any], district: str, asking: dict[str, Any]) -> dict[str, Any]:
    items = [_item(one, district) for one in given]
    decided = iter(decide_many([item for item in items if item], **asking))
    found = [next(decided) if item else None for item in items]
    sites = {site for one in found if one for site in (*one.sites, *one.possible)}
    called = dict(Facility.objects.filter(pk__in=sites).values_list("pk", "name"))
    rows = [_row(at, _id(one), row, called) for at, (one, row) in enumerate(zip(given, found, strict=True), start=1)]
    counts = Counter(row["outcome"] or "error" for row in rows)
    published = published_now()
    names = names_of(published)
    editions = {one.edition.pk: one.edition for one in found if one and one.edition}
    return {
        "items": rows,
        "total": len(rows),
        "counts": {outcome: counts[outcome] for outcome in (*OUTCOMES, "error")},
        "editions": [_edition(edition, names) for edition in editions.values()],
        **_demo(published.demo),
    }


def _row(at: int, own: str | None, found: Decision | None, called: Mapping[int, str]) -> dict[str, Any]:
    if found is None:
        empty: dict[str, Any] = {name: [] for name in ("places", "possible", "choices", "rules", "areas", "said")}
        error = {"code": "item_invalid", "reason": _NOT_AN_ITEM}
        return {
            "row": at,
            "id": own,
            "outcome": None,
            "reason": None,
            "label": "",
            "edition": None,
            **empty,
            "error": error,
        }
    return {
        "row": at,
        "id": own,
        "outcome": found.outcome,
        "reason": found.reason,
        "label": found.where.label,
        "edition": str(found.edition.pk) if found.edition else None,
        "places": [{"id": site, "name": called.get(site, "")} for site in found.sites],
        "possible": [{"id": site, "name": called.get(site, "")} for site in found.possible],
        "choices": list(found.choices),
        "rules": list(found.lines),
        "areas": list(found.areas),
        "said": list(found.said),
    }


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except RequestDataTooBig:
        raise TooLarge("body_too_large", "内容超过 1 MB，请分批提交。") from None
    except orjson.JSONDecodeError:
        raise BadInput("json_invalid", "内容不是有效的 JSON，请核对括号、引号和编码（UTF-8）。") from None
    if not isinstance(body, dict):
        raise BadInput("json_invalid", "内容要是一个 JSON 对象，里面有 address 或 items。")
    return body


def _word(body: Mapping[str, Any], key: str, usual: str = "") -> str:
    word = body.get(key, usual)
    if word is None:
        return usual
    if not isinstance(word, str):
        raise BadInput("parameter_invalid", f"{key} 要写文字。", parameter=key)
    return word


def _items(body: Mapping[str, Any]) -> list[Any]:
    items = body["items"]
    if not isinstance(items, list) or not items:
        raise BadInput("items_invalid", f"items 要是一个列表。{_NOT_AN_ITEM}", parameter="items")
    if len(items) > MOST:
        said = f"一次最多 {MOST:,} 行，收到 {len(items):,} 行。请分批提交。"
        raise TooLarge("items_too_many", said, most=MOST)
    return items


def _item(given: Any, district: str) -> Asked | None:
    """Return a row of the list, or ``None`` for what is none."""
    if isinstance(given, str):
        return Asked(given, district)
    if not isinstance(given, Mapping) or not isinstance(given.get("address", ""), str):
        return None
    words = [given.get(name) or "" for name in _NAMED]
    if not all(isinstance(word, str) for word in words):
        return None
    return Asked(given.get("address", ""), words[0] or district, *words[1:])


def _id(given: Any) -> str | None:
    own = given.get("id") if isinstance(given, Mapping) else None
    return None if own is None else str(own)[:LONGEST_ID]


def _year(body: Mapping[str, Any], entry: str) -> int:
    year = body.get("year")
    if year is None:
        newest = newest_year(entry=entry)
        if newest is None:
            raise NotFound("no_edition", "还没有一个区发布过这个入口的对口规则。")
        return newest
    if isinstance(year, bool) or not isinstance(year, int) or not 2000 <= year <= 2100:
        raise BadInput("year_invalid", "year 要写四位的年份，例如 2027。", parameter="year")
    return year


def _day(body: Mapping[str, Any]) -> dt.date | None:
    text = _word(body, "on")
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput("day_invalid", "on 要写成 2027-05-01 这样的日期。", parameter="on") from None


def _asked_edition(body: Mapping[str, Any], scope: Scope) -> CatchmentEdition | None:
    text = _word(body, "edition")
    if not text:
        return None
    try:
        pk = UUID(text)
    except ValueError:
        raise BadInput("edition_invalid", "edition 要写对口版本的编号。", parameter="edition") from None
    public = CatchmentEdition.objects.filter(pk=pk).first()
    return public if public and is_public(public) else edition_seen(pk, scope=scope)


def _answer_shape(found: Answer, to: System) -> dict[str, Any]:
    names = names_of(published_now())
    own = [(found.lon, found.lat)] if found.lon is not None and found.lat is not None else []
    sites = [*found.places, *found.possible]
    spots = [*own, *((site.geom.x, site.geom.y) for site in sites)]
    points = iter(written([lon for lon, _ in spots], [lat for _, lat in spots], to))
    lon, lat = next(points) if own else (None, None)
    places = [_place(site, next(points)) for site in sites]
    return {
        "outcome": found.outcome,
        "outcome_name": OUTCOMES[found.outcome],
        "reason": found.reason,
        "reason_name": REASONS[found.reason],
        "address": found.address,
        "label": found.label,
        "tokens": [token._asdict() for token in found.tokens],
        "lon": lon,
        "lat": lat,
        "uncertainty_m": found.uncertainty_m,
        "district": _region(found.district),
        "districts": [_region(one) for one in found.districts],
        "street": _region(found.street),
        "committee": _region(found.committee),
        "community": found.community,
        "edition": _edition(found.edition, names) if found.edition else None,
        "path": [
            {"mode": taken.mode, "mode_name": MODES[taken.mode], "found": taken.found, "said": list(taken.said)}
            for taken in (found.match.path if found.match else ())
        ],
        "places": places[: len(found.places)],
        "possible": places[len(found.places) :],
        "choices": [{"key": key, "name": CHOICES[key]} for key in found.choices],
        "rules": [_rule(rule) for rule in found.rules],
        "areas": [{"id": area.pk, "name": area.name, "target": area.target_id} for area in found.areas],
        "said": list(found.said),
        "ask": asdict(found.ask),
    }


def _place(site: Facility, point: tuple[float, float]) -> dict[str, Any]:
    return {
        "id": site.pk,
        "name": site.name,
        "address": site.address_text,
        "phone": site.phone,
        "ownership": str(site.attributes.get("ownership", "")),
        "status": site.status,
        "lon": point[0],
        "lat": point[1],
    }


def _rule(rule: Any) -> dict[str, Any]:
    told = {name: getattr(rule, name) for name in ("mode", "written", "community", "choice", "note")}
    return {"id": rule.pk, "mode_name": MODES[rule.mode], "target": rule.target_id, **told}


def _region(region: NamedRegion | None) -> dict[str, str] | None:
    return {"code": region.code, "name": region.name} if region else None


def _edition(edition: CatchmentEdition, names: Names) -> dict[str, Any]:
    entry = entry_point(edition.entry)
    return {
        "id": str(edition.pk),
        "entry_name": entry.name if entry else "",
        "district": _region(names.region(edition.district_id)),
        "from_day": edition.from_day.isoformat() if edition.from_day else None,
        "steps": list(edition.steps),
        **{name: getattr(edition, name) for name in ("year", "entry", "number", "state", "policy", "policy_url")},
        "office": edition.office,
        "office_phone": edition.office_phone,
    }


def _demo(demo: bool) -> dict[str, Any]:
    return {"demo": demo, **({"note": DEMO_NOTE} if demo else {})}


def _json(body: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(orjson.dumps(body), content_type="application/json; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
