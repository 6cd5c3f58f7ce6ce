"""The fences that count at a moment, all purposes and districts at once, ready to be asked which of them hold a position."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.utils import timezone

from geo.addresses.gazetteer import names_of, published_now
from geo.crs.planes import LocalGrid
from geo.fences.evaluate.hours import Hours, Term
from geo.fences.evaluate.index import Booleans, FenceIndex, Floats, Hits, Longs
from geo.fences.models import Fence, FenceEdition
from geo.fences.purposes import purpose_of
from geo.fences.repairs import areal
from geo.geometry import to_plane
from geo.regions.queries import current_city
from geo.scope import Scope
from services.fencing.queries import VIEW, editions_at

EditionKey = tuple[UUID, int]
"""Id and revision: one taken back before it began, changed and published again is another edition under the same id."""
MOMENTS_KEPT: Final = 3
"""Sets of fences kept in a process: the one that counts now, and what was asked of another time."""


@dataclass(frozen=True, slots=True)
class LiveFence:
    """What is told of a fence that holds a position. ``same`` is its identity from edition to edition."""

    same: UUID
    name: str
    owner: str
    kind: str
    purpose: str
    district_id: int
    edition_id: UUID
    number: int


@dataclass(frozen=True, eq=False)
class LiveFences:
    """The fences of all ``editions`` that count at a moment; row r of ``index`` is ``fences[r]``, its id ``str(same)``.

    Never changed: the next set takes its place when an edition begins.
    """

    editions: tuple[EditionKey, ...]
    fences: tuple[LiveFence, ...]
    index: FenceIndex
    plane: LocalGrid

    def at(self, lon: npt.ArrayLike, lat: npt.ArrayLike, times_ms: npt.ArrayLike) -> Hits:
        """Return the fences that hold positions (CGCS2000 degrees) at moments (UTC, milliseconds since 1970).

        Positions outside the city, and NaN, lie in none.
        """
        east, north = self.plane.project(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        return self.index.at_times(east, north, times_ms)

    def near(self, east: Floats, north: Floats, metres: Floats) -> tuple[Longs, Longs]:
        """Return the pairs of a point (metres of the plane) and a fence that meets the circle of its radius, at any hour."""
        points, rows = self._tree.query(shapely.points(east, north), predicate="dwithin", distance=metres)
        return points.astype(np.int64), rows.astype(np.int64)

    def rows_for(self, *, scope: Scope, purposes: Collection[str] = ()) -> Booleans:
        """Say of each fence whether the scope may ask it, and whether it is of these purposes; none named: of any.

        Those of public purposes everyone may ask; the others whoever holds the duty, in the districts of the scope.
        """
        pairs, place = self._pairs
        ours = may_ask(scope)
        wanted = [(not purposes or pair[0] in purposes) and ours(*pair) for pair in pairs]
        return np.array(wanted, dtype=bool)[place]

    @cached_property
    def _tree(self) -> shapely.STRtree:
        tree = shapely.STRtree(self.index.shapes)
        tree.query(shapely.Point(0, 0))  # the first question finishes the tree: nobody else may ask meanwhile
        return tree

    @cached_property
    def _pairs(self) -> tuple[list[tuple[str, int]], Longs]:
        """Return the purposes and districts there are, and which of them each fence has."""
        each = [(fence.purpose, fence.district_id) for fence in self.fences]
        pairs = {pair: number for number, pair in enumerate(dict.fromkeys(each))}
        place = [pairs[pair] for pair in each]
        return list(pairs), np.array(place, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The fences of one edition, with their shapes in metres of the city's plane."""

    fences: tuple[LiveFence, ...]
    shapes: npt.NDArray[np.object_]
    terms: tuple[Term, ...]


_lock, _building = Lock(), Lock()
_sets: dict[tuple[EditionKey, ...], LiveFences] = {}
_parts: dict[EditionKey, _Part] = {}


def live_fences(*, at: dt.datetime | None = None) -> LiveFences:
    """Return the fences of the editions that count at a moment (now), whatever their days and hours.

    One query where nothing changed. Of editions only those are read that were not read before; the index of 50,000 fences is
    built in half a second.
    """
    editions = list(editions_at(at=at or timezone.now()))
    key = tuple(_key(edition) for edition in editions)
    return _kept(key) or _built(key, editions)


def may_ask(scope: Scope) -> Callable[[str, int], bool]:
    """Return what says of a purpose and a district whether the scope may ask their published fences.

    Those of public purposes everyone may ask; the others whoever holds the duty, in the districts of the scope.
    """
    names = names_of(published_now()) if scope.holds(VIEW) else None

    def ours(purpose: str, district_id: int) -> bool:
        said, region = purpose_of(purpose), names.region(district_id) if names else None
        return (said is not None and said.public) or (region is not None and scope.covers_path(region.path))

    return ours


def _key(edition: FenceEdition) -> EditionKey:
    return edition.pk, edition.revision


def _kept(key: tuple[EditionKey, ...]) -> LiveFences | None:
    with _lock:
        if key in _sets:
            _sets[key] = _sets.pop(key)  # the last asked stands last
        return _sets.get(key)


def _built(key: tuple[EditionKey, ...], editions: list[FenceEdition]) -> LiveFences:
    """Build a set, one at a time; who asks for one that stands does not wait for it."""
    with _building:
        found = _kept(key)
        if found is None:
            found = _build(editions)
            with _lock:
                _sets[key] = found
                _forget()
    return found


def _build(editions: list[FenceEdition]) -> LiveFences:
    parts = []
    for edition in editions:
        key = _key(edition)
        if key not in _parts:
            _parts[key] = _read(edition)
        parts.append(_parts[key])
    fences = tuple(fence for part in parts for fence in part.fences)
    shapes = np.concatenate([part.shapes for part in parts]) if parts else np.empty(0, dtype=object)
    terms = [term for part in parts for term in part.terms]
    index = FenceIndex.build(shapes, [str(fence.same) for fence in fences], terms)
    return LiveFences(tuple(_key(edition) for edition in editions), fences, index, current_city().plane)


def _read(edition: FenceEdition) -> _Part:
    rows = list(
        Fence.objects.filter(edition=edition)
        .order_by("pk")
        .values_list("same", "name", "owner", "kind", "from_day", "to_day", "hours", AsWKB("geom"))
    )
    fences = tuple(
        LiveFence(same, name, owner, kind, edition.purpose, edition.district_id, edition.pk, edition.number)
        for same, name, owner, kind, *_ in rows
    )
    degrees = np.array([shapely.from_wkb(bytes(row[-1])) for row in rows], dtype=object)
    terms = tuple(Term(first, last, Hours.read(hours)) for *_, first, last, hours, _geom in rows)
    return _Part(fences, _sound(to_plane(degrees, current_city())), terms)


def _sound(shapes: Any) -> npt.NDArray[np.object_]:
    """Return shapes (metres) that are valid: one so narrow that projecting it makes its border touch itself is mended."""
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        shapes[broken] = [areal(shape) for shape in shapely.make_valid(shapes[broken])]
    return np.asarray(shapes, dtype=object)


def _forget() -> None:
    """Keep the last few sets, and the parts they are made of."""
    while len(_sets) > MOMENTS_KEPT:
        del _sets[next(iter(_sets))]
    needed = {part for key in _sets for part in key}
    for part in set(_parts) - needed:
        del _parts[part]
