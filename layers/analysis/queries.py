"""Reads of analyses: the caller's own runs, one of them, the steps before and after it, its first rows and what a map draws."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson
import shapely

from geo.errors import NotFound
from geo.scope import Scope
from layers.analysis.map_processes import PROCESSES
from layers.analysis.sources import WITH, earlier, result_pieces
from layers.processes.models import ProcessRun
from layers.processes.queries import run_of, runs_visible

KEYS: Final = tuple(one.key for one in PROCESSES)
DRAWN: Final = 3_000
DRAWN_CORNERS: Final = 60_000
"""Features and corners that a page draws of a result; all of it is drawn once it is a layer."""


def analyses(*, scope: Scope) -> list[ProcessRun]:
    """Return the analyses that a scope asked for, newest first."""
    return list(runs_visible(scope=scope).filter(process__in=KEYS)[:30])


def asked_of(*, run_id: UUID, scope: Scope) -> ProcessRun:
    """Return an analysis of this scope, done or not. Raises ``NotFound``."""
    run = run_of(run_id=run_id, scope=scope)
    if run.process not in KEYS:
        raise NotFound("run_unknown", "没有找到这次分析，可能已到期删除。")
    return run


def analysis_of(*, run_id: UUID, scope: Scope) -> ProcessRun:
    """Return an analysis of this scope that is done. Raises ``NotFound``, ``Conflict`` while it is not."""
    return earlier(asked_of(run_id=run_id, scope=scope).pk, scope)


def step_before(run: ProcessRun, *, scope: Scope) -> ProcessRun | None:
    """Return the run whose result this one went on from; none for a first step, or when that is gone."""
    named = run.inputs.get("run") or run.inputs.get(f"{WITH}run")
    return runs_visible(scope=scope).filter(pk=named).first() if named else None


def step_after(run: ProcessRun, *, scope: Scope) -> ProcessRun | None:
    """Return the newest run that went on from the result of this one."""
    mine = runs_visible(scope=scope)
    return (mine.filter(inputs__run=str(run.pk)) | mine.filter(**{f"inputs__{WITH}run": str(run.pk)})).first()


def first_rows(run: ProcessRun, *, scope: Scope, most: int) -> list[dict[str, Any]]:
    """Return what the first features of a result say."""
    return [said for piece in result_pieces(run, scope, most) for said in piece.properties]


def drawing(run: ProcessRun, *, scope: Scope) -> tuple[dict[str, Any], int]:
    """Return the first features of a result as GeoJSON for a map, thinned to what it shows, and how many they are."""
    drawn: list[Any] = []
    corners = 0
    west, south, east, north = run.about["bounds"] or (0, 0, 0, 0)
    grain = max(east - west, north - south) / 4_000
    for piece in result_pieces(run, scope, DRAWN):
        shapes = shapely.simplify(piece.shapes, grain, preserve_topology=True)
        texts = shapely.to_geojson(shapely.transform(shapes, lambda places: places.round(6)))
        for shape, text in zip(shapes, texts, strict=True):
            corners += shapely.get_num_coordinates(shape)
            if corners > DRAWN_CORNERS and drawn:
                break
            drawn.append({"type": "Feature", "properties": {"at": len(drawn) + 1}, "geometry": orjson.loads(text)})
    return {"type": "FeatureCollection", "features": drawn}, len(drawn)
