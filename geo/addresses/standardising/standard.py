"""From a list of texts to rows others can trust: each read, rendered in its standard form, located, and judged.

What is found is what ``geo.addresses.geocode`` answers for the same text; what is in doubt is said, never settled by guessing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from geo.addresses.gazetteer import NamedRegion, Names, Published, names_of, published_now
from geo.addresses.geocode import MOST_TEXTS, Candidate, geocode_many
from geo.addresses.lookups import metres_between
from geo.addresses.parsing import Gazetteer, Parsed, Parts, Reading, full_text, parse, read
from geo.addresses.standardising.outcomes import (
    Item,
    Other,
    Reason,
    Spot,
    Standardised,
    Status,
    Where,
    ignored_of,
    reason_of,
)
from geo.regions.models import Level
from geo.scope import Scope

MOST_OTHERS: Final = 20
SAME_PLACE_M: Final = 100.0
"""Candidates this near to each other are one place to whoever asks."""
_HARMLESS: Final = frozenset(("room_unknown",))
"""Penalties of the geocoder that leave the door the door."""
_BESIDE: Final = frozenset(("beside", "crossing"))
_CONTRADICTED: Final = frozenset((
    "several", "hint_differs", "district_other", "district_unknown", "city_or_name", "district_differs", "several_places",
    "several_roads", "several_regions", "village_elsewhere",
))  # fmt: skip
_SHARP: Final = frozenset(("door", "lane", "community"))
"""Levels whose place tells the district for sure."""
_SAID_APART: Final = frozenset(("phone", "contact", "long_number", "symbol", "other_address", "unread"))
"""Ignored pieces that are reasons to look at a row."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A text on its way: what is looked up, how it was read, and what is to be said of it besides."""

    text: str
    parsed: Parsed
    reasons: tuple[Reason, ...] = ()

    @property
    def first(self) -> Reading | None:
        return self.parsed.addresses[0] if self.parsed.addresses else None


def standardise(
    items: Sequence[Item],
    *,
    scope: Scope,
    published: Published | None = None,
    names: Names | None = None,
    first_row: int = 1,
) -> list[Standardised]:
    """Return one row for each item, in order, numbered from ``first_row``; points are CGCS2000 degrees.

    Never raises for what an item says, however bad. Standardising a standard text again gives the same text. ``published``
    and ``names`` hold the sources still over several calls. Raises ``BadInput`` beyond 10,000 items.
    """
    published = published or published_now()
    names = names or names_of(published)
    asked = {item: _asked(item, names) for item in dict.fromkeys(Item(one.text, None, one.district) for one in items)}
    texts = list(dict.fromkeys(one.text for one in asked.values()))
    found = dict(zip(texts, geocode_many(texts, scope=scope, published=published, names=names), strict=True))
    further = _further(asked.values(), names, published, scope)
    judged = {item: _judged(item.text, one, found[one.text], further, names) for item, one in asked.items()}
    return [
        _numbered(judged[Item(item.text, None, item.district)], row, item.id)
        for row, item in enumerate(items, start=first_row)
    ]


def _numbered(row: Standardised, number: int, given_id: str | None) -> Standardised:
    return Standardised(
        number, row.written, row.status, given_id, row.standard, row.parts, row.spot, row.where, row.confidence,
        row.reasons, row.others, row.ignored,
    )  # fmt: skip


def _asked(item: Item, names: Names) -> _Asked:
    """Read a text, with the district of its own column put where it belongs when the text names none."""
    text = item.text
    parsed = read(text, names.gazetteer)
    hint = item.district.strip()
    if not hint or not parsed.addresses:
        return _Asked(text, parsed)
    district = district_named(hint, names)
    first = parsed.addresses[0]
    if not district:
        return _Asked(text, parsed, (reason_of("hint_unknown"),))
    if first.parts.district or first.parts.city:
        differs = first.parts.district != district
        return _Asked(text, parsed, (reason_of("hint_differs"),) if differs else ())
    city = first.tokens[0] if first.tokens and first.tokens[0].kind == "city" else None
    at = city.end if city else 0
    text = f"{text[:at]}{district}{text[at:]}"
    return _Asked(text, read(text, names.gazetteer))


def district_named(written: str, names: Names) -> str:
    """Return the name of today of a district as people write it (杨浦, 浦东, 闸北区), ``""`` when it is none of this city."""
    districts = names.districts
    plain = written.removeprefix("上海市").removeprefix("上海").strip()
    for name in districts:
        if plain and plain in (
            name,
            name.removesuffix("区"),
            name.removesuffix("新区"),
            name.removesuffix("新区") + "区",
        ):
            return name
    said = parse(plain, names.gazetteer).district
    return said if said in districts else ""


def _further(
    asked: Iterable[_Asked], names: Names, published: Published, scope: Scope
) -> Mapping[str, list[Candidate]]:
    """Look up the further addresses of the fields that hold several."""
    texts = list(
        dict.fromkeys(
            full_text(reading.parts) for one in asked for reading in one.parsed.addresses[1 : MOST_OTHERS + 1]
        )
    )
    found: dict[str, list[Candidate]] = {}
    for start in range(0, len(texts), MOST_TEXTS):
        part = texts[start : start + MOST_TEXTS]
        found |= zip(part, geocode_many(part, scope=scope, published=published, names=names), strict=True)
    return found


