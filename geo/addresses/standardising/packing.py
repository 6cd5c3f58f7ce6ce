"""A standardised row as a short text for the database, and back without loss. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from geo.addresses.parsing import Parts
from geo.addresses.standardising.outcomes import Other, Reason, Spot, Standardised, Status, Where


def pack(row: Standardised) -> str:
    """Return a row as JSON without what is empty; its number and status are kept beside it."""
    found: dict[str, Any] = {
        "w": row.written,
        "s": row.standard,
        "p": row.said,
        "at": _spot(row.spot),
        "in": [row.where.district, row.where.street, row.where.committee, row.where.code] if row.where.code else None,
        "c": row.confidence,
        "r": [[one.code, one.reason] for one in row.reasons],
        "o": [[other.text, _spot(other.spot)] for other in row.others],
        "i": [[one.code, one.reason] for one in row.ignored],
    }
    return orjson.dumps({key: value for key, value in found.items() if value}).decode()


def unpack(number: int, status: str, text: str) -> Standardised:
    """Return the row that was packed."""
    found = orjson.loads(text)
    return Standardised(
        row=number,
        written=found.get("w", ""),
        status=Status(status),
        standard=found.get("s", ""),
        parts=Parts(**found.get("p", {})),
        spot=_unpacked(found.get("at")),
        where=Where(*found["in"]) if "in" in found else Where(),
        confidence=found.get("c", 0.0),
        reasons=tuple(Reason(*one) for one in found.get("r", ())),
        others=tuple(Other(text, _unpacked(spot)) for text, spot in found.get("o", ())),
        ignored=tuple(Reason(*one) for one in found.get("i", ())),
    )


def _spot(spot: Spot | None) -> list[Any] | None:
    return [spot.label, spot.level, spot.lon, spot.lat, spot.uncertainty_m] if spot else None


def _unpacked(found: list[Any] | None) -> Spot | None:
    return Spot(*found) if found else None
