"""GeoPackages, read as the tables of SQLite that they are: nothing in one may name another file, be computed, or run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from geo.crs import System
from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import size_of
from geo.imports.readers.reading import Reading
from geo.imports.readers.shapes import shapes_of

_SQLITE: Final = b"SQLite format 3\x00"
_APPLICATIONS: Final = (b"GPKG", b"GP10", b"GP11")
_CONTENTS, _COLUMNS = "gpkg_contents", "gpkg_geometry_columns"
_ENVELOPES: Final = (0, 32, 48, 48, 64)
"""Bytes of the box before the shape, by the figure that stands for it in the flags."""
_EXTENDED: Final = 0x20
LONGEST_CELL: Final = 50_000_000


def read_geopackage(path: Path, datum: System, layer: str = "") -> Reading:
    """Read one layer of features (the only one when ``layer`` is ''). A shape that cannot be read is that row's fault."""
    _check_head(path)
    try:
        with _opened(path) as base:
            table, column = _layer(base, layer, path.name)
            found = base.execute(f"SELECT * FROM {_quoted(table)}")
            names = [told[0] for told in found.description]
            rows, said = found.fetchall(), _system_said(base, table)
    except sqlite3.Error as fault:
        raise SourceRefused("file_unreadable", path.name) from fault
    if column not in names:
        raise SourceRefused("file_unreadable", path.name)
    at = names.index(column)
    shapes, faults, corners = shapes_of([None if row[at] is None else _wkb(row[at]) for row in rows], datum)
    columns = tuple(name for name in names if name != column)
    records = [{name: _plain(value) for name, value in zip(names, row, strict=True) if name != column} for row in rows]
    return Reading(columns, records, shapes, faults=faults, corners=corners, said=said)


def _check_head(path: Path) -> None:
    """Refuse what only bears the ending: other programs would open by its content whatever it is."""
    if size_of(path) < 100:
        raise SourceRefused("file_truncated", path.name)
    with path.open("rb") as file:
        head = file.read(100)
    version = int.from_bytes(head[60:64], "big")
    if head[:16] != _SQLITE or (head[68:72] not in _APPLICATIONS and not 10_000 <= version < 20_000):
        raise SourceRefused("file_unreadable", path.name)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file for reading tables and nothing else: no function, no pragma, no other file, no long cell."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
        base.execute("PRAGMA trusted_schema = OFF")
        base.execute("PRAGMA cell_size_check = ON")
        base.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_CELL)
        base.set_authorizer(_may)
        yield base


def _may(act: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if act in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ) else sqlite3.SQLITE_DENY


def layers_in(path: Path) -> list[str]:
    """Return the names of the layers of features."""
    _check_head(path)
    try:
        with _opened(path) as base:
            return sorted(_columns(base, path.name))
    except sqlite3.Error as fault:
        raise SourceRefused("file_unreadable", path.name) from fault


def _columns(base: sqlite3.Connection, name: str) -> dict[str, str]:
    """Return the column of shapes by layer. A view or a virtual table is no layer: it computes what it says."""
    made = base.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    tables = {table for table, written in made if str(written).upper().startswith("CREATE TABLE")}
    if not {_CONTENTS, _COLUMNS} <= tables:
        raise SourceRefused("file_unreadable", name)
    features = base.execute(f"SELECT table_name FROM {_CONTENTS} WHERE data_type = 'features'").fetchall()
    columns = dict(base.execute(f"SELECT table_name, column_name FROM {_COLUMNS}").fetchall())
    return {table: columns[table] for (table,) in features if table in tables and table in columns}


def _layer(base: sqlite3.Connection, layer: str, name: str) -> tuple[str, str]:
    """Return the table of a layer and its column of shapes."""
    columns = _columns(base, name)
    if layer in columns:
        return layer, columns[layer]
    if layer or len(columns) != 1:
        raise SourceRefused("format_unknown", f"{name} 里的图层：{'、'.join(sorted(columns))[:120] or '无'}")
    return next(iter(columns.items()))


def _system_said(base: sqlite3.Connection, table: str) -> str:
    """Return the number of the layer's system by its authority, or its definition; '' for none and for an undefined one."""
    asked = (
        "SELECT s.organization, s.organization_coordsys_id, s.definition, s.srs_id FROM gpkg_spatial_ref_sys s "
        f"JOIN {_COLUMNS} c ON c.srs_id = s.srs_id WHERE c.table_name = ?"
    )
    try:
        found = base.execute(asked, (table,)).fetchone()
    except sqlite3.Error:
        return ""
    if found is None or not isinstance(found[3], int) or found[3] <= 0:
        return ""
    return f"{found[0]}:{found[1]}" if str(found[0]).upper() == "EPSG" else str(found[2] or "")[:4000]


def _quoted(table: str) -> str:
    return '"' + table.replace('"', '""') + '"'


def _wkb(cell: Any) -> bytes:
    """Return the WKB of a cell of shapes, without bytes where it is none."""
    if not isinstance(cell, bytes) or len(cell) < 8 or cell[:2] != b"GP" or cell[3] & _EXTENDED:
        return b""
    box = cell[3] >> 1 & 7
    return cell[8 + _ENVELOPES[box] :] if box < len(_ENVELOPES) else b""


def _plain(value: Any) -> Any:
    """Return a value of a column; pictures and other bytes are left out."""
    return None if isinstance(value, bytes) else value
