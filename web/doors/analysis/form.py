"""The form of 空间分析: what each operation asks, the sides it can take, read into the inputs of a process and shown again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from geo.errors import BadInput, CityError
from geo.geometry import LIMITS
from geo.jobs.models import JobState
from geo.regions.models import Level
from geo.regions.queries import versions_of
from geo.scope import Scope
from layers.analysis.density import COARSEST, FINEST, GRIDS
from layers.analysis.gathering import ENDS, MOST_RINGS
from layers.analysis.overlaying import HOW, SLIVER_M2
from layers.analysis.queries import KEYS, analyses, asked_of
from layers.analysis.relating import MOST_NEAREST, RELATIONS
from layers.analysis.sources import WITH, source_of
from layers.processes.models import ProcessRun
from layers.processes.queries import job_of
from layers.processes.registry import processes
from layers.registry import visible_layers
from layers.spec import CATEGORIES
from web.doors.common.typed import typed

SHAPE: Final = "drawn"
_NUMBERS: Final = ("metres", "rings", "count", "sliver_m2", "size_m", "resolution", "radius_m")
_WHOLE: Final = ("rings", "count", "resolution")
_WORDS: Final = ("relation", "how", "ends", "grid", "by", "weight")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as the page offers it: its icon, whether it has another side, and what is filled in at first."""

    icon: str
    both: bool
    first: Mapping[str, str]


OPERATIONS: Final = {
    "buffer": Operation("target", False, {"metres": "500", "rings": "1", "ends": "round"}),
    "near": Operation("locate-fixed", True, {"metres": "500", "count": "1"}),
    "relate": Operation("scan-search", True, {"relation": "contains"}),
    "overlay": Operation("squares-unite", True, {"how": "intersect", "sliver_m2": f"{SLIVER_M2:g}"}),
    "dissolve": Operation("combine", False, {}),
    "density": Operation("blocks", False, {"grid": "square", "size_m": "500", "resolution": "9", "radius_m": "0"}),
}


def operation_named(request: HttpRequest) -> str:
    """Return the operation that is asked for, the first where none is."""
    asked = typed(request, "op")
    return asked if asked in OPERATIONS else next(iter(OPERATIONS))


def inputs_typed(request: HttpRequest, process: str) -> dict[str, Any]:
    """Return the inputs that a form says. Raises ``BadInput`` for a number or shape that cannot be read."""
    found: dict[str, Any] = {}
    told = processes()[process].inputs
    for name in _NUMBERS:
        text = typed(request, name).strip()
        if name in told and text:
            found[name] = _number(text, told[name].title, whole=name in _WHOLE)
    for name in _WORDS:
        if name in told and (text := typed(request, name).strip()):
            found[name] = text
    if "dissolve" in told and typed(request, "dissolve"):
        found["dissolve"] = True
    if "sums" in told and (sums := request.POST.getlist("sums")):
        found["sums"] = sums[:20]
    found |= _side(request, "one", "")
    if OPERATIONS[process].both:
        found |= _side(request, "other", WITH)
    return found


def _number(text: str, title: str, *, whole: bool) -> float | int:
    try:
        value = float(text.replace(",", "").replace("，", "")[:20])
    except ValueError:
        raise BadInput("number_invalid", f"“{title}”要填数字。") from None
    if value != value or abs(value) > 1e9 or (whole and not value.is_integer()):
        raise BadInput("number_invalid", f"“{title}”要填{'整数' if whole else '数字'}。")
    return int(value) if whole else value


def _side(request: HttpRequest, name: str, prefix: str) -> dict[str, Any]:
    kind, _, which = typed(request, name).partition(":")
    if kind == SHAPE:
        return {f"{prefix}features": {"type": "Feature", "properties": {}, "geometry": _shape(request)}}
    if kind == "run":
        return {f"{prefix}run": which}
    if kind != "layer" or not which:
        said = "请选另一个图层。" if prefix else "请选图层。"
        raise BadInput("side_missing", said, fields={name: said})
    found: dict[str, Any] = {f"{prefix}layer": which}
    if region := typed(request, f"{name}_region"):
        found[f"{prefix}region"] = region
    if condition := typed(request, f"{name}_filter").strip():
        found[f"{prefix}filter"] = condition
    if typed(request, f"{name}_within"):
        found[f"{prefix}shape"] = _shape(request)
    return found


def _shape(request: HttpRequest) -> Any:
    text = typed(request, "shape").strip()
    if not text:
        raise BadInput("shape_missing", "还没有画图形。请在地图上画好，再开始。")
    if len(text) > LIMITS.body_bytes:
        raise BadInput("shape_too_large", "图形太大，请先简化。")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput("shape_invalid", "图形读不懂。请在地图上重新画，或贴一段 GeoJSON。") from None
    return said.get("geometry") if isinstance(said, dict) and said.get("type") == "Feature" else said


