"""Where an address is, as far as is known: its door, its street and committee, its community, its point and how sure that is.

What is given with an address counts before what is looked up. Nothing of a question is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

import shapely
from django.db import connection

from geo.addresses.gazetteer import NamedRegion, Names, Published
from geo.addresses.geocode import LONGEST, Candidate, geocode_many
from geo.addresses.parsing import Parts, Token, read, short_text
from geo.geometry import to_plane
from geo.imports.models import Family
from geo.names import plain
from geo.regions.models import Level
from geo.regions.queries import current_city
from geo.regions.reach import regions_reached
from geo.scope import Scope
from services.catchments.book import Book, Home
from services.catchments.doors import Door
from services.catchments.ground import fold_committee, fold_street
from services.catchments.matching import door_of

WIDEST_M: Final = 1_500.0
"""Beyond this the regions around a point are not looked at: it may lie in any of them."""
_MOST_CALLED: Final = 20_000
"""So many ways of calling regions are kept as they were written: every row of a list names its street and committee."""
_REGIONS: Final = ("committee", "street", "district")


@dataclass(frozen=True, slots=True)
class Asked:
    """An address as somebody writes it, with what they know of it besides, by name (a district also by its code)."""

    address: str
    district: str = ""
    street: str = ""
    committee: str = ""
    community: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """What is known of where an address is. ``None`` and no districts: not known; ``communities`` () : known to be in none.

    ``fault`` is a stable code of what stands in the way: ``unread``, ``too_long``, ``other_city``, ``not_found``,
    ``district_differs``, ``other_district``, ``several_places``, ``district_unknown``, ``street_unknown``, ``committee_unknown``;
    ``said`` tells it to people. ``level`` says how sharply it was found (``geo.addresses.geocode.LEVELS``), '' where it was not
    looked up or not found. ``communities`` are folded names it answers to.
    """

    parts: Parts = field(default_factory=Parts)
    tokens: tuple[Token, ...] = ()
    door: Door | None = None
    label: str = ""
    level: str = ""
    lon: float | None = None
    lat: float | None = None
    uncertainty_m: float | None = None
    districts: tuple[NamedRegion, ...] = ()
    street: NamedRegion | None = None
    committee: NamedRegion | None = None
    communities: tuple[str, ...] | None = None
    fault: str = ""
    said: tuple[str, ...] = ()
    given: bool = False
    """Whether the street came with the address: what is looked up does not replace it."""

    @property
    def district(self) -> NamedRegion | None:
        """Return the district, ``None`` while several are possible or none is known."""
        return self.districts[0] if len(self.districts) == 1 else None

    def doubted(self, fault: str, said: str) -> Where:
        """Return the same with what stands in the way; the first fault stays."""
        return replace(self, fault=self.fault or fault, said=(*self.said, said))


class RegionNames:
    """Districts, streets and committees by what people call them: 文庙, 文庙街道 and 文庙街道办事处 are one."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._found: dict[tuple[int | None, str, str], list[NamedRegion]] = defaultdict(list)
        self._called: dict[tuple[int | None, str, str], NamedRegion] = {}
        for region in names.regions.values():
            above = {names.above(region, level) for level in (Level.DISTRICT, Level.STREET)} - {region}
            for word in {plain(region.name), _stem(region.level, region.name), region.code}:
                for upper in (None, *(one.id for one in above if one)):
                    self._found[upper, region.level, word].append(region)

    def named(self, level: str, word: str, within: NamedRegion | None = None) -> NamedRegion | None:
        """Return the one region of a level that is called so, within a region; ``None`` for none and for several."""
        above = within.id if within else None
        found = self._called.get((above, level, word))
        if found is None:
            found = self._look_for(above, level, word)
            if found is not None and len(self._called) < _MOST_CALLED:
                self._called[above, level, word] = found
        return found

    def _look_for(self, above: int | None, level: str, word: str) -> NamedRegion | None:
        for said in (plain(word), _stem(level, word)):
            found = self._found.get((above, level, said), ())
            if len(found) == 1:
                return found[0]
        return None


def _stem(level: str, name: str) -> str:
    match level:
        case Level.STREET:
            return fold_street(name)
        case Level.COMMITTEE:
            return fold_committee(name)
    return plain(name).removesuffix("新区").removesuffix("区")


@lru_cache(maxsize=2)
def _region_names(key: str, names: _Same) -> RegionNames:
    return RegionNames(names.names)


@dataclass(frozen=True, slots=True)
class _Same:
    """Names that are the same whenever the key beside them is."""

    names: Names = field(hash=False, compare=False)


