"""Files into a dataset: kept, read (aside, above a size), their columns said, weighed, written as one act."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from django.db import transaction

from geo.crs import System
from geo.errors import BadInput, CityError, Conflict
from geo.geometry import feature, feature_collection
from geo.jobs.actions import start_job
from geo.jobs.models import Job, JobState
from geo.kept import PLAIN, keep_file, plain_copy
from geo.scope import Scope
from layers.datasets.arriving import Matching, take_in, weigh
from layers.datasets.attributes import KINDS, titled
from layers.datasets.editing import Sent
from layers.datasets.files.kept import file_of
from layers.datasets.files.reading import (
    NEW,
    SKIP,
    Column,
    Judged,
    Opened,
    address_column,
    attributes_after,
    columns_guessed,
    doubt_of,
    format_of,
    judge,
    open_file,
    reasons_tallied,
    tables_in,
)
from layers.datasets.models import Dataset, DatasetAct, DatasetImport, ImportState
from layers.datasets.queries import EDIT, dataset_seen, import_seen

READ_JOB: Final = "datasets.read"
WEIGH_JOB: Final = "datasets.weigh"
WRITE_JOB: Final = "datasets.write"
AT_ONCE_BYTES: Final = 400_000
"""A larger file is read and written aside, with progress."""
MOST_DRAWN: Final = 1_500
FAULTS_SHOWN: Final = 200
SAMPLE: Final = 5
THINNED_DEG: Final = 2e-5


@transaction.atomic
def take_file(*, key: str, source: Path, name: str, datum: str, scope: Scope) -> DatasetImport:
    """Keep a file for a dataset and read it, aside where it is large. Raises ``BadInput`` for a format that is not read."""
    dataset = dataset_seen(key, scope=scope, duty=EDIT)
    if dataset.retired_at is not None:
        raise Conflict("dataset_retired", "这个图层已停用。要改它，请先恢复。")
    format_of(name)
    one = DatasetImport.objects.create(
        id=uuid.uuid4(), dataset=dataset, name=name[-200:], datum=_datum(datum), made_by=scope.actor
    )
    keep_file(source, file_of(one))
    return _begin(one, READ_JOB, large=source.stat().st_size > AT_ONCE_BYTES, scope=scope)


def read_again(*, import_id: uuid.UUID, datum: str, table: str, scope: Scope) -> DatasetImport:
    """Read a file in another system, or another table of it; what was said of its columns is guessed anew."""
    one = _open(import_id, scope)
    one.datum, one.table, one.columns = _datum(datum), table[:120], []
    one.save()
    return _begin(one, READ_JOB, large=_large(one), scope=scope)


def say_columns(*, import_id: uuid.UUID, columns: Sequence[Mapping[str, str]], scope: Scope) -> DatasetImport:
    """Say what becomes of the columns, and judge the rows by it. Raises ``BadInput``."""
    one = _open(import_id, scope)
    told = {each["column"]: each for each in columns}
    chosen = []
    for each in (Column(**kept) for kept in one.columns):
        said = told.get(each.column)
        if said is None or said["to"] == SKIP:
            chosen.append(Column(each.column, SKIP, each.title, each.kind))
            continue
        known = {own["name"]: own for own in one.dataset.attributes}
        if said["to"] in known:
            own = known[said["to"]]
            chosen.append(Column(each.column, own["name"], own["title"], own["kind"]))
        elif said["kind"] in KINDS:
            chosen.append(Column(each.column, NEW, titled(said["title"]), said["kind"]))
    attributes_after(one.dataset, chosen, addressed=bool(one.report.get("address")))
    one.columns = [asdict(each) for each in chosen]
    one.save()
    return _begin(one, READ_JOB, large=_large(one), scope=scope)


def read_import(import_id: uuid.UUID | str) -> DatasetImport:
    """Read a file and report on it: its tables, system, columns, what can be written, what is wrong with each other row."""
    one = DatasetImport.objects.select_related("dataset").get(pk=import_id)
    try:
        report = _report(one)
        one.state, one.error, one.report = ImportState.READ, "", report
    except CityError as fault:
        said = fault.message.replace(f"（{PLAIN}", f"（{one.name}")  # people know the file by the name they gave it
        one.state, one.error, one.report = ImportState.FAILED, said[:400], {}
    one.save()
    return one


@transaction.atomic
def begin_write(
    *, import_id: uuid.UUID, by: str, replace: bool, sure: bool, seen: int, key: uuid.UUID, scope: Scope
) -> DatasetImport:
    """Write what can be written, aside where it is much. Raises ``Conflict`` and ``BadInput``."""
    one = _open(import_id, scope)
    if not one.report.get("ready"):
        raise BadInput("import_empty", "文件里没有可以写入的行。请先改好再传。")
    if one.report.get("doubt") and not sure:
        raise Conflict("import_doubt", "图形整体偏移，坐标系可能不对。请换一个坐标系重新读取，或勾选“坐标系没有错”。")
    how = {"by": by, "replace": replace, "seen": seen, "key": str(key)}
    return _begin(one, WRITE_JOB, large=_large(one), scope=scope, **how)


@transaction.atomic
def begin_weigh(*, import_id: uuid.UUID, by: str, replace: bool, scope: Scope) -> DatasetImport:
    """Work out what writing would do, aside where it is much; the report says it as ``weighed``."""
    one = _open(import_id, scope)
    return _begin(one, WEIGH_JOB, large=_large(one), scope=scope, by=by, replace=replace)


def weigh_import(import_id: uuid.UUID | str, *, by: str, replace: bool, scope: Scope) -> DatasetImport:
    """Let the report of a file say how many features writing would add, change, take away and leave as they are."""
    one = DatasetImport.objects.select_related("dataset").get(pk=import_id)
    judged, _ = _judged(one)
    found = weigh(one.dataset.key, arrivals=judged.arrivals, matching=Matching(by, replace), scope=scope)
    one.report |= {"weighed": {**asdict(found.tally), "same": found.same, "by": by, "replace": replace}}
    one.state, one.error = ImportState.READ, ""
    one.save()
    return one


def write_import(
    import_id: uuid.UUID | str, *, by: str, replace: bool, seen: int, key: uuid.UUID, scope: Scope
) -> DatasetAct | None:
    """Write a file as one act, with the attributes it brings. Raises ``Conflict`` when the draft changed since ``seen``."""
    one = DatasetImport.objects.select_related("dataset").get(pk=import_id)
    judged, attributes = _judged(one)
    with transaction.atomic():
        act = take_in(
            Sent(one.dataset.key, seen, key, scope), arrivals=judged.arrivals, matching=Matching(by, replace),
            said=f"从“{one.name[:60]}”导入", attributes=[each.kept() for each in attributes],
        )  # fmt: skip
        one.state, one.error, one.act = ImportState.WRITTEN, "", act
        one.save()
    return act


@transaction.atomic
def discard(*, import_id: uuid.UUID, scope: Scope) -> Dataset:
    """Throw a file away that was not written."""
    one = _open(import_id, scope)
    dataset = one.dataset
    one.delete()
    return dataset


def _begin(one: DatasetImport, kind: str, *, large: bool, scope: Scope, **how: Any) -> DatasetImport:
    if large:
        one.state = ImportState.WRITING if kind == WRITE_JOB else ImportState.READING
        one.job = start_job(
            kind=kind, params={"import": str(one.pk), "account": scope.actor, **how}, actor=scope.actor
        ).pk  # fmt: skip
        one.save()
        return one
    if kind == READ_JOB:
        return read_import(one.pk)
    if kind == WEIGH_JOB:
        return weigh_import(one.pk, **how, scope=scope)
    write_import(one.pk, **{**how, "key": uuid.UUID(how["key"])}, scope=scope)
    return DatasetImport.objects.get(pk=one.pk)


def _open(import_id: uuid.UUID, scope: Scope) -> DatasetImport:
    one = import_seen(import_id, scope=scope)
    if is_busy(one):
        raise Conflict("import_busy", "这个文件正在处理，请等它完成。")
    if one.state == ImportState.WRITTEN:
        raise Conflict("import_written", "这个文件已经写入。要再写一次，请重新上传。")
    return one


def is_busy(one: DatasetImport) -> bool:
    """Say whether a file is being read or written; one whose work failed or was stopped waits to be asked again."""
    if one.state not in (ImportState.WRITING, ImportState.READING):
        return False
    return Job.objects.filter(
        pk__in=[one.job] if one.job else [], state__in=(JobState.QUEUED, JobState.RUNNING)
    ).exists()


def _large(one: DatasetImport) -> bool:
    return file_of(one).stat().st_size > AT_ONCE_BYTES


def _datum(datum: str) -> str:
    return datum if datum in {system.value for system in System} else ""


def _opened(one: DatasetImport) -> Opened:
    format = format_of(one.name)
    with plain_copy(file_of(one)) as path:
        return open_file(path, name=one.name, format=format, table=one.table, datum=one.datum)


def _judged(one: DatasetImport) -> tuple[Judged, Sequence[Any]]:
    opened, address = _opened(one), str(one.report.get("address") or "")
    attributes, becomes = attributes_after(
        one.dataset, [Column(**kept) for kept in one.columns], addressed=bool(address)
    )
    return judge(opened, one.dataset, attributes=attributes, becomes=becomes, address=address), attributes


def _report(one: DatasetImport) -> dict[str, Any]:
    format = format_of(one.name)
    if not one.table:
        with plain_copy(file_of(one)) as path:
            tables = tables_in(path, format=format)
        if len(tables) > 1:
            return {"tables": tables}
        one.table = tables[0] if tables else ""
    opened = _opened(one)
    address = address_column(opened.reading) if one.dataset.geometry == "point" else ""
    told = {
        "system": opened.system.value if opened.system else "", "why": opened.guess.why,
        "guessed": opened.guess.system.value if opened.guess.system else "", "address": address,
        "rows": len(opened.reading.records), "encoding": opened.reading.encoding,
    }  # fmt: skip
    if opened.system is None and not address:
        return told
    if not one.columns:
        one.columns = [asdict(column) for column in columns_guessed(opened.reading, one.dataset)]
    columns = [Column(**kept) for kept in one.columns]
    attributes, becomes = attributes_after(one.dataset, columns, addressed=bool(address))
    judged = judge(opened, one.dataset, attributes=attributes, becomes=becomes, address=address)
    doubt, likely = doubt_of(opened) if not address else ("", "")
    sample = [
        {column.column: _short(row.get(column.column)) for column in columns} for row in opened.reading.records[:SAMPLE]
    ]
    return told | {
        "ready": len(judged.arrivals), "faulty": len(judged.faults), "mended": judged.mended[:FAULTS_SHOWN],
        "mended_count": len(judged.mended), "faults": list(judged.faults.items())[:FAULTS_SHOWN],
        "reasons": reasons_tallied(judged), "doubt": doubt, "likely": likely, "sample": sample,
        "drawn": _drawn(judged),
    }  # fmt: skip


def _short(value: Any) -> str:
    return "" if value is None else str(value)[:60]


def _drawn(judged: Judged) -> dict[str, Any]:
    """Return what could be written for the map: all of it, or an even choice of much."""
    count = len(judged.arrivals)
    chosen: list[int] = (
        np.unique(np.linspace(0, count - 1, min(count, MOST_DRAWN)).astype(int)).tolist() if count else []
    )
    mended = set(judged.mended)
    drawn = []
    for at in chosen:
        shape, row = shapely.from_wkb(judged.arrivals[at].shape), judged.numbers[at]
        word = "，修好以后的图形" if row in mended else ""
        thin = shapely.simplify(shape, THINNED_DEG) if shapely.get_num_coordinates(shape) > 50 else shape
        about = {"row": row, "state": "mended" if row in mended else "new", "said": f"第 {row} 行{word}"}
        drawn.append(feature(thin, about, System.CGCS2000))
    return feature_collection(drawn)
