"""Rows of a layer as Arrow tables: one column per attribute with its own type, and the shape as WKB in the wanted system."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely

from geo.crs import System
from geo.geometry import from_stored
from layers.reading import Row
from layers.spec import Attribute

ID: Final = Attribute("id", "编号", "whole", "t.id")
SHAPE: Final = "geometry"
TYPES: Final[dict[str, pa.DataType]] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "yes_no": pa.bool_(),
    "day": pa.date32(),
    "moment": pa.timestamp("ms", "UTC"),
}
MULTI: Final = {"Point": shapely.multipoints, "LineString": shapely.multilinestrings, "Polygon": shapely.multipolygons}


@dataclass(frozen=True, slots=True)
class Table:
    """The shape of a file: its columns, the id first; the kind of its geometries as WKT calls it; the system."""

    columns: tuple[Attribute, ...]
    geometry: str
    system: System

    @property
    def own(self) -> tuple[Attribute, ...]:
        """Return the columns that are attributes of the layer."""
        return self.columns[1:]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows: their ids, their values by column as Python says them, their shapes in the system of the file."""

    ids: list[int]
    values: list[list[Any]]
    shapes: np.ndarray[Any, np.dtype[np.object_]]


def table_of(attributes: Sequence[Attribute], geometry: str, system: System) -> Table:
    """Return the shape of a file with these attributes. The id is one column, whether the layer lists it or not."""
    return Table((ID, *(one for one in attributes if one.name != ID.name)), geometry, system)


def batch_of(rows: Sequence[Row], table: Table) -> Batch:
    """Return rows with their shapes in the system of the file, all of the kind it declares."""
    shapes = shapely.from_wkb(np.array([row.geometry for row in rows], dtype=object))
    shapes = from_stored(shapes, table.system) if len(rows) else shapes
    if table.geometry.startswith("Multi"):
        shapes = np.array([_multi(shape) for shape in shapes], dtype=object)
    values = [[_plain(row.properties[one.name], one.kind) for row in rows] for one in table.own]
    return Batch([row.id for row in rows], values, shapes)


def arrow_schema(table: Table, names: Sequence[str] = ()) -> pa.Schema:
    """Return the Arrow schema of a file, shape last; ``names`` stand in for the names of the columns."""
    called = names or [one.name for one in table.columns]
    fields = [pa.field(name, TYPES[one.kind]) for name, one in zip(called, table.columns, strict=True)]
    shape = pa.field(SHAPE, pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})
    return pa.schema([*fields, shape])


def arrow_batch(batch: Batch, schema: pa.Schema) -> pa.RecordBatch:
    """Return rows as a record batch of a schema of ``arrow_schema``."""
    columns = [batch.ids, *batch.values, [*shapely.to_wkb(batch.shapes)]]
    return pa.record_batch(
        [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
    )


def _multi(shape: Any) -> Any:
    if shape is None or shape.geom_type.startswith(("Multi", "Geometry")):
        return shape
    return MULTI[shape.geom_type]([shape])


_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "text": str,
    "whole": int,
    "number": float,
    "yes_no": bool,
    "day": lambda value: value.date() if isinstance(value, dt.datetime) else value,
    "moment": lambda value: value,
}


def _plain(value: Any, kind: str) -> Any:
    return None if value is None else _READ[kind](value)