def region_names(published: Published, names: Names) -> RegionNames:
    """Return the regions of what is published by what they are called; made once for each edition."""
    return _region_names(published.key, _Same(names))


def read_home(asked: Asked, names: Names, words: RegionNames) -> Where:
    """Return what an address and what was given with it say by themselves, without looking anything up."""
    if len(asked.address) > LONGEST:
        return Where().doubted("too_long", f"地址最多 {LONGEST} 个字，请只写一个地址。")
    found = read(asked.address, names.gazetteer)
    first = found.addresses[0] if found.addresses else None
    if first is not None and "other_city" in first.notes and not first.parts.is_empty:
        where = Where(first.parts, first.tokens, label=short_text(first.parts))
        return where.doubted("other_city", "写的是外地的地址，请写在上海的地址。")
    faults: list[tuple[str, str]] = []
    tokens: tuple[Token, ...] = ()
    if first is None or first.parts.is_empty:
        faults.append(("unread", "没有读懂这个地址，请写路名和门牌号，例如“武夷路12号”。"))
        parts, door, label = Parts(), None, asked.address.strip()
    else:
        parts, tokens, door, label = first.parts, first.tokens, door_of(first.parts), short_text(first.parts)
    given = _given(parts, asked, words, faults)
    fault, said = (faults[0][0], tuple(sentence for _, sentence in faults)) if faults else ("", ())
    # Made in one piece: a list has many rows, and changing a value afterwards takes longer than reading the address.
    return Where(
        parts, tokens, door, label, districts=given.districts, street=given.street, committee=given.committee,
        communities=given.communities, fault=fault, said=said, given=given.street is not None,
    )  # fmt: skip


class _Given(NamedTuple):
    """What was given with an address, or is written in it: as in ``Where``."""

    districts: tuple[NamedRegion, ...] = ()
    street: NamedRegion | None = None
    committee: NamedRegion | None = None
    communities: tuple[str, ...] | None = None


def _given(parts: Parts, asked: Asked, words: RegionNames, faults: list[tuple[str, str]]) -> _Given:
    """Return the regions and the community that were given; what stands in the way is added to ``faults`` with its sentence."""
    district = street = committee = None
    written = words.named(Level.DISTRICT, parts.district) if parts.district else None
    if asked.district:
        district = words.named(Level.DISTRICT, asked.district)
        if district is None:
            faults.append(("district_unknown", f"没有叫“{asked.district[:20]}”的区，请核对。"))
            return _Given()
        if written and written != district:
            faults.append(("other_district", f"地址里写的是{written.name}，不在{district.name}。"))
    else:
        district = written
    if asked.street:
        street = words.named(Level.STREET, asked.street, district)
        if street is None:
            faults.append(("street_unknown", f"没有叫“{asked.street[:20]}”的街镇，请核对。"))
    if asked.committee:
        committee = words.named(Level.COMMITTEE, asked.committee, street or district)
        if committee is None:
            faults.append(("committee_unknown", f"没有叫“{asked.committee[:20]}”的居委，请核对。"))
    return _Given(
        (district,) if district else (), street, committee, (plain(asked.community),) if asked.community else None
    )


def look_up(
    asked: Sequence[Asked], read: Sequence[Where], *, scope: Scope, published: Published, names: Names
) -> list[Where]:
    """Return the homes with what the addresses on record, the roads and the boundaries say of them besides."""
    texts = [
        one.address if where.parts.district or not where.district else f"{where.district.name}{one.address}"
        for one, where in zip(asked, read, strict=True)
    ]
    candidates = geocode_many(texts, scope=scope, published=published, names=names)
    chosen = [_chosen(where, found, names) for where, found in zip(read, candidates, strict=True)]
    placed = _placed(chosen, names)
    return _with_communities(
        [(where, found) for where, (_, found) in zip(placed, chosen, strict=True)], published, names
    )


def _chosen(where: Where, found: list[Candidate], names: Names) -> tuple[Where, list[Candidate]]:
    """Return the candidates of the sharpest level in the district that was said, and what speaks against the others."""
    if where.fault in ("unread", "other_city", "too_long"):
        return where, []
    if not found:
        return where.doubted("not_found", f"没有收录“{where.label}”，请核对路名和门牌号，或写上小区名。"), []
    agreeing = [one for one in found if all(penalty.code != "district_differs" for penalty in one.penalties)]
    if not agreeing:
        said = next(penalty.reason for penalty in found[0].penalties if penalty.code == "district_differs")
        return where.doubted("district_differs", said), []
    inside = [one for one in agreeing if not where.district or _district(one, names) in (None, where.district)]
    if not inside:
        there, here = _district(agreeing[0], names), where.district
        said = f"查到“{where.label}”在{there.name if there else '别的区'}，不在{here.name if here else '这个区'}。"
        return where.doubted("other_district", said), []
    peers = [one for one in inside if one.level == inside[0].level]
    for penalty in peers[0].penalties:
        where = replace(where, said=(*where.said, penalty.reason))
        if penalty.code == "only_region":
            where = where.doubted("not_found", "请核对路名和门牌号，或写上小区名。")
    if len(peers) > 1:
        places = "、".join(dict.fromkeys(one.label for one in peers[:4]))
        where = where.doubted(
            "several_places", f"“{where.label}”不止一处：{places}。请写上区名和街镇，或从里面选一处。"
        )
    return where, peers