def form_of(request: HttpRequest, scope: Scope) -> dict[str, Any]:
    """Return what the form shows: what was typed, or the inputs of the step ``from`` that is done again otherwise."""
    process = operation_named(request)
    said = {**OPERATIONS[process].first}
    if request.method == "POST" or typed(request, "one"):
        asked = request.POST if request.method == "POST" else request.GET
        said |= {name: str(value) for name, value in asked.items()}
        sums = asked.getlist("sums")
    else:
        process, again, sums = _again(request, scope, process)
        said |= again
    levels = (Level.DISTRICT, Level.STREET)
    regions = versions_of(scope=scope).filter(level__in=levels).order_by("path").values_list("code", "name", "level")
    return {
        "op": process, "process": processes()[process], "operation": OPERATIONS[process], "said": said, "sums": sums,
        "operations": [(key, processes()[key], OPERATIONS[key].icon) for key in KEYS],
        "groups": _grouped(scope), "results": _results(scope), "fields": _fields(said.get("one", ""), scope),
        "regions": [(code, name, level == Level.DISTRICT) for code, name, level in regions],
        "relations": [(key, title) for key, (title, _) in RELATIONS.items()], "hows": HOW.items(), "ends": ENDS.items(),
        "grids": GRIDS.items(), "levels": range(COARSEST, FINEST + 1), "most_rings": MOST_RINGS, "most_nearest": MOST_NEAREST,
    }  # fmt: skip


def _again(request: HttpRequest, scope: Scope, process: str) -> tuple[str, dict[str, str], list[str]]:
    """Return the operation and fields of an earlier step, to be changed and done again; nothing where none is named."""
    try:
        run = asked_of(run_id=UUID(typed(request, "from")), scope=scope)
    except (ValueError, CityError):
        return process, {}, []
    return run.process, fields_of(run.inputs), list(run.inputs.get("sums", []))


def fields_of(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return the inputs of a process as fields of the form."""
    found = {name: f"{inputs[name]:g}" for name in _NUMBERS if name in inputs}
    found |= {name: str(inputs[name]) for name in _WORDS if name in inputs}
    if inputs.get("dissolve"):
        found["dissolve"] = "1"
    for name, prefix in (("one", ""), ("other", WITH)):
        for kind in ("layer", "run"):
            if kept := inputs.get(prefix + kind):
                found[name] = f"{kind}:{kept}"
        if drawn := inputs.get(f"{prefix}features"):
            found |= {name: SHAPE, "shape": json.dumps(drawn.get("geometry") or drawn)}
        if drawn := inputs.get(f"{prefix}shape"):
            found |= {f"{name}_within": "1", "shape": json.dumps(drawn)}
        found |= {
            f"{name}_{each}": str(inputs[prefix + each]) for each in ("region", "filter") if prefix + each in inputs
        }
    return found


def _grouped(scope: Scope) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the layers to choose from, as value and title, by class."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in sorted(visible_layers(scope=scope), key=lambda one: one.title):
        found.setdefault(one.category, []).append((f"layer:{one.key}", one.title))
    return [(title, found[key]) for key, title in CATEGORIES.items() if key in found]


def _results(scope: Scope) -> list[tuple[str, str]]:
    """Return the results of earlier steps to choose from, as value and title."""
    done = [run for run in analyses(scope=scope) if job_of(run).state == JobState.DONE and run.rows]
    return [
        (f"run:{run.pk}", f"{run.title}（{run.rows:,} 个，{timezone.localtime(run.made_at):%m-%d %H:%M}）")
        for run in done
    ]


def _fields(side: str, scope: Scope) -> list[Any]:
    """Return the fields of the chosen first side; none where it is not chosen or says none."""
    kind, _, which = side.partition(":")
    if kind not in ("layer", "run") or not which:
        return []
    try:
        return list(source_of({kind: which}, scope).fields)
    except CityError:
        return []


def said_of_inputs(run: ProcessRun) -> list[tuple[str, str]]:
    """Return what a step was told, as titles and words, without its sides."""
    told = processes()[run.process].inputs
    named = {
        "relation": {key: title for key, (title, _) in RELATIONS.items()},
        "how": HOW,
        "ends": ENDS,
        "grid": GRIDS,
    }
    found = []
    for name in (*_WORDS, *_NUMBERS):
        if name in run.inputs:
            value = run.inputs[name]
            found.append(
                (told[name].title, named.get(name, {}).get(value) or (f"{value:g}" if name in _NUMBERS else str(value)))
            )
    if run.inputs.get("dissolve"):
        found.append((told["dissolve"].title, "是"))
    return found
