"""Preloading as a job: every tile drawn that is not kept, with progress; stopped and begun again it goes on where it was."""

from __future__ import annotations

import time
from typing import Any

from django.db.models import F
from django.utils import timezone

from geo.errors import NotFound
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from layers.tiling import layer_edition, preload_tile
from services.facilities.preloading.actions import KIND
from services.facilities.preloading.models import PreloadRun
from services.facilities.preloading.queries import layers_of, pieces_of

AT_ONCE = 50
"""After how many tiles the run is brought up to date."""


@job(KIND)
def preload(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Draw what is not kept. Tiles are drawn for the editions the run began with: what changes meanwhile is another run's."""
    run = PreloadRun.objects.select_related("preload").filter(job=progress.job.pk).first()
    if run is None:
        raise NotFound("preload_unknown", "这一项预加载已被删除。")
    editions = {layer.key: layer_edition(layer) for layer in layers_of(run.preload)}
    wanted = list(pieces_of(run.preload))
    drawn = kept = size = 0
    spent = 0.0
    for number, piece in enumerate(wanted, 1):
        began = time.perf_counter()
        edition = editions[piece.layer.key]
        content = preload_tile(layer=piece.layer, tile=piece.tile, chosen=piece.chosen, edition=edition)
        if content is None:
            kept += 1
        else:
            drawn, size, spent = drawn + 1, size + len(content), spent + time.perf_counter() - began
        if number % AT_ONCE == 0 or number == len(wanted):
            _note(run, drawn, kept, size, spent)
            drawn, kept, size, spent = 0, 0, 0, 0.0
            progress.step(number / len(wanted), f"已处理 {number:,} 块，共 {len(wanted):,} 块")
    PreloadRun.objects.filter(pk=run.pk).update(done_at=timezone.now())
    run.refresh_from_db()
    return {"drawn": run.drawn, "kept": run.kept, "bytes": run.size}


def _note(run: PreloadRun, drawn: int, kept: int, size: int, seconds: float) -> None:
    PreloadRun.objects.filter(pk=run.pk).update(
        drawn=F("drawn") + drawn, kept=F("kept") + kept, size=F("size") + size, draw_ms=F("draw_ms") + seconds * 1000
    )
