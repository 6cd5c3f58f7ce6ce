"""The sides of an analysis: rows of a layer, shapes that came along, or what an earlier run made; read whole, on the plane.

The first side is told by ``layer``, ``features`` or ``run``, the other by the same names after ``with_``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import numpy as np
import orjson
import shapely

from geo.errors import BadInput, NotFound, TooLarge
from geo.geometry import to_plane
from geo.kept import open_file
from geo.scope import Scope
from layers.analysis.shapes import Shapes
from layers.datasets.attributes import guessed_kind
from layers.datasets.queries import VIEW
from layers.processes.features import FEATURES, Piece, city_of, read_features
from layers.processes.models import ProcessRun
from layers.processes.narrowing import NARROWING_INPUTS, narrowing_of, said_of
from layers.processes.queries import file_of_run, run_of
from layers.processes.spec import Asked, Input, Plan
from layers.reading import count_rows, stream_rows
from layers.registry import layer
from layers.spec import Attribute, AttributeKind
from layers.tiling import layer_edition

WITH: Final = "with_"
MOST_FEATURES: Final = 200_000
MOST_PUBLIC: Final = 50_000
"""Features of a side, and of one that somebody without a duty asks for."""
MOST_VERTICES: Final = 8_000_000
AT_A_TIME: Final = 2_000
MOST_FIELDS: Final = 40
DIMENSIONS: Final = {"point": 0, "line": 1, "polygon": 2}
NOUNS: Final = {0: "点", 1: "线", 2: "面"}
_SOURCES: Final = ("layer", "features", "run")
_FIRST: Final = {
    "layer": Input(
        "图层", {"type": "string", "minLength": 1, "maxLength": 100}, "写图层的标识；layer、features、run 三选一。",
        required=False,
    ),
    "features": Input("图形", FEATURES, "GeoJSON 的 FeatureCollection 或 Feature，WGS-84 经纬度。", required=False),
    "run": Input(
        "上一步的结果", {"type": "string", "format": "uuid", "pattern": "^[0-9a-f-]{36}$"}, "写您自己一次空间分析的任务编号。",
        required=False,
    ),
    **NARROWING_INPUTS,
}  # fmt: skip
ONE_SIDE: Final = _FIRST
"""What a process on one side is told of it."""
TWO_SIDES: Final = {
    **_FIRST,
    **{f"{WITH}{name}": Input(f"另一边的{one.title}", one.schema, one.help, required=False) for name, one in _FIRST.items()},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """Something the features of a side or a result say: its name, the Chinese title, its kind."""

    name: str
    title: str
    kind: AttributeKind

    def told(self) -> dict[str, str]:
        """Return it as a run keeps it."""
        return {"name": self.name, "title": self.title, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Source:
    """What a side is, known before it is read: whose rows, how many, what they say, and what they are made of.

    ``key`` is the same for two sides of the same features; ``dimension`` is none where it shows only in the shapes.
    """

    key: str
    title: str
    fields: tuple[Field, ...]
    rows: int
    layers: tuple[str, ...] = ()
    edition: str = ""
    taken: str = ""
    dimension: int | None = None

    def told(self) -> dict[str, Any]:
        """Return what a result says of where it comes from."""
        return {
            "source": self.key,
            "title": self.title,
            "edition": self.edition,
            "taken": self.taken,
            "rows": self.rows,
        }

    def field(self, name: str) -> Field | None:
        """Return the field of a name, or none."""
        return next((one for one in self.fields if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Side:
    """The features of a side: ids, what each says (JSON), valid shapes in metres; how many were mended, how many had none."""

    source: Source
    ids: list[Any]
    said: list[bytes]
    shapes: Shapes
    dimension: int
    mended: int = 0
    lost: int = 0

    def saying(self, at: int) -> dict[str, Any]:
        """Return what a feature says."""
        found: dict[str, Any] = orjson.loads(self.said[at])
        return found


def plan_sides(title: str, inputs: Mapping[str, Any], scope: Scope, *, both: bool) -> tuple[Plan, list[Source]]:
    """Return what is going to be done and the sides of it. Raises what ``source_of`` raises."""
    sides = [source_of(inputs, scope)] + ([source_of(inputs, scope, WITH)] if both else [])
    keys = list(dict.fromkeys(key for side in sides for key in side.layers))
    said = " 和 ".join(side.title for side in sides)
    rows = sum(side.rows for side in sides)
    return Plan(f"{title} · {said}", layer=keys[0] if keys else "", rows=rows, others=tuple(keys[1:])), sides


def source_of(inputs: Mapping[str, Any], scope: Scope, prefix: str = "") -> Source:
    """Return one side. Raises ``BadInput`` unless exactly one source is told, ``TooLarge`` for too many features, and what the
    registry, the narrowing and ``file_of_run`` raise.
    """
    given = _given(inputs, prefix)
    chosen = [name for name in _SOURCES if name in given]
    if len(chosen) != 1:
        which = "另一边请写" if prefix else "请写"
        raise BadInput(
            "source_unclear", f"{which} layer（图层）、features（图形）、run（上一步的结果）中的一个。",
            inputs=[prefix + name for name in _SOURCES],
        )  # fmt: skip
    if chosen != ["layer"] and given.keys() & NARROWING_INPUTS.keys():
        raise BadInput("narrowing_unfit", "区划、范围和条件只能用在图层上。请去掉，或先把图形存成图层。")
    found = {"layer": _of_layer, "features": _of_features, "run": _of_run}[chosen[0]](given, scope)
    most = MOST_FEATURES if scope.holds(VIEW) else MOST_PUBLIC
    if found.rows > most:
        raise TooLarge("too_many_features", f"“{found.title}”超过 {most:,} 个，请用区划或范围缩小。", most=most)
    return found


def _given(inputs: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    if prefix:
        return {name.removeprefix(prefix): value for name, value in inputs.items() if name.startswith(prefix)}
    return {name: value for name, value in inputs.items() if name in _FIRST}


def _of_layer(given: Mapping[str, Any], scope: Scope) -> Source:
    spec = layer(given["layer"], scope=scope)
    narrowing = narrowing_of(given, spec, scope=scope)
    count = count_rows(spec, scope=scope, narrowing=narrowing, exact_up_to=MOST_FEATURES)
    return Source(
        f"layer/{spec.key}", spec.title, tuple(Field(one.name, one.title, one.kind) for one in _kept(spec.attributes)),
        count.number, (spec.key,), layer_edition(spec), said_of(given, scope=scope), DIMENSIONS[spec.geometry],
    )  # fmt: skip


def _kept(attributes: tuple[Attribute, ...]) -> list[Attribute]:
    return [one for one in attributes if one.name != "id"][:MOST_FIELDS]


def _of_features(given: Mapping[str, Any], scope: Scope) -> Source:
    piece = read_features(given["features"])
    values: dict[str, list[Any]] = {}
    for said in piece.properties:
        for name, value in said.items():
            values.setdefault(str(name), []).append(None if isinstance(value, dict | list) else value)
    fields = tuple(Field(name, name, guessed_kind(said)) for name, said in list(values.items())[:MOST_FIELDS])
    return Source("features", "画的图形", fields, len(piece.ids))


def _of_run(given: Mapping[str, Any], scope: Scope) -> Source:
    run = earlier(given["run"], scope)
    fields = tuple(Field(one["name"], one["title"], one["kind"]) for one in run.about["fields"])
    return Source(
        f"run/{run.pk}", run.title.partition(" · ")[0] + "的结果", fields, run.rows, tuple(run.layers),
        dimension=DIMENSIONS[run.about["geometry"]],
    )  # fmt: skip


def earlier(run_id: Any, scope: Scope) -> ProcessRun:
    """Return an earlier run of this scope whose result can be worked on. Raises what ``file_of_run`` raises, ``BadInput``."""
    try:
        key = UUID(str(run_id))
    except ValueError:
        raise NotFound("run_unknown", "没有找到这一步的结果，可能已到期删除。") from None
    run = run_of(run_id=key, scope=scope)
    file_of_run(run, scope=scope)
    if "lineage" not in run.about:
        raise BadInput("run_unfit", "这个任务的结果不是空间分析做出来的，不能接着做。")
    return run


def load(asked: Asked, source: Source, prefix: str, tell: Any) -> Side:
    """Return a side whole, its shapes on the plane; ``tell`` is told the share read.

    What is invalid is mended, what has no shape is left out; both are counted. Raises ``TooLarge``, ``BadInput``.
    """
    ids: list[Any] = []
    said: list[bytes] = []
    shapes: list[Shapes] = []
    corners = mended = lost = 0
    wanted = [one.name for one in source.fields]
    for piece in _pieces(asked, prefix):
        plane, repaired = _sound(to_plane(piece.shapes, city_of()))
        there = ~(shapely.is_empty(plane) | shapely.is_missing(plane))
        mended, lost = mended + repaired, lost + int((~there).sum())
        corners += int(shapely.get_num_coordinates(plane).sum())
        if corners > MOST_VERTICES:
            raise TooLarge("too_many_vertices", f"“{source.title}”的顶点合计超过 {MOST_VERTICES:,} 个，请缩小范围。")
        for at in np.flatnonzero(there):
            ids.append(piece.ids[at])
            values = piece.properties[at]
            said.append(orjson.dumps({name: values.get(name) for name in wanted}, default=plain))
        shapes.append(plane[there])
        tell(min(1.0, len(ids) / max(source.rows, 1)))
    whole = np.concatenate(shapes) if shapes else np.empty(0, dtype=object)
    return Side(source, ids, said, whole, _dimension(whole, source), mended, lost)


def plain(value: Any) -> Any:
    """Return a value that JSON does not know as one it knows."""
    return float(value) if isinstance(value, Decimal) else str(value)


def _dimension(shapes: Shapes, source: Source) -> int:
    found = set(shapely.get_dimensions(shapes).tolist())
    if len(found) > 1:
        said = "、".join(NOUNS[one] for one in sorted(found))
        raise BadInput("shapes_mixed", f"“{source.title}”里混着{said}，请分成几次做。")
    return found.pop() if found else source.dimension or 0


def _sound(shapes: Shapes) -> tuple[Shapes, int]:
    """Return shapes made valid and flat, and how many were not; an area that crosses itself keeps its areas."""
    flat = shapely.force_2d(shapes)
    bad = ~shapely.is_valid(flat) & ~shapely.is_missing(flat)
    if bad.any():
        flat[bad] = shapely.make_valid(flat[bad], method="structure", keep_collapsed=False)
    return flat, int(bad.sum())


def _pieces(asked: Asked, prefix: str) -> Iterator[Piece]:
    given = _given(asked.inputs, prefix)
    if "features" in given:
        yield read_features(given["features"])
    elif "run" in given:
        yield from result_pieces(earlier(given["run"], asked.scope), asked.scope)
    else:
        spec = layer(given["layer"], scope=asked.scope)
        narrowing = narrowing_of(given, spec, scope=asked.scope)
        rows = stream_rows(
            spec, scope=asked.scope, narrowing=narrowing, attributes=_kept(spec.attributes), batch=AT_A_TIME
        )
        with closing(rows):  # type: ignore[type-var]  # it is a generator
            for some in rows:
                shapes = shapely.from_wkb(np.array([row.geometry for row in some], dtype=object))
                there = ~shapely.is_missing(shapes)
                kept = [row for row, has in zip(some, there, strict=True) if has]
                yield Piece([row.id for row in kept], [row.properties for row in kept], shapes[there])


def result_pieces(run: ProcessRun, scope: Scope, most: int | None = None) -> Iterator[Piece]:
    """Yield the features of a result as they were written, one a line, in CGCS2000 degrees; at most ``most``."""
    with open_file(file_of_run(run, scope=scope)) as file:
        some: list[dict[str, Any]] = []
        left = run.rows if most is None else min(most, run.rows)
        for line in file:
            if not line.startswith(b'{"type":"Feature",') or left == 0:
                continue
            some.append(orjson.loads(line.rstrip(b",\n")))
            left -= 1
            if len(some) == AT_A_TIME or left == 0:
                yield _read(some)
                some = []
        if some:
            yield _read(some)


def _read(some: list[dict[str, Any]]) -> Piece:
    shapes = shapely.from_geojson(np.array([orjson.dumps(one["geometry"]).decode() for one in some], dtype=object))
    return Piece([one.get("id") for one in some], [one["properties"] for one in some], shapes)
