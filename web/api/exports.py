"""Layers as files over HTTP: ask for one, see how far it is, stop it, take it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

import orjson
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Body, Path, Router
from pydantic import BaseModel, ConfigDict, Field

from geo.errors import NotFound, TooMany
from geo.scope import Scope
from layers.exports.formats import FORMATS, SYSTEMS
from layers.processes.actions import ask_run, cancel_run, delete_run
from layers.processes.models import ProcessRun
from layers.processes.queries import file_of_run, how_many_open, job_of, run_of, runs_visible
from layers.registry import layer
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import caller_of, scope_for
from web.api.limits import address_of
from web.api.staff import staff
from web.doors.common.sending import send_file

making = Router(tags=["导出图层"])
router = Router(tags=["导出图层"])
PROCESS: Final = "export"
LISTED: Final = 100
MOST_OPEN_ADDRESS: Final = 2
"""Runs at a time that unknown callers have from one address, so that no one address has all there are for them."""
REMEMBERED: Final = 20
REMEMBERED_S: Final = 6 * 3600


def asker(request: HttpRequest) -> Scope:
    """Return the scope of a caller, known or not. Raises ``Forbidden`` for a form forged in a signed-in browser."""
    return Scope.public() if caller_of(request).user is None else staff(request)


class ExportIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    layer: str = Field(..., description="图层的标识，见 /layers", examples=["places"])
    format: str = Field(..., description=f"格式：{'、'.join(FORMATS)}", examples=["gpkg"])
    crs: str | None = Field(
        None, description=f"坐标系：{'、'.join(SYSTEMS)}；不写用 cgcs2000，GeoJSON 只有 wgs84", examples=["sh2000"]
    )
    attributes: list[str] | None = Field(None, description="要哪些属性；不写就是全部", examples=[["name", "kind"]])
    region: str | None = Field(None, description="区划代码，只要这个区划里的", examples=["310101"])
    bbox: list[float] | None = Field(
        None,
        min_length=4,
        max_length=4,
        description="西、南、东、北（WGS-84 经纬度）",
        examples=[[121.4, 31.2, 121.5, 31.3]],
    )
    shape: dict[str, Any] | None = Field(None, description="GeoJSON 的面（WGS-84 经纬度），只要碰到它的")
    filter: str | None = Field(None, description="CQL2 写的条件，例如 kind = 'canteen'", examples=["kind = 'canteen'"])
    id: uuid.UUID | None = Field(None, description="任务编号；重发同一请求时带上，不会做两次")

    def inputs(self) -> dict[str, Any]:
        """Return the inputs of the process."""
        said = self.model_dump(exclude={"id", "bbox"}, exclude_none=True)
        return said if self.bbox is None else {**said, "bbox": {"bbox": self.bbox}}


class RunIn(BaseModel):
    run_id: uuid.UUID = Field(
        ..., description="提交时给出的任务编号", examples=["0191e6a2-7c1b-4f3e-9a51-2d9c5f0b8e77"]
    )


class ExportOut(BaseModel):
    id: str
    title: str
    state: str = Field(..., description="queued 排队中、running 进行中、done 已完成、failed 失败、cancelled 已停下")
    progress: float = Field(..., description="做了多少，0 到 1")
    message: str
    inputs: dict[str, Any]
    error: dict[str, str] | None
    rows: int
    size: int = Field(..., description="文件的字节数")
    sha256: str
    name: str = Field(..., description="文件名")
    about: dict[str, Any] = Field(..., description="随文件说明的事：版本、截至日期、坐标系、署名、各列")
    made_at: datetime
    expires_at: datetime = Field(..., description="到这时文件自动删除")
    file: str | None = Field(..., description="文件的地址；没做好时没有")


class ExportsOut(BaseModel):
    exports: list[ExportOut]


@making.post("/exports", response={202: ExportOut}, summary="导出一个图层")
def post_export(request: HttpRequest, ask: Body[ExportIn]) -> HttpResponse:
    """立即返回任务，在后台写文件。看得到的图层都可以导出；文件 7 天后自动删除。"""
    run = ask_within_share(request, process=PROCESS, inputs=ask.inputs(), run_id=ask.id)
    response = _json(shape_of(run), 202)
    response["Location"] = f"/api/v1/exports/{run.pk}"
    return response


@making.get("/exports", response=ExportsOut, summary="我的导出")
def get_exports(request: HttpRequest) -> HttpResponse:
    """列出自己的导出，新的在前；没有登录的看不到列表，凭任务编号查看。"""
    runs = runs_visible(scope=scope_for(request)).filter(process=PROCESS)[:LISTED]
    return _json({"exports": [shape_of(run) for run in runs]})


@router.get("/exports/{run_id}", response=ExportOut, summary="一次导出的进度和结果")
def get_export(request: HttpRequest, which: Path[RunIn]) -> HttpResponse:
    """状态、进度；做完后有文件的地址和说明。"""
    return _json(shape_of(export_of(which.run_id, scope_for(request))))


@router.post("/exports/{run_id}/cancel", response=ExportOut, summary="停下一次导出")
def post_cancel(request: HttpRequest, which: Path[RunIn]) -> HttpResponse:
    """停下，不留半截文件。"""
    scope = scope_for(request)
    export_of(which.run_id, scope)
    return _json(shape_of(cancel_run(run_id=which.run_id, scope=scope)))


@router.delete("/exports/{run_id}", response={204: None}, summary="删除一次导出")
def remove_export(request: HttpRequest, which: Path[RunIn]) -> HttpResponse:
    """删除任务和文件；在做的先停下。"""
    scope = scope_for(request)
    export_of(which.run_id, scope)
    delete_run(run_id=which.run_id, scope=scope)
    return HttpResponse(status=204)


@router.get("/exports/{run_id}/file", summary="取文件")
def get_file(request: HttpRequest, which: Path[RunIn]) -> HttpResponseBase:
    """文件本身；可以用 Range 分段取、断点续传。"""
    return send_result(request, export_of(which.run_id, scope_for(request)))


def ask_within_share(request: HttpRequest, **asked: Any) -> ProcessRun:
    """Ask for a run as whoever calls; raises what ``ask_run`` raises, ``TooMany`` also beyond the share of an unknown address."""
    scope = scope_for(request)
    if caller_of(request).user is not None:
        return ask_run(scope=scope, **asked)
    key = f"open-runs:{address_of(request)}"
    known: list[str] = cache.get(key) or []
    if how_many_open(known) >= MOST_OPEN_ADDRESS:
        said = f"从您的网络已有 {MOST_OPEN_ADDRESS} 个任务在做，做完一个再提交，或登录后再提交。"
        raise TooMany("too_many_open", said, most=MOST_OPEN_ADDRESS, retry_after=30)
    run = ask_run(scope=scope, **asked)
    cache.set(key, [*known[1 - REMEMBERED :], str(run.pk)], REMEMBERED_S)
    return run


def export_of(run_id: uuid.UUID, scope: Scope) -> ProcessRun:
    """Return one export. Raises ``NotFound``, also for a run of another process."""
    run = run_of(run_id=run_id, scope=scope)
    if run.process != PROCESS:
        raise NotFound("run_unknown", "没有找到这个任务，可能已到期删除。")
    return run


def send_result(request: HttpRequest, run: ProcessRun) -> HttpResponseBase:
    """Send the file of a run, whole or in part. Raises what ``file_of_run`` raises."""
    path = file_of_run(run, scope=scope_for(request))
    note_taking(request, run)
    return send_file(request, path, media_type=run.media_type, name=run.name, tag=run.sha256)


def note_taking(request: HttpRequest, run: ProcessRun) -> None:
    """Leave a line in the audit log when rows of a layer that is not everybody's go out."""
    closed = [key for key in run.layers if not layer(key, scope=scope_for(request)).public]
    if request.method != "HEAD" and closed:
        detail = {"layer": "、".join(closed), "run": str(run.pk), "rows": run.rows, "name": run.name}
        record_audit(act=AuditAct.LAYER_TAKEN, request=request, detail=detail)


def shape_of(run: ProcessRun) -> dict[str, Any]:
    """Return a run as the API writes it."""
    job = job_of(run)
    return {
        "id": str(run.pk),
        "title": run.title,
        "state": job.state,
        "progress": round(job.progress, 4),
        "message": job.message,
        "inputs": run.inputs,
        "error": job.error or None,
        "rows": run.rows,
        "size": run.size,
        "sha256": run.sha256,
        "name": run.name,
        "about": run.about,
        "made_at": run.made_at,
        "expires_at": run.expires_at,
        "file": f"/api/v1/exports/{run.pk}/file" if run.file else None,
    }


def _json(body: dict[str, Any], status: int = 200) -> HttpResponse:
    response = HttpResponse(orjson.dumps(body), status=status, content_type="application/json; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
