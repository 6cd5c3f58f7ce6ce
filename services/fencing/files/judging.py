"""What a file says of its fences, held against what a draft may hold: rows with everything that is wrong with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

import numpy as np
import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from shapely.geometry.base import BaseGeometry

from geo.addresses.land import land_of
from geo.crs import Coordinates, System, convert
from geo.crs.codes import CGCS2000
from geo.errors import CityError
from geo.fences.areas import LONGEST_NAME, hex_of, shape_of
from geo.fences.files.displaced import Displaced, displaced
from geo.fences.files.reading import DrawnFile, Judged, judge_shape
from geo.fences.models import Fence, FenceEdition
from geo.fences.purposes import ShapeKind
from geo.fences.shapes import shape_of_definition
from geo.fences.topology import GRAIN_M2, measure
from geo.geometry import to_plane
from geo.regions.queries import current_city
from services.fencing.actions import LONGEST_OWNER
from services.fencing.files.columns import LABELS, cells_of, day_of, hours_of, made_of, radius_of
from services.fencing.files.models import FenceImportRow
from services.fencing.queries import before_of, fences_of

LONGEST_CELL: Final = 1_000
SHAPE: Final = "shape"
SAME_M: Final = 0.01
"""A shape that its definition makes again to this is still made from it."""
GRAIN_DEG: Final = 1e-8
_REMADE: Final = (ShapeKind.CIRCLE.value, ShapeKind.CORRIDOR.value, ShapeKind.REGIONS.value)


def rows_of(file: DrawnFile, edition: FenceEdition) -> list[FenceImportRow]:
    """Return the rows of a file, each judged by itself and against the others."""
    district = land_of(edition.district_id).district
    rows = [_row(file, at, record, edition, district) for at, record in enumerate(file.reading.records)]
    judge_cells(rows)
    return rows


def doubt_of(rows: Iterable[FenceImportRow], system: System, edition: FenceEdition) -> Displaced | None:
    """Return whether the fences of a file lie off as a whole."""
    drawn = [(shape_of(row), row.cells["name"]) for row in rows if row.geom is not None]
    if not drawn:
        return None
    known = {fence.name: shape_of(fence) for held in (before_of(edition), edition) if held for fence in fences_of(held)}
    shapes, names = zip(*drawn, strict=True)
    return displaced(shapes, names, system, known=known, district_id=edition.district_id)


def judge_cells(rows: list[FenceImportRow]) -> None:
    """Judge the cells of all rows of a file anew, and the names against each other; shapes stay as they were judged."""
    names = Counter(row.cells.get("name", "") for row in rows if not row.left_out)
    for row in rows:
        row.faults = faults_of(row.cells)
        name = row.cells.get("name", "")
        if name and names[name] > 1 and not row.left_out:
            row.faults["name"] = f"文件里有 {names[name]} 个叫“{name}”的，请改成不同的名字，或只留一个。"
        if row.shape_fault and not (row.mended and row.geom is not None):
            row.faults[SHAPE] = row.shape_fault
        row.faulty = bool(row.faults) and not row.left_out


def faults_of(cells: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with cells, by field, in Chinese."""
    name, faults = cells.get("name", ""), {}
    if not name or len(name) > LONGEST_NAME:
        faults["name"] = f"要有名称，最多 {LONGEST_NAME} 个字。"
    if len(cells.get("owner", "")) > LONGEST_OWNER:
        faults["owner"] = f"最多 {LONGEST_OWNER} 个字。"
    for field, read in (("from_day", day_of), ("to_day", day_of), ("hours", hours_of)):
        try:
            read(cells.get(field, ""))
        except CityError as fault:
            faults[field] = fault.message
    if not {"from_day", "to_day"} & set(faults) and _backward(cells):
        faults["to_day"] = f"{LABELS['to_day']}早于{LABELS['from_day']}，请核对。"
    return faults


def about_of(row: FenceImportRow) -> dict[str, Any]:
    """Return what a sound row says of its fence besides name and shape; what the file has no column for is not there."""
    read: dict[str, Callable[[str], Any]] = {"from_day": _day, "to_day": _day, "hours": hours_of, "owner": str}
    told = {field: read[field](text) for field, text in row.cells.items() if field in read}
    return {**told, "kind": row.kind, "definition": row.definition}


def meant(row: FenceImportRow, fence: Fence | None) -> tuple[BaseGeometry, dict[str, Any]]:
    """Return the shape of a sound row and what it says of its fence besides its name.

    What went out and came back is not drawn anew: where the draft's ``fence`` has that shape, it stays what it was made from.
    """
    shape, about = shape_of(row), about_of(row)
    if fence is None or not same_shape(shape_of(fence), shape):
        return shape, about
    if row.kind in (ShapeKind.POLYGON, fence.kind):
        about |= {"kind": fence.kind, "definition": fence.definition}
    return shape_of(fence), about


def _day(text: str) -> str | None:
    return day_of(text) or None


def _backward(cells: Mapping[str, str]) -> bool:
    first, last = day_of(cells.get("from_day", "")), day_of(cells.get("to_day", ""))
    return bool(first and last and first > last)


