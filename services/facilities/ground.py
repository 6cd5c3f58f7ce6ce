"""What a circle stands on: the current road graph and the facilities put on it, opened once per process and version."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from django.conf import settings
from django.contrib.gis.db.models.functions import AsWKB
from numpy.typing import NDArray
from shapely import from_wkb, get_x, get_y

from geo.addresses.gazetteer import Published
from geo.imports.models import CURRENT, Family
from geo.regions.queries import current_city
from routing.graph import Graph, GraphStore
from routing.places import PlaceIndex
from services.facilities.kinds.current import current_book
from services.facilities.models import Facility


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A graph, the current facilities on it in the order of ``index.ids``, the code of each one's kind, and the codes by kind."""

    graph: Graph
    index: PlaceIndex
    kind: NDArray[np.int16]
    codes: Mapping[str, int]

    def wanted(self, kinds: Collection[str]) -> NDArray[np.bool_] | None:
        """Return the flags of the facilities of these kinds, ``None`` for all kinds."""
        if not kinds or self.codes.keys() <= set(kinds):
            return None
        return np.isin(self.kind, [self.codes[kind] for kind in kinds if kind in self.codes])

    def count(self, kinds: Collection[str]) -> int:
        """Return how many facilities of these kinds there are, whatever their status."""
        wanted = self.wanted(kinds)
        return len(self.index.ids) if wanted is None else int(np.count_nonzero(wanted))


@lru_cache(maxsize=2)
def graph_store(root: Path) -> GraphStore:
    """Return the store of road graphs under a root; one per process."""
    return GraphStore(root)


def current_graph() -> Graph:
    """Return the current road graph. Raises ``NoGraph`` before the first was built."""
    return graph_store(settings.GRAPH_ROOT).current()


_lock: Final = threading.Lock()
_kept: dict[tuple[object, ...], Ground] = {}
_KEPT: Final = 2


def ground(published: Published) -> Ground:
    """Return the ground of what is published, built by one thread while others wait.

    It is new with an edition, with a graph, and after places were moved to another kind.
    """
    graph = current_graph()
    key = (graph.meta.version, published.key, current_book().moved)
    found = _kept.get(key)
    if found is not None:
        return found
    with _lock:
        if key not in _kept:
            _kept[key] = _build(graph, published)
            while len(_kept) > _KEPT:
                del _kept[next(iter(_kept))]
        return _kept[key]


def _build(graph: Graph, published: Published) -> Ground:
    rows = Facility.objects.filter(CURRENT, source__in=published.ids(Family.FACILITIES)).order_by("id")
    columns = list(rows.values_list("id", "kind_id", AsWKB("geom")))
    points = from_wkb([bytes(row[2]) for row in columns])
    lon, lat = np.asarray(get_x(points), dtype=np.float64), np.asarray(get_y(points), dtype=np.float64)
    east, north = current_city().plane.forward(lon, lat)
    ids = np.array([row[0] for row in columns], dtype=np.int64)
    codes = {kind: code for code, kind in enumerate(sorted({row[1] for row in columns}))}
    kinds = np.array([codes[row[1]] for row in columns], dtype=np.int16)
    return Ground(graph, PlaceIndex.build(graph, ids, east, north), kinds, codes)
