"""Areas in and out of files of any format and datum (``geo.fences.files``), each row with its name and its kindergarten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from geo.errors import BadInput, CityError
from geo.fences.areas import LONGEST_NAME, Arriving, shape_of
from geo.fences.files.reading import NAMES, DrawnFile, judge_shape, read_drawn, said
from geo.fences.files.writing import Leaving, WrittenFile, written_file
from services.catchments.areas.actions import MOST_AREAS
from services.catchments.areas.queries import areas_of, district_for
from services.catchments.ground import Ground, ground_of
from services.catchments.models import CatchmentEdition

MOST_TOLD: Final = 30
TARGETS: Final = ("对口园", "幼儿园", "园所", "target", "school")
NUMBERS: Final = ("对口园编号", "对口园1", "target_id")


def read_areas(
    source: Path, *, name: str, datum: str, edition: CatchmentEdition
) -> tuple[list[Arriving], list[str]]:  # fmt: skip
    """Return the areas of a file and, row by row, what is wrong with it; nothing is taken where a row is wrong.

    Raises ``BadInput`` for a file that cannot be read at all.
    """
    file = read_drawn(source, name=name, datum=datum, most=MOST_AREAS, noun="片区")
    ground = ground_of(edition.district_id)
    arriving: list[Arriving] = []
    faults: list[str] = []
    for at, record in enumerate(file.reading.records):
        try:
            arriving.append(_arriving(file, at, record, ground))
        except CityError as fault:
            faults.append(f"第 {at + 1} 个：{fault.message}")
    names = [each.name for each in arriving]
    faults += [
        f"名称“{twice}”出现了多次，请改成不同的名字。" for twice in sorted({n for n in names if names.count(n) > 1})
    ]
    return arriving, faults[:MOST_TOLD]


def export_areas(edition: CatchmentEdition, *, format: str, crs: str) -> WrittenFile:
    """Return the areas of an edition as a file that reads in again as the same areas. Raises ``BadInput``."""
    title = f"{district_for(edition).name}片区 {edition.year} 第 {edition.number} 版"
    leaving = [
        Leaving({NAMES[0]: area.name, TARGETS[0]: area.target.name, NUMBERS[0]: str(area.target_id)}, shape_of(area))
        for area in areas_of(edition)
    ]
    return written_file(leaving, format=format, crs=crs, title=title)


def _arriving(file: DrawnFile, at: int, record: Mapping[str, Any], ground: Ground) -> Arriving:
    judged = judge_shape(file, at, noun="片区")
    if judged.whole is None:
        raise BadInput("shape", judged.fault)
    name = said(record, NAMES)
    if not name or len(name) > LONGEST_NAME:
        raise BadInput("area_nameless", f"要有“名称”，最多 {LONGEST_NAME} 个字。")
    return Arriving(name, judged.whole, {"target": _target(record, ground)})


def _target(record: Mapping[str, Any], ground: Ground) -> int:
    number = said(record, NUMBERS)
    if number.isascii() and number.isdigit() and int(number) in ground.sites:
        return int(number)
    named = said(record, TARGETS)
    found = ground.sites_named(named) if named else []
    if len(found) != 1:
        why = "没有写“对口园”" if not named else f"本区没有叫“{named}”的幼儿园" if not found else f"有几所都叫“{named}”"
        raise BadInput("area_targetless", f"{why}，请写完整园名或编号。")
    return found[0]
