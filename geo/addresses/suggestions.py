"""What somebody may mean while typing: regions, communities and roads by name, and the addresses that complete a number.

Names are kept in memory by every process, read again when an edition is published or people change names; addresses, which
are far more, stay in the database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import connection
from django.db.models import Model

from geo.addresses.completion import complete, split_at_number
from geo.addresses.gazetteer import NamedRegion, Names, Published, names_of, published_now
from geo.addresses.models import Community
from geo.addresses.parsing.vocabulary import RegionName, vocabulary
from geo.addresses.suggesting.named import Found, Named, NameList, Where, list_of
from geo.addresses.suggesting.ranking import Fit, Suggestion, best, steps_of_size
from geo.errors import BadInput
from geo.imports.models import Family
from geo.names import plain
from geo.regions.models import EditionState, Level, RegionVersion
from geo.roads.models import RoadName
from geo.scope import Scope

LONGEST_QUERY: Final = 200
FEW: Final = 3
"""Corrections are offered when fewer names than this were found, and none is the whole of what was typed."""
ROADS_TRIED: Final = 3
_KEPT: Final = 2

Match = Callable[[NameList, str], Found]
Listed = tuple[NameList, Where]
Lister = Callable[[Published, Names], Listed]
"""Gives one more sort of things to suggest, as the map shows them now."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, apart from the city, district and street it began with: 杨浦区国权路 asks for 国权路 there."""

    words: str
    regions: tuple[int, ...] | None = None
    """The ids of the region that was named and of all above and below it; ``None`` for no region."""
    elsewhere: bool = False
    """A region was named, but may be the wrong one."""


def suggest(
    q: str,
    *,
    scope: Scope,
    near: tuple[float, float] | None = None,
    limit: int = 10,
    more: Sequence[Lister] = (),
) -> list[Suggestion]:
    """Return what a text may mean, best first by ``suggesting.ranking``; ``near`` is longitude and latitude in CGCS2000 degrees.

    Characters, pinyin, initials and any mixture of them find a name. What is only corrected, ``Suggestion.corrected``, is offered
    when little else is found, and stands behind it. Names and addresses are public: every scope gets the same answer; ``more``
    brings things of other sorts. Raises ``BadInput`` beyond 200 characters; a text with nothing to search for gives nothing.
    """
    if len(q) > LONGEST_QUERY:
        raise BadInput(
            "query_too_long", f"搜索内容最多 {LONGEST_QUERY} 个字，请只写名称或地址。", parameter="q", length=len(q)
        )
    if not plain(q):
        return []
    published = published_now()
    names = names_of(published)
    finder = _Finder(published, names, near, limit, [lister(published, names) for lister in (*OWN_SORTS, *more)])
    return finder.find(q)