def _district(candidate: Candidate, names: Names) -> NamedRegion | None:
    return names.above(candidate.region, Level.DISTRICT) if candidate.region else None


def _placed(chosen: Sequence[tuple[Where, list[Candidate]]], names: Names) -> list[Where]:
    """Put the homes on the ground: the regions of a door as they are on record, of anything blunter all within its reach."""
    blunt = [one for _, peers in chosen for one in peers if one.level not in ("door", *_REGIONS)]
    near = [one for one in blunt if one.uncertainty_m <= WIDEST_M]
    reached = regions_reached(
        [(one.lon, one.lat, one.uncertainty_m) for one in near], levels=(Level.STREET, Level.COMMITTEE)
    )
    around = {id(one): regions for one, regions in zip(near, reached, strict=True)}
    return [_put(where, peers, around, names) for where, peers in chosen]


def _put(where: Where, peers: list[Candidate], around: Mapping[int, dict[str, frozenset[int]]], names: Names) -> Where:
    if not peers:
        return where
    first = peers[0]
    streets = _regions(peers, Level.STREET, around, names)
    committees = _regions(peers, Level.COMMITTEE, around, names)
    own = [_district(one, names) for one in peers]
    districts = dict.fromkeys(
        district for district in (*own, *(names.above(one, Level.DISTRICT) for one in streets or ())) if district
    )
    if not where.districts:
        where = replace(where, districts=tuple(districts))
    elif where.district and streets:
        streets = [one for one in streets if one.path.startswith(where.district.path)] or streets
    where = _in_street(where, streets, names, sure=first.level == "door")
    within = [one for one in committees or () if not where.street or one.path.startswith(where.street.path)]
    if where.committee is None and len(within) == 1 and committees is not None:
        where = replace(where, committee=within[0])
    label = first.label if len(peers) == 1 else where.label
    where = replace(where, label=label, level=first.level)
    if len(peers) > 1:
        return where
    return replace(where, lon=first.lon, lat=first.lat, uncertainty_m=first.uncertainty_m)


def _regions(
    peers: list[Candidate], level: Level, around: Mapping[int, dict[str, frozenset[int]]], names: Names
) -> list[NamedRegion] | None:
    """Return every region of a level that one of the candidates may lie in, ``None`` when it may be any."""
    found: dict[int, NamedRegion] = {}
    for one in peers:
        if id(one) in around:
            regions = [names.region(region) for region in around[id(one)][level]]
        elif one.level in ("door", *_REGIONS) and one.region:
            regions = [names.above(one.region, level)]
        else:
            return None
        if not regions or None in regions:
            return None
        found |= {region.id: region for region in regions if region}
    return list(found.values())


def _in_street(where: Where, streets: list[NamedRegion] | None, names: Names, *, sure: bool) -> Where:
    """Take the street that is on record, else the one that was written or given where nothing speaks against it."""
    written = where.street
    if written is None and where.parts.street:
        named = [one for one in names.regions.values() if one.level == Level.STREET and one.name == where.parts.street]
        inside = [one for one in named if not where.district or one.path.startswith(where.district.path)]
        written = inside[0] if len(inside) == 1 else None
    if where.given:
        return where
    only = streets[0] if streets is not None and len(streets) == 1 else None
    if written is None or written == only:
        return replace(where, street=only or written)
    if streets is None or written in streets:
        return replace(where, street=written)
    told = (
        f"写的是{written.name}，门牌登记在{only.name}。"
        if only and sure
        else f"写的是{written.name}，位置好像不在那里。"
    )
    return replace(where, street=only if sure else None, said=(*where.said, told))


def _with_communities(
    found: Sequence[tuple[Where, list[Candidate]]], published: Published, names: Names
) -> list[Where]:
    """Add the communities that doors and lanes on record belong to."""
    doors = {_normal(one, names) for _, peers in found for one in peers if one.level == "door"}
    lanes = {(where.parts.base, where.parts.lane) for where, peers in found if peers and peers[0].level == "lane"}
    of_doors = _communities_of_doors(doors, published, names)
    of_lanes = _communities_of_lanes(lanes, published, names)
    return [_in_community(where, peers, of_doors, of_lanes, names) for where, peers in found]


