"""HTTP of upkeep: addresses to keep, what people do to them, conflicts and checks.

The one who mounts these routes says who may ask: ``request.auth`` is the scope of a caller who said who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router

from geo.addresses.gazetteer import published_now
from geo.addresses.jobs import AUDIT, ask_for_audit, ask_for_conflicts
from geo.addresses.models import Address, AddressChange, AuditFinding
from geo.addresses.positions import position
from geo.addresses.upkeep import actions, schemas
from geo.addresses.upkeep.audit.queries import findings_in, newest_audit
from geo.addresses.upkeep.authority import check_edit
from geo.addresses.upkeep.deciding import conflicts_in, decide_conflict
from geo.addresses.upkeep.queries import address_detail, addresses_in
from geo.addresses.upkeep.shapes import (
    addresses_shape,
    change_shape,
    conflicts_shape,
    detail_shape,
    findings_shape,
)
from geo.addresses.upkeep.versions import version_of
from geo.crs import System
from geo.errors import BadInput
from geo.jobs.models import Job, JobState
from geo.regions.queries import current_city
from geo.scope import Scope

router = Router(tags=["地址维护"])
CONFLICTS_ON_A_PAGE: Final = 50
FINDINGS_ON_A_PAGE: Final = 100


@router.get("/addresses", response=schemas.ListOut, summary="管辖内的地址")
def list_addresses(request: HttpRequest, ask: Query[schemas.ListIn]) -> HttpResponse:
    """您管辖范围内的现行地址，按规范写法排列。q 是门牌的开头、别名或编号；一页一页取：把 next 作为 cursor 再问。"""
    to = System.parse(ask.crs)
    page = addresses_in(scope=_scope(request), q=ask.q, region=ask.region.strip(), cursor=ask.cursor, limit=ask.limit)
    shapes = addresses_shape(page.addresses, to)
    return _json({"addresses": shapes, "next": page.next, "crs": str(to), "demo": published_now().demo})


@router.get("/addresses/conflicts", response=schemas.ConflictsOut, summary="来源互相矛盾的地址")
def list_conflicts(request: HttpRequest, ask: Query[schemas.ConflictsIn]) -> HttpResponse:
    """来源之间互相矛盾、等人裁定的地址，相距远的在前；也可以看已裁定的和已消失的。"""
    to = System.parse(ask.crs)
    pages = Paginator(conflicts_in(scope=_scope(request), state=ask.state), CONFLICTS_ON_A_PAGE)
    rows = list(pages.get_page(ask.page).object_list)
    body = {"conflicts": conflicts_shape(rows, to), "total": pages.count, "pages": pages.num_pages, "crs": str(to)}
    return _json(body)


@router.post("/addresses/conflicts/search", response={202: schemas.AskedOut}, summary="重新比对各来源")
def search_conflicts(request: HttpRequest) -> HttpResponse:
    """在后台重新比对全市的地址来源；已经在排队时不会重复。发布地址或小区以后会自动比对。"""
    scope = _scope(request)
    check_edit(scope)
    return _asked(ask_for_conflicts(scope.actor))


@router.post("/addresses/conflicts/{int:conflict_id}/decide", response=schemas.ConflictOut, summary="裁定一条冲突")
def decide(request: HttpRequest, conflict_id: Path[schemas.Id], body: schemas.DecideIn) -> HttpResponse:
    """裁定一条冲突：keep 是其中一个说法对（写成更正，下次导入仍然有效），both 是都对。来源的说法不变就不再问。"""
    decided = decide_conflict(conflict_id=conflict_id, scope=_scope(request), **body.model_dump())
    return _json(conflicts_shape([decided], System.WGS84)[0])


@router.get("/addresses/audit", response=schemas.AuditOut, summary="边界与门牌检查的结果")
def read_audit(request: HttpRequest, ask: Query[schemas.AuditIn]) -> HttpResponse:
    """最近一次边界与门牌检查中您管辖范围内的结果，每种都由重到轻。"""
    to, scope = System.parse(ask.crs), _scope(request)
    audit = newest_audit(scope=scope)
    found = findings_in(audit, scope=scope, kind=ask.kind) if audit else AuditFinding.objects.none()
    pages = Paginator(found, FINDINGS_ON_A_PAGE)
    running = Job.objects.filter(kind=AUDIT, state__in=(JobState.QUEUED, JobState.RUNNING), actor=scope.actor)
    body = {
        "audit": audit.pk if audit else None,
        "began_at": audit.began_at.isoformat() if audit else None,
        "ended_at": audit.ended_at.isoformat() if audit and audit.ended_at else None,
        "tolerances": audit.tolerances if audit else {},
        "looked_at": audit.looked_at if audit else {},
        "findings": findings_shape(list(pages.get_page(ask.page).object_list), to),
        "total": pages.count,
        "pages": pages.num_pages,
        "running": running.exists(),
        "crs": str(to),
    }
    return _json(body)


@router.post("/addresses/audit", response={202: schemas.AskedOut}, summary="检查边界与门牌")
def ask_audit(request: HttpRequest) -> HttpResponse:
    """在后台检查您管辖范围内的居委和小区边界、门牌位置和门牌号；同一范围正在检查时不会重复。"""
    return _asked(ask_for_audit(scope=_scope(request)))


@router.post("/addresses/merge", response=schemas.ChangedOut, summary="合并地址")
def merge(request: HttpRequest, body: schemas.MergeIn) -> HttpResponse:
    """把几个地址并入一个；被并入的停用，查它们时给出保留的那个。"""
    if any(not key.isdecimal() or len(key) > 18 for key in body.versions):
        raise BadInput("version_invalid", "versions 的键要是地址编号。", parameter="versions")
    change = actions.merge_addresses(
        survivor_id=body.survivor,
        merged_ids=body.merged,
        versions={int(key): version for key, version in body.versions.items()},
        scope=_scope(request),
        reason=body.reason,
    )
    return _changed(change, System.WGS84)


@router.post("/addresses/changes/{int:change_id}/undo", response=schemas.ChangedOut, summary="撤销一次改动")
def undo(request: HttpRequest, change_id: Path[schemas.Id], body: schemas.UndoIn) -> HttpResponse:
    """撤销一次改动，恢复成改动以前的样子；之后又有改动的要先撤销之后的。"""
    return _changed(actions.undo_change(change_id=change_id, scope=_scope(request), reason=body.reason), System.WGS84)


@router.get("/addresses/{int:address_id}", response=schemas.DetailOut, summary="一个地址和它的历史")
def read_address(request: HttpRequest, address_id: Path[schemas.Id], ask: Query[schemas.OneIn]) -> HttpResponse:
    """一个地址现在的样子、别名和全部改动：谁、何时、改前、改后、原因。停用的也能看。ETag 是它的版本。"""
    detail = address_detail(address_id, scope=_scope(request))
    response = _json(detail_shape(detail, System.parse(ask.crs)))
    response["ETag"] = f'"{version_of(detail.address)}"'
    return response


@router.patch("/addresses/{int:address_id}", response=schemas.ChangedOut, summary="更正一个地址")
def correct(request: HttpRequest, address_id: Path[schemas.Id], body: schemas.CorrectIn) -> HttpResponse:
    """更正写法、位置、误差半径或所属小区；只写要改的。要带版本（If-Match 或 version），别人改过就会告诉您改了什么。"""
    to = System.parse(body.crs)
    change = actions.correct_address(
        address_id=address_id,
        changes=_stated(body, to),
        scope=_scope(request),
        reason=body.reason,
        version=_version(request, body.version),
    )
    return _changed(change, to)


@router.post("/addresses", response={201: schemas.ChangedOut}, summary="补录一个地址")
def add(request: HttpRequest, body: schemas.AddIn) -> HttpResponse:
    """补录来源里没有的门牌：写法和位置都要有。下次导入时来源有了同一个门牌，就改用来源的。"""
    to = System.parse(body.crs)
    change = actions.add_address(stated=_stated(body, to), scope=_scope(request), reason=body.reason)
    return _changed(change, to, status=201)


@router.post("/addresses/{int:address_id}/aliases", response={201: schemas.ChangedOut}, summary="添加别名")
def alias(request: HttpRequest, address_id: Path[schemas.Id], body: schemas.AliasIn) -> HttpResponse:
    """让一个地址也认得别的写法或旧地名。"""
    said = body.model_dump(exclude={"version"})
    version = _version(request, body.version)
    change = actions.alias_address(address_id=address_id, scope=_scope(request), version=version, **said)
    return _changed(change, System.WGS84, status=201)


@router.post("/addresses/{int:address_id}/split", response=schemas.ChangedOut, summary="拆分一个地址")
def split(request: HttpRequest, address_id: Path[schemas.Id], body: schemas.SplitIn) -> HttpResponse:
    """把一个地址拆成几个门牌，各有写法和位置；原来的停用，查它时给出拆成的这几个。"""
    to = System.parse(body.crs)
    change = actions.split_address(
        address_id=address_id,
        into=[_stated(each, to) for each in body.into],
        scope=_scope(request),
        reason=body.reason,
        version=_version(request, body.version),
    )
    return _changed(change, to)


@router.post("/addresses/{int:address_id}/retire", response=schemas.ChangedOut, summary="停用一个地址")
def retire(request: HttpRequest, address_id: Path[schemas.Id], body: schemas.ReasonIn) -> HttpResponse:
    """停用一个地址（已拆除，或本来就没有）；来源以后再给出也不再启用，直到撤销。"""
    change = actions.retire_address(
        address_id=address_id, scope=_scope(request), reason=body.reason, version=_version(request, body.version)
    )
    return _changed(change, System.WGS84)


def _stated(body: schemas.StatedIn, to: System) -> Mapping[str, Any]:
    """Return what was really written in a body, with its point in CGCS2000 degrees."""
    known = set(schemas.StatedIn.model_fields)
    stated = {name: value for name, value in body.model_dump(exclude_unset=True).items() if name in known}
    stated = {name: value for name, value in stated.items() if value is not None or name == "community_id"}
    if body.lon is not None and body.lat is not None:
        point = position(body.lon, body.lat, to, current_city())
        stated |= {"lon": point.x, "lat": point.y}
    return stated


def _version(request: HttpRequest, said: str | None) -> str:
    """Return the version that the caller has seen, from the header or the body; raises ``BadInput`` when it says none."""
    version = request.headers.get("If-Match", "").removeprefix("W/").strip('" ') or (said or "").strip()
    if not version:
        raise BadInput(
            "version_missing",
            "请带上您看到的版本：先取这个地址，把它的 version 写在 If-Match 里。",
            parameter="version",
        )
    return version


def _changed(change: AddressChange, to: System, status: int = 200) -> HttpResponse:
    rows = Address.objects.filter(pk__in=change.addresses).select_related("source", "community").order_by("pk")
    shapes = addresses_shape(list(rows), to)
    return _json({"change": change_shape(change), "addresses": shapes, "crs": str(to)}, status)


def _asked(job: Job) -> HttpResponse:
    return _json({"job": str(job.pk), "state": str(job.state)}, 202)


def _scope(request: HttpRequest) -> Scope:
    scope: Scope = request.auth  # type: ignore[attr-defined]
    return scope


def _json(body: dict[str, Any], status: int = 200) -> HttpResponse:
    response = HttpResponse(orjson.dumps(body), status=status, content_type="application/json; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