def _judged(
    written: str, asked: _Asked, found: list[Candidate], further: Mapping[str, list[Candidate]], names: Names
) -> Standardised:
    first = asked.first
    ignored = tuple(
        ignored_of(piece.reason, piece.written) for piece in asked.parsed.ignored if piece.reason != "blank"
    )
    if first is None or first.parts.is_empty and not first.parts.city:
        return Standardised(0, written, Status.UNUSABLE, reasons=_unique(_doubts(asked)), ignored=ignored)
    best = found[0] if found else None
    where = _where(best, names)
    reasons = [*_doubts(asked), *_of_place(found, first.parts, where)]
    status = _status(first, found, reasons)
    settled = best if status in (Status.MATCHED, Status.APPROXIMATE) else None
    parts = first.parts
    if settled and settled.level in _SHARP and where.district and not parts.district:
        parts = parts._replace(district=where.district)
        reasons.append(reason_of("district_added"))
    others = _others(asked, found if settled is None else (), further, names)
    if len(asked.parsed.addresses) > MOST_OTHERS + 1:
        reasons.append(reason_of("more_addresses"))
    return Standardised(
        0,
        written,
        status,
        standard=standard_text(parts, names.gazetteer),
        parts=parts,
        spot=_spot(settled),
        where=where if settled else Where(),
        confidence=first.confidence,
        reasons=_unique(reasons),
        others=others,
        ignored=ignored,
    )


def _doubts(asked: _Asked) -> list[Reason]:
    """Return what reading alone says against a row."""
    codes = [*asked.parsed.notes, *(asked.first.notes if asked.first else ())]
    codes += [piece.reason for piece in asked.parsed.ignored if piece.reason in _SAID_APART]
    return [*map(reason_of, codes), *asked.reasons]


def _of_place(found: Sequence[Candidate], parts: Parts, where: Where) -> list[Reason]:
    """Return what the places that were found say against a row."""
    if not found:
        return [] if parts.city else [reason_of("not_on_record")]
    best = found[0]
    reasons = [Reason(penalty.code, penalty.reason) for penalty in best.penalties]
    rivals = [one for one in found[1:] if len(one.penalties) <= len(best.penalties)]
    if any(metres_between(best.lon, best.lat, one.lon, one.lat) > SAME_PLACE_M for one in rivals):
        reasons.append(reason_of("several_places"))
    if best.level in _SHARP and parts.street and where.street and parts.street != where.street:
        # Many villages share a name and only the town tells them apart; the streets of the city are renamed and merged.
        reasons.append(reason_of("village_elsewhere" if parts.village else "street_differs"))
    return reasons


def _status(first: Reading, found: Sequence[Candidate], reasons: Sequence[Reason]) -> Status:
    """Return how far a row can be trusted. A penalty not known to be harmless takes the door from an answer."""
    codes = {reason.code for reason in reasons}
    if not found:
        return Status.AMBIGUOUS if "several" in codes else Status.PARSED
    if codes & _CONTRADICTED:
        return Status.AMBIGUOUS
    best = found[0]
    doubted = {penalty.code for penalty in best.penalties} - _HARMLESS or codes & _BESIDE
    return Status.MATCHED if best.level == "door" and not doubted else Status.APPROXIMATE


def _others(
    asked: _Asked, choices: Sequence[Candidate], further: Mapping[str, list[Candidate]], names: Names
) -> tuple[Other, ...]:
    places = [Other(choice.label, _spot(choice)) for choice in choices]
    for reading in asked.parsed.addresses[1 : MOST_OTHERS + 1]:
        found = further.get(full_text(reading.parts), [])
        places.append(Other(standard_text(reading.parts, names.gazetteer), _spot(found[0] if found else None)))
    return tuple(places[:MOST_OTHERS])


def standard_text(parts: Parts, gazetteer: Gazetteer) -> str:
    """Return the canonical text of an address whose own canonical text is the same.

    Names beside a door (who lives there, which firm) are left out; what cannot be read back the same is left out too.
    """
    text = ""
    for slim in (_beside_the_door, _without_names):
        text = full_text(slim(parts))
        for _ in range(4):
            again = full_text(_beside_the_door(parse(text, gazetteer)))
            if again == text:
                return text
            text = again
    return text


def _beside_the_door(parts: Parts) -> Parts:
    return parts._replace(place="") if parts.road and (parts.lane or parts.number) else parts


def _without_names(parts: Parts) -> Parts:
    return parts._replace(place="", crossing="", along="", zone="", committee="")


def _spot(candidate: Candidate | None) -> Spot | None:
    if candidate is None:
        return None
    return Spot(candidate.label, candidate.level, candidate.lon, candidate.lat, candidate.uncertainty_m)


def _where(candidate: Candidate | None, names: Names) -> Where:
    region = candidate.region if candidate else None
    if region is None:
        return Where()
    district, street, committee = (
        _name(names, region, level) for level in (Level.DISTRICT, Level.STREET, Level.COMMITTEE)
    )
    return Where(district, street, committee, region.code)


def _name(names: Names, region: NamedRegion, level: Level) -> str:
    above = names.above(region, level)
    return above.name if above else ""


def _unique(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple({reason.code: reason for reason in reasons}.values())
