"""Writes of regions: drafts, their publication in one act, the way back, and successions told by people."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from django.db import connection, transaction
from django.utils import timezone

from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Conflict, NotFound
from geo.geometry import repair, subdivide, to_plane
from geo.imports.models import Source
from geo.jobs.actions import start_job
from geo.jobs.models import Job
from geo.jobs.registry import kinds
from geo.regions import assignment
from geo.regions.checks import check_regions
from geo.regions.models import (
    Edition,
    EditionState,
    PendingAssignment,
    Region,
    RegionCode,
    RegionPart,
    RegionSuccession,
    RegionVersion,
    Succession,
)
from geo.regions.queries import current_city, published_edition, records_of, region_index
from geo.regions.records import LEVELS, Finding, Record, path_of
from geo.regions.succession import changes_between

log = logging.getLogger(__name__)
PUBLISH_JOB = "regions.publish_edition"
PART_VERTICES = 64
AFTER_PUBLISHING = ("roads.rebuild_names",)
"""Kinds of jobs that follow a new edition where they exist; the packages above register them."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading records into a draft did: regions that were known, regions that are new, and what the check found."""

    known: int
    new: int
    findings: tuple[Finding, ...]


@transaction.atomic
def create_edition(*, name: str, source: Source, effective_on: datetime.date | None = None) -> Edition:
    """Open a draft edition."""
    return Edition.objects.create(name=name, source=source, effective_on=effective_on)


