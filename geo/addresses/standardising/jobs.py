"""The long work of standardising: an uploaded list of up to a million rows, chunk by chunk, resumable after a crash."""

from __future__ import annotations

import itertools
import time
from typing import Any, Final

from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.standardising.actions import STANDARDISE_JOB, finish_batch, write_rows
from geo.addresses.standardising.models import Batch
from geo.addresses.standardising.queries import columns_of, file_of
from geo.addresses.standardising.report import Tally
from geo.addresses.standardising.standard import standardise
from geo.addresses.standardising.tables import item_of
from geo.addresses.standardising.uploads import read_spooled
from geo.errors import NotFound
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.scope import Scope

CHUNK: Final = 5_000
"""Rows of one transaction: some seconds of work, some megabytes of memory."""


@job(STANDARDISE_JOB)
def standardise_list(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Standardise a list from the row where the cursor stands; each chunk of rows and the cursor are written in one act."""
    batch = Batch.objects.filter(pk=params["batch"]).first()
    if batch is None or not file_of(batch).exists():
        raise NotFound("list_gone", "这份名单已不在，可能已到期删除。")
    columns = columns_of(batch)
    offset, done = progress.cursor.get("offset", 0), progress.cursor.get("rows", 0)
    tally = Tally.from_json(progress.cursor.get("tally", {}))
    lines = read_spooled(file_of(batch), offset)
    if not offset:
        lines = itertools.islice(lines, columns.header, None)
    began, done_before = time.monotonic(), done
    first_row = columns.header + 1
    while chunk := list(itertools.islice(lines, params.get("chunk", CHUNK))):
        started = time.monotonic()
        published = published_now()
        names = names_of(published)
        items = [item_of(line.cells, columns, batch.width) for line in chunk]
        first = first_row + done
        rows = standardise(items, scope=Scope.public(), published=published, names=names, first_row=first)
        found = time.monotonic()
        done += len(rows)
        tally.add(rows)
        tally.drew_on(published.key)

        def cursor(after: int = chunk[-1].after, rows_done: int = done) -> dict[str, Any]:
            return {"offset": after, "rows": rows_done, "tally": tally.to_json()}

        write_rows(progress=progress, rows=rows, cursor=cursor)
        tally.took(first, first + len(rows) - 1, standardising=found - started, writing=time.monotonic() - found)
        rate = (done - done_before) / max(time.monotonic() - began, 0.001)
        left = (batch.rows - done) / max(rate, 0.001)
        progress.step(done / max(batch.rows, 1), f"已规范 {done:,} 行，每秒约 {rate:,.0f} 行，还要约 {_spoken(left)}")
    return finish_batch(batch_id=str(batch.pk), tally=tally)


def _spoken(seconds: float) -> str:
    return f"{max(round(seconds), 1)} 秒" if seconds < 90 else f"{round(seconds / 60)} 分钟"
