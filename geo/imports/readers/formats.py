"""The one table from a declared format to its reader."""

from __future__ import annotations

from pathlib import Path

from geo.crs import System
from geo.imports.faults import SourceRefused
from geo.imports.readers.geopackage import read_geopackage
from geo.imports.readers.osm import read_osm_roads
from geo.imports.readers.reading import Reading
from geo.imports.readers.shapes import read_geojson, read_shapefile
from geo.imports.readers.tables import read_csv, read_xlsx, read_xlsx_cells


def read_file(path: Path, *, format: str, datum: System, layer: str = "") -> Reading:
    """Read a file of a declared format and datum; ``layer`` is a sheet or a layer. Raises ``SourceRefused``."""
    if not path.is_file():
        raise SourceRefused("file_missing", path.name)
    match format:
        case "csv":
            return read_csv(path)
        case "xlsx":
            return read_xlsx(path, layer)
        case "xlsx_cells":
            return read_xlsx_cells(path)
        case "geojson":
            return read_geojson(path, datum)
        case "osm_roads":
            return read_osm_roads(path, datum)
        case "shapefile":
            return read_shapefile(path, datum, layer)
        case "geopackage":
            return read_geopackage(path, datum, layer)
        case _:
            raise SourceRefused("format_unknown", path.name)
