"""Writes of preloading: set, changed, deleted, run; each needs ``settings.write`` over the city."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pghistory
from django.db import IntegrityError, transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict
from geo.jobs.actions import cancel_job, start_job
from geo.jobs.models import Job
from geo.regions.queries import current_city, region_by_code
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.facilities.kinds import kinds_named
from services.facilities.preloading.models import Preload, PreloadRun
from services.facilities.preloading.queries import (
    DUTY,
    edition_of_all,
    of_the_city,
    public_layers,
    standing_of,
    tiles_by_zoom,
)

KIND: Final = "facilities.preload"
"""The kind of job a run is."""
MOST_TILES: Final = 30_000
LEAST_ZOOM, MOST_ZOOM = 6, 16
LONGEST_TITLE: Final = 40


@dataclass(frozen=True, slots=True)
class Wanted:
    """What staff set: layers by key, words of ``kinds=``, the code of a region ('' for the whole city), two zooms."""

    title: str
    layers: Sequence[str]
    kinds: Sequence[str]
    region: str
    from_zoom: int
    to_zoom: int
    active: bool = True


@transaction.atomic
def save_preload(*, wanted: Wanted, scope: Scope, pk: int | None = None, revision: int = 0) -> Preload:
    """Set a new preload, or change one that was read at ``revision``, and return it.

    Raises ``BadInput`` with the first thing that is wrong, ``Conflict`` when somebody else changed it, ``Forbidden``.
    """
    check_city_duty(scope, DUTY)
    row = (
        Preload(city=current_city().key, revision=0)
        if pk is None
        else of_the_city().select_for_update().filter(pk=pk).first()
    )
    if row is None or row.revision != revision:
        raise Conflict("preload_changed", "这一项刚被别人改过或删掉了，请看过最新的内容再改。")
    _take(row, wanted)
    row.revision += 1
    row.changed_by, row.changed_at = scope.actor, timezone.now()
    _check_size(row)
    try:
        with transaction.atomic(), pghistory.context(actor=scope.actor):
            row.save()
    except IntegrityError:
        raise Conflict("preload_named", f"已经有一项叫“{row.title}”，请换个名称。", field="title") from None
    return row


@transaction.atomic
def delete_preload(*, pk: int, scope: Scope) -> Preload:
    """Delete a preload, its run ended; what it kept is forgotten within a day. Raises ``Conflict`` when it is gone."""
    check_city_duty(scope, DUTY)
    row = of_the_city().select_for_update().filter(pk=pk).first()
    if row is None:
        raise Conflict("preload_changed", "这一项已经被删掉了。")
    running = standing_of(row).job
    if running is not None:
        cancel_job(job_id=running.pk)
    with pghistory.context(actor=scope.actor):
        row.delete()
    row.pk = pk
    return row


def run_preload(*, pk: int, scope: Scope) -> Job:
    """Preload now, and return the job; one that runs already is returned. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    return start_run(pk, actor=scope.actor)


@transaction.atomic
def stop_run(*, pk: int, scope: Scope) -> bool:
    """Let the run that is at work stop, and say whether there was one; what it drew stays."""
    check_city_duty(scope, DUTY)
    row = of_the_city().filter(pk=pk).first()
    running = standing_of(row).job if row else None
    if running is not None:
        cancel_job(job_id=running.pk)
    return running is not None


@transaction.atomic
def start_run(pk: int, *, actor: str) -> Job:
    """Hand a run to a worker unless one is at it. Raises ``Conflict`` when the preload is gone."""
    row = of_the_city().select_for_update().filter(pk=pk).first()
    if row is None:
        raise Conflict("preload_changed", "这一项已经被删掉了。")
    running = standing_of(row).job
    if running is not None:
        return running
    job = start_job(kind=KIND, params={"preload": row.pk}, actor=actor)
    PreloadRun.objects.create(preload=row, job=job.pk, revision=row.revision, edition=edition_of_all(row))
    return job


def start_stale(*, actor: str = "system") -> int:
    """Start a run of every active preload whose tiles are not what is shown, and return how many."""
    started = 0
    for row in of_the_city().filter(active=True):
        standing = standing_of(row)
        if not standing.fresh and standing.job is None:
            start_run(row.pk, actor=actor)
            started += 1
    return started


def _check_size(row: Preload) -> None:
    tiles = sum(tiles_by_zoom(row).values())
    if not tiles:
        said = "这个范围在这些级别里没有可以预加载的内容，请换一换图层或级别。"
    elif tiles > MOST_TILES:
        said = f"这样要预加载 {tiles:,} 块，最多 {MOST_TILES:,} 块。请缩小范围、少选几个图层，或者把最大级别调小。"
    else:
        return
    raise BadInput("preload_size", said, field="to_zoom")


def _take(row: Preload, wanted: Wanted) -> None:
    row.title = " ".join(wanted.title.split())
    if not 0 < len(row.title) <= LONGEST_TITLE:
        raise BadInput("preload_title", f"请写一个名称，最多 {LONGEST_TITLE} 个字。", field="title")
    row.layers = [key for key in public_layers() if key in set(wanted.layers)]
    if not row.layers:
        raise BadInput("preload_layers", "请至少选一个图层。", field="layers")
    if not LEAST_ZOOM <= wanted.from_zoom <= wanted.to_zoom <= MOST_ZOOM:
        raise BadInput(
            "preload_zooms", f"级别从 {LEAST_ZOOM} 到 {MOST_ZOOM}，最小级别不能大于最大级别。", field="from_zoom"
        )
    kinds_named(wanted.kinds)
    row.kinds = sorted(set(wanted.kinds))
    row.region_id = region_by_code(wanted.region, scope=Scope.public()).region_id if wanted.region else None
    row.from_zoom, row.to_zoom, row.active = wanted.from_zoom, wanted.to_zoom, wanted.active
