"""Drafts in the database: written by COPY, with the cell of their point, and corrected by what people have set right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
import shapely
from django.db import connection
from django.utils import timezone
from shapely.geometry.base import BaseGeometry

from geo.crs.codes import CGCS2000
from geo.grids import cells_at
from geo.imports.drafting import DraftedRow, RefusedRow
from geo.imports.importer import Act, FamilyImporter
from geo.imports.models import Correction, DraftRow, ImportRun, Refusal

_BATCH = 20_000
ADDED: Final = "added"
"""The correction that brings a whole row: ``{"payload": …, "position": [lon, lat]}`` in CGCS2000."""
SAME_DEGREES: Final = 1e-7
"""Points closer than a centimetre are one."""
_COPY = "COPY imports_draftrow (run_id, part, row, ext_id, payload, geom, cell) FROM STDIN"


def write_drafts(run: ImportRun, rows: Iterable[DraftedRow], *, cells: bool) -> int:
    """Copy drafts into the database and return how many; ``cells`` asks for the H3 cell of every point."""
    written, batch = 0, list[DraftedRow]()
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            batch.append(row)
            if len(batch) == _BATCH:
                written += _copy(copy, run, batch, cells=cells)
                batch = []
        written += _copy(copy, run, batch, cells=cells)
    return written


def _copy(copy: Any, run: ImportRun, rows: Sequence[DraftedRow], *, cells: bool) -> int:
    geoms = np.array([row.geom for row in rows], dtype=object)
    texts = _hex(geoms)
    numbers = _cells(geoms) if cells else [None] * len(rows)
    for row, text, cell in zip(rows, texts, numbers, strict=True):
        payload = orjson.dumps(row.payload).decode()
        copy.write_row((run.pk, row.part, row.number, row.ext_id, payload, text, cell))
    return len(rows)


def _hex(geoms: np.ndarray[Any, Any]) -> list[str | None]:
    marked = shapely.set_srid(geoms, CGCS2000)
    return list(shapely.to_wkb(marked, hex=True, include_srid=True))


def _cells(geoms: np.ndarray[Any, Any]) -> list[int | None]:
    points = shapely.get_type_id(geoms) == 0
    found: list[int | None] = [None] * len(geoms)
    x, y = shapely.get_x(geoms[points]), shapely.get_y(geoms[points])
    for at, cell in zip(np.flatnonzero(points), cells_at(x.tolist(), y.tolist()), strict=True):
        found[int(at)] = int(cell)
    return found


def set_points(points: Mapping[int, tuple[BaseGeometry, Mapping[str, Any]]]) -> None:
    """Give drafts, by id, a point found only now with its cell, and put more values into their payloads."""
    if not points:
        return
    shapes = np.array([point for point, _ in points.values()], dtype=object)
    said = [orjson.dumps(dict(more)).decode() for _, more in points.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE imports_draftrow d
               SET geom = v.geom::geometry, cell = v.cell, payload = d.payload || v.more::jsonb
               FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[]) v(id, geom, cell, more)
               WHERE d.id = v.id""",
            [list(points), _hex(shapes), _cells(shapes), said],
        )


def write_refusals(run: ImportRun, rows: Sequence[RefusedRow], *, late: bool = False) -> None:
    """Keep the refused rows of a run with their reasons."""
    Refusal.objects.bulk_create(
        [
            Refusal(
                run=run, late=late, part=row.part, row=row.number, column=row.column, code=row.code, message=row.message,
                raw=orjson.loads(orjson.dumps(row.raw, default=str)),
            )
            for row in rows
        ],
        batch_size=2_000,
    )  # fmt: skip


