"""What an address is made of: tokens with their place in the text, the parts they mean, and what was set aside and why."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Kind = Literal[
    "city", "district", "street", "zone", "committee", "village", "hamlet", "group", "road", "section", "crossing",
    "along", "estate", "block", "lane", "sub_lane", "number", "suffix", "parity", "building", "unit", "floor", "room", "place",
]  # fmt: skip
"""Every kind of token; ``Parts`` has a field of the same name for each."""

LEVELS: Final[dict[str, int]] = {
    "city": 0, "district": 1, "street": 2, "zone": 2, "committee": 3, "village": 4, "hamlet": 5, "along": 5, "road": 6,
    "section": 7, "crossing": 7, "estate": 7, "place": 7, "group": 7, "block": 8, "lane": 9, "sub_lane": 10, "number": 11,
    "suffix": 12, "parity": 12, "building": 13, "unit": 14, "floor": 15, "room": 16,
}  # fmt: skip
"""How deep each kind lies: an address goes from the outside to the inside."""


class Token(NamedTuple):
    """A piece of the text with a meaning: ``written`` is ``text[start:end]``, ``value`` its normal form."""

    kind: str
    written: str
    value: str
    start: int
    end: int


class Ignored(NamedTuple):
    """A piece of the text that is no part of the address: ``reason`` is a stable code, see ``reason_text``."""

    reason: str
    written: str
    start: int
    end: int


class Parts(NamedTuple):
    """The parts of one address; what is not said is ``""``.

    ``city`` is empty or another city, ``district`` and ``street`` are names of today as the gazetteer knows them, however wrong
    for the place. ``road`` is the road that the numbers belong to; a road named beside an estate with numbers of its own is
    ``along``. ``upto`` and ``lane_upto`` end a range such as 4-77号; ``parity`` is ``odd`` or ``even`` when one side is meant.
    ``place`` is a name that is none of the others: a school, a building, a site.
    """

    text: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    zone: str = ""
    committee: str = ""
    village: str = ""
    hamlet: str = ""
    group: str = ""
    road: str = ""
    section: str = ""
    crossing: str = ""
    along: str = ""
    estate: str = ""
    block: str = ""
    lane: str = ""
    lane_upto: str = ""
    sub_lane: str = ""
    number: str = ""
    suffix: str = ""
    upto: str = ""
    parity: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    place: str = ""

    @property
    def base(self) -> str:
        """Return what the numbers belong to: the road, else the village and group, else the estate, else the named place."""
        if self.road:
            return f"{self.road}{self.section}"
        if self.village or self.hamlet or self.group:
            return f"{self.village}{self.hamlet}{self.group}组" if self.group else f"{self.village}{self.hamlet}"
        if self.estate:
            return f"{self.estate}{self.block}"
        return self.place or self.committee or self.zone

    @property
    def named(self) -> str:
        """Return the name of the estate or site that was written besides the road, or ``""``."""
        return self.estate or self.place

    @property
    def is_empty(self) -> bool:
        """Say whether nothing was understood."""
        return not (self.district or self.street or self.committee or self.base)

    @property
    def level(self) -> str:
        """Return how deep the address goes: ``room``, ``building``, ``number``, ``lane``, ``base``, ``region`` or ``none``."""
        if self.room or self.floor:
            return "room"
        if self.building or self.unit:
            return "building"
        for name in ("number", "lane"):
            if getattr(self, name):
                return name
        if self.base:
            return "base"
        return "none" if self.is_empty else "region"


class Alternative(NamedTuple):
    """Another way to read the same address: ``why`` is the code of the note that tells the doubt."""

    parts: Parts
    confidence: float
    why: str


class Reading(NamedTuple):
    """One address of a field: its parts, the tokens they came from, how sure that is (0 to 1) and what is in doubt.

    ``notes`` are stable codes, see ``note_text``. ``alternatives`` are other readings, the likelier first.
    """

    parts: Parts
    tokens: tuple[Token, ...]
    confidence: float
    notes: tuple[str, ...]
    alternatives: tuple[Alternative, ...]


class Parsed(NamedTuple):
    """All that one field says: its addresses in their order, and every piece that is no part of them.

    Tokens and ignored pieces together cover the text: nothing is lost.
    """

    text: str
    addresses: tuple[Reading, ...]
    ignored: tuple[Ignored, ...]
    notes: tuple[str, ...]

    @property
    def parts(self) -> Parts:
        """Return the parts of the first address, empty when there is none."""
        return self.addresses[0].parts if self.addresses else Parts(text=self.text)

    @property
    def confidence(self) -> float:
        """Return how sure the least sure address is; 0 when there is none."""
        return min((reading.confidence for reading in self.addresses), default=0.0)
