"""Writes of importing: draft a source, publish drafts in one act or rehearse that act, and correct single rows.

The report of what would happen is made by doing it and rolling it back, so that it cannot differ from what happens.
"""

from __future__ import annotations

import datetime
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from geo.crs import CITIES
from geo.errors import BadInput, CityError, Conflict, NotFound
from geo.imports.detectors import judge_datum
from geo.imports.drafting import DraftedRow, Drafting, NothingAccepted, RefusedRow, draft_files
from geo.imports.drafts import ADDED, apply_corrections, write_drafts, write_refusals
from geo.imports.importer import IMPORT_ORDER, Act, FamilyImporter, conclude, importer_of, tell_followers
from geo.imports.models import Correction, DraftRow, Family, ImportRun, Provenance, Refusal, RunState, Source
from geo.imports.purging import Purged
from geo.imports.quarantine import read_apart
from geo.imports.readers import read_file
from geo.imports.reasons import sentence
from geo.imports.report import RunReport
from geo.imports.spec import SourceSpec
from geo.scope import Scope

log = logging.getLogger(__name__)
MOST_REMOVED = 0.2
"""The share of a source's current rows that an import may retire without being told to."""
_LOCK = 720_115
Told = Callable[[str], None]


def declare_source(*, spec: SourceSpec) -> Source:
    """Write a declared source, or bring the one of that key up to its declaration."""
    source, _ = Source.objects.update_or_create(
        key=spec.key,
        defaults={
            "title": spec.title,
            "family": spec.family,
            "provenance": spec.provenance,
            "datum": spec.datum,
            "licence": spec.licence,
            "attribution": spec.attribution,
            "area_code": spec.area_code,
            "as_of": spec.as_of,
        },
    )
    return source


def draft_source(*, spec: SourceSpec, files: Sequence[Path], actor: str = "system", trusted: bool = True) -> ImportRun:
    """Read a source's files into the drafts of a new run. Whatever is wrong with a file is the run's report, not an error.

    ``trusted`` False reads the files in a child process with limits, as everything uploaded must be.
    """
    run = _begin(spec, " + ".join(path.name for path in files), actor)
    importer = importer_of(spec.family)
    city = CITIES[settings.CITY]
    try:
        drafting = draft_files(spec, files, importer, city, read_file if trusted else read_apart)
    except CityError as fault:
        empty = fault.drafting if isinstance(fault, NothingAccepted) else Drafting()
        return _refuse(run, empty, fault)
    with transaction.atomic():
        _keep(run, drafting, importer)
    return run


def draft_rows(*, spec: SourceSpec, rows: Iterable[DraftedRow], name: str, actor: str = "system") -> ImportRun:
    """Write drafts that are normalised already (the invented city) into a new run."""
    run = _begin(spec, name, actor)
    importer = importer_of(spec.family)
    with transaction.atomic():
        count = write_drafts(run, rows, cells=importer.cells)
        run.rows_read = run.rows_accepted = count
        run.save()
    return run


def publish_runs(
    *,
    runs: Sequence[ImportRun],
    commit: bool = True,
    allow_removal: bool = False,
    told: Told = lambda line: None,
) -> list[RunReport]:
    """Publish drafts in one transaction, in the order of families, and return a report for each run.

    With ``commit`` False, or when any run is in doubt, everything is rolled back and only the reports are kept. Killing the
    process at any moment leaves what was published before.
    """
    ordered = sorted(runs, key=lambda run: IMPORT_ORDER.index(Family(run.source.family)))
    reports = [RunReport.of(run) for run in ordered]
    refused: list[tuple[ImportRun, RefusedRow]] = []
    # before the act, so that the audit entry stays when a rehearsal is rolled back
    scope = Scope.system(f"{'发布' if commit else '核对'}导入：{'、'.join(run.source.key for run in ordered)}")
    with transaction.atomic():
        hold_publishing()
        with connection.cursor() as cursor:
            # thousands of drafts have come since the planner last looked at them
            cursor.execute("ANALYZE imports_draftrow")
        at = timezone.localtime()  # by the clock of the city: days are taken from it
        # first of all: what is about to be retired need not follow new regions, nor be compared with
        for run, report in zip(ordered, reports, strict=True):
            if run.state != RunState.REFUSED and run.source.provenance == Provenance.REAL:
                report.retired_invented += _retire(run.source, importer_of(run.source.family), at)
        for run, report in zip(ordered, reports, strict=True):
            if run.state != RunState.REFUSED:
                told(f"{run.source.title}：{report.rows_accepted} 行")
                act = Act(run, at, scope, dict(report.warnings))
                refused += [(run, row) for row in _attempt(act, report, allow_removal=allow_removal)]
        sure = not any(report.doubts for report in reports)
        if sure and reports:
            _close_emptied(at)
            reports[-1].notices = conclude()
        published = commit and sure
        if published:
            _close(ordered, reports, refused)
        transaction.set_rollback(not published)
    if not published:
        _keep_rehearsal(ordered, reports, refused)
    return reports


