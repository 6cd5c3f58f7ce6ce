"""Small worlds of regions drawn in letters, so that a test shows its map."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import shapely

from geo.imports.models import Family, Provenance, Source
from geo.regions.actions import create_edition, load_regions, publish_edition
from geo.regions.models import Edition
from geo.regions.records import RegionRecord
from geo.scope import Scope

WEST, NORTH, STEP = 121.40, 31.30, 0.01
PUBLIC = Scope.public()
EDITOR = Scope(duties=frozenset({"regions.edit"}))


def cells(drawing: str, letters: str) -> shapely.Geometry:
    """Return the union of the squares (0.01° each, the first at the north-west) that bear one of the letters."""
    rows = textwrap.dedent(drawing).strip("\n").split("\n")
    squares = [
        shapely.box(WEST + x * STEP, NORTH - (y + 1) * STEP, WEST + (x + 1) * STEP, NORTH - y * STEP)
        for y, row in enumerate(rows)
        for x, letter in enumerate(row)
        if letter in letters
    ]
    return shapely.union_all(squares)


def drawn(drawing: str, names: Mapping[str, str] | None = None) -> list[RegionRecord]:
    """Return a city of one district whose streets are the letters of a drawing; a dot is outside the city."""
    letters = sorted({letter for letter in drawing if letter.isalpha()})
    whole = cells(drawing, "".join(letters))
    names = names or {}
    return [
        RegionRecord("310000", "city", "上海市", None, whole),
        RegionRecord("310101", "district", "黄浦区", "310000", whole),
        *(
            RegionRecord(code(letter), "street", names.get(letter, f"{letter}街道"), "310101", cells(drawing, letter))
            for letter in letters
        ),
    ]


def code(letter: str) -> str:
    """Return the code of the street drawn with a letter."""
    return f"310101{ord(letter):03d}"


def centre(x: int, y: int) -> tuple[float, float]:
    """Return (longitude, latitude) of the middle of a square, counted from the north-west."""
    return WEST + (x + 0.5) * STEP, NORTH - (y + 0.5) * STEP


def source(key: str = "drawn-regions", provenance: str = Provenance.REAL, family: str = Family.REGIONS) -> Source:
    """Return a source, made when it is not there."""
    made, _ = Source.objects.get_or_create(
        key=key, defaults={"title": "画出来的区划", "family": family, "provenance": provenance}
    )
    return made


def draft(records: list[RegionRecord], name: str = "试验版", provenance: str = Provenance.REAL) -> Edition:
    """Return a draft edition with records."""
    edition = create_edition(name=name, source=source(f"regions-{provenance}", provenance))
    load_regions(edition=edition, records=records)
    return edition


def published(records: list[RegionRecord], name: str = "试验版", provenance: str = Provenance.REAL) -> Edition:
    """Return a published edition with records."""
    return publish_edition(edition=draft(records, name, provenance))
