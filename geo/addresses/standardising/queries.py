"""Reads of uploaded lists: whose they are, how far they are, and what was made of their rows."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from geo.addresses.standardising.models import Batch, BatchRow
from geo.addresses.standardising.outcomes import Standardised
from geo.addresses.standardising.packing import unpack
from geo.addresses.standardising.report import Tally
from geo.addresses.standardising.tables import Columns
from geo.addresses.standardising.uploads import read_spooled
from geo.errors import Forbidden, NotFound, Unauthenticated
from geo.jobs.models import JobState
from geo.scope import Scope

_CHUNK = 2_000


def check_known(scope: Scope) -> None:
    """Raise ``Unauthenticated`` for somebody who did not say who is asking."""
    if scope.actor == "public":
        raise Unauthenticated("sign_in_needed", "批量规范要先登录，或带上接口密钥。密钥在“我的 · 接口密钥”中新建。")


def batches_visible(*, scope: Scope) -> QuerySet[Batch]:
    """Return the lists a scope may know of, newest first: its own, and with ``jobs.view`` over the whole city all of them."""
    check_known(scope)
    batches = Batch.objects.select_related("job")
    return batches if scope.whole_city and scope.holds("jobs.view") else batches.filter(actor=scope.actor)


def batch_of(*, batch_id: uuid.UUID | str, scope: Scope) -> Batch:
    """Return one list. Raises ``NotFound`` when there is none, or not for this scope."""
    found = batches_visible(scope=scope).filter(pk=batch_id).first()
    if found is None:
        raise NotFound("batch_unknown", "没有找到这个批次，可能已到期删除。")
    return found


def check_own(batch: Batch, scope: Scope) -> None:
    """Raise ``Forbidden`` unless the list is the caller's own: its rows are people's addresses."""
    if batch.actor != scope.actor:
        raise Forbidden("batch_not_own", "名单里有个人信息，只有上传的人能看内容和取结果。")


def state_of(batch: Batch) -> str:
    """Return ``new`` before the work was asked for, else the state of its job; ``failed`` when the job is gone."""
    if not batch.columns:
        return "new"
    return batch.job.state if batch.job else str(JobState.FAILED)


def tally_of(batch: Batch) -> Tally:
    """Return what was counted so far."""
    found = batch.job.cursor.get("tally", {}) if batch.job else {}
    return Tally.from_json(batch.report or found)


def columns_of(batch: Batch) -> Columns:
    """Return where in the list the address stands."""
    chosen = batch.columns
    parts = tuple((str(kind), int(at)) for kind, at in chosen.get("parts", ()))
    return Columns(chosen.get("address"), chosen.get("district"), parts, int(chosen.get("header", 0)))


def header_of(batch: Batch) -> list[str]:
    """Return what the columns of a list are called, by their place where they have no name."""
    header = columns_of(batch).header
    given: list[str] = list(batch.head[header - 1]) if header else []
    given += [""] * (batch.width - len(given))
    return [name or f"第 {at} 列" for at, name in enumerate(given, start=1)]


def file_of(batch: Batch) -> Path:
    """Return where the cells of a list lie."""
    return lists_folder() / f"{batch.pk}.jsonl"


def lists_folder() -> Path:
    """Return the folder of uploaded lists."""
    return Path(settings.MEDIA_ROOT) / "lists"


def answers_of(batch: Batch, *, status: str = "", after: int = 0, limit: int | None = None) -> list[Standardised]:
    """Return the next rows after a row number, of one status or of all."""
    rows = BatchRow.objects.filter(batch=batch, number__gt=after)
    if status:
        rows = rows.filter(status=status)
    return [unpack(row.number, row.status, row.answer) for row in rows.order_by("number")[:limit]]


def all_answers(batch: Batch) -> Iterator[tuple[list[str], Standardised]]:
    """Yield every row that is done, in order, with its own cells; some thousand rows are in memory at a time.

    Raises ``NotFound`` when the file of the list is gone.
    """
    path = file_of(batch)
    if not path.exists():
        raise NotFound("list_gone", "这份名单的原文件已不在，请重新上传。")
    lines = itertools.islice(read_spooled(path), columns_of(batch).header, None)
    after = 0
    while found := answers_of(batch, after=after, limit=_CHUNK):
        yield from ((line.cells, row) for row, line in zip(found, lines, strict=False))
        after = found[-1].row
