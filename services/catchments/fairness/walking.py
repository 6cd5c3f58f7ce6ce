"""The walk from a kindergarten to every door of a district: one search of the road graph for each kindergarten.

Walking takes as long there as back, so a search outward from the kindergarten tells the way to it. Roads that are closed for a
while are walked: a catchment stands for years.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from routing.graph import Graph
from routing.places import PlaceIndex
from routing.travellers import TRAVELLERS
from services.catchments.areas.walks import seconds_to
from services.catchments.fairness.asking import Sites, Step
from services.catchments.fairness.measuring import FARTHEST_S, Seconds

WALK: Final = TRAVELLERS["walk"]


def seconds_from(
    graph: Graph, doors: npt.NDArray[np.float64], sites: Sites, step: Step
) -> Iterator[tuple[int, Seconds]]:
    """Yield each kindergarten with the seconds from it to every door (metres of the plane, (n, 2)), legs beside roads included.

    Infinite beyond ``FARTHEST_S`` and where no road is near. Raises ``SearchTooLarge``.
    """
    index = PlaceIndex.build(graph, np.arange(len(doors), dtype=np.int64), doors[:, 0], doors[:, 1])
    for count, site in enumerate(sites.by_id.values()):
        step(count / len(sites.by_id))
        yield site.id, seconds_to(graph, index, site.point, WALK, FARTHEST_S)
