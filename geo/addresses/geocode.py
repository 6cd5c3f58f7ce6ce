"""From a written address to where it is: the door, else its lane, else between its neighbours, else community, road or region.

Each answer says how it was found, the radius that holds the true point nine times in ten, and what speaks against it. A lane
that is not on record is never replaced by another one. Nothing found is an empty answer: unknown, not wrong.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from geo.addresses import lookups
from geo.addresses.gazetteer import NamedRegion, Names, Published, names_of, published_now
from geo.addresses.lookups import Door, Lookups, Numbered
from geo.addresses.numbering import Guess, Known, guess_number
from geo.addresses.parsing import Parts, read
from geo.errors import BadInput
from geo.regions.models import Level
from geo.regions.queries import assign_regions
from geo.scope import Scope

_COMMITTEE: Final = re.compile("(?:居民委员会|居委会|居委|村?村民委员会|村?村委会|村?村委|村)$")
LONGEST: Final = 200
MOST_TEXTS: Final = 10_000
MOST_OTHERS: Final = 4
LEVELS: Final = ("door", "lane", "interpolated", "community", "road", "committee", "street", "district")
"""How an address was found, from sharp to blunt."""

WIDEST_M: Final = 1_500.0
"""A number that cannot be placed better than this, some twenty minutes on foot, is unknown: a map of it would mislead."""
SITE_M: Final = 200.0
"""How far apart two addresses of one site may lie."""
ASTRAY_IN_LANE: Final = 0.85
"""How far a number of a lane may lie from its place between two others, for each metre between these."""
LIKE_NAMED_M: Final = 600.0
"""How far a community may lie from one that is called almost the same."""
SURE_ROAD: Final = 0.95
"""Of several roads of one name, the share from which one is taken for the road that was meant."""


@dataclass(frozen=True, slots=True)
class Penalty:
    """Something that speaks against a candidate: a stable code and a Chinese sentence."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible place of an address, in CGCS2000 degrees; ``uncertainty_m`` holds the true point nine times in ten.

    ``metres`` is given by reverse: how far the candidate is from the point asked about.
    """

    label: str
    level: str
    lon: float
    lat: float
    uncertainty_m: float
    region: NamedRegion | None
    source: str
    penalties: tuple[Penalty, ...] = ()
    metres: float | None = None


@dataclass(slots=True)
class _Case:
    """One address on its way through the stages: what was read, and what has been found.

    ``others`` are the further addresses of a field that holds several: they tell of the first one where it is on no record.
    """

    parts: Parts
    district: NamedRegion | None
    found: list[Candidate] = field(default_factory=list)
    others: tuple[_Case, ...] = ()
    doubts: tuple[Penalty, ...] = ()


def geocode(text: str, *, scope: Scope, limit: int = 5) -> list[Candidate]:
    """Return the possible places of one address, best first. Raises ``BadInput`` when it is empty or beyond 200 characters."""
    if len(text) > LONGEST:
        raise BadInput(
            "address_too_long", f"地址最多 {LONGEST} 个字，请只写一个地址。", parameter="q", length=len(text)
        )
    if not text.strip():
        raise BadInput("address_empty", "请写出要查的地址，例如“黄浦区艾家弄86号”。", parameter="q")
    if not 1 <= limit <= 50:
        raise BadInput("limit_invalid", "条数要在 1 到 50 之间。", parameter="limit")
    return geocode_many([text], scope=scope)[0][:limit]


def geocode_many(
    texts: Sequence[str], *, scope: Scope, published: Published | None = None, names: Names | None = None
) -> list[list[Candidate]]:
    """Return the possible places of many addresses, best first for each, with a handful of queries for all of them.

    Addresses are public data: every scope gets the same answer. Texts beyond 200 characters have none. An import names the
    sources it may go by, ``published``, and their ``names``; everyone else goes by all that is published now. Raises ``BadInput``
    beyond 10,000 texts.
    """
    if len(texts) > MOST_TEXTS:
        raise BadInput("too_many_texts", f"一次最多 {MOST_TEXTS} 个地址，请分批提交。", most=MOST_TEXTS)
    published = published or published_now()
    names = names or names_of(published)
    cases = [_case(text, names) for text in texts]
    find = Lookups(published, {case.parts.base for case in cases if case.district and case.parts.base})
    for stage in (_doors, _lanes, _between, _communities, _roads, _regions):
        open_cases = [case for case in cases if not case.found and not case.parts.is_empty]
        others = [other for case in open_cases for other in case.others if stage is not _regions]
        if open_cases:
            stage([*open_cases, *others], find, names, published)
        for case in open_cases:
            _adopt(case)
    return [
        [replace(one, penalties=one.penalties + case.doubts) for one in sorted(case.found, key=_rank)] for case in cases
    ]


def _case(text: str, names: Names) -> _Case:
    """Read one field. One of another city is read as none: what bears its name here is not what was meant."""
    readings = read(text, names.gazetteer).addresses if len(text) <= LONGEST else ()
    here = [reading.parts for reading in readings if "other_city" not in reading.notes]
    if not here or here[0] is not readings[0].parts:
        return _Case(Parts(), None)
    first, *others = (_Case(parts, names.districts.get(parts.district)) for parts in here[: 1 + MOST_OTHERS])
    first.others = tuple(others)
    if "district_unknown" in readings[0].notes:
        said = f"这里没有“{first.parts.district}”，没有按它查找，请核对区名。"
        first.doubts = (Penalty("district_unknown", said),)
    return first


def _adopt(case: _Case) -> None:
    """Take over what was found of the other addresses in a field: when the first is unknown, or guessed less narrowly nearby."""
    for other in case.others:
        if not other.found:
            continue
        theirs, other.found = other.found, []
        if not case.found or _narrower(theirs, case.found):
            penalty = Penalty("first_unknown", "第一个地址没有收录，按同一栏里写的另一个地址给出。")
            case.found = [_instead(one, penalty) for one in theirs]


def _instead(one: Candidate, penalty: Penalty) -> Candidate:
    """Return the place of one address of a site for another one: they have the site in common, not the door."""
    guessed = one.level in ("interpolated", "road")
    radius = one.uncertainty_m if guessed else round(math.hypot(one.uncertainty_m, SITE_M), 1)
    return replace(one, uncertainty_m=radius, penalties=(*one.penalties, penalty))


def _narrower(theirs: list[Candidate], ours: list[Candidate]) -> bool:
    """Say whether a guess may stand for another: both are the only one, they can be one place, and the first is the surer."""
    if len(theirs) > 1 or len(ours) > 1 or ours[0].level not in ("interpolated", "road"):
        return False
    apart = lookups.metres_between(theirs[0].lon, theirs[0].lat, ours[0].lon, ours[0].lat)
    return theirs[0].uncertainty_m < ours[0].uncertainty_m and apart < theirs[0].uncertainty_m + ours[0].uncertainty_m


def _rank(candidate: Candidate) -> tuple[int, int, float, str]:
    return LEVELS.index(candidate.level), len(candidate.penalties), candidate.uncertainty_m, candidate.label


def _doubted(found: list[Candidate]) -> list[Candidate]:
    """Return guesses along roads of one name in several places as what they are: each may be any of the others."""
    if len(found) < 2:
        return found
    penalty = Penalty("several_roads", "同名的道路不止一处，请写上区名。")
    return [
        replace(one, uncertainty_m=round(_reach(one, found), 1), penalties=(*one.penalties, penalty)) for one in found
    ]


def _reach(one: Candidate, all_of_them: Iterable[Candidate]) -> float:
    """Return the radius around one candidate, in metres, that holds the circles of all."""
    return max(
        lookups.metres_between(one.lon, one.lat, other.lon, other.lat) + other.uncertainty_m for other in all_of_them
    )


def _doors(cases: list[_Case], find: Lookups, names: Names, published: Published) -> None:
    """Find the very door: same road, lane, number and what hangs on it; some lanes number buildings instead of doors."""
    asked = [case for case in cases if case.parts.base and (case.parts.number or case.parts.building)]
    doors = find.doors({(case.parts.base, case.parts.lane, case.parts.number) for case in asked})
    for case in asked:
        parts = case.parts
        rows = [row for row in doors.get((parts.base, parts.lane, parts.number), []) if row.sub_lane == parts.sub_lane]
        if not parts.number:
            rows = [row for row in rows if row.building == parts.building]
        for district, group in _by_district(rows, names).items():
            candidate = _door(parts, group, names, published)
            case.found += _agreed(case, candidate, district, find, names)


def _door(parts: Parts, rows: list[Door], names: Names, published: Published) -> Candidate:
    """Return the best of the rows of one door: the one that shares most of what follows the number."""

    def closeness(row: Door) -> tuple[int, int, int]:
        shared = sum(
            1
            for name in ("building", "unit", "floor", "room")
            if getattr(row, name) == getattr(parts, name) and getattr(row, name)
        )
        said_otherwise = sum(
            1
            for name in ("building", "unit", "room")
            if getattr(row, name) and getattr(row, name) != getattr(parts, name)
        )
        return (int(row.suffix == parts.suffix), shared, -said_otherwise)

    best = max(rows, key=lambda row: (closeness(row), -row.id))
    penalties = []
    if best.suffix != parts.suffix:
        penalties.append(Penalty("suffix_differs", f"没有“{parts.number}号{parts.suffix}”，给出的是{best.label}。"))
    if parts.upto:
        penalties.append(Penalty("range", f"写的是 {parts.number} 到 {parts.upto} 号，取第一个门牌。"))
    if parts.room and best.room != parts.room:
        penalties.append(Penalty("room_unknown", f"没有单列“{parts.room}室”，取整个门牌的位置。"))
    return _candidate("door", best.label, best.lon, best.lat, best.uncertainty_m, best, names, published, penalties)


def _lanes(cases: list[_Case], find: Lookups, names: Names, published: Published) -> None:
    """Find the lane by its other doors, between those beside the one asked for, or by the community that is known to have it."""
    asked = [case for case in cases if case.parts.base and case.parts.lane]
    wanted = {(case.parts.base, case.parts.lane) for case in asked}
    lanes, communities = find.lanes(wanted), find.communities_of_lanes(wanted)
    beside = find.numbers_of_lanes({_lane_of(case.parts) for case in asked if case.parts.number.isdecimal()})
    for case in asked:
        parts = case.parts
        key = (parts.base, parts.lane)
        doors = _by_district(beside.get(_lane_of(parts), []), names)
        label = f"{parts.base}{parts.lane}弄"
        penalties = []
        if parts.number:
            said = f"{parts.sub_lane}支弄{parts.number}号" if parts.sub_lane else f"{parts.number}号"
            penalties = [Penalty("number_unknown", f"“{label}”里没有“{said}”，给出整条弄的位置。")]
        for lane in lanes.get(key, []):
            region = names.region(lane.region_id)
            found = _candidate("lane", label, lane.lon, lane.lat, lane.radius_m, lane, names, published, penalties)
            known = doors.get(names.above(region, Level.DISTRICT) if region else None, [])
            case.found += _agreed(case, _sharper(found, parts.number, known), region, find, names)
        if case.found:
            continue
        for site in communities.get(key, []):
            found = _candidate(
                "lane", f"{label}（{site.name}）", site.lon, site.lat, site.radius_m, site, names, published, penalties
            )
            case.found += _agreed(case, found, names.region(site.region_id), find, names)


def _lane_of(parts: Parts) -> tuple[str, str, str]:
    return parts.base, parts.lane, parts.sub_lane


def _sharper(lane: Candidate, number: str, doors: Sequence[Numbered]) -> Candidate:
    """Return the place of a number between its neighbours in a lane where that is surer than the lane as a whole."""
    if not number.isdecimal():
        return lane
    asked = int(number)
    below = max((door for door in doors if door.number < asked), key=lambda door: door.number, default=None)
    above = min((door for door in doors if door.number > asked), key=lambda door: door.number, default=None)
    if below is None or above is None:
        return lane
    apart = lookups.metres_between(below.lon, below.lat, above.lon, above.lat)
    radius = math.hypot(ASTRAY_IN_LANE * apart, max(below.uncertainty_m, above.uncertainty_m))
    if radius >= lane.uncertainty_m:
        return lane
    share = (asked - below.number) / (above.number - below.number)
    said = f"这条弄里没有收录“{number}号”，按 {below.number} 号和 {above.number} 号之间推算。"
    return replace(
        lane,
        lon=below.lon + share * (above.lon - below.lon),
        lat=below.lat + share * (above.lat - below.lat),
        uncertainty_m=round(radius, 1),
        penalties=(Penalty("number_unknown", said),),
    )


def _between(cases: list[_Case], find: Lookups, names: Names, published: Published) -> None:
    """Guess an unknown number of a known road from the numbers on record, and from how the road runs."""
    asked = [case for case in cases if case.parts.base and (case.parts.lane or case.parts.number).isdecimal()]
    bases = {case.parts.base for case in asked}
    numbers, runs = find.numbers_of_roads(bases), find.runs_of_roads(bases)
    guessed: list[tuple[_Case, Guess, int]] = []
    for case in asked:
        known, run = numbers.get(case.parts.base, []), runs.get(case.parts.base, [])
        here = [Known(row.number, row.lon, row.lat, row.uncertainty_m, row.lane) for row in known]
        number = int(case.parts.lane or case.parts.number)
        for guess in guess_number(number, here, [(at.lon, at.lat) for at in run], lane=bool(case.parts.lane)):
            if guess.radius_m <= WIDEST_M:
                guessed.append((case, guess, (known or run)[0].source_id))
    regions = assign_regions([guess.lon for _, guess, _ in guessed], [guess.lat for _, guess, _ in guessed])
    shares: dict[int, list[float]] = defaultdict(list)
    for (case, guess, source_id), region_id in zip(guessed, regions.tolist(), strict=True):
        at = lookups.Placed(guess.lon, guess.lat, region_id or None, source_id)
        guess_here = _guessed(case.parts, guess, at, names, published)
        agreed = _agreed(case, guess_here, names.region(region_id), find, names)
        case.found += agreed
        shares[id(case)] += [guess.share] * len(agreed)
    for case in asked:
        if max(shares[id(case)], default=0.0) < SURE_ROAD * sum(shares[id(case)]):
            # several roads of the name, and all in other districts than the one that was written: none of them was meant
            case.found = _doubted(case.found) if any(len(one.penalties) == 1 for one in case.found) else []
        elif case.found:
            case.found = [case.found[0], *(other for other in _doubted(case.found)[1:])]


def _guessed(parts: Parts, guess: Guess, at: lookups.Placed, names: Names, published: Published) -> Candidate:
    written = f"{parts.base}{parts.lane}弄" if parts.lane else f"{parts.base}{parts.number}号"
    beside = [f"{number} 号" for number in (guess.below, guess.above) if number is not None]
    if len(beside) == 2:
        said = f"按{beside[0]}和{beside[1]}之间推算"
    else:
        said = f"按最近的 {beside[0]}推算" if beside else "按道路走向和门牌顺序推算"
    penalty = Penalty("number_unknown", f"没有收录“{written}”，{said}。")
    level = "interpolated" if beside else "road"
    return _candidate(level, f"{written}附近", guess.lon, guess.lat, guess.radius_m, at, names, published, [penalty])


def _communities(cases: list[_Case], find: Lookups, names: Names, published: Published) -> None:
    """Find the named community, site or village."""
    asked = [case for case in cases if len(case.parts.named or case.parts.base) >= 2]
    sites = find.communities({case.parts.named or case.parts.base for case in asked})
    for case in asked:
        parts = case.parts
        name = parts.named or parts.base
        for site in sites.get(name, []):
            penalties, radius = [], site.radius_m
            if site.name != name and not parts.named:
                # 鞍山五村 may be written like a road and be a community; 国权路小区 is not what 国权路 means.
                continue
            if site.name != name:
                penalties.append(Penalty("name_differs", f"写的是“{name}”，找到的是“{site.name}”。"))
                radius += LIKE_NAMED_M
            if parts.number or parts.building:
                penalties.append(Penalty("number_unknown", f"给出“{site.name}”的位置，没有具体到门牌。"))
            found = _candidate("community", site.name, site.lon, site.lat, radius, site, names, published, penalties)
            case.found += _agreed(case, found, names.region(site.region_id), find, names)


def _roads(cases: list[_Case], find: Lookups, names: Names, published: Published) -> None:
    """Find the road alone."""
    roads = find.roads({case.parts.road for case in cases if case.parts.road})
    for case in cases:
        parts = case.parts
        for road in roads.get(parts.road, []):
            penalties = []
            if parts.number or parts.lane:
                number = f"{parts.lane}弄" if parts.lane else f"{parts.number}号"
                penalties.append(Penalty("number_unknown", f"{parts.road}上没有收录“{number}”，给出道路中段。"))
            radius = max(300.0, road.length_m) if penalties else max(100.0, road.length_m / 2)
            # A number that is on no record stands, as often as not, on another road of the name that was never drawn.
            if penalties and (case.district is None or radius > WIDEST_M):
                continue
            if not road.mapped:
                said = f"没有{parts.road}的线形，按这条路上收录的门牌给出。"
                penalties.append(Penalty("road_unmapped", said))
            found = _candidate("road", parts.road, road.lon, road.lat, radius, road, names, published, penalties)
            case.found += _agreed(case, found, names.region(road.region_id), find, names)
        case.found = _doubted(case.found)


def _regions(cases: list[_Case], find: Lookups, names: Names, published: Published) -> None:
    """Fall back on the committee, the street or the district that was named, the finest that is known."""
    called: dict[tuple[str, str], list[NamedRegion]] = defaultdict(list)
    for region in names.regions.values():
        called[region.level, _committee(region.name) if region.level == Level.COMMITTEE else region.name].append(region)
    for case in cases:
        parts = case.parts
        streets = called[Level.STREET, parts.street]
        committees = called[Level.COMMITTEE, _committee(parts.committee)] if parts.committee else []
        if parts.street:
            committees = [one for one in committees if any(one.path.startswith(street.path) for street in streets)]
        wanted = committees or streets or ([] if parts.street else called[Level.DISTRICT, parts.district])
        if case.district is not None:
            wanted = [region for region in wanted if region.path.startswith(case.district.path)] or [case.district]
        said = "" if committees and parts.base == parts.committee else parts.base
        penalties = [Penalty("only_region", f"没有找到“{said}”，只认出区划。")] if said else []
        if len(wanted) > 1:
            penalties.append(Penalty("several_regions", "同名的区划不止一处，请写上区名和街镇。"))
        for label in find.labels([region.id for region in wanted]):
            region = names.regions[label.region_id]
            radius = 0.95 * math.sqrt(label.area_m2 / math.pi)
            case.found.append(
                Candidate(
                    region.full_name,
                    region.level,
                    label.lon,
                    label.lat,
                    round(radius),
                    region,
                    label.source,
                    tuple(penalties),
                )
            )


def _committee(name: str) -> str:
    """Return what a committee is called by: 望舒 of 望舒居委会, 望舒居民委员会 and 望舒村委会."""
    return _COMMITTEE.sub("", name)


def _candidate(
    level: str,
    label: str,
    lon: float,
    lat: float,
    uncertainty_m: float,
    row: lookups.Placed,
    names: Names,
    published: Published,
    penalties: Iterable[Penalty],
) -> Candidate:
    region = names.region(row.region_id)
    district = names.above(region, Level.DISTRICT) if region else None
    full = f"{district.name}{label}" if district and not label.startswith(district.name) else label
    source = published.sources.get(row.source_id, "")
    return Candidate(full, level, lon, lat, round(uncertainty_m, 1), region, source, tuple(penalties))


def _by_district(rows: Iterable[lookups.Row], names: Names) -> dict[NamedRegion | None, list[lookups.Row]]:
    groups: dict[NamedRegion | None, list[lookups.Row]] = defaultdict(list)
    for row in rows:
        region = names.region(row.region_id)
        groups[names.above(region, Level.DISTRICT) if region else None].append(row)
    return dict(groups)


def _agreed(
    case: _Case, candidate: Candidate, region: NamedRegion | None, find: Lookups, names: Names
) -> list[Candidate]:
    """Return the candidate when its district is the one that was written, or when that district has no such road at all."""
    if case.district is None or region is None or region.path.startswith(case.district.path):
        return [candidate]
    if case.parts.base and case.district.id in find.districts_of_road(case.parts.base, names):
        return []
    said = f"写的是{case.district.name}，这里属于{candidate.region.full_name if candidate.region else '别的区'}。"
    return [replace(candidate, penalties=(*candidate.penalties, Penalty("district_differs", said)))]