def purge_retired(*, commit: bool) -> dict[Family, Purged]:
    """Delete the retired invented rows that nothing refers to, and return by family how many; nothing without ``commit``.

    What would be deleted is found by deleting it and rolling back.
    """
    with transaction.atomic():
        hold_publishing()
        # those that refer come before those referred to
        found = {family: importer_of(family).purge_invented() for family in reversed(IMPORT_ORDER)}
        transaction.set_rollback(not commit)
    log.info("retired invented rows purged", extra={"rows": {str(key): each.deleted for key, each in found.items()}})
    return found


def stand_beside_publishing() -> None:
    """Keep publishing from beginning until the surrounding transaction ends, so that it cannot pass over what is corrected in it.

    Raises ``Conflict`` while an act of publishing is under way: it may take minutes, and nobody waits that long for a form.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise Conflict("publishing_under_way", "正在发布导入的数据，这段时间不能修改。请过几分钟再保存。")


def hold_publishing() -> None:
    """Wait for an act of publishing under way to end; until the surrounding transaction ends, no other begins."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


@transaction.atomic
def correct_row(
    *, source: Source, ext_id: str, field: str, old_value: Any, new_value: Any, reason: str, actor: str
) -> Correction:
    """Record a human correction of one field; it is put over the source's row at every import from now on.

    ``field`` is one of the family's fields, ``attributes.<key>`` for one entry of an object (``None`` takes it away),
    ``position`` with ``[lon, lat]`` in CGCS2000, or an act on the whole row that the family knows. Raises ``BadInput``.
    """
    if not _may_correct(importer_of(source.family), field):
        raise BadInput("correction_field", f"这类数据没有“{field[:40]}”这一项，不能更正。", field=field[:40])
    placed = new_value.get("position") if field == ADDED else new_value
    if field in ("position", ADDED) and not _is_position(placed):
        raise BadInput("correction_position", "更正的位置应写成 [经度, 纬度]。")
    return Correction.objects.create(
        source=source, ext_id=ext_id, field=field, old_value=old_value, new_value=new_value, reason=reason, actor=actor
    )


@transaction.atomic
def clear_correction(*, source: Source, ext_id: str, field: str, actor: str) -> Correction:
    """Let the source speak for a field again from the next import on, and return the first correction that stood against it.

    Its ``old_value`` is what the source said then. Raises ``NotFound`` when nothing of the field is corrected.
    """
    standing = Correction.objects.select_for_update().filter(source=source, ext_id=ext_id, field=field, cleared_at=None)
    first = standing.order_by("id").first()
    if first is None:
        raise NotFound("correction_unknown", f"“{field[:40]}”没有人工更正，不用撤销。", field=field[:40])
    standing.update(cleared_at=timezone.now(), cleared_by=actor)
    first.refresh_from_db()
    return first


@transaction.atomic
def withdraw_corrections(*, ids: Collection[int], actor: str) -> int:
    """Let the source speak again where these corrections stood, from the next import on, and return how many still stood."""
    standing = Correction.objects.filter(pk__in=ids, cleared_at=None)
    return standing.update(cleared_at=timezone.now(), cleared_by=actor)


def _may_correct(importer: FamilyImporter, field: str) -> bool:
    if field == ADDED:
        return importer.grows
    whole = ("position", *importer.fields, *importer.correctable, *importer.leaving, *importer.beside)
    return field in whole or ("." in field and field.partition(".")[0] in importer.fields)


def _is_position(value: Any) -> bool:
    figures = isinstance(value, list) and len(value) == 2 and all(isinstance(each, int | float) for each in value)
    return figures and CITIES[settings.CITY].bbox.west - 5 <= value[0] <= 180 and -90 <= value[1] <= 90


def _begin(spec: SourceSpec, name: str, actor: str) -> ImportRun:
    source = declare_source(spec=spec)
    # drafts that nobody published are of no use once the source is read again
    DraftRow.objects.filter(run__source=source).delete()
    ImportRun.objects.filter(source=source, state=RunState.READING).update(state=RunState.FAILED)
    return ImportRun.objects.create(source=source, file_name=name[:255], actor=actor)


def _keep(run: ImportRun, drafting: Drafting, importer: FamilyImporter) -> None:
    write_drafts(run, drafting.accepted, cells=importer.cells)
    write_refusals(run, drafting.refused)
    kinds = Counter(importer.kinds(row.payload) for row in drafting.accepted)
    _note(run, drafting, {"kinds": dict(kinds.most_common())})


def _note(run: ImportRun, drafting: Drafting, more: dict[str, Any]) -> None:
    run.sha256 = drafting.digest
    run.rows_read, run.rows_accepted = drafting.rows_read, len(drafting.accepted)
    run.rows_refused = len(drafting.refused)
    run.report = {
        "refused_early": dict(Counter(row.code for row in drafting.refused).most_common()),
        "warnings_early": dict(drafting.warnings),
        "encodings": drafting.encodings,
        **more,
    }
    run.save()


