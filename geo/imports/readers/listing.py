"""Which tables a file holds: layers of a GeoPackage or of a zip of Shapefiles, sheets of a workbook. By name, nothing is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import checked_zip
from geo.imports.readers.geopackage import layers_in
from geo.imports.readers.reading import Reading
from geo.imports.readers.shapes import shapefiles_in


def list_geopackage(path: Path) -> Reading:
    """List the layers of features of a GeoPackage."""
    return _listed(layers_in(path))


def list_shapefiles(path: Path) -> Reading:
    """List the Shapefiles in a zip."""
    with checked_zip(path) as archive:
        return _listed(shapefiles_in(archive))


def list_sheets(path: Path) -> Reading:
    """List the sheets of a workbook."""
    checked_zip(path).close()
    try:
        return _listed(CalamineWorkbook.from_path(str(path)).sheet_names)
    except (CalamineError, OSError, ValueError) as fault:
        raise SourceRefused("file_unreadable", path.name) from fault


def _listed(names: Sequence[str]) -> Reading:
    return Reading(("name",), [{"name": name} for name in names[:200]])
