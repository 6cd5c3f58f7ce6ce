"""What a circle stands on: the current road graph and the facilities put on it, opened once per process and version."""

from __future__ import annotations

import threading
from collections.abc import Collection
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
from services.facilities.kinds import KINDS
from services.facilities.models import Facility

_CODE: Final = {kind.key: code for code, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A graph, the current facilities on it in the order of ``index.ids``, and the code of each one's kind."""

    graph: Graph
    index: PlaceIndex
    kind: NDArray[np.int16]

    def wanted(self, kinds: Collection[str]) -> NDArray[np.bool_] | None:
        """Return the flags of the facilities of these kinds, ``None`` for all kinds."""
        if not kinds or len(kinds) == len(KINDS):
            return None
        return np.isin(self.kind, [_CODE[kind] for kind in kinds])

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
_kept: dict[tuple[str, str], Ground] = {}
_KEPT: Final = 2


def ground(published: Published) -> Ground:
    """Return the ground of what is published; built on first use of an edition or a graph, by one thread while others wait."""
    graph = current_graph()
    key = (graph.meta.version, published.key)
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
    # A kind no longer declared keeps its rows for their history, but is not looked for.
    kinds = np.array([_CODE.get(row[1], -1) for row in columns], dtype=np.int16)
    return Ground(graph, PlaceIndex.build(graph, ids, east, north), kinds)
