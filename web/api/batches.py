"""HTTP of lists too large for one request: upload, progress, result, stop, go on, delete; signed-in callers and keys only."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path as FilePath
from typing import Any, Final, TypeVar

import orjson
from django.core.files import File as DjangoFile
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import File, Form, Path, Query, Router
from ninja.files import UploadedFile as NinjaFile
from pydantic import BaseModel, Field

from geo.addresses.schemas import CRS_WORDS
from geo.addresses.standardising.actions import (
    begin_batch,
    cancel_batch,
    delete_batch,
    resume_batch,
    upload_list,
)
from geo.addresses.standardising.export import XLSX_ROWS, csv_text, write_xlsx
from geo.addresses.standardising.models import Batch
from geo.addresses.standardising.outcomes import Status, title_of
from geo.addresses.standardising.queries import (
    all_answers,
    batch_of,
    batches_visible,
    check_known,
    check_own,
    header_of,
    state_of,
    tally_of,
)
from geo.addresses.standardising.schemas import STATUSES
from geo.addresses.standardising.tables import Columns, guess_columns
from geo.crs import System
from geo.errors import Conflict, TooLarge
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import scope_for

router = Router(tags=["地址规范化"])
MOST_BYTES: Final = 250_000_000
Answer = TypeVar("Answer", bound=HttpResponseBase)
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def known_caller(request: HttpRequest) -> Scope:
    """Return the scope of a caller who said who they are; asked before the body is read. Raises ``Unauthenticated``."""
    scope = scope_for(request)
    check_known(scope)
    return scope


class BatchIn(BaseModel):
    address_column: int | None = Field(None, description="地址在第几列，从 1 数；不写就按表头和内容找", examples=[3])
    district_column: int | None = Field(None, description="区单独在第几列，从 1 数", examples=[2])
    header_row: int | None = Field(None, description="表头在第几行，0 表示没有；不写就自己判断", examples=[1])


class WhichIn(BaseModel):
    batch_id: uuid.UUID = Field(
        ..., description="上传时给出的批次编号", examples=["0191e6a2-7c1b-4f3e-9a51-2d9c5f0b8e77"]
    )


class ResultIn(BaseModel):
    crs: str = Field("cgcs2000", description=f"坐标用哪个坐标系：{CRS_WORDS}", examples=["cgcs2000"])


class CountOut(BaseModel):
    code: str
    title: str
    count: int


class BatchOut(BaseModel):
    id: str
    name: str = Field(..., description="上传的文件名")
    state: str = Field(
        ..., description="new 待开始、queued 排队中、running 进行中、done 已完成、failed 失败、cancelled 已停下"
    )
    progress: float = Field(..., description="做了多少，0 到 1")
    message: str
    rows: int = Field(..., description="名单的行数，不算表头")
    done: int = Field(..., description="已经做好的行数；完成时等于 rows")
    counts: dict[str, int] = Field(..., description=f"各状态的行数，合计等于 done。{STATUSES}")
    levels: dict[str, int] = Field(..., description="各定位级别的行数")
    reasons: list[CountOut] = Field(..., description="各种原因的行数，多的在前")
    radii: list[list[int]] = Field(..., description="误差半径的分布：[不超过多少米, 行数]")
    median_m: int | None = Field(..., description="一半的落点误差不超过这么多米")
    error: dict[str, str] | None
    created_at: datetime
    expires_at: datetime = Field(..., description="到这时名单和结果自动删除")
    result: str | None = Field(..., description="结果的地址（CSV）；一行都没做好时没有")


class BatchesOut(BaseModel):
    batches: list[BatchOut]


@router.post("/addresses/batches", response={202: BatchOut}, summary="上传大名单，批量规范")
def post_batch(request: HttpRequest, file: File[NinjaFile], ask: Form[BatchIn]) -> HttpResponse:
    """上传 Excel（.xlsx）、CSV 或 TXT（可以压成 .gz），最多约 100 万行。立即返回批次，在后台做。

    中断了会接着做，不重也不漏。名单和结果 7 天后自动删除。
    """
    scope = scope_for(request)
    batch = upload_file(file, scope)
    try:
        columns = _columns(batch, ask)
        batch = begin_batch(batch_id=batch.pk, scope=scope, columns=columns)
    except Exception:
        delete_batch(batch_id=batch.pk, scope=scope)
        raise
    return _answer(batch, status=202)


@router.get("/addresses/batches", response=BatchesOut, summary="我的批次")
def get_batches(request: HttpRequest) -> HttpResponse:
    """列出自己的批次，新的在前。"""
    return _json({"batches": [shape_of(batch) for batch in batches_visible(scope=scope_for(request))[:100]]})


@router.get("/addresses/batches/{batch_id}", response=BatchOut, summary="一个批次的进度和报告")
def get_batch(request: HttpRequest, which: Path[WhichIn]) -> HttpResponse:
    """状态、进度、各种结果的行数；做完后就是整份名单的报告。"""
    return _answer(batch_of(batch_id=which.batch_id, scope=scope_for(request)))


@router.get("/addresses/batches/{batch_id}/result.csv", summary="结果（CSV）")
def get_csv(request: HttpRequest, which: Path[WhichIn], ask: Query[ResultIn]) -> StreamingHttpResponse:
    """原来的列加上规范地址、状态、说明、坐标和成分，行数和次序不变。停下的批次给已经做好的行。"""
    return csv_result(request, which.batch_id, ask.crs)


@router.get("/addresses/batches/{batch_id}/result.xlsx", summary="结果（Excel）")
def get_xlsx(request: HttpRequest, which: Path[WhichIn], ask: Query[ResultIn]) -> FileResponse:
    """同 CSV，最多 50,000 行；更多请取 CSV。"""
    return xlsx_result(request, which.batch_id, ask.crs)


@router.post("/addresses/batches/{batch_id}/cancel", response=BatchOut, summary="停下一个批次")
def post_cancel(request: HttpRequest, which: Path[WhichIn]) -> HttpResponse:
    """停下；已经做好的行保留，可以取，也可以接着做。"""
    return _answer(cancel_batch(batch_id=which.batch_id, scope=scope_for(request)))


@router.post("/addresses/batches/{batch_id}/resume", response=BatchOut, summary="接着做一个停下的批次")
def post_resume(request: HttpRequest, which: Path[WhichIn]) -> HttpResponse:
    """从停下的那一行接着做。"""
    return _answer(resume_batch(batch_id=which.batch_id, scope=scope_for(request)))


@router.delete("/addresses/batches/{batch_id}", response={204: None}, summary="删除一个批次")
def remove_batch(request: HttpRequest, which: Path[WhichIn]) -> HttpResponse:
    """删除名单、结果和报告；在做的先停下。"""
    delete_batch(batch_id=which.batch_id, scope=scope_for(request))
    return HttpResponse(status=204)


def upload_file(file: DjangoFile[bytes], scope: Scope) -> Batch:
    """Take an uploaded file in as a list of the caller; large ones lie on disk, not in memory."""
    check_known(scope)
    if (file.size or 0) > MOST_BYTES:
        raise TooLarge("file_too_large", f"文件超过 {MOST_BYTES // 1_000_000} MB。请压成 .gz 或分成几个再上传。")
    with tempfile.TemporaryDirectory(prefix="quantu-upload-") as folder:
        source = FilePath(folder) / f"upload{''.join(FilePath(file.name or '').suffixes)[-12:]}"
        with source.open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
        return upload_list(source=source, name=file.name or "", scope=scope)


def _columns(batch: Batch, ask: BatchIn) -> Columns:
    guessed = guess_columns(batch.head)
    address = guessed.address if ask.address_column is None else ask.address_column - 1
    district = guessed.district if ask.district_column is None else ask.district_column - 1
    header = guessed.header if ask.header_row is None else ask.header_row
    return Columns(address, district, guessed.parts, header)


def csv_result(request: HttpRequest, batch_id: uuid.UUID, crs: str) -> StreamingHttpResponse:
    """Return the result of a list as CSV, written while it is read; the taking is audited."""
    batch, to = _taken(request, batch_id, crs)
    pieces: Iterator[str] = csv_text(header_of(batch), all_answers(batch), to)
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    return _attached(response, batch, "csv")


def xlsx_result(request: HttpRequest, batch_id: uuid.UUID, crs: str) -> FileResponse:
    """Return the result of a list as a workbook; the taking is audited. Raises ``TooLarge`` beyond 50,000 rows."""
    batch, to = _taken(request, batch_id, crs)
    if tally_of(batch).rows > XLSX_ROWS:
        raise TooLarge("too_many_rows", f"超过 {XLSX_ROWS:,} 行，请下载 CSV。", most=XLSX_ROWS)
    with tempfile.TemporaryDirectory(prefix="quantu-list-") as folder:
        path = FilePath(folder) / "result.xlsx"
        write_xlsx(path, header_of(batch), all_answers(batch), to)
        # The open file outlives its name.
        response = FileResponse(path.open("rb"), content_type=XLSX)
    return _attached(response, batch, "xlsx")


def _taken(request: HttpRequest, batch_id: uuid.UUID, crs: str) -> tuple[Batch, System]:
    scope, to = scope_for(request), System.parse(crs)
    batch = batch_of(batch_id=batch_id, scope=scope)
    check_own(batch, scope)
    rows = tally_of(batch).rows
    if not rows:
        raise Conflict("nothing_done", "还没有做好的行，请稍后再取。")
    record_audit(act=AuditAct.LIST_TAKEN, request=request, detail={"batch": str(batch.pk), "rows": rows})
    return batch, to


def _attached(response: Answer, batch: Batch, suffix: str) -> Answer:
    response["Content-Disposition"] = f'attachment; filename="quantu-addresses-{str(batch.pk)[:8]}.{suffix}"'
    response["Cache-Control"] = "no-store"
    return response


def shape_of(batch: Batch) -> dict[str, Any]:
    """Return a list as the API writes it; it names no address."""
    tally, job, state = tally_of(batch), batch.job, state_of(batch)
    return {
        "id": str(batch.pk),
        "name": batch.name,
        "state": state,
        "progress": round(tally.rows / max(batch.rows, 1), 4) if state != "done" else 1.0,
        "message": job.message if job else "",
        "rows": batch.rows,
        "done": tally.rows,
        "counts": {str(status): tally.statuses[status] for status in Status},
        "levels": dict(tally.levels),
        "reasons": [
            {"code": code, "title": title_of(code), "count": count} for code, count in tally.reasons.most_common()
        ],
        "radii": [[edge, count] for edge, count in tally.spread()],
        "median_m": tally.radius_m(0.5),
        "error": job.error if job and job.error else None,
        "created_at": batch.created_at,
        "expires_at": batch.expires_at,
        "result": f"/api/v1/addresses/batches/{batch.pk}/result.csv" if tally.rows else None,
    }


def _answer(batch: Batch, status: int = 200) -> HttpResponse:
    response = _json(shape_of(batch), status)
    if status == 202:
        response["Location"] = f"/api/v1/addresses/batches/{batch.pk}"
    return response


def _json(body: dict[str, Any], status: int = 200) -> HttpResponse:
    response = HttpResponse(orjson.dumps(body), status=status, content_type="application/json; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
