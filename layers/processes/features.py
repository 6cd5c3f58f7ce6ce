"""The features a process works on: rows of a layer or GeoJSON that came along, and what it makes of them as GeoJSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import shapely
from django.conf import settings
from shapely.geometry.base import BaseGeometry

from geo.crs import CITIES, System
from geo.errors import BadInput, TooLarge
from geo.geometry import from_stored, geometry_from_object, require_valid
from geo.scope import Scope
from layers.processes.narrowing import NARROWING_INPUTS, narrowing_of
from layers.processes.spec import Asked, Input, Plan
from layers.reading import count_rows, stream_rows
from layers.registry import layer

MOST_FEATURES: Final = 50_000
MOST_GIVEN: Final = 5_000
MOST_VERTICES: Final = 2_000_000
AT_A_TIME: Final = 500
FEATURES: Final = {
    "type": "object",
    "format": "geojson-feature-collection",
    "required": ["type"],
    "properties": {"type": {"type": "string", "enum": ["FeatureCollection", "Feature"]}},
}
SOURCE_INPUTS: Final = {
    "layer": Input(
        "图层",
        {"type": "string", "minLength": 1, "maxLength": 100},
        "写图层的标识；和 features 二选一。",
        required=False,
    ),
    "features": Input("要素", FEATURES, "GeoJSON 的 FeatureCollection 或 Feature，WGS-84 经纬度。", required=False),
    **NARROWING_INPUTS,
}
"""Where a process takes its features from."""
RESULT: Final = Input(
    "结果",
    {"type": "object", "format": "geojson-feature-collection", "contentMediaType": "application/geo+json"},
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some features: what stands for each (its id), what each says, and their shapes in CGCS2000 degrees."""

    ids: list[Any]
    properties: list[dict[str, Any]]
    shapes: np.ndarray[Any, np.dtype[np.object_]]


def plan_source(title: str, inputs: Mapping[str, Any], scope: Scope) -> Plan:
    """Say what is worked on. Raises ``BadInput`` unless it is either a layer or features, ``TooLarge`` for too many."""
    if ("layer" in inputs) == ("features" in inputs):
        raise BadInput(
            "source_unclear", "请写 layer（图层）或 features（GeoJSON）中的一个。", inputs=["layer", "features"]
        )
    if "features" in inputs:
        given = read_features(inputs["features"])
        return Plan(f"{title} · {len(given.ids)} 个要素", rows=len(given.ids))
    spec = layer(inputs["layer"], scope=scope)
    narrowing = narrowing_of(inputs, spec, scope=scope)
    count = count_rows(spec, scope=scope, narrowing=narrowing, exact_up_to=MOST_FEATURES)
    if count.number > MOST_FEATURES:
        raise TooLarge(
            "too_many_features", f"一次最多处理 {MOST_FEATURES:,} 个要素，请用区划或范围缩小。", most=MOST_FEATURES
        )
    return Plan(f"{title} · {spec.title}", layer=spec.key, rows=count.number)


def read_features(given: Mapping[str, Any]) -> Piece:
    """Return the features of GeoJSON from outside, every shape read under limits. Raises what reading shapes raises."""
    listed = [given] if given.get("type") == "Feature" else given.get("features")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise BadInput("features_invalid", "features 读不懂，请给一个 GeoJSON 的 FeatureCollection。", input="features")
    if len(listed) > MOST_GIVEN:
        raise TooLarge("too_many_features", f"一次最多带 {MOST_GIVEN:,} 个要素；更多请先做成图层。", most=MOST_GIVEN)
    shapes = [_shape(one.get("geometry")) for one in listed]
    said = [one.get("properties") if isinstance(one.get("properties"), dict) else {} for one in listed]
    ids = [one["id"] if isinstance(one.get("id"), str | int) else None for one in listed]
    return Piece(ids, said, np.array(shapes, dtype=object))


def _shape(geometry: Any) -> BaseGeometry:
    return require_valid(geometry_from_object(geometry, System.WGS84))


def pieces_of(asked: Asked) -> Iterator[Piece]:
    """Yield the features a run works on, some at a time. Raises ``TooLarge`` when their corners are too many."""
    corners = 0
    for piece in _pieces(asked):
        corners += int(shapely.get_num_coordinates(piece.shapes).sum())
        if corners > MOST_VERTICES:
            raise TooLarge("too_many_vertices", f"图形的顶点合计超过 {MOST_VERTICES:,} 个，请缩小范围。")
        yield piece


def _pieces(asked: Asked) -> Iterator[Piece]:
    if "features" in asked.inputs:
        given = read_features(asked.inputs["features"])
        for at in range(0, len(given.ids), AT_A_TIME):
            end = at + AT_A_TIME
            yield Piece(given.ids[at:end], given.properties[at:end], given.shapes[at:end])
        return
    spec = layer(asked.inputs["layer"], scope=asked.scope)
    narrowing = narrowing_of(asked.inputs, spec, scope=asked.scope)
    rows = stream_rows(spec, scope=asked.scope, narrowing=narrowing, batch=AT_A_TIME)
    with closing(rows):  # type: ignore[type-var]  # it is a generator
        for some in rows:
            placed = [row for row in some if row.geometry is not None]
            shapes = shapely.from_wkb(np.array([row.geometry for row in placed], dtype=object))
            yield Piece([row.id for row in placed], [row.properties for row in placed], shapes)


def write_features(path: Path, pieces: Iterator[Piece], system: System = System.WGS84, *, degrees: int = 7) -> int:
    """Write features as GeoJSON in a system, one a line and ``degrees`` written with so many decimals; return how many.

    Plain GeoJSON is WGS-84; in any other system the file names it in a member ``coordRefSys``.
    """
    count = 0
    with path.open("wb") as file:
        said: dict[str, Any] = {"type": "FeatureCollection"}
        if system is not System.WGS84:
            said["coordRefSys"] = str(system)
        file.write(orjson.dumps(said)[:-1] + b',"features":[')
        for piece in pieces:
            decimals = degrees if system.is_geographic else 3
            moved = from_stored(piece.shapes, system) if len(piece.ids) else piece.shapes
            short = shapely.transform(moved, lambda places, to=decimals: np.round(places, to))
            for pk, properties, text in zip(piece.ids, piece.properties, shapely.to_geojson(short), strict=True):
                feature: dict[str, Any] = {"type": "Feature"}
                if pk is not None:
                    feature["id"] = pk
                feature |= {"geometry": orjson.Fragment(text), "properties": properties}
                file.write((b",\n" if count else b"\n") + orjson.dumps(feature, default=str))
                count += 1
        file.write(b"\n]}\n")
    return count


def city_of() -> Any:
    """Return the city of this installation."""
    return CITIES[settings.CITY]
