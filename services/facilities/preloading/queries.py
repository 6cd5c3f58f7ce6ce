"""Reads of preloading: what is set, how fresh it is, and which tiles that means."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.contrib.gis.db.models import Collect
from django.db.models import QuerySet
from django.utils import timezone
from shapely import from_wkb
from shapely.geometry.base import BaseGeometry

from geo.errors import NotFound
from geo.jobs.models import Job, JobState
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import current_city, published_edition
from geo.scope import Scope
from layers.registry import visible_layers
from layers.spec import LayerSpec
from layers.tiling import layer_edition
from services.access.queries import check_city_duty
from services.facilities.preloading.models import Preload, PreloadRun
from tiles.covering import covering
from tiles.schemes import Tile

DUTY: Final = "settings.write"
PLACES: Final = "places"
"""The layer that shows places of service, narrowed by kinds."""
FRESH_FOR: Final = dt.timedelta(hours=12)
"""Kept tiles live for a day: half of it may pass before they are kept anew."""
SIMPLE_M: Final = 0.0005
"""How far, in degrees (some 50 m), the edge of the area may be off: less than any tile that is preloaded."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a preload stands: the last run that ended, the job that runs now, and whether what is kept is what is shown today."""

    preload: Preload
    run: PreloadRun | None
    job: Job | None
    fresh: bool
    fault: str


def standings(*, scope: Scope) -> list[Standing]:
    """Return every preload of the city with how it stands. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    return [standing_of(each) for each in of_the_city()]


def of_the_city() -> QuerySet[Preload]:
    """Return the preloads of the city this house serves."""
    return Preload.objects.filter(city=current_city().key)


def preload_named(pk: int, *, scope: Scope) -> Preload:
    """Return one preload. Needs ``settings.write`` over the city; raises ``NotFound``."""
    check_city_duty(scope, DUTY)
    found = of_the_city().filter(pk=pk).first()
    if found is None:
        raise NotFound("preload_unknown", "没有找到这一项预加载，它可能已被删除。请回到列表重新打开。")
    return found


def standing_of(preload: Preload) -> Standing:
    """Return how a preload stands now."""
    newest = preload.runs.first()
    done = preload.runs.exclude(done_at=None).first()
    job = Job.objects.filter(pk=newest.job).first() if newest else None
    running = job if job and job.state in (JobState.QUEUED, JobState.RUNNING) else None
    failed = job is not None and job.state == JobState.FAILED
    return Standing(
        preload=preload,
        run=done,
        job=running,
        fresh=done is not None and is_fresh(preload, done),
        fault=str(job.error.get("message", "没有成功，请再试一次。")) if job and failed else "",
    )


def is_fresh(preload: Preload, run: PreloadRun) -> bool:
    """Say whether what a run kept is still there and still what is shown."""
    recent = run.done_at is not None and run.done_at > timezone.now() - FRESH_FOR
    return recent and (run.revision, run.edition) == (preload.revision, edition_of_all(preload))


def edition_of_all(preload: Preload) -> str:
    """Return a text that changes whenever anything does that the preload draws, boundaries of its area included."""
    edition = published_edition()
    facts = [edition.pk if edition else 0, *(f"{each.key}:{layer_edition(each)}" for each in layers_of(preload))]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:40]


def layers_of(preload: Preload) -> list[LayerSpec]:
    """Return the layers of a preload that are still there for everyone."""
    public = public_layers()
    return [public[key] for key in preload.layers if key in public]


def public_layers() -> dict[str, LayerSpec]:
    """Return the layers that may be preloaded, by key: those that everyone sees."""
    return {one.key: one for one in visible_layers(scope=Scope.public())}


@dataclass(frozen=True, slots=True)
class Piece:
    """One tile of a layer, and what narrows the layer there, as the page asks for it."""

    layer: LayerSpec
    tile: Tile
    chosen: Mapping[str, Sequence[str]]


def pieces_of(preload: Preload) -> Iterator[Piece]:
    """Yield everything a preload draws, coarse before fine; a layer that begins later or ends sooner has no tile there."""
    drawn = [(layer, chosen) for layer in layers_of(preload) for chosen in _choices(preload, layer)]
    for tile in covering(area_of(preload.region_id), preload.from_zoom, preload.to_zoom):
        for layer, chosen in drawn:
            if layer.min_zoom <= tile.z <= layer.max_zoom:
                yield Piece(layer, tile, chosen)


def tiles_by_zoom(preload: Preload) -> dict[int, int]:
    """Return how many tiles a preload draws at each zoom."""
    return dict(sorted(Counter(piece.tile.z for piece in pieces_of(preload)).items()))


def _choices(preload: Preload, layer: LayerSpec) -> list[dict[str, list[str]]]:
    """Return the ways a layer is asked for: places of each word by themselves, as a page looks for one group or kind."""
    return [{"kinds": [word]} for word in preload.kinds] if layer.key == PLACES and preload.kinds else [{}]


def area_of(region_id: int | None) -> BaseGeometry:
    """Return the area of a region (``None``: the whole city) in degrees of CGCS2000, a little simplified; empty when unknown."""
    edition = published_edition()
    return _area(region_id, edition.pk if edition else 0)


@lru_cache(maxsize=16)
def _area(region_id: int | None, edition: int) -> BaseGeometry:
    rows = RegionVersion.objects.filter(edition=edition, edition__state=EditionState.PUBLISHED)
    rows = rows.filter(region_id=region_id) if region_id else rows.filter(level="district")
    found = rows.aggregate(all=Collect("geom"))["all"]
    if found is None:
        return from_wkb(bytes.fromhex("010700000000000000"))  # an empty collection
    return from_wkb(bytes(found.wkb)).buffer(0).simplify(SIMPLE_M)
