"""Public layers drawn whole into files of tiles (整层瓦片): made by staff, made again when the rows changed, served as they lie.

A file is its own record: its header and metadata say of which edition it is. What makes it is a job.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from pmtiles.reader import MmapSource, Reader

from geo.errors import BadInput, NotFound
from geo.jobs.actions import cancel_job, start_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.scope import Scope
from layers.archives import write_pmtiles
from layers.registry import layer, visible_layers
from layers.spec import LayerSpec
from layers.tiling import layer_edition
from services.access.queries import check_city_duty
from services.facilities.preloading.queries import DUTY

KIND: Final = "layers.archive"
SETTLED: Final = dt.timedelta(minutes=30)
"""A file is made again by itself only when it is at least so old: a layer that changes all the time would never rest."""

LEFT: Final = dt.timedelta(days=1)
"""A draft so old was left by a worker that died."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is there: of which edition, how many tiles of which zooms, how large, since when."""

    edition: str
    tiles: int
    from_zoom: int
    to_zoom: int
    size: int
    made_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ArchiveStanding:
    """How the file of a layer stands: what is there, what is being made, whether it is what the layer shows, what went wrong."""

    layer: LayerSpec
    made: Made | None
    job: Job | None
    fresh: bool
    fault: str


def archive_path(key: str) -> Path:
    """Return where the file of a layer lies, whether it is there or not."""
    return Path(settings.TILE_ARCHIVES) / f"{key}.pmtiles"


def archive_standings(*, scope: Scope) -> list[ArchiveStanding]:
    """Return how the file of every public layer stands. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    return [_standing(one) for one in visible_layers(scope=Scope.public())]


def start_archive(*, key: str, scope: Scope) -> Job:
    """Let the file of a public layer be made, and return the job; one that is at it is returned. Raises ``NotFound``."""
    check_city_duty(scope, DUTY)
    return _start(layer(key), actor=scope.actor)


@transaction.atomic
def stop_archive(*, key: str, scope: Scope) -> bool:
    """Let the making of a file stop, and say whether it was being made; the file that was there stays."""
    check_city_duty(scope, DUTY)
    running = _newest(key, running=True)
    if running is not None:
        cancel_job(job_id=running.pk)
    return running is not None


def delete_archive(*, key: str, scope: Scope) -> bool:
    """Delete the file of a layer and let nothing make it again by itself; say whether there was one."""
    check_city_duty(scope, DUTY)
    stop_archive(key=key, scope=scope)
    there = archive_path(key).exists()
    archive_path(key).unlink(missing_ok=True)
    return there


def renew_archives() -> int:
    """Make again the files whose layers changed, delete those of layers not public any more; return how many are made."""
    public = {one.key: one for one in visible_layers(scope=Scope.public())}
    started = 0
    for draft in Path(settings.TILE_ARCHIVES).glob("*.part"):
        if draft.stat().st_mtime < (timezone.now() - LEFT).timestamp():
            draft.unlink(missing_ok=True)
    for path in sorted(Path(settings.TILE_ARCHIVES).glob("*.pmtiles")):
        if path.stem not in public:
            path.unlink(missing_ok=True)
            continue
        standing = _standing(public[path.stem])
        old = standing.made is None or standing.made.made_at < timezone.now() - SETTLED
        if not standing.fresh and standing.job is None and old:
            _start(standing.layer, actor="system")
            started += 1
    return started


@job(KIND)
def make_archive(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Draw the file. A worker that dies leaves the older one, and who takes its place begins anew."""
    wanted = layer(params["layer"])
    path = archive_path(wanted.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    for draft in path.parent.glob(f"{path.name}*.part"):  # what a worker that died was at
        draft.unlink(missing_ok=True)
    made = write_pmtiles(wanted, path, scope=Scope.public(), from_zoom=0, to_zoom=wanted.max_zoom, step=progress.step)
    path.chmod(0o644)
    return {"tiles": made.tiles, "bytes": made.size, "dropped": made.dropped}


@transaction.atomic
def _start(wanted: LayerSpec, *, actor: str) -> Job:
    if not wanted.public:
        raise BadInput("archive_not_public", "只有对所有人公开的图层可以做成整层瓦片。")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{KIND} {wanted.key}"])
    return _newest(wanted.key, running=True) or start_job(kind=KIND, params={"layer": wanted.key}, actor=actor)


def _newest(key: str, *, running: bool = False) -> Job | None:
    jobs = Job.objects.filter(kind=KIND, params__layer=key).order_by("-created_at")
    return (jobs.filter(state__in=(JobState.QUEUED, JobState.RUNNING)) if running else jobs).first()


def _standing(one: LayerSpec) -> ArchiveStanding:
    newest, made = _newest(one.key), _made(archive_path(one.key))
    running = newest if newest and newest.state in (JobState.QUEUED, JobState.RUNNING) else None
    failed = newest if newest and newest.state == JobState.FAILED else None
    return ArchiveStanding(
        layer=one,
        made=made,
        job=running,
        fresh=made is not None and made.edition == layer_edition(one),
        fault=str(failed.error.get("message", "没有成功，请再试一次。")) if failed else "",
    )


def _made(path: Path) -> Made | None:
    try:
        with path.open("rb") as file:
            reader: Any = Reader(MmapSource(file))  # type: ignore[no-untyped-call]
            header, metadata = reader.header(), reader.metadata()
            stood = path.stat()
    except (FileNotFoundError, ValueError):
        return None
    return Made(
        edition=str(metadata.get("edition", "")),
        tiles=header["addressed_tiles_count"],
        from_zoom=header["min_zoom"],
        to_zoom=header["max_zoom"],
        size=stood.st_size,
        made_at=dt.datetime.fromtimestamp(stood.st_mtime, dt.UTC),
    )


def archive_file(key: str) -> tuple[Path, str]:
    """Return the file of a public layer and a name of its content. Raises ``NotFound`` when it is not there or not public."""
    layer(key)
    path = archive_path(key)
    try:
        stood = path.stat()
    except FileNotFoundError:
        raise NotFound("archive_missing", "这个图层还没有做成整层瓦片，请改用逐块的瓦片地址。", key=key) from None
    return path, f"{stood.st_mtime_ns:x}-{stood.st_size:x}"