@dataclass(frozen=True, slots=True)
class _Finder:
    """One search on its way through the stages: as typed, words apart, corrected."""

    published: Published
    names: Names
    near: tuple[float, float] | None
    limit: int
    lists: Sequence[Listed]

    def find(self, q: str) -> list[Suggestion]:
        questions = questions_in(q, self.names)
        exact: list[Suggestion] = []
        for asked in questions:
            if asked.elsewhere and (exact := self._apart(q)):
                break
            exact = self._named(asked, lambda names, words: names.matching(words))
            exact += self._completed(asked, named=any(one.fit <= Fit.HOLDS for one in exact))
            if any(one.fit <= Fit.HOLDS or _lacks_number(one) for one in exact) or (asked.regions and exact):
                break
        else:
            exact += self._apart(q)
        exact += self._whole_within(questions, asked, exact)
        if self._enough(exact, q) or any(map(_lacks_number, exact)):
            # A road that is known is not taken for another because a number of it is not.
            return best(exact, self.near, self.limit)
        some = any(one.fit <= Fit.HOLDS for one in exact)
        return best([*exact, *self._corrected(questions, mistyped=not some)], self.near, self.limit)

    def _whole_within(self, questions: Sequence[Asked], last: Asked, found: Sequence[Suggestion]) -> list[Suggestion]:
        """Return what a region holds of this very name, where other names only begin with both: 杨浦区国权路 is 国权路 there."""
        within = next((asked for asked in questions if asked.regions), None)
        if within is None or last.elsewhere or last.regions or any(one.fit == Fit.WHOLE for one in found):
            return []
        named = self._named(within, lambda names, words: names.matching(words))
        return [one for one in named if one.fit == Fit.WHOLE]

    def _enough(self, found: Iterable[Suggestion], q: str) -> bool:
        """Say whether what was typed is the name of something, or some names at least hold it."""
        fits = [Fit.WHOLE if plain(one.label) == plain(q) else one.fit for one in found]
        return Fit.WHOLE in fits or sum(fit <= Fit.HOLDS for fit in fits) >= FEW

    def _named(self, asked: Asked, match: Match) -> list[Suggestion]:
        found = []
        for names, where in self.lists:
            fits = match(names, plain(asked.words))
            found += names.best(fits, where, near=self.near, limit=self.limit, among=asked.regions)
        return [replace(one, steps=0.0) if one.what == "road" else one for one in found] if asked.regions else found

    def _apart(self, q: str) -> list[Suggestion]:
        """Return what holds all the words that blanks keep apart."""
        found = []
        for names, where in self.lists:
            found += names.best(names.holding_words(q), where, near=self.near, limit=self.limit)
        return found

    def _completed(self, asked: Asked, *, named: bool) -> list[Suggestion]:
        """Return the addresses that a road and a number may become, the road spelt in letters too.

        When the road has no such number and nothing is ``named`` so, the road itself is offered, and says so.
        """
        found = self._complete(asked.words, asked)
        road, rest = split_at_number(asked.words)
        if found or not road:
            return found
        roads = self._roads_called(road, asked, lambda names, words: names.matching(words), [Fit.WHOLE])
        said = f"没有收录“{rest}”{'开头的门牌' if rest[-1].isdecimal() else ''}"
        known = [] if named else [replace(one, fit=Fit.SCATTERED, said=said) for one in roads]
        return self._complete_on(roads, rest, asked) or known

    def _corrected(self, questions: Sequence[Asked], *, mistyped: bool) -> list[Suggestion]:
        """Return what sounds like the first of some questions for which there is any; ``mistyped``: or differs by one mistake."""
        matches: list[Match] = [lambda names, words: names.sounding_like(words)]
        if mistyped:
            matches.append(lambda names, words: names.mistyped(words))
        for asked in questions:
            road, rest = split_at_number(asked.words)
            found = []
            for match in matches:
                roads = self._roads_called(road, asked, match, [Fit.SOUNDS, Fit.MISTYPED]) if road else []
                found += [*self._named(asked, match), *(self._complete_on(roads, rest, asked) or roads)]
            if found:
                return found
        return []

    def _roads_called(self, road: str, asked: Asked, match: Match, fits: Sequence[Fit]) -> list[Suggestion]:
        """Return the roads whose whole name is what was typed, as well as ``fits`` say."""
        roads, where = next(listed for listed in self.lists if listed[0].what == "road")
        found = match(roads, plain(road))
        meant = roads.best(found, where, near=self.near, limit=4 * ROADS_TRIED, among=asked.regions)
        return [one for one in meant if one.fit in fits]

    def _complete_on(self, roads: Sequence[Suggestion], rest: str, asked: Asked) -> list[Suggestion]:
        """Return the addresses with a number on the first few of some roads; they fit no better than their road."""
        found = []
        for name in list(dict.fromkeys(one.label for one in roads))[:ROADS_TRIED]:
            fit = min(one.fit for one in roads if one.label == name)
            found += [replace(one, fit=max(one.fit, fit)) for one in self._complete(f"{name}{rest}", asked)]
        return found

    def _complete(self, text: str, asked: Asked) -> list[Suggestion]:
        return complete(text, published=self.published, names=self.names, among=asked.regions, near=self.near)


def _lacks_number(one: Suggestion) -> bool:
    """Say whether it is a road that was named with a number it does not have."""
    return one.what == "road" and one.fit == Fit.SCATTERED and bool(one.said)


def questions_in(q: str, names: Names) -> list[Asked]:
    """Return what may be asked, the likeliest first: the text as it stands, then apart from the regions it begins with.

    A region may be written by its name, by a former one or without 区 and 街道. It may be the wrong one, so the rest is asked for
    anywhere last; each answer says where it lies.
    """
    words, path = plain(q), ""
    for city in ("上海市", "上海"):
        words = words.removeprefix(city) or words
    cut = [words] if words != plain(q) else []
    for _ in range(2):
        named = _region_before(words, path, names)
        if named is None:
            break
        words, path = named
    if not path:
        return [Asked(q), *map(Asked, cut)]
    related = (region for region in names.regions.values() if region.level != Level.CITY)
    inside = tuple(region.id for region in related if region.path.startswith(path) or path.startswith(region.path))
    return [Asked(q), *map(Asked, cut), Asked(words, inside), Asked(words, elsewhere=True)]


_GOES_ON: Final = "区县镇街路"
"""What makes another name of a short one: 杨浦路 is not 路 in 杨浦. Before a number stands a road: 南京东路300号."""


def _region_before(words: str, path: str, names: Names) -> tuple[str, str] | None:
    """Return the rest of a text that begins with a region within ``path``, and the path of that region."""
    for written in names.gazetteer.regions.get(words[:2], ()):
        if not isinstance(written, RegionName) or not words.startswith(written.written) or words == written.written:
            continue
        rest = words[len(written.written) :]
        if rest[0].isdecimal() or (written.short and (len(rest) < 2 or rest[0] in _GOES_ON)):
            continue
        for region in names.regions.values():
            if region.name == written.today and region.path.startswith(path) and region.path != path:
                return rest, region.path
    return None


