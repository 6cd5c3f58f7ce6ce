"""What is published now, and the names of regions and roads in it: read once per edition and kept by the process."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final

from django.db import connection

from geo.addresses.models import Address, AddressAlias
from geo.addresses.parsing import Gazetteer, roads_of
from geo.answering import once
from geo.imports.models import CURRENT, Family, Provenance
from geo.regions.models import EditionState, Level, RegionVersion
from geo.roads.models import RoadName


@dataclass(frozen=True, slots=True)
class Published:
    """The sources on the map now.

    ``key`` changes whenever one is published, published again or retired, and when people bring a name into one.
    """

    key: str
    demo: bool
    sources: Mapping[int, str]
    """Titles by source id."""
    families: Mapping[str, tuple[int, ...]]
    """Source ids by family."""
    as_of: Mapping[str, str]
    """The newest date of the data by family, as ISO text; families whose sources state none are left out."""
    stamps: Mapping[str, str]
    """By family, a text that changes whenever its rows are published or retired, or people change names among them."""

    def ids(self, family: Family) -> tuple[int, ...]:
        """Return the ids of the published sources of a family."""
        return self.families.get(family, ())


_FACTS: Final = """
    SELECT id, published_at, revision, family, provenance, title, as_of FROM imports_source
    WHERE published_at IS NOT NULL AND retired_at IS NULL ORDER BY id"""


def published_now() -> Published:
    """Return what is published now: one small query for an answer, never kept longer; what follows from it is made once."""
    return _published(str(connection.settings_dict["NAME"]), once("published", _facts))


def _facts() -> tuple[tuple[Any, ...], ...]:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS)
        return tuple(cursor.fetchall())


@lru_cache(maxsize=8)
def _published(database: str, rows: tuple[tuple[Any, ...], ...]) -> Published:
    facts = [(database, pk, published_at, revision) for pk, published_at, revision, *_ in rows]
    families: dict[str, tuple[int, ...]] = {}
    stamps: dict[str, str] = {}
    as_of: dict[str, str] = {}
    for pk, published_at, revision, family, _, _, day in rows:
        families[family] = (*families.get(family, ()), pk)
        stamps[family] = f"{stamps.get(family, '')} {pk} {published_at} {revision}"
        if day:
            as_of[family] = max(as_of.get(family, ""), day.isoformat())
    return Published(
        key=hashlib.sha256(repr(facts).encode()).hexdigest()[:12],
        demo=any(provenance == Provenance.INVENTED for _, _, _, _, provenance, _, _ in rows),
        sources={pk: title for pk, _, _, _, _, title, _ in rows},
        families=families,
        as_of=as_of,
        stamps=stamps,
    )


@dataclass(frozen=True, slots=True)
class NamedRegion:
    """A region of the published edition; ``full_name`` joins the names from the district down, the city left out."""

    id: int
    code: str
    level: str
    name: str
    path: str
    full_name: str


@dataclass(frozen=True)
class Names:
    """Names of one edition: regions by id and by code, and the gazetteer that the grammar takes."""

    regions: Mapping[int, NamedRegion] = field(default_factory=dict)
    by_code: Mapping[str, NamedRegion] = field(default_factory=dict)
    gazetteer: Gazetteer = field(default_factory=Gazetteer)

    @cached_property
    def districts(self) -> Mapping[str, NamedRegion]:
        """The districts by name; made once, for lists of addresses ask for them with every row."""
        return {region.name: region for region in self.regions.values() if region.level == Level.DISTRICT}

    def region(self, region_id: int | None) -> NamedRegion | None:
        """Return a region by id, or ``None`` when it is not in the published edition."""
        return self.regions.get(region_id) if region_id is not None else None

    def above(self, region: NamedRegion, level: str) -> NamedRegion | None:
        """Return the region of a level that a region lies in, itself included."""
        for code in region.path.rstrip(".").split("."):
            found = self.by_code.get(code)
            if found is not None and found.level == level:
                return found
        return None


_lock: Final = threading.Lock()
_kept: dict[str, Names] = {}
_KEPT: Final = 2


def names_of(published: Published) -> Names:
    """Return the names of what is published, read from the database the first time an edition is asked for."""
    found = _kept.get(published.key)
    if found is not None:
        return found
    with _lock:
        if published.key not in _kept:
            _kept[published.key] = _read_names()
            while len(_kept) > _KEPT:
                del _kept[next(iter(_kept))]
        return _kept[published.key]


def _read_names() -> Names:
    versions = list(
        RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED)
        .order_by("path")
        .values_list("region_id", "code", "level", "name", "path")
    )
    names = {code: name for _, code, _, name, _ in versions}
    regions = {}
    for region_id, code, level, name, path in versions:
        above = path.rstrip(".").split(".")[1:]
        full_name = "".join(names.get(part, "") for part in above) or name
        regions[region_id] = NamedRegion(region_id, code, level, name, path, full_name)
    by_level = {
        level: {region.name: region.name for region in regions.values() if region.level == level}
        for level in (Level.DISTRICT, Level.STREET)
    }
    written = RoadName.objects.order_by().values_list("name", flat=True).distinct()
    lived_on = Address.objects.filter(CURRENT).exclude(road="").order_by().values_list("road", flat=True).distinct()
    once = AddressAlias.objects.order_by().values_list("road", flat=True).distinct()
    return Names(
        regions=regions,
        by_code={region.code: region for region in regions.values()},
        gazetteer=Gazetteer(by_level[Level.DISTRICT], by_level[Level.STREET], roads_of([*written, *lived_on, *once])),
    )