_Called = dict[tuple[str, int | None], list[tuple[str, ...]]]


def _in_community(where: Where, peers: list[Candidate], of_doors: _Called, of_lanes: _Called, names: Names) -> Where:
    if where.communities is not None:
        return where
    parts = where.parts
    written = tuple(dict.fromkeys(map(plain, (f"{parts.estate}{parts.block}", parts.estate)))) if parts.estate else ()
    if len(peers) != 1:
        return replace(where, communities=written or None)
    one, district = peers[0], where.district.id if where.district else None
    if one.level == "door":
        called = of_doors.get((_normal(one, names), district), [])
    elif one.level == "lane":
        called = of_lanes.get((f"{where.parts.base}{where.parts.lane}弄", district), [])
    elif one.level == "community" and not any(penalty.code == "name_differs" for penalty in one.penalties):
        called = [(plain(parts.named or parts.base),)]
    else:
        called = []
    if len(set(called)) == 1:
        return replace(where, communities=(*called[0], *written))
    return replace(where, communities=written or None)


def _normal(candidate: Candidate, names: Names) -> str:
    """Return the normal form of a door on record, without the district that stands before it in its label."""
    district = _district(candidate, names)
    return candidate.label.removeprefix(district.name) if district else candidate.label


def _communities_of_doors(normals: Iterable[str], published: Published, names: Names) -> _Called:
    """Return by normal form and district the communities of the doors on record: () for one that belongs to none."""
    return _called(_OF_DOORS, [sorted(normals)], published, names)


def _communities_of_lanes(lanes: Iterable[tuple[str, str]], published: Published, names: Names) -> _Called:
    """Return by lane and district the communities of the doors in it."""
    wanted = sorted(lanes)
    return _called(_OF_LANES, [[road for road, _ in wanted], [lane for _, lane in wanted]], published, names)


_COMMUNITY: Final = "LEFT JOIN addresses_community c ON c.id = a.community_id AND c.retired_at IS NULL"
_OF_DOORS: Final = f"""
    SELECT a.normal, a.region_id, c.name, c.aliases FROM addresses_address a {_COMMUNITY}
    WHERE a.normal = ANY(%s) AND a.retired_at IS NULL AND a.source_id = ANY(%s)"""
_OF_LANES: Final = f"""
    SELECT DISTINCT w.road || w.lane || '弄', a.region_id, c.name, c.aliases
    FROM unnest(%s::text[], %s::text[]) AS w(road, lane)
    JOIN addresses_address a ON a.road = w.road AND a.lane = w.lane {_COMMUNITY}
    WHERE a.retired_at IS NULL AND a.source_id = ANY(%s)"""


def _called(question: str, wanted: list[Any], published: Published, names: Names) -> _Called:
    found: _Called = defaultdict(list)
    if not wanted[0]:
        return found
    for label, region_id, name, aliases in _rows(question, [*wanted, list(published.ids(Family.ADDRESSES))]):
        region = names.region(region_id)
        district = names.above(region, Level.DISTRICT) if region else None
        called = tuple(dict.fromkeys(plain(word) for word in (name, *(aliases or ())))) if name else ()
        found[label, district.id if district else None].append(called)
    return found


def _rows(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def homes_of(found: Sequence[Where], books: Sequence[Book]) -> list[Home]:
    """Return the homes as their books ask of them, points in metres of the city's plane."""
    placed = [at for at, where in enumerate(found) if where.lon is not None]
    points: dict[int, tuple[float, float]] = {}
    if placed:
        degrees = shapely.points([(found[at].lon, found[at].lat) for at in placed])
        metres = shapely.get_coordinates(to_plane(degrees, current_city()))
        points = {at: (float(x), float(y)) for at, (x, y) in zip(placed, metres, strict=True)}
    return [_home(where, book, points.get(at)) for at, (where, book) in enumerate(zip(found, books, strict=True))]


def _home(where: Where, book: Book, point: tuple[float, float] | None) -> Home:
    called = where.communities
    if called is not None:
        called = tuple(name for name in called if book.names(name)) or called[:1]
    return Home(
        door=where.door,
        street=where.street.id if where.street else None,
        committee=where.committee.id if where.committee else None,
        community=None if called is None else called[0] if called else "",
        point=point,
        reach_m=0.0 if where.level == "door" else where.uncertainty_m or 0.0,
    )
