"""The one table from a declared format to its reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from geo.crs import System
from geo.imports.faults import SourceRefused
from geo.imports.readers.drawn_tables import read_drawn_csv, read_drawn_xlsx
from geo.imports.readers.geopackage import read_geopackage
from geo.imports.readers.kml import read_kml
from geo.imports.readers.listing import list_geopackage, list_shapefiles, list_sheets
from geo.imports.readers.osm import read_osm_roads
from geo.imports.readers.reading import Reading
from geo.imports.readers.shapes import read_geojson, read_shapefile
from geo.imports.readers.tables import read_csv, read_xlsx, read_xlsx_cells

_READERS: Final[dict[str, Callable[[Path, System, str], Reading]]] = {
    "csv": lambda path, datum, layer: read_csv(path),
    "xlsx": lambda path, datum, layer: read_xlsx(path, layer),
    "xlsx_cells": lambda path, datum, layer: read_xlsx_cells(path),
    "geojson": lambda path, datum, layer: read_geojson(path, datum),
    "osm_roads": lambda path, datum, layer: read_osm_roads(path, datum),
    "shapefile": read_shapefile,
    "geopackage": read_geopackage,
    "kml": lambda path, datum, layer: read_kml(path, datum),
    "csv_drawn": lambda path, datum, layer: read_drawn_csv(path, datum),
    "xlsx_drawn": read_drawn_xlsx,
    "geopackage_layers": lambda path, datum, layer: list_geopackage(path),
    "shapefile_layers": lambda path, datum, layer: list_shapefiles(path),
    "xlsx_sheets": lambda path, datum, layer: list_sheets(path),
}


def read_file(path: Path, *, format: str, datum: System, layer: str = "") -> Reading:
    """Read a file of a declared format and datum; ``layer`` is a sheet or a layer. Raises ``SourceRefused``."""
    if not path.is_file():
        raise SourceRefused("file_missing", path.name)
    if format not in _READERS:
        raise SourceRefused("format_unknown", path.name)
    return _READERS[format](path, datum, layer)