@transaction.atomic
def load_regions(*, edition: Edition, records: Sequence[Record]) -> Loaded:
    """Load regions (polygons in CGCS2000 degrees) into an empty draft edition, with their subdivided parts.

    A code that a living region of the same level bears is that region; any other code begins a new one. Shapes are repaired
    and reported. Raises ``BadInput`` with the findings when the check finds an error, and nothing is loaded.
    """
    _require_draft(edition)
    if edition.versions.exists():
        raise Conflict("edition_loaded", "这一版区划已经装入过数据，请另建一版草稿。")
    findings = check_regions(records, current_city())
    _refuse_errors(findings)
    ordered = sorted(records, key=lambda record: (LEVELS.index(record.level), record.code))
    regions, new = _identities(ordered)
    shapes = np.array([repair(record.polygon).geometry for record in ordered], dtype=object)
    _copy_versions(edition, ordered, regions, shapes)
    versions = dict(RegionVersion.objects.filter(edition=edition).values_list("code", "pk"))
    _copy_parts((versions[record.code], shape) for record, shape in zip(ordered, shapes, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {RegionVersion._meta.db_table}, {RegionPart._meta.db_table}")
    return Loaded(known=len(regions) - new, new=new, findings=tuple(findings))


@transaction.atomic
def delete_draft(*, edition: Edition) -> None:
    """Delete a draft edition, and the regions that only it knew."""
    _require_draft(edition)
    regions = list(edition.versions.values_list("region_id", flat=True))
    edition.delete()
    Region.objects.filter(pk__in=regions, versions=None, population=None).delete()


@transaction.atomic
def declare_succession(
    *, edition: Edition, origin: str, successor: str, kind: str, on: datetime.date, share: float = 1.0
) -> RegionSuccession:
    """Say that ``share`` of a region (by code) went to a region of a draft edition; what is told is not found again."""
    _require_draft(edition)
    if kind not in Succession.values or not 0 < share <= 1:
        raise BadInput("succession_form", "沿革须写明拆分、合并或更名，份额在 0 到 1 之间。")
    to = RegionVersion.objects.filter(edition=edition, code=successor).first()
    code = RegionCode.objects.filter(code=origin).order_by("-first_day", "-pk").first()
    if to is None or code is None or code.region_id == to.region_id:
        raise NotFound("succession_region", f"沿革中的区划 {origin} 或 {successor} 没有找到。")
    return RegionSuccession.objects.create(
        edition=edition,
        origin_id=code.region_id,
        successor_id=to.region_id,
        kind=kind,
        on=on,
        share=share,
        declared=True,
    )


def start_publishing(*, edition: Edition, actor: str) -> Job:
    """Ask for a draft to be published by a worker: points get their regions in a resumable job, then all changes at once."""
    _require_publishable(edition)
    return start_job(kind=PUBLISH_JOB, params={"edition": edition.pk}, actor=actor)


@transaction.atomic
def publish_edition(*, edition: Edition, prepared: Sequence[assignment.Chunk] = ()) -> Edition:
    """Publish an edition in one act: every point gets its region, the old edition steps back but stays answerable.

    Also the way back: publishing a superseded edition makes it answer again. What an edition holds was checked when it was
    loaded. Raises ``Conflict`` when it already answers or is empty.
    """
    edition = Edition.objects.select_for_update().get(pk=edition.pk)
    _require_publishable(edition)
    before = published_edition()
    moved = assignment.settle(edition, list(prepared), region_index(edition))
    day = edition.effective_on or timezone.localdate()
    _mark_days(edition, before, day)
    if edition.published_at is None:
        _record_successions(edition, before, day)
    elif before is not None:
        _undo_successions(edition)
    Edition.objects.filter(state=EditionState.PUBLISHED).update(state=EditionState.SUPERSEDED)
    edition.state, edition.effective_on = EditionState.PUBLISHED, day
    edition.published_at = edition.published_at or timezone.now()
    edition.save()
    for kind in AFTER_PUBLISHING:
        if kind in kinds():
            start_job(kind=kind)
    log.info("edition published", extra={"edition": edition.pk, "points_moved": moved})
    return edition


def _require_draft(edition: Edition) -> None:
    if Edition.objects.select_for_update().get(pk=edition.pk).state != EditionState.DRAFT:
        raise Conflict("edition_not_draft", "这一版区划已经发布过，不能再改；请另建一版草稿。")


def _require_publishable(edition: Edition) -> None:
    if edition.state == EditionState.PUBLISHED:
        raise Conflict("edition_published", "这一版区划已经是现行版本。")
    if not edition.versions.exists():
        raise Conflict("edition_empty", "这一版区划还没有数据，不能发布。")


def _refuse_errors(findings: Iterable[Finding]) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise BadInput(
            "regions_unsound",
            f"区划数据有 {len(errors)} 处错误，不能使用。第一处：{errors[0].message}",
            findings=[{"code": each.code, "message": each.message} for each in errors[:50]],
        )


def _identities(records: Sequence[Record]) -> tuple[dict[str, int], int]:
    """Return the region id of each code, and how many had to be made."""
    rows = RegionCode.objects.filter(system="stats", code__in=[record.code for record in records], last_day=None)
    known = {(code, level): region for code, level, region in rows.values_list("code", "region__level", "region_id")}
    missing = [record for record in records if (record.code, record.level) not in known]
    made = Region.objects.bulk_create([Region(level=record.level) for record in missing])
    RegionCode.objects.bulk_create(
        [RegionCode(region=region, code=record.code) for region, record in zip(made, missing, strict=True)]
    )
    known |= {(record.code, record.level): region.pk for region, record in zip(made, missing, strict=True)}
    return {record.code: known[record.code, record.level] for record in records}, len(missing)


def _copy_versions(
    edition: Edition, records: Sequence[Record], regions: dict[str, int], shapes: np.ndarray[Any, Any]
) -> None:
    parents = {record.code: record.parent_code for record in records}
    areas = shapely.area(to_plane(shapes, current_city()))
    labels = _labels(records, shapes)
    columns = ("region_id", "edition_id", "parent_id", "level", "code", "name", "path", "geom", "label", "area_m2")
    _copy(
        RegionVersion._meta.db_table,
        columns,
        (
            (
                regions[record.code],
                edition.pk,
                regions[record.parent_code] if record.parent_code else None,
                record.level,
                record.code,
                record.name,
                path_of(record.code, parents),
                _ewkb(shape),
                _ewkb(label),
                float(area),
            )
            for record, shape, area, label in zip(records, shapes, areas, labels, strict=True)
        ),
    )


def _labels(records: Sequence[Record], shapes: np.ndarray[Any, Any]) -> list[shapely.Point]:
    told = [getattr(record, "label", None) for record in records]
    return [
        shapely.Point(label) if label and shapely.intersects_xy(shape, *label) else shapely.point_on_surface(shape)
        for label, shape in zip(told, shapes, strict=True)
    ]


def _copy_parts(versions: Iterable[tuple[int, shapely.geometry.base.BaseGeometry]]) -> None:
    _copy(
        RegionPart._meta.db_table,
        ("version_id", "geom"),
        ((version, _ewkb(part)) for version, shape in versions for part in subdivide(shape, PART_VERTICES)),
    )


def _copy(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _ewkb(shape: shapely.geometry.base.BaseGeometry) -> str:
    written: str = shapely.to_wkb(shapely.set_srid(shape, CGCS2000), hex=True, include_srid=True)
    return written


def _mark_days(edition: Edition, before: Edition | None, day: datetime.date) -> None:
    """Give regions their first and last days: those that come, those that go, and those that come back."""
    now = edition.versions.values("region_id")
    Region.objects.filter(pk__in=now, last_day__isnull=False).update(last_day=None)
    if before is not None and before.source.provenance == edition.source.provenance:
        Region.objects.filter(versions__edition=before).exclude(pk__in=now).update(last_day=day)
        Region.objects.filter(pk__in=now, first_day=None).exclude(versions__edition=before).update(first_day=day)


def _record_successions(edition: Edition, before: Edition | None, day: datetime.date) -> None:
    """Write what became of the regions of the edition before; an invented city never becomes a real one."""
    if before is None or before.source.provenance != edition.source.provenance:
        return
    told = set(edition.successions.values_list("origin_id", flat=True))
    then = dict(before.versions.values_list("code", "region_id"))
    now = dict(edition.versions.values_list("code", "region_id"))
    RegionSuccession.objects.bulk_create(
        RegionSuccession(
            edition=edition,
            origin_id=then[change.origin],
            successor_id=now[change.successor],
            kind=change.kind,
            on=day,
            share=change.share,
        )
        for change in changes_between(records_of(before), records_of(edition), current_city())
        if then[change.origin] not in told
    )


def _undo_successions(edition: Edition) -> None:
    """Going back to an edition, forget what later ones brought; publishing them again would need a new draft."""
    later = Edition.objects.filter(published_at__gt=edition.published_at)
    RegionSuccession.objects.filter(edition__in=later).delete()


def forget_preparation(*, edition: Edition) -> None:
    """Drop what a stopped job prepared for an edition."""
    PendingAssignment.objects.filter(edition=edition).delete()
