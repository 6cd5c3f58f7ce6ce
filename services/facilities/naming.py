"""The pieces a facility is found by: those of its name, and those of its written address."""

from __future__ import annotations

from typing import Final

from geo.names import grams, plain, query_grams

MOST_GRAMS: Final = 240


def facility_grams(name: str, address_text: str = "") -> list[str]:
    """Return what goes into ``Facility.grams``: the name's pieces and pinyin, then the two-character pieces of the address."""
    address = plain(address_text)[:60]
    pairs = [address[at : at + 2] for at in range(len(address) - 1)]
    return list(dict.fromkeys([*grams(name), *pairs]))[:MOST_GRAMS]


def wanted_grams(q: str) -> list[str]:
    """Return the pieces a facility must have all of to match what was typed; words apart by spaces may stand anywhere."""
    return list(dict.fromkeys(piece for word in q.split() for piece in query_grams(word)))