def where_of(region: NamedRegion | None, names: Names) -> str:
    """Return the district and street a region lies in, as people write them."""
    if region is None:
        return ""
    street = names.above(region, Level.STREET)
    return (street or region).full_name


# The sorts of things, and their lists as kept by this process

_lock: Final = threading.Lock()
_kept: dict[tuple[str, str], NameList] = {}


def kept_list(what: str, mark: str, read: Callable[[], NameList]) -> NameList:
    """Return the list of a sort of things as of a mark, which changes whenever the list may have; read it when it is not kept."""
    key = (what, mark)
    found = _kept.get(key)
    if found is None:
        with _lock:
            found = _kept.get(key)
            if found is None:
                found = read()
                old = [other for other in _kept if other[0] == what]
                for other in old[: len(old) + 1 - _KEPT]:
                    del _kept[other]
                _kept[key] = found
    return found


def mark_of(published: Published, *families: Family, newest: int | None) -> str:
    """Return a mark for things of some families: it changes when they are published or renamed by people, or a row is new."""
    stamps = [published.stamps.get(family, "") for family in families]
    return f"{connection.settings_dict['NAME']}{stamps}{newest}"


def _regions(published: Published, names: Names) -> Listed:
    kept = kept_list("region", mark_of(published, Family.REGIONS, newest=None), lambda: _read_regions(names))

    def where(region_id: int, tag: str) -> str:
        region = names.region(region_id)
        return region.full_name.removesuffix(region.name) if region else ""

    return kept, where


_STEPS_OF_LEVEL: Final = {Level.CITY: 0.0, Level.DISTRICT: 0.0, Level.STREET: 0.5, Level.COMMITTEE: 3.0}


def _read_regions(names: Names) -> NameList:
    rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED).order_by("code")
    former: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for known in vocabulary().regions:
        if known.old and not known.short and known.today != known.written:
            former.setdefault((known.kind, known.today), []).append((known.written, f"原{known.written}"))
    things = []
    for region_id, level, name, label, area_m2 in rows.values_list("region_id", "level", "name", "label", "area_m2"):
        radius = float(round(0.95 * (area_m2 / 3.1416) ** 0.5))
        others = former.get((level, name), ())
        steps = _STEPS_OF_LEVEL[Level(level)]
        things.append(Named(region_id, name, label.x, label.y, radius, region_id, steps, others))
    return list_of("region", things)


def _roads(published: Published, names: Names) -> Listed:
    # Roads are named anew by jobs of their own, always with new ids.
    mark = mark_of(published, Family.ROADS, Family.ADDRESSES, Family.REGIONS, newest=newest_of(RoadName))
    return kept_list("road", mark, _read_roads), _street_of(names)


def _read_roads() -> NameList:
    rows = stream("SELECT id, name, ST_X(geom), ST_Y(geom), length_m, coalesce(region_id, 0) FROM roads_roadname")
    things = (
        Named(
            id=road_id,
            name=name,
            lon=lon,
            lat=lat,
            uncertainty_m=max(100.0, length_m / 2),
            region_id=region_id,
            steps=steps_of_size(length_m, large=2000.0, least=0.5, most=3.5),
        )
        for road_id, name, lon, lat, length_m, region_id in rows
    )
    return list_of("road", things)


def _communities(published: Published, names: Names) -> Listed:
    mark = mark_of(published, Family.COMMUNITIES, Family.REGIONS, newest=newest_of(Community))
    return kept_list("community", mark, lambda: _read_communities(published)), _street_of(names)


def _read_communities(published: Published) -> NameList:
    rows = stream(
        """SELECT id, name, aliases, ST_X(geom), ST_Y(geom), uncertainty_m, coalesce(region_id, 0), coalesce(households, 0)
           FROM addresses_community WHERE retired_at IS NULL AND source_id = ANY(%s)""",
        [list(published.ids(Family.COMMUNITIES))],
    )
    return list_of("community", map(_community, rows))


def _community(row: tuple[Any, ...]) -> Named:
    community_id, name, aliases, lon, lat, uncertainty_m, region_id, households = row
    steps = steps_of_size(households, large=500.0, least=1.5, most=3.5) if households else 2.5
    others = [(alias, f"又名{alias}") for alias in aliases if alias != name]
    return Named(community_id, name, lon, lat, uncertainty_m, region_id, steps, others)


def newest_of(rows: type[Model]) -> int | None:
    """Return the highest id of a table."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(id) FROM {rows._meta.db_table}")
        newest: int | None = cursor.fetchone()[0]
    return newest


def _street_of(names: Names) -> Where:
    return lambda region_id, tag: where_of(names.region(region_id), names)


def stream(sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query some at a time: all at once would stay in the memory of the process."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        yield from cursor


OWN_SORTS: Final[tuple[Lister, ...]] = (_regions, _communities, _roads)
