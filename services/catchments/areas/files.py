"""Areas out of a file: GeoJSON, a GeoPackage or a zipped Shapefile in any datum, each row with its name and its kindergarten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from geo.crs import System
from geo.errors import BadInput, CityError
from geo.fences.areas import LONGEST_NAME, Arriving
from geo.geometry import repair
from geo.imports.quarantine import read_apart
from geo.imports.reasons import ROW_REASONS
from services.catchments.areas.actions import MOST_AREAS
from services.catchments.ground import Ground, ground_of
from services.catchments.models import CatchmentEdition

MOST_BYTES: Final = 20_000_000
SYSTEMS: Final = (System.WGS84, System.CGCS2000, System.GCJ02, System.BD09, System.SH2000)
MOST_TOLD: Final = 30
_FORMATS: Final = {".geojson": "geojson", ".json": "geojson", ".zip": "shapefile", ".gpkg": "geopackage"}
_NAMES: Final = ("名称", "片区", "片区名称", "name")
_TARGETS: Final = ("对口园", "幼儿园", "园所", "target", "school")
_NUMBERS: Final = ("对口园编号", "target_id")


def read_areas(
    source: Path, *, name: str, datum: str, edition: CatchmentEdition
) -> tuple[list[Arriving], list[str]]:  # fmt: skip
    """Return the areas of a file and, row by row, what is wrong with it; nothing is taken where a row is wrong.

    Raises ``BadInput`` for a file that cannot be read at all.
    """
    kind = _FORMATS.get(Path(name).suffix.lower())
    if kind is None:
        raise BadInput("file_kind", "请上传 GeoJSON（.geojson）、GeoPackage（.gpkg）或压缩成 zip 的 Shapefile。")
    if datum not in SYSTEMS:
        raise BadInput("datum_unknown", "请从列出的坐标系里选一个。")
    reading = read_apart(source, format=kind, datum=System(datum))
    if not 0 < len(reading.records) <= MOST_AREAS:
        raise BadInput("areas_count", f"文件里有 {len(reading.records):,} 个片区，请放 1 到 {MOST_AREAS} 个。")
    ground = ground_of(edition.district_id)
    arriving: list[Arriving] = []
    faults: list[str] = []
    for at, record in enumerate(reading.records):
        try:
            if at in reading.faults:
                raise BadInput("shape", ROW_REASONS.get(reading.faults[at], "图形读不出来"))
            arriving.append(_arriving(record, reading.shapes[at], ground))
        except CityError as fault:
            faults.append(f"第 {at + 1} 个：{fault.message}")
    names = [each.name for each in arriving]
    faults += [
        f"名称“{twice}”出现了多次，请改成不同的名字。" for twice in sorted({n for n in names if names.count(n) > 1})
    ]
    return arriving, faults[:MOST_TOLD]


def _arriving(record: Mapping[str, Any], shape: Any, ground: Ground) -> Arriving:
    if shape is None:
        raise BadInput("shape_missing", "没有图形。")
    name = _said(record, _NAMES)
    if not name or len(name) > LONGEST_NAME:
        raise BadInput("area_nameless", f"要有“名称”，最多 {LONGEST_NAME} 个字。")
    return Arriving(name, repair(shape).geometry, {"target": _target(record, ground)})


def _target(record: Mapping[str, Any], ground: Ground) -> int:
    number = _said(record, _NUMBERS)
    if number.isascii() and number.isdigit() and int(number) in ground.sites:
        return int(number)
    said = _said(record, _TARGETS)
    found = ground.sites_named(said) if said else []
    if len(found) != 1:
        why = "没有写“对口园”" if not said else f"本区没有叫“{said}”的幼儿园" if not found else f"有几所都叫“{said}”"
        raise BadInput("area_targetless", f"{why}，请写完整园名或编号。")
    return found[0]


def _said(record: Mapping[str, Any], words: tuple[str, ...]) -> str:
    value = next((record[word] for word in words if record.get(word) not in (None, "")), "")
    return " ".join(str(int(value) if isinstance(value, float) and value.is_integer() else value).split())