def set_payloads(payloads: Mapping[int, Mapping[str, Any]]) -> None:
    """Give drafts, by id, other payloads."""
    if not payloads:
        return
    said = [orjson.dumps(dict(payload)).decode() for payload in payloads.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE imports_draftrow d SET payload = v.payload::jsonb
               FROM unnest(%s::bigint[], %s::text[]) v(id, payload) WHERE d.id = v.id""",
            [list(payloads), said],
        )


def apply_corrections(act: Act, importer: FamilyImporter) -> None:
    """Put what people set right over the drafts of the source, in the order it was done: rows added, fields, rows taken out.

    A correction whose old value no longer stands in the source still holds, and is reported as stale; one whose row is gone
    is reported as lost.
    """
    standing = Correction.objects.filter(source=act.source, cleared_at=None).order_by("id")
    by_row: dict[str, list[Correction]] = defaultdict(list)
    for correction in _after_adding(act, importer, list(standing)):
        by_row[correction.ext_id].append(correction)
    found = {draft.ext_id: draft for draft in DraftRow.objects.filter(run=act.run, ext_id__in=list(by_row))}
    payloads: dict[int, dict[str, Any]] = {}
    points: dict[int, tuple[BaseGeometry, Mapping[str, Any]]] = {}
    gone: list[int] = []
    for ext_id, corrections in by_row.items():
        draft = found.get(ext_id)
        leaving = [correction for correction in corrections if correction.field in importer.leaving]
        if draft is None:
            # a row that people took out and the source no longer has is what they wanted
            act.warn("correction_lost", 0 if leaving else len(corrections))
            continue
        payload, point = _corrected(act, draft, [each for each in corrections if each not in leaving])
        days = {correction.field: timezone.localdate(correction.created_at) for correction in corrections}
        payload = importer.derive(importer.corrected(payload, days))
        act.warn("correction_stale", sum(not _still_says(payload, correction) for correction in leaving))
        act.corrected += len(days)
        if leaving:
            gone.append(draft.pk)
            continue
        payloads[draft.pk] = payload
        if point is not None:
            points[draft.pk] = (point, {"point_source": "survey"})
    set_payloads(payloads)
    set_points(points)
    DraftRow.objects.filter(pk__in=gone).delete()


def _after_adding(act: Act, importer: FamilyImporter, standing: list[Correction]) -> list[Correction]:
    """Write the rows that people added as drafts, and return the corrections of single rows that are left to do."""
    added = [correction for correction in standing if correction.field == ADDED]
    known = importer.caught_up(act, added) if added else frozenset()
    act.warn("correction_caught_up", len(known))
    fresh = [correction for correction in added if correction.ext_id not in known]
    write_drafts(act.run, map(_drafted, fresh), cells=importer.cells)
    act.corrected += len(fresh)
    return [each for each in standing if each.field != ADDED and each.field not in importer.beside]


def _drafted(added: Correction) -> DraftedRow:
    brought: Any = added.new_value
    return DraftedRow("", 0, added.ext_id, brought["payload"], shapely.Point(*brought["position"]))


def _corrected(
    act: Act, draft: DraftRow, corrections: Sequence[Correction]
) -> tuple[dict[str, Any], shapely.Point | None]:
    """Return the payload of a draft with its corrections in it, and where they put it, if anywhere; note the stale ones."""
    payload = dict(draft.payload)
    given = None if draft.geom is None else (draft.geom.x, draft.geom.y)
    here = given
    for correction in corrections:
        if correction.field == "position":
            act.warn("correction_stale", int(not _stood_at(here, correction)))
            new: Any = correction.new_value
            here = float(new[0]), float(new[1])
        elif not _put(payload, correction):
            act.warn("correction_stale")
    moved = any(correction.field == "position" for correction in corrections)
    return payload, shapely.Point(here) if moved and here else None


def _still_says(payload: Mapping[str, Any], correction: Correction) -> bool:
    """Say whether a row that people took out still says what it said then."""
    return all(_alike(payload.get(key), value) for key, value in (correction.old_value or {}).items())


def _stood_at(here: tuple[float, float] | None, correction: Correction) -> bool:
    """Say whether the source still has the point that was corrected; a point that it never gave is no news."""
    if here is None or correction.old_value is None:
        return True
    return any(
        max(abs(here[0] - float(lon)), abs(here[1] - float(lat))) < SAME_DEGREES
        for lon, lat in (correction.old_value, correction.new_value or correction.old_value)
    )


def _put(payload: dict[str, Any], correction: Correction) -> bool:
    """Put the new value of a correction in its place, and say whether the source still says what it said then."""
    holder, key = payload, correction.field
    if "." in key:
        name, _, key = key.partition(".")
        holder = payload[name] = dict(payload.get(name) or {})
    present = holder.get(key)
    if correction.new_value is None and "." in correction.field:
        holder.pop(key, None)
    else:
        holder[key] = correction.new_value
    return _alike(present, correction.old_value) or _alike(present, correction.new_value)


def _alike(one: Any, other: Any) -> bool:
    """Say whether two values of a payload are the same; an empty text is one that is not there."""
    return bool((None if one == "" else one) == (None if other == "" else other))