def _refuse(run: ImportRun, drafting: Drafting, fault: CityError) -> ImportRun:
    with transaction.atomic():
        write_refusals(run, drafting.refused)
        run.state, run.finished_at = RunState.REFUSED, timezone.now()
        _note(run, drafting, {"doubts": [{"code": fault.code, "message": fault.message, "early": "1"}]})
    return run


def _attempt(act: Act, report: RunReport, *, allow_removal: bool) -> list[RefusedRow]:
    """Publish one run; what its family refuses as a whole becomes a doubt, and the act will be rolled back."""
    try:
        with transaction.atomic():
            return _publish(act, report, allow_removal=allow_removal)
    except CityError as fault:
        report.doubts.append({"code": fault.code, "message": fault.message})
        return []


def _publish(act: Act, report: RunReport, *, allow_removal: bool) -> list[RefusedRow]:
    run, importer = act.run, importer_of(act.source.family)
    importer.read(act)
    apply_corrections(act, importer)
    report.doubts += _doubts(act, importer, report)
    importer.prepare(act)
    current, missing = importer.current_rows(run.source), importer.missing_rows(act)
    if current and missing > MOST_REMOVED * current and not allow_removal:
        report.doubt("deletion_guard", f"现有 {current} 行中的 {missing} 行")
    counts = importer.publish(act)
    # sources that follow in this act read what is published, and this is
    Source.objects.filter(pk=run.source_id).update(published_at=act.at, retired_at=None)
    importer.settle(act)
    # regions are retired by the edition that takes their place; a new invented source may meet a real one
    report.retired_invented += _retire(run.source, importer, act.at)
    rows = [_refused_late(*entry) for entry in act.refused]
    report.findings = list(run.report.get("findings", []))
    report.note(counts, act.warnings, Counter(row.code for row in rows))
    report.corrected = act.corrected
    return rows


def _doubts(act: Act, importer: FamilyImporter, report: RunReport) -> list[dict[str, str]]:
    doubts = []
    for evidence in judge_datum(act, importer):
        report.evidence.append(evidence.sentence)
        if evidence.wrong:
            doubts.append({"code": "wrong_datum", "message": f"{sentence('wrong_datum')}{evidence.sentence}"})
    invented = act.source.provenance == Provenance.INVENTED
    if invented and _real(act.source.family).filter(area_code="").exists():
        doubts.append({"code": "real_published", "message": sentence("real_published")})
    return doubts


def _real(family: str) -> Any:
    return Source.objects.filter(
        family=family, provenance=Provenance.REAL, published_at__isnull=False, retired_at__isnull=True
    )


def _retire(source: Source, importer: FamilyImporter, at: datetime.datetime) -> int:
    """Retire what is invented where this source, or a real one published before, is real."""
    if source.provenance == Provenance.REAL:
        return importer.retire_invented(area_code=source.area_code, at=at)
    areas = _real(source.family).values_list("area_code", flat=True)
    return sum(importer.retire_invented(area_code=area, at=at) for area in areas)


def _close_emptied(at: datetime.datetime) -> None:
    """Mark the invented sources without a current row as retired, so that nothing says 演示数据 any more."""
    for source in Source.objects.filter(
        provenance=Provenance.INVENTED, published_at__isnull=False, retired_at__isnull=True
    ):
        if not importer_of(source.family).current_rows(source):
            source.retired_at = at
            source.save(update_fields=["retired_at"])


def _refused_late(draft: DraftRow, code: str, column: str) -> RefusedRow:
    return RefusedRow(draft.part, draft.row, column, code, sentence(code), dict(draft.payload))


LateRefusals = Sequence[tuple[ImportRun, RefusedRow]]


def _close(runs: Sequence[ImportRun], reports: Sequence[RunReport], refused: LateRefusals) -> None:
    """Inside the act: mark what is published, and ask whoever follows these families to follow after the commit."""
    for run, report in zip(runs, reports, strict=True):
        DraftRow.objects.filter(run=run).delete()
        report.published, run.state = True, RunState.PUBLISHED
    _keep_reports(runs, reports, refused)
    families = frozenset(report.family for report in reports)
    transaction.on_commit(lambda: tell_followers(families))


@transaction.atomic
def _keep_rehearsal(runs: Sequence[ImportRun], reports: Sequence[RunReport], refused: LateRefusals) -> None:
    """After the act was rolled back: keep what it would have done."""
    for run, report in zip(runs, reports, strict=True):
        run.state = RunState.REFUSED if report.doubts else RunState.REPORTED
    _keep_reports(runs, reports, refused)


def _keep_reports(runs: Sequence[ImportRun], reports: Sequence[RunReport], refused: LateRefusals) -> None:
    Refusal.objects.filter(run__in=runs, late=True).delete()
    for run in runs:
        write_refusals(run, [row for owner, row in refused if owner.pk == run.pk], late=True)
    for run, report in zip(runs, reports, strict=True):
        run.rows_accepted, run.rows_refused = report.rows_accepted, report.rows_refused
        run.report = {**run.report, **report.as_data()}
        run.finished_at = timezone.now()
        run.save()