def _row(
    file: DrawnFile, at: int, record: Mapping[str, Any], edition: FenceEdition, district: BaseGeometry | None
) -> FenceImportRow:
    row = FenceImportRow(number=at + 1, kind=ShapeKind.POLYGON.value)
    row.cells = {field: text.replace("\x00", "")[:LONGEST_CELL] for field, text in cells_of(record).items()}
    judged = _round(file, at, record, edition, row) or judge_shape(file, at, noun="围栏")
    if judged.whole is not None:
        judged = _within(judged, district, row)
    row.shape_fault = judged.fault[:200]
    if judged.whole is None:
        return row
    row.geom = cast(MultiPolygon, GEOSGeometry(hex_of(judged.whole)))
    if judged.fault:
        raw = file.reading.shapes[at]
        row.before = GEOSGeometry(shapely.to_wkb(raw).hex(), srid=CGCS2000)
    elif row.kind == ShapeKind.POLYGON:
        _remember(row, record, judged.whole, file.system, edition)
    return row


def _round(
    file: DrawnFile, at: int, record: Mapping[str, Any], edition: FenceEdition, row: FenceImportRow
) -> Judged | None:
    """Return the circle around a point with a radius, ``None`` where the row is none."""
    shape, radius = (file.reading.shapes[at] if file.reading.shapes else None), radius_of(record)
    if at in file.reading.faults or not isinstance(shape, shapely.Point) or shape.is_empty or not radius:
        return None
    definition = {"lon": round(shape.x, 9), "lat": round(shape.y, 9), "radius_m": _figure(radius)}
    try:
        whole = shape_of_definition(ShapeKind.CIRCLE, definition, district_id=edition.district_id)
    except CityError as fault:
        return Judged(None, fault.message)
    row.kind, row.definition = ShapeKind.CIRCLE.value, definition
    return Judged(whole, "")


def _within(judged: Judged, district: BaseGeometry | None, row: FenceImportRow) -> Judged:
    """Refuse a shape that has nothing of the district; note what reaches beyond it."""
    if district is None or judged.whole is None:
        return judged
    plane = to_plane(judged.whole, current_city())
    beyond = shapely.difference(plane, district).area
    if plane.area - beyond < GRAIN_M2:
        return Judged(None, "不在本区范围内；如果整批都不在，请核对坐标系和所选的区。")
    if beyond > GRAIN_M2:
        row.notes.append(f"超出区界 {measure(beyond)}，可以导入，检查时会提示。")
    return judged


def _remember(
    row: FenceImportRow, record: Mapping[str, Any], whole: BaseGeometry, system: System, edition: FenceEdition
) -> None:
    """Keep what a fence says it is made from, where that still makes its shape."""
    kind, told = made_of(record)
    if kind == ShapeKind.POLYGON:
        return
    definition = definition_in(told, system, System.CGCS2000)
    if definition is not None and _makes(kind, definition, whole, edition):
        row.kind, row.definition = kind, definition
    elif not _as_drawn(kind, definition, whole, row.cells["name"], edition):
        row.notes.append(f"文件里写的画法是“{ShapeKind(kind).label}”，但照它画出来不是这个图形，按手绘的面导入。")
    else:
        row.kind, row.definition = kind, definition or {}


def _makes(kind: str, definition: Mapping[str, Any], whole: BaseGeometry, edition: FenceEdition) -> bool:
    if kind not in _REMADE:
        return False
    try:
        made = shape_of_definition(kind, definition, district_id=edition.district_id)
    except CityError:
        return False
    return _alike(made, whole)


def _as_drawn(
    kind: str, definition: Mapping[str, Any] | None, whole: BaseGeometry, name: str, edition: FenceEdition
) -> bool:
    """Say whether the draft holds this very fence: what takes long to make again, such as isochrones, is not made again."""
    fence = edition.areas.filter(name=name, kind=kind).first()
    return fence is not None and definition is not None and _alike(shape_of(fence), whole)


def same_shape(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Say whether two shapes (degrees) are the same but for the grain of files: corner by corner within a millimetre."""
    return bool(shapely.equals_exact(shapely.normalize(one), shapely.normalize(other), tolerance=GRAIN_DEG))


def _alike(one: BaseGeometry, other: BaseGeometry) -> bool:
    here, there = to_plane(one, current_city()), to_plane(other, current_city())
    return bool(shapely.hausdorff_distance(here, there) < SAME_M)


def definition_in(definition: Mapping[str, Any], source: System, to: System) -> dict[str, Any] | None:
    """Return a definition with its positions in another system; ``None`` for positions that are none."""
    told = dict(definition)
    try:
        if "lon" in told and "lat" in told:
            ((told["lon"], told["lat"]),) = _moved([[told["lon"], told["lat"]]], source, to)
        if "line" in told:
            told["line"] = _moved(told["line"], source, to)
    except (CityError, TypeError, ValueError, IndexError):
        return None
    return told


def _moved(places: Any, source: System, to: System) -> list[list[float]]:
    array = np.array(places, dtype=np.float64).reshape(-1, 2)
    if {source, to} == {System.WGS84, System.CGCS2000} or source is to:
        return [[float(x), float(y)] for x, y in array]
    moved = convert(Coordinates(array[:, 0], array[:, 1], source), to)
    decimals = 10 if to.is_geographic else 5
    return [[round(float(x), decimals), round(float(y), decimals)] for x, y in zip(moved.x, moved.y, strict=True)]


def _figure(text: str) -> float | str:
    try:
        return float(text.removesuffix("米").removesuffix("m").strip())
    except ValueError:
        return text
