"""Statements of sources that cannot all be true, found batch by batch and kept on a list until somebody decides.

The finder of addresses is here; whoever else states where an address is (facilities do) registers a finder of its own. Nothing is
picked and nothing is dropped: sources that disagree are put before people.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Final

from django.contrib.gis.geos import Point
from django.db import connection, transaction

from geo.addresses.gazetteer import Names, names_of, published_now
from geo.addresses.lookups import metres_between
from geo.addresses.models import AddressConflict, ConflictKind, ConflictState
from geo.crs.codes import CGCS2000
from geo.imports.models import Family
from geo.regions.models import Level

NAMESAKES_M: Final = 1000.0
"""Doors of one name in two regions further apart than this are on two roads of one name, and no conflict."""
_OF_ROAD: Final = re.compile(r"\D*[路街道]\d")
BATCH: Final = 4_000
_LIST_LOCK: Final = 720_116
BOTH: Final = "both"
"""The decision that all statements are true: the facts stay, and only other facts open the conflict again."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one row says of an address: whose row it is, and where it stands (CGCS2000 degrees, metres)."""

    what: str
    id: int
    label: str
    source: str
    lon: float
    lat: float
    uncertainty_m: float
    region_id: int | None
    region: str
    community_id: int | None = None
    community: str = ""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A conflict as a finder sees it; ``subject`` names it for ever, ``metres`` says how far apart the statements are."""

    kind: ConflictKind
    subject: str
    title: str
    statements: tuple[Statement, ...]
    metres: float

    @property
    def digest(self) -> str:
        """Return the digest of the facts: where and in what each row puts the address, to a decimetre."""
        facts = sorted(
            (one.what, one.id, round(one.lon, 6), round(one.lat, 6), one.uncertainty_m, one.region_id, one.community_id)
            for one in self.statements
        )
        return hashlib.sha256(repr((self.kind, self.subject, facts)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Batch:
    """What a finder found in one step, how far it is (0 to 1) and where it goes on; ``None`` at its end."""

    found: Sequence[Disagreement]
    share: float
    next: str | None


Finder = Callable[[str], Batch]
"""Looks on from a place of its own (``""`` is the beginning)."""
_FINDERS: dict[str, Finder] = {}


def finds_conflicts(name: str) -> Callable[[Finder], Finder]:
    """Register a finder of conflicts; two of one name are a programming error."""

    def register(finder: Finder) -> Finder:
        if _FINDERS.setdefault(name, finder) is not finder:
            raise ValueError(f"two finders of conflicts are called {name}")
        return finder

    return register


def finders() -> list[tuple[str, Finder]]:
    """Return the registered finders in a fixed order."""
    return sorted(_FINDERS.items())


@finds_conflicts("addresses")
def find_in_addresses(after: str) -> Batch:
    """Compare the rows that share a normal form: too far apart, in two districts, or in two communities."""
    published = published_now()
    names = names_of(published)
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, [list(published.ids(Family.ADDRESSES)), after, BATCH])
        shared = [normal for (normal,) in cursor.fetchall()]
        cursor.execute(_ROWS, [shared, list(published.ids(Family.ADDRESSES))])
        rows = cursor.fetchall()
    groups: dict[str, list[Statement]] = defaultdict(list)
    for normal, pk, text, source_id, lon, lat, radius, region_id, community_id, community in rows:
        region = names.region(region_id)
        groups[normal].append(
            Statement(
                what="address",
                id=pk,
                label=text,
                source=published.sources[source_id],
                lon=lon,
                lat=lat,
                uncertainty_m=radius,
                region_id=region_id,
                region=region.full_name if region else "",
                community_id=community_id,
                community=community or "",
            )
        )
    found = [one for normal, group in groups.items() for one in disagreements(normal, group, names)]
    return Batch(found, 0.5, shared[-1] if len(shared) == BATCH else None)


def disagreements(normal: str, group: Sequence[Statement], names: Names) -> list[Disagreement]:
    """Return in what the statements of one normal form disagree; each pair is compared with each.

    A road has its name once in a district, a village or an estate once in a street: beyond these, and far apart, the name is
    used twice.
    """
    level = Level.DISTRICT if _OF_ROAD.match(normal) else Level.STREET
    homes = {one: _home(one, level, names) for one in group}
    pairs = [
        (one, other, metres_between(one.lon, one.lat, other.lon, other.lat)) for one, other in combinations(group, 2)
    ]
    found: list[Disagreement] = []
    for home in sorted(set(homes.values())):
        own = [pair for pair in pairs if all(homes[one] == home for one in pair[:2])]
        apart = [pair for pair in own if not _agree(*pair)]
        mixed = [pair for pair in own if _agree(*pair) and _communities_differ(*pair[:2])]
        found += _noted(ConflictKind.APART, f"{home} {normal}", normal, apart, "同一个门牌，位置相距 {m:,.0f} 米")
        found += _noted(ConflictKind.COMMUNITIES, f"{home} {normal}", normal, mixed, "同一个门牌，写了不同的小区")
    across = [
        (one, other, metres) for one, other, metres in pairs if homes[one] != homes[other] and metres <= NAMESAKES_M
    ]
    found += _noted(ConflictKind.REGIONS, normal, normal, across, "同一个门牌，落在不同的区划，相距 {m:,.0f} 米")
    return found


Pair = tuple[Statement, Statement, float]


def _noted(kind: ConflictKind, subject: str, normal: str, pairs: Sequence[Pair], said: str) -> Iterable[Disagreement]:
    if pairs:
        rows = sorted({one for pair in pairs for one in pair[:2]}, key=lambda one: one.id)
        metres = max(pair[2] for pair in pairs)
        yield Disagreement(kind, subject, f"{normal}：{said.format(m=metres)}", tuple(rows), metres)


def _agree(one: Statement, other: Statement, metres: float) -> bool:
    return metres <= one.uncertainty_m + other.uncertainty_m


def _communities_differ(one: Statement, other: Statement) -> bool:
    return bool(one.community and other.community and one.community != other.community)


def _home(one: Statement, level: Level, names: Names) -> str:
    """Return the code of the region of a level that a statement lies in, ``""`` for none."""
    region = names.region(one.region_id)
    above = names.above(region, level) if region else None
    return (above or region).code if region else ""


@transaction.atomic
def keep_found(*, found: Sequence[Disagreement], at: dt.datetime) -> int:
    """Put what was found on the list, as seen at a moment, and return how many are open; decided ones stay decided.

    Other facts open a decided conflict again, and so do the same facts when the decision should have done away with them: what
    it corrected was undone.
    """
    with connection.cursor() as cursor:
        # two searches at once would both bring what is new
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LIST_LOCK])
    known = {
        (row.kind, row.subject): row
        for row in AddressConflict.objects.select_for_update().filter(subject__in={one.subject for one in found})
    }
    opened = 0
    for one in found:
        row = known.get((one.kind, one.subject)) or AddressConflict(kind=one.kind, subject=one.subject, found_at=at)
        settled = row.state == ConflictState.DECIDED and row.digest == one.digest
        if not (settled and row.decisions[-1]["choice"] == BOTH):
            row.state = ConflictState.OPEN
            opened += 1
        first = one.statements[0]
        row.title, row.digest, row.metres, row.seen_at = one.title[:300], one.digest, round(one.metres, 1), at
        row.facts = {"statements": [asdict(statement) for statement in one.statements]}
        row.geom, row.region_id = Point(first.lon, first.lat, srid=CGCS2000), first.region_id
        row.save()
    return opened


@transaction.atomic
def drop_vanished(*, before: dt.datetime) -> int:
    """Mark the open conflicts that a whole search begun at a moment did not see any more, and return how many they are."""
    vanished = AddressConflict.objects.filter(state=ConflictState.OPEN, seen_at__lt=before)
    return vanished.update(state=ConflictState.GONE)


def facts_of(conflict: AddressConflict) -> list[dict[str, Any]]:
    """Return the statements of a conflict as they were when it was found."""
    return list(conflict.facts["statements"])


_SHARED: Final = """
    SELECT a.normal FROM addresses_address a
    WHERE a.retired_at IS NULL AND a.source_id = ANY(%s) AND a.normal > %s
    GROUP BY a.normal HAVING count(*) > 1 ORDER BY a.normal LIMIT %s"""
_ROWS: Final = """
    SELECT a.normal, a.id, a.text, a.source_id, ST_X(a.geom), ST_Y(a.geom), a.uncertainty_m, a.region_id, a.community_id, c.name
    FROM addresses_address a LEFT JOIN addresses_community c ON c.id = a.community_id
    WHERE a.normal = ANY(%s) AND a.retired_at IS NULL AND a.source_id = ANY(%s) ORDER BY a.normal, a.id"""
