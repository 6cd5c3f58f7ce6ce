"""The long work of regions: publishing an edition over a city full of points, resumable after a crash."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from geo.errors import NotFound
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.regions.actions import PUBLISH_JOB, forget_preparation, publish_edition
from geo.regions.assignment import Chunk, point_tables, prepare_chunk
from geo.regions.models import Edition, EditionState
from geo.regions.queries import region_index

_BEFORE_ALL = -(2**63)


@job(PUBLISH_JOB)
def publish(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Prepare the regions of all points for an edition, chunk by chunk, then publish it in one act.

    Until the last step the old edition answers; a killed worker goes on from the last chunk.
    """
    edition = Edition.objects.filter(pk=params["edition"]).first()
    if edition is None:
        raise NotFound("edition_unknown", "没有找到这一版区划，可能已被删除。")
    if edition.state == EditionState.PUBLISHED:
        return {"edition": edition.pk}
    chunks: list[Chunk] = progress.cursor.get("chunks", [])
    if not chunks:
        forget_preparation(edition=edition)
    index = region_index(edition)
    tables = point_tables()
    for at, table in enumerate(tables):
        own = [chunk for chunk in chunks if chunk["table"] == table.name]
        after = own[-1]["upto"] if own else _BEFORE_ALL
        while True:
            with transaction.atomic():
                chunk = prepare_chunk(edition, table, after, index)
                if chunk is None:
                    break
                chunks.append(chunk)
                progress.save({"chunks": chunks})
            after = chunk["upto"]
            progress.step(0.9 * at / len(tables), f"正在核对点位所属区划（{after}）")
    publish_edition(edition=edition, prepared=chunks)
    return {"edition": edition.pk, "chunks": len(chunks)}
