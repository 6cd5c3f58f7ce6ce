"""Batches of rows into a file, one after the other: what is in memory does not grow with the rows."""

from __future__ import annotations

import csv
import datetime as dt
import json
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyproj
import shapely

from geo.crs import System
from geo.errors import BadInput
from geo.fences.files.writing import short_names
from geo.geometry import DECIMALS
from geo.spreadsheets import BOM, plain_cell
from layers.exports.formats import definition
from layers.exports.tables import SHAPE, Batch, Table, arrow_batch, arrow_schema

DBF_BYTES: Final = 254
METRE_DECIMALS: Final = 4
DEGREE_DECIMALS: Final = 9


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file is to hold: the name of its layer, its table, its rows as they come, and what is said of it, by title.

    ``blanks`` says whether rows without a shape are among them.
    """

    key: str
    title: str
    table: Table
    batches: Iterable[Batch]
    said: Mapping[str, str] = field(default_factory=dict)
    blanks: bool = False


def write_file(format: str, path: Path, contents: Contents) -> None:
    """Write a file of a format at ``path``. Raises ``BadInput`` for what the format has no room for."""
    _WRITERS[format](path, contents)


def about_text(said: Mapping[str, str]) -> str:
    """Return what is said of a file as lines of text."""
    return "\r\n".join(f"{title}：{text}" for title, text in said.items() if text) + "\r\n"


def _gpkg(path: Path, contents: Contents) -> None:
    taken, number = {one.name.lower() for one in contents.table.columns}, "fid"
    while number in taken:  # what GDAL numbers rows by is a column beside ours
        number += "_"
    options = {"GEOMETRY_NAME": "geom", "FID": number}
    _by_gdal(path, contents, driver="GPKG", layer=contents.key, layer_options=options)


def _flatgeobuf(path: Path, contents: Contents) -> None:
    options = {
        "TITLE": contents.title,
        "DESCRIPTION": about_text(contents.said),
        "TEMPORARY_DIR": str(path.parent),
        # an index has no place for what has none
        "SPATIAL_INDEX": "NO" if contents.blanks else "YES",
    }
    _by_gdal(path, contents, driver="FlatGeobuf", layer=contents.key, layer_options=options)


def _by_gdal(
    path: Path, contents: Contents, names: Sequence[str] = (), batches: Iterable[Batch] | None = None, **more: Any
) -> None:
    from pyogrio.raw import write_arrow  # slow to import, and few need it

    schema = arrow_schema(contents.table, names)
    rows = (arrow_batch(one, schema) for one in (contents.batches if batches is None else batches))
    stopped: list[BaseException] = []
    reader = pa.RecordBatchReader.from_batches(schema, _noting(rows, stopped))
    said = {title: text for title, text in contents.said.items() if text} if more["driver"] == "GPKG" else None
    with warnings.catch_warnings():
        # a layer without rows is no mistake
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            write_arrow(
                reader,
                path,
                geometry_name=SHAPE,
                geometry_type=contents.table.geometry,
                crs=definition(contents.table.system),
                layer_metadata=said,
                **more,
            )
        except RuntimeError:
            if stopped:  # GDAL only knows that there was something
                raise stopped[0] from None
            raise


def _noting(rows: Iterator[pa.RecordBatch], stopped: list[BaseException]) -> Iterator[pa.RecordBatch]:
    """Pass batches on to foreign code, and note what ended them."""
    try:
        yield from rows
    except BaseException as fault:
        stopped.append(fault)
        raise


def _parquet(path: Path, contents: Contents) -> None:
    import pyarrow.parquet as pq  # slow to import, and few need it

    plain = arrow_schema(contents.table)
    box_type = pa.struct([(side, pa.float64()) for side in ("xmin", "ymin", "xmax", "ymax")])
    schema = plain.set(len(plain) - 1, pa.field(SHAPE, pa.binary())).append(pa.field("bbox", box_type))
    seen, bounds = set[str](), [np.inf, np.inf, -np.inf, -np.inf]
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in contents.batches:
            boxes = shapely.bounds(batch.shapes)
            seen.update(shape.geom_type for shape in batch.shapes if shape is not None)
            if len(boxes):
                bounds = [*np.fmin(bounds[:2], boxes[:, :2].min(0)), *np.fmax(bounds[2:], boxes[:, 2:].max(0))]
            sides = [pa.array(boxes[:, at], from_pandas=True) for at in range(4)]
            rows = arrow_batch(batch, plain)
            box = pa.StructArray.from_arrays(sides, fields=list(box_type))
            writer.write_batch(pa.record_batch([*rows.columns, box], schema=schema))
        described = _geo(contents.table.system, sorted(seen), bounds)
        about = json.dumps(contents.said, ensure_ascii=False)
        writer.add_key_value_metadata({"geo": json.dumps(described, ensure_ascii=False), "quantu": about})


def _geo(system: System, kinds: Sequence[str], bounds: Sequence[float]) -> dict[str, Any]:
    """Return the metadata that GeoParquet 1.1 asks for."""
    shape = {
        "encoding": "WKB",
        "geometry_types": list(kinds),
        "crs": pyproj.CRS.from_user_input(definition(system)).to_json_dict(),
        "edges": "planar",
        "covering": {"bbox": {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}},
    }
    if np.isfinite(bounds).all():
        shape["bbox"] = [float(edge) for edge in bounds]
    return {"version": "1.1.0", "primary_column": SHAPE, "columns": {SHAPE: shape}}


def _geojson(path: Path, contents: Contents) -> None:
    with path.open("wb") as file:
        head = {"type": "FeatureCollection", "name": contents.key, "title": contents.title, "about": contents.said}
        file.write(orjson.dumps(head)[:-1] + b',"features":[')
        first = True
        for batch in contents.batches:
            shapes = shapely.orient_polygons(_rounded(batch.shapes, DECIMALS), exterior_cw=False)
            for pk, geometry, *values in zip(batch.ids, shapely.to_geojson(shapes), *batch.values, strict=True):
                names = (one.name for one in contents.table.own)
                feature = {
                    "type": "Feature",
                    "id": pk,
                    "geometry": None if geometry is None else orjson.Fragment(geometry),
                    "properties": dict(zip(names, values, strict=True)),
                }
                file.write((b"\n" if first else b",\n") + orjson.dumps(feature))
                first = False
        file.write(b"\n]}\n")


def _csv(path: Path, contents: Contents) -> None:
    table, points = contents.table, contents.table.geometry == "Point"
    axes = ("经度", "纬度") if table.system.is_geographic else ("东坐标（米）", "北坐标（米）")
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(BOM)
        writer = csv.writer(file)
        titles = [plain_cell(one.title) for one in table.columns]
        writer.writerow([*titles, *(axes if points else ("WKT",)), "坐标系"])
        for batch in contents.batches:
            texts = [[_cell(value) for value in column] for column in batch.values]
            places = _places(batch, table) if points else [(text or "",) for text in _wkt(batch, table)]
            for pk, place, *cells in zip(batch.ids, places, *texts, strict=True):
                writer.writerow([pk, *cells, *place, table.system.label])


def _places(batch: Batch, table: Table) -> Iterator[tuple[str, str]]:
    decimals = _decimals(table.system)
    x, y = shapely.get_x(batch.shapes), shapely.get_y(batch.shapes)
    for east, north in zip(x.tolist(), y.tolist(), strict=True):
        yield ("", "") if np.isnan(east) else (f"{east:.{decimals}f}", f"{north:.{decimals}f}")


def _wkt(batch: Batch, table: Table) -> list[str | None]:
    return list(shapely.to_wkt(_rounded(batch.shapes, _decimals(table.system)), rounding_precision=-1))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str):
        return plain_cell(value)
    return value.isoformat() if isinstance(value, dt.date) else repr(value)


def _shapefile(path: Path, contents: Contents) -> None:
    """Write a zip of a Shapefile: moments as text, which dBASE has no room for, and whatever does not fit refused."""
    names = short_names([one.name for one in contents.table.columns])
    stem = path.with_name(f"{contents.key}.shp")
    columns = [replace(one, kind="text") if one.kind == "moment" else one for one in contents.table.columns]
    table = Table(tuple(columns), contents.table.geometry, contents.table.system)
    fitting = Contents(contents.key, contents.title, table, (), contents.said)
    batches = (_fitting(batch, contents.table) for batch in contents.batches)
    options = {"ENCODING": "UTF-8"}
    _by_gdal(stem, fitting, names, batches, driver="ESRI Shapefile", layer_options=options)
    listed = (f"{short}：{one.title}（{one.name}）" for short, one in zip(names, contents.table.columns, strict=True))
    told = about_text({**contents.said, "列名": "；".join(listed)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for part in sorted(stem.parent.glob(f"{stem.stem}.*")):
            if part != path:
                archive.write(part, part.name)
                part.unlink()
        archive.writestr("说明.txt", BOM + told)


def _fitting(batch: Batch, table: Table) -> Batch:
    values = []
    for one, column in zip(table.own, batch.values, strict=True):
        said = [value.isoformat() if value is not None and one.kind == "moment" else value for value in column]
        if one.kind == "text" and any(value is not None and len(value.encode()) > DBF_BYTES for value in said):
            raise BadInput(
                "shapefile_narrow",
                f"Shapefile 的一格最多 {DBF_BYTES} 字节，“{one.title}”里有写不下的。请改用 GeoPackage，或不选这一项。",
                parameter="format",
            )
        values.append(said)
    return Batch(batch.ids, values, batch.shapes)


def _decimals(system: System) -> int:
    return DEGREE_DECIMALS if system.is_geographic else METRE_DECIMALS


def _rounded(shapes: Any, decimals: int) -> Any:
    return shapely.transform(shapes, lambda places: np.round(places, decimals))


_WRITERS: Final[dict[str, Callable[[Path, Contents], None]]] = {
    "gpkg": _gpkg,
    "fgb": _flatgeobuf,
    "parquet": _parquet,
    "geojson": _geojson,
    "csv": _csv,
    "shp": _shapefile,
}
